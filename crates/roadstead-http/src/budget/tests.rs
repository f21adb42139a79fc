//! The queue and the permits, with a clock that is moved by hand.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use roadstead_core::ManualClock;

use super::*;

/// As a vendor that counts by the hour and by the minute, and one list on its own.
fn table() -> RateTable {
    const fn rule(name: &'static str, limit: u64, seconds: u64, hears: Hears) -> BucketRule {
        BucketRule {
            name,
            limit: Some(limit),
            window: Duration::from_secs(seconds),
            counting: Counting::Sliding,
            hears,
            changes: true,
        }
    }
    const BUCKETS: &[BucketRule] = &[
        rule("keys", 10, 60, Hears::Nothing),
        rule("minute", 100, 60, Hears::Alongside),
        rule("hour", 1000, 3600, Hears::Headers),
    ];
    RateTable {
        buckets: BUCKETS.into(),
        route: |method, template| match (method.as_str(), template) {
            ("GET", "/keys") => &["keys", "minute", "hour", "no such bucket"],
            _ => &["minute", "hour"],
        },
    }
}

struct Stage {
    clock: Arc<ManualClock>,
    budget: Arc<Budget>,
}

type Waiting = Pin<Box<dyn Future<Output = Result<Permit, Timestamp>>>>;

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(start()));
        let budget = Arc::new(Budget::new(&table(), Arc::<ManualClock>::clone(&clock)));
        Self { clock, budget }
    }

    fn ask(&self, path: &'static str, lane: Lane, patience: u64) -> Waiting {
        let budget = Arc::clone(&self.budget);
        let latest = self.clock.now() + Duration::from_secs(patience);
        Box::pin(async move { budget.reserve((&Method::GET, path), lane, latest).await })
    }

    /// Makes a call that is let go and answered at once.
    fn call(&self, path: &'static str, lane: Lane) -> Result<(), Timestamp> {
        match poll(&mut self.ask(path, lane, 0)) {
            Poll::Ready(Ok(permit)) => {
                permit.answer(None, None, self.clock.now());
                Ok(())
            }
            Poll::Ready(Err(then)) => Err(then),
            Poll::Pending => panic!("it waits without patience"),
        }
    }

    /// Returns what is left in a bucket, and how many calls are under way and wait.
    fn look(&self, name: &str) -> (u64, u64, u64) {
        let report = self.budget.report();
        let it = report.iter().find(|it| it.name == name).unwrap();
        (it.left.unwrap(), it.in_flight, it.waiting)
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn poll(waiting: &mut Waiting) -> Poll<Result<Permit, Timestamp>> {
    waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

fn permit(waiting: &mut Waiting) -> Permit {
    match poll(waiting) {
        Poll::Ready(Ok(permit)) => permit,
        other => panic!("not let go: {other:?}"),
    }
}

#[test]
fn a_call_counts_in_every_bucket_of_its_route() {
    let stage = Stage::new();
    for _ in 0..9 {
        stage.call("/keys", Lane::Mutate).unwrap();
    }
    assert_eq!(
        stage.call("/keys", Lane::Mutate),
        Err(start() + Duration::from_secs(60))
    );
    stage.call("/other", Lane::Mutate).unwrap();
    assert_eq!(stage.look("keys"), (1, 0, 0));
    assert_eq!(stage.look("minute"), (90, 0, 0));
    assert_eq!(stage.look("hour"), (990, 0, 0));
}

#[test]
fn who_waits_for_one_bucket_does_not_hold_up_another() {
    let stage = Stage::new();
    for _ in 0..9 {
        stage.call("/keys", Lane::Mutate).unwrap();
    }
    let mut waiting = stage.ask("/keys", Lane::Mutate, 300);
    assert!(poll(&mut waiting).is_pending());
    stage.call("/other", Lane::Background).unwrap();
    stage.clock.advance(Duration::from_secs(60));
    permit(&mut waiting).answer(None, None, stage.clock.now());
}

#[test]
fn the_queue_goes_by_lane_and_then_by_arrival() {
    let stage = Stage::new();
    let mut under_way = Vec::new();
    while let Poll::Ready(answer) = poll(&mut stage.ask("/other", Lane::Mutate, 300)) {
        under_way.push(answer.unwrap());
    }
    let mut waiting = [
        stage.ask("/other", Lane::Background, 300),
        stage.ask("/other", Lane::People, 300),
        stage.ask("/other", Lane::People, 300),
        stage.ask("/other", Lane::Mutate, 300),
    ];
    assert!(waiting.iter_mut().all(|it| poll(it).is_pending()));
    assert_eq!(stage.look("minute").2, 4);
    for next in [3, 1, 2, 0] {
        drop(under_way.pop());
        let mut let_go = Vec::new();
        for (place, it) in waiting.iter_mut().enumerate() {
            if let Poll::Ready(answer) = poll(it) {
                under_way.insert(0, answer.unwrap());
                *it = Box::pin(std::future::pending());
                let_go.push(place);
            }
        }
        assert_eq!(let_go, [next]);
    }
}

#[test]
fn two_hundred_at_once_never_overshoot_and_all_get_through() {
    let stage = Stage::new();
    let mut waiting: Vec<_> = (0..200)
        .map(|_| stage.ask("/other", Lane::Mutate, 300))
        .collect();
    let (mut done, mut windows) = (0, 0);
    while !waiting.is_empty() {
        let mut sent = 0;
        loop {
            let mut under_way = Vec::new();
            waiting.retain_mut(|it| match poll(it) {
                Poll::Ready(answer) => {
                    under_way.push(answer.unwrap());
                    false
                }
                Poll::Pending => true,
            });
            if under_way.is_empty() {
                break;
            }
            sent += under_way.len();
            for it in under_way {
                it.answer(None, None, stage.clock.now());
            }
        }
        assert!(sent <= 95, "{sent} in a window");
        done += sent;
        windows += 1;
        stage.clock.advance(Duration::from_secs(60));
        assert!(windows < 10, "{} never go", waiting.len());
    }
    assert_eq!((done, windows), (200, 3));
}

#[test]
fn who_cannot_be_let_go_in_time_is_told_at_once_and_leaves_the_queue() {
    let stage = Stage::new();
    while stage.call("/other", Lane::Mutate).is_ok() {}
    let mut waiting = stage.ask("/other", Lane::Mutate, 59);
    let then = start() + Duration::from_secs(60);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Err(it)) if it == then));
    assert_eq!(stage.look("minute"), (5, 0, 0));
    let mut patient = stage.ask("/other", Lane::Mutate, 60);
    assert!(poll(&mut patient).is_pending());
}

