//! Creates that the vendor refuses in its own words.

use std::time::Duration;

use jiff::SignedDuration;
use roadstead_core::Code;
use roadstead_service::{Error, Lifecycle, OperationKind};
use roadstead_sim::{Scopes, TOKEN_FULL};
use serde_json::json;

use crate::stage::{Scene, Stage, at_each_vendor, time_of};

fn full() -> Scene {
    Scene {
        server_limit: 0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(full);

    async fn a_full_account_fails_the_create_and_leaves_nothing(stage: &Stage) {
        let accepted = stage.create("web").await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::InsufficientResources.as_str());
        assert_eq!(operation.attempts, 1);
        let server = stage.server(accepted.instance.id).await;
        assert_eq!(server.lifecycle, Lifecycle::Failed);
        assert_eq!(server.problem, operation.error.map(|it| it.message));
        assert_eq!(stage.creates().len(), 1);
        assert!(stage.living().is_empty());
    }

    async fn who_waits_hears_the_refusal(stage: &Stage) {
        let mut request = stage.request("web");
        request.wait = Duration::from_secs(20);
        let refused = stage.platform.create_server(&stage.member(), request).await;
        let Err(Error::Operation { code, message, provider, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((code, provider.as_str()), (Code::InsufficientResources, stage.vendor.kind));
        assert!(message.contains("limit"), "{message}");
    }

    async fn a_refusal_after_a_lost_answer_counts_once_the_first_is_known_absent(stage: &Stage) {
        stage.spoil_create("before", json!({ "status": 500 }));
        let accepted = stage.create("web").await;
        let (_, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::InsufficientResources.as_str());
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Failed);
        assert!(stage.living().is_empty());
    }
}

at_each_vendor! {
    async fn a_429_is_waited_out_and_costs_no_attempt(stage: &Stage) {
        let effect = json!({ "status": 429, "headers": { "retry-after": "1" } });
        stage.spoil_create("before", effect);
        let accepted = stage.create("web").await;
        let operation = stage.succeeds(accepted.operation.id).await;
        assert_eq!(operation.attempts, 1);
        stage.is_the_only_one(accepted.instance.id).await;
        let [first, second] = stage.creates().try_into().unwrap();
        let waited = time_of(&second).duration_since(time_of(&first));
        assert!(waited >= SignedDuration::from_secs(1), "{waited:?}");
    }

    async fn a_create_that_cannot_leave_yet_is_not_sent_and_goes_at_its_time(stage: &Stage) {
        let effect = json!({ "status": 429, "headers": { "retry-after": "4" } });
        stage.spoil_create("before", effect);
        let first = stage.create("first").await;
        stage.until("the first was sent", async || {
            stage.creates().first().and_then(|it| it.status)
        }).await;
        let second = stage.create("second").await;
        let waiting = stage.until("the reason is visible", async || {
            stage.operation(second.operation.id).await.error
        }).await;
        assert_eq!(waiting.code, Code::RateLimitExceeded.as_str());
        for accepted in [&first, &second] {
            let operation = stage.succeeds(accepted.operation.id).await;
            assert_eq!(operation.attempts, 1);
        }
        let creates = stage.creates();
        assert_eq!(creates.len(), 3);
        let waited = time_of(&creates[1]).duration_since(time_of(&creates[0]));
        assert!(waited >= SignedDuration::from_secs(4), "{waited:?}");
        assert_eq!(stage.living().len(), 2);
    }

    async fn a_token_that_may_only_read_fails_the_create_and_keeps_the_delete_waiting(stage: &Stage) {
        let kept = stage.running("kept").await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Read);
        let accepted = stage.create("web").await;
        let (_, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::InvalidCredentials.as_str());
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Failed);
        stage.is_the_only_one(kept.id).await;

        let delete = stage.act(kept.id, OperationKind::Delete).await;
        let waiting = stage.until("the reason is visible", async || {
            stage.operation(delete.id).await.error
        }).await;
        assert_eq!(waiting.code, Code::InvalidCredentials.as_str());
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Full);
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn a_job_that_the_vendor_gives_up_fails_its_operation(stage: &Stage) {
        let id = stage.running("web").await.id;
        stage.fault(json!({ "method": "POST", "effect": { "fate": "fails" } }));
        let shutdown = stage.act(id, OperationKind::Shutdown).await;
        let (_, code) = stage.fails(shutdown.id).await;
        assert_eq!(code, Code::ApiError.as_str());
        assert_eq!(stage.server(id).await.public_status(), "running");
        let again = stage.act(id, OperationKind::Shutdown).await;
        stage.succeeds(again.id).await;
        assert_eq!(stage.server(id).await.public_status(), "stopped");
    }
}
