//! The whole life of a server, at the vendor and in our books.

use roadstead_core::{Code, Scope};
use roadstead_service::{Error, Lifecycle, OperationKind, PageRequest, Verification};

use crate::stage::{Stage, at_each_vendor, id_of};

at_each_vendor! {
    async fn a_server_lives_from_its_create_to_its_delete(stage: &Stage) {
        let (on, off) = stage.vendor.words;
        let accepted = stage.create("web").await;
        let id = accepted.instance.id;
        assert_eq!(accepted.instance.public_status(), "provisioning");
        assert!(!accepted.replayed);
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(id).await;
        assert_eq!(stage.word(), on);
        assert_eq!(stage.creates().len(), 1);
        bears_our_mark(stage).await;

        let mark = stage.mark();
        let reboot = stage.act(id, OperationKind::Reboot).await;
        stage.succeeds(reboot.id).await;
        assert_eq!((stage.server(id).await.public_status(), stage.word().as_str()), ("running", on));
        assert_eq!(stage.changes(mark).len(), 1);

        let shutdown = stage.act(id, OperationKind::Shutdown).await;
        stage.succeeds(shutdown.id).await;
        assert_eq!((stage.server(id).await.public_status(), stage.word().as_str()), ("stopped", off));
        let refused = stage.platform.act(&stage.member(), id, OperationKind::Reboot).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");

        let boot = stage.act(id, OperationKind::Boot).await;
        stage.succeeds(boot.id).await;
        assert_eq!((stage.server(id).await.public_status(), stage.word().as_str()), ("running", on));
        assert_eq!(stage.changes(mark).len(), 3);

        let delete = stage.act(id, OperationKind::Delete).await;
        assert_eq!(stage.server(id).await.public_status(), "deleting");
        stage.succeeds(delete.id).await;
        assert_eq!(stage.server(id).await.lifecycle, Lifecycle::Deleted);
        assert!(stage.living().is_empty());
        assert!(stage.servers().await.is_empty());
        let again = stage.platform.act(&stage.member(), id, OperationKind::Delete).await;
        assert!(matches!(again, Err(Error::NoSuchInstance)), "{again:?}");
        let kinds: Vec<_> = stage.platform.operations(&stage.reader(), id, &PageRequest::default()).await.unwrap().items
            .iter().map(|it| it.kind).collect();
        use OperationKind::{Boot, Create, Delete, Reboot, Shutdown};
        assert_eq!(kinds, [Delete, Boot, Shutdown, Reboot, Create]);
    }

    async fn what_the_vendor_knows_of_a_new_server_is_in_our_books(stage: &Stage) {
        let server = stage.running("web").await;
        assert!(server.addresses.iter().any(|it| it.scope == Scope::Public), "{server:?}");
        let price = server.price.as_ref().unwrap();
        assert!(price.hourly.is_some() && price.monthly.is_some(), "{price:?}");
        assert_eq!(server.power_raw.as_deref(), Some(stage.vendor.words.0));
        assert_eq!(server.specification.plan.as_str(), stage.vendor.plan);
        assert_eq!(server.specification.region.as_str(), stage.vendor.region);
        assert_eq!(server.specification.image.as_str(), stage.vendor.image);
        assert_eq!((server.specification.vcpus, server.specification.memory.whole_gib()), (1, 1));
        assert!(server.observed_at.is_some());
        assert_eq!(server.problem, None);
    }

    async fn a_wait_ends_when_the_vendor_has_accepted(stage: &Stage) {
        let mut request = stage.request("web");
        request.wait = std::time::Duration::from_secs(20);
        let accepted = stage.platform.create_server(&stage.member(), request).await.unwrap();
        assert!(accepted.instance.remote.is_some(), "{accepted:?}");
        assert_eq!(accepted.instance.lifecycle, Lifecycle::Live);
        stage.succeeds(accepted.operation.id).await;
    }

    async fn a_power_action_on_a_server_that_is_there_already_sends_nothing(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        let boot = stage.act(id, OperationKind::Boot).await;
        stage.succeeds(boot.id).await;
        assert!(stage.changes(mark).is_empty());
    }

    async fn two_actions_at_a_time_are_one_too_many(stage: &Stage) {
        let id = stage.running("web").await.id;
        stage.halt().await;
        stage.act(id, OperationKind::Shutdown).await;
        let second = stage.platform.act(&stage.member(), id, OperationKind::Reboot).await;
        assert!(matches!(second, Err(Error::Conflict(_))), "{second:?}");
    }

    async fn a_lost_answer_to_a_shutdown_is_settled_by_looking(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        stage.fault(serde_json::json!({ "method": "POST", "when": "after", "effect": { "drop": true } }));
        let shutdown = stage.act(id, OperationKind::Shutdown).await;
        stage.succeeds(shutdown.id).await;
        assert_eq!(stage.word(), stage.vendor.words.1);
        assert_eq!(stage.changes(mark).len(), 1);
    }

    async fn a_reboot_whose_answer_was_lost_is_not_sent_again(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        stage.fault(serde_json::json!({ "method": "POST", "when": "before", "effect": { "drop": true } }));
        let reboot = stage.act(id, OperationKind::Reboot).await;
        let operation = stage.settles(reboot.id).await;
        assert_eq!(operation.state, roadstead_service::OperationState::Attention, "{operation:?}");
        assert_eq!(operation.error.unwrap().code, Code::UnknownError.as_str());
        assert_eq!(stage.changes(mark).len(), 1);
        assert!(matches!(stage.verification().await, Verification::Verified { .. }));
        assert_eq!(stage.server(id).await.public_status(), "running");
    }
}

/// Asserts that the vendor's only server carries the name and the tags by which it is found.
async fn bears_our_mark(stage: &Stage) {
    let [server] = stage.servers().await.try_into().unwrap();
    let [living] = stage.living().try_into().unwrap();
    assert_eq!(Some(id_of(&living)), server.remote.map(|it| it.to_string()));
    let name = living.get("name").or(living.get("label")).unwrap();
    assert_eq!(name, server.remote_name.as_str());
    let tags = living["tags"].to_string();
    assert!(tags.contains("rs:d:") && tags.contains("rs:i:"), "{tags}");
    assert!(tags.contains("blue"), "{tags}");
}
