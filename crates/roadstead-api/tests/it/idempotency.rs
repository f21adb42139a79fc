//! `Idempotency-Key`: the same request twice, and another one under the same key.

use insta::assert_snapshot;
use serde_json::json;

use crate::app::{Commuter, Member, Stranger, TestApp, wanted};

#[tokio::test]
async fn the_same_request_under_the_same_key_is_the_same_server() {
    let app = TestApp::start().await;
    app.register().await;
    let create = async || {
        let call = app.post("/api/vps").by(Member).json(&wanted("once"));
        call.header("idempotency-key", "order 7").await.ok()
    };
    let first = create().await;
    let second = create().await;
    assert_eq!(second.word("/instance/id"), first.word("/instance/id"));
    assert_eq!(second.word("/operation/id"), first.word("/operation/id"));
    app.finished(&first).await;
    assert_eq!(
        create().await.word("/instance/id"),
        first.word("/instance/id")
    );
    assert_eq!(app.count().await, 1);
    assert_eq!(app.vendor_calls("POST", "/v2/droplets"), 1);
}

#[tokio::test]
async fn requests_under_one_key_at_the_same_time_are_one_server() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let create = async |_| {
        let call = app.post("/api/vps").by(Member).json(&wanted("once"));
        call.header("idempotency-key", "order 7")
            .await
            .ok()
            .word("/instance/id")
    };
    let made = futures::future::join_all((0..12).map(create)).await;
    assert!(made.iter().all(|it| *it == made[0]), "{made:?}");
    assert_eq!(app.count().await, 1);
}

#[tokio::test]
async fn another_request_under_a_used_key_is_refused() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let create = async |label: &str| {
        let call = app.post("/api/vps").by(Member).json(&wanted(label));
        call.header("idempotency-key", "order 7").await
    };
    let id = create("first").await.ok().word("/instance/id");
    assert_snapshot!(create("second").await.shown(), @r#"
    422
    {
      "code": "CONFLICT",
      "error": "this Idempotency-Key was used for another request; choose a new key",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_eq!(app.count().await, 1);
    // The same key with another route is another request, too.
    let reboot = app.post(&format!("/api/vps/{id}/reboot")).by(Member);
    let reboot = reboot.header("idempotency-key", "order 7").await;
    reboot.refused(422, "CONFLICT");
}

#[tokio::test]
async fn a_key_belongs_to_its_organization() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let create = async |person| {
        let call = app.post("/api/vps").by(person).json(&wanted("mine"));
        call.header("idempotency-key", "1")
            .await
            .ok()
            .word("/instance/id")
    };
    let harbor = create(Member).await;
    assert_ne!(create(Stranger).await, harbor);
    assert_eq!(create(Commuter).await, harbor);
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_characters() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let create = async |key: &str| {
        let call = app.post("/api/vps").by(Member).json(&wanted("web"));
        call.header("idempotency-key", key).await
    };
    assert_snapshot!(create(&"k".repeat(256)).await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`Idempotency-Key` must be 1 to 255 visible characters",
      "errors": [
        {
          "error": "`Idempotency-Key` must be 1 to 255 visible characters",
          "field": "Idempotency-Key"
        }
      ],
      "field": "Idempotency-Key",
      "request_id": "[id]",
      "success": false
    }
    "#);
    for wrong in ["", " ", "\u{e9}"] {
        let answer = create(wrong).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.word("/field"), "Idempotency-Key", "{wrong:?}");
    }
    assert_eq!(app.count().await, 0);
    create(&"k".repeat(255)).await.ok();
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let create = async |label: &str| {
        let call = app.post("/api/vps").by(Member).json(&wanted(label));
        call.header("idempotency-key", "order 7").await
    };
    create("two words").await.refused(400, "VALIDATION_ERROR");
    create("one-word").await.ok();
}

#[tokio::test]
async fn an_action_under_a_used_key_is_the_same_operation() {
    let app = TestApp::start().await;
    app.register().await;
    let id = app.running("again").await;
    let reboot = async || {
        let call = app.post(&format!("/api/vps/{id}/reboot")).by(Member);
        call.header("idempotency-key", "reboot 1").await.ok()
    };
    let first = reboot().await;
    app.finished(&first).await;
    assert_eq!(
        reboot().await.word("/operation/id"),
        first.word("/operation/id")
    );
    let journal = app.sim.handle().journal();
    let rebooted = journal.iter().filter(|it| {
        it.method == "POST"
            && it
                .body
                .as_ref()
                .is_some_and(|it| it["type"] == json!("reboot"))
    });
    assert_eq!(rebooted.count(), 1);
}
