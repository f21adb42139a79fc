//! Scripted faults on both sides of a call's effect, and the journal.

use std::time::{Duration, Instant};

use reqwest::Method;
use roadstead_sim::{Effect, Fate, Fault, TOKEN_FULL, When};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sim::{Got, Sim, web};

async fn script(sim: &Sim, fault: &Value) {
    let got = sim.post("/_sim/faults", fault).await;
    assert_eq!(got.status, 201, "{}", got.body);
}

async fn try_create(sim: &Sim) -> Result<Got, reqwest::Error> {
    let body = web("web-1");
    sim.call(Method::POST, "/v2/droplets", TOKEN_FULL, Some(&body))
        .await
}

async fn count(sim: &Sim) -> u64 {
    sim.get("/v2/droplets").await.body["meta"]["total"]
        .as_u64()
        .unwrap()
}

fn create_fault(when: &str, effect: &Value) -> Value {
    json!({ "method": "POST", "path": "/v2/droplets", "when": when, "effect": effect })
}

#[tokio::test]
async fn a_dropped_call_before_its_effect_leaves_nothing_and_after_it_a_droplet() {
    let sim = Sim::frozen();
    for (when, droplets) in [("before", 0), ("after", 1)] {
        script(&sim, &create_fault(when, &json!({ "drop": true }))).await;
        let error = try_create(&sim).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        assert_eq!(count(&sim).await, droplets, "{when}");
        let journal = sim.handle().journal();
        let entry = journal.iter().rev().find(|it| it.method == "POST").unwrap();
        assert_eq!((entry.status, entry.committed), (None, when == "after"));
        assert!(entry.fault.as_ref().unwrap().contains(when));
    }
}

#[tokio::test]
async fn a_dropped_call_sends_not_one_byte() {
    let sim = Sim::frozen();
    script(
        &sim,
        &json!({ "path": "/v2/account", "effect": { "drop": true } }),
    )
    .await;
    let address = sim.handle().endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /v2/account HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN_FULL}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut seen)).await;
    // A reset is as good an end as an orderly one.
    drop(ended.expect("the connection stays open"));
    assert_eq!(seen, b"");
    assert_eq!(sim.get("/v2/account").await.status, 200);
}

#[tokio::test]
async fn a_status_replaces_the_answer_on_either_side() {
    let sim = Sim::frozen();
    for (when, droplets) in [("before", 0), ("after", 1)] {
        let effect = json!({
            "status": 502, "body": "<html>bad gateway</html>", "content_type": "text/html",
            "headers": { "retry-after": "7" },
        });
        script(&sim, &create_fault(when, &effect)).await;
        let got = try_create(&sim).await.unwrap();
        assert_eq!(
            (got.status, got.body.as_str()),
            (502, Some("<html>bad gateway</html>"))
        );
        assert_eq!(got.headers["content-type"], "text/html");
        assert_eq!(got.headers["retry-after"], "7");
        assert!(got.headers.contains_key("ratelimit-limit"));
        assert_eq!(count(&sim).await, droplets, "{when}");
    }
}

#[tokio::test]
async fn a_delay_before_lets_the_call_go_on_though_the_client_has_gone() {
    let sim = Sim::frozen();
    script(&sim, &create_fault("before", &json!({ "delay_ms": 200 }))).await;
    let request = sim
        .http()
        .post(sim.url("/v2/droplets"))
        .bearer_auth(TOKEN_FULL);
    let impatient = request
        .json(&web("web-1"))
        .timeout(Duration::from_millis(50))
        .send()
        .await;
    assert!(impatient.unwrap_err().is_timeout());
    assert_eq!(count(&sim).await, 0);
    eventually(&sim, 1).await;
}

#[tokio::test]
async fn a_delay_with_a_drop_before_is_a_timeout_without_effect() {
    let sim = Sim::frozen();
    script(
        &sim,
        &create_fault("before", &json!({ "delay_ms": 80, "drop": true })),
    )
    .await;
    let started = Instant::now();
    assert!(try_create(&sim).await.is_err());
    assert!(started.elapsed() >= Duration::from_millis(80));
    assert_eq!(count(&sim).await, 0);
}

