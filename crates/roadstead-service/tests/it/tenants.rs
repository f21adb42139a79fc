//! What belongs to another organization looks like what is not there.

use std::time::Duration;

use roadstead_core::{InstanceId, OperationId, ProviderId};
use roadstead_service::{
    Error, InstanceFilter, InstancePatch, ManageInstances, OperationKind, PageRequest,
    ProviderChange, ReadInstances, ServerOrder,
};

use crate::stage::{Stage, at_each_vendor};

at_each_vendor! {
    async fn another_organizations_server_looks_like_none(stage: &Stage) {
        let ours = stage.create("web").await;
        let absent = (InstanceId::fresh(), OperationId::fresh());
        for (id, operation) in [(ours.instance.id, ours.operation.id), absent] {
            let reader = || stage.stranger().grant::<ReadInstances>(None).unwrap();
            let writer = || stage.stranger().grant::<ManageInstances>(None).unwrap();
            let platform = &stage.platform;
            none(platform.server(&reader(), id).await);
            none(platform.operations(&reader(), id, &PageRequest::default()).await);
            none(platform.change_server(&writer(), id, InstancePatch::default()).await);
            for kind in OperationKind::ALL.into_iter().filter(|it| *it != OperationKind::Create) {
                none(platform.act(&writer(), id, kind).await);
            }
            let found = platform.operation(&reader(), operation, Duration::ZERO).await;
            assert!(matches!(found, Err(Error::NotFound("operation"))), "{found:?}");
            let (filter, page) = (InstanceFilter::default(), PageRequest::default());
            let servers = platform.servers(&reader(), &filter, ServerOrder::default(), &page).await;
            assert_eq!(servers.unwrap().items, []);
        }
        stage.succeeds(ours.operation.id).await;
        stage.is_the_only_one(ours.instance.id).await;
    }

    async fn a_grant_is_for_ones_own_organization(stage: &Stage) {
        let ours = stage.create("web").await.instance.organization;
        let foreign = stage.stranger().grant::<ReadInstances>(Some(ours));
        assert!(matches!(foreign, Err(Error::NotFound("organization"))), "{foreign:?}");
        assert!(matches!(stage.stranger().operator(), Err(Error::Forbidden(_))));
    }

    async fn an_account_that_is_not_there_or_switched_off_takes_no_server(stage: &Stage) {
        let try_at = async |provider, kind: Option<&str>| {
            let mut request = stage.request("web");
            (request.provider, request.kind) = (provider, kind.map(str::to_owned));
            stage.platform.create_server(&stage.member(), request).await.unwrap_err()
        };
        let kind = Some(stage.vendor.kind);
        assert!(matches!(try_at(Some(ProviderId::fresh()), None).await, Error::NoSuchProvider));

        let id = stage.running("old").await.id;
        let off = ProviderChange { active: Some(false), ..ProviderChange::default() };
        stage.platform.change_provider(&stage.operator(), stage.account, off).await.unwrap();
        assert!(matches!(try_at(Some(stage.account), None).await, Error::ProviderInactive));
        assert!(matches!(try_at(None, kind).await, Error::ProviderInactive));
        let boot = stage.platform.act(&stage.member(), id, OperationKind::Boot).await;
        assert!(matches!(boot, Err(Error::ProviderInactive)), "{boot:?}");
        let kept = stage.platform.delete_provider(&stage.operator(), stage.account).await;
        assert!(matches!(kept, Err(Error::Conflict(_))), "{kept:?}");

        // What is paid for can be deleted all the same.
        let delete = stage.act(id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
        stage.platform.delete_provider(&stage.operator(), stage.account).await.unwrap();
        assert!(matches!(try_at(None, kind).await, Error::NoSuchProvider));
    }
}

#[track_caller]
fn none<T: std::fmt::Debug>(result: roadstead_service::Result<T>) {
    assert!(matches!(result, Err(Error::NoSuchInstance)), "{result:?}");
}
