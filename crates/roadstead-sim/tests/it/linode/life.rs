//! A server from creation to deletion.

use std::time::Duration;

use roadstead_sim::SimulatorConfig;
use serde_json::{Value, json};

use super::{
    INSTANCES, act, act_with, create, create_running, event, frozen, reason, show, start, wait_for,
    web, web_with,
};

#[tokio::test]
async fn a_server_comes_to_run_by_itself_and_has_its_addresses_from_the_start() {
    let config = SimulatorConfig {
        time_scale: 200.0,
        ..SimulatorConfig::default()
    };
    let sim = start(config);
    let fields = json!({ "tags": ["env:prod", "web"], "private_ip": true, "firewall_id": 45_001 });
    let got = sim.post(INSTANCES, &web_with(&fields)).await;
    assert_eq!(got.status, 200);
    let instance = &got.body;
    assert_eq!(instance["status"], "provisioning");
    assert_eq!(instance["ipv4"].as_array().unwrap().len(), 2);
    assert!(instance["ipv6"].as_str().unwrap().ends_with("/128"));
    assert_eq!(instance["created"].as_str().unwrap().len(), 19);
    assert_eq!(instance["tags"], json!(["env:prod", "web"]));
    assert_eq!(instance["specs"]["gpus"], 0);
    assert_eq!(
        instance["backups"],
        json!({
            "enabled": false, "available": false, "last_successful": null,
            "schedule": { "day": null, "window": null },
        })
    );
    for absent in ["lke_cluster_id", "placement_group"] {
        assert!(instance[absent].is_null() && instance.get(absent).is_some());
    }
    let id = instance["id"].as_u64().unwrap();
    let running = wait_for(&sim, id, "running").await;
    assert_eq!(running["ipv4"], instance["ipv4"]);
    assert_eq!(running["disk_encryption"], "enabled");
}

#[tokio::test]
async fn a_create_provisions_then_boots_and_tells_it_in_events() {
    let sim = frozen();
    let id = create(&sim, &web("web-1")).await;
    let scheduled = event(&sim, id, "linode_create").await;
    assert_eq!(scheduled["status"], "scheduled");
    assert_eq!(
        scheduled["entity"]["url"],
        format!("/v4/linode/instances/{id}")
    );
    assert_eq!(scheduled["secondary_entity"]["id"], "linode/debian12");
    assert_eq!(
        (&scheduled["rate"], &scheduled["duration"]),
        (&Value::Null, &Value::Null)
    );
    assert!(event(&sim, id, "linode_boot").await.is_null());

    sim.handle().advance(Duration::from_secs(10));
    let started = event(&sim, id, "linode_create").await;
    assert_eq!(started["status"], "started");
    assert!((1..100).contains(&started["percent_complete"].as_u64().unwrap()));
    let mut seen = vec![show(&sim, id).await["status"].clone()];
    for _ in 0..50 {
        sim.handle().advance(Duration::from_secs(1));
        let status = show(&sim, id).await["status"].clone();
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    }
    assert_eq!(seen, ["provisioning", "booting", "running"]);
    for action in ["linode_create", "linode_boot"] {
        let finished = event(&sim, id, action).await;
        assert_eq!(finished["status"], "finished", "{action}");
        assert_eq!(finished["percent_complete"], 100);
        let one = sim
            .get(&format!("/v4/account/events/{}", finished["id"]))
            .await;
        assert_eq!(one.body["action"], action);
    }
}

#[tokio::test]
async fn a_server_that_shall_not_boot_goes_offline_and_boots_when_told() {
    let sim = frozen();
    let id = create(&sim, &web_with(&json!({ "booted": false }))).await;
    sim.handle().advance(Duration::from_secs(60));
    assert_eq!(show(&sim, id).await["status"], "offline");
    assert_eq!(act(&sim, id, "boot").await.body, json!({}));
    assert_eq!(show(&sim, id).await["status"], "booting");
    sim.handle().advance(Duration::from_secs(20));
    assert_eq!(show(&sim, id).await["status"], "running");

    let empty = json!({ "label": "empty-1", "image": null, "root_pass": null });
    let empty = create(&sim, &web_with(&empty)).await;
    sim.handle().advance(Duration::from_secs(60));
    assert_eq!(show(&sim, empty).await["status"], "offline");
    assert_eq!(act(&sim, empty, "boot").await.status, 400);
}

