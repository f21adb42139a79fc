//! What the vendor does not accept, and how it says so.

use reqwest::Method;
use roadstead_sim::{SimulatorConfig, TOKEN_FULL};
use serde_json::{Value, json};

use crate::sim::{Sim, web, web_with};

async fn refused(sim: &Sim, fields: &Value) -> String {
    let got = sim.post("/v2/droplets", &web_with(fields)).await;
    assert_eq!(
        (got.status, &got.body["id"]),
        (422, &json!("unprocessable_entity")),
        "{fields}"
    );
    assert_eq!(
        got.body["request_id"],
        got.headers["x-request-id"].to_str().unwrap()
    );
    got.body["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_create_is_refused_in_the_vendors_words() {
    let sim = Sim::frozen();
    let long = "a".repeat(256);
    for name in ["under_score", "-", "web.", "a b", "é"] {
        let message = refused(&sim, &json!({ "name": name })).await;
        assert!(
            message.starts_with("Only valid hostname characters"),
            "{name}: {message}"
        );
    }
    refused(&sim, &json!({ "name": long })).await;
    refused(&sim, &json!({ "name": null })).await;
    let cases = [
        (
            json!({ "size": "s-9000" }),
            "You specified an invalid size for Droplet creation.",
        ),
        (
            json!({ "size": null }),
            "You specified an invalid size for Droplet creation.",
        ),
        (
            json!({ "size": "gpu-h100x1-80gb" }),
            "Size is not available in this region.",
        ),
        (json!({ "size": "s-1vcpu-3gb" }), "Size is unavailable."),
        (
            json!({ "image": "nonesuch" }),
            "You specified an invalid image for Droplet creation.",
        ),
        (
            json!({ "image": "centos-7-x64" }),
            "You specified an invalid image for Droplet creation.",
        ),
        (
            json!({ "region": "moon1" }),
            "You specified an invalid region for Droplet creation.",
        ),
        (json!({ "region": "sfo1" }), "Region is not available"),
        (
            json!({ "ssh_keys": [512_190] }),
            "512190 are invalid key identifiers for Droplet creation.",
        ),
    ];
    for (fields, message) in cases {
        assert_eq!(refused(&sim, &fields).await, message);
    }
    refused(&sim, &json!({ "user_data": "x".repeat(64 * 1024 + 1) })).await;
    refused(&sim, &json!({ "tags": ["no spaces"] })).await;
    refused(
        &sim,
        &json!({ "image": "wordpress-20-04", "size": "s-1vcpu-512mb-10gb" }),
    )
    .await;
    assert_eq!(sim.get("/v2/droplets").await.body["meta"]["total"], 0);
}

#[tokio::test]
async fn what_is_at_the_edge_is_accepted() {
    let sim = Sim::frozen();
    let user_data = "x".repeat(64 * 1024);
    let fields = json!({
        "name": "a".repeat(255), "user_data": user_data, "image": 195_932_002,
        "surprise": { "unknown": "fields are ignored" }, "region": "nyc",
    });
    sim.create(&web_with(&fields)).await;
    sim.create(&web_with(&json!({ "image": "vaultwarden" })))
        .await;
    let state = sim.handle().state();
    assert_eq!(state["accounts"][0]["droplets"][0]["user_data"], user_data);
}

#[tokio::test]
async fn the_droplet_limit_is_a_refusal_of_its_own() {
    let sim = Sim::start(SimulatorConfig {
        server_limit: 1,
        ..SimulatorConfig::default()
    });
    sim.create(&web("web-1")).await;
    let message = refused(&sim, &json!({})).await;
    assert_eq!(
        message,
        "creating this/these droplet(s) will exceed your droplet limit"
    );
    assert_eq!(
        sim.get("/v2/account").await.body["account"]["droplet_limit"],
        1
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_bad_request_and_a_huge_one_is_not_read() {
    let sim = Sim::frozen();
    let request = sim
        .http()
        .post(sim.url("/v2/droplets"))
        .bearer_auth(TOKEN_FULL);
    let got = request.body("{nonsense").send().await.unwrap();
    assert_eq!(got.status(), 400);
    assert_eq!(got.json::<Value>().await.unwrap()["id"], "bad_request");
    let body = json!({ "name": "x".repeat(2 * 1024 * 1024) });
    let got = sim
        .call(Method::POST, "/v2/droplets", TOKEN_FULL, Some(&body))
        .await;
    // The answer may come while the client is still sending.
    assert!(got.is_err() || got.is_ok_and(|it| it.status == 413));
}

#[tokio::test]
async fn an_unknown_action_path_or_droplet_is_refused() {
    let sim = Sim::frozen();
    let id = sim.create_active(&web("web-1")).await;
    assert_eq!(sim.act(id, &json!({ "type": "explode" })).await.status, 422);
    assert_eq!(sim.act(1, &json!({ "type": "reboot" })).await.status, 404);
    assert_eq!(sim.get("/v2/nonesuch").await.body["id"], "not_found");
    assert_eq!(sim.get("/v2/droplets/abc").await.status, 404);
    assert_eq!(sim.delete("/v2/droplets").await.status, 400);
}
