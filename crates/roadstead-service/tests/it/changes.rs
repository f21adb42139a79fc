//! Resizes, rebuilds, reboots and power whose answers are lost, late, refused or wrong: done once
//! or not at all, and never sent twice where nobody can tell.

use std::time::Duration;

use roadstead_core::{Action, Code, InstanceId, Price, Secret, Since, State};
use roadstead_service::{
    Accepted, Engine, Error, Instance, OperationKind, OperationState, RebuildServer, ResizeServer,
};
use roadstead_sim::JournalEntry;
use roadstead_testkit::{assert_absent, canary};
use serde_json::{Value, json};

use crate::rows::Rows;
use crate::stage::{Stage, TIME_SCALE, at_each_vendor};

/// Longer than an attempt may take.
const TOO_LONG_MS: u64 = 1_250;

const SEALED: &str = "SELECT CAST(COUNT(secret) AS TEXT) AS line FROM operations";

at_each_vendor! {
    async fn a_server_has_another_plan_and_another_price_once_the_vendor_is_done(stage: &Stage) {
        let server = at_rest(stage).await;
        let before = server.price.clone().unwrap();
        let mark = stage.mark();
        let accepted = resize(stage, server.id).await;
        assert_eq!(accepted.operation.kind, OperationKind::Resize);
        assert_eq!(accepted.instance.price, Some(before.clone()));
        assert_eq!(accepted.instance.specification.plan.as_str(), stage.vendor.plan);
        stage.succeeds(accepted.operation.id).await;
        is_larger(stage, server.id, &before).await;
        assert_eq!(sent(stage, mark, OperationKind::Resize).len(), 1);
        // What it cost and was is not forgotten.
        let text = match stage.rows {
            Rows::File(_) => "json(details)",
            Rows::Server(_) => "CAST(details AS TEXT)",
        };
        let audit = format!("SELECT {text} AS line FROM audit_log WHERE action = 'instance.resize'");
        let [line] = stage.rows.lines(&audit).await.try_into().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["plan"], stage.vendor.larger);
        assert_eq!(line["before"]["plan"], stage.vendor.plan);
        let hourly = before.hourly.unwrap().nanos().unwrap();
        assert_eq!(line["before"]["terms"]["price"]["hourly"], hourly);
        assert_ne!(line["terms"]["price"]["hourly"], hourly);
        assert_eq!(stage.server(server.id).await.power, server.power);
    }

    async fn a_disk_grows_only_where_that_is_asked_for(stage: &Stage) {
        let server = at_rest(stage).await;
        let shrinks = (stage.vendor.descriptor)().resize.shrinks_disk;
        let accepted = resize(stage, server.id).await;
        stage.succeeds(accepted.operation.id).await;
        if !shrinks {
            let kept = stage.server(server.id).await.specification.disk;
            assert_eq!(kept, server.specification.disk);
        }
        // Its disk still fits, so that the way back is open.
        let ask = async |request| stage.platform.resize_server(&stage.member(), server.id, request).await;
        let smaller = || ResizeServer { plan: stage.vendor.plan.to_owned(), ..larger(stage) };
        let back = ask(smaller()).await.unwrap();
        stage.succeeds(back.operation.id).await;
        let grown = ResizeServer { grow_disk: true, ..larger(stage) };
        let grown = ask(grown).await.unwrap();
        stage.succeeds(grown.operation.id).await;
        assert!(stage.server(server.id).await.specification.disk > server.specification.disk);
        if shrinks {
            // Only the vendor knows how much of the disk is in use.
            let back = ask(smaller()).await.unwrap();
            let (_, code) = stage.fails(back.operation.id).await;
            assert_eq!(code, Code::ValidationError.as_str());
        } else {
            let [fault] = faults(ask(smaller()).await).try_into().unwrap();
            assert!(fault.contains("cannot shrink"), "{fault}");
        }
    }

    async fn a_resize_that_makes_no_sense_is_refused_and_nothing_is_sent(stage: &Stage) {
        let server = stage.running("web").await;
        let needs_stopped = (stage.vendor.descriptor)().resize.needs_stopped;
        let mark = stage.mark();
        let ask = async |request| stage.platform.resize_server(&stage.member(), server.id, request).await;
        if needs_stopped {
            match ask(larger(stage)).await {
                Err(Error::InvalidAction(message)) => assert!(message.contains("shut it down first"), "{message}"),
                other => panic!("{other:?}"),
            }
            let shutdown = stage.act(server.id, OperationKind::Shutdown).await;
            stage.succeeds(shutdown.id).await;
        }
        for (plan, word) in [
            ("no-such-plan", "no plan"),
            (stage.vendor.plan, "already"),
            ("", "no plan"),
        ] {
            let request = ResizeServer { plan: plan.to_owned(), ..larger(stage) };
            let [fault] = faults(ask(request).await).try_into().unwrap();
            assert!(fault.contains(word), "{fault}");
        }
        let stranger = stage.stranger().grant(None).unwrap();
        let foreign = stage.platform.resize_server(&stranger, server.id, larger(stage)).await;
        assert!(matches!(foreign, Err(Error::NoSuchInstance)), "{foreign:?}");
        let sent = stage.changes(mark).len();
        assert_eq!(sent, usize::from(needs_stopped));
    }

    async fn a_repeated_request_is_one_resize(stage: &Stage) {
        let server = at_rest(stage).await;
        let ask = async |request: &[u8]| {
            let member = stage.member().under_key(Some(stage.platform.request_key("key", request)));
            stage.platform.resize_server(&member, server.id, larger(stage)).await
        };
        let first = ask(b"one").await.unwrap();
        let second = ask(b"one").await.unwrap();
        assert_eq!((second.operation.id, second.replayed), (first.operation.id, true));
        let other = ask(b"two").await;
        assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");
        stage.succeeds(first.operation.id).await;
    }

    async fn a_resize_whose_answer_was_lost_is_done_once(stage: &Stage) {
        for effect in lost() {
            done_once(stage, OperationKind::Resize, "after", effect, 1).await;
        }
    }

    async fn a_resize_that_never_arrived_is_sent_again_and_done_once(stage: &Stage) {
        for effect in [json!({ "drop": true }), json!({ "status": 503 })] {
            done_once(stage, OperationKind::Resize, "before", effect, 2).await;
        }
    }

    async fn a_resize_that_comes_late_is_waited_for(stage: &Stage) {
        let server = at_rest(stage).await;
        let before = server.price.clone().unwrap();
        let mark = stage.mark();
        late(stage, OperationKind::Resize);
        let accepted = resize(stage, server.id).await;
        stage.succeeds(accepted.operation.id).await;
        is_larger(stage, server.id, &before).await;
        assert_eq!(sent(stage, mark, OperationKind::Resize).len(), 1);
    }

    async fn a_resize_that_the_vendor_gives_up_changes_no_price(stage: &Stage) {
        let server = at_rest(stage).await;
        let mark = stage.mark();
        spoil(stage, OperationKind::Resize, "after", &json!({ "fate": "fails" }));
        let accepted = resize(stage, server.id).await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::ApiError.as_str());
        assert!(operation.error.unwrap().message.contains("gave up"));
        let after = stage.server(server.id).await;
        assert_eq!((&after.price, &after.specification), (&server.price, &server.specification));
        assert_eq!((after.lifecycle, sent(stage, mark, OperationKind::Resize).len()), (server.lifecycle, 1));
    }

    async fn a_resize_that_the_vendor_refuses_fails_with_the_refusal(stage: &Stage) {
        let server = at_rest(stage).await;
        let body = json!({
            "id": "unprocessable_entity", "message": "no",
            "errors": [{ "reason": "no", "field": "type" }],
        });
        let status = if stage.vendor.kind == "linode" { 400 } else { 422 };
        spoil(stage, OperationKind::Resize, "before", &json!({ "status": status, "body": body }));
        let accepted = resize(stage, server.id).await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!((operation.attempts, code.as_str()), (1, Code::ValidationError.as_str()));
        assert_eq!(stage.server(server.id).await.price, server.price);
    }

    async fn an_engine_that_dies_in_the_middle_of_a_resize_leaves_it_to_the_next(stage: &Stage) {
        let server = at_rest(stage).await;
        let before = server.price.clone().unwrap();
        let mark = stage.mark();
        spoil(stage, OperationKind::Resize, "after", &json!({ "delay_ms": 900 }));
        let twin = stage.twin().await;
        stage.halt().await;
        let accepted = resize(stage, server.id).await;
        let engine = Engine::start(&twin, 1);
        stage.until("the resize has arrived", async || {
            (sent(stage, mark, OperationKind::Resize).len() == 1).then_some(())
        }).await;
        // As a crash: nothing is handed back.
        drop(engine);
        stage.start(1);
        stage.succeeds(accepted.operation.id).await;
        is_larger(stage, server.id, &before).await;
        assert_eq!(sent(stage, mark, OperationKind::Resize).len(), 1);
    }

    async fn a_reboot_whose_answer_was_lost_is_found_in_the_log(stage: &Stage) {
        for effect in lost() {
            done_once(stage, OperationKind::Reboot, "after", effect, 1).await;
        }
    }

    async fn a_reboot_that_comes_late_is_found_in_the_log(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        late(stage, OperationKind::Reboot);
        let reboot = stage.act(id, OperationKind::Reboot).await;
        stage.succeeds(reboot.id).await;
        assert_eq!(sent(stage, mark, OperationKind::Reboot).len(), 1);
    }

    async fn a_reboot_of_before_is_not_taken_for_one_that_never_arrived(stage: &Stage) {
        let id = stage.running("web").await.id;
        let first = stage.act(id, OperationKind::Reboot).await;
        stage.succeeds(first.id).await;
        undecided(stage, id, OperationKind::Reboot).await;
    }

    async fn a_log_that_cannot_be_read_proves_nothing(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        spoil(stage, OperationKind::Reboot, "before", &json!({ "drop": true }));
        // The first look is for where the log ends.
        stage.fault(json!({
            "method": "GET", "path": stage.vendor.log, "count": 100_000, "skip": 1,
            "effect": { "status": 503 },
        }));
        let reboot = stage.act(id, OperationKind::Reboot).await;
        stage.until("it is being looked for", async || {
            (stage.operation(reboot.id).await.state == OperationState::Resolving).then_some(())
        }).await;
        let span = stage.clockwork.settle_window + stage.clockwork.look_interval * 8;
        stage.stays("nothing is believed", span, async || {
            stage.operation(reboot.id).await.state != OperationState::Attention
        }).await;
        stage.sim().clear_faults();
        let operation = stage.settles(reboot.id).await;
        assert_eq!(operation.state, OperationState::Attention, "{operation:?}");
        assert_eq!(sent(stage, mark, OperationKind::Reboot).len(), 1);
    }

    async fn a_server_is_rebuilt_from_another_image(stage: &Stage) {
        let server = stage.running("web").await;
        let (password, data) = (canary("Password-7"), canary("user-data"));
        let mut request = afresh(stage);
        let rule = (stage.vendor.descriptor)().rebuild;
        if rule.root_password {
            request.root_password = Some(Secret::new(password.clone()));
        }
        if rule.user_data {
            request.user_data = Some(Secret::new(format!("#!/bin/sh\necho {data}\n")));
        }
        let seen = format!("{request:?}");
        let mark = stage.mark();
        stage.halt().await;
        let accepted = stage.platform.rebuild_server(&stage.member(), server.id, request).await.unwrap();
        let sealed = u8::from(rule.root_password).to_string();
        assert_eq!(stage.rows.lines(SEALED).await, [sealed]);
        stage.start(1);
        stage.succeeds(accepted.operation.id).await;
        let after = stage.server(server.id).await;
        assert_eq!(after.specification.image.as_str(), stage.vendor.other_image);
        assert_eq!((after.public_status(), after.price), ("running", server.price));
        assert_eq!(sent(stage, mark, OperationKind::Rebuild).len(), 1);
        assert_eq!(stage.rows.lines(SEALED).await, ["0"]);
        let everything = stage.rows.everything().await;
        for secret in [&password, &data] {
            assert_absent(secret, &everything);
            assert_absent(secret, seen.as_bytes());
        }
    }

    async fn a_rebuild_that_makes_no_sense_is_refused_and_nothing_is_sent(stage: &Stage) {
        let server = stage.running("web").await;
        let rule = (stage.vendor.descriptor)().rebuild;
        let mark = stage.mark();
        let ask = async |request| stage.platform.rebuild_server(&stage.member(), server.id, request).await;
        let odd = RebuildServer { image: "no-such-image".to_owned(), ..afresh(stage) };
        assert_eq!(fields(ask(odd).await), ["image"]);
        let short = RebuildServer { root_password: Some(Secret::from("a\nb")), ..afresh(stage) };
        assert_eq!(fields(ask(short).await), ["rootPassword"]);
        let key = RebuildServer { ssh_keys: vec!["ssh-ed25519 nonsense".to_owned()], ..afresh(stage) };
        assert_eq!(fields(ask(key).await), ["ssh_keys"]);
        let large = Secret::new("x".repeat(200_000));
        let large = RebuildServer { user_data: Some(large), ..afresh(stage) };
        assert_eq!(fields(ask(large).await), ["user_data"]);
        if rule.root_password {
            let none = RebuildServer { root_password: None, ..afresh(stage) };
            assert_eq!(fields(ask(none).await), ["rootPassword"]);
        }
        assert!(stage.changes(mark).is_empty());
        let image = stage.server(server.id).await.specification.image;
        assert_eq!(image, server.specification.image);
    }

    async fn a_rebuild_whose_answer_was_lost_is_found_in_the_log(stage: &Stage) {
        for effect in lost() {
            done_once(stage, OperationKind::Rebuild, "after", effect, 1).await;
        }
    }

    async fn a_rebuild_that_never_arrived_is_for_a_person_and_never_sent_again(stage: &Stage) {
        let id = stage.running("web").await.id;
        undecided(stage, id, OperationKind::Rebuild).await;
        assert_eq!(stage.rows.lines(SEALED).await, ["0"]);
        // The server itself goes on.
        let shutdown = stage.act(id, OperationKind::Shutdown).await;
        stage.succeeds(shutdown.id).await;
    }

    async fn a_rebuild_that_the_vendor_gives_up_fails(stage: &Stage) {
        let server = stage.running("web").await;
        spoil(stage, OperationKind::Rebuild, "after", &json!({ "fate": "fails" }));
        let accepted = rebuild(stage, server.id).await;
        let (_, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::ApiError.as_str());
        assert_eq!(stage.server(server.id).await.specification.image.as_str(), stage.vendor.image);
    }

    async fn what_is_delivered_twice_is_done_once(stage: &Stage) {
        for kind in [
            OperationKind::Resize,
            OperationKind::Rebuild,
            OperationKind::Reboot,
            OperationKind::Shutdown,
        ] {
            for which in ["first", "second"] {
                let server = match kind {
                    OperationKind::Resize => at_rest(stage).await,
                    _ => stage.running("web").await,
                };
                let before = stage.direct().recent_operations(server.remote.as_ref().unwrap(), &Since::Now).await.unwrap().end;
                spoil(stage, kind, "after", &json!({ "twice": which }));
                let id = begin(stage, server.id, kind).await;
                stage.succeeds(id).await;
                let since = Since::Place(before);
                let log = stage.direct().recent_operations(server.remote.as_ref().unwrap(), &since).await.unwrap();
                let done: Vec<_> = log.entries.iter().filter(|it| it.kind.is_some_and(|it| it.as_str() == kind.as_str())).collect();
                assert_eq!(done.len(), 1, "{kind:?} {which}: {done:#?}");
                let delete = stage.act(server.id, OperationKind::Delete).await;
                stage.succeeds(delete.id).await;
            }
        }
    }

    async fn clocks_that_are_an_hour_apart_confuse_nobody(stage: &Stage) {
        for skew in [-3_600_000, 3_600_000] {
            stage.sim().set_skew(skew);
            let server = stage.running("web").await;
            let reboot = stage.act(server.id, OperationKind::Reboot).await;
            stage.succeeds(reboot.id).await;
            let mark = stage.mark();
            spoil(stage, OperationKind::Reboot, "after", &json!({ "drop": true }));
            let found = stage.act(server.id, OperationKind::Reboot).await;
            stage.succeeds(found.id).await;
            assert_eq!(sent(stage, mark, OperationKind::Reboot).len(), 1);
            undecided(stage, server.id, OperationKind::Reboot).await;
            stage.sim().clear_faults();
            let delete = stage.act(server.id, OperationKind::Delete).await;
            stage.succeeds(delete.id).await;
        }
    }

    async fn an_old_reboot_that_nothing_is_on_record_of_is_looked_for_first(stage: &Stage) {
        let server = stage.running("web").await;
        stage.halt().await;
        let reboot = stage.act(server.id, OperationKind::Reboot).await;
        // It was sent by a process whose books were then put back to what they were before.
        let remote = server.remote.as_ref().unwrap();
        stage.direct().perform_action(remote, &Action::Reboot).await.unwrap();
        let mark = stage.mark();
        let restored = stage.twin().await;
        let engine = Engine::start(&restored, 1);
        stage.succeeds(reboot.id).await;
        engine.stop().await;
        assert!(sent(stage, mark, OperationKind::Reboot).is_empty());
    }

    async fn power_whose_answer_was_lost_is_switched_once(stage: &Stage) {
        for effect in lost() {
            done_once(stage, OperationKind::Shutdown, "after", effect, 1).await;
        }
    }

    async fn power_that_never_arrived_is_sent_again(stage: &Stage) {
        let id = stage.running("web").await.id;
        let mark = stage.mark();
        spoil(stage, OperationKind::Shutdown, "before", &json!({ "drop": true }));
        let shutdown = stage.act(id, OperationKind::Shutdown).await;
        let operation = stage.succeeds(shutdown.id).await;
        assert_eq!((operation.attempts, stage.word().as_str()), (2, stage.vendor.words.1));
        let sent = sent(stage, mark, OperationKind::Shutdown);
        assert_eq!(sent.iter().filter(|it| it.committed).count(), 1);
    }
}

