//! Sizes, regions, images, one-clicks.

use serde_json::json;

use crate::sim::Sim;

#[tokio::test]
async fn sizes_come_with_prices_as_32_bit_floats_and_half_terabytes() {
    let sim = Sim::frozen();
    let got = sim.get("/v2/sizes?per_page=200").await.body;
    let sizes = got["sizes"].as_array().unwrap();
    assert!(sizes.len() >= 120);
    assert_eq!(got["meta"]["total"], sizes.len());
    let smallest = sizes
        .iter()
        .find(|it| it["slug"] == "s-1vcpu-512mb-10gb")
        .unwrap();
    assert_eq!(smallest["transfer"], json!(0.5));
    assert_eq!(smallest["price_hourly"].to_string(), "0.00595000013709068");
    let gpu = sizes
        .iter()
        .find(|it| it["slug"] == "gpu-h100x1-80gb")
        .unwrap();
    assert_eq!(gpu["gpu_info"]["model"], "nvidia_h100");
    assert!(sizes.iter().any(|it| it["available"] == false));
}

#[tokio::test]
async fn the_vendors_paths_may_end_in_a_slash() {
    let sim = Sim::frozen();
    assert_eq!(
        sim.get("/v2/sizes/").await.body["meta"],
        sim.get("/v2/sizes").await.body["meta"]
    );
}

#[tokio::test]
async fn an_unavailable_region_sells_nothing() {
    let sim = Sim::frozen();
    let got = sim.get("/v2/regions?per_page=200").await.body;
    let regions = got["regions"].as_array().unwrap();
    let closed = regions.iter().find(|it| it["slug"] == "sfo1").unwrap();
    assert_eq!(
        (&closed["available"], &closed["sizes"]),
        (&json!(false), &json!([]))
    );
    let open = regions.iter().find(|it| it["slug"] == "nyc3").unwrap();
    assert!(open["sizes"].as_array().unwrap().len() > 100);
}

#[tokio::test]
async fn images_are_filtered_by_type_and_owner() {
    let sim = Sim::frozen();
    let slugs = |got: serde_json::Value| -> Vec<String> {
        let images = got["images"].as_array().unwrap().clone();
        images
            .iter()
            .map(|it| it["slug"].as_str().unwrap_or("").to_owned())
            .collect()
    };
    let systems = slugs(
        sim.get("/v2/images?type=distribution&per_page=200")
            .await
            .body,
    );
    assert!(systems.contains(&"ubuntu-24-04-x64".to_owned()));
    assert!(!systems.contains(&"wordpress-20-04".to_owned()));
    let apps = slugs(
        sim.get("/v2/images?type=application&per_page=200")
            .await
            .body,
    );
    assert!(apps.contains(&"wordpress-20-04".to_owned()));
    let private = sim.get("/v2/images?private=true").await.body;
    assert_eq!(private["meta"]["total"], 1);
    assert!(private["images"][0]["slug"].is_null());
    let one = sim.get("/v2/images/debian-12-x64").await.body;
    assert_eq!(one["image"]["distribution"], "Debian");
    assert_eq!(sim.get("/v2/images/nonesuch").await.status, 404);
}

#[tokio::test]
async fn one_clicks_are_filtered_by_type() {
    let sim = Sim::frozen();
    let got = sim.get("/v2/1-clicks?type=droplet").await.body;
    let all = got["1_clicks"].as_array().unwrap();
    assert!(all.len() >= 60);
    assert!(all.iter().all(|it| it["type"] == "droplet"));
}

#[tokio::test]
async fn keys_are_added_found_by_fingerprint_renamed_and_removed() {
    let sim = Sim::frozen();
    let public =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me";
    let key = json!({ "name": "laptop", "public_key": public });
    let added = sim.post("/v2/account/keys", &key).await;
    assert_eq!(added.status, 201);
    let fingerprint = added.body["ssh_key"]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(sim.post("/v2/account/keys", &key).await.status, 422);
    let nonsense = json!({ "name": "x", "public_key": "nonsense" });
    assert_eq!(sim.post("/v2/account/keys", &nonsense).await.status, 422);
    assert_eq!(sim.get("/v2/account/keys").await.body["meta"]["total"], 1);
    let path = format!("/v2/account/keys/{fingerprint}");
    assert_eq!(sim.get(&path).await.body["ssh_key"]["name"], "laptop");

    let body = crate::sim::web_with(&json!({ "ssh_keys": [fingerprint] }));
    sim.create(&body).await;
    assert_eq!(sim.delete(&path).await.status, 204);
    assert_eq!(sim.get(&path).await.status, 404);
}
