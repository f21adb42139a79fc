//! Provider accounts: named once, ordered by hand, and not removed from under a server.

use jiff::Timestamp;
use roadstead_core::ProviderId;
use roadstead_repository::{
    Error, Lifecycle, OperationKind, OperationState, ProviderPatch, Verification,
};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{
    Fleet, TEMPLATE, add_provider, audit, change, lines, migrated, new_instance, operation,
};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_name_is_taken_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let again = add_provider(&fleet.repository, "first", "t").await;
        assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
        let other = add_provider(&fleet.repository, "second", "t").await.unwrap();
        let patch = ProviderPatch { name: Some("first".to_owned()), ..ProviderPatch::default() };
        let renamed = fleet.repository.update_provider(other.id, patch, audit()).await;
        assert!(matches!(renamed, Err(Error::Conflict { .. })), "{renamed:?}");
        let patch = ProviderPatch {
            active: Some(false),
            configuration: Some(serde_json::json!({"a": 1})),
            ..ProviderPatch::default()
        };
        let changed = fleet.repository.update_provider(other.id, patch, audit()).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.active), ("second", false));
        assert_eq!(changed.configuration, serde_json::json!({"a": 1}));
        assert_eq!(fleet.repository.find_provider(other.id).await.unwrap(), Some(changed));
        let nobody = ProviderId::fresh();
        assert_eq!(fleet.repository.find_provider(nobody).await.unwrap(), None);
        let missing = fleet.repository
            .update_provider(nobody, ProviderPatch::default(), audit()).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    }

    async fn the_operators_order_is_kept(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let b = add_provider(&fleet.repository, "b", "t").await.unwrap().id;
        let c = add_provider(&fleet.repository, "c", "t").await.unwrap().id;
        let order = async || {
            let all = fleet.repository.list_providers().await.unwrap();
            all.into_iter().map(|it| it.id).collect::<Vec<_>>()
        };
        assert_eq!(order().await, [fleet.provider, b, c]);
        fleet.repository.reorder_providers(&[c, fleet.provider], audit()).await.unwrap();
        assert_eq!(order().await, [c, fleet.provider, b]);
        let wrong = fleet.repository.reorder_providers(&[b, ProviderId::fresh()], audit()).await;
        assert!(matches!(wrong, Err(Error::NotFound { .. })), "{wrong:?}");
        assert_eq!(order().await, [c, fleet.provider, b]);
    }

    async fn catalogues_are_forgotten_without_a_change_to_the_account(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let read = async || fleet.repository.find_provider(fleet.provider).await.unwrap().unwrap();
        let before = read().await;
        assert_eq!(before.catalogue_epoch, 0);
        for _ in 0..2 {
            fleet.repository.forget_catalogues(fleet.provider, audit()).await.unwrap();
        }
        let after = read().await;
        assert_eq!(after.catalogue_epoch, 2);
        assert_eq!((after.updated_at, &after.name), (before.updated_at, &before.name));
        let missing = fleet.repository.forget_catalogues(ProviderId::fresh(), audit()).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    }

    async fn every_verification_reads_back(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let at = Timestamp::from_microsecond(1_795_000_000_123_456).unwrap();
        for (verification, fingerprint) in [
            (Verification::Verified { at }, Some("account-2")),
            (Verification::Refused { reason: "expired".to_owned(), at }, None),
            (Verification::Unverified { reason: Some("no answer".to_owned()) }, None),
            (Verification::Unverified { reason: None }, None),
        ] {
            let asked = fleet.repository.find_provider(fleet.provider).await.unwrap().unwrap();
            let noted = fleet.repository.set_verification(&asked, &verification, fingerprint);
            assert!(noted.await.unwrap());
            let provider =
                fleet.repository.find_provider(fleet.provider).await.unwrap().unwrap();
            assert_eq!(provider.verification, verification);
            assert_eq!(provider.fingerprint.as_deref(), Some("account-2"));
        }
    }

    async fn what_was_said_of_an_old_token_is_not_noted_of_the_new_one(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let asked = fleet.repository.find_provider(fleet.provider).await.unwrap().unwrap();
        let patch = ProviderPatch { name: Some("renamed".to_owned()), ..ProviderPatch::default() };
        fleet.repository.update_provider(fleet.provider, patch, audit()).await.unwrap();
        let at = Timestamp::from_microsecond(1_795_000_000_123_456).unwrap();
        let refused = Verification::Refused { reason: "expired".to_owned(), at };
        assert!(!fleet.repository.set_verification(&asked, &refused, None).await.unwrap());
        let now = fleet.repository.find_provider(fleet.provider).await.unwrap().unwrap();
        assert_eq!(now.verification, asked.verification);
    }

    async fn an_account_with_servers_stays_and_a_deleted_one_keeps_no_token(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let live = fleet.live("r1").await;
        fleet.accept().await;
        let in_use = fleet.repository.delete_provider(fleet.provider, audit()).await;
        assert!(matches!(in_use, Err(Error::InUse { count: 2 })), "{in_use:?}");
        let claim = fleet.claim().await;
        let mut failed = change(OperationState::Failed);
        failed.instance.lifecycle = Some(Lifecycle::Failed);
        fleet.repository.apply(&claim, &failed).await.unwrap();
        fleet.act(live, OperationKind::Delete).await.unwrap();
        let in_use = fleet.repository.delete_provider(fleet.provider, audit()).await;
        assert!(matches!(in_use, Err(Error::InUse { count: 1 })), "{in_use:?}");
        let claim = fleet.claim().await;
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();

        fleet.repository.delete_provider(fleet.provider, audit()).await.unwrap();
        let again = fleet.repository.delete_provider(fleet.provider, audit()).await;
        assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
        assert_eq!(fleet.repository.list_providers().await.unwrap(), []);
        assert!(fleet.repository.provider_token(fleet.provider).await.unwrap().is_none());
        let kept = "SELECT CAST(COUNT(token) AS TEXT) AS line FROM service_providers";
        assert_eq!(lines(database, kept).await, ["0"]);
        let late = fleet.repository.accept_create(&fleet.tenant,
            new_instance(fleet.provider, "late"), operation(OperationKind::Create), audit())
            .await;
        assert!(matches!(late, Err(Error::NotFound { .. })), "{late:?}");
        // Its name is free again, and its servers' rows are still there.
        add_provider(&fleet.repository, "first", "t").await.unwrap();
        fleet.repository.get_instance(&fleet.tenant, live).await.unwrap();
    }

    async fn an_account_stays_as_long_as_something_may_be_left_at_the_vendor(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let in_use = async || match repository.delete_provider(fleet.provider, audit()).await {
            Err(Error::InUse { count }) => count,
            other => panic!("{other:?}"),
        };
        // Another account's trouble is not this one's.
        let other = add_provider(repository, "second", "t").await.unwrap().id;
        // It failed, and its id at the vendor is known.
        let failed = fleet.failed("r1").await;
        assert_eq!(in_use().await, 1);
        fleet.act(failed, OperationKind::Delete).await.unwrap();
        assert_eq!(in_use().await, 1);
        let claim = fleet.claim().await;
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        // Two more carried its mark.
        gone.doomed = vec!["r2".to_owned().into(), "r3".to_owned().into()];
        repository.apply(&claim, &gone).await.unwrap();
        assert_eq!(in_use().await, 2);
        for remote in ["r2", "r3"] {
            let sweep = fleet.sweep().await;
            repository.finish_doom(&sweep, &remote.to_owned().into()).await.unwrap();
        }
        // It failed without an id, and yet somebody must decide.
        let doubtful = fleet.accept().await.instance.id;
        let claim = fleet.claim().await;
        let mut doubt = change(OperationState::Attention);
        doubt.instance.lifecycle = Some(Lifecycle::Failed);
        repository.apply(&claim, &doubt).await.unwrap();
        assert_eq!(in_use().await, 1);
        repository.delete_provider(other, audit()).await.unwrap();
        fleet.act(doubtful, OperationKind::Delete).await.unwrap();
        let claim = fleet.claim().await;
        gone.doomed = Vec::new();
        repository.apply(&claim, &gone).await.unwrap();
        repository.delete_provider(fleet.provider, audit()).await.unwrap();
    }
}
