//! The checker with made-up evidence: for each column, one try that fills it.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::evidence::{Attempt, Books, Doom};

const NAME: &str = "web-0123456789abcdefghijklmnop";
const TAG: &str = "rs:i:0123456789abcdefghijklmnop";

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn entry(method: &str, path: &str, seconds: i64) -> Entry {
    Entry {
        sequence: 1,
        time: time(seconds),
        method: method.to_owned(),
        path: path.to_owned(),
        token_sha256: None,
        body: None,
        status: Some(202),
        committed: true,
        fault: None,
        resource_id: None,
    }
}

fn post() -> Entry {
    Entry {
        body: Some(json!({ "name": NAME })),
        resource_id: Some("7".to_owned()),
        ..entry("POST", "/v2/droplets", 10)
    }
}

fn droplet(id: &str) -> Object {
    Object {
        id: id.to_owned(),
        name: NAME.to_owned(),
        tags: vec!["rs:d:test".to_owned(), TAG.to_owned()],
        deleted: false,
        plan: "small".to_owned(),
        image: "ubuntu".to_owned(),
        status: "active".to_owned(),
    }
}

fn operation(number: u128, kind: &str, state: &str) -> Operation {
    Operation {
        id: id(number),
        instance: id(1),
        kind: kind.to_owned(),
        state: state.to_owned(),
        secret: false,
        error: None,
        created_at: time(0).as_microsecond() + i64::try_from(number).unwrap(),
        finished_at: Some(time(60).as_microsecond()),
    }
}

fn asked(key: &str, kind: &str, operation: u128) -> Asked {
    Asked {
        key: key.to_owned(),
        kind: kind.to_owned(),
        plan: Some("small".to_owned()),
        image: Some("debian".to_owned()),
        instance: Some(id(1)),
        operations: [id(operation)].into(),
        refusal: None,
    }
}

fn attempt(operation: u128, seconds: i64) -> Attempt {
    Attempt {
        operation: id(operation),
        number: 1,
        sent_at: time(seconds).as_microsecond(),
    }
}

/// One server, asked for and made.
fn well() -> Evidence {
    Evidence {
        asked: vec![asked("k1", "create", 11)],
        books: Books {
            operations: vec![operation(11, "create", "succeeded")],
            instances: vec![Instance {
                id: id(1),
                lifecycle: "live".to_owned(),
                remote: Some("7".to_owned()),
                name: NAME.to_owned(),
            }],
            attempts: vec![attempt(11, 9)],
            ..Books::default()
        },
        objects: vec![droplet("7")],
        journal: vec![post()],
        ..Evidence::default()
    }
}

/// The same server, deleted since.
fn deleted() -> Evidence {
    let mut evidence = well();
    evidence.asked.push(asked("k2", "delete", 12));
    evidence
        .books
        .operations
        .push(operation(12, "delete", "succeeded"));
    evidence.books.attempts.push(attempt(12, 19));
    evidence.books.instances[0].lifecycle = "deleted".to_owned();
    evidence.objects[0].deleted = true;
    evidence.journal.push(entry("DELETE", "/v2/droplets/7", 20));
    evidence
}

/// The same server with an action on it.
fn acted(kind: &str, word: &str) -> Evidence {
    let mut evidence = well();
    evidence.asked.push(asked("k2", kind, 12));
    evidence
        .books
        .operations
        .push(operation(12, kind, "succeeded"));
    evidence.books.attempts.push(attempt(12, 19));
    evidence.journal.push(Entry {
        body: Some(json!({ "type": word })),
        ..entry("POST", "/v2/droplets/7/actions", 20)
    });
    evidence
}

fn strict(evidence: &Evidence) -> Verdict {
    check(evidence, Allowed::default())
}

#[track_caller]
fn assert_finding(verdict: &Verdict, words: &str) {
    let found = verdict.findings.iter().any(|it| it.contains(words));
    assert!(found, "no `{words}` in {:#?}", verdict.findings);
    assert!(verdict.row.adds_up(), "{:?}", verdict.row);
}

