//! Answers that are wrong, late, endless or throttled.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::{KINDS, Kind, Stand, VENDORS, Vendor};
use crate::sim::Got;

/// Returns whether a body is an error in the vendor's own form.
fn is_the_vendors(stand: &Stand, body: &Value) -> bool {
    if stand.is_linode() {
        body["errors"][0]["reason"].is_string()
    } else {
        body["id"].is_string() && body["message"].is_string()
    }
}

#[tokio::test]
async fn statuses_come_in_the_vendors_form_on_either_side_of_the_effect() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            for (when, times) in [("before", 0), ("after", 1)] {
                for status in [500, 502, 503, 504, 408] {
                    let stand = if when == "after" {
                        &Stand::new(vendor).await
                    } else {
                        &stand
                    };
                    let preset = format!("{status}-{when}");
                    stand.spoil(&preset, kind, json!({})).await;
                    let got = stand.call(kind).await.unwrap();
                    assert_eq!(got.status, status, "{vendor:?} {kind:?} {preset}");
                    assert!(is_the_vendors(stand, &got.body), "{}", got.body);
                    stand.assert_executed(kind, times, &preset);
                }
            }
        }
    }
}

#[tokio::test]
async fn pages_of_a_proxy_come_on_either_side_of_the_effect() {
    for vendor in VENDORS {
        for kind in KINDS {
            for (when, times) in [("before", 0), ("after", 1)] {
                for status in [200, 400, 502] {
                    let stand = Stand::new(vendor).await;
                    let preset = format!("html-{status}-{when}");
                    stand.spoil(&preset, kind, json!({})).await;
                    let got = stand.call(kind).await.unwrap();
                    assert_eq!(got.status, status, "{vendor:?} {kind:?} {preset}");
                    assert_eq!(got.headers["content-type"], "text/html");
                    assert!(got.body.as_str().unwrap().starts_with("<html>"));
                    stand.assert_executed(kind, times, &preset);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_truncated_answer_breaks_off_and_half_a_document_does_not() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            stand.spoil("truncated-json", kind, json!({})).await;
            assert!(stand.call(kind).await.is_err(), "{vendor:?} {kind:?}");
            stand.assert_executed(kind, 1, "truncated-json");

            let stand = Stand::new(vendor).await;
            stand.spoil("half-json", kind, json!({})).await;
            let got = stand.call(kind).await.unwrap();
            assert!(
                got.status < 300 && got.body.is_string(),
                "{vendor:?} {kind:?}"
            );
            stand.assert_executed(kind, 1, "half-json");
        }
    }
}

#[tokio::test]
async fn an_id_has_the_wrong_type_or_is_missing() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            stand.spoil("wrong-type", kind, json!({})).await;
            let got = stand.call(kind).await.unwrap();
            let place = match (kind, vendor) {
                (Kind::Create, Vendor::Linode) => "/id",
                (Kind::Create, Vendor::DigitalOcean) => "/droplet/id",
                (Kind::Resize, Vendor::DigitalOcean) => "/action/id",
                _ => "",
            };
            assert!(got.status < 300);
            assert!(got.body.pointer(place).unwrap().is_array(), "{}", got.body);
            stand.assert_executed(kind, 1, "wrong-type");
            if place.is_empty() {
                continue;
            }
            let stand = Stand::new(vendor).await;
            stand.spoil("missing-id", kind, json!({})).await;
            let got = stand.call(kind).await.unwrap();
            assert!(got.status < 300 && got.body.pointer(place).is_none());
            assert!(got.body.is_object());
            stand.assert_executed(kind, 1, "missing-id");
        }
    }
}

#[tokio::test]
async fn bodies_are_slow_huge_or_unpack_to_far_too_much() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            stand
                .spoil("slow-body", kind, json!({ "ms": 60_000 }))
                .await;
            let got = tokio::time::timeout(Duration::from_millis(300), stand.call(kind)).await;
            assert!(got.is_err(), "{vendor:?} {kind:?} ended");
            stand.assert_executed(kind, 1, "slow-body");

            let stand = Stand::new(vendor).await;
            stand
                .spoil("huge-body", kind, json!({ "bytes": 3_000_000 }))
                .await;
            let got = stand.call(kind).await.unwrap();
            let length: u64 = got.headers["content-length"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!(
                length > 3_000_000 && got.body.is_object(),
                "{vendor:?} {kind:?}"
            );
            stand.assert_executed(kind, 1, "huge-body");

            let stand = Stand::new(vendor).await;
            let whole = 24 * 1024 * 1024;
            stand
                .spoil("gzip-bomb", kind, json!({ "bytes": whole }))
                .await;
            let got = stand.call(kind).await.unwrap();
            assert_eq!(
                got.body.as_str().unwrap().len(),
                whole,
                "{vendor:?} {kind:?}"
            );
            stand.assert_executed(kind, 1, "gzip-bomb");
        }
    }
}

