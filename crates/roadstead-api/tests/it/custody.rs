//! Servers that come from elsewhere and servers that are let go, as operators ask for it.

use insta::assert_snapshot;
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Member, Operator, Setup, Stranger, TestApp, prepare, template};
use crate::repeats::{harbor, missing, quarantined, stranger};

on_both_databases! {
    prepared(&template(), prepare);

    async fn a_server_is_imported_used_and_released(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        let (account, remote) = stranger(&app).await;
        let importable = format!("/api/admin/providers/{account}/importable");
        let listed = app.get(&importable).by(Operator).await.ok();
        assert_eq!(listed.at("/importable").as_array().unwrap().len(), 1);
        let offered = listed.at("/importable/0");
        assert_eq!(offered["remote_id"], remote);
        for (name, value) in [
            ("name", json!("shop")), ("type", json!("s-1vcpu-1gb")), ("region", json!("nyc3")),
            ("image", json!("ubuntu-22-04-x64")), ("refusal", Value::Null), ("tags", json!([])),
            ("quarantined", Value::Null), ("memory_mib", json!(1024)), ("disk_gib", json!(25)),
        ] {
            assert_eq!(offered[name], value, "{name}");
        }

        let import = format!("/api/admin/providers/{account}/import");
        let body = json!({
            "remote_id": remote, "organization_id": harbor(&app).await,
            "label": "shop-frontend", "tags": ["shop"],
        });
        let accepted = app.post(&import).by(Operator).json(&body).await.ok();
        assert_eq!(accepted.word("/operation/kind"), "import");
        assert_eq!(accepted.word("/instance/label"), "shop-frontend");
        app.finished(&accepted).await;
        let id = accepted.word("/instance/id");
        let server = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
        assert_eq!(server.word("/instance/provider_instance_id"), remote);
        assert!(server.at("/instance/price/hourly/amount").is_string());
        app.get(&format!("/api/vps/{id}")).by(Stranger).await.refused(404, "INSTANCE_NOT_FOUND");
        let listed = app.get(&importable).by(Operator).await.ok();
        assert_eq!(listed.at("/importable"), json!([]));
        let twice = app.post(&import).by(Operator).json(&body).await.refused(409, "CONFLICT");
        assert!(twice.word("/error").contains(&id), "{}", twice.text);

        let release = format!("/api/admin/vps/{id}/release");
        let released = app.post(&release).by(Operator).await.ok();
        assert_eq!(released.word("/operation/kind"), "release");
        app.finished(&released).await;
        let server = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
        assert_eq!(server.word("/instance/status"), "deleted");
        assert!(server.word("/instance/problem").contains("released"));
        assert_eq!(app.count().await, 0);
        app.delete(&format!("/api/vps/{id}")).by(Member).await.refused(404, "INSTANCE_NOT_FOUND");
        app.post(&release).by(Operator).await.refused(404, "INSTANCE_NOT_FOUND");
    }

    async fn a_quarantined_server_is_decided_about_once(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        app.register().await;
        let id = quarantined(&app).await;
        let path = format!("/api/admin/quarantine/{id}/decision");
        let decide = async |body: Value| app.post(&path).by(Operator).json(&body).await;
        for (body, field) in [
            (json!({}), "decision"),
            (json!({ "decision": "keep" }), "decision"),
            (json!({ "decision": "adopt" }), "organization_id"),
            (json!({ "decision": "adopt", "organization_id": "harbor" }), "organization_id"),
            (json!({ "decision": "adopt", "name": "x" }), "name"),
            (json!({ "decision": "release", "label": "x" }), "label"),
            (json!({ "decision": "release", "tags": [] }), "tags"),
            (json!({ "decision": "delete" }), "name"),
            (json!({ "decision": "delete", "name": "another" }), "name"),
            (json!({ "decision": "delete", "name": "x", "organization_id": Uuid::nil() }), "organization_id"),
            (json!({ "decision": "delete", "name": "x", "force": true }), "force"),
        ] {
            let refused = decide(body.clone()).await.refused(400, "VALIDATION_ERROR");
            assert_eq!(refused.word("/field"), field, "{body}");
        }
        let nobodys = json!({ "decision": "adopt", "organization_id": Uuid::now_v7() });
        decide(nobodys).await.refused(404, "NOT_FOUND");
        let released = decide(json!({ "decision": "release" })).await.ok();
        assert_eq!(released.word("/quarantined/state"), "released");
        decide(json!({ "decision": "release" })).await.refused(409, "CONFLICT");
        let list = app.get("/api/admin/quarantine").by(Operator).await.ok();
        assert_eq!(list.at("/quarantine"), json!([]));

        let id = quarantined(&app).await;
        let path = format!("/api/admin/quarantine/{id}/decision");
        let adopt = json!({ "decision": "adopt", "organization_id": harbor(&app).await, "label": "found" });
        let adopted = app.post(&path).by(Operator).json(&adopt).await.ok();
        app.finished(&adopted).await;
        assert_eq!(app.count().await, 1);

        let id = quarantined(&app).await;
        let list = app.get("/api/admin/quarantine").by(Operator).await.ok();
        let name = list.word("/quarantine/0/name");
        let path = format!("/api/admin/quarantine/{id}/decision");
        let delete = json!({ "decision": "delete", "name": name });
        let deleted = app.post(&path).by(Operator).json(&delete).await.ok();
        assert_eq!(deleted.word("/quarantined/state"), "open");
        assert!(deleted.at("/quarantined/deletion/decided_at").is_string());
    }

    async fn a_missing_server_is_listed_and_settled(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        app.register().await;
        let id = missing(&app).await;
        let list = app.get("/api/admin/missing").by(Operator).await.ok();
        assert_eq!(list.word("/missing/0/instance/id"), id);
        assert_eq!(list.word("/missing/0/organization_id"), harbor(&app).await);
        let path = format!("/api/admin/missing/{id}/decision");
        let wrong = app.post(&path).by(Operator).json(&json!({ "decision": "back" })).await;
        assert_eq!(wrong.refused(400, "VALIDATION_ERROR").word("/field"), "decision");
        let gone = app.post(&path).by(Operator).json(&json!({ "decision": "gone" })).await.ok();
        assert_eq!(gone.word("/instance/status"), "deleted");
        app.post(&path).by(Operator).json(&json!({ "decision": "gone" })).await
            .refused(409, "CONFLICT");
        let list = app.get("/api/admin/missing").by(Operator).await.ok();
        assert_eq!(list.at("/missing"), json!([]));
    }

    async fn open_operations_are_listed_by_state_account_and_organization(database: &Scratch) {
        let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
        let account = app.register().await;
        let created = app.create("web").await;
        let list = async |query: &str| {
            app.get(&format!("/api/admin/operations{query}")).by(Operator).await
        };
        let ids = |answer: crate::answer::Answer| -> Vec<Value> {
            let all = answer.ok().at("/operations").as_array().unwrap().clone();
            all.into_iter().map(|it| it["id"].clone()).collect()
        };
        let waiting = vec![json!(created.word("/operation/id"))];
        assert_eq!(ids(list("").await), Vec::<Value>::new());
        assert_eq!(ids(list("?state=attention").await), Vec::<Value>::new());
        assert_eq!(ids(list("?state=ready").await), waiting);
        assert_eq!(ids(list(&format!("?state=ready&provider_id={account}")).await), waiting);
        let ours = harbor(&app).await;
        assert_eq!(ids(list(&format!("?state=ready&organization_id={ours}")).await), waiting);
        let nobodys = Uuid::now_v7();
        assert_eq!(ids(list(&format!("?state=ready&provider_id={nobodys}")).await), Vec::<Value>::new());
        for (query, field) in [
            ("?state=succeeded", "state"), ("?state=READY", "state"), ("?state=", "state"),
            ("?provider_id=x", "provider_id"), ("?limit=0", "limit"), ("?cursor=x", "cursor"),
            ("?kind=create", "kind"),
        ] {
            let refused = list(query).await.refused(400, "VALIDATION_ERROR");
            assert_eq!(refused.word("/field"), field, "{query}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_about_an_import_is_said_by_field() {
    let app = TestApp::start_idle().await;
    let (account, remote) = stranger(&app).await;
    let path = format!("/api/admin/providers/{account}/import");
    let good = json!({
        "remote_id": remote, "organization_id": harbor(&app).await, "label": "imported",
    });
    for (field, value) in [
        ("remote_id", json!("4711")),
        ("remote_id", json!("x".repeat(100_000))),
        ("remote_id", json!(1)),
        ("organization_id", json!("harbor")),
        ("organization_id", Value::Null),
        ("label", json!("")),
        ("label", json!("a b")),
        ("tags", json!(["rs:i:mine"])),
        ("plan_id", json!(Uuid::nil())),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let refused = app.post(&path).by(Operator).json(&body).await;
        let refused = refused.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.word("/field"), field, "{body}");
    }
    let mut body = good;
    body["organization_id"] = json!(Uuid::now_v7());
    let refused = app.post(&path).by(Operator).json(&body).await;
    assert_snapshot!(refused.refused(404, "NOT_FOUND").word("/error"), @"there is no such organization");
    assert_eq!(app.count().await, 0);
}
