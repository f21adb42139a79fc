//! Requests that come twice under one key.

use futures::future::join_all;
use roadstead_service::{
    Accepted, Error, Grant, ManageInstances, OperationKind, ProviderChange, Result,
};

use crate::stage::{Stage, at_each_vendor};

at_each_vendor! {
    async fn the_same_request_under_one_key_makes_one_server(stage: &Stage) {
        let first = keyed(stage, "k1", "web").await.unwrap();
        let second = keyed(stage, "k1", "web").await.unwrap();
        assert!(!first.replayed && second.replayed);
        assert_eq!((first.instance.id, first.operation.id), (second.instance.id, second.operation.id));
        stage.succeeds(first.operation.id).await;
        let third = keyed(stage, "k1", "web").await.unwrap();
        // The same answer, whatever has happened since; the operation tells of that.
        assert_eq!((third.instance, third.operation), (first.instance.clone(), first.operation));
        stage.is_the_only_one(first.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }

    async fn twenty_at_once_under_one_key_make_one_server(stage: &Stage) {
        let all = join_all((0..20).map(|_| keyed(stage, "k1", "web"))).await;
        let all: Vec<Accepted> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(all.iter().filter(|it| !it.replayed).count(), 1);
        assert!(all.iter().all(|it| it.operation.id == all[0].operation.id));
        stage.succeeds(all[0].operation.id).await;
        stage.is_the_only_one(all[0].instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }

    async fn another_request_under_the_same_key_is_refused(stage: &Stage) {
        let first = keyed(stage, "k1", "web").await.unwrap();
        let other = keyed(stage, "k1", "mail").await;
        assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");
        let deleter = under(stage, "k1", "delete");
        let action = stage.platform.act(&deleter, first.instance.id, OperationKind::Delete).await;
        assert!(matches!(action, Err(Error::KeyReused)), "{action:?}");
        stage.succeeds(first.operation.id).await;
        stage.is_the_only_one(first.instance.id).await;
    }

    async fn a_repeat_gets_its_answer_whatever_has_changed_since(stage: &Stage) {
        let first = keyed(stage, "k1", "web").await.unwrap();
        stage.succeeds(first.operation.id).await;
        let off = ProviderChange { active: Some(false), ..ProviderChange::default() };
        stage.platform.change_provider(&stage.operator(), stage.account, off).await.unwrap();
        let second = keyed(stage, "k1", "web").await.unwrap();
        assert_eq!(second.operation.id, first.operation.id);
        let fresh = keyed(stage, "k2", "web").await;
        assert!(matches!(fresh, Err(Error::ProviderInactive)), "{fresh:?}");
    }

    async fn an_action_under_one_key_happens_once(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        let reboot = async || {
            let member = under(stage, "k2", "reboot");
            stage.platform.act(&member, id, OperationKind::Reboot).await.unwrap()
        };
        let first = reboot().await;
        stage.succeeds(first.operation.id).await;
        let second = reboot().await;
        assert!(second.replayed);
        assert_eq!(first.operation.id, second.operation.id);
        assert_eq!(stage.changes(mark).len(), 1);
    }
}

async fn keyed(stage: &Stage, key: &str, label: &str) -> Result<Accepted> {
    let member = under(stage, key, label);
    stage
        .platform
        .create_server(&member, stage.request(label))
        .await
}

/// Returns a member whose request came under a key.
fn under(stage: &Stage, key: &str, body: &str) -> Grant<ManageInstances> {
    let key = stage.platform.request_key(key, body.as_bytes());
    stage.member().under_key(Some(key))
}
