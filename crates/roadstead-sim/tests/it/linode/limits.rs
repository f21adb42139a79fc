//! Rate limits and the headers that state them.

use std::time::Duration;

use roadstead_sim::SimulatorConfig;
use serde_json::json;

use super::{INSTANCES, create, reason, start, web};

#[tokio::test]
async fn every_answer_states_the_limit_of_its_class() {
    let sim = start(SimulatorConfig::default());
    for (path, limit) in [
        ("/v4/regions", "200"),
        ("/v4/images", "20"),
        ("/v4/linode/stackscripts", "60"),
        ("/v4/profile", "1600"),
    ] {
        let got = sim.get(path).await;
        assert_eq!(got.headers["x-ratelimit-limit"], limit, "{path}");
        let remaining: u64 = got.headers["x-ratelimit-remaining"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(remaining + 1, limit.parse::<u64>().unwrap());
        assert!(got.headers.contains_key("x-ratelimit-reset"));
        // Measured: it is on answers that are no refusals, too.
        assert!(got.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_full_window_says_when_it_ends_and_other_classes_go_on() {
    let sim = start(SimulatorConfig::default());
    for index in 0..20 {
        create(&sim, &web(&format!("web-{index}"))).await;
    }
    let refused = sim.post(INSTANCES, &web("one-more")).await;
    assert_eq!(reason(&refused), (429, "Too many requests", None));
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    let wait = refused.headers["retry-after"].to_str().unwrap();
    let wait: u64 = wait.parse().unwrap();
    assert!((1..=16).contains(&wait), "{wait}");
    assert_eq!(sim.get(INSTANCES).await.status, 200);

    sim.handle().advance(Duration::from_secs(wait));
    create(&sim, &web("one-more")).await;
}

#[tokio::test]
async fn limits_are_stated_but_not_enforced_when_they_are_off() {
    let sim = super::frozen();
    for _ in 0..25 {
        assert_eq!(sim.get("/v4/images").await.status, 200);
    }
    let got = sim.get("/v4/images").await;
    assert_eq!(got.headers["x-ratelimit-remaining"], "0");
    assert_ne!(got.body["data"], json!([]));
}