#[tokio::test]
async fn power_goes_off_and_on_and_says_when_it_cannot() {
    let sim = frozen();
    let id = create(&sim, &web("web-1")).await;
    assert_eq!(
        reason(&act(&sim, id, "reboot").await),
        (400, "Linode busy.", None)
    );
    sim.handle().advance(Duration::from_secs(60));
    let booted = format!("Linode {id} already booted.");
    assert_eq!(reason(&act(&sim, id, "boot").await), (400, &*booted, None));

    assert_eq!(act_with(&sim, id, "shutdown", &json!({})).await.status, 400);
    assert_eq!(act(&sim, id, "shutdown").await.status, 200);
    assert_eq!(show(&sim, id).await["status"], "shutting_down");
    sim.handle().advance(Duration::from_secs(15));
    assert_eq!(show(&sim, id).await["status"], "offline");
    assert_eq!(act(&sim, id, "shutdown").await.status, 400);
    assert_eq!(act(&sim, id, "reboot").await.status, 400);

    assert_eq!(act(&sim, id, "boot").await.status, 200);
    sim.handle().advance(Duration::from_secs(20));
    assert_eq!(act(&sim, id, "reboot").await.status, 200);
    assert_eq!(show(&sim, id).await["status"], "rebooting");
    sim.handle().advance(Duration::from_secs(20));
    assert_eq!(show(&sim, id).await["status"], "running");
}

#[tokio::test]
async fn a_deleted_server_is_deleting_for_a_moment_and_then_not_found() {
    let sim = frozen();
    let id = create_running(&sim, &web("web-1")).await;
    let path = format!("{INSTANCES}/{id}");
    let got = sim.delete(&path).await;
    assert_eq!((got.status, got.body), (200, json!({})));
    assert_eq!(show(&sim, id).await["status"], "deleting");
    assert_eq!(sim.delete(&path).await.status, 200);
    assert_eq!(act(&sim, id, "reboot").await.status, 400);

    sim.handle().advance(Duration::from_secs(10));
    assert_eq!(reason(&sim.get(&path).await), (404, "Not found", None));
    assert_eq!(sim.delete(&path).await.status, 404);
    assert_eq!(sim.get(INSTANCES).await.body["results"], 0);
    let state = sim.handle().state();
    let kept = &state["accounts"][0]["instances"][0];
    assert_eq!(
        (&kept["deleted"], &kept["name"]),
        (&json!(true), &json!("web-1"))
    );
    assert_eq!(event(&sim, id, "linode_delete").await["status"], "finished");
    // The label is free again.
    create(&sim, &web("web-1")).await;
}

#[tokio::test]
async fn a_server_can_be_deleted_while_it_is_being_made() {
    let sim = frozen();
    let id = create(&sim, &web("web-1")).await;
    let path = format!("{INSTANCES}/{id}");
    assert_eq!(sim.delete(&path).await.status, 200);
    assert_eq!(event(&sim, id, "linode_create").await["status"], "failed");
    sim.handle().advance(Duration::from_secs(60));
    assert_eq!(sim.get(&path).await.status, 404);
    assert!(event(&sim, id, "linode_boot").await.is_null());
}

