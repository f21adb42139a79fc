//! What is renewed before anybody has to wait or be shown something stale.

use std::fmt;

use async_trait::async_trait;
use parking_lot::Mutex;
use roadstead_cache::{Renewal, Watch};

use super::*;

#[tokio::test]
async fn what_is_in_use_is_renewed_before_its_time_is_over() {
    let setting = setting().await;
    setting.plans().await;
    setting.clock.advance(HOUR / 5 * 4 - SECOND);
    assert!(!setting.plans().await.stale);
    assert_eq!(setting.inner.calls(), 1);
    setting.clock.advance(SECOND);
    let plans = setting.plans().await;
    assert_eq!((plans.age, plans.stale), (HOUR / 5 * 4, false));
    assert_eq!(setting.inner.calls(), 2);
    assert_eq!(setting.plans().await.age, Duration::ZERO);
}

#[tokio::test]
async fn tending_renews_what_was_used_since_it_was_renewed_and_nothing_else() {
    let setting = setting().await;
    setting.plans().await;
    setting.plans().await;
    for (calls, hours) in [(2, 1), (2, 3)] {
        setting.clock.advance(HOUR * hours);
        setting.cached.tend().await;
        assert_eq!(setting.inner.calls(), calls);
    }
    // Nobody has used it since: it has grown old, and is renewed by whoever asks.
    assert!(setting.plans().await.stale);
    assert_eq!(setting.inner.calls(), 3);
}

#[tokio::test]
async fn tending_asks_for_nothing_that_nobody_wanted() {
    let setting = setting().await;
    assert!(!setting.cached.wants_tending());
    setting.cached.tend().await;
    assert_eq!(setting.inner.calls(), 0);
}

#[tokio::test]
async fn what_is_wanted_is_there_before_anybody_asks() {
    let setting = setting().await;
    setting.cached.want();
    assert!(setting.cached.wants_tending());
    setting.cached.tend().await;
    assert_eq!(setting.inner.calls(), 4);
    assert!(!setting.cached.wants_tending());
    setting.cached.tend().await;
    assert_eq!(setting.inner.calls(), 4);
    let mut kinds = CatalogueKind::ALL.into_iter();
    assert!(kinds.all(|it| setting.cached.age(it) == Some(Duration::ZERO)));
    // It is not in use yet.
    setting.clock.advance(HOUR);
    setting.cached.tend().await;
    assert_eq!(setting.inner.calls(), 4);
}

#[tokio::test]
async fn what_is_wanted_and_fails_is_tried_again_after_a_pause() {
    let setting = setting().await;
    setting.inner.set(Mood::Panics);
    setting.cached.want();
    // It ends at each failure, and does not come back to what has failed.
    for calls in [1, 2, 3, 4, 4] {
        setting.cached.tend().await;
        assert_eq!(setting.inner.calls(), calls);
    }
    assert!(!setting.cached.wants_tending());
    setting.clock.advance(SECOND * 10);
    setting.inner.set(Mood::Answers);
    setting.cached.tend().await;
    setting.cached.tend().await;
    assert_eq!(setting.inner.calls(), 8);
}

#[tokio::test]
async fn who_asks_during_the_warming_waits_for_the_same_call() {
    let setting = setting().await;
    setting.cached.want();
    setting.inner.close();
    let tending = tokio::spawn({
        let cached = Arc::clone(&setting.cached);
        async move { cached.tend().await }
    });
    setting.inner.until_waiting().await;
    let asking = tokio::spawn({
        let cached = Arc::clone(&setting.cached);
        async move { cached.plans().await.unwrap() }
    });
    setting.inner.open();
    assert_eq!(asking.await.unwrap().value.len(), 2);
    tending.await.unwrap();
    assert_eq!(setting.inner.calls(), 4);
}

#[tokio::test]
async fn a_vendor_without_a_marketplace_is_not_asked_for_one() {
    let Setting { inner, clock, .. } = setting().await;
    let plain = Arc::new(Counting::without_marketplace(inner.clone()));
    let cached = CachedProvider::new(plain, clock.clone(), CachePolicy::default());
    cached.want();
    cached.tend().await;
    assert_eq!(inner.calls(), 3);
    clock.advance(HOUR);
    assert!(!cached.wants_tending());
}

