//! Lists of servers: whole, in order, filtered, and without the deleted ones.

use roadstead_core::State;
use roadstead_repository::{
    Instance, InstanceFilter, InstancePatch, Lifecycle, OperationKind, OperationState,
};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, audit, change, migrated, observation};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn pages_follow_each_other_without_gap_or_repeat(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let mut wanted = Vec::new();
        for _ in 0..25 {
            wanted.insert(0, fleet.accept().await.instance.id);
        }
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = fleet.repository
                .list_instances(&fleet.tenant, &InstanceFilter::default(), before, 10)
                .await.unwrap();
            assert!(page.len() <= 10);
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            seen.extend(page.iter().map(|it| it.id));
        }
        assert_eq!(seen, wanted);
        let none = fleet.repository
            .list_instances(&fleet.stranger().await, &InstanceFilter::default(), None, 10)
            .await.unwrap();
        assert_eq!(none, []);
    }

    async fn each_filter_finds_its_servers_and_no_other(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let running = fleet.live("r1").await;
        let stopped = fleet.live("r2").await;
        let deleted = fleet.live("r3").await;
        let deleting = fleet.live("r4").await;
        fleet.repository.observe(&[(stopped, observation(State::Stopped))]).await.unwrap();
        fleet.act(deleted, OperationKind::Delete).await.unwrap();
        let claim = fleet.claim().await;
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();
        fleet.act(deleting, OperationKind::Delete).await.unwrap();
        let pending = fleet.accept().await.instance.id;
        let patch = InstancePatch {
            label: Some("100%_\u{c4}rger".to_owned()),
            tags: Some(vec!["gr\u{fc}n".to_owned(), "Blue".to_owned()]),
            notes: Some("careful".to_owned()),
        };
        let patched = fleet.repository
            .update_instance(&fleet.tenant, running, patch, audit()).await.unwrap();
        assert_eq!((patched.label.as_str(), patched.notes.as_str()), ("100%_\u{c4}rger", "careful"));

        let list = async |filter: InstanceFilter| -> Vec<_> {
            let page = fleet.repository.list_instances(&fleet.tenant, &filter, None, 50).await;
            page.unwrap().into_iter().map(|it: Instance| it.id).collect()
        };
        let with = InstanceFilter::default;
        assert_eq!(list(with()).await, [pending, deleting, stopped, running]);
        for (word, wanted) in [
            ("provisioning", vec![pending]),
            ("running", vec![running]),
            ("stopped", vec![stopped]),
            ("deleting", vec![deleting]),
            ("deleted", vec![]),
            ("failed", vec![]),
            ("live", vec![]),
            ("nonsense'--", vec![]),
        ] {
            let filter = InstanceFilter { status: Some(word.to_owned()), ..with() };
            assert_eq!(list(filter).await, wanted, "{word}");
        }
        for (text, wanted) in [
            ("\u{e4}RG", vec![running]),
            ("0%_", vec![running]),
            ("%", vec![running]),
            ("WE", vec![pending, deleting, stopped]),
            ("w_b", vec![]),
        ] {
            let filter = InstanceFilter { label: Some(text.to_owned()), ..with() };
            assert_eq!(list(filter).await, wanted, "{text}");
        }
        for (tag, wanted) in [
            ("blue", vec![pending, deleting, stopped]),
            ("Blue", vec![running]),
            ("gr\u{fc}n", vec![running]),
            ("blu", vec![]),
            ("50%_off", vec![pending, deleting, stopped]),
        ] {
            let filter = InstanceFilter { tag: Some(tag.to_owned()), ..with() };
            assert_eq!(list(filter).await, wanted, "{tag}");
        }
        let kind = InstanceFilter { kind: Some("aws".into()), ..with() };
        assert_eq!(list(kind).await, []);
        let region = InstanceFilter {
            region: Some("eu-west".into()),
            provider: Some(fleet.provider),
            kind: Some("linode".into()),
            ..with()
        };
        assert_eq!(list(region).await.len(), 4);
        let gone = fleet.repository
            .update_instance(&fleet.tenant, deleted, InstancePatch::default(), audit()).await;
        assert!(gone.is_err());
    }
}
