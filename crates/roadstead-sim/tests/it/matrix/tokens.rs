//! Tokens that lose what they may do, and a clock that goes wrong.

use std::time::Duration;

use serde_json::json;

use super::{KINDS, Kind, Stand, VENDORS, Vendor};

#[tokio::test]
async fn calls_are_refused_in_mid_flight_until_the_faults_are_cleared() {
    for vendor in VENDORS {
        for kind in KINDS {
            for (preset, status) in [
                ("401", 401),
                ("403", 403),
                ("token-revoked", 401),
                ("token-forbidden", 403),
            ] {
                let stand = Stand::new(vendor).await;
                stand.spoil(preset, kind, json!({})).await;
                let got = stand.call(kind).await.unwrap();
                assert_eq!(got.status, status, "{vendor:?} {kind:?} {preset}");
                stand.assert_executed(kind, 0, preset);
                let lasts = preset.starts_with("token");
                let again = stand.call(kind).await.unwrap().status;
                assert_eq!(again == status, lasts, "{vendor:?} {kind:?} {preset}");
                stand.sim.handle().clear_faults();
                if lasts {
                    assert!(stand.call(kind).await.unwrap().status < 300);
                }
            }
        }
        let stand = Stand::new(vendor).await;
        stand.script(&json!({ "preset": "token-revoked" })).await;
        assert_eq!(
            stand.sim.get(stand.account()).await.status,
            401,
            "everything is"
        );
    }
}

#[tokio::test]
async fn a_narrowed_token_sees_no_servers_and_the_account() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let before = stand.sim.get(stand.account()).await.body;
        stand.script(&json!({ "preset": "narrowed-scope" })).await;
        assert!(stand.listed("").await.is_empty(), "{vendor:?}");
        let path = format!("{}/{}", stand.servers(), stand.server);
        assert_eq!(stand.sim.get(&path).await.status, 403);
        assert_eq!(stand.call(Kind::Delete).await.unwrap().status, 403);
        assert_eq!(stand.sim.get(stand.account()).await.body, before);
        stand.sim.handle().clear_faults();
        assert_eq!(stand.listed("").await, [stand.server]);
    }
}

#[tokio::test]
async fn a_foreign_token_opens_another_account() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let before = stand.sim.get(stand.account()).await.body;
        stand.script(&json!({ "preset": "foreign-token" })).await;
        assert!(stand.listed("").await.is_empty(), "{vendor:?}");
        let path = format!("{}/{}", stand.servers(), stand.server);
        assert_eq!(stand.sim.get(&path).await.status, 404);
        assert_eq!(stand.call(Kind::Delete).await.unwrap().status, 404);
        assert_ne!(stand.sim.get(stand.account()).await.body, before);
        stand.sim.handle().clear_faults();
        assert_eq!(stand.listed("").await, [stand.server]);
    }
}

#[tokio::test]
async fn a_clock_that_goes_wrong_shows_in_what_the_vendor_says_and_not_in_the_journal() {
    for vendor in VENDORS {
        for (preset, hours) in [("clock-ahead", 1), ("clock-behind", -1)] {
            let stand = Stand::new(vendor).await;
            let field = |body: &serde_json::Value| {
                let made = body.pointer("/droplet/created_at").or(body.get("created"));
                made.unwrap().as_str().unwrap().to_owned()
            };
            let right = stand.call(Kind::Create).await.unwrap();
            let asked = json!({ "preset": preset });
            stand.script(&asked).await;
            let wrong = stand.call_named(Kind::Create, "web-2").await.unwrap();
            let (right_at, wrong_at) = (field(&right.body), field(&wrong.body));
            let order = if wrong_at > right_at { 1 } else { -1 };
            assert_eq!(order, hours, "{vendor:?} {preset}: {right_at} {wrong_at}");
            assert_ne!(right.headers["date"], wrong.headers["date"]);
            let changes = stand.changes();
            assert!(
                changes[0].time < changes[1].time,
                "the journal keeps the time"
            );
            // What is going on ends when it would.
            stand.sim.handle().advance(Duration::from_secs(120));
            let busy = stand.sim.handle().state()["accounts"][0].to_string();
            assert!(!busy.contains("\"busy\":true"), "{vendor:?} {preset}");
            stand.sim.handle().clear_faults();
            let third = stand.call_named(Kind::Create, "web-3").await.unwrap();
            assert!(field(&third.body) >= right_at);
            if vendor == Vendor::Linode {
                assert!(!field(&third.body).ends_with('Z'));
            }
        }
    }
}