#[test]
fn what_went_well_is_done_and_nothing_else() {
    for (evidence, count) in [
        (well(), 1),
        (deleted(), 2),
        (acted("reboot", "reboot"), 2),
        (acted("resize", "resize"), 2),
    ] {
        let verdict = strict(&evidence);
        assert!(verdict.is_clean(), "{:#?}", verdict.findings);
        let row = Row {
            accepted: count,
            done: count,
            ..Row::default()
        };
        assert_eq!(verdict.row, row);
    }
}

#[test]
fn success_that_the_vendor_does_not_bear_out_is_no_success() {
    let mut gone = well();
    gone.objects[0].deleted = true;
    let mut other_plan = acted("resize", "resize");
    other_plan.objects[0].plan = "large".to_owned();
    let mut not_deleted = deleted();
    not_deleted.objects[0].deleted = false;
    let mut never = acted("reboot", "reboot");
    never.journal.pop();
    let mut runs = acted("shutdown", "shutdown");
    runs.objects[0].status = "active".to_owned();
    let rebuilt = acted("rebuild", "rebuild");
    for (evidence, words) in [
        (gone, "is not there"),
        (other_plan, "is a `large`"),
        (not_deleted, "is still there"),
        (never, "never rebooted"),
        (runs, "is `active`"),
        (rebuilt, "runs `ubuntu`, not `debian`"),
    ] {
        let verdict = strict(&evidence);
        assert_finding(&verdict, words);
        assert!(verdict.row.failed >= 1);
    }
}

