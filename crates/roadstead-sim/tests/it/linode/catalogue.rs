//! What is on sale.

use serde_json::{Value, json};

use super::{column, filtered, frozen};

#[tokio::test]
async fn types_have_prices_by_region_and_megabytes() {
    let sim = frozen();
    let types = sim.get("/v4/linode/types").await;
    assert!(types.body["results"].as_u64().unwrap() >= 60);
    for class in [
        "nanode",
        "standard",
        "dedicated",
        "premium",
        "highmem",
        "gpu",
        "accelerated",
    ] {
        assert!(column(&types, "class").contains(&class), "{class}");
    }
    let nanode = sim.get("/v4/linode/types/g6-nanode-1").await.body;
    assert_eq!(nanode["price"], json!({ "hourly": 0.0075, "monthly": 5.0 }));
    assert_eq!(
        nanode["region_prices"][0],
        json!({ "id": "br-gru", "hourly": 0.0105, "monthly": 7.0 })
    );
    assert_eq!(nanode["addons"]["backups"]["price"]["monthly"], 2.0);
    assert_eq!(
        (&nanode["memory"], &nanode["disk"], &nanode["transfer"]),
        (&json!(1024), &json!(25600), &json!(1000))
    );
    assert!(nanode["successor"].is_null());
    let gpus = filtered(&sim, "/v4/linode/types", r#"{"gpus":{"+gt":0}}"#).await;
    assert!(column(&gpus, "class").iter().all(|it| *it == "gpu"));
    assert_eq!(sim.get("/v4/linode/types/g6-nothing").await.status, 404);
}

#[tokio::test]
async fn regions_say_what_they_can_and_how_they_are() {
    let sim = frozen();
    let regions = sim.get("/v4/regions").await;
    assert!(regions.body["results"].as_u64().unwrap() >= 30);
    assert!(column(&regions, "status").contains(&"outage"));
    assert!(column(&regions, "site_type").contains(&"distributed"));
    let us = filtered(&sim, "/v4/regions", r#"{"country":"us"}"#).await;
    assert!(column(&us, "id").contains(&"us-east"));
    // Seen: not even the id can be filtered by.
    let by_id = filtered(&sim, "/v4/regions", r#"{"id":"us-east"}"#).await;
    assert_eq!(by_id.status, 400);
    let newark = sim.get("/v4/regions/us-east").await.body;
    assert_eq!(newark["label"], "Newark, NJ");
    assert!(newark["resolvers"]["ipv4"].as_str().unwrap().contains(", "));
    assert!(newark["placement_group_limits"].is_object());
}

#[tokio::test]
async fn only_rare_types_are_in_the_list_of_availabilities() {
    let sim = frozen();
    let path = "/v4/regions/availability?page_size=500";
    let first = sim.get(path).await;
    assert!(first.body["pages"].as_u64().unwrap() > 1);
    assert!(
        column(&first, "plan")
            .iter()
            .all(|it| !it.contains("standard"))
    );
    let filter = r#"{"+and":[{"plan":"g2-gpu-rtx4000a1-s"},{"region":{"+contains":"us-"}}]}"#;
    let rows = filtered(&sim, path, filter).await;
    let available = |region: &str| -> Value {
        let rows = rows.body["data"].as_array().unwrap();
        let row = rows.iter().find(|it| it["region"] == region).unwrap();
        row["available"].clone()
    };
    assert_eq!(available("us-ord"), true);
    assert_eq!(available("us-east"), false);
    let one = sim.get("/v4/regions/us-ord/availability").await.body;
    assert_eq!(one[0]["region"], "us-ord");
}

#[tokio::test]
async fn images_are_public_private_deprecated_and_shared() {
    let sim = frozen();
    let images = sim.get("/v4/images?page_size=500").await;
    assert!(images.body["results"].as_u64().unwrap() >= 49);
    let types = column(&images, "type");
    for kind in ["manual", "automatic", "shared"] {
        assert!(types.contains(&kind), "{kind}");
    }
    let debian = sim.get("/v4/images/linode/debian12").await.body;
    assert_eq!(
        debian["capabilities"],
        json!(["cloud-init", "distributed-sites"])
    );
    assert_eq!(
        (&debian["vendor"], &debian["expiry"]),
        (&json!("Debian"), &Value::Null)
    );
    let current = r#"{"deprecated":false,"vendor":"Ubuntu","+order_by":"label","+order":"desc"}"#;
    let ubuntu = filtered(&sim, "/v4/images", current).await;
    assert_eq!(column(&ubuntu, "id")[0], "linode/ubuntu25.10");
    assert!(!column(&ubuntu, "id").contains(&"linode/ubuntu18.04"));
}

#[tokio::test]
async fn applications_are_stackscripts_of_the_vendor() {
    let sim = frozen();
    let path = "/v4/linode/stackscripts";
    let apps = filtered(&sim, path, r#"{"username":"linode"}"#).await;
    assert!(apps.body["results"].as_u64().unwrap() >= 20);
    let wordpress = sim.get(&format!("{path}/401697")).await.body;
    assert_eq!(wordpress["username"], "linode");
    assert_eq!(
        wordpress["user_defined_fields"][0]["name"],
        "soa_email_address"
    );
    let mine = filtered(&sim, path, r#"{"mine":true}"#).await;
    assert_eq!(column(&mine, "label"), ["own-setup", "own-cluster"]);
    // Anybody may label a script like the vendor's.
    let labelled = filtered(&sim, path, r#"{"label":{"+contains":"One-Click"}}"#).await;
    let publishers = column(&labelled, "username");
    assert!(publishers.contains(&"somebody"), "{publishers:?}");
}
