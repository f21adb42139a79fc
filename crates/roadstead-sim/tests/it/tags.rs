//! Tags that are put on and taken off droplets that stand.

use reqwest::Method;
use roadstead_sim::TOKEN_FULL;
use serde_json::{Value, json};

use crate::sim::{Got, Sim, web, web_with};

fn resources(ids: &[u64]) -> Value {
    let one = |id: &u64| json!({ "resource_id": id.to_string(), "resource_type": "droplet" });
    json!({ "resources": ids.iter().map(one).collect::<Vec<_>>() })
}

async fn detach(sim: &Sim, tag: &str, body: &Value) -> Got {
    let path = format!("/v2/tags/{tag}/resources");
    let call = sim.call(Method::DELETE, &path, TOKEN_FULL, Some(body));
    call.await.unwrap()
}

async fn tags(sim: &Sim, id: u64) -> Value {
    let droplet = sim.get(&format!("/v2/droplets/{id}")).await.body;
    droplet["droplet"]["tags"].clone()
}

#[tokio::test]
async fn a_tag_is_made_put_on_and_taken_off() {
    let sim = Sim::frozen();
    let id = sim.create(&web_with(&json!({ "tags": ["own"] }))).await;
    let other = sim.create(&web("web-2")).await;
    let body = resources(&[id]);
    let early = sim.post("/v2/tags/env%3Aprod/resources", &body).await;
    assert_eq!(
        (early.status, &early.body["id"]),
        (404, &json!("not_found"))
    );

    for _ in 0..2 {
        let made = sim.post("/v2/tags", &json!({ "name": "env:prod" })).await;
        assert_eq!(
            (made.status, &made.body["tag"]["name"]),
            (201, &json!("env:prod"))
        );
    }
    for _ in 0..2 {
        let put = sim.post("/v2/tags/env%3Aprod/resources", &body).await;
        assert_eq!((put.status, put.body), (204, json!("")));
        assert_eq!(tags(&sim, id).await, json!(["own", "env:prod"]));
    }
    let journal = sim.handle().journal();
    let last = journal.iter().rev().find(|it| it.method == "POST").unwrap();
    assert!(last.committed, "{last:?}");
    assert_eq!(last.objects[0].id, id.to_string());
    assert_eq!(last.objects[0].tags, ["own", "env:prod"]);

    let both = resources(&[id, other]);
    assert_eq!(detach(&sim, "env%3Aprod", &both).await.status, 204);
    assert_eq!(tags(&sim, id).await, json!(["own"]));
    let tag = sim.get("/v2/tags/env%3Aprod").await.body;
    assert_eq!(tag["tag"]["resources"]["count"], 0);
}

#[tokio::test]
async fn a_new_name_of_another_case_is_the_tag_that_there_is() {
    let sim = Sim::frozen();
    let id = sim.create(&web_with(&json!({ "tags": ["PROD"] }))).await;
    let made = sim.post("/v2/tags", &json!({ "name": "prod" })).await;
    assert_eq!(made.body["tag"]["name"], "PROD");
    let body = resources(&[id]);
    assert_eq!(sim.post("/v2/tags/prod/resources", &body).await.status, 404);
    assert_eq!(detach(&sim, "prod", &body).await.status, 404);
    assert_eq!(detach(&sim, "PROD", &body).await.status, 204);
}

#[tokio::test]
async fn what_cannot_be_tagged_is_refused_and_nothing_is_changed() {
    let sim = Sim::frozen();
    let id = sim.create(&web("web-1")).await;
    sim.post("/v2/tags", &json!({ "name": "t" })).await;
    for body in [
        json!({}),
        json!({ "resources": [] }),
        json!({ "resources": "x" }),
    ] {
        let refused = sim.post("/v2/tags/t/resources", &body).await;
        let told = (refused.status, &refused.body["id"]);
        assert_eq!(told, (400, &json!("parameter_missing")), "{body}");
    }
    let image = json!({ "resource_id": id.to_string(), "resource_type": "image" });
    for body in [resources(&[id, 7]), json!({ "resources": [image] })] {
        for got in [
            sim.post("/v2/tags/t/resources", &body).await,
            detach(&sim, "t", &body).await,
        ] {
            assert_eq!(got.status, 404, "{body}");
        }
    }
    assert_eq!(tags(&sim, id).await, json!([]));
    let long = "x".repeat(256);
    for name in [
        json!("no spaces"),
        json!(""),
        json!(7),
        json!(long),
        Value::Null,
    ] {
        let refused = sim.post("/v2/tags", &json!({ "name": name })).await;
        assert_eq!(refused.status, 400, "{name}");
        let words = refused.body["error"].as_str().unwrap();
        assert!(words.contains("invalid characters"), "{words}");
        assert!(refused.body["root_causes"].is_array());
    }
}

#[tokio::test]
async fn a_fault_spoils_a_call_about_a_tag_as_any_other() {
    let sim = Sim::frozen();
    let id = sim.create(&web("web-1")).await;
    sim.post("/v2/tags", &json!({ "name": "t" })).await;
    let rule = json!({
        "method": "POST", "path": "/v2/tags/{tag}/resources", "when": "after",
        "effect": { "drop": true },
    });
    sim.handle()
        .add_fault(serde_json::from_value(rule).unwrap())
        .unwrap();
    let body = resources(&[id]);
    let call = sim.call(
        Method::POST,
        "/v2/tags/t/resources",
        TOKEN_FULL,
        Some(&body),
    );
    call.await.unwrap_err();
    assert_eq!(
        tags(&sim, id).await,
        json!(["t"]),
        "the answer alone was lost"
    );
}
