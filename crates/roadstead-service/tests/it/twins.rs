//! Two servers at the vendor with one mark: the older one is kept, the other one goes.

use roadstead_core::{CreateInstance, CreateKey, Secret};
use roadstead_service::{Instance, Lifecycle};
use roadstead_sim::{Scopes, TOKEN_FULL};
use serde_json::json;

use crate::stage::{Stage, at_each_vendor, id_of, swept};

at_each_vendor! {
    staged(swept);

    async fn of_two_servers_with_one_mark_the_younger_one_goes(stage: &Stage) {
        let older = doubled(stage).await;
        stage.sim().clear_faults();
        stage.is_the_only_one(older.id).await;
        let [kept] = stage.living().try_into().unwrap();
        assert!(kept.to_string().contains(&older.remote_name), "{kept}");
        assert_eq!(stage.rows.lines("SELECT remote_id AS line FROM dooms").await.len(), 1);
    }

    async fn an_extra_server_waits_while_the_token_is_refused(stage: &Stage) {
        let older = doubled(stage).await;
        stage.sim().clear_faults();
        stage.fault(json!({ "method": "DELETE", "count": 100_000, "effect": { "status": 503 } }));
        stage.until("one is bound", async || stage.server(older.id).await.remote).await;
        assert_eq!(stage.repository.open_dooms().await.unwrap().len(), 1);
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.is_frozen().await;
        let allowed = stage.mark() + 3;
        stage.stays("the provider is left alone", 5 * stage.clockwork.poll_idle, async || {
            stage.mark() <= allowed
        }).await;
        stage.sim().clear_faults();
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Full);
        stage.platform.validate_provider(&stage.operator(), stage.account).await.unwrap();
        stage.is_the_only_one(older.id).await;
    }

    async fn an_extra_server_is_not_forgotten_while_the_token_is_somebody_elses(stage: &Stage) {
        let older = doubled(stage).await;
        stage.sim().clear_faults();
        stage.fault(json!({ "method": "DELETE", "count": 100_000, "effect": { "status": 503 } }));
        stage.until("one is bound", async || stage.server(older.id).await.remote).await;
        stage.sim().set_token(TOKEN_FULL, Some("other"), Scopes::Full);
        stage.is_frozen().await;
        assert_eq!(stage.repository.open_dooms().await.unwrap().len(), 1);
        stage.sim().clear_faults();
        stage.sim().set_token(TOKEN_FULL, Some("main"), Scopes::Full);
        stage.platform.validate_provider(&stage.operator(), stage.account).await.unwrap();
        stage.is_the_only_one(older.id).await;
    }

    async fn an_extra_server_without_our_mark_is_spared(stage: &Stage) {
        doubled(stage).await;
        // Until the extra server has lost its mark, it cannot be read.
        stage.sim().clear_faults();
        stage.fault(json!({
            "method": "GET", "path": format!("{}/{{id}}", stage.vendor.path), "count": 100_000,
            "effect": { "status": 503 },
        }));
        let [doom] = stage.until("one is doomed", async || {
            <[_; 1]>::try_from(stage.repository.open_dooms().await.unwrap()).ok()
        }).await;
        let extra = stage.living().into_iter().find(|it| id_of(it) == doom.remote.as_str()).unwrap();
        let direct = stage.direct();
        let client = direct.native().downcast_ref::<roadstead_http::Client>().unwrap();
        let name = "somebody-elses".into();
        direct.perform_action(&doom.remote, &roadstead_core::Action::Rename { name }).await.unwrap();
        for request in (stage.vendor.untag)(&extra) {
            client.send(&request, &|_| None).await.unwrap();
        }
        stage.until("the name has changed", async || {
            stage.living().iter().any(|it| it.to_string().contains("somebody-elses")).then_some(())
        }).await;
        stage.sim().clear_faults();
        stage.until("the doom is settled", async || {
            stage.repository.open_dooms().await.unwrap().is_empty().then_some(())
        }).await;
        assert_eq!(stage.living().len(), 2);
    }
}

/// Puts two servers with the mark of one create at the vendor. Until the faults are cleared the
/// engine sees neither.
async fn doubled(stage: &Stage) -> Instance {
    stage.blind();
    stage.spoil_create("after", json!({ "drop": true }));
    let accepted = stage.create("web").await;
    let server = stage
        .until("the answer is lost", async || {
            Some(stage.server(accepted.instance.id).await)
                .filter(|it| it.lifecycle == Lifecycle::Resolving)
        })
        .await;
    let [older] = stage.living().try_into().unwrap();
    let deployment = older["tags"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|it| it.as_str()?.strip_prefix("rs:d:"))
        .unwrap();
    let twin = CreateInstance {
        // Some vendors refuse a second server of the name; the tag is mark enough.
        key: CreateKey {
            name: "a-twin".into(),
            deployment: deployment.into(),
            id: server.id.0,
        },
        plan: stage.vendor.plan.into(),
        region: stage.vendor.region.into(),
        image: stage.vendor.image.into(),
        ssh_keys: Vec::new(),
        root_password: stage.vendor.password.map(Secret::from),
        user_data: None,
        tags: Vec::new(),
        backups: false,
        ipv6: false,
        private_network: false,
        market: None,
        options: None,
    };
    stage.direct().create_instance(&twin).await.unwrap();
    assert_eq!(stage.living().len(), 2);
    server
}
