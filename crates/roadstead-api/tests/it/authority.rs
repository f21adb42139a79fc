//! Every route crossed with everybody who may ask, and with whose thing it is.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{
    Commuter, Member, Operator, PASSWORD, Person, Stranger, TestApp, Viewer, public_key, wanted,
};
use crate::schema::operations;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Anyone,
    LoggedIn,
    /// Viewers and above.
    Look,
    /// Members and above.
    Manage,
    Operate,
}

use Who::{Anyone, LoggedIn, Look, Manage, Operate};

/// What `{id}` in a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Nothing,
    Server,
    Operation,
    Account,
    Plan,
    Key,
    /// One of the quarantine, which is empty here.
    Entry,
}

use Thing::{Account, Entry, Key, Nothing, Operation, Plan, Server};

/// Every route. One that is mounted and not listed here fails a test below.
const ROUTES: [(&str, &str, Who, Thing); 58] = [
    ("GET", "/docs", Anyone, Nothing),
    ("GET", "/docs/style.css", Anyone, Nothing),
    ("GET", "/api/openapi.json", Anyone, Nothing),
    ("GET", "/api/health", Anyone, Nothing),
    ("GET", "/api/health/ready", Anyone, Nothing),
    ("POST", "/api/auth/login", Anyone, Nothing),
    ("GET", "/api/auth/me", LoggedIn, Nothing),
    ("GET", "/api/vps/providers", Look, Nothing),
    ("GET", "/api/vps/{provider_type}/plans", Look, Nothing),
    ("GET", "/api/vps/{provider_type}/sizes", Look, Nothing),
    ("GET", "/api/vps/{provider_type}/images", Look, Nothing),
    ("GET", "/api/vps/{provider_type}/regions", Look, Nothing),
    ("GET", "/api/vps/{provider_type}/marketplace", Look, Nothing),
    (
        "GET",
        "/api/vps/{provider_type}/stackscripts",
        Look,
        Nothing,
    ),
    ("GET", "/api/vps", Look, Nothing),
    ("POST", "/api/vps", Manage, Nothing),
    ("GET", "/api/vps/{id}", Look, Server),
    ("PATCH", "/api/vps/{id}", Manage, Server),
    ("DELETE", "/api/vps/{id}", Manage, Server),
    ("POST", "/api/vps/{id}/boot", Manage, Server),
    ("POST", "/api/vps/{id}/shutdown", Manage, Server),
    ("POST", "/api/vps/{id}/reboot", Manage, Server),
    ("POST", "/api/vps/{id}/power-off", Manage, Server),
    ("POST", "/api/vps/{id}/resize", Manage, Server),
    ("POST", "/api/vps/{id}/rebuild", Manage, Server),
    ("GET", "/api/vps/{id}/operations", Look, Server),
    ("GET", "/api/operations/{id}", Look, Operation),
    ("GET", "/api/events", Look, Nothing),
    ("GET", "/api/ssh-keys", Look, Nothing),
    ("POST", "/api/ssh-keys", Manage, Nothing),
    ("DELETE", "/api/ssh-keys/{id}", Manage, Key),
    ("GET", "/api/admin/providers", Operate, Nothing),
    ("POST", "/api/admin/providers", Operate, Nothing),
    ("PUT", "/api/admin/providers/reorder", Operate, Nothing),
    ("GET", "/api/admin/providers/{id}", Operate, Account),
    ("PATCH", "/api/admin/providers/{id}", Operate, Account),
    ("DELETE", "/api/admin/providers/{id}", Operate, Account),
    (
        "POST",
        "/api/admin/providers/{id}/validate",
        Operate,
        Account,
    ),
    ("GET", "/api/admin/providers/{id}/cache", Operate, Account),
    (
        "POST",
        "/api/admin/providers/{id}/cache/clear",
        Operate,
        Account,
    ),
    ("GET", "/api/admin/providers/{id}/budget", Operate, Account),
    (
        "GET",
        "/api/admin/providers/{id}/importable",
        Operate,
        Account,
    ),
    ("POST", "/api/admin/providers/{id}/import", Operate, Account),
    ("POST", "/api/admin/vps/{id}/release", Operate, Server),
    ("GET", "/api/admin/missing", Operate, Nothing),
    ("POST", "/api/admin/missing/{id}/decision", Operate, Server),
    ("GET", "/api/admin/quarantine", Operate, Nothing),
    (
        "POST",
        "/api/admin/quarantine/{id}/decision",
        Operate,
        Entry,
    ),
    ("GET", "/api/admin/operations", Operate, Nothing),
    (
        "POST",
        "/api/admin/operations/{id}/decision",
        Operate,
        Operation,
    ),
    ("GET", "/api/vps/plans", Look, Nothing),
    ("GET", "/api/admin/plans", Operate, Nothing),
    ("POST", "/api/admin/plans", Operate, Nothing),
    ("POST", "/api/admin/plans/import", Operate, Nothing),
    ("GET", "/api/admin/plans/{id}", Operate, Plan),
    ("PUT", "/api/admin/plans/{id}", Operate, Plan),
    ("DELETE", "/api/admin/plans/{id}", Operate, Plan),
    // The last, because nobody can do anything afterwards.
    ("POST", "/api/auth/logout", LoggedIn, Nothing),
];

