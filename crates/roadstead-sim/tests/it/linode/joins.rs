//! What a server joins, and when its backups are made.

use reqwest::Method;
use roadstead_sim::{TOKEN_FULL, TOKEN_OTHER};
use serde_json::{Value, json};

use super::{INSTANCES, column, create, frozen, put, reason, show, web_with};
use crate::sim::Sim;

async fn kept(sim: &Sim) -> Value {
    sim.handle().state()["accounts"][0]["instances"][0].clone()
}

#[tokio::test]
async fn firewalls_vpcs_and_placement_groups_are_the_accounts_own() {
    let sim = frozen();
    for (path, labels) in [
        ("/v4/networking/firewalls", vec!["web-only", "old-rules"]),
        ("/v4/vpcs", vec!["harbor-east", "harbor-iad", "empty"]),
        ("/v4/placement/groups", vec!["apart-iad", "apart-east"]),
        ("/v4/vpcs/5101/subnets", vec!["apps", "data"]),
    ] {
        let got = sim.get(path).await;
        assert_eq!(column(&got, "label"), labels, "{path}");
        let one = format!("{path}/{}", got.body["data"][0]["id"]);
        if !path.ends_with("subnets") {
            assert_eq!(sim.get(&one).await.body["label"], labels[0], "{path}");
            let theirs = sim.call(Method::GET, &one, TOKEN_OTHER, None).await;
            assert_eq!(theirs.unwrap().status, 404, "{path}");
            let theirs = sim.call(Method::GET, path, TOKEN_OTHER, None).await;
            assert_eq!(theirs.unwrap().body["results"], 0, "{path}");
        }
        let nobody = sim.call(Method::GET, path, "no-such-token", None).await;
        assert_eq!(nobody.unwrap().status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_server_shows_what_it_has_joined() {
    let sim = frozen();
    let fields = json!({
        "firewall_id": 45_001,
        "placement_group": { "id": 528_002 },
        "interface_generation": "legacy_config",
        "interfaces": [{ "purpose": "public" }, { "purpose": "vpc", "subnet_id": 6_201 }],
    });
    let id = create(&sim, &web_with(&fields)).await;
    let instance = show(&sim, id).await;
    assert_eq!(instance["placement_group"]["label"], "apart-east");
    let firewall = sim.get("/v4/networking/firewalls/45001").await.body;
    assert_eq!(firewall["entities"][0]["id"], id);
    let subnet = sim.get("/v4/vpcs/5101/subnets").await.body["data"][0].clone();
    assert_eq!(subnet["linodes"][0]["id"], id);
    let group = sim.get("/v4/placement/groups/528002").await.body;
    assert_eq!(group["members"][0]["linode_id"], id);
    assert_eq!(kept(&sim).await["interfaces"][1]["vpc_id"], 5_101);
}

#[tokio::test]
async fn a_placement_group_is_full_at_five() {
    let sim = frozen();
    let member = |number: u64| {
        web_with(&json!({ "label": format!("web-{number}"), "placement_group": { "id": 528_002 } }))
    };
    for number in 1..=5 {
        create(&sim, &member(number)).await;
    }
    let refused = sim.post(INSTANCES, &member(6)).await;
    assert_eq!(
        reason(&refused),
        (
            400,
            "The placement group has no capacity left",
            Some("placement_group.id")
        )
    );
}

#[tokio::test]
async fn backups_are_scheduled_by_a_change_only_where_there_are_any() {
    let sim = frozen();
    let fields = json!({ "backups_enabled": true, "backups": { "schedule": { "day": "Sunday" } } });
    let id = create(&sim, &web_with(&fields)).await;
    let path = format!("{INSTANCES}/{id}");
    // The creating call takes no schedule.
    let schedule = show(&sim, id).await["backups"]["schedule"].clone();
    assert_eq!(
        schedule,
        json!({ "day": "Scheduling", "window": "Scheduling" })
    );

    let change = |day: &str, window: &str| json!({ "backups": { "schedule": { "day": day, "window": window } } });
    let refused = put(&sim, &path, &change("Sunday", "W3")).await;
    let field = Some("backups.schedule.window");
    assert_eq!(reason(&refused), (400, "window is not valid", field));
    for _ in 0..2 {
        let got = put(&sim, &path, &change("Friday", "W10")).await;
        assert_eq!(
            (got.status, &got.body["backups"]["schedule"]["window"]),
            (200, &json!("W10"))
        );
    }
    assert_eq!(kept(&sim).await["backup_schedule"]["day"], "Friday");

    let bare = create(&sim, &web_with(&json!({ "label": "bare" }))).await;
    let refused = put(
        &sim,
        &format!("{INSTANCES}/{bare}"),
        &change("Friday", "W10"),
    )
    .await;
    let said = "Backups are not enabled on this Linode";
    assert_eq!(reason(&refused), (400, said, Some("backups.schedule")));
}

#[tokio::test]
async fn what_a_script_was_told_is_kept_but_for_its_passwords() {
    let sim = frozen();
    let fields = json!({
        "stackscript_id": 1_700_002,
        "stackscript_data": {
            "cluster_name": "c1", "join_password": "hunter2-canary", "roles": "web,worker",
        },
    });
    create(&sim, &web_with(&fields)).await;
    let kept = kept(&sim).await;
    assert_eq!(kept["stackscript_data"]["roles"], "web,worker");
    let journal = sim
        .call(Method::GET, "/_sim/journal", TOKEN_FULL, None)
        .await;
    let shown = format!("{kept} {}", journal.unwrap().body);
    assert!(!shown.contains("hunter2-canary"), "{shown}");
}
