//! SSH keys, tags, changes of a server, kernels.

use reqwest::Method;
use roadstead_sim::TOKEN_OTHER;
use serde_json::json;

use super::{INSTANCES, column, create, event, filtered, frozen, put, reason, show, web, web_with};

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me";

#[tokio::test]
async fn ssh_keys_are_added_listed_and_removed() {
    let sim = frozen();
    let path = "/v4/profile/sshkeys";
    let added = sim
        .post(path, &json!({ "label": "me", "ssh_key": KEY }))
        .await;
    assert_eq!(added.status, 200, "{}", added.body);
    assert_eq!(added.body["ssh_key"], KEY);
    let one = format!("{path}/{}", added.body["id"]);
    assert_eq!(sim.get(&one).await.body["label"], "me");
    assert_eq!(
        put(&sim, &one, &json!({ "label": "us" })).await.body["label"],
        "us"
    );
    assert_eq!(column(&sim.get(path).await, "label"), ["us"]);
    let theirs = sim.call(Method::GET, &one, TOKEN_OTHER, None).await;
    assert_eq!(theirs.unwrap().status, 404);
    assert_eq!(sim.delete(&one).await.body, json!({}));
    assert_eq!(sim.delete(&one).await.status, 404);
    let refused = sim
        .post(path, &json!({ "label": "", "ssh_key": "x" }))
        .await;
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_label_and_tags_are_changed_at_once() {
    let sim = frozen();
    let id = create(&sim, &web("web-1")).await;
    create(&sim, &web("web-2")).await;
    let path = format!("{INSTANCES}/{id}");
    let body = json!({ "label": "web-9", "tags": ["one", "two"], "watchdog_enabled": false });
    let got = put(&sim, &path, &body).await;
    assert_eq!((got.status, &got.body["label"]), (200, &json!("web-9")));
    let instance = show(&sim, id).await;
    assert_eq!(instance["tags"], json!(["one", "two"]));
    assert_eq!(instance["watchdog_enabled"], false);
    let taken = put(&sim, &path, &json!({ "label": "web-2" })).await;
    let unique = "Label must be unique among your linodes";
    assert_eq!(reason(&taken), (400, unique, Some("label")));
    // Its own label is no other's.
    assert_eq!(
        put(&sim, &path, &json!({ "label": "web-9" })).await.status,
        200
    );
    let told = event(&sim, id, "linode_update").await;
    assert_eq!(told["status"], "notification");
    assert!(told["percent_complete"].is_null());
}

#[tokio::test]
async fn tags_are_made_by_use_and_say_what_carries_them() {
    let sim = frozen();
    let id = create(&sim, &web_with(&json!({ "tags": ["env:prod"] }))).await;
    assert_eq!(column(&sim.get("/v4/tags").await, "label"), ["env:prod"]);
    let body = json!({ "label": "later", "linodes": [id] });
    assert_eq!(
        sim.post("/v4/tags", &body).await.body,
        json!({ "label": "later" })
    );
    assert_eq!(sim.post("/v4/tags", &body).await.status, 400);
    let tagged = sim.get("/v4/tags/later").await.body;
    assert_eq!(tagged["data"][0]["type"], "linode");
    assert_eq!(tagged["data"][0]["data"]["id"], id);
    assert_eq!(sim.delete("/v4/tags/later").await.status, 200);
    assert_eq!(show(&sim, id).await["tags"], json!(["env:prod"]));
    assert_eq!(sim.get("/v4/tags/later").await.status, 404);
}

#[tokio::test]
async fn both_versions_of_the_path_are_the_same_api() {
    let sim = frozen();
    let id = create(&sim, &web("web-1")).await;
    let beta = sim.get(&format!("/v4beta/linode/instances/{id}")).await;
    assert_eq!(beta.body["label"], "web-1");
    let kernels = filtered(&sim, "/v4/linode/kernels", r#"{"deprecated":true}"#).await;
    assert_eq!(kernels.body["results"], 1);
    let state = sim.get("/_sim/state").await.body;
    assert_eq!(state["vendor"], "linode");
    let instance = &state["accounts"][0]["instances"][0];
    for field in [
        "id",
        "name",
        "label",
        "status",
        "deleted",
        "tags",
        "had_root_pass",
    ] {
        assert!(!instance[field].is_null(), "{field}");
    }
}