#[test]
fn every_route_is_in_the_table_with_who_may_call_it() {
    let listed = ROUTES.iter().map(|(method, path, who, _)| {
        let role = match who {
            Anyone => "anyone",
            LoggedIn => "user",
            Look => "viewer",
            Manage => "member",
            Operate => "operator",
        };
        ((*method).to_owned(), (*path).to_owned(), role.to_owned())
    });
    // Every mounted route is in the document: both are made from one list.
    let documented = operations().into_iter().map(|(method, path, operation)| {
        let role = operation["x-role"].as_str().unwrap();
        (method, path, role.to_owned())
    });
    assert_eq!(
        listed.collect::<BTreeSet<_>>(),
        documented.collect::<BTreeSet<_>>()
    );
}

/// What a call may come to, as far as authority goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Unauthenticated,
    Forbidden,
    Absent,
    Through,
}

/// Whose thing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    Foreign,
    Nobodys,
    NoId,
}

fn verdict(who: Who, thing: Thing, person: Option<Person>, whose: Whose) -> Verdict {
    let Some(person) = person else {
        return if who == Anyone {
            Verdict::Through
        } else {
            Verdict::Unauthenticated
        };
    };
    let may = match who {
        Anyone | LoggedIn => true,
        Operate => person == Operator,
        // An operator who belongs to no organization sees nobody's servers.
        Look => person != Operator,
        Manage => person != Operator && person != Viewer,
    };
    let there = match thing {
        Nothing => true,
        Account | Plan => matches!(whose, Whose::Own | Whose::Foreign),
        // An operator decides about everybody's servers and operations.
        Server | Operation if who == Operate => matches!(whose, Whose::Own | Whose::Foreign),
        Entry => false,
        Server | Operation | Key => whose == Whose::Own,
    };
    match (may, there) {
        (false, _) => Verdict::Forbidden,
        (true, false) => Verdict::Absent,
        (true, true) => Verdict::Through,
    }
}

struct Things {
    server: String,
    operation: String,
    account: String,
    plan: String,
    key: String,
}

/// Makes a server and a key for somebody's organization, and a plan, which is nobody's.
async fn things(app: &TestApp, person: Person) -> Things {
    let created = app.post("/api/vps").by(person).json(&wanted("mine")).await;
    let created = created.ok();
    let account = created.word("/instance/provider_id");
    let size = match person {
        Member => "s-1vcpu-1gb",
        _ => "s-1vcpu-2gb",
    };
    let plan = json!({ "provider_id": account, "type": size });
    let plan = app.post("/api/admin/plans").by(Operator).json(&plan).await;
    Things {
        server: created.word("/instance/id"),
        operation: created.word("/operation/id"),
        account,
        plan: plan.ok().word("/plan/id"),
        key: fresh_key(app, person).await,
    }
}

