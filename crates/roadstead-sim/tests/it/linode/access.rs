//! Tokens, scopes and what needs none.

use reqwest::Method;
use roadstead_sim::{TOKEN_FULL, TOKEN_OTHER, TOKEN_READ_ONLY};
use serde_json::{Value, json};

use super::{INSTANCES, create, frozen, reason, web};
use crate::sim::{Got, Sim};

async fn bare(sim: &Sim, path: &str) -> Got {
    let response = sim.http().get(sim.url(path)).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    Got {
        status,
        headers,
        body,
    }
}

#[tokio::test]
async fn catalogues_need_no_token_and_everything_else_does() {
    let sim = frozen();
    for path in [
        "/v4/regions",
        "/v4beta/regions",
        "/v4/regions/us-east",
        "/v4/regions/us-ord/availability",
        "/v4/regions/availability",
        "/v4/linode/types",
        "/v4/linode/types/g6-nanode-1",
        "/v4/linode/kernels",
        "/v4/linode/kernels/linode/grub2",
        "/v4/images",
        "/v4/images/linode/debian12",
    ] {
        assert_eq!(bare(&sim, path).await.status, 200, "{path}");
    }
    for path in ["/v4/account", "/v4/profile", INSTANCES, "/v4/tags"] {
        let got = bare(&sim, path).await;
        assert_eq!(reason(&got), (401, "Invalid Token", None), "{path}");
        assert_eq!(got.headers["x-oauth-scopes"], "unknown");
    }
    assert_eq!(
        reason(&bare(&sim, "/v4/nothing").await),
        (404, "Not found", None)
    );
    assert_eq!(bare(&sim, "/v3/regions").await.status, 404);
    let posted = sim.post("/v4/linode/types", &json!({})).await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn private_images_are_seen_only_with_the_accounts_token() {
    let sim = frozen();
    let private = |got: &Got| {
        let images = got.body["data"].as_array().unwrap();
        images.iter().filter(|it| it["is_public"] == false).count()
    };
    assert_eq!(private(&bare(&sim, "/v4/images").await), 0);
    assert_eq!(private(&sim.get("/v4/images").await), 4);
    let path = "/v4/images/private/20000001";
    assert_eq!(bare(&sim, path).await.status, 404);
    assert_eq!(sim.get(path).await.body["label"], "golden-web");
    let encoded = "/v4/images/private%2F20000001";
    assert_eq!(sim.get(encoded).await.status, 200);
    let other = sim.call(Method::GET, path, TOKEN_OTHER, None).await;
    assert_eq!(other.unwrap().status, 404);
}

#[tokio::test]
async fn an_unknown_token_is_refused_even_where_none_is_needed() {
    let sim = frozen();
    for path in ["/v4/profile", "/v4/regions"] {
        let got = sim.call(Method::GET, path, "nobody", None).await.unwrap();
        assert_eq!(reason(&got), (401, "Invalid Token", None));
    }
}

#[tokio::test]
async fn a_reading_token_reads_the_same_account_and_writes_nothing() {
    let sim = frozen();
    create(&sim, &web("web-1")).await;
    let seen = sim
        .call(Method::GET, INSTANCES, TOKEN_READ_ONLY, None)
        .await;
    let seen = seen.unwrap();
    assert_eq!(seen.body["results"], 1);
    let held = seen.headers["x-oauth-scopes"].to_str().unwrap();
    assert!(held.contains("linodes:read_only"), "{held}");
    assert_eq!(seen.headers["x-accepted-oauth-scopes"], "linodes:read_only");
    let body = web("web-2");
    let refused = sim
        .call(Method::POST, INSTANCES, TOKEN_READ_ONLY, Some(&body))
        .await
        .unwrap();
    let unauthorized = "Your OAuth token is not authorized to use this endpoint.";
    assert_eq!(reason(&refused), (403, unauthorized, None));
    assert_eq!(
        refused.headers["x-accepted-oauth-scopes"],
        "linodes:read_write"
    );
    assert_eq!(sim.get(INSTANCES).await.body["results"], 1);
}

#[tokio::test]
async fn another_account_has_its_own_identity_and_servers() {
    let sim = frozen();
    let id = create(&sim, &web("web-1")).await;
    let euuid = |got: Value| got["euuid"].as_str().unwrap().to_owned();
    let main = euuid(sim.get("/v4/account").await.body);
    let other = sim
        .call(Method::GET, "/v4/account", TOKEN_OTHER, None)
        .await;
    assert_ne!(main, euuid(other.unwrap().body));
    assert_eq!(main.len(), 35);
    // The same in the next process, whatever its seed.
    assert_eq!(main, euuid(frozen().get("/v4/account").await.body));

    let path = format!("{INSTANCES}/{id}");
    let theirs = sim.call(Method::GET, &path, TOKEN_OTHER, None).await;
    assert_eq!(reason(&theirs.unwrap()), (404, "Not found", None));
    let profile = sim.get("/v4/profile").await;
    assert_eq!(profile.body["username"], "sim-main");
    assert_eq!(profile.headers["x-oauth-scopes"], "*");
}

#[tokio::test]
async fn a_password_is_neither_in_the_journal_nor_in_the_state() {
    let sim = frozen();
    let secret = "correct-Horse-7-battery";
    let id = create(&sim, &web("web-1")).await;
    super::act_with(&sim, id, "password", &json!({ "root_pass": secret })).await;
    let broken = format!("{{\"root_pass\":\"{secret}\"");
    let request = sim.http().post(sim.url(INSTANCES)).bearer_auth(TOKEN_FULL);
    let refused = request.body(broken).send().await.unwrap();
    assert_eq!(refused.status(), 400);

    let journal = sim.get("/_sim/journal").await.body;
    assert!(!journal.to_string().contains(secret), "{journal}");
    let kept = journal["journal"][0]["body"]["root_pass"].as_str().unwrap();
    assert!(kept.starts_with("[sha256:"), "{kept}");
    let state = sim.get("/_sim/state").await.body;
    assert!(!state.to_string().contains(secret));
    assert_eq!(state["accounts"][0]["instances"][0]["had_root_pass"], true);
}
