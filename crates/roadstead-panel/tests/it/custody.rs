//! Servers that are taken into our books or let go, and those that nobody vouches for.

use reqwest::header::AUTHORIZATION;
use roadstead_core::ProviderId;
use roadstead_service::Lifecycle;
use roadstead_sim::TOKEN_FULL;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::doubt;
use crate::people::Operator;
use crate::providers::fail;

/// Has somebody else make a server at the provider, and returns its id there.
async fn droplet(app: &TestApp, name: &str) -> String {
    let endpoint = app.digitalocean.endpoint();
    let droplet = json!({
        "name": name,
        "region": "nyc3",
        "size": "s-1vcpu-1gb",
        "image": "ubuntu-22-04-x64",
    });
    let url = format!("{}/v2/droplets", endpoint.trim_end_matches("/v2"));
    let made = app
        .client
        .post(url)
        .header(AUTHORIZATION, format!("Bearer {TOKEN_FULL}"))
        .json(&droplet)
        .send()
        .await
        .unwrap();
    let made: Value = made.json().await.unwrap();
    made["droplet"]["id"].to_string()
}

async fn harbor(app: &TestApp) -> String {
    let grant = app.caller(Operator).await.operator().unwrap();
    let all = app.platform.organizations(&grant).await.unwrap();
    let harbor = all.into_iter().find(|it| it.name == "Harbor").unwrap();
    harbor.id.to_string()
}

async fn start() -> (TestApp, ProviderId) {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    (app, account)
}

#[tokio::test]
async fn a_server_that_somebody_else_made_is_imported() {
    let (app, account) = start().await;
    let place = format!("/providers/{account}/import");
    let page = app.get(&place).by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["Nothing to import"]);
    let hostile = "theirs";
    let id = droplet(&app, hostile).await;
    let page = app.get(&place).by(Operator).await.expect(200);
    let link = page.attributes("tbody a", "href")[0].clone();
    assert_eq!(link, format!("{place}/server?remote_id={id}&label=theirs"));
    let page = app.get(&link).by(Operator).await.expect(200);
    assert_eq!(page.attributes("#field-label", "value"), ["theirs"]);

    let harbor = harbor(&app).await;
    let send = async |remote: &str, organization: &str, label: &str| {
        let fields = [
            ("remote_id", remote),
            ("organization_id", organization),
            ("label", label),
            ("tags", "blue, green"),
        ];
        app.post(&format!("{place}/server"), &fields)
            .by(Operator)
            .await
    };
    send(&id, "", "theirs").await.mistake("organization_id");
    send(&id, &harbor, "").await.mistake("label");
    let page = send("99", &harbor, "theirs").await.expect(422);
    assert!(
        page.texts(".errors")[0].contains("no such server"),
        "{}",
        page.text
    );
    let reply = send(&id, &harbor, "theirs").await.leads_to(&place);
    assert_eq!(reply.cookie_value("roadstead_done"), "server_imported");
    let page = app.get("/").by(Operator).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), 1);
    assert_eq!(page.texts("tbody .tags li"), ["blue", "green"]);
}

#[tokio::test]
async fn an_account_that_cannot_be_asked_is_named() {
    let (app, account) = start().await;
    fail(&app.digitalocean);
    let place = format!("/providers/{account}/import");
    let page = app.get(&place).by(Operator).await.expect(200);
    assert_eq!(page.texts(".notice .title"), ["Blue could not be asked"]);
    assert!(page.attributes("main a", "href").contains(&place));
}

#[tokio::test]
async fn what_nobody_vouches_for_is_decided_about() {
    let (app, account) = start().await;
    let page = app.get("/quarantine").by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["The quarantine is empty"]);
    let id = droplet(&app, "copy-1").await;
    let adopted = doubt::quarantine(&app, account, &id, "copy-1").await;
    let released = doubt::quarantine(&app, account, "11", "copy-2").await;
    let deleted = doubt::quarantine(&app, account, "12", "copy-3").await;
    let page = app.get("/quarantine").by(Operator).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), 3);
    assert_eq!(
        page.attributes("nav.tabs [aria-current]", "href"),
        ["/quarantine"]
    );

    let act = async |id, what: &str, fields: &[(&str, &str)]| {
        app.post(&format!("/quarantine/{id}/{what}"), fields)
            .by(Operator)
            .await
    };
    act(adopted, "adopt", &[]).await.mistake("organization_id");
    let harbor = harbor(&app).await;
    let fields = [("organization_id", harbor.as_str()), ("label", "mine")];
    act(adopted, "adopt", &fields).await.leads_to("/quarantine");
    act(released, "release", &[]).await.leads_to("/quarantine");
    act(deleted, "delete", &[("typed", "copy-2")])
        .await
        .mistake("typed");
    act(deleted, "delete", &[("typed", "copy-3")])
        .await
        .leads_to("/quarantine");
    let page = app.get("/quarantine").by(Operator).await.expect(200);
    let rows = page.texts("tbody tr");
    assert!(
        rows.iter().any(|it| it.contains("To be deleted")),
        "{rows:?}"
    );
    // It was decided about already.
    let page = act(released, "release", &[]).await.expect(422);
    assert!(
        page.texts(".errors")[0].contains("Nothing is to be decided"),
        "{}",
        page.text
    );
    let page = app.get("/").by(Operator).await.expect(200);
    assert!(page.text.contains("mine"), "{}", page.text);
}

#[tokio::test]
async fn a_missing_server_is_gone_when_its_label_is_typed_and_the_provider_says_so() {
    let (app, account) = start().await;
    let page = app.get("/missing").by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["No server is missing"]);
    let id = doubt::miss(&app, account, "gone-1").await;
    let page = app.get("/missing").by(Operator).await.expect(200);
    assert!(
        page.texts("tbody tr")[0].contains("of Harbor, at Blue"),
        "{}",
        page.text
    );
    let place = format!("/missing/{id}");
    app.post(&place, &[("typed", "x")])
        .by(Operator)
        .await
        .mistake("typed");
    let gone = [("typed", "gone-1")];
    app.post(&place, &gone)
        .by(Operator)
        .await
        .leads_to("/missing");
    app.get(&place).by(Operator).await.expect(404);
    let page = app.get("/missing").by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["No server is missing"]);
}

#[tokio::test]
async fn a_server_is_let_go_when_its_label_is_typed() {
    let (app, _) = start().await;
    let (id, _) = doubt::live(&app, "web-1", "42").await;
    let place = format!("/servers/{id}/release");
    let page = app
        .get(&format!("/servers/{id}/settings"))
        .by(Operator)
        .await
        .expect(200);
    assert!(page.attributes("main a", "href").contains(&place));
    app.post(&place, &[("typed", "")])
        .by(Operator)
        .await
        .mistake("typed");
    let fields = [("typed", "web-1")];
    let reply = app.post(&place, &fields).by(Operator).await;
    let reply = reply.leads_to(&format!("/servers/{id}"));
    assert_eq!(reply.cookie_value("roadstead_done"), "release_accepted");
    // Again it is the same operation.
    app.post(&place, &fields)
        .by(Operator)
        .await
        .leads_to(&format!("/servers/{id}"));
    let grant = app.caller(Operator).await.grant(None).unwrap();
    let server = app.platform.server(&grant, id).await.unwrap();
    assert_ne!(
        server.lifecycle,
        Lifecycle::Deleted,
        "nobody is at work on it"
    );
}