#[test]
fn a_caller_who_gives_up_gives_everything_back() {
    let stage = Stage::new();
    // Before anything left.
    let taken = permit(&mut stage.ask("/other", Lane::People, 0));
    assert_eq!(stage.look("minute"), (99, 1, 0));
    drop(taken);
    assert_eq!(stage.look("minute"), (100, 0, 0));
    // A refused connection.
    let mut taken = permit(&mut stage.ask("/other", Lane::People, 0));
    taken.leave();
    taken.stay();
    drop(taken);
    assert_eq!(stage.look("minute"), (100, 0, 0));
    // In the middle: the vendor may have counted it.
    let mut taken = permit(&mut stage.ask("/other", Lane::People, 0));
    taken.leave();
    drop(taken);
    assert_eq!(stage.look("minute"), (99, 0, 0));
}

#[test]
fn who_gives_up_waiting_leaves_his_place_and_one_let_go_meanwhile_passes_it_on() {
    let stage = Stage::new();
    while stage.call("/other", Lane::Mutate).is_ok() {}
    let mut first = stage.ask("/other", Lane::Mutate, 300);
    let mut second = stage.ask("/other", Lane::Mutate, 300);
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(first);
    assert_eq!(stage.look("minute").2, 1);
    stage.clock.advance(Duration::from_secs(60));
    // Looking lets it go, before it knows.
    assert_eq!(stage.look("minute"), (99, 1, 0));
    drop(second);
    assert_eq!(stage.look("minute"), (100, 0, 0));
}