#[tokio::test]
async fn a_resize_changes_the_type_and_never_shrinks_the_disk() {
    let sim = frozen();
    let id = create_running(&sim, &web("web-1")).await;
    let bigger = json!({ "type": "g6-standard-2", "allow_auto_disk_resize": false });
    assert_eq!(act_with(&sim, id, "resize", &bigger).await.body, json!({}));
    assert_eq!(show(&sim, id).await["status"], "resizing");
    sim.handle().advance(Duration::from_secs(60));
    let resized = show(&sim, id).await;
    assert_eq!(
        (
            &resized["type"],
            &resized["status"],
            &resized["specs"]["memory"]
        ),
        (&json!("g6-standard-2"), &json!("running"), &json!(4096))
    );
    // The disk was left alone, so the way back is open, and then no more.
    let back = json!({ "type": "g6-nanode-1" });
    assert_eq!(act_with(&sim, id, "resize", &back).await.status, 200);
    sim.handle().advance(Duration::from_secs(60));
    let grow = json!({ "type": "g6-standard-2" });
    assert_eq!(act_with(&sim, id, "resize", &grow).await.status, 200);
    sim.handle().advance(Duration::from_secs(60));
    assert_eq!(act_with(&sim, id, "resize", &back).await.status, 400);
    assert_eq!(act_with(&sim, id, "resize", &grow).await.status, 400);
    let gpu = json!({ "type": "g2-gpu-rtx4000a1-s" });
    assert_eq!(act_with(&sim, id, "resize", &gpu).await.status, 403);
}

#[tokio::test]
async fn a_rebuild_installs_another_image_and_boots() {
    let sim = frozen();
    let id = create_running(&sim, &web("web-1")).await;
    let mut body = json!({ "image": "linode/ubuntu24.04" });
    assert_eq!(act_with(&sim, id, "rebuild", &body).await.status, 400);
    body["root_pass"] = json!("another-Horse-8-battery");
    body["metadata"] = json!({ "user_data": "I2Nsb3VkLWNvbmZpZwo=" });
    let got = act_with(&sim, id, "rebuild", &body).await;
    assert_eq!(
        (got.status, &got.body["status"]),
        (200, &json!("rebuilding"))
    );
    sim.handle().advance(Duration::from_secs(60));
    let rebuilt = show(&sim, id).await;
    assert_eq!(rebuilt["image"], "linode/ubuntu24.04");
    assert_eq!(rebuilt["status"], "running");
    assert_eq!(rebuilt["has_user_data"], true);
    let state = sim.handle().state();
    let kept = &state["accounts"][0]["instances"][0];
    assert_eq!(kept["user_data"], "#cloud-config\n");
    assert_eq!(
        event(&sim, id, "linode_rebuild").await["status"],
        "finished"
    );
}

#[tokio::test]
async fn a_password_can_be_set_only_while_the_server_is_off() {
    let sim = frozen();
    let id = create_running(&sim, &web("web-1")).await;
    let body = json!({ "root_pass": "another-Horse-8-battery" });
    assert_eq!(act_with(&sim, id, "password", &body).await.status, 400);
    act(&sim, id, "shutdown").await;
    sim.handle().advance(Duration::from_secs(15));
    let weak = json!({ "root_pass": "aaaaaaaa" });
    assert_eq!(
        reason(&act_with(&sim, id, "password", &weak).await),
        (
            400,
            "Password does not meet strength requirement",
            Some("root_pass")
        )
    );
    assert_eq!(act_with(&sim, id, "password", &body).await.status, 200);
    assert_eq!(reason(&act(&sim, id, "boot").await).1, "Linode busy.");
    sim.handle().advance(Duration::from_secs(5));
    assert_eq!(act(&sim, id, "rescue").await.status, 200);
    sim.handle().advance(Duration::from_secs(20));
    assert_eq!(show(&sim, id).await["status"], "running");
    assert_eq!(act(&sim, id, "clone").await.status, 400);
    assert_eq!(act(&sim, id, "dance").await.status, 404);
}

#[tokio::test]
async fn the_same_seed_draws_the_same_durations() {
    let mut ends = Vec::new();
    for _ in 0..2 {
        let sim = start(SimulatorConfig {
            seed: 42,
            ..SimulatorConfig::default()
        });
        let id = create(&sim, &web("web-1")).await;
        let mut seconds = 0;
        while show(&sim, id).await["status"] != "running" {
            sim.handle().advance(Duration::from_secs(1));
            seconds += 1;
        }
        ends.push(seconds);
    }
    assert!((29..=61).contains(&ends[0]), "{ends:?}");
    // The machine's own clock may add a second between the two.
    assert!(i32::abs_diff(ends[0], ends[1]) <= 1, "{ends:?}");
}