/// The ways in which an answer gets lost.
fn lost() -> [Value; 5] {
    let page = "<html><body>Welcome to our proxy</body></html>";
    [
        json!({ "drop": true }),
        json!({ "status": 502 }),
        json!({ "delay_ms": TOO_LONG_MS }),
        json!({ "truncate": 1 }),
        json!({ "status": 200, "body": page, "content_type": "text/html" }),
    ]
}

/// Returns a server in the state in which its plan can be changed.
async fn at_rest(stage: &Stage) -> Instance {
    let server = stage.running("web").await;
    if (stage.vendor.descriptor)().resize.needs_stopped {
        let shutdown = stage.act(server.id, OperationKind::Shutdown).await;
        stage.succeeds(shutdown.id).await;
    }
    stage.server(server.id).await
}

fn larger(stage: &Stage) -> ResizeServer {
    ResizeServer {
        sale: None,
        plan: stage.vendor.larger.to_owned(),
        grow_disk: false,
    }
}

async fn resize(stage: &Stage, id: InstanceId) -> Accepted {
    let request = larger(stage);
    let resized = stage
        .platform
        .resize_server(&stage.member(), id, request)
        .await;
    resized.unwrap()
}

fn afresh(stage: &Stage) -> RebuildServer {
    let takes_password = (stage.vendor.descriptor)().rebuild.root_password;
    RebuildServer {
        image: stage.vendor.other_image.to_owned(),
        root_password: takes_password.then(|| Secret::from("another-Horse-8-battery")),
        ssh_keys: Vec::new(),
        user_data: None,
    }
}

