//! Live events over HTTP: what comes, from where on, to whom, and until when.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use roadstead_core::EventId;
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::{Value, json};

use crate::app::{
    Commuter, Member, Operator, Person, Setup, Stranger, TestApp, Viewer, prepare, template, wanted,
};

const PATIENCE: Duration = Duration::from_secs(30);

const NOTHING_YET: &str = "00000000-0000-0000-0000-000000000000";

/// A stream, read event by event.
struct Listener {
    response: Response,
    text: String,
    /// As a browser keeps it.
    last_id: Option<String>,
}

#[derive(Debug, PartialEq)]
struct Told {
    id: Option<String>,
    kind: String,
    data: Value,
}

impl Listener {
    async fn open(app: &TestApp, person: Person, query: &str, last: Option<&str>) -> Self {
        let mut call = app
            .call(Method::GET, &format!("/api/events{query}"))
            .by(person);
        if let Some(last) = last {
            call = call.header("last-event-id", last);
        }
        let response = call.stream().await;
        assert_eq!(response.status(), 200);
        let mut listener = Self {
            response,
            text: String::new(),
            last_id: last.map(str::to_owned),
        };
        let block = listener.block().await.unwrap();
        assert!(block.starts_with("retry: "), "{block}");
        // Read above, or of a reset, which comes at once.
        if block.contains("event: ") {
            listener.text.insert_str(0, &format!("{block}\n\n"));
        } else {
            listener.keep_id(&block);
        }
        listener
    }

    fn keep_id(&mut self, block: &str) -> Option<String> {
        let id = block.lines().find_map(|it| it.strip_prefix("id: "));
        let id = id.map(str::to_owned);
        self.last_id = id.clone().or(self.last_id.take());
        id
    }

    /// Returns the lines up to the next empty one; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.unwrap().ok().flatten()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Returns the next event; `None` at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            let block = self.block().await?;
            let id = self.keep_id(&block);
            let field = |name: &str| {
                let mut lines = block.lines();
                lines
                    .find_map(|it| it.strip_prefix(name))
                    .map(str::to_owned)
            };
            if let Some(data) = field("data: ") {
                let data = serde_json::from_str(&data).unwrap();
                let kind = field("event: ").unwrap();
                return Some(Told { id, kind, data });
            }
        }
    }

    async fn words(&mut self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        while words.len() < count {
            let told = self.next().await.unwrap();
            words.push(told.word());
        }
        words
    }

    /// Returns the reason for which the stream ends, which it has to do next.
    async fn end(mut self) -> String {
        let told = self.next().await.unwrap();
        assert_eq!(told.kind, "end", "{told:?}");
        assert_eq!(told.id, None);
        assert_eq!(self.block().await, None);
        told.data["reason"].as_str().unwrap().to_owned()
    }
}

impl Told {
    fn word(&self) -> String {
        let of = |name: &str| self.data[name].as_str().unwrap_or("?").to_owned();
        match &*self.kind {
            "instance" => format!("instance {}", of("status")),
            "operation" => format!("{} {}", of("kind"), of("state")),
            other => other.to_owned(),
        }
    }
}

const IDLE: Setup = Setup {
    workers: 0,
    ..Setup::DEFAULT
};

