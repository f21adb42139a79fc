//! Tokens and accounts.

use reqwest::Method;
use roadstead_sim::{Scopes, TOKEN_FULL, TOKEN_OTHER, TOKEN_READ_ONLY};
use serde_json::{Value, json};

use crate::sim::{Sim, web};

#[tokio::test]
async fn an_unknown_token_and_no_token_are_refused() {
    let sim = Sim::frozen();
    let got = sim
        .call(Method::GET, "/v2/account", "nobody", None)
        .await
        .unwrap();
    assert_eq!((got.status, &got.body["id"]), (401, &json!("unauthorized")));
    assert_eq!(got.body["message"], "Unable to authenticate you.");
    let bare = sim.http().get(sim.url("/v2/account")).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert!(bare.headers().contains_key("ratelimit-limit"));
}

#[tokio::test]
async fn a_reading_token_reads_the_same_account_and_writes_nothing() {
    let sim = Sim::frozen();
    sim.create(&web("web-1")).await;
    let seen = sim
        .call(Method::GET, "/v2/droplets", TOKEN_READ_ONLY, None)
        .await
        .unwrap();
    assert_eq!(seen.body["meta"]["total"], 1);
    let body = web("web-2");
    let refused = sim
        .call(Method::POST, "/v2/droplets", TOKEN_READ_ONLY, Some(&body))
        .await
        .unwrap();
    assert_eq!(
        (refused.status, &refused.body["id"]),
        (403, &json!("forbidden"))
    );
    assert_eq!(sim.get("/v2/droplets").await.body["meta"]["total"], 1);
}

#[tokio::test]
async fn another_account_has_its_own_team_and_droplets() {
    let sim = Sim::frozen();
    let id = sim.create(&web("web-1")).await;
    let team = |got: Value| got["account"]["team"]["uuid"].as_str().unwrap().to_owned();
    let main = team(sim.get("/v2/account").await.body);
    let other = sim
        .call(Method::GET, "/v2/account", TOKEN_OTHER, None)
        .await
        .unwrap();
    assert_ne!(main, team(other.body));
    assert_eq!(main.len(), 40);
    // The same in the next process, whatever its seed.
    assert_eq!(main, team(Sim::frozen().get("/v2/account").await.body));

    let path = format!("/v2/droplets/{id}");
    assert_eq!(
        sim.call(Method::GET, &path, TOKEN_OTHER, None)
            .await
            .unwrap()
            .status,
        404
    );
}

#[tokio::test]
async fn a_token_can_be_revoked_added_and_narrowed_while_running() {
    let sim = Sim::frozen();
    let change = json!({ "token": TOKEN_FULL, "scopes": "revoked" });
    assert_eq!(sim.post("/_sim/tokens", &change).await.status, 204);
    assert_eq!(sim.get("/v2/account").await.status, 401);

    sim.handle().set_token("fresh", Some("third"), Scopes::Full);
    let fresh = sim
        .call(Method::GET, "/v2/account", "fresh", None)
        .await
        .unwrap();
    assert_eq!(fresh.body["account"]["email"], "third@sim.example");
    sim.handle().set_token("fresh", None, Scopes::Read);
    let body = web("web-1");
    let refused = sim
        .call(Method::POST, "/v2/droplets", "fresh", Some(&body))
        .await
        .unwrap();
    assert_eq!(refused.status, 403);
}
