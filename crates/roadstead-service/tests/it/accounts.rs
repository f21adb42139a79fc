//! Tokens that are revoked, replaced, or somebody else's.

use std::time::Duration;

use roadstead_core::{Code, Secret};
use roadstead_service::{
    Error, Lifecycle, OperationKind, OperationState, ProviderChange, Registered, Verification,
};
use roadstead_sim::{Scopes, TOKEN_FULL, TOKEN_OTHER};
use serde_json::json;

use crate::stage::{Scene, Stage, at_each_vendor};

/// A second token of our own account.
const FRESH: &str = "sim-fresh";

fn without_workers() -> Scene {
    Scene {
        workers: 0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(without_workers);

    async fn a_token_revoked_in_mid_flight_fails_the_create_and_freezes_the_account(stage: &Stage) {
        let accepted = stage.create("web").await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.start(1);
        let (_, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::InvalidCredentials.as_str());
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Failed);
        stage.is_frozen().await;

        let refused = stage.platform.create_server(&stage.member(), stage.request("next")).await;
        assert!(matches!(refused, Err(Error::ProviderRefused(_))), "{refused:?}");
        is_left_alone(stage).await;

        replace(stage, FRESH).await.unwrap();
        assert!(matches!(stage.verification().await, Verification::Verified { .. }));
        stage.running("next").await;
        stage.agrees().await;
    }
}

at_each_vendor! {
    async fn what_waits_for_a_good_token_goes_on_with_one(stage: &Stage) {
        let server = stage.running("web").await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.is_frozen().await;
        let boot = stage.platform.act(&stage.member(), server.id, OperationKind::Boot).await;
        assert!(matches!(boot, Err(Error::ProviderRefused(_))), "{boot:?}");
        let delete = stage.act(server.id, OperationKind::Delete).await;
        is_left_alone(stage).await;
        let waiting = stage.operation(delete.id).await;
        assert!(!waiting.state.is_settled(), "{waiting:?}");
        assert_eq!(waiting.error.unwrap().code, Code::InvalidCredentials.as_str());

        replace(stage, FRESH).await.unwrap();
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn a_create_that_may_exist_outlives_its_token(stage: &Stage) {
        stage.blind();
        stage.spoil_create("after", json!({ "drop": true }));
        let accepted = stage.create("web").await;
        stage.until("the answer is lost", async || {
            (stage.server(accepted.instance.id).await.lifecycle == Lifecycle::Resolving).then_some(())
        }).await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.sim().clear_faults();
        stage.is_frozen().await;
        is_left_alone(stage).await;
        assert!(!stage.operation(accepted.operation.id).await.state.is_settled());

        replace(stage, FRESH).await.unwrap();
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }

    async fn another_accounts_token_is_refused(stage: &Stage) {
        let refused = stage.platform.change_provider(&stage.operator(), stage.account, ProviderChange {
            token: Some(Secret::from(TOKEN_OTHER)), ..ProviderChange::default()
        }).await;
        let Err(Error::Invalid(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!(errors[0].field, "token");
        let unknown = stage.platform.change_provider(&stage.operator(), stage.account, ProviderChange {
            token: Some(Secret::from("nobody")), ..ProviderChange::default()
        }).await;
        let Err(Error::Provider(error)) = unknown else { panic!("{unknown:?}") };
        assert_eq!(error.kind, roadstead_core::ErrorKind::BadToken);
        // The good one is still in force.
        stage.running("web").await;
    }

    async fn a_token_that_cannot_do_the_work_is_refused_where_the_vendor_tells(stage: &Stage) {
        stage.sim().set_token("sim-weak", None, Scopes::Read);
        let weak = ProviderChange {
            token: Some(Secret::from("sim-weak")),
            ..ProviderChange::default()
        };
        let replaced = stage.platform.change_provider(&stage.operator(), stage.account, weak).await;
        // DigitalOcean does not say what a token may do.
        if stage.vendor.kind == "digitalocean" {
            return drop(replaced.unwrap());
        }
        let Err(Error::Provider(error)) = &replaced else {
            panic!("it was taken, or refused otherwise: {:?}", replaced.map(drop));
        };
        assert_eq!(error.code(), Code::InvalidCredentials);
        assert!(error.message.contains("linodes:read_write"), "{}", error.message);
        assert_eq!(error.field.as_deref(), Some("token"));
    }

    async fn an_old_tokens_late_refusal_does_not_freeze_the_new_token(stage: &Stage) {
        stage.running("web").await;
        let path = stage.vendor.path;
        stage.fault(json!({ "method": "GET", "path": path, "effect": { "delay_ms": 700 } }));
        stage.until("a list is under way", async || {
            stage.sim().journal().iter().any(|it| it.fault.is_some()).then_some(())
        }).await;
        replace(stage, FRESH).await.unwrap();
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.stays("the new token is good", Duration::from_millis(1000), async || {
            matches!(stage.verification().await, Verification::Verified { .. })
        }).await;
        let refused = stage.sim().journal().into_iter().find(|it| it.fault.is_some()).unwrap();
        assert_eq!(refused.status, Some(401), "{refused:?}");
    }

    async fn absence_under_another_account_is_not_believed(stage: &Stage) {
        let server = stage.running("web").await;
        // The same token, and suddenly another account behind it: everything is absent.
        stage.sim().set_token(TOKEN_FULL, Some("other"), Scopes::Full);
        let delete = stage.act(server.id, OperationKind::Delete).await;
        stage.is_frozen().await;
        is_left_alone(stage).await;
        assert_eq!(stage.living().len(), 1);
        assert_eq!(stage.server(server.id).await.lifecycle, Lifecycle::Deleting);

        stage.sim().set_token(TOKEN_FULL, Some("main"), Scopes::Full);
        let checked = stage.platform.validate_provider(&stage.operator(), stage.account).await.unwrap();
        assert!(matches!(checked.record.verification, Verification::Verified { .. }));
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn a_lost_create_is_not_repeated_while_another_account_shows_nothing(stage: &Stage) {
        stage.spoil_create("after", json!({ "status": 504 }));
        stage.blind();
        let accepted = stage.create("web").await;
        stage.until("the create is being looked for", async || {
            let state = stage.operation(accepted.operation.id).await.state;
            (state == OperationState::Resolving).then_some(())
        }).await;
        stage.sim().set_token(TOKEN_FULL, Some("other"), Scopes::Full);
        stage.sim().clear_faults();
        stage.is_frozen().await;
        is_left_alone(stage).await;

        stage.sim().set_token(TOKEN_FULL, Some("main"), Scopes::Full);
        stage.platform.validate_provider(&stage.operator(), stage.account).await.unwrap();
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }
}

/// Gives the account another token of its own.
async fn replace(stage: &Stage, token: &str) -> roadstead_service::Result<Registered> {
    stage.sim().set_token(token, Some("main"), Scopes::Full);
    let change = ProviderChange {
        token: Some(Secret::from(token)),
        ..ProviderChange::default()
    };
    stage
        .platform
        .change_provider(&stage.operator(), stage.account, change)
        .await
}

/// Asserts that the engine sends nothing for a while.
async fn is_left_alone(stage: &Stage) {
    // One call may have been under way when the account froze.
    let allowed = stage.mark() + 1;
    stage
        .stays(
            "the provider is left alone",
            4 * stage.clockwork.poll_idle,
            async || stage.mark() <= allowed,
        )
        .await;
}
