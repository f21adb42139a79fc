//! Pages, filters and what lists leave out.

use std::time::Duration;

use roadstead_sim::SimulatorConfig;
use serde_json::json;

use crate::sim::{Sim, web, web_with};

#[tokio::test]
async fn pages_link_to_the_vendors_own_name() {
    let sim = Sim::frozen();
    for index in 0..5 {
        sim.create(&web(&format!("web-{index}"))).await;
    }
    let first = sim.get("/v2/droplets?per_page=2").await.body;
    assert_eq!(first["droplets"].as_array().unwrap().len(), 2);
    assert_eq!(first["meta"]["total"], 5);
    let next = first["links"]["pages"]["next"].as_str().unwrap();
    assert_eq!(
        next,
        "https://api.digitalocean.com/v2/droplets?page=2&per_page=2"
    );
    assert!(first["links"]["pages"]["prev"].is_null());
    let last = sim.get("/v2/droplets?per_page=2&page=3").await.body;
    assert_eq!(last["droplets"].as_array().unwrap().len(), 1);
    assert!(last["links"]["pages"]["next"].is_null());
    assert!(
        last["links"]["pages"]["first"]
            .as_str()
            .unwrap()
            .contains("page=1")
    );
    assert_eq!(
        sim.get("/v2/droplets?per_page=999").await.body["links"],
        json!({})
    );
    assert_eq!(
        sim.get("/v2/droplets?page=9").await.body["droplets"],
        json!([])
    );
}

#[tokio::test]
async fn twenty_are_on_a_page_and_never_more_than_two_hundred() {
    let sim = Sim::frozen();
    for _ in 0..21 {
        let names: Vec<String> = (0..10).map(|it| format!("n{it}")).collect();
        let mut body = web("x");
        body["names"] = json!(names);
        assert_eq!(sim.post("/v2/droplets", &body).await.status, 202);
    }
    let length = |got: serde_json::Value| got["droplets"].as_array().unwrap().len();
    assert_eq!(length(sim.get("/v2/droplets").await.body), 20);
    assert_eq!(
        length(sim.get("/v2/droplets?per_page=1000").await.body),
        200
    );
}

#[tokio::test]
async fn droplets_with_accelerators_are_listed_only_when_asked_for() {
    let sim = Sim::frozen();
    let gpu =
        json!({ "name": "gpu-1", "size": "gpu-l40sx1-48gb", "region": "tor1", "tags": ["t"] });
    let plain = sim.create(&web_with(&json!({ "tags": ["t"] }))).await;
    let accelerated = sim.create(&web_with(&gpu)).await;
    let ids = |got: serde_json::Value| -> Vec<u64> {
        let droplets = got["droplets"].as_array().unwrap().clone();
        droplets
            .iter()
            .map(|it| it["id"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(ids(sim.get("/v2/droplets").await.body), [plain]);
    assert_eq!(
        ids(sim.get("/v2/droplets?type=droplets").await.body),
        [plain]
    );
    assert_eq!(
        ids(sim.get("/v2/droplets?type=gpus").await.body),
        [accelerated]
    );
    let one = sim.get(&format!("/v2/droplets/{accelerated}")).await.body;
    assert_eq!(one["droplet"]["gpu_info"]["count"], 1);
}

#[tokio::test]
async fn a_tag_and_a_name_filter_but_not_together() {
    let sim = Sim::frozen();
    sim.create(&web_with(&json!({ "name": "One", "tags": ["env:prod"] })))
        .await;
    sim.create(&web_with(
        &json!({ "name": "two", "tags": ["ENV:prod", "x"] }),
    ))
    .await;
    let total = |got: serde_json::Value| got["meta"]["total"].as_u64().unwrap();
    assert_eq!(
        total(sim.get("/v2/droplets?tag_name=env%3Aprod").await.body),
        2
    );
    assert_eq!(total(sim.get("/v2/droplets?tag_name=x").await.body), 1);
    assert_eq!(total(sim.get("/v2/droplets?name=oNE").await.body), 1);
    assert_eq!(total(sim.get("/v2/tags").await.body), 2);
    assert_eq!(
        sim.get("/v2/droplets?tag_name=x&name=two").await.status,
        422
    );
    assert_eq!(
        sim.get("/v2/droplets?tag_name=x&type=gpus").await.status,
        422
    );
    let tag = sim.get("/v2/tags/env%3Aprod").await.body;
    assert_eq!(tag["tag"]["resources"]["count"], 2);
}

#[tokio::test]
async fn a_lag_hides_a_new_droplet_from_lists_only() {
    let list_lag = Duration::from_secs(20);
    let sim = Sim::start(SimulatorConfig {
        list_lag,
        ..SimulatorConfig::default()
    });
    let id = sim.create(&web("web-1")).await;
    assert_eq!(sim.get("/v2/droplets").await.body["meta"]["total"], 0);
    assert_eq!(sim.get(&format!("/v2/droplets/{id}")).await.status, 200);
    sim.handle().advance(list_lag);
    assert_eq!(sim.get("/v2/droplets").await.body["meta"]["total"], 1);
}

#[tokio::test]
async fn a_name_may_be_used_twice() {
    let sim = Sim::frozen();
    let (first, second) = (
        sim.create(&web("twin")).await,
        sim.create(&web("twin")).await,
    );
    assert_ne!(first, second);
    assert_eq!(
        sim.get("/v2/droplets?name=twin").await.body["meta"]["total"],
        2
    );
}
