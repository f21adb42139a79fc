//! What the poller writes: only about servers at rest, and only what differs.

use std::time::Duration;

use roadstead_core::{ProviderId, State};
use roadstead_repository::{Lifecycle, OperationKind, OperationState};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, change, migrated, observation};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn only_what_differs_is_written(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (one, two) = (fleet.live("r1").await, fleet.live("r2").await);
        let get = async |id| fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
        let before = [get(one).await, get(two).await];
        let seen = [(two, observation(State::Running)), (one, observation(State::Stopped))];
        assert_eq!(fleet.repository.observe(&seen, Duration::ZERO).await.unwrap(), 1);
        let after = [get(one).await, get(two).await];
        assert_eq!(after[0].power, State::Stopped);
        assert_eq!(after[0].public_status(), "stopped");
        assert!(after[0].updated_at > before[0].updated_at);
        assert_eq!(after[1].updated_at, before[1].updated_at);
        assert!(after.iter().zip(&before).all(|(it, before)| it.observed_at > before.observed_at));
        assert_eq!(fleet.repository.observe(&seen, Duration::ZERO).await.unwrap(), 0);
        assert_eq!(fleet.repository.observe(&[], Duration::ZERO).await.unwrap(), 0);
    }

    async fn a_server_that_is_worked_on_is_not_observed(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (busy, dying) = (fleet.live("r1").await, fleet.live("r2").await);
        let quiet = fleet.live("r3").await;
        fleet.accept().await;
        fleet.act(busy, OperationKind::Reboot).await.unwrap();
        fleet.act(dying, OperationKind::Delete).await.unwrap();
        let watched = fleet.repository.watched(fleet.provider).await.unwrap();
        assert_eq!(watched.iter().map(|it| it.id).collect::<Vec<_>>(), [quiet]);
        assert_eq!(fleet.repository.watched(ProviderId::fresh()).await.unwrap(), []);
        let seen = [busy, dying, quiet].map(|it| (it, observation(State::Error)));
        assert_eq!(fleet.repository.observe(&seen, Duration::ZERO).await.unwrap(), 1);
        let instance = fleet.repository.get_instance(&fleet.tenant, busy).await.unwrap();
        assert_eq!(instance.power, State::Running);
    }

    async fn an_answer_that_is_older_than_what_is_known_changes_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        let get = async || fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
        let stopped = [(id, observation(State::Stopped))];
        assert_eq!(fleet.repository.observe(&stopped, Duration::ZERO).await.unwrap(), 1);
        let seen = get().await.observed_at;
        let running = [(id, observation(State::Running))];
        let asked_before = Duration::from_secs(60);
        assert_eq!(fleet.repository.observe(&running, asked_before).await.unwrap(), 0);
        let now = get().await;
        assert_eq!((now.power, now.observed_at), (State::Stopped, seen));
        assert_eq!(fleet.repository.observe(&running, Duration::ZERO).await.unwrap(), 1);
    }

    async fn a_thousand_servers_are_observed_at_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        let mut seen: Vec<_> = (0..1000)
            .map(|_| (roadstead_core::InstanceId::fresh(), observation(State::Stopped)))
            .collect();
        seen.push((id, observation(State::Stopped)));
        assert_eq!(fleet.repository.observe(&seen, Duration::ZERO).await.unwrap(), 1);
    }

    async fn a_missing_server_is_left_alone(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        fleet.act(id, OperationKind::Boot).await.unwrap();
        let claim = fleet.claim().await;
        let mut lost = change(OperationState::Failed);
        lost.instance.lifecycle = Some(Lifecycle::Missing);
        fleet.repository.apply(&claim, &lost).await.unwrap();
        assert_eq!(fleet.repository.watched(fleet.provider).await.unwrap(), []);
        let seen = [(id, observation(State::Running))];
        assert_eq!(fleet.repository.observe(&seen, Duration::ZERO).await.unwrap(), 0);
    }
}
