//! Events: what is told, in which order, and for how long it is kept.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use roadstead_core::{EventId, State};
use roadstead_repository::{
    ErrorRecord, Event, EventBody, InstancePatch, Lifecycle, OperationKind, OperationState,
    Position, Repository, Tenant, Wake,
};
use roadstead_testkit::{Scratch, ScratchPostgres, block_on, on_both_databases};
use uuid::Uuid;

use crate::fixture::{
    Fleet, LEASE, NO_MARGIN, TEMPLATE, audit, bound, change, connect, execute, key, literal,
    migrated, observation, pg,
};

const PATIENCE: Duration = Duration::from_secs(30);

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_create_tells_of_each_step_that_members_see_and_of_no_other(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let accepted = fleet.accept().await;
        let claim = fleet.claim().await;
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        let mut waiting = change(OperationState::Waiting);
        waiting.instance = bound("r1");
        waiting.progress = Some(30);
        fleet.repository.apply(&claim, &waiting).await.unwrap();
        // Looked at again, twice: once nothing has moved.
        fleet.repository.apply(&fleet.claim().await, &waiting).await.unwrap();
        waiting.progress = Some(60);
        fleet.repository.apply(&fleet.claim().await, &waiting).await.unwrap();
        fleet.repository.apply(&fleet.claim().await, &change(OperationState::Succeeded)).await.unwrap();

        let told = told(&fleet).await;
        assert_eq!(words(&told), [
            "instance provisioning", "create ready",
            "create leased", "create sent",
            "instance running", "create waiting 30",
            "create waiting 60",
            "create succeeded",
        ]);
        assert!(told.iter().all(|it| it.instance == accepted.instance.id));
        let EventBody::Instance(brief) = &told[4].body else { panic!("{:?}", told[4]) };
        assert_eq!(brief.label, "web");
        assert_eq!(brief.addresses, observation(State::Running).addresses);
        let EventBody::Operation { id, .. } = &told[5].body else { panic!("{:?}", told[5]) };
        assert_eq!(*id, accepted.operation.id);
    }

    async fn an_error_is_told_in_our_words_and_what_ends_with_a_delete_too(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        fleet.act(id, OperationKind::Boot).await.unwrap();
        let mut attention = change(OperationState::Attention);
        let error = ErrorRecord {
            code: "UNKNOWN_ERROR".to_owned(),
            message: "a person must decide".to_owned(),
            field: None,
        };
        attention.error = Some(error.clone());
        fleet.repository.apply(&fleet.claim().await, &attention).await.unwrap();
        let last = told(&fleet).await.pop().unwrap();
        let EventBody::Operation { brief, .. } = last.body else { panic!("{last:?}") };
        assert_eq!((brief.state.as_str(), brief.error), ("attention", Some(error)));

        fleet.act(id, OperationKind::Delete).await.unwrap();
        let mut done = change(OperationState::Succeeded);
        done.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&fleet.claim().await, &done).await.unwrap();
        let words = words(&told(&fleet).await);
        assert_eq!(words[words.len() - 6..], [
            "instance deleting", "delete ready", "delete leased",
            "instance deleted", "boot failed", "delete succeeded",
        ]);
    }

    async fn members_and_polls_tell_of_what_changed(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.live("r1").await;
        let before = told(&fleet).await.len();
        let patch = InstancePatch { label: Some("Harbor".to_owned()), ..InstancePatch::default() };
        fleet.repository.update_instance(&fleet.tenant, id, patch, audit()).await.unwrap();
        let mut seen = observation(State::Running);
        fleet.repository.observe(&[(id, seen.clone())], Duration::ZERO).await.unwrap();
        // A word of the provider's that members never see.
        seen.power_raw = "RUNNING, MORE OR LESS".to_owned();
        assert_eq!(fleet.repository.observe(&[(id, seen.clone())], Duration::ZERO).await.unwrap(), 1);
        seen.power = State::Stopped;
        fleet.repository.observe(&[(id, seen)], Duration::ZERO).await.unwrap();
        let told = told(&fleet).await.split_off(before);
        assert_eq!(words(&told), ["instance running", "instance stopped"]);
        let EventBody::Instance(brief) = &told[0].body else { panic!("{told:?}") };
        assert_eq!(brief.label, "Harbor");
    }

    async fn leases_that_are_handed_back_are_told(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let worker = Uuid::now_v7();
        fleet.repository.claim(worker, LEASE, 10).await.unwrap();
        assert_eq!(fleet.repository.release_leases(worker).await.unwrap(), 1);
        assert_eq!(words(&told(&fleet).await)[2..], ["create leased", "create ready"]);
    }

    async fn what_is_refused_or_repeated_tells_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept_with("web", None, key("k", "1")).await.unwrap();
        let before = told(&fleet).await;
        fleet.accept_with("web", None, key("k", "1")).await.unwrap();
        fleet.accept_with("web", None, key("k", "2")).await.unwrap_err();
        let claim = fleet.claim().await;
        let mut impossible = change(OperationState::Succeeded);
        impossible.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &impossible).await.unwrap_err();
        let mut after = told(&fleet).await;
        assert_eq!(words(&after.split_off(before.len())), ["create leased"]);
        assert_eq!(after, before);
    }

    async fn secrets_are_in_no_event(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept_with("web", Some("canary-b6d1"), None).await.unwrap();
        fleet.bind("r1").await;
        let payloads = match database {
            Scratch::Sqlite(_) => "SELECT json(payload) AS line FROM events",
            Scratch::Postgres(_) => "SELECT payload::text AS line FROM events",
        };
        let lines = crate::fixture::lines(database, payloads).await;
        assert!(lines.len() >= 6, "{lines:?}");
        let text = lines.concat();
        for word in ["canary", "RUNNING", "password", "token"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }

    async fn another_organization_finds_none_of_them(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let stranger = fleet.stranger().await;
        fleet.accept().await;
        let event = told(&fleet).await.remove(0);
        let repository = &fleet.repository;
        assert_eq!(repository.find_event(&fleet.tenant, event.id).await.unwrap(), Some(event.position));
        assert_eq!(repository.find_event(&stranger, event.id).await.unwrap(), None);
        assert_eq!(repository.latest_event(&stranger).await.unwrap(), None);
        let page = repository.tenant_events_after(&stranger, Position::default(), 10).await.unwrap();
        assert_eq!((page.events.len(), page.upto, page.more), (0, None, false));
        assert!(!repository.has_more_events(&stranger, Position::default(), 0).await.unwrap());
    }

    async fn pages_follow_each_other_without_gap_or_repeat(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for _ in 0..5 {
            fleet.accept().await;
        }
        let all = told(&fleet).await;
        let (mut after, mut read) = (Position::default(), Vec::new());
        loop {
            let page = fleet.repository.tenant_events_after(&fleet.tenant, after, 3).await.unwrap();
            read.extend(page.events);
            after = page.upto.unwrap_or(after);
            if !page.more {
                break;
            }
        }
        assert_eq!(read, all);
        assert_eq!(read.iter().map(|it| it.id).collect::<HashSet<_>>().len(), 10);
        assert_eq!(fleet.repository.latest_position().await.unwrap(), all[9].position);
        let latest = fleet.repository.latest_event(&fleet.tenant).await.unwrap();
        assert_eq!(latest, Some((all[9].id, all[9].position)));
        let has_more = |most| fleet.repository.has_more_events(&fleet.tenant, all[2].position, most);
        assert!(has_more(6).await.unwrap());
        assert!(!has_more(7).await.unwrap());
    }

    async fn a_kind_that_only_a_later_version_knows_is_passed_over(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let first = told(&fleet).await.remove(0);
        let id = literal(database, first.id.0);
        execute(database, &format!("UPDATE events SET kind = 'volume' WHERE id = {id}")).await.unwrap();
        let page = fleet.repository.events_after(Position::default(), 1).await.unwrap();
        assert_eq!((page.events, page.upto, page.more), (Vec::new(), Some(first.position), true));
        assert_eq!(words(&told(&fleet).await), ["create ready"]);
    }

    async fn the_oldest_are_forgotten_from_the_beginning_and_the_latest_stays(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for _ in 0..4 {
            fleet.accept().await;
        }
        let all = told(&fleet).await;
        let repository = &fleet.repository;
        const DAY: Duration = Duration::from_hours(24);
        assert_eq!(repository.trim_events(DAY, 100, 100).await.unwrap(), 0);
        // The fourth is young: what is old behind it has to stay as well.
        for old in [0, 1, 2, 4, 5] {
            age(database, all[old].id).await;
        }
        assert_eq!(repository.trim_events(DAY, 100, 2).await.unwrap(), 2);
        assert_eq!(repository.trim_events(DAY, 100, 2).await.unwrap(), 1);
        assert_eq!(repository.trim_events(DAY, 100, 2).await.unwrap(), 0);
        assert_eq!(ids(&told(&fleet).await), ids(&all[3..]));
        assert_eq!(repository.find_event(&fleet.tenant, all[2].id).await.unwrap(), None);
        // Too many, though young.
        assert_eq!(repository.trim_events(DAY, 2, 100).await.unwrap(), 3);
        assert_eq!(ids(&told(&fleet).await), ids(&all[6..]));
        for event in &all[6..] {
            age(database, event.id).await;
        }
        assert_eq!(repository.trim_events(DAY, 100, 100).await.unwrap(), 1);
        assert_eq!(ids(&told(&fleet).await), ids(&all[7..]));
        // What comes next stands after all that was there.
        fleet.accept().await;
        assert!(told(&fleet).await[1].position > all[7].position);
    }

    async fn a_commit_wakes_who_watches_and_wakes_add_up_to_one(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let mut watch = fleet.repository.watch_events();
        fleet.accept().await;
        fleet.accept().await;
        let woken = tokio::time::timeout(PATIENCE, async {
            while watch.woken().await != Wake::Here {}
        });
        woken.await.unwrap();
        assert_eq!(told(&fleet).await.len(), 4);
    }

    async fn writers_side_by_side_are_read_in_the_order_of_each(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let mut servers = Vec::new();
        for _ in 0..4 {
            servers.push(fleet.accept().await.instance.id);
        }
        const CHANGES: usize = 25;
        let before = told(&fleet).await.pop().unwrap().position;
        let writers = servers.iter().map(async |id| {
            for number in 0..CHANGES {
                let label = Some(format!("{number:03}"));
                let patch = InstancePatch { label, ..InstancePatch::default() };
                fleet.repository.update_instance(&fleet.tenant, *id, patch, audit()).await.unwrap();
            }
        });
        let other = connect(database.url(), &fleet.keys).await;
        let mut read = Vec::new();
        let reader = async {
            let mut after = before;
            let deadline = Instant::now() + PATIENCE;
            while read.len() < servers.len() * CHANGES {
                assert!(Instant::now() < deadline, "{} of them", read.len());
                // Two publish at the same time.
                let (one, two) = tokio::join!(fleet.repository.publish_events(), other.publish_events());
                one.unwrap();
                two.unwrap();
                let page = other.events_after(after, 7).await.unwrap();
                after = page.upto.unwrap_or(after);
                read.extend(page.events);
            }
        };
        tokio::join!(futures::future::join_all(writers), reader);
        for id in servers {
            let of_one = read.iter().filter(|it| it.instance == id);
            let labels: Vec<_> = of_one.map(label).collect();
            assert!(labels.is_sorted(), "{labels:?}");
            assert_eq!(labels.len(), CHANGES);
        }
    }
}