#[tokio::test]
async fn a_delay_after_holds_back_an_answer_whose_call_is_done() {
    let sim = Sim::frozen();
    script(&sim, &create_fault("after", &json!({ "delay_ms": 100 }))).await;
    let started = Instant::now();
    let (created, ()) = tokio::join!(try_create(&sim), eventually(&sim, 1));
    assert_eq!(created.unwrap().status, 202);
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_truncated_answer_breaks_off_where_it_should() {
    let sim = Sim::frozen();
    script(&sim, &create_fault("after", &json!({ "truncate": 40 }))).await;
    let request = sim
        .http()
        .post(sim.url("/v2/droplets"))
        .bearer_auth(TOKEN_FULL);
    let mut response = request.json(&web("web-1")).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let mut seen = Vec::new();
    let end = loop {
        match response.chunk().await {
            Ok(Some(bytes)) => seen.extend_from_slice(&bytes),
            end => break end,
        }
    };
    assert!(end.is_err());
    assert_eq!(seen.len(), 40);
    assert_eq!(count(&sim).await, 1);

    let cut = json!({ "status": 200, "body": { "droplet": { "id": 1 } }, "truncate": 5 });
    script(&sim, &create_fault("before", &cut)).await;
    assert!(try_create(&sim).await.is_err());
    assert_eq!(count(&sim).await, 1);
}

#[tokio::test]
async fn a_late_call_has_its_effect_after_its_answer() {
    let sim = Sim::frozen();
    let mut fault = create_fault("late", &json!({ "status": 504 }));
    fault["late_ms"] = json!(100);
    script(&sim, &fault).await;
    assert_eq!(try_create(&sim).await.unwrap().status, 504);
    assert_eq!(count(&sim).await, 0);
    eventually(&sim, 1).await;
    let journal = sim.handle().journal();
    let entry = journal.iter().find(|it| it.method == "POST").unwrap();
    assert_eq!((entry.status, entry.committed), (Some(504), true));
}

#[tokio::test]
async fn a_drip_and_padding_change_only_how_the_answer_comes() {
    let sim = Sim::frozen();
    let rule = json!({ "path": "/v2/account", "when": "after", "effect": { "drip_ms": 1 } });
    script(&sim, &rule).await;
    assert_eq!(
        sim.get("/v2/account").await.body["account"]["status"],
        "active"
    );
    let rule =
        json!({ "path": "/v2/account", "when": "after", "effect": { "pad_bytes": 100_000 } });
    script(&sim, &rule).await;
    let got = sim.get("/v2/account").await;
    let length: u64 = got.headers["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(length > 100_000);
    assert_eq!(got.body["account"]["status"], "active");
}

#[tokio::test]
async fn a_rule_skips_counts_and_can_be_cleared() {
    let sim = Sim::frozen();
    let effect = Effect {
        status: Some(500),
        ..Effect::default()
    };
    let fault = Fault {
        path: Some("/v2/droplets*".to_owned()),
        query_contains: Some("page=2".to_owned()),
        count: 2,
        skip: 1,
        effect,
        ..Fault::default()
    };
    sim.handle().add_fault(fault).unwrap();
    let mut seen = Vec::new();
    for path in [
        "?page=1", "?page=2", "?page=2", "?page=1", "?page=2", "?page=2",
    ] {
        seen.push(sim.get(&format!("/v2/droplets{path}")).await.status);
    }
    assert_eq!(seen, [200, 200, 500, 200, 500, 200]);
    assert_eq!(sim.get("/_sim/faults").await.body["faults"][0]["left"], 0);

    script(&sim, &json!({ "effect": { "drop": true }, "count": 99 })).await;
    assert_eq!(sim.delete("/_sim/faults").await.status, 204);
    assert_eq!(sim.get("/v2/account").await.status, 200);
    let wrong = json!({ "effect": { "statsu": 500 } });
    assert_eq!(sim.post("/_sim/faults", &wrong).await.status, 400);
}

#[tokio::test]
async fn accepted_work_can_be_fated_to_fail_or_to_do_nothing() {
    let sim = Sim::frozen();
    script(&sim, &create_fault("after", &json!({ "fate": "fails" }))).await;
    let created = try_create(&sim).await.unwrap();
    assert_eq!(created.status, 202);
    let action = created.body["links"]["actions"][0]["id"].clone();
    sim.handle().advance(Duration::from_secs(60));
    let id = &created.body["droplet"]["id"];
    assert_eq!(sim.get(&format!("/v2/droplets/{id}")).await.status, 404);
    let action = sim.get(&format!("/v2/actions/{action}")).await.body;
    assert_eq!(action["action"]["status"], "errored");

    let id = sim.create_active(&web("web-2")).await;
    let effect = Effect {
        fate: Some(Fate::Ignored),
        ..Effect::default()
    };
    let body_contains = Some("shutdown".to_owned());
    let fault = Fault {
        body_contains,
        when: When::After,
        count: 1,
        effect,
        ..Fault::default()
    };
    sim.handle().add_fault(fault).unwrap();
    sim.act(id, &json!({ "type": "shutdown" })).await;
    sim.handle().advance(Duration::from_secs(15));
    let droplet = sim.get(&format!("/v2/droplets/{id}")).await.body;
    assert_eq!(droplet["droplet"]["status"], "active");
}

#[tokio::test]
async fn the_journal_tells_everything_but_the_token() {
    let sim = Sim::frozen();
    let id = sim.create(&web("web-1")).await;
    sim.get(&format!("/v2/droplets?name={TOKEN_FULL}")).await;
    sim.call(Method::GET, "/v2/account", "some-unknown-secret", None)
        .await
        .unwrap();
    let got = sim.get("/_sim/journal").await.body;
    let text = got.to_string();
    assert!(
        !text.contains(TOKEN_FULL) && !text.contains("some-unknown-secret"),
        "{text}"
    );
    let entries = got["journal"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    let create = &entries[0];
    assert_eq!(
        (&create["sequence"], &create["status"]),
        (&json!(1), &json!(202))
    );
    assert_eq!(create["committed"], true);
    assert_eq!(create["resource_id"], id.to_string());
    assert_eq!(create["body"]["name"], "web-1");
    let digest = "104e8e6201c042a8a7a48ba07c5f25ce50b301f427ecd3703785435457f00372";
    assert_eq!(create["token_sha256"], digest);
    assert_ne!(create["token_sha256"], entries[2]["token_sha256"]);
    assert_eq!(
        (&entries[1]["committed"], &entries[2]["status"]),
        (&json!(false), &json!(401))
    );
    assert_eq!(
        sim.get("/_sim/journal?after=2").await.body["journal"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(sim.delete("/_sim/journal").await.status, 204);
    assert!(sim.handle().journal().is_empty());
}

async fn eventually(sim: &Sim, droplets: u64) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while count(sim).await != droplets {
        assert!(Instant::now() < deadline, "never {droplets} droplets");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
