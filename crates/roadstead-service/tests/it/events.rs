//! Streams of events: across processes, across cuts, and until their end.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use roadstead_core::{EventId, InstanceId};
use roadstead_service::{
    Clockwork, End, Engine, Error, Event, EventBody, EventClockwork, EventFilter, EventItem,
    EventKind, EventRequest, EventStream, InstancePatch, OperationKind, Platform, ReadInstances,
};
use roadstead_testkit::{Backend, Scratch, ScratchPostgres, block_on, on_both_databases};

use crate::stage::{Scene, Stage, TEMPLATE, migrated};
use crate::vendor::DIGITALOCEAN;

const PATIENCE: Duration = Duration::from_secs(30);

/// Far longer than anything here takes: what comes in time was not polled for.
const NEVER: Duration = Duration::from_secs(600);

fn scene(workers: usize, events: EventClockwork) -> Scene {
    let scene = Scene::default();
    let clockwork = Clockwork {
        events,
        ..scene.clockwork
    };
    Scene {
        workers,
        clockwork,
        ..scene
    }
}

/// Streams by wakes alone.
fn woken() -> EventClockwork {
    EventClockwork {
        poll: NEVER,
        ..EventClockwork::default()
    }
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn who_comes_again_and_again_misses_nothing_while_many_write(database: &Scratch) {
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, woken())).await;
        const SERVERS: usize = 8;
        const CHANGES: usize = 30;
        let mut servers = Vec::new();
        for number in 0..SERVERS {
            servers.push(stage.create(&format!("web-{number}")).await.instance.id);
        }
        stage.repository.publish_events().await.unwrap();
        let (mut stream, start) = fresh(&stage.platform, &stage).await;
        let writers = servers.iter().map(async |id| {
            for number in 0..CHANGES {
                rename(&stage, *id, &format!("{number:03}")).await;
            }
        });
        let reader = async {
            let mut read: Vec<Arc<Event>> = Vec::new();
            let mut last = start;
            let deadline = Instant::now() + PATIENCE;
            let mut patience = 1;
            while renamed(&read) < SERVERS * CHANGES {
                assert!(Instant::now() < deadline, "{} of them", renamed(&read));
                // Each time a few more, then cut off in the middle.
                for _ in 0..patience {
                    if let EventItem::Event(event) = next(&mut stream).await {
                        last = event.id;
                        read.push(event);
                        if renamed(&read) == SERVERS * CHANGES {
                            return read;
                        }
                    }
                }
                patience = patience % 23 + 3;
                stream = resume(&stage.platform, &stage, last).await;
            }
            read
        };
        let (_, read) = tokio::join!(futures::future::join_all(writers), reader);
        let ids: HashSet<_> = read.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), read.len(), "some came twice");
        for id in servers {
            let labels: Vec<_> = read.iter().filter(|it| is_about(it, id)).filter_map(label).collect();
            let labels: Vec<_> = labels.iter().filter(|it| !it.starts_with("web")).collect();
            assert!(labels.is_sorted(), "{labels:?}");
            assert_eq!(labels.len(), CHANGES);
        }
        stage.halt().await;
    }

    async fn a_client_that_takes_nothing_is_cut_off_and_can_go_on(database: &Scratch) {
        let events = EventClockwork { patience: NEVER, ..woken() };
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, events)).await;
        let id = stage.create("web").await.instance.id;
        let (mut slow, _) = fresh(&stage.platform, &stage).await;
        let (mut quick, _) = fresh(&stage.platform, &stage).await;
        // More than a stream holds for its client.
        const MANY: usize = 400;
        let write = async {
            for number in 0..MANY {
                rename(&stage, id, &format!("{number:04}")).await;
            }
        };
        let listen = async {
            let mut heard = Vec::new();
            while heard.last().is_none_or(|it| it != "0399") {
                if let EventItem::Event(event) = next(&mut quick).await {
                    heard.extend(label(&event).filter(|it| it != "web"));
                }
            }
            heard
        };
        let (_, heard) = tokio::join!(write, listen);
        assert_eq!(heard.len(), MANY);
        let (mut labels, mut last) = (Vec::new(), None);
        let end = loop {
            match next(&mut slow).await {
                EventItem::Event(event) => {
                    labels.extend(label(&event).filter(|it| it != "web"));
                    last = Some(event.id);
                }
                EventItem::End(end) => break end,
                _ => {}
            }
        };
        assert_eq!(end, End::Slow);
        assert!(slow.next().await.is_none());
        assert!(labels.len() < MANY, "nothing was held back");
        let mut again = resume(&stage.platform, &stage, last.unwrap()).await;
        while labels.len() < MANY {
            if let EventItem::Event(event) = next(&mut again).await {
                labels.extend(label(&event));
            }
        }
        assert_eq!(labels, heard);
        stage.halt().await;
    }

    async fn a_stop_ends_the_streams_and_opens_no_more(database: &Scratch) {
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, woken())).await;
        let (mut stream, _) = fresh(&stage.platform, &stage).await;
        stage.halt().await;
        assert!(matches!(next(&mut stream).await, EventItem::End(End::Stopping)));
        assert!(stream.next().await.is_none());
        let refused = stage.platform.events(&stage.reader(), EventRequest::default()).await;
        assert!(matches!(refused, Err(Error::TryLater(_))), "{refused:?}");
    }

    async fn streams_are_bounded_for_one_and_for_all(database: &Scratch) {
        let events = EventClockwork { streams: 3, streams_each: 2, ..woken() };
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, events)).await;
        let (first, _) = fresh(&stage.platform, &stage).await;
        let (_second, _) = fresh(&stage.platform, &stage).await;
        let refused = stage.platform.events(&stage.reader(), EventRequest::default()).await;
        assert!(matches!(refused, Err(Error::TooManyStreams(2))), "{refused:?}");
        let stranger = || stage.stranger().grant::<ReadInstances>(None).unwrap();
        let open = async || stage.platform.events(&stranger(), EventRequest::default()).await;
        let _third = open().await.unwrap();
        let refused = open().await;
        assert!(matches!(refused, Err(Error::TryLater(_))), "{refused:?}");
        drop(first);
        stage.until("the seat is free", async || open().await.ok()).await;
        stage.halt().await;
    }

    async fn an_ended_membership_or_session_ends_the_stream_soon(database: &Scratch) {
        let recheck = Duration::from_millis(100);
        let events = EventClockwork { recheck, poll: recheck, ..EventClockwork::default() };
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, events)).await;
        let (mut member, _) = fresh(&stage.platform, &stage).await;
        let stranger = stage.stranger().grant::<ReadInstances>(None).unwrap();
        let opened = stage.platform.events(&stranger, EventRequest::default()).await;
        let mut stranger = opened.unwrap();
        next(&mut stranger).await;
        stage.rows.execute("DELETE FROM memberships WHERE user_id = \
            (SELECT id FROM users WHERE email = 'stranger@example.org')").await;
        assert!(matches!(next(&mut stranger).await, EventItem::End(End::NoMember)));
        // The other one is not touched, and ends with its own session.
        let accepted = stage.create("web").await;
        assert!(is_about(event(&mut member).await, accepted.instance.id));
        event(&mut member).await;
        stage.rows.execute("DELETE FROM sessions").await;
        assert!(matches!(next(&mut member).await, EventItem::End(End::LoggedOut)));
        stage.halt().await;
    }

    async fn what_was_committed_and_never_told_comes_all_the_same(database: &Scratch) {
        let events = EventClockwork { poll: Duration::from_millis(100), ..woken() };
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, events)).await;
        let (mut stream, _) = fresh(&stage.platform, &stage).await;
        // A process of its own, which dies before it tells: it has no reader of events.
        let twin = stage.twin().await;
        let accepted = twin.create_server(&stage.member(), stage.request("web")).await.unwrap();
        let event = event(&mut stream).await;
        assert!(is_about(&event, accepted.instance.id));
        stage.halt().await;
    }

    async fn what_is_forgotten_is_said(database: &Scratch) {
        let events = EventClockwork { most_missed: 20, ..woken() };
        let stage = Stage::open(database, &DIGITALOCEAN, scene(0, events)).await;
        let id = stage.create("web").await.instance.id;
        stage.repository.publish_events().await.unwrap();
        let (mut stream, start) = fresh(&stage.platform, &stage).await;
        rename(&stage, id, "one").await;
        while label(event(&mut stream).await).as_deref() != Some("one") {}
        rename(&stage, id, "two").await;
        let latest = loop {
            let event = event(&mut stream).await;
            if label(&event).as_deref() == Some("two") {
                break event.id;
            }
        };
        stage.repository.trim_events(Duration::ZERO, 1, 100).await.unwrap();
        let reset = first(&stage.platform, &stage, Some(start)).await.1;
        assert!(matches!(reset, EventItem::Reset { at } if at == latest), "{reset:?}");
        let kept = first(&stage.platform, &stage, Some(latest)).await.1;
        assert!(matches!(kept, EventItem::Begin { at: None }), "{kept:?}");
        // More than is worth being told one by one.
        for number in 0..21 {
            rename(&stage, id, &format!("{number}")).await;
        }
        stage.repository.publish_events().await.unwrap();
        let reset = first(&stage.platform, &stage, Some(latest)).await.1;
        assert!(matches!(reset, EventItem::Reset { at } if at != latest), "{reset:?}");
        stage.halt().await;
    }

    async fn a_filter_brings_only_what_it_names(database: &Scratch) {
        let stage = Stage::open(database, &DIGITALOCEAN, scene(1, woken())).await;
        let filter = EventFilter { kinds: Some(vec![EventKind::Operation]), instance: None };
        let asked = EventRequest { after: None, filter };
        let mut stream = stage.platform.events(&stage.reader(), asked).await.unwrap();
        next(&mut stream).await;
        let id = stage.running("web").await.id;
        stage.settles(stage.act(id, OperationKind::Reboot).await.id).await;
        let mut states = Vec::new();
        while states.last().is_none_or(|it| it != "reboot succeeded") {
            let event = event(&mut stream).await;
            let EventBody::Operation { brief, .. } = &event.body else { panic!("{event:?}") };
            states.push(format!("{} {}", brief.kind, brief.state));
        }
        assert!(states.contains(&"create succeeded".to_owned()), "{states:?}");
        stage.halt().await;
    }
}

