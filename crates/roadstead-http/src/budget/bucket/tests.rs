//! Each rule of a bucket, with the time as an argument.

use super::*;

const WINDOW: Duration = Duration::from_secs(60);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn bucket(counting: Counting, limit: u64) -> Bucket {
    Bucket::new(BucketRule {
        name: "calls",
        limit: Some(limit),
        window: WINDOW,
        counting,
        hears: Hears::Headers,
        changes: true,
    })
}

/// Makes as many calls as a lane may, each answered at once, and returns how many.
fn drain(bucket: &mut Bucket, lane: Lane, now: Timestamp) -> u64 {
    bucket.roll(now);
    let mut made = 0;
    while bucket.admits(lane, now) {
        bucket.take(lane);
        bucket.settle(now);
        bucket.hear(now);
        made += 1;
        assert!(made < 100_000, "nothing stops it");
    }
    bucket.refuse(lane, now);
    made
}

fn said(limit: u64, remaining: u64, reset: Timestamp) -> RateLimit {
    RateLimit {
        limit: Some(limit),
        remaining: Some(remaining),
        reset: Some(reset),
        refill: Some(reset),
    }
}

fn left(bucket: &Bucket) -> u64 {
    bucket.report(0).left.unwrap()
}

#[test]
fn each_lane_stops_at_its_reserve_and_the_last_calls_are_nobodys() {
    let mut bucket = bucket(Counting::Fixed, 100);
    assert_eq!(drain(&mut bucket, Lane::Background, at(0)), 60);
    assert_eq!(drain(&mut bucket, Lane::People, at(0)), 20);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(0)), 15);
    assert_eq!(left(&bucket), 5);
}

#[test]
fn where_nothing_is_changed_nothing_is_kept_for_changes() {
    let mut bucket = bucket(Counting::Fixed, 20);
    bucket.rule.changes = false;
    assert_eq!(drain(&mut bucket, Lane::Background, at(0)), 12);
    assert_eq!(drain(&mut bucket, Lane::People, at(0)), 7);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(0)), 0);
}

#[test]
fn every_lane_gets_its_turn_where_the_limit_is_one() {
    for lane in Lane::ALL {
        for counting in [Counting::Fixed, Counting::Sliding] {
            let mut bucket = bucket(counting, 1);
            assert_eq!(drain(&mut bucket, lane, at(0)), 1, "{lane:?}");
            assert_eq!(bucket.opens_at(lane, 0, at(0)), at(60), "{lane:?}");
            assert_eq!(drain(&mut bucket, lane, at(60)), 1, "{lane:?}");
        }
    }
}

#[test]
fn a_call_is_forgotten_a_window_after_its_answer_and_not_after_its_departure() {
    let mut bucket = bucket(Counting::Sliding, 2);
    bucket.take(Lane::Mutate);
    bucket.settle(at(9));
    bucket.hear(at(9));
    assert!(!bucket.admits(Lane::Mutate, at(9)));
    assert_eq!(bucket.opens_at(Lane::Mutate, 0, at(9)), at(69));
    bucket.roll(at(68));
    assert!(!bucket.admits(Lane::Mutate, at(68)));
    bucket.roll(at(69));
    assert!(bucket.admits(Lane::Mutate, at(69)));
}

#[test]
fn a_sliding_log_gives_back_call_by_call_and_a_window_all_at_once() {
    for (counting, freed) in [(Counting::Sliding, 1), (Counting::Fixed, 19)] {
        let mut bucket = bucket(counting, 20);
        for second in 0..19 {
            bucket.take(Lane::Mutate);
            bucket.settle(at(second));
            bucket.learn(
                &said(20, 19 - u64::try_from(second).unwrap(), at(60)),
                at(second),
            );
        }
        assert_eq!(drain(&mut bucket, Lane::Mutate, at(59)), 0);
        // A second later than it says: times are told in whole seconds.
        assert_eq!(
            drain(&mut bucket, Lane::Mutate, at(61)),
            freed + u64::from(freed == 1)
        );
    }
}

#[test]
fn a_vendor_that_says_fewer_are_left_is_believed_and_one_that_says_more_is_not() {
    let mut bucket = bucket(Counting::Fixed, 100);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(0)), 95);
    bucket.learn(&said(100, 90, at(60)), at(1));
    assert_eq!(left(&bucket), 5);

    let mut bucket = super::tests::bucket(Counting::Fixed, 100);
    bucket.learn(&said(100, 30, at(60)), at(0));
    assert_eq!(left(&bucket), 30);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(1)), 25);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(61)), 95);
}

#[test]
fn calls_under_way_are_not_taken_for_somebody_elses() {
    let mut bucket = bucket(Counting::Fixed, 100);
    for _ in 0..8 {
        bucket.take(Lane::People);
    }
    // The vendor has seen all eight, and we one answer.
    bucket.settle(at(0));
    bucket.learn(&said(100, 92, at(60)), at(0));
    assert_eq!(left(&bucket), 92);
    bucket.settle(at(0));
    bucket.learn(&said(100, 91, at(60)), at(0));
    assert_eq!(left(&bucket), 91, "and somebody else has called once");
}

