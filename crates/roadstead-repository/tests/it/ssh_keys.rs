//! Public keys of organizations: unique where they belong, bounded, and answered once.

use futures::future::join_all;
use roadstead_core::SshKeyId;
use roadstead_repository::{
    Error, IdempotencyKey, NewSshKey, OperationKind, Result, SshKey, Tenant,
};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{
    Fleet, TEMPLATE, audit, key, keyed, lines, migrated, new_instance, nobody, operation,
};

const MOST: u32 = 200;

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn keys_are_listed_newest_first_page_by_page(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let mut added = Vec::new();
        for number in 0..5 {
            added.push(add(&fleet, &format!("key {number}"), &format!("f{number}")).await.unwrap());
        }
        added.reverse();
        let list = async |before, limit| {
            fleet.repository.list_ssh_keys(&fleet.tenant, before, limit).await.unwrap()
        };
        assert_eq!(list(None, 50).await, added);
        assert_eq!(list(None, 2).await, added[..2]);
        assert_eq!(list(Some(added[1].id), 2).await, added[2..4]);
        assert_eq!(list(Some(added[4].id), 2).await, []);
        let stranger = fleet.stranger().await;
        assert_eq!(fleet.repository.list_ssh_keys(&stranger, None, 50).await.unwrap(), []);

        let ids = [added[0].id, SshKeyId::fresh(), added[3].id];
        let mut found = fleet.repository.find_ssh_keys(&fleet.tenant, &ids).await.unwrap();
        found.sort_by_key(|it| std::cmp::Reverse(it.id));
        assert_eq!(found, [added[0].clone(), added[3].clone()]);
        assert_eq!(fleet.repository.find_ssh_keys(&stranger, &ids).await.unwrap(), []);
        assert_eq!(fleet.repository.find_ssh_keys(&fleet.tenant, &[]).await.unwrap(), []);
    }

    async fn a_key_and_a_name_are_there_once_in_each_organization(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        add(&fleet, "laptop", "f1").await.unwrap();
        let twin = add(&fleet, "desktop", "f1").await.unwrap_err();
        assert_eq!(twin.to_string(), "this SSH key is on record already, as `laptop`");
        let named = add(&fleet, "laptop", "f2").await.unwrap_err();
        assert_eq!(named.to_string(), "another SSH key is on record already, as `laptop`");
        assert!(matches!(named, Error::Exists { .. }));
        let stranger = fleet.stranger().await;
        add_for(&fleet, &stranger, new("laptop", "f1"), MOST, None).await.unwrap();
        let organization = Tenant { org: nobody().0 };
        let lost = add_for(&fleet, &organization, new("laptop", "f1"), MOST, None).await;
        assert!(matches!(lost, Err(Error::NotFound { what: "organization" })), "{lost:?}");
    }

    async fn what_is_deleted_can_be_added_again(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let first = add(&fleet, "laptop", "f1").await.unwrap();
        let stranger = fleet.stranger().await;
        let delete = async |tenant, id| fleet.repository.delete_ssh_key(tenant, id, audit()).await;
        for (tenant, id) in [(&stranger, first.id), (&fleet.tenant, SshKeyId::fresh())] {
            let lost = delete(tenant, id).await;
            assert!(matches!(lost, Err(Error::NotFound { what: "SSH key" })), "{lost:?}");
        }
        delete(&fleet.tenant, first.id).await.unwrap();
        assert!(delete(&fleet.tenant, first.id).await.is_err());
        let second = add(&fleet, "laptop", "f1").await.unwrap();
        assert_ne!(first.id, second.id);
        // Two additions and one deletion; what failed left no line.
        let told = lines(database, "SELECT action AS line FROM audit_log WHERE action = 'test.do'").await;
        let providers = 1;
        assert_eq!(told.len(), providers + 3);
    }

    async fn the_same_key_twenty_times_at_once_is_added_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let all = join_all((0..20).map(|number| {
            let new = new(&format!("name {number}"), "f1");
            add_for(&fleet, &fleet.tenant, new, MOST, None)
        })).await;
        assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 1);
        let refused = all.iter().filter(|it| matches!(it, Err(Error::Exists { .. }))).count();
        assert_eq!(refused, 19, "{all:?}");
    }

    async fn no_more_than_the_limit_are_added_however_many_ask_at_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let all = join_all((0..30).map(|number| {
            let new = new(&format!("name {number}"), &format!("f{number}"));
            add_for(&fleet, &fleet.tenant, new, 5, None)
        })).await;
        assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 5);
        let refused = all.iter().filter(|it| matches!(it, Err(Error::Full { most: 5, .. }))).count();
        assert_eq!(refused, 25, "{all:?}");
        let stranger = fleet.stranger().await;
        add_for(&fleet, &stranger, new("laptop", "f1"), 5, None).await.unwrap();
    }

    async fn a_repeated_request_gets_the_first_answer(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let ask = async |name: &str, hash: &str| {
            add_for(&fleet, &fleet.tenant, new(name, "f1"), MOST, key("k1", hash)).await
        };
        let first = ask("laptop", "h1").await.unwrap();
        assert_eq!(ask("laptop", "h1").await.unwrap(), first);
        let other = ask("desktop", "h2").await;
        assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");

        let delete = async |hash: &str| {
            fleet.repository.delete_ssh_key(&fleet.tenant, first.id, fleet.under(key("k2", hash))).await
        };
        delete("h3").await.unwrap();
        delete("h3").await.unwrap();
        assert!(matches!(delete("h4").await, Err(Error::KeyReused)));
        // The answer stays what it was, although the key is gone.
        assert_eq!(ask("laptop", "h1").await.unwrap(), first);
        assert_eq!(fleet.repository.list_ssh_keys(&fleet.tenant, None, 50).await.unwrap(), []);
        let stranger = fleet.stranger().await;
        let theirs = add_for(&fleet, &stranger, new("laptop", "f1"), MOST, key("k1", "h1")).await;
        assert_ne!(theirs.unwrap().id, first.id);
    }

    async fn one_request_twenty_times_at_once_has_one_answer(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let all = join_all((0..20).map(|_| {
            add_for(&fleet, &fleet.tenant, new("laptop", "f1"), MOST, key("k1", "h1"))
        })).await;
        let all: Vec<SshKey> = all.into_iter().map(Result::unwrap).collect();
        assert!(all.iter().all(|it| *it == all[0]));
    }

    async fn a_request_that_failed_does_not_use_up_its_key(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let first = add(&fleet, "laptop", "f1").await.unwrap();
        let again = async || add_for(&fleet, &fleet.tenant, new("laptop", "f2"), MOST, key("k1", "h1")).await;
        assert!(matches!(again().await, Err(Error::Exists { .. })));
        fleet.repository.delete_ssh_key(&fleet.tenant, first.id, audit()).await.unwrap();
        assert_eq!(again().await.unwrap().fingerprint, "f2");
    }

    async fn an_idempotency_key_serves_one_request_only(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept_with("web", None, key("k1", "h1")).await.unwrap();
        let reused = add_for(&fleet, &fleet.tenant, new("laptop", "f1"), MOST, key("k1", "h3")).await;
        assert!(matches!(reused, Err(Error::KeyReused)), "{reused:?}");
        add_for(&fleet, &fleet.tenant, new("laptop", "f1"), MOST, key("k2", "h2")).await.unwrap();
        let server = (new_instance(fleet.provider, "web"), operation(OperationKind::Create));
        let reused = fleet.repository
            .accept_create(&fleet.tenant, server.0, server.1, fleet.under(key("k2", "h4"))).await;
        assert!(matches!(reused, Err(Error::KeyReused)), "{reused:?}");
    }
}

pub(crate) fn new(name: &str, fingerprint: &str) -> NewSshKey {
    NewSshKey {
        id: SshKeyId::fresh(),
        name: name.to_owned(),
        kind: "ssh-ed25519".to_owned(),
        public_key: format!("ssh-ed25519 {fingerprint}"),
        comment: "me@example.org".to_owned(),
        fingerprint: fingerprint.to_owned(),
    }
}

async fn add(fleet: &Fleet, name: &str, fingerprint: &str) -> Result<SshKey> {
    add_for(fleet, &fleet.tenant, new(name, fingerprint), MOST, None).await
}

pub(crate) async fn add_for(
    fleet: &Fleet,
    tenant: &Tenant,
    new: NewSshKey,
    most: u32,
    key: Option<IdempotencyKey>,
) -> Result<SshKey> {
    fleet
        .repository
        .create_ssh_key(tenant, new, most, keyed(tenant, key))
        .await
}
