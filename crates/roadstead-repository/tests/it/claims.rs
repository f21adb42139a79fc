//! Leases: one worker at a time, none that slept, nothing sent without a record.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use roadstead_repository::{AttemptOutcome, Error, ErrorRecord, OperationKind, OperationState};
use roadstead_testkit::{Backend, Scratch, on_both_databases};
use uuid::Uuid;

use crate::fixture::{Fleet, LEASE, NO_MARGIN, TEMPLATE, change, lines, migrated};

const OUTCOMES: &str = "SELECT COALESCE(outcome, 'open') AS line FROM attempts ORDER BY number";

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn eight_workers_never_claim_the_same_operation(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for _ in 0..40 {
            fleet.accept().await;
        }
        let mut workers = Vec::new();
        for _ in 0..8 {
            let repository = fleet.repository.clone();
            workers.push(tokio::spawn(async move {
                let (worker, mut mine, mut empty) = (Uuid::now_v7(), Vec::new(), 0);
                // Another worker's locks can make one claim come back with nothing.
                while empty < 20 {
                    let claims = repository.claim(worker, LEASE, 3).await.unwrap();
                    assert!(claims.len() <= 3);
                    empty = if claims.is_empty() { empty + 1 } else { 0 };
                    mine.extend(claims.into_iter().map(|it| it.operation.id));
                }
                mine
            }));
        }
        let mut claimed = Vec::new();
        for worker in workers {
            claimed.extend(worker.await.unwrap());
        }
        assert_eq!(claimed.len(), 40);
        assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 40);
    }

    async fn a_worker_that_slept_past_its_lease_changes_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let slept = fleet.repository.claim(Uuid::now_v7(), Duration::ZERO, 1).await.unwrap().remove(0);
        let awake = fleet.claim().await;
        assert_eq!(awake.operation.id, slept.operation.id);
        assert_eq!(awake.epoch, slept.epoch + 1);
        let begun = fleet.repository.begin_attempt(&slept, b"digest", NO_MARGIN).await;
        assert!(matches!(begun, Err(Error::LeaseLost)), "{begun:?}");
        let applied = fleet.repository.apply(&slept, &change(OperationState::Failed)).await;
        assert!(matches!(applied, Err(Error::LeaseLost)), "{applied:?}");
        let operation =
            fleet.repository.get_operation(&fleet.tenant, slept.operation.id).await.unwrap();
        assert_eq!(operation.state, OperationState::Leased);
        fleet.repository.begin_attempt(&awake, b"digest", NO_MARGIN).await.unwrap();
    }

    async fn nothing_is_sent_when_too_little_of_the_lease_is_left(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let claim = fleet.claim().await;
        let begun = fleet.repository.begin_attempt(&claim, b"digest", LEASE).await;
        assert!(matches!(begun, Err(Error::LeaseLost)), "{begun:?}");
        let sent = fleet.repository.begin_attempt(&claim, b"digest", LEASE / 2).await.unwrap();
        assert_eq!(sent.number, 1);
        assert!(sent.sent_at >= claim.now && sent.sent_at < claim.lease_until);
        let twice = fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await;
        assert!(matches!(twice, Err(Error::IllegalEdge { .. })), "{twice:?}");
    }

    async fn what_was_sent_under_a_lost_lease_becomes_unknown(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let lease = Duration::from_millis(500);
        let claim = fleet.repository.claim(Uuid::now_v7(), lease, 1).await.unwrap().remove(0);
        assert_eq!(claim.operation.state, OperationState::Leased);
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let again = loop {
            let mut claims = fleet.repository.claim(Uuid::now_v7(), LEASE, 1).await.unwrap();
            if let Some(claim) = claims.pop() {
                break claim;
            }
            assert!(Instant::now() < deadline, "the lease never ran out");
        };
        assert_eq!(again.operation.state, OperationState::Unknown);
        assert_eq!(again.operation.attempts, 1);
        assert_eq!(again.operation.orphaned_attempts, 1);
        assert_eq!(lines(database, OUTCOMES).await, ["unknown"]);

        let mut found = change(OperationState::Waiting);
        found.attempt = Some(AttemptOutcome::Committed);
        fleet.repository.apply(&again, &found).await.unwrap();
        assert_eq!(lines(database, OUTCOMES).await, ["committed"]);
    }

    async fn an_attempt_that_the_vendor_never_worked_on_keeps_its_number(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        for outcome in [AttemptOutcome::NotExecuted, AttemptOutcome::Unknown] {
            let claim = fleet.claim().await;
            let sent = fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
            assert_eq!(sent.number, 1);
            let mut again = change(OperationState::Ready);
            again.attempt = Some(outcome);
            again.empty_looks = 2;
            let operation = fleet.repository.apply(&claim, &again).await.unwrap();
            assert_eq!((operation.attempts, operation.empty_looks), (1, 2));
        }
        let claim = fleet.claim().await;
        let sent = fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        assert_eq!(sent.number, 2);
        assert_eq!(lines(database, OUTCOMES).await, ["unknown", "open"]);
        let operation =
            fleet.repository.get_operation(&fleet.tenant, claim.operation.id).await.unwrap();
        assert_eq!(operation.sent_at, Some(sent.sent_at));
        assert_eq!(operation.empty_looks, 0);
        assert_eq!(operation.orphaned_attempts, 0);
    }

    async fn a_reason_for_waiting_does_not_survive_into_the_next_attempt(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.operation.id;
        let error = async || {
            let operation = fleet.repository.get_operation(&fleet.tenant, id).await.unwrap();
            operation.error.map(|it| it.code)
        };
        let claim = fleet.claim().await;
        let mut wait = change(OperationState::Ready);
        wait.error = Some(ErrorRecord {
            code: "RATE_LIMITED".to_owned(),
            message: "the vendor asks us to wait".to_owned(),
            field: None,
        });
        fleet.repository.apply(&claim, &wait).await.unwrap();
        let claim = fleet.claim().await;
        assert_eq!(error().await.as_deref(), Some("RATE_LIMITED"));
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        assert_eq!(error().await, None);
    }

    async fn who_is_alone_takes_back_what_the_dead_have_held(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (unsent, sent) = (fleet.accept().await, fleet.accept().await);
        let claims = fleet.repository.claim(Uuid::now_v7(), LEASE, 10).await.unwrap();
        let claim = claims.iter().find(|it| it.operation.id == sent.operation.id).unwrap();
        fleet.repository.begin_attempt(claim, b"digest", NO_MARGIN).await.unwrap();
        let alone = database.backend() == Backend::Sqlite;
        let taken = fleet.repository.take_back_leases().await.unwrap();
        assert_eq!(taken, if alone { 2 } else { 0 });
        let again = fleet.repository.claim(Uuid::now_v7(), LEASE, 10).await.unwrap();
        let state = |id| again.iter().find(|it| it.operation.id == id).map(|it| it.operation.state);
        if alone {
            assert_eq!(state(unsent.operation.id), Some(OperationState::Leased));
            assert_eq!(state(sent.operation.id), Some(OperationState::Unknown));
            // Whoever was thought dead and is not changes nothing any more.
            let late = fleet.repository.apply(claim, &change(OperationState::Waiting)).await;
            assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        } else {
            // Somebody else may be at it: the leases end by themselves.
            assert!(again.is_empty(), "{again:?}");
        }
        assert_eq!(fleet.repository.take_back_leases().await.unwrap(), if alone { 2 } else { 0 });
    }

    async fn a_worker_that_shuts_down_hands_everything_back(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (unsent, sent) = (fleet.accept().await, fleet.accept().await);
        let worker = Uuid::now_v7();
        let claims = fleet.repository.claim(worker, LEASE, 10).await.unwrap();
        assert_eq!(claims.len(), 2);
        let claim = claims.iter().find(|it| it.operation.id == sent.operation.id).unwrap();
        fleet.repository.begin_attempt(claim, b"digest", NO_MARGIN).await.unwrap();
        assert_eq!(fleet.repository.release_leases(Uuid::now_v7()).await.unwrap(), 0);
        assert_eq!(fleet.repository.release_leases(worker).await.unwrap(), 2);
        let state = async |id| {
            fleet.repository.get_operation(&fleet.tenant, id).await.unwrap().state
        };
        assert_eq!(state(unsent.operation.id).await, OperationState::Ready);
        assert_eq!(state(sent.operation.id).await, OperationState::Sent);
        let claims = fleet.repository.claim(Uuid::now_v7(), LEASE, 10).await.unwrap();
        assert_eq!(claims.len(), 2);
    }

    async fn the_worker_knows_when_to_wake(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        assert_eq!(fleet.repository.next_due().await.unwrap(), None);
        let accepted = fleet.accept().await;
        // The delete waits for the create and wakes nobody.
        fleet.act(accepted.instance.id, OperationKind::Delete).await.unwrap();
        assert_eq!(fleet.repository.next_due().await.unwrap(), Some(accepted.operation.due_at));
        let claim = fleet.claim().await;
        assert_eq!(fleet.repository.next_due().await.unwrap(), Some(claim.lease_until));
        let mut later = change(OperationState::Ready);
        later.due_in = Duration::from_secs(3600);
        let operation = fleet.repository.apply(&claim, &later).await.unwrap();
        assert_eq!(fleet.repository.next_due().await.unwrap(), Some(operation.due_at));
        assert!(fleet.repository.claim(Uuid::now_v7(), LEASE, 10).await.unwrap().is_empty());
    }

    async fn what_waits_for_a_person_is_not_claimed_and_a_delete_settles_it(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let created = fleet.accept().await;
        let claim = fleet.claim().await;
        let mut doubt = change(OperationState::Attention);
        doubt.instance.lifecycle = Some(roadstead_repository::Lifecycle::Attention);
        doubt.instance.problem = Some(Some("two servers answer".to_owned()));
        fleet.repository.apply(&claim, &doubt).await.unwrap();
        assert!(fleet.repository.claim(Uuid::now_v7(), LEASE, 10).await.unwrap().is_empty());
        assert_eq!(fleet.repository.next_due().await.unwrap(), None);

        let delete = fleet.act(created.instance.id, OperationKind::Delete).await.unwrap();
        assert_eq!(delete.instance.lifecycle, roadstead_repository::Lifecycle::Deleting);
        let claim = fleet.claim().await;
        assert_eq!(claim.operation.id, delete.operation.id);
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(roadstead_repository::Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();
        let settled =
            fleet.repository.get_operation(&fleet.tenant, created.operation.id).await.unwrap();
        assert_eq!(settled.state, OperationState::Failed);
        assert_eq!(settled.error.unwrap().code, "UNKNOWN_ERROR");
    }
}