/// Runs a test on PostgreSQL, where several processes share one database.
fn on_postgres(name: &str, scene: Scene, test: impl AsyncFnOnce(&Stage, &Scratch)) {
    if ScratchPostgres::is_left_out(name) {
        return;
    }
    block_on(async {
        let database = Scratch::create_prepared(Backend::Postgres, TEMPLATE, migrated).await;
        let stage = Stage::open(&database, &DIGITALOCEAN, scene).await;
        test(&stage, &database).await;
        stage.halt().await;
    });
}

#[test]
fn two_processes_hear_each_other_within_a_second() {
    let name = "events::two_processes_hear_each_other_within_a_second";
    on_postgres(name, scene(0, woken()), async |stage, _| {
        let twin = stage.twin().await;
        let engine = Engine::start(&twin, 0);
        let (mut there, _) = fresh(&twin, stage).await;
        let (mut here, _) = fresh(&stage.platform, stage).await;
        for _ in 0..3 {
            let began = Instant::now();
            let accepted = stage.create("web").await;
            assert!(is_about(event(&mut there).await, accepted.instance.id));
            assert!(
                began.elapsed() < Duration::from_secs(1),
                "{:?}",
                began.elapsed()
            );
            event(&mut there).await;
            assert!(is_about(event(&mut here).await, accepted.instance.id));
            event(&mut here).await;
            let began = Instant::now();
            let theirs = twin
                .create_server(&stage.member(), stage.request("web"))
                .await
                .unwrap();
            assert!(is_about(event(&mut here).await, theirs.instance.id));
            assert!(
                began.elapsed() < Duration::from_secs(1),
                "{:?}",
                began.elapsed()
            );
            event(&mut here).await;
            assert!(is_about(event(&mut there).await, theirs.instance.id));
            event(&mut there).await;
        }
        engine.stop().await;
    });
}

