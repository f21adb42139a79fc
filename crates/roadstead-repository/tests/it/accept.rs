//! Intents: one per key, one at a time per server, never another tenant's.

use futures::future::join_all;
use roadstead_core::State;
use roadstead_repository::{Accepted, AuditEntry, Error, Lifecycle, OperationKind, OperationState};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{
    Fleet, NO_MARGIN, TEMPLATE, audit, change, key, lines, migrated, new_instance, operation,
};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn what_was_accepted_reads_back_as_it_was(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let new = new_instance(fleet.provider, "Web \u{e9}\u{1f600}");
        let asked = operation(OperationKind::Create);
        let accepted = fleet.repository
            .accept_create(&fleet.tenant, new.clone(), asked.clone(), audit())
            .await.unwrap();
        let instance = fleet.repository.get_instance(&fleet.tenant, new.id).await.unwrap();
        assert_eq!(instance, accepted.instance);
        assert_eq!(instance.label, new.label);
        assert_eq!(instance.specification, new.specification);
        assert_eq!(instance.tags, new.tags);
        assert_eq!(instance.price, new.price);
        assert_eq!((instance.lifecycle, instance.power), (Lifecycle::Pending, State::Provisioning));
        assert_eq!(instance.public_status(), "provisioning");
        let recorded = fleet.repository.get_operation(&fleet.tenant, asked.id).await.unwrap();
        assert_eq!(recorded, accepted.operation);
        assert_eq!(recorded.request_id.as_deref(), Some("request-1"));
        let listed = fleet.repository.list_operations(&fleet.tenant, new.id, None, 10).await.unwrap().items;
        assert_eq!(listed, [recorded]);
        let claim = fleet.claim().await;
        assert_eq!(claim.request.plain, asked.request.plain);
        assert_eq!(claim.operation.request_id, recorded_id(&accepted));
    }

    async fn an_operation_keeps_the_request_that_asked_first(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        fleet.bind("r1").await;
        let mut first = None;
        for request in ["request-2", "request-3"] {
            let audit = AuditEntry { request_id: Some(request.to_owned()), ..audit() };
            let delete = operation(OperationKind::Delete);
            let accepted = fleet.repository
                .accept_action(&fleet.tenant, id, delete, audit).await.unwrap();
            first.get_or_insert(accepted.operation.id);
            assert_eq!(Some(accepted.operation.id), first);
            assert_eq!(recorded_id(&accepted).as_deref(), Some("request-2"));
        }
    }

    async fn an_operation_without_a_request_has_no_id_of_one(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let audit = AuditEntry { request_id: None, ..audit() };
        let instance = new_instance(fleet.provider, "web");
        let accepted = fleet.repository
            .accept_create(&fleet.tenant, instance, operation(OperationKind::Create), audit)
            .await.unwrap();
        assert_eq!(recorded_id(&accepted), None);
        assert_eq!(fleet.claim().await.operation.request_id, None);
    }

    async fn the_same_key_gives_the_same_operation_and_another_body_is_refused(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let first = fleet.accept_with("web", None, key("k", "body")).await.unwrap();
        assert!(!first.replayed);
        let again = fleet.accept_with("web", None, key("k", "body")).await.unwrap();
        assert!(again.replayed);
        assert_eq!((again.instance, again.operation), (first.instance, first.operation));
        let other = fleet.accept_with("web", None, key("k", "other")).await;
        assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");
        assert!(!fleet.accept_with("web", None, key("k2", "body")).await.unwrap().replayed);

        let stranger = Fleet { tenant: fleet.stranger().await, ..fleet };
        assert!(!stranger.accept_with("web", None, key("k", "other")).await.unwrap().replayed);
    }

    async fn twenty_requests_at_once_with_one_key_make_one_server(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let all = (0..20).map(|_| fleet.accept_with("web", None, key("k", "body")));
        let accepted = join_all(all).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(accepted.iter().filter(|it| !it.replayed).count(), 1);
        assert!(accepted.iter().all(|it| it.operation.id == accepted[0].operation.id));
        for table in ["vps_instances", "operations", "idempotency_keys"] {
            let count = format!("SELECT CAST(COUNT(*) AS TEXT) AS line FROM {table}");
            assert_eq!(lines(database, &count).await, ["1"], "{table}");
        }
    }

    async fn a_refused_request_leaves_its_key_unused(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        let reboot = || fleet.repository.accept_action(&fleet.tenant, id,
            operation(OperationKind::Reboot), fleet.under(key("k", "reboot")));
        assert!(matches!(reboot().await, Err(Error::Busy { .. })));
        fleet.bind("r1").await;
        assert!(!reboot().await.unwrap().replayed);
        assert!(reboot().await.unwrap().replayed);
    }

    async fn only_one_operation_works_on_a_server_at_a_time(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let created = fleet.accept().await;
        let id = created.instance.id;
        match fleet.act(id, OperationKind::Reboot).await {
            Err(Error::Busy { operation, kind }) => {
                assert_eq!((operation, kind), (created.operation.id, OperationKind::Create));
            }
            other => panic!("{other:?}"),
        }
        fleet.bind("r1").await;
        let all = (0..10).map(|_| fleet.act(id, OperationKind::Reboot));
        let outcomes = join_all(all).await;
        assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
        let refused = |it: &&_| matches!(it, Err(Error::Busy { kind: OperationKind::Reboot, .. }));
        assert_eq!(outcomes.iter().filter(refused).count(), 9);
    }

    async fn a_second_delete_is_the_first_one(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        let all = (0..5).map(|_| fleet.act(id, OperationKind::Delete));
        let deletes = join_all(all).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(deletes.iter().filter(|it| !it.replayed).count(), 1);
        assert!(deletes.iter().all(|it| it.operation.id == deletes[0].operation.id));
        assert!(deletes.iter().all(|it| it.instance.lifecycle == Lifecycle::Deleting));
        let keyed = || fleet.repository.accept_action(&fleet.tenant, id,
            operation(OperationKind::Delete), fleet.under(key("k", "delete")));
        assert_eq!(keyed().await.unwrap().operation.id, deletes[0].operation.id);
        assert_eq!(keyed().await.unwrap().operation.id, deletes[0].operation.id);
        assert!(matches!(fleet.act(id, OperationKind::Boot).await, Err(Error::Busy { .. })));
    }

    async fn a_delete_waits_for_the_create_and_then_deletes_for_good(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        let delete = fleet.act(id, OperationKind::Delete).await.unwrap();
        assert_eq!(delete.instance.lifecycle, Lifecycle::Pending);
        fleet.bind("r1").await;
        let claim = fleet.claim().await;
        assert_eq!(claim.operation.id, delete.operation.id);
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        let mut waiting = change(OperationState::Waiting);
        waiting.instance.lifecycle = Some(Lifecycle::Deleting);
        fleet.repository.apply(&claim, &waiting).await.unwrap();
        let claim = fleet.claim().await;
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();
        for kind in [OperationKind::Delete, OperationKind::Boot] {
            assert!(matches!(fleet.act(id, kind).await, Err(Error::NotFound { .. })));
        }
        let instance = fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
        assert_eq!(instance.lifecycle, Lifecycle::Deleted);
        assert_eq!(fleet.repository.next_due().await.unwrap(), None);
    }

    async fn a_server_that_failed_is_deleted_at_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        let claim = fleet.claim().await;
        let mut failed = change(OperationState::Failed);
        failed.instance.lifecycle = Some(Lifecycle::Failed);
        fleet.repository.apply(&claim, &failed).await.unwrap();
        let boot = fleet.act(id, OperationKind::Boot).await;
        assert!(matches!(boot, Err(Error::WrongState { lifecycle: Lifecycle::Failed })), "{boot:?}");
        let delete = fleet.act(id, OperationKind::Delete).await.unwrap();
        assert_eq!(delete.instance.lifecycle, Lifecycle::Deleted);
        assert_eq!(delete.operation.state, OperationState::Succeeded);
        assert!(delete.operation.finished_at.is_some());
        assert_eq!(fleet.repository.next_due().await.unwrap(), None);
    }

    async fn a_server_that_failed_with_an_id_at_the_vendor_is_deleted_by_a_worker(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let id = fleet.failed("r1").await;
        let delete = fleet.act(id, OperationKind::Delete).await.unwrap();
        assert_eq!(delete.instance.lifecycle, Lifecycle::Failed);
        assert_eq!(delete.operation.state, OperationState::Ready);
        let again = fleet.act(id, OperationKind::Delete).await.unwrap();
        assert!(again.replayed && again.operation.id == delete.operation.id, "{again:?}");
        let claim = fleet.claim().await;
        assert_eq!(claim.operation.id, delete.operation.id);
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();
        let instance = fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
        assert_eq!(instance.lifecycle, Lifecycle::Deleted);
    }

    async fn a_server_about_which_a_person_must_decide_is_deleted_by_a_worker(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let created = fleet.accept().await;
        let claim = fleet.claim().await;
        let mut doubt = change(OperationState::Attention);
        doubt.instance.lifecycle = Some(Lifecycle::Failed);
        fleet.repository.apply(&claim, &doubt).await.unwrap();
        let delete = fleet.act(created.instance.id, OperationKind::Delete).await.unwrap();
        assert_eq!(delete.instance.lifecycle, Lifecycle::Failed);
        let claim = fleet.claim().await;
        assert_eq!(claim.operation.id, delete.operation.id);
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();
        let settled = fleet.repository.get_operation(&fleet.tenant, created.operation.id).await;
        assert_eq!(settled.unwrap().state, OperationState::Failed);
    }

    async fn another_tenants_server_looks_like_an_absent_one(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let accepted = fleet.accept().await;
        let (id, stranger) = (accepted.instance.id, fleet.stranger().await);
        let repository = &fleet.repository;
        let absent = Error::NotFound { what: "instance" }.to_string();
        let seen = repository.get_instance(&stranger, id).await.unwrap_err();
        assert_eq!(seen.to_string(), absent);
        let patch = roadstead_repository::InstancePatch::default();
        let changed = repository.update_instance(&stranger, id, patch, audit()).await.unwrap_err();
        assert_eq!(changed.to_string(), absent);
        let delete = operation(OperationKind::Delete);
        let deleted = repository.accept_action(&stranger, id, delete, audit()).await;
        assert_eq!(deleted.unwrap_err().to_string(), absent);
        let operation = repository.get_operation(&stranger, accepted.operation.id).await;
        assert!(matches!(operation, Err(Error::NotFound { .. })), "{operation:?}");
        assert_eq!(repository.list_operations(&stranger, id, None, 10).await.unwrap().items, []);
    }

    async fn a_caller_who_goes_away_does_not_cut_the_transaction(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for polls in 1..40_u32 {
            let request = fleet.accept_with("web", None, key(&polls.to_string(), "body"));
            let mut request = Box::pin(request);
            for _ in 0..polls {
                if futures::poll!(&mut request).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(request);
        }
        // Each is there whole, and the pool is well.
        for polls in 1..40_u32 {
            fleet.accept_with("web", None, key(&polls.to_string(), "body")).await.unwrap();
        }
        for table in ["vps_instances", "operations", "idempotency_keys"] {
            let count = format!("SELECT CAST(COUNT(*) AS TEXT) AS line FROM {table}");
            assert_eq!(lines(database, &count).await, ["39"], "{table}");
        }
    }

    async fn a_server_at_an_unknown_account_is_refused(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let nowhere = new_instance(roadstead_core::ProviderId::fresh(), "web");
        let outcome = fleet.repository.accept_create(&fleet.tenant, nowhere,
            operation(OperationKind::Create), audit()).await;
        assert!(matches!(outcome, Err(Error::NotFound { what: "provider account" })), "{outcome:?}");
    }
}

fn recorded_id(accepted: &Accepted) -> Option<String> {
    accepted.operation.request_id.clone()
}
