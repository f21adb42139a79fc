//! Lists of servers: whole, in order, filtered, and without the deleted ones.

use std::time::Duration;

use roadstead_core::{InstanceId, State};
use roadstead_repository::{
    InstanceFilter, InstancePatch, Lifecycle, ListedBy, Listing, OperationKind, OperationState,
};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, audit, change, migrated, observation};

fn newest_first(limit: u32) -> Listing {
    Listing {
        limit,
        ..Listing::default()
    }
}

/// Reads a list to its end, and returns what it shows and how large its pages were.
async fn walk(fleet: &Fleet, mut listing: Listing) -> (Vec<InstanceId>, Vec<usize>) {
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = fleet
            .repository
            .list_instances(&fleet.tenant, &InstanceFilter::default(), &listing)
            .await
            .unwrap();
        sizes.push(page.items.len());
        seen.extend(page.items.iter().map(|it| it.id));
        match page.next {
            Some(next) => listing.by = next,
            None => return (seen, sizes),
        }
    }
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_server_is_found_by_whatever_is_remembered_of_it(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let labelled = fleet.accept_with("Web_100%", None, None).await.unwrap().instance.id;
        fleet.bind("111").await;
        let live = fleet.live("222").await;
        let gone = fleet.live("333").await;
        fleet.act(gone, OperationKind::Delete).await.unwrap();
        let mut deleted = change(OperationState::Succeeded);
        deleted.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&fleet.claim().await, &deleted).await.unwrap();
        let unbound = fleet.accept_with("new", None, None).await.unwrap().instance.id;

        let found = async |tenant, text: &str| {
            let found = fleet.repository.search_instances(tenant, text, 10).await.unwrap();
            found.iter().map(|it| it.id).collect::<Vec<_>>()
        };
        for (text, wanted) in [
            ("web", vec![live, labelled]),
            ("b_1", vec![labelled]),
            ("100%", vec![labelled]),
            ("192.0.2", vec![live, labelled]),
            ("192.0.2.7", vec![live, labelled]),
            ("NEW", vec![unbound]),
            ("192_0", vec![]),
            ("92.0.2", vec![]),
            ("222", vec![live]),
            ("22", vec![]),
            ("333", vec![]),
            (&live.to_string().to_uppercase(), vec![live]),
            ("x' OR 1 = 1 --", vec![]),
        ] {
            assert_eq!(found(&fleet.tenant, text).await, wanted, "{text}");
        }
        assert_eq!(found(&fleet.stranger().await, "web").await, []);
        let first = fleet.repository.search_instances(&fleet.tenant, "web", 1).await.unwrap();
        assert_eq!(first.len(), 1);
    }

    async fn pages_follow_each_other_without_gap_or_repeat(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let mut wanted = Vec::new();
        for _ in 0..25 {
            wanted.insert(0, fleet.accept().await.instance.id);
        }
        let (seen, sizes) = walk(&fleet, newest_first(10)).await;
        assert_eq!((seen, sizes), (wanted.clone(), vec![10, 10, 5]));
        // A page that happens to be full is the last one all the same.
        assert_eq!(walk(&fleet, newest_first(25)).await, (wanted.clone(), vec![25]));
        assert_eq!(walk(&fleet, newest_first(5)).await.1, [5; 5]);
        wanted.reverse();
        let oldest_first = Listing { descending: false, ..newest_first(10) };
        assert_eq!(walk(&fleet, oldest_first).await.0, wanted);
        let none = fleet.repository
            .list_instances(&fleet.stranger().await, &InstanceFilter::default(), &newest_first(10))
            .await.unwrap();
        assert_eq!((none.items, none.next), (vec![], None));
    }

    async fn both_databases_put_labels_in_the_same_order(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        // Words that a collation of some language would put otherwise than their bytes are.
        let labels = ["\u{e4}pfel", "Zebra", "apple", "a-b", "a_b", "ab", "A B", "\u{e9}", "_", "apple"];
        for label in labels {
            fleet.accept_with(label, None, None).await.unwrap();
        }
        let mut wanted = labels.map(str::to_lowercase);
        wanted.sort();
        for descending in [false, true] {
            let by = ListedBy::Label { after: None };
            let listing = Listing { by, descending, limit: 3 };
            let (seen, _) = walk(&fleet, listing).await;
            let mut shown = Vec::new();
            for id in seen {
                let server = fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
                shown.push(server.label.to_lowercase());
            }
            assert_eq!(shown, wanted);
            wanted.reverse();
        }
    }

    async fn a_list_goes_on_where_it_was_although_servers_come_and_go(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let mut made = Vec::new();
        for label in ["b", "d", "f", "h", "k", "m"] {
            made.push(fleet.accept_with(label, None, None).await.unwrap().instance.id);
        }
        let by = ListedBy::Label { after: None };
        let mut listing = Listing { by, descending: false, limit: 2 };
        let filter = InstanceFilter::default();
        let first = fleet.repository.list_instances(&fleet.tenant, &filter, &listing).await.unwrap();
        assert_eq!(first.items.iter().map(|it| it.id).collect::<Vec<_>>(), made[..2]);
        // The one at the place moves away, and others come before and behind it.
        let away = InstancePatch { label: Some("a".to_owned()), ..InstancePatch::default() };
        fleet.repository.update_instance(&fleet.tenant, made[1], away, audit()).await.unwrap();
        fleet.accept_with("c", None, None).await.unwrap();
        let late = fleet.accept_with("e", None, None).await.unwrap().instance.id;
        listing.by = first.next.unwrap();
        let (rest, sizes) = walk(&fleet, listing).await;
        assert_eq!(rest, [&[late], &made[2..]].concat());
        assert_eq!(sizes, [2, 2, 1]);
    }

    async fn operations_are_listed_page_by_page(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        for _ in 0..4 {
            fleet.act(id, OperationKind::Boot).await.unwrap();
            let claim = fleet.claim().await;
            fleet.repository.apply(&claim, &change(OperationState::Succeeded)).await.unwrap();
        }
        let (mut seen, mut before, mut sizes) = (Vec::new(), None, Vec::new());
        loop {
            let page = fleet.repository.list_operations(&fleet.tenant, id, before, 2).await.unwrap();
            sizes.push(page.items.len());
            seen.extend(page.items.into_iter().map(|it| it.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [2, 2, 1]);
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first");
        let full = fleet.repository.list_operations(&fleet.tenant, id, None, 5).await.unwrap();
        assert_eq!(full.next, None);
        let stranger = fleet.stranger().await;
        let none = fleet.repository.list_operations(&stranger, id, None, 5).await.unwrap();
        assert_eq!(none.items, []);
    }

    async fn each_filter_finds_its_servers_and_no_other(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let running = fleet.live("r1").await;
        let stopped = fleet.live("r2").await;
        let deleted = fleet.live("r3").await;
        let deleting = fleet.live("r4").await;
        fleet.repository.observe(&[(stopped, observation(State::Stopped))], Duration::ZERO).await.unwrap();
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
            let listing = newest_first(50);
            let page = fleet.repository.list_instances(&fleet.tenant, &filter, &listing).await;
            page.unwrap().items.into_iter().map(|it| it.id).collect()
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