async fn rebuild(stage: &Stage, id: InstanceId) -> Accepted {
    let request = afresh(stage);
    let rebuilt = stage
        .platform
        .rebuild_server(&stage.member(), id, request)
        .await;
    rebuilt.unwrap()
}

async fn begin(stage: &Stage, id: InstanceId, kind: OperationKind) -> roadstead_core::OperationId {
    match kind {
        OperationKind::Resize => resize(stage, id).await.operation.id,
        OperationKind::Rebuild => rebuild(stage, id).await.operation.id,
        kind => stage.act(id, kind).await.id,
    }
}

/// Spoils the next request of a kind.
fn spoil(stage: &Stage, kind: OperationKind, when: &str, effect: &Value) {
    let (path, word) = (stage.vendor.action)(kind);
    let mut fault = json!({ "method": "POST", "path": path, "when": when, "effect": effect });
    if let Some(word) = word {
        fault["body_contains"] = json!(format!("\"{word}\""));
    }
    stage.fault(fault);
}

/// Lets the next request of a kind have its effect after its lost answer.
fn late(stage: &Stage, kind: OperationKind) {
    let after = stage.clockwork.settle_window / 2;
    let (path, word) = (stage.vendor.action)(kind);
    let mut fault = json!({
        "method": "POST", "path": path, "when": "late", "effect": { "drop": true },
        "late_ms": after.mul_f64(TIME_SCALE).as_millis(),
    });
    if let Some(word) = word {
        fault["body_contains"] = json!(format!("\"{word}\""));
    }
    stage.fault(fault);
}

