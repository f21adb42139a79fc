//! Keys at the vendors: held while they are needed, and taken up for removal when they are not.

use std::time::Duration;

use futures::future::join_all;
use roadstead_core::ProviderId;
use roadstead_repository::{
    Claim, Error, Lifecycle, NewPlacement, OperationKind, OperationState, Placement,
};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, add_provider, audit, change, lines, migrated};
use crate::ssh_keys::{add_for, new};

const NOW: Duration = Duration::ZERO;

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_key_is_placed_once_under_the_name_it_got_first(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        let first = hold(&fleet, &claim, "name-1").await;
        assert_eq!((first.remote_name.as_str(), &first.remote_id), ("name-1", &None));
        let other = accepted(&fleet).await;
        let second = hold(&fleet, &other, "name-2").await;
        assert_eq!(second.remote_name, "name-1");
        // The first answer counts: it names what the vendor had first.
        fleet.repository.record_placement(&second, "id-2").await.unwrap();
        fleet.repository.record_placement(&first, "id-1").await.unwrap();
        let third = hold(&fleet, &claim, "name-3").await;
        assert_eq!(third.remote_id.as_deref(), Some("id-2"));
        assert_eq!(all(&fleet).await.len(), 1);

        let mut stale = third.clone();
        stale.remote_id = Some("id-1".to_owned());
        fleet.repository.forget_placement(&stale).await.unwrap();
        assert_eq!(all(&fleet).await[0].remote_id.as_deref(), Some("id-2"));
        fleet.repository.forget_placement(&third).await.unwrap();
        assert_eq!(all(&fleet).await[0].remote_id, None);
    }

    async fn a_key_held_by_forty_at_once_is_one_row(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for _ in 0..8 {
            fleet.accept().await;
        }
        let claims = fleet.repository.claim(uuid::Uuid::now_v7(), crate::fixture::LEASE, 8).await.unwrap();
        let holds = (0..40).map(|number| {
            let fleet = &fleet;
            let claim = &claims[number % 8];
            async move { hold(fleet, claim, &format!("name-{number}")).await.remote_name }
        });
        let names = join_all(holds).await;
        assert!(names.iter().all(|it| *it == names[0]), "{names:?}");
        assert_eq!(all(&fleet).await.len(), 1);
        assert_eq!(uses(database).await, 8);
    }

    async fn a_worker_that_lost_its_lease_holds_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let worker = uuid::Uuid::now_v7();
        let mut old = fleet.repository.claim(worker, NOW, 1).await.unwrap();
        let fresh = fleet.claim().await;
        let lost = fleet.repository.hold_placement(&old.remove(0), placement("name-1")).await;
        assert!(matches!(lost, Err(Error::LeaseLost)), "{lost:?}");
        assert_eq!(all(&fleet).await, []);
        hold(&fleet, &fresh, "name-1").await;
    }

    async fn what_an_open_operation_needs_stays(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        let held = hold(&fleet, &claim, "name-1").await;
        fleet.repository.record_placement(&held, "id-1").await.unwrap();
        assert_eq!(unwanted(&fleet, NOW, NOW).await, []);
        // One that waits for a person is open as well.
        fleet.repository.apply(&claim, &change(OperationState::Ready)).await.unwrap();
        assert_eq!(unwanted(&fleet, NOW, NOW).await, []);
        end(&fleet).await;
        let [removal] = unwanted(&fleet, NOW, NOW).await.try_into().unwrap();
        assert_eq!((removal.remote_name.as_str(), &removal.remote_id), ("name-1", &None));
        fleet.repository.finish_removal(&removal).await.unwrap();
        assert_eq!(all(&fleet).await, []);
        assert_eq!(uses(database).await, 0);
    }

    async fn what_any_organization_has_stays(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let stranger = fleet.stranger().await;
        let own = add_for(&fleet, &fleet.tenant, new("laptop", "f1"), 9, None).await.unwrap();
        let theirs = add_for(&fleet, &stranger, new("their laptop", "f1"), 9, None).await.unwrap();
        let claim = accepted(&fleet).await;
        hold(&fleet, &claim, "name-1").await;
        end_claimed(&fleet, &claim).await;
        assert_eq!(unwanted(&fleet, NOW, NOW).await, []);
        fleet.repository.delete_ssh_key(&fleet.tenant, own.id, audit()).await.unwrap();
        assert_eq!(unwanted(&fleet, NOW, NOW).await, []);
        fleet.repository.delete_ssh_key(&stranger, theirs.id, audit()).await.unwrap();
        assert_eq!(unwanted(&fleet, NOW, NOW).await.len(), 1);
    }

    async fn what_may_still_come_is_left_alone(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        hold(&fleet, &claim, "name-1").await;
        end_claimed(&fleet, &claim).await;
        assert_eq!(unwanted(&fleet, Duration::from_secs(3600), NOW).await, []);
        assert_eq!(unwanted(&fleet, NOW, NOW).await.len(), 1);
    }

    async fn a_removal_that_failed_has_to_wait_for_its_turn(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        hold(&fleet, &claim, "name-1").await;
        end_claimed(&fleet, &claim).await;
        let hour = Duration::from_secs(3600);
        // Over and over without any rest, and no number overflows.
        for _ in 0..12 {
            assert_eq!(unwanted(&fleet, NOW, NOW).await.len(), 1);
        }
        assert_eq!(unwanted(&fleet, NOW, hour).await.len(), 1);
        assert_eq!(unwanted(&fleet, NOW, hour).await, []);
        // A create that needs the key begins from the start.
        let claim = accepted(&fleet).await;
        hold(&fleet, &claim, "name-2").await;
        end_claimed(&fleet, &claim).await;
        assert_eq!(unwanted(&fleet, NOW, hour).await.len(), 1);
    }

    async fn a_create_that_comes_while_a_key_is_being_removed_keeps_it(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        let held = hold(&fleet, &claim, "name-1").await;
        fleet.repository.record_placement(&held, "id-1").await.unwrap();
        end_claimed(&fleet, &claim).await;
        let [removal] = unwanted(&fleet, NOW, NOW).await.try_into().unwrap();
        let late = accepted(&fleet).await;
        let held = hold(&fleet, &late, "name-2").await;
        assert_eq!(held.remote_id, None, "the id on record is being removed");
        fleet.repository.finish_removal(&removal).await.unwrap();
        assert_eq!(all(&fleet).await.len(), 1);
        fleet.repository.record_placement(&held, "id-2").await.unwrap();
        end_claimed(&fleet, &late).await;
        // Nor is it forgotten by the old removal once that create is over.
        fleet.repository.finish_removal(&removal).await.unwrap();
        assert_eq!(all(&fleet).await[0].remote_id.as_deref(), Some("id-2"));
        assert_eq!(unwanted(&fleet, NOW, NOW).await.len(), 1);
    }

    async fn two_processes_take_up_each_removal_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for number in 0..20 {
            let claim = accepted(&fleet).await;
            let mut new = placement("name");
            new.fingerprint = format!("f{number}");
            fleet.repository.hold_placement(&claim, new).await.unwrap();
            end_claimed(&fleet, &claim).await;
        }
        let hour = Duration::from_secs(3600);
        let taken = join_all((0..4).map(|_| unwanted(&fleet, NOW, hour))).await;
        let mut taken: Vec<String> = taken.into_iter().flatten().map(|it| it.fingerprint).collect();
        assert_eq!(taken.len(), 20);
        taken.sort();
        taken.dedup();
        assert_eq!(taken.len(), 20);
    }

    async fn each_account_is_asked_for_its_own(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        hold(&fleet, &claim, "name-1").await;
        end_claimed(&fleet, &claim).await;
        let other = add_provider(&fleet.repository, "second", "token-2").await.unwrap().id;
        let claimed = fleet.repository.claim_unwanted_placements(other, NOW, NOW, 10).await.unwrap();
        assert_eq!(claimed, []);
        let claimed = fleet.repository.claim_unwanted_placements(ProviderId::fresh(), NOW, NOW, 10).await;
        assert_eq!(claimed.unwrap(), []);
    }

    async fn an_account_that_is_forgotten_takes_its_keys_along(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let claim = accepted(&fleet).await;
        hold(&fleet, &claim, "name-1").await;
        end_claimed(&fleet, &claim).await;
        fleet.repository.delete_provider(fleet.provider, audit()).await.unwrap();
        assert_eq!(all(&fleet).await, []);
        assert_eq!(uses(database).await, 0);
    }

    async fn uses_of_what_is_over_do_not_pile_up(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        add_for(&fleet, &fleet.tenant, new("laptop", "f1"), 9, None).await.unwrap();
        for _ in 0..5 {
            let claim = accepted(&fleet).await;
            hold(&fleet, &claim, "name-1").await;
            end_claimed(&fleet, &claim).await;
            assert_eq!(uses(database).await, 1);
        }
    }
}

