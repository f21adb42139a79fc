//! Rate limits and the headers that state them.

use std::time::Duration;

use roadstead_sim::SimulatorConfig;

use crate::sim::Sim;

#[tokio::test]
async fn every_answer_states_the_limit_and_the_burst_says_when_to_come_back() {
    let sim = Sim::start(SimulatorConfig::default());
    let first = sim.get("/v2/account").await;
    assert_eq!(first.headers["ratelimit-limit"], "5000");
    assert_eq!(first.headers["ratelimit-remaining"], "4999");
    assert!(first.headers.contains_key("ratelimit-reset"));
    assert!(first.headers.contains_key("x-request-id"));
    for _ in 1..250 {
        assert_eq!(sim.get("/v2/account").await.status, 200);
    }
    let refused = sim.get("/v2/account").await;
    assert_eq!(
        (refused.status, refused.body["id"].as_str()),
        (429, Some("too_many_requests"))
    );
    assert_eq!(refused.headers["ratelimit-remaining"], "0");
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=61).contains(&wait));

    sim.handle().advance(Duration::from_secs(wait));
    assert_eq!(sim.get("/v2/account").await.status, 200);
}

#[tokio::test]
async fn the_hourly_limit_says_nothing_about_coming_back() {
    let sim = Sim::start(SimulatorConfig::default());
    for _ in 0..20 {
        for _ in 0..250 {
            assert_eq!(sim.get("/v2/account").await.status, 200);
        }
        sim.handle().advance(Duration::from_secs(61));
    }
    let refused = sim.get("/v2/account").await;
    assert_eq!(refused.status, 429);
    assert!(!refused.headers.contains_key("retry-after"));
    // The log slides: when the oldest minute leaves, 250 calls come free.
    sim.handle()
        .advance(Duration::from_secs(3600 - 20 * 61 + 30));
    assert_eq!(sim.get("/v2/account").await.status, 200);
}

#[tokio::test]
async fn listing_keys_has_a_limit_of_its_own() {
    let sim = Sim::start(SimulatorConfig::default());
    for _ in 0..10 {
        assert_eq!(sim.get("/v2/account/keys").await.status, 200);
    }
    assert_eq!(sim.get("/v2/account/keys").await.status, 429);
    assert_eq!(sim.get("/v2/account").await.status, 200);
}