/// Returns the requests of a kind after a mark.
fn sent(stage: &Stage, mark: u64, kind: OperationKind) -> Vec<JournalEntry> {
    let (path, word) = (stage.vendor.action)(kind);
    let last = path.rsplit('/').next().unwrap();
    let fits = |it: &JournalEntry| {
        let body = it.body.as_ref().and_then(|it| it["type"].as_str());
        it.method == "POST" && it.path.ends_with(last) && word.is_none_or(|word| body == Some(word))
    };
    stage.changes(mark).into_iter().filter(fits).collect()
}

/// Spoils one request, and asserts that it ends well after so many, of which one had an effect.
async fn done_once(stage: &Stage, kind: OperationKind, when: &str, effect: Value, requests: usize) {
    let server = match kind {
        OperationKind::Resize => at_rest(stage).await,
        _ => stage.running("web").await,
    };
    let mark = stage.mark();
    spoil(stage, kind, when, &effect);
    let id = begin(stage, server.id, kind).await;
    let operation = stage.settles(id).await;
    assert_eq!(
        operation.state,
        OperationState::Succeeded,
        "{effect}: {operation:?}"
    );
    let sent = sent(stage, mark, kind);
    assert_eq!(sent.len(), requests, "{effect}: {sent:#?}");
    let committed = sent.iter().filter(|it| it.committed).count();
    assert_eq!(committed, 1, "{effect}: {sent:#?}");
    match kind {
        OperationKind::Resize => {
            is_larger(stage, server.id, server.price.as_ref().unwrap()).await;
        }
        OperationKind::Rebuild => {
            let image = stage.server(server.id).await.specification.image;
            assert_eq!(image.as_str(), stage.vendor.other_image, "{effect}");
        }
        _ => {}
    }
    let delete = stage.act(server.id, OperationKind::Delete).await;
    stage.succeeds(delete.id).await;
}

