//! What operators see of the calls that a provider still takes, and who meets their end.

use std::time::Duration;

use insta::assert_snapshot;
use jiff::Timestamp;
use roadstead_sim::{Effect, Fault, When};
use serde_json::json;

use crate::app::{Member, Operator, TestApp, Viewer, wanted};

#[tokio::test]
async fn an_operator_sees_what_is_left_and_the_provider_is_not_asked() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    let path = format!("/api/admin/providers/{id}/budget");
    let before = app.get(&path).by(Operator).await.ok();
    assert_eq!(before.at("/buckets/2/limit_is_stated"), json!(false));
    app.get("/api/vps/digitalocean/regions")
        .by(Viewer)
        .await
        .ok();

    let calls = app.sim.handle().journal().len();
    let shown = app.get(&path).by(Operator).await.ok();
    assert_eq!(app.sim.handle().journal().len(), calls);
    let mut hour = shown.at("/buckets/2");
    for time in ["resets_at", "stated_at"] {
        let text = hour[time].as_str().unwrap().to_owned();
        assert!(text.parse::<Timestamp>().is_ok(), "{text}");
        hour[time] = json!("[time]");
    }
    assert_snapshot!(serde_json::to_string_pretty(&hour).unwrap(), @r#"
    {
      "closed_until": null,
      "in_flight": 0,
      "left": 4999998,
      "limit": 5000000,
      "limit_is_stated": true,
      "name": "per_hour",
      "resets_at": "[time]",
      "stated_at": "[time]",
      "stops_at": {
        "background": 2000000,
        "changes": 250000,
        "people": 1000000
      },
      "waiting": 0,
      "window_seconds": 3600
    }
    "#);
    assert_eq!(shown.at("/buckets/0/name"), json!("key_lists"));
    assert_eq!(shown.at("/buckets/0/resets_at"), json!(null));
    assert_eq!(shown.at("/buckets/1/window_seconds"), json!(60));
}

#[tokio::test]
async fn who_needs_a_call_that_is_not_left_is_told_when_and_nothing_is_sent() {
    let app = TestApp::start().await;
    app.register().await;
    app.get("/api/vps/digitalocean/images")
        .by(Viewer)
        .await
        .ok();
    let reset = Timestamp::now() + Duration::from_secs(600);
    let headers = [
        ("ratelimit-limit", "5000".to_owned()),
        ("ratelimit-remaining", "0".to_owned()),
        ("ratelimit-reset", reset.as_second().to_string()),
    ];
    let effect = Effect {
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Effect::default()
    };
    let fault = Fault {
        path: Some("/v2/regions".to_owned()),
        when: When::After,
        count: 1,
        effect,
        ..Fault::default()
    };
    app.sim.handle().add_fault(fault).unwrap();
    app.get("/api/vps/digitalocean/regions")
        .by(Viewer)
        .await
        .ok();
    let calls = app.sim.handle().journal().len();
    let refused = app.get("/api/vps/digitalocean/plans").by(Viewer).await;
    let refused = refused.refused(429, "RATE_LIMIT_EXCEEDED");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((11..=3600).contains(&wait), "{wait}");
    assert_eq!(app.sim.handle().journal().len(), calls);
    // A create needs to know what is sold, too.
    let create = app.post("/api/vps").by(Member).json(&wanted("late")).await;
    create.refused(429, "RATE_LIMIT_EXCEEDED");
}
