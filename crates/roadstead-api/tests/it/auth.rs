//! Health, and logging in and out.

use insta::assert_snapshot;
use serde_json::json;

use crate::app::{Commuter, Member, PASSWORD, Stranger, TestApp, Viewer};

#[tokio::test]
async fn the_service_says_that_it_lives_and_that_it_can_work() {
    let app = TestApp::start_idle().await;
    assert_snapshot!(app.get("/api/health").await.shown(), @r#"
    200
    {
      "status": "ok",
      "success": true,
      "version": "[version]"
    }
    "#);
    assert_snapshot!(app.get("/api/health/ready").await.shown(), @r#"
    200
    {
      "status": "ready",
      "success": true
    }
    "#);
}

#[tokio::test]
async fn a_login_tells_who_one_is_and_where_one_belongs() {
    let app = TestApp::start_idle().await;
    assert_snapshot!(app.login(Commuter).await.shown(), @r#"
    200
    {
      "expires_at": "[time]",
      "organizations": [
        {
          "id": "[id]",
          "name": "Harbor",
          "role": "member"
        },
        {
          "id": "[id]",
          "name": "Strangers",
          "role": "viewer"
        }
      ],
      "success": true,
      "token": "[token]",
      "user": {
        "created_at": "[time]",
        "email": "commuter@test.example",
        "id": "[id]",
        "operator": false
      }
    }
    "#);
}

#[tokio::test]
async fn the_case_of_an_address_and_space_around_it_do_not_matter() {
    let app = TestApp::start_idle().await;
    let credentials = json!({ "email": " MEMBER@test.EXAMPLE ", "password": PASSWORD });
    app.post("/api/auth/login").json(&credentials).await.ok();
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike() {
    let app = TestApp::start_idle().await;
    let login = async |email: &str, password: &str| {
        let credentials = json!({ "email": email, "password": password });
        app.post("/api/auth/login").json(&credentials).await
    };
    let wrong = login("member@test.example", "guess").await;
    assert_snapshot!(wrong.shown(), @r#"
    401
    {
      "code": "UNAUTHENTICATED",
      "error": "the e-mail address or the password is wrong",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let unknown = login("nobody@test.example", "guess").await;
    assert_eq!(unknown.shown(), wrong.shown());
    let malformed = login("no address at all", "guess").await;
    assert_eq!(malformed.shown(), wrong.shown());
    let endless = login("member@test.example", &"x".repeat(100_000)).await;
    assert_eq!(endless.shown(), wrong.shown());
}

#[tokio::test]
async fn a_login_without_credentials_says_what_is_missing() {
    let app = TestApp::start_idle().await;
    let login = || app.post("/api/auth/login");
    assert_snapshot!(login().await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "send JSON, with the header `Content-Type: application/json`",
      "errors": [
        {
          "error": "send JSON, with the header `Content-Type: application/json`",
          "field": "Content-Type"
        }
      ],
      "field": "Content-Type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(login().raw("").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "the body is empty; send a JSON object",
      "errors": [
        {
          "error": "the body is empty; send a JSON object",
          "field": "body"
        }
      ],
      "field": "body",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let half = login()
        .json(&json!({ "email": "member@test.example" }))
        .await;
    assert_snapshot!(half.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "missing field `password`",
      "errors": [
        {
          "error": "missing field `password`",
          "field": "password"
        }
      ],
      "field": "password",
      "request_id": "[id]",
      "success": false
    }
    "#);
}

#[tokio::test]
async fn me_shows_the_caller() {
    let app = TestApp::start_idle().await;
    assert_snapshot!(app.get("/api/auth/me").by(Viewer).await.shown(), @r#"
    200
    {
      "expires_at": "[time]",
      "organizations": [
        {
          "id": "[id]",
          "name": "Harbor",
          "role": "viewer"
        }
      ],
      "success": true,
      "user": {
        "created_at": "[time]",
        "email": "viewer@test.example",
        "id": "[id]",
        "operator": false
      }
    }
    "#);
}

#[tokio::test]
async fn a_token_is_worth_nothing_after_logout_and_other_tokens_are_untouched() {
    let app = TestApp::start_idle().await;
    let other = app.login(Member).await.ok().word("/token");
    let logout = app.post("/api/auth/logout").by(Member).await;
    assert_snapshot!(logout.shown(), @r#"
    200
    {
      "success": true
    }
    "#);
    let after = app.get("/api/auth/me").by(Member).await;
    after.refused(401, "UNAUTHENTICATED");
    let again = app.post("/api/auth/logout").by(Member).await;
    again.refused(401, "UNAUTHENTICATED");
    let bearer = format!("Bearer {other}");
    let untouched = app
        .get("/api/auth/me")
        .header("authorization", &bearer)
        .await;
    untouched.ok();
}

#[tokio::test]
async fn who_cannot_prove_who_they_are_is_asked_for_a_bearer_token() {
    let app = TestApp::start_idle().await;
    let token = app.token(Member).await;
    assert_snapshot!(app.get("/api/vps").await.shown(), @r#"
    401
    {
      "code": "UNAUTHENTICATED",
      "error": "send the header `Authorization: Bearer <token>`, with the token that a login gives",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let unknown = app
        .get("/api/vps")
        .header("authorization", "Bearer rs_unknown")
        .await;
    assert_eq!(
        unknown.word("/error"),
        "log in first: the session is unknown or has ended"
    );
    let cut = &token[..token.len() - 1];
    for wrong in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer rs_unknown".to_owned(),
        format!("Bearer {cut}"),
        format!("Bearer {token}x"),
        format!("Bearer {token} {token}"),
        format!("Basic {token}"),
        token.clone(),
        "Bearer \u{e9}".to_owned(),
    ] {
        let answer = app.get("/api/vps").header("authorization", &wrong).await;
        let answer = answer.refused(401, "UNAUTHENTICATED");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{wrong}");
        assert!(!answer.text.contains(&token), "{wrong}");
    }
    let lower = format!("bearer   {token}");
    app.get("/api/vps")
        .header("authorization", &lower)
        .await
        .ok();
}

#[tokio::test]
async fn a_token_in_the_address_is_no_proof() {
    let app = TestApp::start_idle().await;
    let token = app.token(Member).await;
    let answer = app.get(&format!("/api/auth/me?token={token}")).await;
    answer.refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_organization_is_chosen_by_a_header_among_ones_own() {
    let app = TestApp::start_idle().await;
    let me = app.get("/api/auth/me").by(Commuter).await.ok();
    let organizations = me.at("/organizations");
    let id_of = |name: &str| {
        let organizations = organizations.as_array().unwrap();
        let found = organizations.iter().find(|it| it["name"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    app.register().await;
    app.create("in-harbor").await;
    let list = async |organization: &str| {
        let call = app.get("/api/vps").by(Commuter);
        call.header("x-organization", organization).await
    };
    let in_harbor = list(&id_of("Harbor")).await.ok();
    assert_eq!(in_harbor.word("/instances/0/label"), "in-harbor");
    let elsewhere = list(&id_of("Strangers")).await.ok();
    assert_eq!(elsewhere.at("/instances"), json!([]));

    // The role is that of the chosen organization: a member there, a viewer here.
    let creating = app.post("/api/vps").by(Commuter);
    let creating = creating.header("x-organization", &id_of("Strangers"));
    let refused = creating.json(&crate::app::wanted("web")).await;
    assert_snapshot!(refused.shown(), @r#"
    403
    {
      "code": "FORBIDDEN",
      "error": "as viewer you may not create or change servers in this organization",
      "request_id": "[id]",
      "success": false
    }
    "#);

    let foreign = app.get("/api/vps").by(Stranger);
    let foreign = foreign.header("x-organization", &id_of("Harbor")).await;
    assert_snapshot!(foreign.shown(), @r#"
    404
    {
      "code": "NOT_FOUND",
      "error": "there is no such organization",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let absent = app.get("/api/vps").by(Stranger);
    let absent = absent.header("x-organization", "018f0000-0000-7000-8000-000000000000");
    assert_eq!(absent.await.shown(), foreign.shown());
    for invalid in ["Harbor", "", "%00", "\u{e9}"] {
        let answer = app.get("/api/vps").by(Member);
        let answer = answer.header("x-organization", invalid).await;
        let answer = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.word("/field"), "X-Organization");
    }
}
