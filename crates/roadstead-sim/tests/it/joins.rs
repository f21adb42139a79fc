//! VPCs, firewalls and backup policies of droplets.

use reqwest::Method;
use roadstead_sim::TOKEN_OTHER;
use serde_json::{Value, json};

use crate::sim::{Sim, web_with};

async fn named(sim: &Sim, list: &str, name: &str) -> Value {
    let got = sim.get(&format!("/v2/{list}?per_page=200")).await;
    let all = got.body[list].as_array().unwrap();
    all.iter().find(|it| it["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn a_droplet_joins_a_vpc_of_its_region_and_no_other() {
    let sim = Sim::frozen();
    let vpc = named(&sim, "vpcs", "harbor-apps").await;
    let id = sim
        .create(&web_with(&json!({ "vpc_uuid": vpc["id"] })))
        .await;
    let droplet = sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"].clone();
    assert_eq!(droplet["vpc_uuid"], vpc["id"]);
    let one = format!("/v2/vpcs/{}", vpc["id"].as_str().unwrap());
    assert_eq!(sim.get(&one).await.body["vpc"]["region"], "nyc3");
    let theirs = sim.call(Method::GET, &one, TOKEN_OTHER, None).await;
    assert_eq!(theirs.unwrap().status, 404);

    // Without one it joins the region's default.
    let id = sim.create(&web_with(&json!({}))).await;
    let droplet = sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"].clone();
    let default = named(&sim, "vpcs", "default-nyc3").await;
    assert_eq!(
        (&droplet["vpc_uuid"], &default["default"]),
        (&default["id"], &json!(true))
    );

    for (fields, why) in [
        (json!({ "vpc_uuid": "none" }), "The VPC does not exist."),
        (json!({ "vpc_uuid": 7 }), "vpc_uuid must be a string."),
        (
            json!({ "vpc_uuid": vpc["id"], "region": "fra1" }),
            "The VPC is not in the region of the Droplet.",
        ),
    ] {
        let got = sim.post("/v2/droplets", &web_with(&fields)).await;
        assert_eq!(
            (got.status, &got.body["message"]),
            (422, &json!(why)),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn a_firewall_takes_droplets_by_its_tags() {
    let sim = Sim::frozen();
    let firewall = named(&sim, "firewalls", "web-only").await;
    let one = format!("/v2/firewalls/{}", firewall["id"].as_str().unwrap());
    assert_eq!(sim.get(&one).await.body["firewall"]["tags"][0], "fw-web");
    let inside = sim.create(&web_with(&json!({ "tags": ["fw-web"] }))).await;
    let outside = sim.create(&web_with(&json!({ "tags": ["web"] }))).await;
    let over = async |id: u64| {
        let got = sim.get(&format!("/v2/droplets/{id}/firewalls")).await;
        got.body["firewalls"].as_array().unwrap().len()
    };
    assert_eq!((over(inside).await, over(outside).await), (1, 0));
    let theirs = sim.call(Method::GET, &one, TOKEN_OTHER, None).await;
    assert_eq!(theirs.unwrap().status, 404);
}

#[tokio::test]
async fn a_backup_policy_is_checked_and_shown() {
    let sim = Sim::frozen();
    let policy = json!({ "plan": "weekly", "weekday": "FRI", "hour": 8 });
    let body = web_with(&json!({ "backups": true, "backup_policy": policy }));
    let id = sim.create(&body).await;
    let path = format!("/v2/droplets/{id}/backups/policy");
    let shown = sim.get(&path).await.body["policy"].clone();
    assert_eq!(shown["backup_enabled"], true);
    assert_eq!(shown["backup_policy"]["weekday"], "FRI");
    assert_eq!(shown["backup_policy"]["retention_period_days"], 28);
    let known = sim
        .get("/v2/droplets/backups/supported_policies")
        .await
        .body;
    assert_eq!(known["supported_policies"][1]["possible_days"], json!([]));

    for (backups, policy) in [
        (false, json!({ "plan": "daily" })),
        (true, json!({ "plan": "hourly" })),
        (true, json!({ "plan": "daily", "weekday": "SUN" })),
        (true, json!({ "plan": "weekly", "weekday": "Sunday" })),
        (true, json!({ "plan": "daily", "hour": 3 })),
        (true, json!("daily")),
    ] {
        let fields = json!({ "backups": backups, "backup_policy": policy });
        let got = sim.post("/v2/droplets", &web_with(&fields)).await;
        assert_eq!(got.status, 422, "{fields}");
        let message = got.body["message"].as_str().unwrap();
        assert!(message.contains("backup"), "{message}");
    }
}
