//! Rate limits and the headers that state them.

use std::time::Duration;

use roadstead_sim::{Limit, LinodeSim, SimulatorConfig};
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
async fn a_thousand_times_as_much_is_admitted_and_stated_when_limits_are_off() {
    let sim = super::frozen();
    for _ in 0..25 {
        assert_eq!(sim.get("/v4/images").await.status, 200);
    }
    let got = sim.get("/v4/images").await;
    assert_eq!(got.headers["x-ratelimit-limit"], "20000");
    assert_eq!(got.headers["x-ratelimit-remaining"], "19974");
    assert_ne!(got.body["data"], json!([]));
}

#[tokio::test]
async fn a_limit_can_be_lowered_at_the_start_and_at_any_time() {
    let limit = |calls, seconds| Limit { calls, seconds };
    let sim = start(SimulatorConfig {
        limits: [("images".to_owned(), limit(2, 60))].into(),
        ..SimulatorConfig::default()
    });
    let got = sim.get("/v4/images").await;
    assert_eq!(got.headers["x-ratelimit-limit"], "2");
    assert_eq!(sim.get("/v4/images").await.status, 200);
    assert_eq!(sim.get("/v4/images").await.status, 429);

    let changed = sim
        .post(
            "/_sim/limits",
            &json!({ "collections": { "calls": 0, "seconds": 5 } }),
        )
        .await;
    assert_eq!(changed.body["limits"]["collections"]["calls"], 0);
    let refused = sim.get("/v4/regions").await;
    assert_eq!(refused.status, 429);
    assert_eq!(sim.handle().limits()["create"], limit(20, 15));
    for wrong in [
        json!({ "nonsense": { "calls": 1, "seconds": 5 } }),
        json!({ "create": { "calls": 1, "seconds": 0 } }),
        json!({ "create": { "calls": -1, "seconds": 5 } }),
        json!({ "create": 5 }),
    ] {
        assert_eq!(
            sim.post("/_sim/limits", &wrong).await.status,
            400,
            "{wrong}"
        );
    }
    let config = SimulatorConfig {
        limits: [("nonsense".to_owned(), limit(1, 1))].into(),
        ..SimulatorConfig::default()
    };
    let refused = LinodeSim::start(([127, 0, 0, 1], 0).into(), config).unwrap_err();
    assert!(refused.to_string().contains("`create`"), "{refused}");
}

#[tokio::test]
async fn the_date_of_an_answer_goes_with_the_simulators_clock() {
    // A window is as long as it is, whatever the scale of the simulator's own waits.
    let sim = start(SimulatorConfig {
        time_scale: 1000.0,
        ..SimulatorConfig::default()
    });
    sim.handle().advance(Duration::from_hours(2));
    let got = sim.get("/v4/regions").await;
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    let date = jiff::fmt::rfc2822::parse(&header("date")).unwrap();
    let reset: i64 = header("x-ratelimit-reset").parse().unwrap();
    let left = reset - date.timestamp().as_second();
    assert!((59..=62).contains(&left), "{left}");
}
