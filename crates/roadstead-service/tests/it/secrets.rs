//! Secrets stand nowhere but sealed, and nowhere at all once they are used.

use std::time::Duration;

use roadstead_core::{Action, Secret};
use roadstead_service::{NewUser, OperationKind, PageRequest, ProviderChange, RegisterProvider};
use roadstead_sim::Scopes;
use roadstead_testkit::{assert_absent, canary};
use serde_json::json;

use crate::stage::{Scene, Stage, at_each_vendor};

const SEALED: &str = "SELECT CAST(COUNT(secret) AS TEXT) AS line FROM operations";

fn without_workers() -> Scene {
    Scene {
        workers: 0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(without_workers);

    async fn no_secret_can_be_read_anywhere(stage: &Stage) {
        let (password, token) = (canary("password"), canary("token"));
        let data = canary("user-data");
        let secrets = [password.as_str(), token.as_str(), data.as_str()];
        let mut seen = String::new();

        stage.sim().set_token(&token, Some("main"), Scopes::Full);
        let change = ProviderChange {
            token: Some(Secret::new(token.clone())),
            ..ProviderChange::default()
        };
        seen += &format!("{change:?}");
        let changed = stage.platform.change_provider(&stage.operator(), stage.account, change).await;
        seen += &format!("{changed:?}");

        let mut request = stage.request("web");
        request.root_password = Some(Secret::new(password.clone()));
        request.user_data = Some(Secret::new(format!("#!/bin/sh\necho {data}\n")));
        let body = format!("{password} {data}");
        let key = stage.platform.request_key("key", body.as_bytes());
        let member = || stage.member().under_key(Some(key.clone()));
        let again = request.clone();
        seen += &format!("{:?}", request.root_password);
        stage.spoil_create("after", json!({ "truncate": 30 }));
        let accepted = stage.platform.create_server(&member(), request).await.unwrap();
        let repeated = stage.platform.create_server(&member(), again).await.unwrap();
        assert!(repeated.replayed);
        seen += &format!("{accepted:?} {repeated:?} {:?}", member());
        // On record, and open.
        assert_eq!(stage.rows.lines(SEALED).await, ["1"]);
        absent(&secrets, &stage.rows.everything().await);

        stage.start(1);
        let operation = stage.succeeds(accepted.operation.id).await;
        let server = stage.server(accepted.instance.id).await;
        let operations = stage.platform.operations(&stage.reader(), server.id, &PageRequest::default())
            .await.unwrap().items;
        let account = stage.platform.registry().account(stage.account).await.unwrap();
        seen += &format!("{operation:?} {server:?} {operations:?} {account:?} {:?}", stage.platform);
        let plain = stage.rows.lines("SELECT CAST(details AS TEXT) AS line FROM audit_log").await;
        seen += &plain.join("\n");
        // Bound: nobody needs them any more.
        assert_eq!(stage.rows.lines(SEALED).await, ["0"]);
        absent(&secrets, &stage.rows.everything().await);
        absent(&secrets, seen.as_bytes());

        let delete = stage.act(server.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        absent(&secrets, &stage.rows.everything().await);
    }

    async fn debug_shows_no_secret_of_any_type_that_is_given_one(stage: &Stage) {
        let (password, token) = (canary("password"), canary("token"));
        let (data, options) = (canary("user-data"), canary("options"));
        let secret = |it: &str| Secret::new(it.to_owned());
        let mut request = stage.request("web");
        request.root_password = Some(secret(&password));
        request.user_data = Some(secret(&data));
        request.options = Some(json!({ "stackscript_data": { "db": options } }));
        let rebuild = Action::Rebuild {
            image: "debian-12".into(),
            root_password: Some(secret(&password)),
            ssh_keys: Vec::new(),
            user_data: None,
        };
        let registration = RegisterProvider {
            name: "first".to_owned(),
            kind: stage.vendor.kind.to_owned(),
            token: secret(&token),
            configuration: json!({}),
        };
        let user = NewUser {
            email: "who@test.example".to_owned(),
            password: secret(&password),
            operator: false,
            organization: None,
        };
        let shown = format!("{request:?} {rebuild:?} {registration:?} {user:?}");
        assert!(shown.contains("stackscript_data"), "the names of the options stay: {shown}");
        stage.platform.add_user(user).await.unwrap();
        let login = stage.platform.login("who@test.example", secret(&password)).await.unwrap();
        let session = login.token.expose().clone();
        let caller = stage.platform.caller(&session, "r-1".to_owned()).await.unwrap();
        let shown = format!("{shown} {login:?} {caller:?} {:?}", stage.platform.registry());
        // Of a password nothing is shown at all, not even what is stored of it.
        assert!(!shown.contains("$argon2"), "{shown}");
        absent(&[&password, &token, &data, &options, &session], shown.as_bytes());
    }

    async fn a_create_that_fails_keeps_no_secret(stage: &Stage) {
        let password = canary("password");
        let mut request = stage.request("web");
        request.root_password = Some(Secret::new(password.clone()));
        let accepted = stage.platform.create_server(&stage.member(), request).await.unwrap();
        assert_eq!(stage.rows.lines(SEALED).await, ["1"]);
        let words = format!("the words of the provider with {password}");
        stage.fault(json!({
            "method": "POST", "path": stage.vendor.path,
            "effect": { "status": 422, "body": {
                "id": "unprocessable_entity", "message": words, "errors": [{ "reason": words }],
            } },
        }));
        stage.start(1);
        let (operation, _) = stage.fails(accepted.operation.id).await;
        assert_eq!(stage.rows.lines(SEALED).await, ["0"]);
        assert_absent(&password, &stage.rows.everything().await);
        assert_absent(&password, format!("{operation:?}").as_bytes());
    }

    async fn a_lost_create_keeps_its_secret_until_the_server_is_bound(stage: &Stage) {
        let mut request = stage.request("web");
        request.root_password = Some(Secret::from("correct-Horse-7-battery"));
        stage.blind();
        stage.spoil_create("after", json!({ "drop": true }));
        let accepted = stage.platform.create_server(&stage.member(), request).await.unwrap();
        stage.start(1);
        stage.until("the create has arrived", async || (stage.creates().len() == 1).then_some(())).await;
        stage.stays("it is kept", Duration::from_millis(500), async || {
            stage.rows.lines(SEALED).await == ["1"]
        }).await;
        stage.sim().clear_faults();
        stage.succeeds(accepted.operation.id).await;
        assert_eq!(stage.rows.lines(SEALED).await, ["0"]);
    }
}

fn absent(secrets: &[&str], bytes: &[u8]) {
    for secret in secrets {
        assert_absent(secret, bytes);
    }
}