/// Adds a key that nobody has yet, and returns its id.
async fn fresh_key(app: &TestApp, person: Person) -> String {
    let name = uuid::Uuid::now_v7();
    let body = json!({ "name": name, "public_key": public_key(name.as_u128()) });
    let added = app.post("/api/ssh-keys").by(person).json(&body).await;
    added.ok().word("/ssh_key/id")
}

fn body(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        ("POST", "/api/auth/login") => {
            Some(json!({ "email": "member@test.example", "password": PASSWORD }))
        }
        ("POST", "/api/vps") => Some(wanted("another")),
        ("POST", "/api/vps/{id}/resize") => Some(json!({ "type": "s-1vcpu-2gb" })),
        ("POST", "/api/vps/{id}/rebuild") => Some(json!({ "image": "debian-12-x64" })),
        ("POST", "/api/admin/operations/{id}/decision") => Some(json!({ "decision": "failed" })),
        ("POST", "/api/admin/quarantine/{id}/decision") => Some(json!({ "decision": "release" })),
        ("POST", "/api/admin/missing/{id}/decision") => Some(json!({ "decision": "gone" })),
        // Of a server that is not there, so that nothing is imported over and over.
        ("POST", "/api/admin/providers/{id}/import") => Some(json!({
            "remote_id": "1", "organization_id": uuid::Uuid::nil(), "label": "imported",
        })),
        ("PUT", "/api/admin/providers/reorder") => Some(json!({ "order": [] })),
        ("PUT", _) => Some(json!({})),
        // Without an account, so that nothing is put on sale over and over.
        ("POST", "/api/admin/plans" | "/api/admin/plans/import") => Some(json!({})),
        ("POST", "/api/ssh-keys") => {
            Some(json!({ "name": "another", "public_key": public_key(1) }))
        }
        // No token, so that nothing is registered over and over.
        ("POST", "/api/admin/providers") => Some(json!({ "name": "x", "type": "digitalocean" })),
        ("PATCH", _) => Some(json!({})),
        _ => None,
    }
}

async fn call(app: &TestApp, method: &str, path: &str, id: &str, person: Option<Person>) -> Answer {
    let real = path
        .replace("{id}", id)
        .replace("{provider_type}", "digitalocean");
    let call = app
        .call(method.parse::<Method>().unwrap(), &real)
        .by(person);
    match body(method, path) {
        Some(body) => call.json(&body).await,
        None => call.await,
    }
}

/// Everything that the two organizations can see of their servers and keys.
async fn books(app: &TestApp) -> Vec<String> {
    let mut books = Vec::new();
    for path in ["/api/vps", "/api/ssh-keys"] {
        for person in [Member, Stranger] {
            books.push(app.get(path).by(person).await.ok().text);
        }
    }
    books
}

#[tokio::test]
async fn nobody_gets_further_than_their_role_and_their_organization() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let harbor = things(&app, Member).await;
    let strangers = things(&app, Stranger).await;
    let people = [
        None,
        Some(Stranger),
        Some(Viewer),
        Some(Member),
        Some(Commuter),
        Some(Operator),
    ];
    let before = books(&app).await;
    // What must be refused comes first, so that the books show whether it was.
    for refusals in [true, false] {
        for (method, path, who, thing) in ROUTES {
            for person in people {
                for whose in [Whose::Own, Whose::Foreign, Whose::Nobodys, Whose::NoId] {
                    let expected = verdict(who, thing, person, whose);
                    let once = thing == Nothing && whose != Whose::Own;
                    if once || (expected != Verdict::Through) != refusals {
                        continue;
                    }
                    let (own, foreign) = match person {
                        Some(Stranger) => (&strangers, &harbor),
                        _ => (&harbor, &strangers),
                    };
                    let id = match (thing, person) {
                        // One who was here before has deleted the other.
                        (Key, Some(person)) if expected == Verdict::Through => {
                            fresh_key(&app, person).await
                        }
                        _ => id_of(thing, whose, own, foreign),
                    };
                    let answer = call(&app, method, path, &id, person).await;
                    let place = format!("{method} {path} by {person:?}, {whose:?}");
                    check(answer, expected, thing, &place);
                }
            }
        }
        if refusals {
            assert_eq!(
                books(&app).await,
                before,
                "a refused call changed something"
            );
        }
    }
}

