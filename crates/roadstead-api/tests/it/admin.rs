//! Vendor accounts, for operators.

use std::time::Duration;

use insta::assert_snapshot;
use roadstead_sim::{Effect, Scopes, TOKEN_FULL, TOKEN_OTHER, TOKEN_READ_ONLY};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{Member, Operator, Setup, TestApp, wanted};

async fn register(app: &TestApp, body: Value) -> Answer {
    app.post("/api/admin/providers")
        .by(Operator)
        .json(&body)
        .await
}

fn account(name: &str, token: &str) -> Value {
    json!({ "name": name, "type": "digitalocean", "token": token })
}

async fn accounts(app: &TestApp) -> Vec<String> {
    let list = app.get("/api/admin/providers").by(Operator).await.ok();
    let providers = list.at("/providers");
    let names = providers.as_array().unwrap().iter();
    names
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_account_is_registered_after_its_vendor_was_asked_and_its_token_never_comes_out() {
    let app = TestApp::start_idle().await;
    let registered = register(&app, account("DO main", TOKEN_FULL)).await;
    let mut shown = registered.json();
    shown["provider"]["descriptor"] = json!("[descriptor]");
    let shown = Answer {
        text: shown.to_string(),
        ..registered
    };
    assert_snapshot!(shown.shown(), @r#"
    200
    {
      "provider": {
        "active": true,
        "configuration": {},
        "created_at": "[time]",
        "descriptor": "[descriptor]",
        "fingerprint": "[fingerprint]",
        "id": "[id]",
        "name": "DO main",
        "position": 0,
        "type": "digitalocean",
        "updated_at": "[time]",
        "verification": {
          "at": "[time]",
          "state": "verified"
        }
      },
      "success": true
    }
    "#);
    assert_eq!(app.vendor_calls("GET", "/v2/account"), 1);
    let id = shown.word("/provider/id");
    for path in [
        "/api/admin/providers".to_owned(),
        format!("/api/admin/providers/{id}"),
    ] {
        let answer = app.get(&path).by(Operator).await.ok();
        roadstead_testkit::assert_absent(TOKEN_FULL, answer.text.as_bytes());
    }
}

#[tokio::test]
async fn a_token_that_the_vendor_refuses_is_not_saved() {
    let app = TestApp::start_idle().await;
    let secret = roadstead_testkit::canary("token");
    let wrong = register(&app, account("DO", &secret)).await;
    assert_snapshot!(wrong.shown(), @r#"
    502
    {
      "code": "INVALID_CREDENTIALS",
      "error": "digitalocean could not validate the credentials: the provider does not accept the token",
      "errors": [
        {
          "error": "the provider does not accept the token",
          "field": "token"
        }
      ],
      "field": "token",
      "provider": "digitalocean",
      "request_id": "[id]",
      "success": false
    }
    "#);
    roadstead_testkit::assert_absent(&secret, wrong.text.as_bytes());
    assert_eq!(accounts(&app).await, [""; 0]);
}

#[tokio::test]
async fn an_account_whose_vendor_cannot_be_reached_is_saved_as_unverified() {
    let app = TestApp::start_with(Setup {
        workers: 0,
        vendor_patience: (Duration::from_secs(2), Duration::from_secs(3)),
        ..Setup::DEFAULT
    })
    .await;
    let refused = Effect {
        drop: true,
        ..Effect::default()
    };
    app.spoil("/v2/account", refused);
    let saved = register(&app, account("DO", TOKEN_FULL)).await.ok();
    assert_eq!(saved.word("/provider/verification/state"), "unverified");
    let reason = saved.word("/provider/verification/reason");
    assert!(reason.starts_with("digitalocean could not "), "{reason}");

    app.sim.handle().clear_faults();
    let id = saved.word("/provider/id");
    let validated = app
        .post(&format!("/api/admin/providers/{id}/validate"))
        .by(Operator);
    let validated = validated.await.ok();
    assert_eq!(validated.word("/provider/verification/state"), "verified");
    assert!(validated.at("/provider/fingerprint").is_string());
}

#[tokio::test]
async fn an_account_is_registered_once() {
    let app = TestApp::start_idle().await;
    register(&app, account("first", TOKEN_FULL)).await.ok();
    let twin = register(&app, account("second", TOKEN_FULL)).await;
    assert_snapshot!(twin.shown(), @r#"
    409
    {
      "code": "CONFLICT",
      "error": "this account at the provider is registered already, as `first`",
      "request_id": "[id]",
      "success": false
    }
    "#);
    // The other token opens the same account.
    let same = register(&app, account("third", TOKEN_READ_ONLY)).await;
    same.refused(409, "CONFLICT");
    let name = register(&app, account("first", TOKEN_OTHER)).await;
    assert_snapshot!(name.shown(), @r#"
    409
    {
      "code": "CONFLICT",
      "error": "the name of the provider account is taken",
      "request_id": "[id]",
      "success": false
    }
    "#);
    register(&app, account("fourth", TOKEN_OTHER)).await.ok();
    assert_eq!(accounts(&app).await, ["first", "fourth"]);
}

#[tokio::test]
async fn accounts_of_vendors_that_cannot_be_had_are_refused_with_the_reason() {
    let app = TestApp::start_idle().await;
    let of = |kind: &str| json!({ "name": "x", "type": kind, "token": "t" });
    assert_snapshot!(register(&app, of("vultr")).await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`vultr` is no provider type; use one of `digitalocean`",
      "errors": [
        {
          "error": "`vultr` is no provider type; use one of `digitalocean`",
          "field": "type"
        }
      ],
      "field": "type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(register(&app, of("aws")).await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`aws` is not available yet: Roadstead cannot create servers at AWS EC2 yet",
      "errors": [
        {
          "error": "`aws` is not available yet: Roadstead cannot create servers at AWS EC2 yet",
          "field": "type"
        }
      ],
      "field": "type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(register(&app, of("gcp")).await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`gcp` is not available yet: Roadstead cannot create servers at Google Compute Engine yet",
      "errors": [
        {
          "error": "`gcp` is not available yet: Roadstead cannot create servers at Google Compute Engine yet",
          "field": "type"
        }
      ],
      "field": "type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_eq!(accounts(&app).await, [""; 0]);
}

#[tokio::test]
async fn credentials_are_not_taken_for_a_token() {
    let app = TestApp::start_idle().await;
    let secret = roadstead_testkit::canary("credentials");
    let body = json!({
        "name": "DO", "type": "digitalocean", "credentials": { "token": secret },
    });
    let answer = register(&app, body).await.refused(400, "VALIDATION_ERROR");
    assert_eq!(answer.fields(), ["credentials"]);
    assert_eq!(answer.word("/error"), "this provider takes `token`");
    assert!(!answer.text.contains(&secret));
    assert_eq!(app.vendor_calls("GET", "/v2/account"), 0);
    assert_eq!(accounts(&app).await, [""; 0]);
}

#[tokio::test]
async fn a_registration_of_the_wrong_form_names_the_field() {
    let app = TestApp::start_idle().await;
    let table = [
        (json!({}), "name"),
        (json!({ "name": "x", "token": "t" }), "type"),
        (json!({ "name": "x", "type": "digitalocean" }), "token"),
        (
            json!({ "name": "x", "type": "digitalocean", "token": "t", "credentials": {} }),
            "credentials",
        ),
        (
            json!({ "name": "x", "type": "digitalocean", "credentials": { "token": "t" } }),
            "credentials",
        ),
        (
            json!({ "name": "x", "type": "gcp", "credentials": { "private_key": "t" } }),
            "type",
        ),
        (
            json!({ "name": "x", "type": "digitalocean", "token": "" }),
            "token",
        ),
        (
            json!({ "name": "x", "type": "digitalocean", "token": "a b" }),
            "token",
        ),
        (
            json!({ "name": "x", "type": "digitalocean", "token": "x".repeat(16_385) }),
            "token",
        ),
        (
            json!({ "name": "", "type": "digitalocean", "token": "t" }),
            "name",
        ),
        (
            json!({ "name": " \n ", "type": "digitalocean", "token": "t" }),
            "name",
        ),
        (
            json!({ "name": "a\u{7}b", "type": "digitalocean", "token": "t" }),
            "name",
        ),
        (
            json!({ "name": "x".repeat(101), "type": "digitalocean", "token": "t" }),
            "name",
        ),
        (
            json!({ "name": "x", "type": "digitalocean", "token": "t", "configuration": [] }),
            "configuration",
        ),
        (
            json!({ "name": "x", "type": "digitalocean", "token": "t", "active": true }),
            "active",
        ),
    ];
    for (body, field) in table {
        let answer = register(&app, body.clone()).await;
        let answer = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), [field], "{body} {}", answer.text);
    }
    assert_eq!(accounts(&app).await, [""; 0]);
}

#[tokio::test]
async fn an_account_can_be_renamed_switched_off_and_given_a_new_token() {
    let app = TestApp::start_idle().await;
    let path = format!("/api/admin/providers/{}", app.register().await);
    let change = async |body: Value| app.patch(&path).by(Operator).json(&body).await;
    let renamed = change(json!({ "name": "renamed", "active": false }))
        .await
        .ok();
    assert_eq!(renamed.word("/provider/name"), "renamed");
    assert_eq!(renamed.at("/provider/active"), json!(false));
    change(json!({ "token": TOKEN_READ_ONLY })).await.ok();
    let other = change(json!({ "token": TOKEN_OTHER })).await;
    assert_snapshot!(other.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "this token belongs to another account at the provider; register it as a new account",
      "errors": [
        {
          "error": "this token belongs to another account at the provider; register it as a new account",
          "field": "token"
        }
      ],
      "field": "token",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let unknown = change(json!({ "token": "nobody-knows-it" })).await;
    unknown.refused(502, "INVALID_CREDENTIALS");
    let empty = change(json!({})).await.ok();
    assert_eq!(empty.word("/provider/name"), "renamed");
    for (body, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "type": "aws" }), "type"),
    ] {
        let answer = change(body).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), [field]);
    }
}