#[tokio::test]
async fn a_contradicted_answer_is_stale_and_renewed_once_by_whoever_asks_next() {
    let setting = setting().await;
    setting.plans().await;
    setting.clock.advance(SECOND * 60);
    for _ in 0..100 {
        setting.cached.doubt(CatalogueKind::Plans);
    }
    assert_eq!(setting.inner.calls(), 1);
    setting.inner.close();
    for _ in 0..100 {
        assert!(setting.cached.plans().await.unwrap().stale);
    }
    setting.inner.until_waiting().await;
    assert_eq!(setting.inner.calls(), 2);
    setting.inner.open();
    setting.landed().await;
    assert!(!setting.plans().await.stale);

    // The vendor has just said so itself: no doubt is cast on it for a while.
    setting.clock.advance(SECOND * 59);
    setting.cached.doubt(CatalogueKind::Plans);
    assert!(!setting.plans().await.stale);
    assert_eq!(setting.inner.calls(), 2);
}

#[tokio::test]
async fn a_contradicted_answer_in_use_is_renewed_by_tending_too() {
    let setting = setting().await;
    setting.plans().await;
    setting.plans().await;
    setting.clock.advance(SECOND * 60);
    setting.cached.doubt(CatalogueKind::Plans);
    setting.cached.doubt(CatalogueKind::Images);
    setting.cached.tend().await;
    assert_eq!(setting.inner.calls(), 2);
    assert!(!setting.plans().await.stale);
}

#[tokio::test]
async fn tending_forgets_what_is_too_old_to_be_shown() {
    let setting = setting().await;
    setting.plans().await;
    setting.clock.advance(HOUR * 24);
    setting.cached.tend().await;
    assert_eq!(setting.status().items, None);
    assert_eq!(setting.inner.calls(), 1);
}

#[tokio::test]
async fn what_nobody_waits_for_leaves_room_for_people() {
    use roadstead_core::Lane::{Background, Mutate, People};
    let setting = setting().await;
    setting.plans().await;
    setting.clock.advance(HOUR);
    setting.plans().await;
    setting.cached.clear(CatalogueKind::Plans);
    // What is kept is shared by all lanes.
    let changing = setting.cached.in_lane(Mutate);
    changing.get_plans().await.unwrap();
    assert!(!setting.plans().await.stale);
    setting.clock.advance(HOUR);
    changing.get_plans().await.unwrap();
    setting.landed().await;
    setting.cached.want();
    setting.cached.tend().await;
    let lanes = setting.inner.lanes();
    assert_eq!(lanes[..4], [People, Background, Mutate, Background]);
    assert_eq!(lanes[4..], [Background; 3]);
}

/// Writes down what it hears.
#[derive(Debug, Default)]
struct Diary(Mutex<Vec<String>>);

#[async_trait]
impl Watch for Diary {
    async fn landed(&self, kind: CatalogueKind, renewal: Renewal<'_>) {
        let line = match renewal {
            Renewal::Failed(error) => format!("{}: {error}", kind.as_str()),
            other => format!("{}: {other:?}", kind.as_str()),
        };
        self.0.lock().push(line);
    }
}

impl fmt::Display for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.lock().join("\n"))
    }
}

#[tokio::test]
async fn whoever_watches_hears_of_every_call() {
    let Setting { inner, clock, .. } = setting().await;
    let diary = Arc::new(Diary::default());
    let policy = CachePolicy::default();
    let cached = CachedProvider::watched(inner.clone(), clock.clone(), policy, diary.clone());
    let setting = Setting {
        inner,
        clock,
        cached,
    };
    setting.plans().await;
    for mood in [Mood::Panics, Mood::ShowsNothing, Mood::ShowsNothing] {
        setting.inner.set(mood);
        setting.clock.advance(HOUR);
        setting.plans().await;
    }
    assert_eq!(
        diary.to_string(),
        "plans: Renewed { items: 2 }\n\
         plans: fake could not list the plans: the call broke off in this program\n\
         plans: Doubted { kept: 2 }\n\
         plans: Emptied { before: 2 }"
    );
}
