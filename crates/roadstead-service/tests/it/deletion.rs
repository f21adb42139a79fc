//! Deletes: once, twice, early, of what is gone, and never of what is not ours.

use roadstead_core::{Action, Code};
use roadstead_http::Client;
use roadstead_service::{Lifecycle, OperationKind, OperationState};
use serde_json::json;

use crate::stage::{Scene, Stage, at_each_vendor};

at_each_vendor! {
    async fn a_second_delete_is_the_first(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        let first = stage.act(id, OperationKind::Delete).await;
        let second = stage.act(id, OperationKind::Delete).await;
        assert_eq!(first.id, second.id);
        stage.succeeds(first.id).await;
        let deletes = stage.changes(mark);
        assert_eq!(deletes.len(), 1, "{deletes:?}");
        assert!(stage.living().is_empty());
    }

    async fn a_lost_answer_to_a_delete_is_settled_by_looking(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        stage.fault(json!({ "method": "DELETE", "when": "after", "effect": { "drop": true } }));
        let delete = stage.act(id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert_eq!(stage.server(id).await.lifecycle, Lifecycle::Deleted);
        assert!(stage.living().is_empty());
        assert_eq!(stage.changes(mark).len(), 1);
    }

    async fn a_delete_that_never_arrived_is_sent_again(stage: &Stage) {
        let id = stage.running("web").await.id;
        stage.fault(json!({ "method": "DELETE", "when": "before", "effect": { "drop": true } }));
        let delete = stage.act(id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn a_server_that_is_gone_at_the_vendor_is_deleted_here(stage: &Stage) {
        let server = stage.running("web").await;
        let remote = server.remote.unwrap();
        stage.direct().perform_action(&remote, &Action::Delete).await.unwrap();
        stage.until("the provider has none", async || stage.living().is_empty().then_some(())).await;
        let reboot = stage.act(server.id, OperationKind::Reboot).await;
        let (_, code) = stage.fails(reboot.id).await;
        assert_eq!(code, Code::InstanceNotFound.as_str());
        let mark = stage.mark();
        let delete = stage.act(server.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert_eq!(stage.server(server.id).await.lifecycle, Lifecycle::Deleted);
        assert!(stage.changes(mark).is_empty());
    }

    async fn a_server_without_our_mark_is_spared(stage: &Stage) {
        let server = stage.running("web").await;
        let remote = server.remote.unwrap();
        let direct = stage.direct();
        let name = "somebody-elses".into();
        direct.perform_action(&remote, &Action::Rename { name }).await.unwrap();
        let [living] = stage.living().try_into().unwrap();
        let client = direct.native().downcast_ref::<Client>().unwrap();
        for request in (stage.vendor.untag)(&living) {
            client.send(&request, &|_| None).await.unwrap();
        }
        stage.until("the name has changed", async || {
            let [living] = stage.living().try_into().unwrap();
            living.to_string().contains("somebody-elses").then_some(())
        }).await;

        let mark = stage.mark();
        let delete = stage.act(server.id, OperationKind::Delete).await;
        let operation = stage.settles(delete.id).await;
        assert_eq!(operation.state, OperationState::Attention, "{operation:?}");
        assert!(stage.changes(mark).is_empty());
        assert_eq!(stage.living().len(), 1);
        let problem = stage.server(server.id).await.problem.unwrap();
        assert!(problem.contains("does not carry our mark"), "{problem}");
    }

    async fn one_tag_is_mark_enough(stage: &Stage) {
        let server = stage.running("web").await;
        let remote = server.remote.unwrap();
        let name = "renamed-by-hand".into();
        stage.direct().perform_action(&remote, &Action::Rename { name }).await.unwrap();
        stage.until("the name has changed", async || {
            let [living] = stage.living().try_into().unwrap();
            living.to_string().contains("renamed-by-hand").then_some(())
        }).await;
        let delete = stage.act(server.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn a_delete_during_a_lost_create_waits_for_it_and_leaves_nothing(stage: &Stage) {
        stage.blind();
        stage.spoil_create("after", json!({ "drop": true }));
        let accepted = stage.create("web").await;
        stage.until("the answer is lost", async || {
            (stage.server(accepted.instance.id).await.lifecycle == Lifecycle::Resolving).then_some(())
        }).await;
        let delete = stage.act(accepted.instance.id, OperationKind::Delete).await;
        stage.sim().clear_faults();
        stage.succeeds(accepted.operation.id).await;
        stage.succeeds(delete.id).await;
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Deleted);
        assert!(stage.living().is_empty());
        assert_eq!(stage.creates().len(), 1);
    }
}

fn slow() -> Scene {
    Scene {
        time_scale: 25.0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(slow);

    async fn a_delete_during_the_create_leaves_nothing(stage: &Stage) {
        let accepted = stage.create("web").await;
        stage.until("the provider has it", async || {
            stage.server(accepted.instance.id).await.remote
        }).await;
        assert_ne!(stage.word(), stage.vendor.words.0);
        let delete = stage.act(accepted.instance.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Deleted);
        assert!(stage.living().is_empty());
        assert!(stage.operation(accepted.operation.id).await.state.is_final());
    }
}

fn without_workers() -> Scene {
    Scene {
        workers: 0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(without_workers);

    async fn a_delete_before_the_create_was_sent_leaves_nothing(stage: &Stage) {
        let accepted = stage.create("web").await;
        let delete = stage.act(accepted.instance.id, OperationKind::Delete).await;
        stage.start(1);
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
        assert!(stage.servers().await.is_empty());
        assert!(stage.operation(accepted.operation.id).await.state.is_final());
    }
}

fn full() -> Scene {
    Scene {
        server_limit: 0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(full);

    async fn a_failed_server_is_dismissed_without_the_vendor(stage: &Stage) {
        let accepted = stage.create("web").await;
        stage.fails(accepted.operation.id).await;
        let mark = stage.mark();
        let delete = stage.act(accepted.instance.id, OperationKind::Delete).await;
        assert_eq!(delete.state, OperationState::Succeeded);
        assert!(stage.servers().await.is_empty());
        assert_eq!(stage.mark(), mark);
    }
}
