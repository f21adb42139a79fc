//! A vendor that fails: the right status and code, and none of its own words.

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use roadstead_sim::{Effect, Scopes, TOKEN_FULL};
use roadstead_testkit::{assert_absent, canary};
use serde_json::{Value, json};

use crate::app::{Member, Setup, TestApp, wanted};

/// A vendor that is given little time.
async fn hurried() -> TestApp {
    let app = TestApp::start_with(Setup {
        workers: 1,
        vendor_patience: (Duration::from_secs(2), Duration::from_secs(3)),
        ..Setup::DEFAULT
    })
    .await;
    app.register().await;
    app
}

fn saying(status: u16, words: &str) -> Effect {
    Effect {
        status: Some(status),
        body: Some(json!({ "id": "server_error", "message": words, "request_id": words })),
        ..Effect::default()
    }
}

#[tokio::test]
async fn a_vendor_that_fails_is_a_bad_gateway() {
    let app = hurried().await;
    let words = canary("words");
    app.spoil("/v2/sizes", saying(500, &words));
    let answer = app.get("/api/vps/digitalocean/plans").by(Member).await;
    assert_absent(&words, answer.text.as_bytes());
    assert_snapshot!(answer.shown(), @r#"
    502
    {
      "code": "API_ERROR",
      "error": "digitalocean could not list the plans: the provider failed",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
}

#[tokio::test]
async fn a_web_page_in_the_vendors_place_is_a_bad_gateway() {
    let app = hurried().await;
    let words = canary("words");
    app.spoil(
        "/v2/images",
        Effect {
            status: Some(200),
            body: Some(Value::from(format!("<html>{words}</html>"))),
            content_type: Some("text/html".to_owned()),
            ..Effect::default()
        },
    );
    let answer = app.get("/api/vps/digitalocean/images").by(Member).await;
    assert_absent(&words, answer.text.as_bytes());
    assert_snapshot!(answer.shown(), @r#"
    502
    {
      "code": "API_ERROR",
      "error": "digitalocean could not list the images: it answered with a web page",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_told_as_such() {
    let app = hurried().await;
    let words = canary("words");
    app.spoil(
        "/v2/regions",
        Effect {
            body: Some(json!({ "regions": words })),
            ..Effect::default()
        },
    );
    let answer = app.get("/api/vps/digitalocean/regions").by(Member).await;
    assert_absent(&words, answer.text.as_bytes());
    assert_snapshot!(answer.shown(), @r#"
    502
    {
      "code": "API_ERROR",
      "error": "digitalocean could not list the regions: the provider failed to answer properly",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_in_time_is_a_gateway_timeout() {
    let app = hurried().await;
    app.spoil(
        "/v2/sizes",
        Effect {
            delay_ms: Some(20_000),
            ..Effect::default()
        },
    );
    let answer = app.get("/api/vps/digitalocean/plans").by(Member).await;
    assert_snapshot!(answer.shown(), @r#"
    504
    {
      "code": "API_ERROR",
      "error": "digitalocean could not list the plans: the provider did not answer in time",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
}

#[tokio::test]
async fn a_vendor_that_asks_for_time_is_passed_on_with_the_time() {
    let app = hurried().await;
    let words = canary("words");
    let headers = BTreeMap::from([("retry-after".to_owned(), "42".to_owned())]);
    app.spoil(
        "/v2/sizes",
        Effect {
            headers,
            ..saying(429, &words)
        },
    );
    let answer = app.get("/api/vps/digitalocean/plans").by(Member).await;
    assert_absent(&words, answer.text.as_bytes());
    let answer = answer.refused(429, "RATE_LIMIT_EXCEEDED");
    let seconds = answer.at("/retry_after").as_u64().unwrap();
    assert!((40..=42).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("retry-after"), Some(&*seconds.to_string()));
    assert_eq!(answer.word("/provider"), "digitalocean");
}

#[tokio::test]
async fn a_failure_is_not_kept_by_the_cache() {
    let app = hurried().await;
    app.spoil("/v2/sizes", saying(500, "down"));
    let path = "/api/vps/digitalocean/plans";
    app.get(path).by(Member).await.refused(502, "API_ERROR");
    app.sim.handle().clear_faults();
    app.get(path).by(Member).await.ok();
}

#[tokio::test]
async fn a_revoked_token_logs_no_member_out() {
    let app = hurried().await;
    app.sim
        .handle()
        .set_token(TOKEN_FULL, None, Scopes::Revoked);
    let answer = app.get("/api/vps/digitalocean/plans").by(Member).await;
    assert_snapshot!(answer.shown(), @r#"
    502
    {
      "code": "INVALID_CREDENTIALS",
      "error": "digitalocean could not list the plans: the provider does not accept the token",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert!(answer.header("www-authenticate").is_none());
    app.get("/api/auth/me").by(Member).await.ok();
}

#[tokio::test]
async fn a_create_fails_with_the_catalogue_and_leaves_nothing() {
    let app = hurried().await;
    app.spoil("/v2/images", saying(503, "down for maintenance"));
    let answer = app.post("/api/vps").by(Member).json(&wanted("web")).await;
    answer.refused(502, "API_ERROR");
    assert_eq!(app.count().await, 0);
}

#[tokio::test]
async fn who_waits_for_a_create_is_told_the_vendors_refusal_in_our_words() {
    let app = hurried().await;
    let words = format!("You specified an invalid size: {}", canary("words"));
    app.spoil("/v2/droplets", saying(422, &words));
    let mut request = wanted("refused");
    request["wait"] = json!(30);
    let answer = app.post("/api/vps").by(Member).json(&request).await;
    assert_absent(&words, answer.text.as_bytes());
    assert_snapshot!(answer.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "digitalocean could not create the instance: the provider refuses this value",
      "errors": [
        {
          "error": "digitalocean could not create the instance: the provider refuses this value",
          "field": "type"
        }
      ],
      "field": "type",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
    // The attempt is on record, as failed.
    let list = app.get("/api/vps").by(Member).await.ok();
    assert_eq!(list.word("/instances/0/status"), "failed");
    assert_absent(&words, list.text.as_bytes());
}
