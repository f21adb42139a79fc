//! One vendor dead for the whole run: what is there still answers, and the other is untouched.

use std::time::Instant;

use roadstead_sim::{DigitalOceanSim, LinodeSim, SimulatorConfig};

use crate::api::{Api, PASSWORD, add_operator, serve, settings_for, word};
use crate::program::{PATIENCE, Place};
use crate::simulators::wanted;

#[tokio::test]
async fn a_dead_vendor_takes_nothing_else_with_it() {
    let config = SimulatorConfig {
        time_scale: 50.0,
        ..SimulatorConfig::default()
    };
    let any = ([127, 0, 0, 1], 0).into();
    let dead = DigitalOceanSim::start(any, config.clone()).unwrap();
    let alive = LinodeSim::start(any, config).unwrap();
    let place = Place::new();
    let addresses = [
        ("digitalocean".to_owned(), dead.endpoint()),
        ("linode".to_owned(), alive.endpoint()),
    ];
    let settings = settings_for(&place, &addresses);
    add_operator(&settings);
    let (program, address) = serve(&["serve"], &settings);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let there = api.register("digitalocean").await;
    let here = api.register("linode").await;
    let created = api
        .post("/api/vps", wanted("digitalocean", &there, "early"))
        .await;
    let early = word(&created, "/instance/id");
    api.until(&early, "running").await;
    let catalogues = ["plans", "images", "regions"];
    for part in catalogues {
        api.get(&format!("/api/vps/digitalocean/{part}")).await;
    }
    dead.stop().await;

    for part in catalogues {
        let kept = api.get(&format!("/api/vps/digitalocean/{part}")).await;
        assert!(kept["age_seconds"].is_number(), "{part} tells no age");
        assert!(!kept[part].as_array().unwrap().is_empty(), "{part}");
    }
    let list = api.get("/api/vps").await;
    assert_eq!(word(&list, "/instances/0/status"), "running");
    // What is asked of it is on record, and says why it waits.
    let create = api
        .post("/api/vps", wanted("digitalocean", &there, "late"))
        .await;
    let delete = api.delete(&format!("/api/vps/{early}")).await;
    for accepted in [&create, &delete] {
        let path = format!("/api/operations/{}", word(accepted, "/operation/id"));
        let deadline = Instant::now() + PATIENCE;
        let waiting = loop {
            let shown = api.get(&path).await;
            if shown.pointer("/operation/error/code").is_some() {
                break shown;
            }
            assert!(Instant::now() < deadline, "no reason: {shown}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        };
        assert_eq!(word(&waiting, "/operation/error/code"), "API_ERROR");
        let state = word(&waiting, "/operation/state");
        assert!(
            !["failed", "attention", "succeeded"].contains(&&*state),
            "{waiting}"
        );
    }
    // The other vendor does as ever.
    let created = api.post("/api/vps", wanted("linode", &here, "web")).await;
    let id = word(&created, "/instance/id");
    api.until(&id, "running").await;
    let deleting = api.delete(&format!("/api/vps/{id}")).await;
    api.finished(&deleting).await;
    program.stop().ok();
}
