//! What every answer carries, and what is answered where nothing is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use reqwest::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::app::{Member, TestApp};

#[tokio::test]
async fn a_request_id_is_echoed_when_it_is_a_uuid_and_made_otherwise() {
    let app = TestApp::start_idle().await;
    let mine = Uuid::now_v7().to_string();
    let echoed = app.get("/api/health").header("x-request-id", &mine).await;
    assert_eq!(echoed.header("x-request-id"), Some(&*mine));
    let refused = app.get("/api/vps").header("x-request-id", &mine).await;
    let refused = refused.refused(401, "UNAUTHENTICATED");
    assert_eq!(refused.word("/request_id"), mine);
    for other in ["7", "", "../../etc/passwd", "\u{e9}"] {
        let answer = app.get("/api/health").header("x-request-id", other).await;
        let made = answer.header("x-request-id").unwrap();
        assert!(made.parse::<Uuid>().is_ok() && made != other, "{made}");
    }
    let first = app.get("/api/health").await;
    let second = app.get("/api/health").await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn no_answer_is_kept_by_a_cache_or_taken_for_another_type() {
    let app = TestApp::start_idle().await;
    for answer in [
        app.get("/api/health").await,
        app.get("/api/vps").await,
        app.get("/api/vps").by(Member).await,
        app.get("/nowhere").await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn where_no_route_is_the_answer_still_has_the_shape_of_an_error() {
    let app = TestApp::start_idle().await;
    let nowhere = app.get("/api/nowhere").await;
    assert_snapshot!(nowhere.shown(), @r#"
    404
    {
      "code": "NOT_FOUND",
      "error": "there is no such route, or not with this method; docs/api.md lists the routes",
      "request_id": "[id]",
      "success": false
    }
    "#);
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api"),
        (Method::GET, "/api/health/"),
        (Method::DELETE, "/api/health"),
        (Method::PUT, "/api/vps"),
        (Method::GET, "/api/vps/../admin/providers"),
        (Method::GET, "/api/vps//operations"),
        (Method::POST, "/api/vps/%2e%2e/boot/extra"),
        (Method::PATCH, "/api/auth/login"),
    ] {
        let answer = app.call(method.clone(), path).await;
        // A path that a client library tidies up may come out on a real route.
        assert!(
            matches!(answer.status, 401 | 404),
            "{method} {path}: {}",
            answer.text
        );
        let status = answer.status;
        answer.refused(
            status,
            if status == 404 {
                "NOT_FOUND"
            } else {
                "UNAUTHENTICATED"
            },
        );
    }
}

#[tokio::test]
async fn an_error_never_repeats_what_the_client_mistyped_in_a_path() {
    let app = TestApp::start_idle().await;
    let answer = app.get("/api/vps/hunter2%3Cscript%3E").by(Member).await;
    let answer = answer.refused(404, "INSTANCE_NOT_FOUND");
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
}

#[tokio::test]
async fn a_client_that_goes_away_cuts_no_handler_off() {
    let app = TestApp::start_idle().await;
    app.register().await;
    app.get("/api/vps/digitalocean/plans").by(Member).await.ok();
    let token = app.token(Member).await;
    let panics = count_panics_of_servers();
    for number in 0..60_u64 {
        let body = crate::app::wanted(&format!("gone-{number}")).to_string();
        let request = format!(
            "POST /api/vps HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut line = TcpStream::connect(app.address).await.unwrap();
        line.write_all(request.as_bytes()).await.unwrap();
        // Each a little later, so that every step of the handler has its turn.
        tokio::time::sleep(Duration::from_micros(number * 100)).await;
        // Reset, not closed: who only says that there is nothing more to come may still listen.
        line.set_zero_linger().unwrap();
        drop(line);
    }
    // A handler that has begun comes to its end; the last ones may still be on their way.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut before = usize::MAX;
    loop {
        let now = app.count().await;
        if now == before || Instant::now() > deadline {
            break;
        }
        before = now;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(before > 0, "no request got through");
    assert_eq!(panics.load(Ordering::Relaxed), 0);
    for it in app
        .get("/api/vps?limit=200")
        .by(Member)
        .await
        .ok()
        .at("/instances")
        .as_array()
        .unwrap()
    {
        let path = format!("/api/vps/{}/operations", it["id"].as_str().unwrap());
        let operations = app.get(&path).by(Member).await.ok();
        assert_eq!(operations.word("/operations/0/kind"), "create");
    }
}

/// Counts the panics of server threads from now on; those of tests are printed as ever.
fn count_panics_of_servers() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if thread.name().is_some_and(|it| it.starts_with("actix-rt")) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        usual(panic);
    }));
    count
}
