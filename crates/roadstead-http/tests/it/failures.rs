//! What a failure means, and what of it is shown.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use roadstead_core::{Error, ErrorKind, Outcome, Retry};
use roadstead_http::{Request, TokioClock};
use serde_json::{Value, json as value};

use crate::stand_in::{Answer, StandIn, TOKEN, answer, client_of, json, nothing, vendor};

fn get() -> Request {
    Request::get("get the thing", "/v1/things/{id}").with_segment("7")
}

fn post() -> Request {
    Request::post("create the thing", "/v1/things").with_json(&value!({ "name": "x" }))
}

async fn fail(request: &Request, script: Vec<Answer>) -> (Error, usize) {
    let stand_in = StandIn::start(script).await;
    let error = stand_in.client().send(request, &vendor).await.unwrap_err();
    (error, stand_in.requests().len())
}

#[tokio::test]
async fn a_read_is_tried_again_and_carries_the_token_each_time() {
    let stand_in = StandIn::start(vec![
        Answer::Close,
        answer(503, "", ""),
        json(200, r#"{"a":1}"#),
    ])
    .await;
    let response = stand_in.client().send(&get(), &nothing).await.unwrap();
    assert_eq!(response.json::<Value>().unwrap(), value!({ "a": 1 }));
    let requests = stand_in.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert!(
            request.starts_with("GET /v1/things/7 HTTP/1.1"),
            "{request}"
        );
        assert!(
            request.contains(&format!("authorization: Bearer {TOKEN}")),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_read_is_given_up_after_four_tries() {
    let (error, sent) = fail(&get(), vec![answer(502, "", "")]).await;
    assert_eq!(
        (error.kind, error.attempts, sent),
        (ErrorKind::Server, 4, 4)
    );
    assert_eq!(
        (error.http, error.outcome),
        (Some(502), Outcome::NotExecuted)
    );
}

#[tokio::test]
async fn a_change_is_sent_once_and_its_lost_answer_is_unknown() {
    for (script, kind) in [
        (Answer::Close, ErrorKind::Timeout),
        (Answer::Silence, ErrorKind::Timeout),
        (answer(500, "", "oops"), ErrorKind::Server),
        (answer(503, "retry-after: 1\r\n", ""), ErrorKind::Server),
        (answer(408, "", ""), ErrorKind::Server),
        (
            answer(302, "location: http://127.0.0.1:1/\r\n", ""),
            ErrorKind::Server,
        ),
        (
            answer(400, "content-type: text/html\r\n", "<html></html>"),
            ErrorKind::Server,
        ),
        (
            answer(200, "content-type: text/html\r\n", "<html></html>"),
            ErrorKind::Server,
        ),
        (
            Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"".to_vec()),
            ErrorKind::Timeout,
        ),
        (
            answer(200, "content-encoding: gzip\r\n", "this is no gzip"),
            ErrorKind::Decode,
        ),
        (
            Answer::Bytes(b"nonsense\r\n\r\n".to_vec()),
            ErrorKind::Timeout,
        ),
    ] {
        let (error, sent) = fail(&post(), vec![script.clone()]).await;
        assert_eq!(
            (error.kind, error.outcome, sent),
            (kind, Outcome::Unknown, 1),
            "{script:?}"
        );
        assert_eq!(error.retry, Retry::AfterReconcile, "{script:?}");
    }
}

#[tokio::test]
async fn what_was_turned_away_at_the_door_was_not_executed() {
    for (status, kind) in [
        (401, ErrorKind::BadToken),
        (403, ErrorKind::Server),
        (429, ErrorKind::Throttled),
    ] {
        let (error, sent) = fail(&post(), vec![answer(status, "", "")]).await;
        assert_eq!(
            (error.kind, error.outcome, sent),
            (kind, Outcome::NotExecuted, 1),
            "{status}"
        );
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_port_where_nobody_listens() {
    let client = client_of("http://127.0.0.1:1", Arc::new(TokioClock), |_| ());
    let error = client.send(&post(), &nothing).await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Transport, Outcome::NotExecuted)
    );
    let error = client.send(&get(), &nothing).await.unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::Transport, 4));
}