#[tokio::test]
async fn a_huge_body_and_a_bomb_have_the_size_that_the_matrix_names() {
    let stand = Stand::new(Vendor::Linode).await;
    stand.spoil("huge-body", Kind::Create, json!({})).await;
    let got = raw_create(&stand, "web-1").await;
    assert!(got.content_length().unwrap() > 100 * 1024 * 1024);
    drop(got);
    stand.spoil("gzip-bomb", Kind::Create, json!({})).await;
    let mut got = raw_create(&stand, "web-2").await;
    assert_eq!(got.status(), StatusCode::OK);
    let mut unpacked = 0;
    // More than any client should take; the rest of the ten gibibytes is not waited for.
    while unpacked < 64 * 1024 * 1024 {
        unpacked += got.chunk().await.unwrap().unwrap().len();
    }
}

async fn raw_create(stand: &Stand, name: &str) -> reqwest::Response {
    let body = json!({ "label": name, "region": "us-east", "type": "g6-nanode-1",
        "image": "linode/debian12", "root_pass": "correct-Horse-7-battery" });
    let request = stand.sim.http().post(stand.sim.url(stand.servers()));
    let request = request.bearer_auth(roadstead_sim::TOKEN_FULL).json(&body);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_call_delivered_twice_is_executed_twice_and_either_answer_is_sent() {
    for vendor in VENDORS {
        for kind in KINDS {
            for which in ["first", "second"] {
                let stand = Stand::new(vendor).await;
                stand
                    .spoil(&format!("duplicate-{which}"), kind, json!({}))
                    .await;
                let got = stand.call(kind).await.unwrap();
                let what = format!("{vendor:?} {kind:?} {which}: {}", got.body);
                // Linode has no two servers of a name, and no vendor resizes twice at once.
                let refuses =
                    kind == Kind::Resize || (kind, vendor) == (Kind::Create, Vendor::Linode);
                assert_eq!(got.status < 300, which == "first" || !refuses, "{what}");
                let two = (kind, vendor) == (Kind::Create, Vendor::DigitalOcean);
                stand.assert_executed(kind, if two { 2 } else { 1 }, &what);
            }
        }
    }
}

#[tokio::test]
async fn throttling_names_a_time_in_every_form_and_does_nothing_else() {
    type Check = fn(&HeaderMap) -> bool;
    fn retry(headers: &HeaderMap) -> Option<&str> {
        headers.get("retry-after").and_then(|it| it.to_str().ok())
    }
    let lines: [(&str, Check); 5] = [
        ("429-seconds", |it| retry(it) == Some("2")),
        ("429-date", |it| {
            retry(it).is_some_and(|it| it.ends_with(" GMT"))
        }),
        ("429-absent", |it| retry(it).is_none()),
        ("429-huge", |it| retry(it) == Some("999999999999")),
        ("429-negative", |it| retry(it) == Some("-5")),
    ];
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        for kind in KINDS {
            for (preset, is_right) in lines {
                stand.spoil(preset, kind, json!({})).await;
                let got: Got = stand.call(kind).await.unwrap();
                assert_eq!(got.status, 429, "{vendor:?} {kind:?} {preset}");
                assert!(is_right(&got.headers), "{preset}: {:?}", got.headers);
                assert!(is_the_vendors(&stand, &got.body));
                stand.assert_executed(kind, 0, preset);
            }
        }
    }
}

#[tokio::test]
async fn accepted_work_comes_to_nothing() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            let preset = match kind {
                Kind::Create => "accepted-then-gone",
                Kind::Delete | Kind::Resize => "accepted-then-failed",
            };
            stand.spoil(preset, kind, json!({})).await;
            let got = stand.call(kind).await.unwrap();
            assert!(got.status < 300, "{vendor:?} {kind:?}");
            let made = got.body.pointer("/droplet/id").or(got.body.get("id"));
            let made = made.and_then(Value::as_u64);
            stand.sim.handle().advance(Duration::from_secs(120));
            let ids = stand.listed("").await;
            let state = stand.sim.get("/_sim/state").await.body.to_string();
            match kind {
                Kind::Create => {
                    assert!(!ids.contains(&made.unwrap()));
                    assert!(state.contains("\"deleted\":true"));
                }
                Kind::Delete => assert!(ids.contains(&stand.server)),
                Kind::Resize => assert!(!state.contains("s-2vcpu-2gb\",\"region")),
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_has_had_its_effect_or_not() {
    for vendor in VENDORS {
        for kind in KINDS {
            for (when, times) in [("before", 0), ("after", 1)] {
                let stand = Stand::new(vendor).await;
                let preset = format!("timeout-{when}");
                stand.spoil(&preset, kind, json!({ "ms": 80 })).await;
                let started = Instant::now();
                assert!(
                    stand.call(kind).await.is_err(),
                    "{vendor:?} {kind:?} {preset}"
                );
                assert!(started.elapsed() >= Duration::from_millis(80));
                stand.assert_executed(kind, times, &preset);
            }
        }
    }
}

#[tokio::test]
async fn a_late_effect_comes_after_the_connection_has_ended() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            stand.spoil("late-commit", kind, json!({ "ms": 150 })).await;
            assert!(stand.call(kind).await.is_err(), "{vendor:?} {kind:?}");
            assert!(!stand.changes()[0].committed, "{vendor:?} {kind:?}");
            stand
                .eventually("the effect", async || stand.changes()[0].committed)
                .await;
            let entry = stand.changes().remove(0);
            assert!(entry.committed_at.unwrap() > entry.time);
            stand.assert_executed(kind, 1, "late-commit");
        }
    }
}