#[test]
fn a_killed_listener_listens_again_and_catches_up() {
    let name = "events::a_killed_listener_listens_again_and_catches_up";
    on_postgres(name, scene(0, woken()), async |stage, database| {
        let twin = stage.twin().await;
        let engine = Engine::start(&twin, 0);
        let (mut there, _) = fresh(&twin, stage).await;
        stage.create("web").await;
        event(&mut there).await;
        event(&mut there).await;
        let (client, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        assert_eq!(client.query(killed, &[]).await.unwrap().len(), 2);
        let accepted = stage.create("while-nobody-listens").await;
        assert!(is_about(event(&mut there).await, accepted.instance.id));
        engine.stop().await;
    });
}

#[test]
fn work_accepted_here_is_done_there_and_who_waits_here_hears_of_its_end() {
    let name = "events::work_accepted_here_is_done_there";
    on_postgres(
        name,
        scene(0, EventClockwork::default()),
        async |stage, _| {
            let twin = stage.twin().await;
            let engine = Engine::start(&twin, 1);
            let began = Instant::now();
            let accepted = stage.create("web").await;
            stage.succeeds(accepted.operation.id).await;
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{:?}",
                began.elapsed()
            );
            engine.stop().await;
        },
    );
}

async fn next(stream: &mut EventStream) -> EventItem {
    let item = tokio::time::timeout(PATIENCE, stream.next()).await;
    item.unwrap().unwrap()
}