#[test]
fn a_failure_is_a_refusal_only_if_the_vendor_has_it_in_its_journal() {
    let mut evidence = well();
    evidence.books.operations[0].state = "failed".to_owned();
    evidence.books.instances[0] = Instance {
        lifecycle: "failed".to_owned(),
        remote: None,
        ..evidence.books.instances[0].clone()
    };
    evidence.objects.clear();
    evidence.journal[0].committed = false;
    evidence.journal[0].status = Some(422);
    let verdict = strict(&evidence);
    assert!(verdict.is_clean(), "{:#?}", verdict.findings);
    assert_eq!((verdict.row.refused, verdict.row.failed), (1, 0));

    for status in [None, Some(500), Some(429), Some(408), Some(202)] {
        evidence.journal[0].status = status;
        let verdict = strict(&evidence);
        assert_finding(&verdict, "failed without a refusal");
        assert_eq!((verdict.row.refused, verdict.row.failed), (0, 1));
    }
    // Somebody else's refusal is not ours.
    evidence.journal[0].status = Some(422);
    evidence.journal[0].body = Some(json!({ "name": "other-0" }));
    assert_eq!(strict(&evidence).row.failed, 1);
    // Accepted and then given up is a refusal that came late.
    evidence.journal[0] = Entry {
        fault: Some(r#"#1 before {"fate":"fails"}"#.to_owned()),
        ..post()
    };
    assert_eq!(strict(&evidence).row.refused, 1);
    // Who is shut out of the account is refused everything.
    evidence.journal.push(Entry {
        status: Some(401),
        committed: false,
        ..entry("GET", "/v2/droplets", 30)
    });
    evidence.journal[0].fault = None;
    assert_eq!(strict(&evidence).row.refused, 1);
}

#[test]
fn only_reboots_and_rebuilds_may_be_left_to_a_person() {
    for kind in ["reboot", "rebuild"] {
        let mut evidence = acted(kind, kind);
        evidence.books.operations[1].state = "attention".to_owned();
        let verdict = strict(&evidence);
        assert!(verdict.is_clean(), "{:#?}", verdict.findings);
        assert_eq!((verdict.row.done, verdict.row.attention), (1, 1));
        assert_eq!(verdict.attention.len(), 1);
    }
    let mut evidence = well();
    evidence.books.operations[0].state = "attention".to_owned();
    assert_finding(&strict(&evidence), "was left to a person");
}

#[test]
fn what_waited_for_a_person_until_the_server_was_deleted_was_left_to_one() {
    let mut evidence = acted("reboot", "reboot");
    evidence.books.operations[1].state = "failed".to_owned();
    assert_finding(&strict(&evidence), "failed without a refusal");
    // Deleted in the same moment.
    let gone = deleted();
    let delete = Operation {
        id: id(13),
        ..gone.books.operations[1].clone()
    };
    evidence.books.operations.push(delete);
    evidence.books.attempts.push(attempt(13, 29));
    evidence.books.instances = gone.books.instances;
    evidence.objects = gone.objects;
    evidence.journal.push(entry("DELETE", "/v2/droplets/7", 30));
    let verdict = strict(&evidence);
    assert!(verdict.is_clean(), "{:#?}", verdict.findings);
    assert_eq!((verdict.row.done, verdict.row.attention), (2, 1));
    // At another time it failed by itself.
    evidence.books.operations[2].finished_at = Some(time(61).as_microsecond());
    assert_finding(&strict(&evidence), "failed without a refusal");
}

#[test]
fn what_has_not_ended_is_stuck() {
    for state in ["ready", "leased", "sent", "unknown", "resolving", "waiting"] {
        let mut evidence = well();
        evidence.books.operations[0].state = state.to_owned();
        let verdict = strict(&evidence);
        assert_finding(&verdict, "is still");
        assert_eq!((verdict.row.done, verdict.row.stuck), (0, 1));
    }
    // What was accepted and is not on record will never end.
    let mut evidence = well();
    evidence.asked.push(asked("k9", "create", 99));
    let verdict = strict(&evidence);
    assert_finding(&verdict, "is not on record");
    assert_eq!((verdict.row.accepted, verdict.row.stuck), (2, 1));
}

#[test]
fn a_marked_server_that_nobody_knows_of_is_leaked_unless_it_is_in_quarantine() {
    let stranger = Object {
        name: "web-zzzz".to_owned(),
        tags: vec!["rs:d:test".to_owned()],
        ..droplet("8")
    };
    let mut evidence = well();
    evidence.objects.push(stranger);
    let verdict = strict(&evidence);
    assert_finding(&verdict, "server 8 (`web-zzzz`) is nobody's");
    assert_eq!((verdict.row.leaked, verdict.row.quarantined), (1, 0));

    evidence.books.quarantine.insert("8".to_owned());
    let verdict = strict(&evidence);
    assert_finding(&verdict, "1 servers are in quarantine instead of 0");
    assert_eq!((verdict.row.leaked, verdict.row.quarantined), (0, 1));
    let restored = Allowed {
        restored: Some(1),
        ..Allowed::default()
    };
    assert!(check(&evidence, restored).is_clean());

    // Somebody's own servers are not our business.
    evidence.objects[1].tags.clear();
    assert!(strict(&evidence).is_clean());
}

#[test]
fn a_server_of_a_row_that_is_over_or_bound_to_nothing_is_leaked() {
    let mut over = deleted();
    over.objects[0].deleted = false;
    let mut unbound = well();
    unbound.books.instances[0].remote = None;
    unbound.books.instances[0].lifecycle = "failed".to_owned();
    for evidence in [over, unbound] {
        assert_eq!(strict(&evidence).row.leaked, 1);
    }
    // The name alone tells as much as the tag alone.
    let mut named = well();
    named.books.instances[0].remote = None;
    named.objects[0].tags.clear();
    assert_eq!(strict(&named).row.leaked, 1);
    let mut tagged = well();
    tagged.books.instances[0].remote = None;
    tagged.objects[0].name = "renamed".to_owned();
    assert_eq!(strict(&tagged).row.leaked, 1);
}

#[test]
fn a_second_server_is_a_duplicate_even_when_it_is_gone_unless_it_is_allowed() {
    let mut evidence = well();
    evidence.objects.push(droplet("8"));
    let extras = Allowed {
        extras: true,
        ..Allowed::default()
    };
    for allowed in [Allowed::default(), extras] {
        let verdict = check(&evidence, allowed);
        assert_finding(&verdict, "beside the bound 7");
        assert_eq!(verdict.row.duplicated, 1);
    }
    evidence.objects[1].deleted = true;
    let verdict = strict(&evidence);
    assert_finding(&verdict, "was made 2 times");
    assert_eq!(verdict.row.duplicated, 1);
    assert!(check(&evidence, extras).is_clean());
    // What the harness has put there itself is not the program's doing.
    evidence.planted.insert("8".to_owned());
    assert!(strict(&evidence).is_clean());
}

#[test]
fn an_action_that_was_done_twice_is_a_duplicate() {
    for kind in ["reboot", "resize", "rebuild"] {
        let mut evidence = acted(kind, kind);
        evidence.objects[0].image = "debian".to_owned();
        evidence.journal.push(evidence.journal[1].clone());
        let verdict = strict(&evidence);
        assert_finding(&verdict, "asked 1 times, done 2");
        assert_eq!(verdict.row.duplicated, 1);
        // A second request that the vendor refused did nothing.
        evidence.journal[2].committed = false;
        assert!(strict(&evidence).is_clean());
    }
}

#[test]
fn a_bound_server_that_is_not_there_is_lost() {
    for lifecycle in ["live", "missing", "attention"] {
        let mut evidence = well();
        evidence.books.instances[0].lifecycle = lifecycle.to_owned();
        evidence.objects.clear();
        let verdict = strict(&evidence);
        assert_finding(&verdict, "and is not there");
        assert_eq!(verdict.row.lost, 1);
    }
}

#[test]
fn a_server_is_deleted_only_when_somebody_asked_or_it_was_doomed() {
    let mut evidence = deleted();
    evidence.books.operations.pop();
    evidence.books.attempts.pop();
    evidence.asked.pop();
    let verdict = strict(&evidence);
    assert_finding(&verdict, "server 7 was deleted, and nobody asked for it");
    assert_eq!(verdict.row.wrongly_deleted, 1);

    // An extra that was doomed may go; the bound one may not, doomed or not.
    let mut doomed = well();
    doomed.objects.push(Object {
        deleted: true,
        ..droplet("8")
    });
    doomed.journal.push(entry("DELETE", "/v2/droplets/8", 40));
    let doom = |remote: &str| Doom {
        remote: remote.to_owned(),
        instance: id(1),
        done: true,
    };
    doomed.books.dooms.push(doom("8"));
    let extras = Allowed {
        extras: true,
        ..Allowed::default()
    };
    assert!(check(&doomed, extras).is_clean());
    evidence.books.dooms.push(doom("7"));
    assert_eq!(strict(&evidence).row.wrongly_deleted, 1);
    // Somebody else's server.
    let mut foreign = well();
    foreign.journal.push(entry("DELETE", "/v2/droplets/99", 40));
    assert_eq!(strict(&foreign).row.wrongly_deleted, 1);
    let mut all = well();
    all.journal.push(entry("DELETE", "/v2/droplets", 40));
    assert_eq!(strict(&all).row.wrongly_deleted, 1);
}

#[test]
fn a_request_without_an_earlier_attempt_is_found() {
    let mut never = well();
    never.books.attempts.clear();
    let mut later = well();
    later.books.attempts[0].sent_at = time(11).as_microsecond();
    let mut action = acted("reboot", "reboot");
    action.books.attempts.pop();
    for evidence in [never, later, action] {
        assert_finding(&strict(&evidence), "has no earlier attempt");
    }
    let mut foreign = well();
    foreign.journal[0].body = Some(json!({ "name": "other-0" }));
    assert_finding(&strict(&foreign), "belongs to no server of ours");
}

#[test]
fn one_key_is_one_operation_and_a_binding_stays() {
    let mut twice = well();
    twice.asked[0].operations.insert(id(99));
    assert_finding(&strict(&twice), "got 2 operations");
    let mut shared = well();
    shared.asked.push(asked("k2", "create", 11));
    assert_finding(&strict(&shared), "got one operation");
    let mut unanswered = well();
    unanswered.asked.push(Asked {
        operations: BTreeSet::new(),
        ..asked("k2", "create", 12)
    });
    assert_finding(&strict(&unanswered), "was never answered");
    let mut moved = well();
    moved.bindings.insert(id(1), ["6".to_owned()].into());
    assert_finding(&strict(&moved), "in turn");
    // A second delete gets the first one's operation.
    let mut again = deleted();
    again.asked.push(asked("k3", "delete", 12));
    assert!(strict(&again).is_clean());
}

#[test]
fn a_secret_that_is_left_is_found() {
    let mut kept = well();
    kept.books.operations[0].secret = true;
    assert_finding(&strict(&kept), "still keeps a secret");
    let mut exposed = well();
    exposed.exposed.push("the log".to_owned());
    assert_finding(&strict(&exposed), "a secret is exposed: the log");
    let mut mishap = well();
    mishap.mishaps.push("the program ended".to_owned());
    assert_finding(&strict(&mishap), "the program ended");
}