#[test]
fn background_gets_a_call_now_and_then_while_people_use_all_they_may() {
    let stage = Stage::new();
    while stage.call("/other", Lane::People).is_ok() {}
    let mut background = stage.ask("/other", Lane::Background, 3600);
    assert!(poll(&mut background).is_pending());
    let mut let_go_after = None;
    for second in 1..=300 {
        stage.clock.advance(Duration::from_secs(1));
        if let Poll::Ready(answer) = poll(&mut background) {
            answer.unwrap().answer(None, None, stage.clock.now());
            let_go_after = Some(second);
            break;
        }
        while stage.call("/other", Lane::People).is_ok() {}
    }
    assert_eq!(let_go_after, Some(60));
}

#[test]
fn a_named_wait_closes_the_narrowest_bucket_alone() {
    let stage = Stage::new();
    let now = stage.clock.now();
    let throttle = |seconds, is_named| {
        Some(Throttle {
            until: now + Duration::from_secs(seconds),
            is_named,
        })
    };
    let none_left = RateLimit {
        limit: Some(1000),
        remaining: Some(0),
        ..RateLimit::default()
    };
    let taken = permit(&mut stage.ask("/keys", Lane::People, 0));
    taken.answer(Some(&none_left), throttle(20, true), now);
    assert_eq!(
        stage.call("/keys", Lane::People),
        Err(now + Duration::from_secs(20))
    );
    assert_eq!(stage.look("hour"), (999, 0, 0), "the numbers were not its");
    let taken = permit(&mut stage.ask("/other", Lane::People, 0));
    taken.answer(Some(&none_left), throttle(900, false), now);
    assert_eq!(stage.look("hour").0, 0);
    let closed = |name: &str| {
        let report = stage.budget.report();
        report
            .iter()
            .find(|it| it.name == name)
            .unwrap()
            .closed_until
    };
    assert_eq!(closed("minute"), None);
    assert_eq!(closed("hour"), Some(now + Duration::from_secs(900)));
}

#[test]
fn what_others_use_of_the_hour_they_use_of_the_minute() {
    let stage = Stage::new();
    let said = |remaining, oldest: u64| RateLimit {
        limit: Some(1000),
        remaining: Some(remaining),
        reset: None,
        refill: Some(start() + Duration::from_secs(oldest)),
    };
    // Of 600 calls in the last 40 minutes about 15 were made in the last one.
    let taken = permit(&mut stage.ask("/other", Lane::People, 0));
    taken.answer(Some(&said(399, 1200)), None, start());
    let (minute, ..) = stage.look("minute");
    assert_eq!(stage.look("hour").0, 399);
    assert!((75..=90).contains(&minute), "{minute}");
    // And 30 more in the last second.
    stage.clock.advance(Duration::from_secs(1));
    let taken = permit(&mut stage.ask("/other", Lane::People, 0));
    taken.answer(Some(&said(368, 1200)), None, stage.clock.now());
    assert_eq!(stage.look("minute").0, minute - 31);
}

#[test]
fn clients_of_one_token_share_a_budget_and_others_do_not() {
    let config = |token: &str| {
        let token = crate::Bearer::new(token.into(), "fake".into()).unwrap();
        let url = crate::Url::parse("http://127.0.0.1:1").unwrap();
        HttpConfig::new(url, Arc::new(token))
    };
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(start()));
    let budgets = Budgets::default();
    let first = budgets.of(&config("one"), &clock);
    assert!(Arc::ptr_eq(
        &first,
        &budgets.clone().of(&config("one"), &clock)
    ));
    assert!(!Arc::ptr_eq(&first, &budgets.of(&config("two"), &clock)));
    assert!(!Arc::ptr_eq(
        &first,
        &Budgets::default().of(&config("one"), &clock)
    ));
    assert!(!format!("{budgets:?}").contains("one"));
}