#[tokio::test]
async fn validating_shows_that_a_token_was_revoked_and_the_account_is_frozen_until_it_is_good() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    let validate = format!("/api/admin/providers/{id}/validate");
    app.sim
        .handle()
        .set_token(TOKEN_FULL, None, Scopes::Revoked);
    let refused = app.post(&validate).by(Operator).await.ok();
    assert_eq!(refused.word("/provider/verification/state"), "refused");
    let frozen = app.post("/api/vps").by(Member).json(&wanted("web")).await;
    assert_snapshot!(frozen.shown(), @r#"
    502
    {
      "code": "INVALID_CREDENTIALS",
      "error": "the provider refuses the account's credentials: the provider does not accept the token",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let calls = app.sim.handle().journal().len();
    let plans = app.get("/api/vps/digitalocean/plans").by(Member).await;
    plans.refused(502, "INVALID_CREDENTIALS");
    assert_eq!(app.sim.handle().journal().len(), calls);

    app.sim.handle().set_token(TOKEN_FULL, None, Scopes::Full);
    let good = app.post(&validate).by(Operator).await.ok();
    assert_eq!(good.word("/provider/verification/state"), "verified");
    app.create("web").await;
}

#[tokio::test]
async fn an_account_with_live_servers_is_kept() {
    let app = TestApp::start().await;
    let path = format!("/api/admin/providers/{}", app.register().await);
    let id = app.running("tenant").await;
    app.running("another").await;
    let refused = app.delete(&path).by(Operator).await;
    assert_snapshot!(refused.shown(), @r#"
    409
    {
      "code": "CONFLICT",
      "error": "the account still has 2 servers to look after; delete them and wait until they are gone",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let servers = app.get("/api/vps").by(Member).await.ok();
    for it in servers.at("/instances").as_array().unwrap() {
        let path = format!("/api/vps/{}", it["id"].as_str().unwrap());
        app.finished(&app.delete(&path).by(Member).await.ok()).await;
    }
    assert_snapshot!(app.delete(&path).by(Operator).await.shown(), @r#"
    200
    {
      "success": true
    }
    "#);
    app.delete(&path)
        .by(Operator)
        .await
        .refused(404, "PROVIDER_NOT_FOUND");
    app.get(&path)
        .by(Operator)
        .await
        .refused(404, "PROVIDER_NOT_FOUND");
    // What was there is still in the books.
    let gone = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
    assert_eq!(gone.word("/instance/status"), "deleted");
}

#[tokio::test]
async fn accounts_stand_in_the_operators_order() {
    let app = TestApp::start_idle().await;
    let handle = app.sim.handle();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        handle.set_token(&format!("token-{name}"), Some(name), Scopes::Full);
        let made = register(&app, account(name, &format!("token-{name}")))
            .await
            .ok();
        ids.push(made.word("/provider/id"));
    }
    let reorder = async |order: Value| {
        let call = app.put("/api/admin/providers/reorder").by(Operator);
        call.json(&json!({ "order": order })).await
    };
    reorder(json!([ids[2], ids[0]])).await.ok();
    assert_eq!(accounts(&app).await, ["c", "a", "b"]);
    // The first in order is the one that a create by type alone goes to.
    let created = app.create("web").await;
    assert_eq!(created.word("/instance/provider_id"), ids[2]);
    let unknown = reorder(json!([ids[1], "018f0000-0000-7000-8000-000000000000"])).await;
    unknown.refused(404, "PROVIDER_NOT_FOUND");
    assert_eq!(accounts(&app).await, ["c", "a", "b"]);
    for wrong in [json!(["x"]), json!("x"), json!(null)] {
        reorder(wrong).await.refused(400, "VALIDATION_ERROR");
    }
    reorder(json!([])).await.ok();
    assert_eq!(accounts(&app).await, ["c", "a", "b"]);
}
