//! Callers who go away: what they have begun is done as a whole.

use std::pin::pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use roadstead_core::{SessionId, State};
use roadstead_repository::{InstancePatch, NewSession, ProviderPatch};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, add_provider, audit, migrated, new_provider, observation};

/// Lets a call begin, and goes away.
async fn abandon<T>(call: impl Future<Output = T>) {
    let mut call = pin!(call);
    let _ = futures::poll!(&mut call);
}

/// Waits until a call that nobody waits for is done.
async fn eventually(what: &str, done: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done().await {
        assert!(Instant::now() < deadline, "{what} was cut");
    }
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_change_to_a_server_is_not_cut(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        let repository = &fleet.repository;
        let get = async || repository.get_instance(&fleet.tenant, id).await.unwrap();

        abandon(repository.observe(&[(id, observation(State::Stopped))], Duration::ZERO)).await;
        eventually("an observation", async || get().await.power == State::Stopped).await;

        let patch = InstancePatch { label: Some("new".to_owned()), ..InstancePatch::default() };
        abandon(repository.update_instance(&fleet.tenant, id, patch, audit())).await;
        eventually("a new label", async || get().await.label == "new").await;
    }

    async fn a_login_is_not_cut(database: &Scratch) {
        let repository = Fleet::open(database).await.repository;
        let find = async || repository.find_user_by_email("ada@example.org").await.unwrap();

        abandon(repository.create_user("ada@example.org", None, true, audit())).await;
        eventually("a new user", async || find().await.is_some()).await;

        let now = Timestamp::now();
        let session = NewSession {
            id: SessionId::fresh(),
            user: find().await.unwrap().id,
            token_hash: vec![7; 32],
            created_at: now,
            expires_at: now + Duration::from_secs(3600),
        };
        abandon(repository.create_session(&session)).await;
        let found = async || repository.find_session(&[7; 32], now).await.unwrap().is_some();
        eventually("a session", found).await;
    }

    async fn a_change_to_an_account_is_not_cut(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let names = async || {
            let all = repository.list_providers().await.unwrap();
            all.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        let second = add_provider(repository, "second", "t").await.unwrap().id;

        abandon(repository.create_provider(new_provider("third", "t"), audit())).await;
        eventually("a new account", async || names().await.len() == 3).await;

        abandon(repository.reorder_providers(&[second], audit())).await;
        eventually("a new order", async || names().await == ["second", "first", "third"]).await;

        let patch = ProviderPatch { name: Some("2".to_owned()), ..ProviderPatch::default() };
        abandon(repository.update_provider(second, patch, audit())).await;
        eventually("a new name", async || names().await == ["2", "first", "third"]).await;

        abandon(repository.delete_provider(second, audit())).await;
        eventually("a deletion", async || names().await == ["first", "third"]).await;
    }
}
