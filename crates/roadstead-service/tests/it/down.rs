//! A vendor that cannot be reached.

use std::time::Duration;

use roadstead_core::{Code, ErrorKind};
use roadstead_service::{CatalogueSource, Lifecycle, OperationState};

use crate::stage::{Scene, Stage, at_each_vendor};

at_each_vendor! {
    async fn without_a_catalogue_a_create_is_a_provider_error(stage: &Stage) {
        stage.unplug().await;
        let refused = stage.platform.create_server(&stage.member(), stage.request("web")).await;
        let error = refused.unwrap_err();
        assert_eq!(error.provider_kind(), Some(ErrorKind::Transport), "{error:?}");
        assert!(stage.servers().await.is_empty());
    }

    async fn a_create_waits_with_its_reason_until_the_vendor_is_back(stage: &Stage) {
        warm(stage).await;
        stage.unplug().await;
        let accepted = stage.create("web").await;
        let waiting = stage.until("the reason is visible", async || {
            Some(stage.operation(accepted.operation.id).await).filter(|it| it.error.is_some())
        }).await;
        assert_eq!(waiting.error.unwrap().code, Code::ApiError.as_str());
        assert!(!waiting.state.is_settled());
        assert_eq!(stage.server(accepted.instance.id).await.public_status(), "provisioning");
        stage.plug_in();
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }

    async fn an_account_can_be_registered_before_its_vendor_answers(stage: &Stage) {
        stage.unplug().await;
        let new = roadstead_service::RegisterProvider {
            name: "second".to_owned(),
            kind: stage.vendor.kind.to_owned(),
            token: "another-token".into(),
            configuration: serde_json::json!({}),
        };
        let registered = stage.platform.register_provider(&stage.operator(), new).await.unwrap();
        let roadstead_service::Verification::Unverified { reason: Some(reason) } =
            registered.record.verification else { panic!("{registered:?}") };
        assert!(reason.contains("no connection"), "{reason}");
    }
}

fn impatient() -> Scene {
    let mut scene = Scene::default();
    scene.clockwork.give_up = Duration::from_secs(1);
    scene
}

at_each_vendor! {
    staged(impatient);

    async fn a_create_at_a_vendor_that_stays_away_is_given_up(stage: &Stage) {
        warm(stage).await;
        stage.unplug().await;
        let accepted = stage.create("web").await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::ApiError.as_str());
        assert_eq!(operation.state, OperationState::Failed);
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Failed);
        stage.plug_in();
        stage.stays("nothing is sent later", Duration::from_secs(1), async || {
            stage.creates().is_empty()
        }).await;
    }
}

/// Reads the catalogues, so that they are at hand while the vendor is away.
async fn warm(stage: &Stage) {
    let source = CatalogueSource {
        kind: stage.vendor.kind.to_owned(),
        provider: Some(stage.account),
    };
    let (platform, reader) = (&stage.platform, stage.reader());
    platform.plans(&reader, &source).await.unwrap();
    platform.images(&reader, &source).await.unwrap();
    platform.regions(&reader, &source).await.unwrap();
}
