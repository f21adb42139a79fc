//! How the client waits when the vendor asks for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use roadstead_core::{ErrorKind, ManualClock, Outcome, Retry};
use roadstead_http::{Request, RetryAfter, TokioClock};

use crate::stand_in::{StandIn, answer, json, nothing};

fn get() -> Request {
    Request::get("get the thing", "/v1/things")
}

fn post() -> Request {
    Request::post("create the thing", "/v1/things")
}

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

/// Moves the clock on as soon as somebody sleeps.
async fn wake(clock: &ManualClock, by: Duration) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while clock.sleepers() == 0 {
        assert!(Instant::now() < deadline, "nobody sleeps");
        tokio::task::yield_now().await;
    }
    clock.advance(by);
}

#[tokio::test]
async fn a_throttled_read_waits_as_long_as_the_vendor_says() {
    let stand_in =
        StandIn::start(vec![answer(429, "retry-after: 7\r\n", ""), json(200, "{}")]).await;
    let clock = Arc::new(ManualClock::new(noon()));
    let client = stand_in.client_with(clock.clone(), |_| ());
    let call = tokio::spawn(async move { client.send(&get(), &nothing).await.map(drop) });
    wake(&clock, Duration::from_secs(6)).await;
    assert_eq!((clock.sleepers(), stand_in.requests().len()), (1, 1));
    wake(&clock, Duration::from_secs(2)).await;
    call.await.unwrap().unwrap();
    assert_eq!(stand_in.requests().len(), 2);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_fails_at_once_with_the_time_and_holds_everybody() {
    let stand_in = StandIn::start(vec![answer(429, "retry-after: 60\r\n", "")]).await;
    let clock = Arc::new(ManualClock::new(noon()));
    let client = stand_in.client_with(clock.clone(), |_| ());
    let then = noon() + Duration::from_secs(60);
    for request in [get(), get(), post()] {
        let error = client.send(&request, &nothing).await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            (ErrorKind::Throttled, Retry::At(then))
        );
        assert_eq!(error.outcome, Outcome::NotExecuted);
    }
    assert_eq!(stand_in.requests().len(), 1, "the others were not sent");
}

#[tokio::test]
async fn a_throttled_change_is_not_repeated_by_the_client() {
    let stand_in =
        StandIn::start(vec![answer(429, "retry-after: 0\r\n", ""), json(200, "{}")]).await;
    let client = stand_in.client();
    let error = client.send(&post(), &nothing).await.unwrap_err();
    assert!(matches!(error.retry, Retry::At(_)), "{:?}", error.retry);
    assert_eq!(stand_in.requests().len(), 1);
    client.send(&post(), &nothing).await.unwrap();
}

#[tokio::test]
async fn where_retry_after_is_absent_the_refill_time_counts() {
    let now = Timestamp::from_second(1_767_268_800).unwrap();
    let stand_in = StandIn::start(vec![answer(
        429,
        "x-left: 0\r\nx-reset: 1767268900\r\n",
        "",
    )])
    .await;
    let client = stand_in.client_with(Arc::new(ManualClock::new(now)), |_| ());
    let error = client.send(&get(), &nothing).await.unwrap_err();
    assert_eq!(error.retry, Retry::At(now + Duration::from_secs(100)));
}

#[tokio::test]
async fn a_read_obeys_the_time_that_a_failing_vendor_names() {
    let stand_in = StandIn::start(vec![answer(503, "retry-after: 60\r\n", "")]).await;
    let client = stand_in.client_with(Arc::new(ManualClock::new(noon())), |_| ());
    let error = client.send(&get(), &nothing).await.unwrap_err();
    assert_eq!(error.retry, Retry::At(noon() + Duration::from_secs(60)));
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn a_time_that_stands_on_every_answer_is_obeyed_only_by_the_throttled() {
    let broken = || answer(502, "retry-after: 60\r\n", "");
    let stand_in = StandIn::start(vec![broken(), json(200, "{}")]).await;
    let client = stand_in.client_with(Arc::new(TokioClock), |config| {
        config.retry_after = RetryAfter::WhenThrottled;
    });
    client.send(&get(), &nothing).await.unwrap();
    assert_eq!(stand_in.requests().len(), 2, "it went on without the wait");
}

#[tokio::test]
async fn the_budget_can_be_read() {
    let headers = "x-limit: 5000\r\nx-left: 4211\r\nx-reset: 1767268800\r\n";
    let stand_in = StandIn::start(vec![answer(200, headers, "{}")]).await;
    let client = stand_in.client();
    client.send(&get(), &nothing).await.unwrap();
    let budget = client.budget();
    assert_eq!((budget[0].limit, budget[0].left), (Some(5000), Some(4211)));
}

#[tokio::test]
async fn in_an_outage_retries_end_at_the_quota() {
    let stand_in = StandIn::start(vec![answer(503, "", "")]).await;
    let client = stand_in.client_with(Arc::new(TokioClock), |_| ());
    for _ in 0..30 {
        client.send(&get(), &nothing).await.unwrap_err();
    }
    let sent = stand_in.requests().len();
    assert!((40..=44).contains(&sent), "30 calls became {sent} requests");
}
