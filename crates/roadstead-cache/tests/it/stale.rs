//! What is served while an answer is renewed, and while the vendor fails.

use jiff::Timestamp;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A setting whose plans were read just now.
async fn read() -> Setting {
    let setting = setting().await;
    setting.plans().await;
    assert_eq!(setting.inner.calls(), 1);
    setting
}

#[tokio::test]
async fn an_old_answer_is_served_at_once_while_one_call_renews_it() {
    let setting = read().await;
    setting.clock.advance(HOUR * 2);
    setting.inner.close();
    for _ in 0..1_000 {
        let plans = setting.cached.plans().await.unwrap();
        assert_eq!((plans.age, plans.stale), (HOUR * 2, true));
        assert_eq!(plans.value.len(), 2);
    }
    setting.inner.until_waiting().await;
    assert_eq!(setting.inner.calls(), 2);
    assert!(setting.status().refreshing);
    setting.inner.open();
    setting.landed().await;
    let plans = setting.plans().await;
    assert_eq!((plans.age, plans.stale), (Duration::ZERO, false));
    assert_eq!(setting.inner.calls(), 2);
    let counts = setting.status().counts;
    assert_eq!((counts.waited, counts.stale, counts.fresh), (1, 1_000, 1));
}

#[tokio::test]
async fn a_renewal_that_nobody_waits_for_comes_to_its_end() {
    let setting = read().await;
    setting.clock.advance(HOUR);
    setting.inner.close();
    let asking = tokio::spawn({
        let cached = Arc::clone(&setting.cached);
        async move { cached.plans().await.unwrap().stale }
    });
    assert!(asking.await.unwrap());
    setting.inner.until_waiting().await;
    setting.inner.open();
    setting.landed().await;
    assert_eq!(setting.status().age, Some(Duration::ZERO));
}

#[tokio::test]
async fn a_vendor_that_fails_leaves_the_old_answer_for_a_day() {
    let setting = read().await;
    setting.inner.set(Mood::Fails);
    setting.clock.advance(DAY - SECOND);
    let plans = setting.plans().await;
    assert_eq!((plans.age, plans.stale), (DAY - SECOND, true));
    let failure = setting.status().failure.unwrap();
    assert_eq!(failure.kind, ErrorKind::Throttled);
    assert_eq!(failure.message, "the vendor is busy");
    assert_eq!(failure.at, Timestamp::UNIX_EPOCH + (DAY - SECOND));
    assert_eq!(failure.in_a_row, 1);

    setting.clock.advance(SECOND);
    let error = setting.cached.plans().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert_eq!(setting.status().age, None);
    assert_eq!(setting.inner.calls(), 3);

    setting.inner.set(Mood::Answers);
    assert!(!setting.plans().await.stale);
    assert_eq!(setting.status().failure, None);
}

#[tokio::test]
async fn a_dead_vendor_is_asked_with_growing_pauses_and_not_on_each_request() {
    let setting = read().await;
    setting.inner.set(Mood::Panics);
    setting.clock.advance(HOUR);
    let mut asked = Vec::new();
    for second in 0..200_u64 {
        for _ in 0..5 {
            let before = setting.inner.calls();
            assert!(setting.plans().await.stale);
            if setting.inner.calls() > before {
                asked.push(second);
            }
        }
        setting.clock.advance(SECOND);
    }
    assert_eq!(asked, [0, 10, 30, 70, 150]);
    let failure = setting.status().failure.unwrap();
    assert_eq!((failure.kind, failure.in_a_row), (ErrorKind::Server, 5));
    assert!(!failure.message.contains("panic"), "{}", failure.message);
}

#[tokio::test]
async fn a_vendor_that_names_a_time_is_left_alone_until_then() {
    let setting = read().await;
    // It names one hour after the beginning of time.
    setting.inner.set(Mood::Fails);
    setting.clock.advance(HOUR - SECOND * 100);
    setting.plans().await;
    setting.clock.advance(SECOND * 99);
    setting.plans().await;
    assert_eq!(setting.inner.calls(), 2);
    setting.clock.advance(SECOND);
    setting.plans().await;
    assert_eq!(setting.inner.calls(), 3);
}

#[tokio::test]
async fn an_empty_list_after_a_full_one_is_believed_only_the_second_time() {
    let setting = read().await;
    setting.inner.set(Mood::ShowsNothing);
    setting.clock.advance(HOUR);
    setting.plans().await;
    let plans = setting.plans().await;
    assert_eq!((plans.value.len(), plans.stale), (2, true));
    let failure = setting.status().failure.unwrap();
    assert_eq!(failure.kind, ErrorKind::Decode);
    assert_eq!(setting.inner.calls(), 2);

    setting.clock.advance(SECOND * 10);
    setting.plans().await;
    let plans = setting.plans().await;
    assert_eq!((plans.value.len(), plans.stale), (0, false));
    assert_eq!(setting.status().failure, None);
    assert_eq!(setting.inner.calls(), 3);
}

#[tokio::test]
async fn one_empty_list_between_full_ones_is_never_shown() {
    let setting = read().await;
    for _ in 0..2 {
        setting.clock.advance(HOUR);
        setting.inner.set(Mood::ShowsNothing);
        assert_eq!(setting.plans().await.value.len(), 2);
        setting.clock.advance(SECOND * 10);
        setting.inner.set(Mood::Answers);
        assert_eq!(setting.plans().await.value.len(), 2);
        assert!(!setting.plans().await.stale);
    }
}

#[tokio::test]
async fn an_empty_list_where_there_was_none_is_an_answer() {
    let setting = setting().await;
    setting.inner.set(Mood::ShowsNothing);
    assert_eq!(setting.plans().await.value.len(), 0);
    assert_eq!(setting.plans().await.value.len(), 0);
    assert_eq!(setting.inner.calls(), 1);
}

#[tokio::test]
async fn clearing_during_a_renewal_forgets_what_it_brings_and_ends_the_pause() {
    let setting = read().await;
    setting.clock.advance(HOUR);
    setting.inner.close();
    assert!(setting.cached.plans().await.unwrap().stale);
    setting.inner.until_waiting().await;
    setting.cached.clear(CatalogueKind::Plans);
    setting.inner.open();
    // One call for those who ask now, whatever the one from before the clearing brings.
    assert_eq!(setting.plans().await.age, Duration::ZERO);
    assert_eq!(setting.inner.calls(), 3);

    setting.clock.advance(HOUR);
    setting.inner.set(Mood::Panics);
    assert!(setting.plans().await.stale);
    assert!(setting.status().failure.is_some());
    setting.cached.clear(CatalogueKind::Plans);
    assert_eq!(setting.status().failure, None);
    setting.inner.set(Mood::Answers);
    assert!(!setting.plans().await.stale);
}

#[tokio::test]
async fn what_was_made_from_a_list_goes_with_it() {
    let setting = read().await;
    let count = async |it: &Fetched<Plan>| {
        let made = it.beside.get_or_make(async || {
            let count = format!("{} plans", it.value.len());
            Ok::<_, std::convert::Infallible>(count)
        });
        made.await.unwrap()
    };
    let first = count(&setting.plans().await).await;
    assert!(Arc::ptr_eq(&first, &count(&setting.plans().await).await));
    setting.clock.advance(HOUR);
    setting.plans().await;
    let second = count(&setting.plans().await).await;
    assert!(!Arc::ptr_eq(&first, &second));
    assert_eq!(*second, "2 plans");
}
