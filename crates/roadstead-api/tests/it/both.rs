//! The core of the API on SQLite and on PostgreSQL.

use std::collections::BTreeSet;

use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::json;

use crate::app::{Member, Operator, Setup, Stranger, TestApp, prepare, template, wanted};

const IDLE: Setup = Setup {
    workers: 0,
    ..Setup::DEFAULT
};

on_both_databases! {
    prepared(&template(), prepare);

    async fn a_server_lives_from_create_to_delete(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        app.get("/api/health/ready").await.ok();
        let provider = app.register().await;
        let mut request = wanted("test-server");
        request["rootPassword"] = json!("Str0ng-harbor-Passw0rd");
        let created = app.post("/api/vps").by(Member).json(&request).await.ok();
        app.finished(&created).await;
        let id = created.word("/instance/id");
        app.until(&id, "running").await;
        for (action, status) in [("reboot", "running"), ("shutdown", "stopped"), ("boot", "running")] {
            let accepted = app.post(&format!("/api/vps/{id}/{action}")).by(Member).await.ok();
            app.finished(&accepted).await;
            app.until(&id, status).await;
        }
        let account = format!("/api/admin/providers/{provider}");
        app.delete(&account).by(Operator).await.refused(409, "CONFLICT");
        let deleting = app.delete(&format!("/api/vps/{id}")).by(Member).await.ok();
        app.finished(&deleting).await;
        assert_eq!(app.count().await, 0);
        let operations = app.get(&format!("/api/vps/{id}/operations")).by(Member).await.ok();
        let kinds = operations.at("/operations");
        let kinds: Vec<_> = kinds.as_array().unwrap().iter().map(|it| &it["kind"]).collect();
        assert_eq!(kinds, ["delete", "boot", "shutdown", "reboot", "create"]);
        app.delete(&account).by(Operator).await.ok();
    }

    async fn pages_and_filters_agree(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        for number in 0..7 {
            let mut request = wanted(&format!("Fleet-{number}"));
            request["tags"] = json!([if number % 2 == 0 { "even" } else { "odd" }]);
            app.post("/api/vps").by(Member).json(&request).await.ok();
        }
        let mut seen = BTreeSet::new();
        let mut path = "/api/vps?limit=3".to_owned();
        loop {
            let page = app.get(&path).by(Member).await.ok();
            for it in page.at("/instances").as_array().unwrap() {
                assert!(seen.insert(it["label"].to_string()), "{it}");
            }
            let Some(next) = page.at("/next_cursor").as_str().map(str::to_owned) else {
                break;
            };
            path = format!("/api/vps?limit=3&cursor={next}");
        }
        assert_eq!(seen.len(), 7);
        let count = async |query: &str| {
            let list = app.get(&format!("/api/vps?{query}")).by(Member).await.ok();
            list.at("/instances").as_array().unwrap().len()
        };
        assert_eq!(count("tag=odd").await, 3);
        assert_eq!(count("label=fleet-6").await, 1);
        assert_eq!(count("status=provisioning&region=nyc3").await, 7);
        assert_eq!(count("tag=od").await, 0);
    }

    async fn one_key_is_one_server_under_contention(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        let create = async |_| {
            let call = app.post("/api/vps").by(Member).json(&wanted("once"));
            call.header("idempotency-key", "order 7").await.ok().word("/instance/id")
        };
        let made = futures::future::join_all((0..12).map(create)).await;
        assert!(made.iter().all(|it| *it == made[0]), "{made:?}");
        let other = app.post("/api/vps").by(Member).json(&wanted("other"));
        let other = other.header("idempotency-key", "order 7").await;
        other.refused(422, "CONFLICT");
        assert_eq!(app.count().await, 1);
    }

    async fn what_is_anothers_is_absent(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        let created = app.create("mine").await;
        let server = format!("/api/vps/{}", created.word("/instance/id"));
        let operation = format!("/api/operations/{}", created.word("/operation/id"));
        app.get(&server).by(Stranger).await.refused(404, "INSTANCE_NOT_FOUND");
        app.delete(&server).by(Stranger).await.refused(404, "INSTANCE_NOT_FOUND");
        app.get(&operation).by(Stranger).await.refused(404, "NOT_FOUND");
        app.get(&server).by(Member).await.ok();
    }

    async fn text_that_databases_trip_over_is_kept_or_refused(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        let server = format!("/api/vps/{}", app.create("texts").await.word("/instance/id"));
        let notes = "quote ' \" \\ % _ \u{1F6A2} \u{202E}";
        let kept = app.patch(&server).by(Member).json(&json!({ "notes": notes })).await.ok();
        assert_eq!(kept.word("/instance/notes"), notes);
        // PostgreSQL cannot store it, so neither database does.
        let zero = app.patch(&server).by(Member).json(&json!({ "notes": "a\u{0}b" })).await;
        zero.refused(400, "VALIDATION_ERROR");
        let zero = app.get("/api/vps?label=%00").by(Member).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(zero.fields(), ["label"]);
        let login = json!({ "email": "a\u{0}@test.example", "password": "guess" });
        let login = app.post("/api/auth/login").json(&login).await;
        login.refused(400, "VALIDATION_ERROR");
        let key = app.post("/api/vps").by(Member).json(&wanted("web"));
        key.header("idempotency-key", "'; drop table vps_instances; --").await.ok();
        let name = json!({ "name": "a\u{0}b", "type": "digitalocean", "token": "t" });
        let name = app.post("/api/admin/providers").by(Operator).json(&name).await;
        name.refused(400, "VALIDATION_ERROR");
        // What no database stumbles over is answered.
        for query in ["label=%27%22%5C", "label=%25_", "tag=%F0%9F%9A%A2", "region=%FF%FE"] {
            app.get(&format!("/api/vps?{query}")).by(Member).await.ok();
        }
    }
}