/// Loses a request that is sent at most once, and asserts that a person is asked.
async fn undecided(stage: &Stage, id: InstanceId, kind: OperationKind) {
    let mark = stage.mark();
    spoil(stage, kind, "before", &json!({ "drop": true }));
    let begun = tokio::time::Instant::now();
    let operation = begin(stage, id, kind).await;
    let operation = stage.settles(operation).await;
    assert_eq!(operation.state, OperationState::Attention, "{operation:?}");
    assert!(begun.elapsed() >= stage.clockwork.settle_window);
    assert_eq!(operation.error.unwrap().code, Code::UnknownError.as_str());
    let server = stage.server(id).await;
    assert_eq!(server.public_status(), "running");
    assert!(server.problem.unwrap().contains("answer was lost"));
    let span = stage.clockwork.settle_window + Duration::from_millis(300);
    stage
        .stays("it is not sent again", span, async || {
            sent(stage, mark, kind).len() == 1
        })
        .await;
}

/// Asserts that a server has the larger plan in our books and at the vendor, at its price.
async fn is_larger(stage: &Stage, id: InstanceId, before: &Price) {
    let after = stage.server(id).await;
    assert_eq!(after.specification.plan.as_str(), stage.vendor.larger);
    assert_eq!(after.specification.memory.whole_gib(), 2);
    let price = after.price.unwrap();
    assert!(price.hourly.unwrap().amount > before.hourly.unwrap().amount);
    assert!(price.monthly.unwrap().amount > before.monthly.unwrap().amount);
    assert!(matches!(after.power, State::Running | State::Stopped));
}

#[track_caller]
fn fields<T: std::fmt::Debug>(refused: Result<T, Error>) -> Vec<String> {
    match refused.unwrap_err() {
        Error::Invalid(all) => all.into_iter().map(|it| it.field.into_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn faults<T: std::fmt::Debug>(refused: Result<T, Error>) -> Vec<String> {
    match refused.unwrap_err() {
        Error::Invalid(all) => all.into_iter().map(|it| it.error).collect(),
        other => panic!("{other:?}"),
    }
}