fn id_of(thing: Thing, whose: Whose, own: &Things, foreign: &Things) -> String {
    let things = match whose {
        Whose::Own => own,
        Whose::Foreign => foreign,
        Whose::Nobodys => return uuid::Uuid::now_v7().to_string(),
        Whose::NoId => return "no-id".to_owned(),
    };
    match thing {
        Nothing => String::new(),
        Server => things.server.clone(),
        Operation => things.operation.clone(),
        Account => things.account.clone(),
        Plan => things.plan.clone(),
        Key => things.key.clone(),
        Entry => uuid::Uuid::now_v7().to_string(),
    }
}

#[track_caller]
fn check(answer: Answer, expected: Verdict, thing: Thing, place: &str) {
    let shown = format!("{place}: {} {}", answer.status, answer.text);
    match expected {
        Verdict::Through => {
            // Busy servers, accounts in use and missing tokens are beyond authority.
            assert!(matches!(answer.status, 200 | 400 | 409), "{shown}");
        }
        Verdict::Unauthenticated => {
            assert_eq!(answer.status, 401, "{shown}");
            assert_eq!(answer.word("/code"), "UNAUTHENTICATED", "{shown}");
        }
        Verdict::Forbidden => {
            assert_eq!(answer.status, 403, "{shown}");
            assert_eq!(answer.word("/code"), "FORBIDDEN", "{shown}");
        }
        Verdict::Absent => {
            assert_eq!(answer.status, 404, "{shown}");
            let code = match thing {
                Server => "INSTANCE_NOT_FOUND",
                Account => "PROVIDER_NOT_FOUND",
                Operation | Plan | Key | Entry | Nothing => "NOT_FOUND",
            };
            assert_eq!(answer.word("/code"), code, "{shown}");
        }
    }
}

#[tokio::test]
async fn a_thing_that_is_anothers_looks_exactly_like_one_that_is_not_there() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let harbor = things(&app, Member).await;
    for (method, path, _, thing) in ROUTES {
        if !matches!(thing, Server | Operation | Key) {
            continue;
        }
        let foreign = id_of(thing, Whose::Foreign, &harbor, &harbor);
        let foreign = call(&app, method, path, &foreign, Some(Stranger)).await;
        let absent = uuid::Uuid::now_v7().to_string();
        let absent = call(&app, method, path, &absent, Some(Stranger)).await;
        assert_eq!(foreign.shown(), absent.shown(), "{method} {path}");
    }
}

#[tokio::test]
async fn who_asks_is_settled_before_what_is_asked_is_read() {
    let app = TestApp::start_idle().await;
    for (method, path, who, _) in ROUTES {
        if who == Anyone {
            continue;
        }
        let real = path
            .replace("{id}", "no-id")
            .replace("{provider_type}", "nosuch");
        // A wrong body, a wrong query and a wrong key at once, several times: the verdict
        // must not depend on what is read first.
        for _ in 0..5 {
            let broken = |person: Option<Person>| {
                let method = method.parse::<Method>().unwrap();
                let call = app.call(method, &format!("{real}?wait=x&limit=x&provider_id=x"));
                let call = call.by(person).header("idempotency-key", "");
                if person.is_some() {
                    call
                } else {
                    call.header("authorization", "Bearer rs_none")
                }
            };
            let unknown = broken(None).raw("{").await;
            assert_eq!(unknown.status, 401, "{method} {path}: {}", unknown.text);
            if matches!(who, Manage | Operate) {
                let low = broken(Some(Viewer)).raw("{").await;
                assert_eq!(low.status, 403, "{method} {path}: {}", low.text);
            }
        }
    }
}