async fn event(stream: &mut EventStream) -> Arc<Event> {
    loop {
        match next(stream).await {
            EventItem::Event(event) => return event,
            EventItem::Beat | EventItem::Passed(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Opens a stream, and returns what comes first.
async fn first(
    platform: &Arc<Platform>,
    stage: &Stage,
    after: Option<EventId>,
) -> (EventStream, EventItem) {
    let asked = EventRequest {
        after,
        ..EventRequest::default()
    };
    let mut stream = platform.events(&stage.reader(), asked).await.unwrap();
    let item = next(&mut stream).await;
    (stream, item)
}

/// Opens a stream that begins now, and returns where that is.
async fn fresh(platform: &Arc<Platform>, stage: &Stage) -> (EventStream, EventId) {
    let (stream, item) = first(platform, stage, None).await;
    let EventItem::Begin { at: Some(at) } = item else {
        panic!("{item:?}")
    };
    (stream, at)
}

async fn resume(platform: &Arc<Platform>, stage: &Stage, after: EventId) -> EventStream {
    let (stream, item) = first(platform, stage, Some(after)).await;
    assert!(matches!(item, EventItem::Begin { at: None }), "{item:?}");
    stream
}

async fn rename(stage: &Stage, id: InstanceId, label: &str) {
    let patch = InstancePatch {
        label: Some(label.to_owned()),
        ..InstancePatch::default()
    };
    let member = stage.member();
    let changed = stage.platform.change_server(&member, id, patch);
    changed.await.unwrap();
}

fn is_about(event: impl AsRef<Event>, id: InstanceId) -> bool {
    event.as_ref().instance == id
}

fn label(event: impl AsRef<Event>) -> Option<String> {
    match &event.as_ref().body {
        EventBody::Instance(brief) => Some(brief.label.clone()),
        EventBody::Operation { .. } => None,
    }
}

/// Counts the events that tell of a change of the tests.
fn renamed(read: &[Arc<Event>]) -> usize {
    let labels = read.iter().filter_map(label);
    labels.filter(|it| !it.starts_with("web")).count()
}
