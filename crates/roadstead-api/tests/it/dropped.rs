//! Every handler's future, dropped at every await: the service goes on as if nothing had been.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::App;
use actix_web::dev::Service;
use actix_web::test::{TestRequest, init_service};
use futures::future::poll_fn;
use reqwest::Method;
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::json;

use crate::app::{Member, Operator, PASSWORD, Setup, TestApp, prepare, template};
use crate::repeats::{Change, change};
use crate::schema::operations;

/// More awaits than any handler has.
const MOST: usize = 400;

const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a call of a route; one that changes something finds its own things.
async fn call(app: &TestApp, method: &str, path: &str) -> Change {
    let read = |person, id: &str| Change {
        path: path
            .replace("{id}", id)
            .replace("{provider_type}", "digitalocean"),
        person,
        body: None,
    };
    match (method, path) {
        ("POST", "/api/auth/login") => Change {
            body: Some(json!({ "email": Member.email(), "password": PASSWORD })),
            ..read(Member, "")
        },
        ("POST", "/api/auth/logout") => read(Member, ""),
        ("GET", path) if path.starts_with("/api/admin/plans/{id}") => {
            let sold = change(app, "DELETE", path).await;
            Change {
                path: sold.path,
                ..read(Operator, "")
            }
        }
        ("GET", path) if path.starts_with("/api/admin/") => {
            let all = app.get("/api/admin/providers").by(Operator).await.ok();
            read(Operator, &all.word("/providers/0/id"))
        }
        ("GET", "/api/vps/{id}" | "/api/vps/{id}/operations") => {
            read(Member, &app.create("read").await.word("/instance/id"))
        }
        ("GET", "/api/operations/{id}") => {
            let created = app.create("read").await;
            read(Member, &created.word("/operation/id"))
        }
        ("GET", _) => read(Member, ""),
        // The server is done with, and no more than a stranger's to the books.
        ("POST", "/api/admin/operations/{id}/decision") => Change {
            body: Some(json!({ "decision": "done" })),
            ..change(app, method, path).await
        },
        _ => change(app, method, path).await,
    }
}

/// Polls a future so many times and drops it. Returns whether it had ended by then.
async fn at_most<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Drops a route's future after no poll, after one, and so on, until it ends by itself. Returns
/// how often it was dropped.
async fn drop_everywhere(
    app: &TestApp,
    method: &str,
    path: &str,
    poll: impl AsyncFn(TestRequest, usize) -> bool,
) -> usize {
    let verb: Method = method.parse().unwrap();
    let made_once = path.starts_with("/api/vps/{id}/")
        || path.ends_with("/decision")
        || path.ends_with("/release")
        || path == "/api/admin/providers/{id}/import";
    let mut call_of_all = None;
    for polls in 0..MOST {
        // Whatever may be asked for again and again is asked of the same thing.
        let call = match &call_of_all {
            Some(call) => Change::clone(call),
            None => call(app, method, path).await,
        };
        if made_once || method == "GET" {
            call_of_all = Some(call.clone());
        }
        let token = match path {
            "/api/auth/logout" => app.login(call.person).await.ok().word("/token"),
            _ => app.token(call.person).await,
        };
        let mut request = TestRequest::default()
            .method(verb.as_str().parse().unwrap())
            .uri(&call.path)
            .insert_header(("authorization", format!("Bearer {token}")))
            .insert_header(("idempotency-key", format!("{method} {path} {polls}")));
        if let Some(body) = &call.body {
            request = request.set_json(body);
        }
        if poll(request, polls).await {
            return polls;
        }
    }
    panic!("{method} {path} never ends");
}

on_both_databases! {
    prepared(&template(), prepare);

    async fn a_handler_that_is_dropped_at_any_await_leaves_a_working_service(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        app.register().await;
        app.running("first").await;
        // Without the task of its own that each request has: here nothing else protects it.
        let routes = roadstead_api::configure(Arc::clone(&app.platform));
        let service = init_service(App::new().configure(routes)).await;
        let poll = async |request: TestRequest, polls| {
            at_most(polls, service.call(request.to_request())).await
        };
        let mut dropped = 0;
        for (method, path, _) in operations() {
            dropped += drop_everywhere(&app, &method, &path, &poll).await;
            // A connection that was spoiled would be met here.
            for person in [Member, Operator] {
                let path = match person {
                    Operator => "/api/admin/providers",
                    _ => "/api/vps",
                };
                app.get(path).by(person).await.ok();
            }
        }
        assert!(dropped > 100, "only {dropped} futures were dropped");
        is_quiet(&app).await;
        no_transaction_stays_open(database).await;
    }
}

/// Waits until what was accepted is done, and our books and the vendor's agree.
async fn is_quiet(app: &TestApp) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = app.sim.handle().state();
        let accounts = state["accounts"].as_array().unwrap();
        let theirs = accounts
            .iter()
            .flat_map(|it| it["droplets"].as_array().unwrap())
            .filter(|it| it["deleted"] == json!(false))
            // What was let go is nobody's, and never was ours what has only our name.
            .filter(|it| {
                it["tags"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|it| it.as_str().unwrap().starts_with("rs:i:"))
            })
            .count();
        let mut ours = Vec::new();
        let mut path = "/api/vps?limit=200".to_owned();
        loop {
            let page = app.get(&path).by(Member).await.ok();
            ours.extend(page.at("/instances").as_array().unwrap().clone());
            match page.at("/next_cursor").as_str() {
                Some(next) => path = format!("/api/vps?limit=200&cursor={next}"),
                None => break,
            }
        }
        let settled = ours.iter().all(|it| {
            let status = it["status"].as_str().unwrap();
            matches!(status, "running" | "stopped")
        });
        if settled && theirs == ours.len() {
            return;
        }
        let last = ours.iter().map(|it| &it["status"]).collect::<Vec<_>>();
        assert!(Instant::now() < deadline, "{theirs} there, here {last:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn no_transaction_stays_open(database: &Scratch) {
    let Scratch::Postgres(database) = database else {
        return;
    };
    let connected = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid() \
        AND state_change < clock_timestamp() - interval '1 second'";
    let open: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(open, 0);
}
