//! What `CachedProvider` keeps, for how long, and what it does when calls meet or fail.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in its fixtures too"
)]

mod conformance;
mod counting;
mod stale;
mod tending;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use roadstead_cache::{CachePolicy, CachedProvider, CatalogueKind, Fetched, Status};
use roadstead_conformance::Harness;
use roadstead_conformance::fake::FakeHarness;
use roadstead_core::{ErrorKind, InstanceQuery, ManualClock, Outcome, Plan, Provider, Retry};

use crate::counting::{Counting, Mood};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

struct Setting {
    inner: Arc<Counting>,
    clock: Arc<ManualClock>,
    cached: Arc<CachedProvider>,
}

async fn setting() -> Setting {
    let inner = Arc::new(Counting::new(FakeHarness::start().await.provider()));
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let cached = CachedProvider::new(inner.clone(), clock.clone(), CachePolicy::default());
    Setting {
        inner,
        clock,
        cached,
    }
}

impl Setting {
    /// Waits until no call is under way.
    async fn landed(&self) {
        let flying = || {
            let mut kinds = CatalogueKind::ALL.into_iter();
            kinds.any(|it| self.cached.status(it).refreshing)
        };
        for _ in 0..5_000 {
            if !flying() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("a call never ends");
    }

    /// Reads the plans, and waits until what that has set off is over.
    async fn plans(&self) -> Fetched<Plan> {
        let plans = self.cached.plans().await.unwrap();
        self.landed().await;
        plans
    }

    /// What there is to know of the plans.
    fn status(&self) -> Status {
        self.cached.status(CatalogueKind::Plans)
    }
}

#[tokio::test]
async fn what_is_kept_is_fresh_for_one_hour_and_apps_for_six() {
    let Setting {
        inner,
        clock,
        cached,
    } = setting().await;
    let stale = async || {
        [
            cached.plans().await.unwrap().stale,
            cached.images().await.unwrap().stale,
            cached.regions().await.unwrap().stale,
            cached.marketplace().await.unwrap().stale,
        ]
    };
    assert_eq!(stale().await, [false; 4]);
    assert_eq!(inner.calls(), 4);
    // Held from here on, so that nothing is renewed under the test.
    inner.close();
    clock.advance(HOUR - SECOND);
    assert_eq!(stale().await, [false; 4]);
    clock.advance(SECOND);
    assert_eq!(stale().await, [true, true, true, false]);
    clock.advance(HOUR * 5 - SECOND);
    assert_eq!(stale().await, [true, true, true, false]);
    clock.advance(SECOND);
    assert_eq!(stale().await, [true; 4]);
    assert_eq!(cached.plans().await.unwrap().age, HOUR * 6);
}

#[tokio::test]
async fn a_thousand_who_miss_at_once_make_one_call() {
    let Setting { inner, cached, .. } = setting().await;
    inner.close();
    let asking = (0..1_000).map(|_| {
        let cached = Arc::clone(&cached);
        tokio::spawn(async move { cached.get_plans().await.unwrap() })
    });
    let asking: Vec<_> = asking.collect();
    inner.until_waiting().await;
    inner.open();
    let answers: Vec<_> = join_all(asking)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(inner.calls(), 1);
    assert!(answers.iter().all(|it| Arc::ptr_eq(it, &answers[0])));
}

#[tokio::test]
async fn the_caller_who_started_the_call_may_go_away() {
    let Setting { inner, cached, .. } = setting().await;
    inner.close();
    let first = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.get_plans().await }
    });
    inner.until_waiting().await;
    let second = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.get_plans().await }
    });
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    inner.open();
    assert_eq!(second.await.unwrap().unwrap().len(), 2);
    assert_eq!(inner.calls(), 1);
}

#[tokio::test]
async fn an_answer_that_nobody_waited_for_is_kept() {
    let Setting { inner, cached, .. } = setting().await;
    inner.close();
    let only = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.get_plans().await }
    });
    inner.until_waiting().await;
    only.abort();
    assert!(only.await.unwrap_err().is_cancelled());
    inner.open();
    assert_eq!(cached.get_plans().await.unwrap().len(), 2);
    assert_eq!(inner.calls(), 1);
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_waited_and_not_kept() {
    let Setting { inner, cached, .. } = setting().await;
    inner.set(Mood::Fails);
    inner.close();
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let cached = Arc::clone(&cached);
            tokio::spawn(async move { cached.get_plans().await.unwrap_err() })
        })
        .collect();
    inner.until_waiting().await;
    inner.open();
    for error in join_all(asking).await {
        let error = error.unwrap();
        assert_eq!(
            error.to_string(),
            "fake could not list the plans: the vendor is busy"
        );
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Throttled, Outcome::NotExecuted)
        );
        assert_eq!(error.retry, Retry::At(Timestamp::UNIX_EPOCH + HOUR));
        assert_eq!(error.field.as_deref(), Some("plan"));
        assert_eq!((error.http, error.attempts), (Some(429), 3));
        assert_eq!(error.vendor_code.as_deref(), Some("too_many"));
        assert_eq!(error.vendor_request_id.as_deref(), Some("r-1"));
        assert_eq!(error.source().unwrap().to_string(), "slow down");
    }
    assert_eq!(inner.calls(), 1);
    assert_eq!(cached.age(CatalogueKind::Plans), None);

    inner.set(Mood::Answers);
    assert_eq!(cached.get_plans().await.unwrap().len(), 2);
    assert_eq!(inner.calls(), 2);
}