on_both_databases! {
    prepared(&template(), prepare);

    async fn a_listener_hears_a_server_live_and_die(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        app.register().await;
        let mut listener = Listener::open(&app, Viewer, "", None).await;
        let id = app.running("web").await;
        let deleting = app.delete(&format!("/api/vps/{id}")).by(Member).await.ok();
        app.finished(&deleting).await;
        let (mut words, mut last) = (Vec::new(), None);
        while words.last().is_none_or(|it| it != "delete succeeded") {
            let told = listener.next().await.unwrap();
            assert!(told.id.as_deref().unwrap().parse::<EventId>().is_ok());
            words.push(told.word());
            last = Some(told);
        }
        for part in [
            &["instance provisioning", "create ready"][..],
            &["create leased", "create sent"],
            &["instance running"],
            &["create succeeded", "instance deleting", "delete ready"],
            &["instance deleted", "delete succeeded"],
        ] {
            assert!(words.windows(part.len()).any(|it| it == part), "{part:?} in {words:?}");
        }
        let last = last.unwrap().data;
        assert_eq!(last["id"], deleting.at("/operation/id"));
        assert_eq!(last["instance_id"], deleting.at("/instance/id"));
        assert!(last["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    async fn who_comes_again_gets_what_was_missed_once_and_goes_on(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        let mut first = Listener::open(&app, Member, "", None).await;
        assert_eq!(first.last_id.as_deref(), Some(NOTHING_YET));
        app.create("one").await;
        assert_eq!(first.words(2).await, ["instance provisioning", "create ready"]);
        let seen = first.last_id.clone().unwrap();
        drop(first);
        app.create("two").await;
        let mut again = Listener::open(&app, Member, "", Some(&seen)).await;
        let missed = again.next().await.unwrap();
        assert_eq!(missed.data["label"], "two");
        again.next().await.unwrap();
        app.create("three").await;
        assert_eq!(again.next().await.unwrap().data["label"], "three");
        // By the address, as a page that was loaded at that time would.
        let query = format!("?last_event_id={seen}&types=instance");
        let mut page = Listener::open(&app, Member, &query, None).await;
        assert_eq!(page.next().await.unwrap().data["label"], "two");
        assert_eq!(page.next().await.unwrap().data["label"], "three");
        // Who does not say where begins now, and can go on from there.
        let fresh = Listener::open(&app, Member, "", None).await;
        let here = fresh.last_id.unwrap();
        app.create("four").await;
        let mut later = Listener::open(&app, Member, "", Some(&here)).await;
        assert_eq!(later.next().await.unwrap().data["label"], "four");
    }

    async fn what_is_no_longer_kept_is_said_and_never_passed_over(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        app.create("one").await;
        for unknown in [NOTHING_YET, &EventId::fresh().to_string()] {
            let mut listener = Listener::open(&app, Member, "", Some(unknown)).await;
            let reset = listener.next().await.unwrap();
            assert_eq!(reset.kind, "reset", "{reset:?}");
            let latest = reset.id.unwrap();
            app.create("more").await;
            assert_eq!(listener.words(2).await, ["instance provisioning", "create ready"]);
            // From the reset on, it is a stream like any other.
            let mut again = Listener::open(&app, Member, "", Some(&latest)).await;
            assert_eq!(again.words(2).await, ["instance provisioning", "create ready"]);
        }
    }

    async fn another_organization_hears_nothing_and_finds_no_place(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        app.register().await;
        let mut harbor = Listener::open(&app, Member, "", None).await;
        let mut stranger = Listener::open(&app, Stranger, "", None).await;
        let created = app.create("secret-of-harbor").await;
        harbor.words(2).await;
        let place = harbor.last_id.clone().unwrap();
        let mut guess = Listener::open(&app, Stranger, "", Some(&place)).await;
        let reset = guess.next().await.unwrap();
        assert_eq!((&*reset.kind, reset.id.as_deref()), ("reset", Some(NOTHING_YET)));
        let server = created.word("/instance/id");
        let filter = format!("/api/events?instance_id={server}");
        app.get(&filter).by(Stranger).await.refused(404, "INSTANCE_NOT_FOUND");
        // Something of their own comes, and it is the first that comes.
        app.post("/api/vps").by(Stranger).json(&wanted("theirs")).await.ok();
        for listener in [&mut stranger, &mut guess] {
            assert_eq!(listener.next().await.unwrap().data["label"], "theirs");
            assert_eq!(listener.next().await.unwrap().word(), "create ready");
        }
    }

    async fn a_logout_ends_the_streams_of_its_session_at_once(database: &Scratch) {
        let app = TestApp::start_on(database, IDLE).await;
        let mut other = Listener::open(&app, Viewer, "", None).await;
        let listener = Listener::open(&app, Member, "", None).await;
        app.post("/api/auth/logout").by(Member).await.ok();
        assert_eq!(listener.end().await, "logged_out");
        app.register().await;
        app.post("/api/vps").by(Commuter).json(&wanted("web")).await.ok();
        assert_eq!(other.words(1).await, ["instance provisioning"]);
    }
}

#[tokio::test]
async fn an_answer_is_a_stream_that_nothing_on_the_way_holds_up() {
    let app = TestApp::start_idle().await;
    let call = app
        .get("/api/events")
        .by(Member)
        .header("accept-encoding", "gzip, deflate");
    let response = call.stream().await;
    let header = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok());
    assert_eq!(header("content-type"), Some("text/event-stream"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-accel-buffering"), Some("no"));
    assert!(matches!(
        header("content-encoding"),
        None | Some("identity")
    ));
    assert!(header("x-request-id").is_some());
}

#[tokio::test]
async fn bad_requests_are_refused_in_a_sentence() {
    let app = TestApp::start_idle().await;
    for bad in [
        "17",
        "nonsense",
        "\u{e9}",
        "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b1",
    ] {
        let call = app
            .get("/api/events")
            .by(Member)
            .header("last-event-id", bad);
        let answer = call.await.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), ["Last-Event-ID"], "{bad}");
    }
    for (query, field) in [
        ("types=volumes", "types"),
        ("types=", "types"),
        ("instance_id=7", "instance_id"),
        ("last_event_id=7", "last_event_id"),
        ("since=7", "since"),
    ] {
        let call = app.get(&format!("/api/events?{query}")).by(Member);
        let answer = call.await.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let absent = format!("/api/events?instance_id={}", EventId::fresh());
    app.get(&absent)
        .by(Member)
        .await
        .refused(404, "INSTANCE_NOT_FOUND");
    app.get("/api/events").await.refused(401, "UNAUTHENTICATED");
    app.get("/api/events")
        .by(Operator)
        .await
        .refused(403, "FORBIDDEN");
}

#[tokio::test]
async fn filters_leave_out_the_rest_and_still_tell_where_the_stream_is() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let one = app.create("one").await.word("/instance/id");
    let query = format!("?instance_id={one}&types=instance");
    let mut listener = Listener::open(&app, Member, &query, None).await;
    let begin = listener.last_id.clone();
    app.create("two").await;
    // A beat tells how far the stream is, though the client wanted nothing of it.
    let deadline = Instant::now() + PATIENCE;
    while listener.last_id == begin {
        assert!(Instant::now() < deadline);
        let block = listener.block().await.unwrap();
        assert!(!block.contains("data"), "{block}");
        listener.keep_id(&block);
    }
    let patch = json!({ "label": "renamed" });
    app.patch(&format!("/api/vps/{one}"))
        .by(Member)
        .json(&patch)
        .await
        .ok();
    let told = listener.next().await.unwrap();
    assert_eq!(
        (&*told.kind, &told.data["label"]),
        ("instance", &json!("renamed"))
    );
}

#[tokio::test]
async fn a_silent_stream_beats() {
    let app = TestApp::start_idle().await;
    let mut listener = Listener::open(&app, Member, "", None).await;
    for _ in 0..3 {
        assert_eq!(listener.block().await.as_deref(), Some(":"));
    }
}

#[tokio::test]
async fn one_user_has_so_many_streams_and_no_more() {
    let app = TestApp::start_with(Setup {
        streams_each: 3,
        ..IDLE
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Listener::open(&app, Member, "", None).await);
    }
    let answer = app
        .get("/api/events")
        .by(Member)
        .await
        .refused(429, "TOO_MANY_REQUESTS");
    assert_eq!(answer.header("retry-after"), Some("10"));
    Listener::open(&app, Viewer, "", None).await;
    // One that is closed makes room.
    open.pop();
    let deadline = Instant::now() + PATIENCE;
    while app
        .call(Method::GET, "/api/events")
        .by(Member)
        .stream()
        .await
        .status()
        == 429
    {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn two_hundred_streams_hear_the_same() {
    let app = TestApp::start_with(Setup {
        streams_each: 200,
        ..IDLE
    })
    .await;
    app.register().await;
    app.token(Viewer).await;
    let open = (0..200).map(|_| Listener::open(&app, Viewer, "?types=instance", None));
    let mut open = futures::future::join_all(open).await;
    for label in ["one", "two", "three"] {
        app.create(label).await;
    }
    let heard = open.iter_mut().map(async |it| {
        let mut labels = Vec::new();
        while labels.len() < 3 {
            labels.push(
                it.next().await.unwrap().data["label"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        labels
    });
    for labels in futures::future::join_all(heard).await {
        assert_eq!(labels, ["one", "two", "three"]);
    }
}