#[tokio::test]
async fn the_vendors_own_refusal_is_kept_with_its_code_and_request_id() {
    let refusal = answer(
        400,
        "content-type: application/json\r\nx-request-id: r-7\r\n",
        r#"{"code":"bad_name","message":"is it hunter2?"}"#,
    );
    let (error, sent) = fail(&post(), vec![refusal]).await;
    assert_eq!(
        (error.kind, error.outcome, sent),
        (ErrorKind::Invalid, Outcome::Rejected, 1)
    );
    assert_eq!(
        (error.http, error.vendor_code.as_deref()),
        (Some(400), Some("bad_name"))
    );
    assert_eq!(error.vendor_request_id.as_deref(), Some("r-7"));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(error.source().unwrap().to_string().contains("hunter2"));
}

#[tokio::test]
async fn the_token_appears_nowhere_though_the_vendor_echoes_it() {
    let (error, _) = fail(&post(), vec![answer(500, "", &format!("who is {TOKEN}?"))]).await;
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "who is ***?");
    let client = client_of("http://127.0.0.1:1", Arc::new(TokioClock), |_| ());
    assert!(!format!("{error} {error:?} {client:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays_here() {
    let elsewhere = StandIn::start(vec![json(200, "{}")]).await;
    let location = format!("location: {}/x\r\n", elsewhere.endpoint);
    let (error, _) = fail(&get(), vec![answer(307, &location, "")]).await;
    assert_eq!((error.kind, error.http), (ErrorKind::Server, Some(307)));
    assert!(error.to_string().contains("redirect"), "{error}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_body_is_bounded_after_decompression() {
    let packed = gzip_of_100_000_spaces();
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    )
    .into_bytes();
    bytes.extend(packed);
    let stand_in = StandIn::start(vec![Answer::Bytes(bytes)]).await;
    let small = stand_in.client_with(Arc::new(TokioClock), |it| it.max_body_bytes = 99_999);
    let error = small.send(&post(), &nothing).await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Decode, Outcome::Unknown)
    );
    let enough = stand_in.client_with(Arc::new(TokioClock), |it| it.max_body_bytes = 100_000);
    assert_eq!(
        enough.send(&get(), &nothing).await.unwrap().body().len(),
        100_000
    );
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_leaves_a_change_unknown() {
    let stand_in = StandIn::start(vec![json(200, r#"{"a":"hunter2"}"#)]).await;
    let response = stand_in.client().send(&post(), &nothing).await.unwrap();
    let error = response.json::<Vec<u8>>().unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Decode, Outcome::Unknown)
    );
    let response = stand_in.client().send(&get(), &nothing).await.unwrap();
    let error = response.json::<Vec<u8>>().unwrap_err();
    assert_eq!(
        (error.outcome, error.retry),
        (Outcome::NotExecuted, Retry::Never)
    );
    assert!(!format!("{response:?} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_slow_answer_ends_with_the_attempt_and_the_call_with_its_deadline() {
    let stand_in = StandIn::start(vec![Answer::Silence]).await;
    let client = stand_in.client_with(Arc::new(TokioClock), |it| {
        it.attempt_timeout = Duration::from_millis(100);
        it.deadline = Duration::from_millis(250);
    });
    let started = std::time::Instant::now();
    let error = client.send(&get(), &nothing).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert!((2..=3).contains(&stand_in.requests().len()));
}

#[tokio::test]
async fn an_id_that_would_lead_elsewhere_is_not_sent() {
    let stand_in = StandIn::start(vec![json(200, "{}")]).await;
    let request = Request::delete("delete the thing", "/v1/things/{id}").with_segment("..");
    let error = stand_in
        .client()
        .send(&request, &nothing)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Invalid, Outcome::NotExecuted)
    );
    assert!(stand_in.requests().is_empty());
}

/// Made by `gzip.compress(b" " * 100000, 9, mtime=0)` in Python.
fn gzip_of_100_000_spaces() -> Vec<u8> {
    const HEX: &str = "1f8b0800000000000203edc13101000000c2a02aeb9fd21a1e4001000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000af062df079caa0860100";
    let digits: Vec<u8> = HEX
        .chars()
        .filter_map(|it| it.to_digit(16))
        .filter_map(|it| u8::try_from(it).ok())
        .collect();
    digits
        .chunks_exact(2)
        .map(|it| it[0] << 4 | it[1])
        .collect()
}
