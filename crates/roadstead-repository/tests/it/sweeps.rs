//! Sweeps: one at a time for each account, and no delete without two sightings.

use std::time::Duration;

use roadstead_core::RemoteId;
use roadstead_repository::{
    DoomLeave, DoomRule, Doubt, Error, Lifecycle, Suspect, SweepClaim, SweepEnd, SweepFindings,
    SweepOutcome, Unwanted,
};
use roadstead_testkit::{Scratch, on_both_databases};
use uuid::Uuid;

use crate::fixture::{Fleet, LEASE, TEMPLATE, lines, migrated};

const RULE: DoomRule = DoomRule {
    most: 1,
    window: Duration::from_secs(600),
    margin: Duration::ZERO,
};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn an_account_is_swept_by_one_at_a_time(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let claim = || repository.claim_sweeps(Uuid::now_v7(), LEASE, Duration::ZERO);
        let (one, other) = tokio::join!(claim(), claim());
        assert_eq!(one.unwrap().len() + other.unwrap().len(), 1);
        assert!(claim().await.unwrap().is_empty());
        let next = repository.next_sweep().await.unwrap().unwrap();
        assert!(next > jiff::Timestamp::now());
    }

    async fn whoever_slept_past_the_lease_changes_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let id = fleet.live("r1").await;
        let (old, new) = (fleet.sweep().await, fleet.sweep().await);
        assert!(new.epoch > old.epoch);
        let lost = |it: Result<(), Error>| assert!(matches!(it, Err(Error::LeaseLost)), "{it:?}");
        let remote = RemoteId::from("r1".to_owned());
        lost(repository.renew_sweep(&old, LEASE).await);
        lost(repository.record_sweep(&old, SweepFindings::default()).await);
        lost(repository.begin_doom(&old, &remote, RULE).await.map(drop));
        lost(repository.finish_doom(&old, &remote).await);
        lost(repository.quarantine_gone(&old, &remote).await);
        lost(repository.miss(&old, id, &remote).await.map(drop));
        lost(repository.end_sweep(&old, end()).await);
        repository.end_sweep(&new, end()).await.unwrap();
        let sweep = repository.find_sweep(fleet.provider).await.unwrap().unwrap();
        assert_eq!(sweep.outcome, Some(SweepOutcome::Completed));
        let server = repository.get_instance(&fleet.tenant, id).await.unwrap();
        assert_eq!(server.lifecycle, Lifecycle::Live);
    }

    async fn nothing_is_deleted_before_the_second_sighting_or_while_it_is_wanted(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let id = fleet.live("r1").await;
        let claim = held(&fleet).await;
        let unwanted = |remote: &str, is_seen_again| SweepFindings {
            unwanted: vec![Unwanted {
                remote: remote.to_owned().into(),
                instance: id,
                reason: "test",
                is_seen_again,
            }],
            ..SweepFindings::default()
        };
        let ask = async |remote: &str| {
            repository.begin_doom(&claim, &remote.to_owned().into(), RULE).await.unwrap()
        };
        assert_eq!(ask("r2").await, DoomLeave::Refused);
        repository.record_sweep(&claim, unwanted("r2", false)).await.unwrap();
        repository.record_sweep(&claim, unwanted("r2", false)).await.unwrap();
        assert_eq!(ask("r2").await, DoomLeave::Refused);
        repository.record_sweep(&claim, unwanted("r2", true)).await.unwrap();
        assert_eq!(ask("r2").await, DoomLeave::Granted);
        // A request that is repeated is no other deletion; the next server is.
        assert_eq!(ask("r2").await, DoomLeave::Granted);
        repository.record_sweep(&claim, unwanted("r3", true)).await.unwrap();
        assert_eq!(ask("r3").await, DoomLeave::Capped);
        // The bound one is never given away, whatever somebody has found.
        let wide = DoomRule { most: 100, ..RULE };
        repository.record_sweep(&claim, unwanted("r1", true)).await.unwrap();
        let bound = repository.begin_doom(&claim, &"r1".to_owned().into(), wide).await.unwrap();
        assert_eq!(bound, DoomLeave::Refused);
        // One that is over is not deleted again before it was seen twice again.
        repository.finish_doom(&claim, &"r2".to_owned().into()).await.unwrap();
        assert_eq!(ask("r2").await, DoomLeave::Refused);
        repository.record_sweep(&claim, unwanted("r2", false)).await.unwrap();
        let again = repository.begin_doom(&claim, &"r2".to_owned().into(), wide).await.unwrap();
        assert_eq!(again, DoomLeave::Refused);
        // Nor with less of the claim left than it takes.
        repository.record_sweep(&claim, unwanted("r2", true)).await.unwrap();
        let late = DoomRule { margin: 2 * LEASE, ..wide };
        let late = repository.begin_doom(&claim, &"r2".to_owned().into(), late).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
    }

    async fn what_a_sweep_finds_is_kept_until_it_is_over(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let id = fleet.live("r1").await;
        let claim = held(&fleet).await;
        let suspect = |doubt| Suspect {
            remote: "r9".to_owned().into(),
            name: "web".to_owned(),
            tags: vec!["blue".to_owned()],
            created: None,
            instance: None,
            doubt,
        };
        let findings = SweepFindings {
            suspects: vec![suspect(Doubt::Unknown)],
            absent: vec![id],
            ..SweepFindings::default()
        };
        repository.record_sweep(&claim, findings.clone()).await.unwrap();
        repository.record_sweep(&claim, findings).await.unwrap();
        let books = repository.sweep_books(fleet.provider, &[id].into()).await.unwrap();
        assert_eq!(books.quarantined, [RemoteId::from("r9".to_owned())]);
        assert_eq!(books.absent.len(), 1);
        assert_eq!(books.bound.len(), 1);
        assert_eq!(books.marked.len(), 1);
        assert_eq!((books.live, books.attempts.len()), (1, 1));
        let cleared = SweepFindings {
            cleared: vec!["r9".to_owned().into()],
            ..SweepFindings::default()
        };
        repository.record_sweep(&claim, cleared).await.unwrap();
        let books = repository.sweep_books(fleet.provider, &[].into()).await.unwrap();
        assert_eq!((books.quarantined, books.absent), (vec![], vec![]));
        let state = "SELECT state AS line FROM quarantine";
        assert_eq!(lines(database, state).await, ["cleared"]);
        // What comes again is to be decided about again.
        let again = SweepFindings {
            suspects: vec![suspect(Doubt::Unknown)],
            ..SweepFindings::default()
        };
        repository.record_sweep(&claim, again).await.unwrap();
        assert_eq!(lines(database, state).await, ["open"]);
        assert!(repository.miss(&claim, id, &"r1".to_owned().into()).await.unwrap());
        assert!(!repository.miss(&claim, id, &"r1".to_owned().into()).await.unwrap());
        let sweep = repository.find_sweep(fleet.provider).await.unwrap().unwrap();
        assert_eq!((sweep.missing, sweep.quarantined), (1, 1));
    }

    async fn a_sweep_that_was_hastened_while_it_ran_comes_again_soon(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let long = Duration::from_secs(3600);
        // The first one is due an interval after the account was registered.
        assert!(repository.claim_sweeps(Uuid::now_v7(), LEASE, long).await.unwrap().is_empty());
        repository.hasten_sweep(fleet.provider, Duration::ZERO).await.unwrap();
        let claims = repository.claim_sweeps(Uuid::now_v7(), LEASE, long).await.unwrap();
        repository.hasten_sweep(fleet.provider, Duration::ZERO).await.unwrap();
        repository.end_sweep(&claims[0], SweepEnd { next_in: long, ..end() }).await.unwrap();
        assert_eq!(fleet.sweep().await.epoch, claims[0].epoch + 1);
    }
}

fn end() -> SweepEnd {
    SweepEnd {
        outcome: SweepOutcome::Completed,
        reason: None,
        seen: 1,
        deleted: 0,
        held_back: 0,
        next_in: Duration::ZERO,
    }
}

async fn held(fleet: &Fleet) -> SweepClaim {
    let claims = fleet
        .repository
        .claim_sweeps(Uuid::now_v7(), LEASE, Duration::ZERO)
        .await
        .unwrap();
    claims.into_iter().next().unwrap()
}
