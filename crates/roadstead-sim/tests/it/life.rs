//! A droplet from creation to deletion.

use std::time::Duration;

use roadstead_sim::SimulatorConfig;
use serde_json::json;

use crate::sim::{Sim, web, web_with};

#[tokio::test]
async fn a_droplet_becomes_active_by_itself_and_then_has_addresses() {
    let config = SimulatorConfig {
        time_scale: 1000.0,
        ..SimulatorConfig::default()
    };
    let sim = Sim::start(config);
    let got = sim
        .post(
            "/v2/droplets",
            &web_with(&json!({ "ipv6": true, "tags": ["a:1"] })),
        )
        .await;
    assert_eq!(got.status, 202);
    let droplet = &got.body["droplet"];
    assert_eq!(droplet["status"], "new");
    assert_eq!(droplet["networks"], json!({ "v4": [], "v6": [] }));
    assert_eq!(got.body["links"]["actions"][0]["rel"], "create");

    let droplet = sim
        .wait_for(droplet["id"].as_u64().unwrap(), "active")
        .await;
    assert_eq!(droplet["networks"]["v4"][0]["type"], "private");
    assert_eq!(droplet["networks"]["v4"][1]["type"], "public");
    assert_eq!(droplet["networks"]["v6"][0]["netmask"], 64);
    assert_eq!(droplet["tags"], json!(["a:1"]));
    assert_eq!(droplet["size"]["slug"], "s-1vcpu-1gb");
    assert_eq!(droplet["region"]["slug"], "nyc3");
}

#[tokio::test]
async fn a_create_takes_from_30_to_60_seconds() {
    let sim = Sim::frozen();
    let id = sim.create(&web("web-1")).await;
    let action = sim.get(&format!("/v2/droplets/{id}/actions")).await.body["actions"][0].clone();
    assert_eq!(
        (&action["type"], &action["status"]),
        (&json!("create"), &json!("in-progress"))
    );
    assert!(action["completed_at"].is_null());

    sim.handle().advance(Duration::from_secs(29));
    assert_eq!(
        sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"]["status"],
        "new"
    );
    sim.handle().advance(Duration::from_secs(31));
    assert_eq!(
        sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"]["status"],
        "active"
    );
    let action = sim.get(&format!("/v2/actions/{}", action["id"])).await.body["action"].clone();
    assert_eq!(action["status"], "completed");
    assert!(action["completed_at"].is_string());
}

#[tokio::test]
async fn a_deleted_droplet_is_listed_for_a_while_and_then_not_found() {
    let sim = Sim::frozen();
    let id = sim.create_active(&web("web-1")).await;
    let path = format!("/v2/droplets/{id}");
    assert_eq!(sim.delete(&path).await.status, 204);
    assert_eq!(sim.delete(&path).await.status, 204);
    assert_eq!(sim.get(&path).await.status, 200);
    assert_eq!(sim.get("/v2/droplets").await.body["meta"]["total"], 1);

    sim.handle().advance(Duration::from_secs(10));
    assert_eq!(sim.get(&path).await.body["id"], "not_found");
    assert_eq!(sim.delete(&path).await.status, 404);
    assert_eq!(sim.get("/v2/droplets").await.body["meta"]["total"], 0);
    let state = sim.handle().state();
    let main = &state["accounts"][0];
    assert_eq!(main["droplets"][0]["deleted"], true);
}

#[tokio::test]
async fn power_goes_off_and_on_and_says_when_it_cannot() {
    let sim = Sim::frozen();
    let id = sim.create_active(&web("web-1")).await;
    assert_eq!(
        sim.act(id, &json!({ "type": "power_on" })).await.status,
        422
    );

    let got = sim.act(id, &json!({ "type": "shutdown" })).await;
    assert_eq!(
        (got.status, &got.body["action"]["status"]),
        (201, &json!("in-progress"))
    );
    let busy = sim.act(id, &json!({ "type": "reboot" })).await;
    assert_eq!(busy.body["message"], "Droplet already has a pending event.");
    assert_eq!(sim.delete(&format!("/v2/droplets/{id}")).await.status, 422);
    sim.handle().advance(Duration::from_secs(15));
    assert_eq!(
        sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"]["status"],
        "off"
    );

    assert_eq!(sim.act(id, &json!({ "type": "reboot" })).await.status, 422);
    assert_eq!(
        sim.act(id, &json!({ "type": "power_on" })).await.status,
        201
    );
    sim.handle().advance(Duration::from_secs(20));
    assert_eq!(
        sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"]["status"],
        "active"
    );
}