/// On PostgreSQL transactions overlap: this is what the publishing is for.
#[test]
fn a_reader_misses_nothing_of_transactions_that_commit_late() {
    if ScratchPostgres::is_left_out("events::a_reader_misses_nothing") {
        return;
    }
    const WRITERS: usize = 8;
    const EACH: usize = 60;
    block_on(async {
        let database =
            Scratch::create_prepared(roadstead_testkit::Backend::Postgres, TEMPLATE, migrated)
                .await;
        let fleet = Fleet::open(&database).await;
        let organization = fleet.tenant.org;
        let writers = (0..WRITERS).map(|writer| {
            let url = database.url().to_owned();
            tokio::spawn(async move {
                let client = pg(&url).await;
                let mut kept = Vec::new();
                for number in 0..EACH {
                    // Each transaction draws its number at once and commits at its leisure.
                    let ends = if number % 7 == 3 {
                        "ROLLBACK"
                    } else {
                        "COMMIT"
                    };
                    let id = Uuid::now_v7();
                    let nap = fastrand_ms(writer, number);
                    let transaction = format!(
                        "BEGIN; INSERT INTO events (id, organization_id, kind, subject_id, \
                         instance_id, payload, created_at) VALUES ('{id}', '{organization}', \
                         'instance', '{id}', '{id}', '{{\"status\": \"running\", \
                         \"label\": \"{writer}\", \"addresses\": []}}', now()); \
                         SELECT pg_sleep({nap}); {ends}"
                    );
                    client.batch_execute(&transaction).await.unwrap();
                    if ends == "COMMIT" {
                        kept.push(EventId(id));
                    }
                }
                kept
            })
        });
        let writers: Vec<_> = writers.collect();
        let publishers = [
            fleet.repository.clone(),
            connect(database.url(), &fleet.keys).await,
        ];
        let publishing = publishers.map(|repository| {
            tokio::spawn(async move {
                loop {
                    repository.publish_events().await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        });
        // Three readers: each goes on from where it was, by the event that it read last.
        let readers = [1_u32, 3, 50].map(|limit| {
            let (repository, tenant) = (fleet.repository.clone(), fleet.tenant);
            tokio::spawn(async move { read_by_id(&repository, &tenant, limit).await })
        });
        let mut expected = HashSet::new();
        for writer in writers {
            expected.extend(writer.await.unwrap());
        }
        assert_eq!(expected.len(), WRITERS * EACH - WRITERS * (EACH / 7 + 1));
        for reader in readers {
            let read = tokio::time::timeout(PATIENCE, reader)
                .await
                .unwrap()
                .unwrap();
            assert!(read.is_sorted_by_key(|it| it.position));
            let ids: HashSet<_> = read.iter().map(|it| it.id).collect();
            assert_eq!(ids.len(), read.len(), "some came twice");
            assert_eq!(ids, expected);
        }
        for publisher in publishing {
            publisher.abort();
        }
    });
}

/// Reads until as many events came as were committed in the test above.
async fn read_by_id(repository: &Repository, tenant: &Tenant, limit: u32) -> Vec<Event> {
    let mut read: Vec<Event> = Vec::new();
    while read.len() < 8 * 60 - 8 * 9 {
        let after = match read.last() {
            Some(last) => repository
                .find_event(tenant, last.id)
                .await
                .unwrap()
                .unwrap(),
            None => Position::default(),
        };
        let page = repository
            .tenant_events_after(tenant, after, limit)
            .await
            .unwrap();
        read.extend(page.events);
        tokio::task::yield_now().await;
    }
    read
}

/// Between nothing and 20 ms, in seconds.
fn fastrand_ms(writer: usize, number: usize) -> String {
    let mixed = (writer * 7919 + number * 104_729) % 21;
    format!("0.{mixed:03}")
}

#[test]
fn another_process_is_woken_also_after_its_listening_connection_was_killed() {
    if ScratchPostgres::is_left_out("events::another_process_is_woken") {
        return;
    }
    block_on(async {
        let database =
            Scratch::create_prepared(roadstead_testkit::Backend::Postgres, TEMPLATE, migrated)
                .await;
        let fleet = Fleet::open(&database).await;
        let other = connect(database.url(), &fleet.keys).await;
        let mut watch = other.watch_events();
        // The first wake says that it listens.
        assert_eq!(
            tokio::time::timeout(PATIENCE, watch.woken()).await.unwrap(),
            Wake::Elsewhere
        );
        fleet.accept().await;
        assert!(fleet.repository.publish_events().await.unwrap());
        assert_eq!(
            tokio::time::timeout(PATIENCE, watch.woken()).await.unwrap(),
            Wake::Elsewhere
        );

        let killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        execute(&database, killed).await.unwrap();
        fleet.accept().await;
        assert!(fleet.repository.publish_events().await.unwrap());
        // Listening again, it is woken for what it may have missed.
        assert_eq!(
            tokio::time::timeout(PATIENCE, watch.woken()).await.unwrap(),
            Wake::Elsewhere
        );
        let page = other.events_after(Position::default(), 10).await.unwrap();
        assert_eq!(page.events.len(), 4);
        assert!(!fleet.repository.publish_events().await.unwrap());
    });
}

/// Returns all that Harbor was told.
async fn told(fleet: &Fleet) -> Vec<Event> {
    fleet.repository.publish_events().await.unwrap();
    let page = fleet
        .repository
        .tenant_events_after(&fleet.tenant, Position::default(), 1000)
        .await
        .unwrap();
    page.events
}

fn words(events: &[Event]) -> Vec<String> {
    let word = |it: &Event| match &it.body {
        EventBody::Instance(brief) => format!("instance {}", brief.status),
        EventBody::Operation { brief, .. } => {
            let progress = brief.progress.map(|it| format!(" {it}"));
            format!(
                "{} {}{}",
                brief.kind,
                brief.state,
                progress.unwrap_or_default()
            )
        }
    };
    events.iter().map(word).collect()
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|it| it.id).collect()
}

fn label(event: &Event) -> String {
    match &event.body {
        EventBody::Instance(brief) => brief.label.clone(),
        EventBody::Operation { .. } => panic!("{event:?}"),
    }
}

/// Makes an event two days old.
async fn age(database: &Scratch, id: EventId) {
    let id = literal(database, id.0);
    let earlier = match database {
        Scratch::Sqlite(_) => "created_at - 172800000000",
        Scratch::Postgres(_) => "created_at - INTERVAL '2 days'",
    };
    let sql = format!("UPDATE events SET created_at = {earlier} WHERE id = {id}");
    execute(database, &sql).await.unwrap();
}
