//! What operators see of a provider that fails, and what members do not notice of it.

use std::time::Duration;

use insta::assert_snapshot;
use roadstead_sim::Effect;
use serde_json::{Value, json};

use crate::app::{Member, Operator, Setup, TestApp};

async fn health(app: &TestApp, id: &str) -> Value {
    let path = format!("/api/admin/providers/{id}");
    app.get(&path)
        .by(Operator)
        .await
        .ok()
        .at("/provider/health")
}

fn circuit(health: &Value, class: &str) -> Value {
    let circuits = health["circuits"].as_array().unwrap();
    circuits
        .iter()
        .find(|it| it["class"] == class)
        .unwrap()
        .clone()
}

#[tokio::test]
async fn an_account_that_works_is_shown_as_one() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    app.get("/api/vps/digitalocean/regions")
        .by(Member)
        .await
        .ok();
    let health = health(&app, &id).await;
    assert_snapshot!(health["circuits"], @r#"[{"class":"read","failures":0,"state":"closed","until":null},{"class":"mutate","failures":0,"state":"closed","until":null},{"class":"background","failures":0,"state":"closed","until":null}]"#);
    assert_eq!(health["frozen"], json!(false));
    assert_eq!(health["last_call"]["outcome"], json!("ok"));
    let ages = health["catalogues"].as_array().unwrap();
    let regions = ages.iter().find(|it| it["kind"] == "regions").unwrap();
    assert!(regions["age_seconds"].as_u64() < Some(60), "{regions}");
    // Only where one account is shown.
    let all = app.get("/api/admin/providers").by(Operator).await.ok();
    assert_eq!(all.at("/providers/0").get("health"), None);
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_and_members_still_see_their_servers() {
    let app = TestApp::start_with(Setup {
        workers: 0,
        vendor_patience: (Duration::from_millis(300), Duration::from_millis(400)),
        ..Setup::DEFAULT
    })
    .await;
    let id = app.register().await;
    app.create("web").await;
    app.spoil(
        "/v2/account",
        Effect {
            status: Some(500),
            ..Effect::default()
        },
    );
    let validate = format!("/api/admin/providers/{id}/validate");
    for _ in 0..5 {
        app.post(&validate).by(Operator).await.ok();
    }
    let asked = app.vendor_calls("GET", "/v2/account");
    let shown = health(&app, &id).await;
    let read = circuit(&shown, "read");
    assert_ne!(read["state"], json!("closed"), "{shown}");
    assert_eq!(read["failures"], json!(5), "{shown}");
    assert_eq!(circuit(&shown, "mutate")["state"], json!("closed"));
    assert_eq!(shown["last_call"]["outcome"], json!("server"));
    assert_eq!(shown["last_call"]["call"], json!("validate_credentials"));
    for _ in 0..20 {
        app.get("/api/vps").by(Member).await.ok();
    }
    assert_eq!(app.count().await, 1);
    assert_eq!(app.vendor_calls("GET", "/v2/account"), asked);
}