fn placement(name: &str) -> NewPlacement {
    NewPlacement {
        fingerprint: "f1".to_owned(),
        public_key: "ssh-ed25519 f1".to_owned(),
        remote_name: name.to_owned(),
    }
}

async fn hold(fleet: &Fleet, claim: &Claim, name: &str) -> Placement {
    fleet
        .repository
        .hold_placement(claim, placement(name))
        .await
        .unwrap()
}

async fn all(fleet: &Fleet) -> Vec<Placement> {
    fleet
        .repository
        .list_placements(fleet.provider)
        .await
        .unwrap()
}

async fn unwanted(fleet: &Fleet, settle: Duration, rest: Duration) -> Vec<Placement> {
    fleet
        .repository
        .claim_unwanted_placements(fleet.provider, settle, rest, 100)
        .await
        .unwrap()
}

/// Puts a create on record and claims it.
async fn accepted(fleet: &Fleet) -> Claim {
    fleet.accept().await;
    fleet.claim().await
}

/// Ends the create that is due.
async fn end(fleet: &Fleet) {
    let claim = fleet.claim().await;
    assert_eq!(claim.operation.kind, OperationKind::Create);
    end_claimed(fleet, &claim).await;
}

async fn end_claimed(fleet: &Fleet, claim: &Claim) {
    let mut failed = change(OperationState::Failed);
    failed.instance.lifecycle = Some(Lifecycle::Failed);
    fleet.repository.apply(claim, &failed).await.unwrap();
}

async fn uses(database: &Scratch) -> usize {
    let sql = "SELECT fingerprint AS line FROM ssh_key_uses";
    lines(database, sql).await.len()
}