#[tokio::test]
async fn a_resize_needs_the_droplet_off_and_keeps_the_disk_unless_told() {
    let sim = Sim::frozen();
    let id = sim.create_active(&web("web-1")).await;
    let resize = json!({ "type": "resize", "size": "s-2vcpu-4gb" });
    assert_eq!(sim.act(id, &resize).await.status, 422);
    sim.act(id, &json!({ "type": "power_off" })).await;
    sim.handle().advance(Duration::from_secs(5));
    assert_eq!(sim.act(id, &resize).await.status, 201);
    sim.handle().advance(Duration::from_secs(60));
    let droplet = sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"].clone();
    assert_eq!(
        (&droplet["size_slug"], &droplet["disk"]),
        (&json!("s-2vcpu-4gb"), &json!(25))
    );

    let grow = json!({ "type": "resize", "size": "s-2vcpu-4gb", "disk": true });
    assert_eq!(sim.act(id, &grow).await.status, 201);
    sim.handle().advance(Duration::from_secs(60));
    let back = json!({ "type": "resize", "size": "s-1vcpu-1gb" });
    let refused = sim.act(id, &back).await;
    assert_eq!(
        refused.body["message"],
        "Size can not decrease size of Droplet's disk image"
    );
}

#[tokio::test]
async fn rename_rebuild_password_and_snapshot_take_effect_when_they_end() {
    let sim = Sim::frozen();
    let id = sim.create_active(&web("web-1")).await;
    let path = format!("/v2/droplets/{id}");
    assert_eq!(
        sim.act(id, &json!({ "type": "rename", "name": "web-2" }))
            .await
            .status,
        201
    );
    assert_eq!(sim.get(&path).await.body["droplet"]["name"], "web-1");
    sim.handle().advance(Duration::from_secs(3));
    assert_eq!(sim.get(&path).await.body["droplet"]["name"], "web-2");

    let rebuild = json!({ "type": "rebuild", "image": "debian-12-x64" });
    assert_eq!(sim.act(id, &rebuild).await.status, 201);
    sim.handle().advance(Duration::from_secs(60));
    assert_eq!(
        sim.get(&path).await.body["droplet"]["image"]["slug"],
        "debian-12-x64"
    );

    assert_eq!(
        sim.act(id, &json!({ "type": "password_reset" }))
            .await
            .status,
        201
    );
    sim.handle().advance(Duration::from_secs(10));
    assert_eq!(
        sim.act(id, &json!({ "type": "snapshot", "name": "s" }))
            .await
            .status,
        201
    );
    sim.handle().advance(Duration::from_secs(60));
    let images = sim.get("/v2/images?private=true").await.body;
    assert_eq!(images["meta"]["total"], 2);
    let image = images["images"][1]["id"].clone();
    sim.create(&web_with(&json!({ "image": image }))).await;
}

#[tokio::test]
async fn the_same_seed_draws_the_same_durations() {
    let mut ends = Vec::new();
    for _ in 0..2 {
        let sim = Sim::start(SimulatorConfig {
            seed: 42,
            ..SimulatorConfig::default()
        });
        let id = sim.create(&web("web-1")).await;
        let mut seconds = 0;
        while sim.get(&format!("/v2/droplets/{id}")).await.body["droplet"]["status"] == "new" {
            sim.handle().advance(Duration::from_secs(1));
            seconds += 1;
        }
        ends.push(seconds);
    }
    // The machine's own clock may add a second between the two.
    assert!(i32::abs_diff(ends[0], ends[1]) <= 1, "{ends:?}");
}
