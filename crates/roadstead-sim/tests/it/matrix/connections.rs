//! Connections that are refused, reset or led elsewhere.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use reqwest::Method;
use roadstead_sim::TOKEN_FULL;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{KINDS, Kind, Stand, VENDORS, Vendor};

#[tokio::test]
async fn a_closed_listener_refuses_everybody_for_a_time_and_keeps_what_it_knows() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let account = stand.sim.url(stand.account());
        stand
            .script(&json!({ "preset": "refused", "ms": 400 }))
            .await;
        let ask = async || {
            let request = stand.sim.http().get(&account).bearer_auth(TOKEN_FULL);
            request.send().await
        };
        // A connection that was open is cut, too.
        stand
            .eventually("a refused connection", async || {
                ask().await.is_err_and(|it| it.is_connect())
            })
            .await;
        for kind in KINDS {
            assert!(stand.call(kind).await.unwrap_err().is_connect(), "{kind:?}");
        }
        stand
            .eventually("an open listener", async || ask().await.is_ok())
            .await;
        assert!(stand.changes().is_empty(), "nothing arrived meanwhile");
        assert_eq!(stand.listed("").await, [stand.server]);
    }
}

#[tokio::test]
async fn a_call_can_close_the_listener_behind_it_and_what_is_late_still_happens() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        stand
            .spoil("late-commit", Kind::Create, json!({ "ms": 250 }))
            .await;
        let closing = json!({ "path": stand.account(), "effect": { "refuse_ms": 100 } });
        stand.script(&closing).await;
        assert!(stand.call(Kind::Create).await.is_err());
        let got = stand.sim.get(stand.account()).await;
        assert_eq!(got.status, 200, "the call itself is answered");
        stand
            .eventually("the late effect", async || stand.changes()[0].committed)
            .await;
        stand
            .eventually("an open listener", async || {
                let path = stand.account();
                let got = stand.sim.call(Method::GET, path, TOKEN_FULL, None).await;
                got.is_ok()
            })
            .await;
        assert_eq!(stand.listed("").await.len(), 2);
    }
}

#[tokio::test]
async fn the_listener_can_be_closed_by_its_own_path() {
    let stand = Stand::new(Vendor::Linode).await;
    let got = stand
        .sim
        .post("/_sim/listener", &json!({ "closed_ms": 100 }))
        .await;
    assert_eq!(got.status, 202);
    let path = stand.account();
    let ask = async || stand.sim.call(Method::GET, path, TOKEN_FULL, None).await;
    stand
        .eventually("a refusal", async || {
            ask().await.is_err_and(|it| it.is_connect())
        })
        .await;
    stand
        .eventually("an answer", async || ask().await.is_ok())
        .await;
    stand.sim.handle().close_listener(Duration::from_secs(3600));
    stand.sim.running().stop().await;
}

#[tokio::test]
async fn a_reset_is_a_reset_on_either_side_of_the_effect() {
    for vendor in VENDORS {
        for kind in KINDS {
            for (when, times) in [("before", 0), ("after", 1)] {
                let stand = Stand::new(vendor).await;
                let preset = format!("reset-{when}");
                stand.spoil(&preset, kind, json!({})).await;
                let error = stand.call(kind).await.unwrap_err();
                assert!(was_reset(&error), "{vendor:?} {kind:?}: {error:?}");
                stand.assert_executed(kind, times, &preset);
            }
        }
    }
}

fn was_reset(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(it) = next {
        let io = it.downcast_ref::<std::io::Error>();
        if io.is_some_and(|it| it.kind() == ErrorKind::ConnectionReset) {
            return true;
        }
        next = it.source();
    }
    false
}

#[tokio::test]
async fn tls_cannot_be_spoken_with_the_plain_port() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let address = stand.sim.handle().endpoint().replace("http://", "");
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The beginning of a handshake: a record of TLS 1.0 with a client's greeting.
        stream
            .write_all(&[22, 3, 1, 0, 5, 1, 0, 0, 1, 3])
            .await
            .unwrap();
        let mut seen = Vec::new();
        let read = stream.read_to_end(&mut seen);
        let ended = tokio::time::timeout(Duration::from_secs(10), read).await;
        assert!(ended.is_ok(), "the connection hangs");
        assert_ne!(seen.first(), Some(&22), "that is no TLS");
        assert!(stand.sim.handle().journal().is_empty());
    }
}

#[tokio::test]
async fn a_redirect_leads_to_a_listener_that_writes_down_who_comes() {
    for vendor in VENDORS {
        for kind in KINDS {
            let stand = Stand::new(vendor).await;
            let careful = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap();
            let script = json!({ "preset": "redirect", "call": "account", "count": 2 });
            stand.script(&script).await;
            let account = stand.sim.url(stand.account());
            let got = careful
                .get(&account)
                .bearer_auth(TOKEN_FULL)
                .send()
                .await
                .unwrap();
            assert_eq!(got.status(), 308);
            let to = got.headers()["location"].to_str().unwrap().to_owned();
            let known = stand.sim.get("/_sim/elsewhere").await.body;
            assert!(to.starts_with(known["address"].as_str().unwrap()), "{to}");
            assert_eq!(known["callers"], json!([]));

            stand.spoil("redirect", kind, json!({})).await;
            // A careless client: it carries its token wherever it is sent.
            let careless = careful.post(&to).bearer_auth(TOKEN_FULL).body("x").send();
            assert_eq!(careless.await.unwrap().status(), 200);
            let callers = stand.sim.get("/_sim/elsewhere").await.body["callers"].clone();
            let caller = &callers[0];
            assert_eq!(
                (&caller["method"], &caller["path"]),
                (&json!("POST"), &json!("/stolen"))
            );
            assert_eq!(
                (&caller["authorized"], &caller["body_bytes"]),
                (&json!(true), &json!(1))
            );
            assert!(!callers.to_string().contains(TOKEN_FULL));
            let got = stand.call(kind).await.unwrap();
            // This one follows as well, and leaves the token behind.
            assert_eq!(got.status, 200, "{kind:?}");
            let callers = stand.sim.handle().callers();
            assert!(!callers.last().unwrap().authorized);
            stand.assert_executed(kind, 0, "redirect");
        }
    }
}