#[test]
fn headers_that_lie_change_nothing() {
    let lies = [
        RateLimit::default(),
        said(0, 0, at(60)),
        said(100, 5_000, at(60)),
        said(100, u64::MAX, at(60)),
        RateLimit {
            limit: None,
            ..said(0, 999, at(60))
        },
        RateLimit {
            remaining: None,
            ..said(100, 0, Timestamp::MAX)
        },
        RateLimit {
            remaining: None,
            ..said(100, 0, Timestamp::MIN)
        },
    ];
    for lie in lies {
        for counting in [Counting::Fixed, Counting::Sliding] {
            let mut bucket = bucket(counting, 100);
            bucket.learn(&lie, at(0));
            assert_eq!(left(&bucket), 100, "{lie:?}");
            assert_eq!(drain(&mut bucket, Lane::Mutate, at(1)), 95, "{lie:?}");
            assert_eq!(drain(&mut bucket, Lane::Mutate, at(62)), 95, "{lie:?}");
        }
    }
}

#[test]
fn one_absurd_time_does_not_make_later_words_unheard() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.learn(&said(100, 99, Timestamp::MAX), at(0));
    bucket.learn(&said(100, 40, at(60)), at(1));
    assert_eq!(left(&bucket), 40);
    assert_eq!(bucket.report(0).resets_at, Some(at(61)));
}

#[test]
fn without_headers_the_documented_limit_holds_over_any_window() {
    let mut bucket = bucket(Counting::Fixed, 100);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(0)), 95);
    assert_eq!(bucket.opens_at(Lane::Mutate, 0, at(30)), at(60));
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(59)), 0);
    assert_eq!(drain(&mut bucket, Lane::Mutate, at(60)), 95);
}

#[test]
fn the_word_of_the_window_before_is_not_taken_for_the_present_one() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.learn(&said(100, 0, at(60)), at(10));
    bucket.roll(at(61));
    // An answer that was long under way.
    bucket.learn(&said(100, 0, at(60)), at(61));
    assert_eq!(left(&bucket), 100);
    bucket.learn(&said(100, 98, at(120)), at(62));
    assert_eq!(left(&bucket), 98);
    bucket.learn(&said(100, 0, at(60)), at(63));
    assert_eq!(left(&bucket), 98);
}

#[test]
fn the_next_window_shows_itself_by_its_end_and_takes_over() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.learn(&said(100, 7, at(60)), at(10));
    bucket.take(Lane::Mutate);
    bucket.settle(at(60));
    bucket.learn(&said(100, 99, at(120)), at(60));
    assert_eq!(left(&bucket), 99);
    assert_eq!(bucket.report(0).resets_at, Some(at(121)));
}

#[test]
fn a_reset_that_moves_with_every_answer_does_not_refill_the_bucket() {
    let mut bucket = bucket(Counting::Fixed, 100);
    for second in 0..30 {
        bucket.take(Lane::Mutate);
        bucket.settle(at(second));
        bucket.learn(&said(100, 100, at(second + 60)), at(second));
    }
    assert_eq!(left(&bucket), 70);
}

#[test]
fn a_call_under_way_when_the_window_ends_counts_in_the_next() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.take(Lane::People);
    bucket.learn(&said(100, 99, at(60)), at(0));
    bucket.roll(at(61));
    assert_eq!(left(&bucket), 99);
    bucket.settle(at(62));
    assert_eq!(left(&bucket), 99);
}

#[test]
fn a_vendors_clock_ahead_of_ours_does_not_shorten_the_window() {
    let mut bucket = bucket(Counting::Fixed, 100);
    let mut word = said(100, 0, at(3_660));
    word.refill = Some(at(60));
    bucket.learn(&word, at(0));
    assert_eq!(bucket.opens_at(Lane::Mutate, 0, at(0)), at(61));
}

#[test]
fn of_two_limits_in_a_window_the_lesser_holds_and_a_raise_comes_with_the_next() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.learn(&said(400, 399, at(60)), at(0));
    bucket.learn(&said(200, 199, at(60)), at(1));
    bucket.learn(&said(400, 398, at(60)), at(2));
    let report = bucket.report(0);
    assert_eq!(
        (report.limit, report.limit_by),
        (Some(200), LimitSource::Stated)
    );
    bucket.roll(at(61));
    bucket.learn(&said(400, 399, at(120)), at(62));
    assert_eq!(bucket.report(0).limit, Some(400));
}

