//! Lost answers, throttles, pages from proxies: what is known afterwards is true.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use roadstead_core::{Action, ErrorKind, How, Outcome, Provider, ProviderExt, Retry};
use roadstead_http::TokioClock;
use roadstead_sim::{Scopes, SimulatorConfig, TOKEN_FULL};
use serde_json::{Value, json};

use crate::world::{World, gpu, ids, small};

const LIST: &str = "/v4/linode/instances";
const ONE: &str = "/v4/linode/instances/{id}";

fn reason(words: &str) -> Value {
    json!({ "errors": [{ "reason": words }] })
}

/// Spoils the next create after it took effect.
fn lost(effect: &Value) -> Value {
    json!({ "method": "POST", "path": LIST, "when": "after", "effect": effect })
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_one_server_is_found() {
    for effect in [
        json!({ "drop": true }),
        json!({ "truncate": 100 }),
        json!({ "status": 500, "body": "oops" }),
        json!({ "status": 502, "body": "<html>502</html>", "content_type": "text/html" }),
        json!({ "status": 408, "body": reason("Please try again") }),
        json!({ "status": 503, "headers": { "x-maintenance-mode": "all" }, "body": reason("x") }),
        json!({ "status": 400, "body": "<html>400</html>", "content_type": "text/html" }),
        json!({ "body": "{\"label\":\"half" }),
        json!({ "body": { "label": "no id" } }),
        json!({ "body": "<html>captive</html>", "content_type": "text/html" }),
        json!({ "status": 302, "headers": { "location": "https://elsewhere.example/" } }),
        json!({ "delay_ms": 3000 }),
    ] {
        let world = World::start();
        let request = small("web");
        world.fault(lost(&effect));
        let error = world.provider.create_instance(&request).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Unknown, "{effect}: {error:?}");
        assert_eq!(error.retry, Retry::AfterReconcile, "{effect}: {error:?}");
        assert_eq!(world.calls("POST", LIST), 1, "{effect}");
        let linodes = world.linodes();
        let found = world.provider.find_created(&request.key).await.unwrap();
        assert_eq!((linodes.len(), found.len()), (1, 1), "{effect}");
        assert_eq!(
            linodes[0]["id"].to_string(),
            found[0].id.as_str(),
            "{effect}"
        );
    }
}

#[tokio::test]
async fn an_accepted_create_with_warnings_is_a_success() {
    for status in [202, 299] {
        let world = World::start();
        let body = json!({ "id": 1, "label": "web", "warnings": [{ "title": "be patient" }] });
        world.fault(lost(&json!({ "status": status, "body": body })));
        let created = world.provider.create_instance(&small("web")).await.unwrap();
        assert_eq!(created.how, How::Created, "{status}");
    }
}

#[tokio::test]
async fn settling_a_lost_create_makes_exactly_one_server() {
    for effect in [
        json!({ "drop": true }),
        json!({ "status": 502, "body": "<html>502</html>", "content_type": "text/html" }),
        json!({ "delay_ms": 3000 }),
    ] {
        for request in [small("web"), gpu("gpu")] {
            let world = World::start();
            world.fault(lost(&effect));
            let created = world
                .provider
                .create_and_settle(&request, &TokioClock)
                .await
                .unwrap();
            assert_eq!(created.how, How::Adopted, "{effect}");
            assert_eq!(world.linodes().len(), 1, "{effect}");
            assert_eq!(world.calls("POST", LIST), 1, "{effect}");
        }
    }
}

#[tokio::test]
async fn a_label_that_is_taken_is_a_conflict_and_leads_to_the_first_server() {
    let world = World::start();
    let request = small("web");
    let first = world.provider.create_instance(&request).await.unwrap();
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome, error.field.as_deref()),
        (ErrorKind::Conflict, Outcome::Rejected, Some("label"))
    );
    let again = world
        .provider
        .create_and_settle(&request, &TokioClock)
        .await
        .unwrap();
    assert_eq!(
        (again.how, &again.instance.id),
        (How::Adopted, &first.instance.id)
    );
    assert_eq!(world.linodes().len(), 1);
}

#[tokio::test]
async fn what_the_vendor_refuses_is_rejected_and_makes_nothing() {
    let world = World::start_with(SimulatorConfig {
        server_limit: 0,
        ..Default::default()
    });
    let error = world
        .provider
        .create_instance(&small("web"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Quota, Outcome::Rejected)
    );
    assert!(world.linodes().is_empty());
}

#[tokio::test]
async fn a_throttled_create_was_not_executed_and_tells_the_time() {
    let world = World::start();
    world.fault(json!({
        "method": "POST", "path": LIST,
        "effect": {
            "status": 429, "headers": { "retry-after": "600" }, "body": reason("Too many requests")
        }
    }));
    let before = Timestamp::now();
    let error = world
        .provider
        .create_instance(&small("web"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Throttled, Outcome::NotExecuted)
    );
    let Retry::At(then) = error.retry else {
        panic!("{:?}", error.retry)
    };
    let wait = then.duration_since(before).as_secs();
    assert!((595..=605).contains(&wait), "{wait}");
    // Whoever creates waits now, and nobody asks. What counts elsewhere goes on.
    let error = world
        .provider
        .create_instance(&small("web"))
        .await
        .unwrap_err();
    assert_eq!(error.retry, Retry::At(then));
    assert_eq!(world.sim.handle().journal().len(), 1);
    world.provider.get_regions().await.unwrap();
    assert!(world.linodes().is_empty());
}

