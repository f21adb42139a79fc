//! Keys of requests: whose they are, and how long they are kept.

use std::time::Duration;

use roadstead_core::{ProviderId, UserId};
use roadstead_repository::{AuditEntry, Error, Provider};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, audit, execute, key, lines, migrated, new_provider};

const COUNT: &str = "SELECT CAST((SELECT COUNT(*) FROM idempotency_keys) \
    + (SELECT COUNT(*) FROM operator_idempotency_keys) AS TEXT) AS line";

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn an_operators_key_is_the_operators_own(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (one, other) = (operator(&fleet, "one").await, operator(&fleet, "other").await);
        let first = register(&fleet, &one, "h1", "harbor").await.unwrap();
        assert_eq!(register(&fleet, &one, "h1", "harbor").await.unwrap(), first);
        let reused = register(&fleet, &one, "h2", "port").await;
        assert!(matches!(reused, Err(Error::KeyReused)), "{reused:?}");
        let second = register(&fleet, &other, "h1", "port").await.unwrap();
        assert_ne!(second.id, first.id);
        // The member's of the same text is another one, too.
        fleet.accept_with("web", None, key("k", "h1")).await.unwrap();
        let found: Option<Provider> = fleet.repository.find_answer(&under(&one, "h1")).await.unwrap();
        assert_eq!(found, Some(first));
        let none: Option<Provider> = fleet.repository.find_answer(&audit()).await.unwrap();
        assert_eq!(none, None);
    }

    async fn what_is_nobodys_has_no_key(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let entry = AuditEntry { key: key("k", "h"), ..audit() };
        let refused = fleet.repository.delete_provider(fleet.provider, entry).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }

    async fn a_change_that_fails_leaves_no_key(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let one = operator(&fleet, "one").await;
        let lost = fleet.repository.delete_provider(ProviderId::fresh(), under(&one, "h")).await;
        assert!(matches!(lost, Err(Error::NotFound { .. })), "{lost:?}");
        assert_eq!(lines(database, COUNT).await, ["0"]);
    }

    async fn old_keys_are_forgotten_so_many_at_a_time(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let one = operator(&fleet, "one").await;
        for number in 0..5 {
            fleet.accept_with("web", None, key(&format!("k{number}"), "h")).await.unwrap();
        }
        register(&fleet, &one, "h", "harbor").await.unwrap();
        let day = Duration::from_secs(24 * 3600);
        let purge = async |most| fleet.repository.purge_idempotency_keys(day, most).await.unwrap();
        assert_eq!(purge(100).await, 0);
        for table in ["idempotency_keys", "operator_idempotency_keys"] {
            let old = match database {
                Scratch::Sqlite(_) => "created_at - 86401000000",
                Scratch::Postgres(_) => "created_at - interval '86401 seconds'",
            };
            execute(database, &format!("UPDATE {table} SET created_at = {old}")).await.unwrap();
        }
        fleet.accept_with("web", None, key("young", "h")).await.unwrap();
        // Of each of the two kinds.
        assert_eq!(purge(2).await, 3);
        assert_eq!(purge(2).await, 2);
        assert_eq!(purge(2).await, 1);
        assert_eq!(purge(2).await, 0);
        assert_eq!(lines(database, COUNT).await, ["1"]);
        assert!(fleet.accept_with("web", None, key("young", "h")).await.unwrap().replayed);
        assert!(!fleet.accept_with("web", None, key("k0", "other")).await.unwrap().replayed);
    }
}

async fn operator(fleet: &Fleet, name: &str) -> UserId {
    let email = format!("{name}@example.org");
    let created = fleet.repository.create_user(&email, None, true, audit());
    created.await.unwrap().id
}

fn under(operator: &UserId, hash: &str) -> AuditEntry {
    AuditEntry {
        user: Some(*operator),
        key: key("k", hash),
        ..audit()
    }
}

async fn register(
    fleet: &Fleet,
    operator: &UserId,
    hash: &str,
    name: &str,
) -> Result<Provider, Error> {
    let new = new_provider(name, "token");
    fleet
        .repository
        .create_provider(new, under(operator, hash))
        .await
}