#[test]
fn before_the_first_answer_only_a_tenth_leaves_at_once_and_then_half_of_what_is_left() {
    let mut bucket = bucket(Counting::Fixed, 100);
    let under_way = |bucket: &mut Bucket| {
        while bucket.admits(Lane::Mutate, at(0)) {
            bucket.take(Lane::Mutate);
        }
        bucket.report(0).in_flight
    };
    assert_eq!(under_way(&mut bucket), 10);
    bucket.settle(at(0));
    bucket.hear(at(0));
    assert_eq!(under_way(&mut bucket), 47);
    for _ in 0..47 {
        bucket.settle(at(0));
    }
    assert_eq!(under_way(&mut bucket), 23);
}

#[test]
fn a_closed_bucket_opens_at_its_time_and_slowly() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.hear(at(0));
    bucket.close(at(20));
    bucket.close(at(10));
    assert!(!bucket.admits(Lane::Mutate, at(0)));
    assert_eq!(bucket.opens_at(Lane::Mutate, 0, at(0)), at(20));
    bucket.roll(at(19));
    assert!(!bucket.admits(Lane::Mutate, at(19)));
    bucket.roll(at(20));
    for _ in 0..10 {
        assert!(bucket.admits(Lane::Mutate, at(20)));
        bucket.take(Lane::Mutate);
    }
    assert!(!bucket.admits(Lane::Mutate, at(20)));
}

#[test]
fn a_lane_that_asks_in_vain_long_enough_gets_one_call_at_a_time() {
    let mut bucket = bucket(Counting::Sliding, 100);
    bucket.learn(&said(100, 30, at(60)), at(0));
    bucket.refuse(Lane::Background, at(0));
    assert_eq!(bucket.opens_at(Lane::Background, 0, at(0)), at(30));
    bucket.roll(at(29));
    assert!(!bucket.admits(Lane::Background, at(29)));
    assert!(bucket.admits(Lane::Background, at(30)));
    bucket.take(Lane::Background);
    assert!(!bucket.admits(Lane::Background, at(30)));
    // Not out of what is kept for changes.
    bucket.refuse(Lane::Background, at(30));
    bucket.learn(&said(100, 15, at(90)), at(31));
    assert!(!bucket.admits(Lane::Background, at(89)));
}

#[test]
fn those_who_are_told_to_come_back_are_told_different_windows() {
    let mut bucket = bucket(Counting::Fixed, 20);
    bucket.learn(&said(20, 0, at(60)), at(0));
    let times: Vec<_> = (0..57)
        .map(|_| {
            let then = bucket.opens_at(Lane::Mutate, 0, at(0));
            bucket.promise(then, Lane::Mutate);
            then
        })
        .collect();
    assert_eq!(times[..19], [at(61); 19]);
    assert_eq!(times[19..38], [at(121); 19]);
    assert_eq!(times[38..], [at(181); 19]);
    // Who goes first is not kept waiting by those who go later.
    bucket.promises.clear();
    bucket.promise(at(61), Lane::People);
    assert_eq!(bucket.opens_at(Lane::Mutate, 18, at(0)), at(61));
    bucket.roll(at(61));
    assert!(bucket.promises.is_empty());
}

#[test]
fn calls_of_others_are_spread_over_the_time_since_the_last_word() {
    let mut bucket = bucket(Counting::Sliding, 1000);
    let oldest = at(30);
    let found = bucket.learn(&said(1000, 400, oldest), at(0));
    assert_eq!(found.iter().map(|(_, count)| count).sum::<u64>(), 600);
    assert!(
        found
            .iter()
            .all(|(time, _)| *time > at(-30) && *time <= at(0))
    );
    assert_eq!(left(&bucket), 400);
    bucket.roll(at(45));
    assert_eq!(left(&bucket), 700, "half of them are forgotten");
    bucket.learn(&said(1000, 690, at(31)), at(45));
    assert_eq!(left(&bucket), 690);
}

#[test]
fn nothing_is_known_of_a_limit_before_the_vendor_speaks() {
    let mut bucket = bucket(Counting::Fixed, 1);
    bucket.rule.limit = None;
    for _ in 0..500 {
        assert!(bucket.admits(Lane::Background, at(0)));
        bucket.take(Lane::Background);
    }
    let report = bucket.report(0);
    assert_eq!(
        (report.limit, report.left, report.in_flight),
        (None, None, 500)
    );
    bucket.learn(&said(1000, 600, at(60)), at(0));
    assert_eq!(left(&bucket), 500, "the others are under way");
}

#[test]
fn an_absurdly_large_limit_overflows_nothing() {
    let mut bucket = bucket(Counting::Fixed, 100);
    bucket.learn(&said(u64::MAX, u64::MAX, at(60)), at(0));
    assert!(bucket.admits(Lane::Background, at(0)));
    bucket.learn(&said(u64::MAX, 0, at(60)), at(0));
    assert!(!bucket.admits(Lane::Mutate, at(0)));
    assert_eq!(bucket.opens_at(Lane::Mutate, u64::MAX, at(0)), at(121));
    let mut bucket = super::tests::bucket(Counting::Sliding, 100);
    bucket.learn(&said(u64::MAX, 0, at(60)), at(0));
    assert_eq!(left(&bucket), 0);
}