#[tokio::test]
async fn a_throttled_read_waits_and_succeeds() {
    let world = World::start();
    world.fault(json!({
        "path": "/v4/regions",
        "effect": {
            "status": 429, "headers": { "retry-after": "1" }, "body": reason("Too many requests")
        }
    }));
    let started = Instant::now();
    world.provider.get_regions().await.unwrap();
    assert!(
        started.elapsed().as_millis() >= 900,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(world.calls("GET", "/v4/regions"), 2);
}

#[tokio::test]
async fn a_throttle_without_retry_after_tells_the_refill_time() {
    let world = World::start();
    let reset = Timestamp::now().as_second() + 900;
    world.fault(json!({
        "path": "/v4/regions",
        "effect": { "status": 429,
            "headers": { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset.to_string() },
            "body": reason("Too many requests") }
    }));
    let error = world.provider.get_regions().await.unwrap_err();
    assert_eq!(
        error.retry,
        Retry::At(Timestamp::from_second(reset).unwrap())
    );
}

#[tokio::test]
async fn reads_survive_a_bad_minute() {
    for effect in [
        json!({ "drop": true }),
        json!({ "truncate": 10 }),
        json!({ "status": 503, "body": "" }),
        json!({ "status": 408, "body": reason("Please try again") }),
        json!({ "status": 504, "body": "<html>504</html>", "content_type": "text/html" }),
        json!({ "status": 200, "body": "<html>hello</html>", "content_type": "text/html" }),
        json!({ "delay_ms": 2500 }),
    ] {
        let world = World::start();
        world.fault(json!({ "path": "/v4/regions", "when": "after", "effect": effect }));
        world
            .provider
            .get_regions()
            .await
            .unwrap_or_else(|error| panic!("{effect}: {error:?}"));
    }
}

#[tokio::test]
async fn a_vendor_in_maintenance_is_not_asked_again() {
    let world = World::start();
    world.fault(json!({
        "path": "/v4/regions", "count": 4,
        "effect": { "status": 503, "headers": { "x-maintenance-mode": "all" }, "body": reason("x") }
    }));
    let error = world.provider.get_regions().await.unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::Maintenance, 1));
}

#[tokio::test]
async fn a_failure_to_ask_never_reads_as_absence() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    for effect in [
        json!({ "status": 404, "body": "<html>404</html>", "content_type": "text/html" }),
        json!({ "status": 404, "body": { "message": "no route" } }),
        json!({ "status": 500, "body": "" }),
    ] {
        world.fault(json!({ "path": ONE, "count": 4, "effect": effect }));
        let error = world.provider.get_instance(&id).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Server, "{effect}");
        world.sim.handle().clear_faults();
        world.fault(json!({ "path": ONE, "effect": effect }));
        let error = world
            .provider
            .perform_action(&id, &Action::Delete)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Server, Outcome::Unknown),
            "{effect}"
        );
        world.sim.handle().clear_faults();
    }
    assert_eq!(world.linodes().len(), 1);
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_can_be_asked_again() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    world.fault(json!({ "method": "DELETE", "when": "after", "effect": { "drop": true } }));
    let error = world
        .provider
        .perform_action(&id, &Action::Delete)
        .await
        .unwrap_err();
    assert_eq!(
        (error.outcome, error.retry),
        (Outcome::Unknown, Retry::Backoff)
    );
    let job = world
        .provider
        .perform_action(&id, &Action::Delete)
        .await
        .unwrap();
    world.finish(job).await;
    assert!(world.linodes().is_empty());
}

#[tokio::test]
async fn a_revoked_token_is_a_bad_token() {
    let world = World::start();
    world
        .sim
        .handle()
        .set_token(TOKEN_FULL, None, Scopes::Revoked);
    let error = world
        .provider
        .create_instance(&small("web"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::BadToken, Outcome::NotExecuted)
    );
    let error = world.provider.validate_credentials().await.unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::BadToken, 1));
}

#[tokio::test]
async fn no_secret_appears_in_what_is_shown() {
    let world = World::start();
    let echo = format!("who is {TOKEN_FULL}, and why $6$rounds=5000$salt$hash?");
    world.fault(json!({ "path": LIST, "effect": { "status": 400, "body": {
        "errors": [{ "reason": echo, "field": TOKEN_FULL }]
    } } }));
    let request = small("web");
    let error = world.provider.create_instance(&request).await.unwrap_err();
    let mut shown = format!("{error} {error:?} {:?}", world.provider);
    let mut source = error.source();
    while let Some(it) = source {
        shown.push_str(&format!("{it} {it:?}"));
        source = it.source();
    }
    assert!(shown.contains("who is ***"), "{shown}");
    let password = request.root_password.unwrap();
    for secret in [TOKEN_FULL, "salt", password.expose()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let journal = serde_json::to_string(&world.sim.handle().journal()).unwrap();
    assert!(!journal.contains(password.expose()));
}

#[tokio::test]
async fn a_list_that_grows_while_it_is_walked_keeps_what_was_there() {
    let world = World::start();
    let mut there = Vec::new();
    for n in 0..3 {
        let request = small(&format!("s{n}"));
        there.push(
            world
                .provider
                .create_instance(&request)
                .await
                .unwrap()
                .instance,
        );
    }
    let provider: Arc<dyn Provider> = world.provider.clone();
    let query = roadstead_core::InstanceQuery {
        page_size: Some(1),
        ..Default::default()
    };
    let mut pages = provider.pages(query);
    let mut found = Vec::new();
    while let Some(page) = futures::TryStreamExt::try_next(&mut pages).await.unwrap() {
        if found.is_empty() {
            world
                .provider
                .create_instance(&small("late"))
                .await
                .unwrap();
        }
        found.extend(page.items);
    }
    let found = ids(&found);
    assert!(ids(&there).iter().all(|it| found.contains(it)), "{found:?}");
}