#[tokio::test]
async fn a_panic_is_an_error_and_wedges_nothing() {
    let Setting { inner, cached, .. } = setting().await;
    inner.set(Mood::Panics);
    let error = cached.get_plans().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Server);
    assert!(!error.to_string().contains("panic"), "{error}");
    inner.set(Mood::Answers);
    assert_eq!(cached.get_plans().await.unwrap().len(), 2);
    assert_eq!(inner.calls(), 2);
}

#[tokio::test]
async fn the_age_counts_from_the_question() {
    let Setting {
        inner,
        clock,
        cached,
    } = setting().await;
    assert_eq!(cached.age(CatalogueKind::Plans), None);
    inner.close();
    let asking = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.plans().await.unwrap() }
    });
    inner.until_waiting().await;
    clock.advance(SECOND * 7);
    inner.open();
    let fetched = asking.await.unwrap();
    assert_eq!((fetched.age, fetched.stale), (SECOND * 7, false));

    clock.advance(SECOND * 5);
    assert_eq!(cached.plans().await.unwrap().age, SECOND * 12);
    assert_eq!(cached.age(CatalogueKind::Plans), Some(SECOND * 12));
    assert_eq!(cached.age(CatalogueKind::Images), None);
}

#[tokio::test]
async fn clearing_one_kind_leaves_the_others() {
    let Setting { inner, cached, .. } = setting().await;
    cached.images().await.unwrap();
    cached.regions().await.unwrap();
    cached.marketplace().await.unwrap();
    cached.clear(CatalogueKind::Images);
    assert_eq!(cached.age(CatalogueKind::Images), None);
    cached.images().await.unwrap();
    cached.regions().await.unwrap();
    cached.marketplace().await.unwrap();
    assert_eq!(inner.calls(), 4);
    cached.clear_all();
    assert!(
        CatalogueKind::ALL
            .into_iter()
            .all(|it| cached.age(it).is_none())
    );
}

#[tokio::test]
async fn what_was_asked_before_a_clearing_is_not_kept_after_it() {
    let Setting { inner, cached, .. } = setting().await;
    inner.close();
    let old = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.plans().await.unwrap() }
    });
    inner.until_waiting().await;
    cached.clear(CatalogueKind::Plans);
    inner.open();
    assert_eq!(old.await.unwrap().value.len(), 2);
    assert_eq!(cached.age(CatalogueKind::Plans), None);
    cached.plans().await.unwrap();
    assert_eq!(inner.calls(), 2);
}

#[tokio::test]
async fn servers_are_never_kept() {
    let harness = FakeHarness::start().await;
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let cached = CachedProvider::new(harness.provider(), clock, CachePolicy::default());
    let query = InstanceQuery::default();
    for seen in 1..=3 {
        cached
            .list_instances(&query, roadstead_core::At::First)
            .await
            .unwrap();
        let class = roadstead_conformance::CallClass::Read;
        assert_eq!(harness.calls_seen(class).await, seen);
    }
}

#[tokio::test]
async fn a_vendor_without_a_marketplace_still_has_none() {
    let Setting { inner, clock, .. } = setting().await;
    let plain = Arc::new(Counting::without_marketplace(inner));
    let cached = CachedProvider::new(plain, clock, CachePolicy::default());
    assert!(cached.extensions().marketplace.is_none());
    let error = cached.marketplace().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_a_call_wedges_nothing() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let Setting { inner, cached, .. } = first.block_on(setting());
    inner.close();
    first.block_on(async {
        let cached = Arc::clone(&cached);
        tokio::spawn(async move { cached.get_plans().await });
        inner.until_waiting().await;
    });
    drop(first);
    inner.open();
    let plans = runtime().block_on(cached.get_plans()).unwrap();
    assert_eq!((plans.len(), inner.calls()), (2, 2));
}
