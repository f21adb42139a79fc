//! Every call that changes something, made again under its key: one change, and one answer.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use roadstead_sim::TOKEN_FULL;
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::Answer;
use crate::app::{
    Commuter, Member, Operator, Person, Setup, Stranger, TestApp, prepare, public_key, template,
    wanted,
};
use crate::schema::operations;

const PATIENCE: Duration = Duration::from_secs(60);

/// A call that changes something.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) person: Person,
    pub(crate) body: Option<Value>,
}

impl Change {
    async fn make(&self, app: &TestApp, method: &str, key: &str) -> Answer {
        self.make_with(app, method, key, self.body.as_ref()).await
    }

    async fn make_with(
        &self,
        app: &TestApp,
        method: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Answer {
        let call = app
            .call(method.parse::<Method>().unwrap(), &self.path)
            .by(self.person)
            .header("idempotency-key", key);
        match body {
            Some(body) => call.json(body).await,
            None => call.await,
        }
    }
}

/// Returns a call of a route that goes well, on things that only it needs.
pub(crate) async fn change(app: &TestApp, method: &str, path: &str) -> Change {
    let name = Uuid::now_v7().to_string();
    let of = |person, id: &str, body| Change {
        path: path.replace("{id}", id),
        person,
        body,
    };
    match (method, path) {
        ("POST", "/api/vps") => of(Member, "", Some(wanted(&format!("web-{name}")))),
        ("PATCH", "/api/vps/{id}") => {
            let id = app.create("patched").await.word("/instance/id");
            of(Member, &id, Some(json!({ "notes": name })))
        }
        ("DELETE", "/api/vps/{id}") => {
            let id = app.create("deleted").await.word("/instance/id");
            of(Member, &id, None)
        }
        ("POST", "/api/vps/{id}/boot" | "/api/vps/{id}/shutdown" | "/api/vps/{id}/reboot")
        | ("POST", "/api/vps/{id}/power-off") => of(Member, &app.running("acting").await, None),
        ("POST", "/api/vps/{id}/resize") => {
            let id = app.running("resized").await;
            let stopped = app.post(&format!("/api/vps/{id}/shutdown")).by(Member);
            app.finished(&stopped.await.ok()).await;
            of(Member, &id, Some(json!({ "type": "s-1vcpu-2gb" })))
        }
        ("POST", "/api/vps/{id}/rebuild") => {
            let id = app.running("rebuilt").await;
            of(Member, &id, Some(json!({ "image": "debian-12-x64" })))
        }
        ("POST", "/api/ssh-keys") => {
            let key = public_key(Uuid::now_v7().as_u128());
            of(Member, "", Some(json!({ "name": name, "public_key": key })))
        }
        ("DELETE", "/api/ssh-keys/{id}") => {
            let key = public_key(Uuid::now_v7().as_u128());
            let body = json!({ "name": name, "public_key": key });
            let added = app.post("/api/ssh-keys").by(Member).json(&body).await;
            of(Member, &added.ok().word("/ssh_key/id"), None)
        }
        ("POST", "/api/admin/providers") => of(Operator, "", Some(fresh_account(app))),
        ("PUT", "/api/admin/providers/reorder") => of(
            Operator,
            "",
            Some(json!({ "order": [first_account(app).await] })),
        ),
        ("PATCH", "/api/admin/providers/{id}") => {
            let id = account(app).await;
            of(Operator, &id, Some(json!({ "name": name })))
        }
        (_, "/api/admin/providers/{id}")
        | (_, "/api/admin/providers/{id}/validate")
        | (_, "/api/admin/providers/{id}/cache/clear") => of(Operator, &account(app).await, None),
        ("POST", "/api/admin/plans") => {
            let plan = json!({ "provider_id": account(app).await, "type": "s-1vcpu-1gb" });
            of(Operator, "", Some(plan))
        }
        ("POST", "/api/admin/plans/import") => {
            let account = account(app).await;
            of(Operator, "", Some(json!({ "provider_id": account })))
        }
        ("PUT", "/api/admin/plans/{id}") => {
            of(Operator, &plan(app).await, Some(json!({ "name": name })))
        }
        ("DELETE", "/api/admin/plans/{id}") => of(Operator, &plan(app).await, None),
        ("POST", "/api/admin/operations/{id}/decision") => {
            let decision = json!({ "decision": "failed" });
            of(Operator, &undecided(app).await, Some(decision))
        }
        ("POST", "/api/admin/providers/{id}/import") => {
            let (account, remote) = stranger(app).await;
            let import = json!({
                "remote_id": remote, "organization_id": harbor(app).await, "label": "imported",
            });
            of(Operator, &account, Some(import))
        }
        ("POST", "/api/admin/vps/{id}/release") => {
            of(Operator, &app.running("released").await, None)
        }
        ("POST", "/api/admin/quarantine/{id}/decision") => {
            let decision = json!({ "decision": "release" });
            of(Operator, &quarantined(app).await, Some(decision))
        }
        ("POST", "/api/admin/missing/{id}/decision") => {
            let decision = json!({ "decision": "gone" });
            of(Operator, &missing(app).await, Some(decision))
        }
        _ => panic!("say here how to call {method} {path}"),
    }
}

/// Makes a call of the vendor behind our back.
async fn behind(app: &TestApp, method: Method, path: &str, token: &str, body: Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method, format!("{}{path}", app.sim.endpoint()));
    let answer = request.bearer_auth(token).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let text = answer.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Returns the id of the organization that members belong to.
pub(crate) async fn harbor(app: &TestApp) -> String {
    let me = app.get("/api/auth/me").by(Member).await.ok();
    me.word("/organizations/0/id")
}

/// Makes a server that our books know nothing of, at an account of its own; returns the ids of
/// both.
pub(crate) async fn stranger(app: &TestApp) -> (String, String) {
    let account = fresh_account(app);
    let token = account["token"].as_str().unwrap().to_owned();
    let registered = app.post("/api/admin/providers").by(Operator).json(&account);
    let account = registered.await.ok().word("/provider/id");
    (account, droplet(app, &token, "shop").await)
}

async fn droplet(app: &TestApp, token: &str, name: &str) -> String {
    let body = json!({
        "name": name, "size": "s-1vcpu-1gb", "region": "nyc3", "image": "ubuntu-22-04-x64",
    });
    let made = behind(app, Method::POST, "/v2/droplets", token, body).await;
    made["droplet"]["id"].to_string()
}

/// Returns the entry of a server whose name is the mark of one that our books do not have.
pub(crate) async fn quarantined(app: &TestApp) -> String {
    let name = roadstead_core::CreateKey::new("", Uuid::now_v7(), "by-hand").name;
    let remote = droplet(app, TOKEN_FULL, &name).await;
    let account = registered(app).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        app.repository
            .hasten_sweep(account, Duration::ZERO)
            .await
            .unwrap();
        let shown = app
            .get("/api/admin/quarantine?limit=200")
            .by(Operator)
            .await
            .ok();
        let entries = shown.at("/quarantine").as_array().unwrap().clone();
        if let Some(entry) = entries.iter().find(|it| it["remote_id"] == remote) {
            return entry["id"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "{}", shown.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns a server of ours that the provider has no more.
pub(crate) async fn missing(app: &TestApp) -> String {
    let id = app.running("missing").await;
    let shown = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
    let remote = shown.word("/instance/provider_instance_id");
    let path = format!("/v2/droplets/{remote}");
    behind(app, Method::DELETE, &path, TOKEN_FULL, json!({})).await;
    let account = registered(app).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        app.repository
            .hasten_sweep(account, Duration::ZERO)
            .await
            .unwrap();
        let shown = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
        if shown.word("/instance/status") == "missing" {
            return id;
        }
        assert!(Instant::now() < deadline, "{}", shown.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the account that [`TestApp::register`] has registered.
async fn registered(app: &TestApp) -> roadstead_core::ProviderId {
    let all = app.get("/api/admin/providers").by(Operator).await.ok();
    let all = all.at("/providers").as_array().unwrap().clone();
    let first = all.iter().find(|it| it["name"] == "DO").unwrap();
    first["id"].as_str().unwrap().parse().unwrap()
}

/// Returns an operation that waits for a person: a delete of a server that has lost its marks.
async fn undecided(app: &TestApp) -> String {
    let label = format!("u{}", Uuid::now_v7().simple());
    let id = app.running(&label).await;
    let named = |name: &str| {
        let state = app.sim.handle().state();
        let accounts = state["accounts"].as_array().unwrap();
        let mut droplets = accounts
            .iter()
            .flat_map(|it| it["droplets"].as_array().unwrap());
        droplets
            .find(|it| it["name"].as_str().unwrap().starts_with(name))
            .cloned()
    };
    let droplet = named(label.get(..20).unwrap()).unwrap();
    let remote = droplet["id"].to_string();
    let change = async |method, path: String, body: Value| {
        behind(app, method, &path, TOKEN_FULL, body).await;
    };
    for tag in droplet["tags"].as_array().unwrap() {
        let path = format!("/v2/tags/{}/resources", tag.as_str().unwrap());
        let body = json!({ "resources": [{ "resource_id": remote, "resource_type": "droplet" }] });
        change(Method::DELETE, path, body).await;
    }
    let path = format!("/v2/droplets/{remote}/actions");
    let name = format!("theirs-{remote}");
    change(
        Method::POST,
        path,
        json!({ "type": "rename", "name": name }),
    )
    .await;
    let deadline = Instant::now() + PATIENCE;
    while named(&name).is_none() {
        assert!(Instant::now() < deadline, "it is never renamed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let deleting = app.delete(&format!("/api/vps/{id}")).by(Member).await.ok();
    let operation = deleting.word("/operation/id");
    loop {
        let path = format!("/api/operations/{operation}");
        let shown = app.get(&path).by(Member).await.ok();
        if shown.word("/operation/state") == "attention" {
            return operation;
        }
        assert!(Instant::now() < deadline, "{}", shown.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns what registers an account that is not there yet.
fn fresh_account(app: &TestApp) -> Value {
    let name = Uuid::now_v7().to_string();
    let token = format!("token-{name}");
    let handle = app.sim.handle();
    handle.set_token(&token, Some(&name), roadstead_sim::Scopes::Full);
    json!({ "name": name, "type": "digitalocean", "token": token })
}

async fn account(app: &TestApp) -> String {
    let body = fresh_account(app);
    let registered = app
        .post("/api/admin/providers")
        .by(Operator)
        .json(&body)
        .await;
    registered.ok().word("/provider/id")
}

async fn first_account(app: &TestApp) -> String {
    let all = app.get("/api/admin/providers").by(Operator).await.ok();
    all.word("/providers/0/id")
}

async fn plan(app: &TestApp) -> String {
    let body = json!({ "provider_id": account(app).await, "type": "s-1vcpu-1gb" });
    let sold = app.post("/api/admin/plans").by(Operator).json(&body).await;
    sold.ok().word("/plan/id")
}

/// Every route on which the key counts.
fn changing() -> Vec<(String, String)> {
    let all = operations().into_iter();
    all.filter(|(method, path, _)| method != "GET" && !path.starts_with("/api/auth/"))
        .map(|(method, path, _)| (method, path))
        .collect()
}

/// Returns how many things there are, and how many operations on the one that a call is about.
async fn things(app: &TestApp, change: &Change) -> usize {
    let mut lists = vec![
        ("/api/vps?limit=200".to_owned(), Member, "/instances"),
        ("/api/ssh-keys?limit=200".to_owned(), Member, "/ssh_keys"),
        ("/api/admin/providers".to_owned(), Operator, "/providers"),
        ("/api/admin/plans?limit=200".to_owned(), Operator, "/plans"),
    ];
    if let Some(server) = change.path.strip_prefix("/api/vps/") {
        let id = server.split('/').next().unwrap();
        lists.push((format!("/api/vps/{id}/operations"), Member, "/operations"));
    }
    let mut count = 0;
    for (path, person, list) in lists {
        count += app
            .get(&path)
            .by(person)
            .await
            .ok()
            .at(list)
            .as_array()
            .unwrap()
            .len();
    }
    count
}

/// Returns by how many things and operations a call of a route makes more.
fn makes(method: &str, path: &str) -> isize {
    match (method, path) {
        ("POST", "/api/vps" | "/api/ssh-keys" | "/api/admin/providers" | "/api/admin/plans")
        | ("POST", "/api/admin/providers/{id}/import") => 1,
        ("POST", "/api/admin/missing/{id}/decision") => -1,
        // A server stays in the list until it is gone.
        (_, "/api/vps/{id}") if method == "PATCH" => 0,
        (_, path) if path.starts_with("/api/vps/{id}") => 1,
        ("DELETE", _) => -1,
        _ => 0,
    }
}

on_both_databases! {
    prepared(&template(), prepare);

    async fn a_repeat_of_any_change_gets_the_first_answer(database: &Scratch) {
        let app = TestApp::start_on(database, Setup::default()).await;
        app.register().await;
        for (method, path) in changing() {
            let place = format!("{method} {path}");
            let change = change(&app, &method, &path).await;
            let before = things(&app, &change).await;
            let all = join_all((0..100).map(|_| change.make(&app, &method, &place))).await;
            let first = change.make(&app, &method, &place).await.ok();
            for answer in all {
                assert_eq!((answer.status, &answer.text), (200, &first.text), "{place}");
            }
            let after = || async { things(&app, &change).await };
            // One that is let go leaves the list when that is done, which may be by now.
            let is_counted = path != "/api/admin/plans/import" && !path.ends_with("/release");
            if is_counted {
                let made = before.strict_add_signed(makes(&method, &path));
                assert_eq!(after().await, made, "{place}");
            }

            // The same key with another request: one more space is enough.
            let reused = if let Some(body) = &change.body {
                let text = serde_json::to_string_pretty(body).unwrap();
                app.call(method.parse().unwrap(), &change.path).by(change.person)
                    .header("idempotency-key", &place).raw(text).await
            } else {
                let path = format!("{}?again", change.path);
                app.call(method.parse().unwrap(), &path).by(change.person)
                    .header("idempotency-key", &place).await
            };
            reused.refused(422, "CONFLICT");
            if (&*method, &*path) == ("DELETE", "/api/vps/{id}") || path.ends_with("/release") {
                // Else it would leave the list while something else is counted.
                app.finished(&first).await;
            }
        }
    }

    async fn an_answer_survives_a_restart_and_the_end_of_its_thing(database: &Scratch) {
        let key = "over the restart";
        let (server, answered, account, registered) = {
            let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
            app.register().await;
            let server = change(&app, "POST", "/api/vps").await;
            let answered = server.make(&app, "POST", key).await.ok();
            let account = change(&app, "POST", "/api/admin/providers").await;
            let registered = account.make(&app, "POST", key).await.ok();
            let id = registered.word("/provider/id");
            app.delete(&format!("/api/admin/providers/{id}")).by(Operator).await.ok();
            (server, answered, account, registered)
        };
        // Another simulator, at which neither token is known: nobody is asked.
        let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
        assert_eq!(server.make(&app, "POST", key).await.ok().text, answered.text);
        assert_eq!(account.make(&app, "POST", key).await.ok().text, registered.text);
        assert_eq!(app.vendor_calls("GET", "/v2/account"), 0);
        assert_eq!(app.count().await, 1);
    }

    async fn one_key_of_two_organizations_and_an_operator_is_three(database: &Scratch) {
        let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
        app.register().await;
        let mut ids = Vec::new();
        for person in [Member, Stranger] {
            let server = Change { path: "/api/vps".to_owned(), person, body: Some(wanted("web")) };
            ids.push(server.make(&app, "POST", "1").await.ok().word("/instance/id"));
        }
        assert_ne!(ids[0], ids[1]);
        // A member of both speaks for the organization that the request names.
        let server = Change { path: "/api/vps".to_owned(), person: Commuter, body: Some(wanted("web")) };
        assert_eq!(server.make(&app, "POST", "1").await.ok().word("/instance/id"), ids[0]);
        change(&app, "POST", "/api/admin/providers").await.make(&app, "POST", "1").await.ok();
    }

    async fn a_key_with_a_wrong_form_is_refused_on_every_route(database: &Scratch) {
        let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
        app.register().await;
        for (method, path) in changing() {
            let route = path.replace("{id}", &Uuid::now_v7().to_string());
            let person = if path.contains("/admin/") { Operator } else { Member };
            // Bodies are looked at first; this one fits no route and every key's place.
            for key in ["", " ", "\u{e9}", &"k".repeat(256)] {
                let change = change_of(&method, &path, &route, person);
                let answer = change.make(&app, &method, key).await.refused(400, "VALIDATION_ERROR");
                assert_eq!(answer.word("/field"), "Idempotency-Key", "{method} {path} {key:?}");
            }
        }
        assert_eq!(app.count().await, 0);
    }

    async fn a_client_that_goes_away_finds_its_answer(database: &Scratch) {
        let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
        app.register().await;
        for number in 0..10 {
            let key = format!("gone {number}");
            let body = wanted(&format!("web-{number}"));
            let call = app.post("/api/vps").by(Member).header("idempotency-key", &key);
            let patience = std::time::Duration::from_micros(300 * number);
            // Whether it was cut off before or after the commit: the repeat settles it.
            drop(tokio::time::timeout(patience, call.json(&body).into_future()).await);
            let server = Change { path: "/api/vps".to_owned(), person: Member, body: Some(body) };
            let first = server.make(&app, "POST", &key).await.ok();
            assert_eq!(server.make(&app, "POST", &key).await.ok().text, first.text);
        }
        assert_eq!(app.count().await, 10);
    }
}

/// Returns a call with a body that its route takes, on a thing that is not there.
fn change_of(method: &str, path: &str, route: &str, person: Person) -> Change {
    let id = Uuid::now_v7();
    let body = match (method, path) {
        ("POST", "/api/vps") => Some(wanted("web")),
        ("POST", "/api/vps/{id}/resize") => Some(json!({ "type": "s-1vcpu-2gb" })),
        ("POST", "/api/vps/{id}/rebuild") => Some(json!({ "image": "debian-12-x64" })),
        ("POST", "/api/ssh-keys") => Some(json!({ "name": "x", "public_key": public_key(1) })),
        ("POST", "/api/admin/providers") => {
            Some(json!({ "name": "x", "type": "digitalocean", "token": TOKEN_FULL }))
        }
        ("POST", "/api/admin/plans") => Some(json!({ "provider_id": id, "type": "x" })),
        ("POST", "/api/admin/plans/import") => Some(json!({ "provider_id": id })),
        ("PUT", "/api/admin/providers/reorder") => Some(json!({ "order": [] })),
        ("POST", "/api/admin/operations/{id}/decision") => Some(json!({ "decision": "failed" })),
        ("POST", "/api/admin/quarantine/{id}/decision") => Some(json!({ "decision": "release" })),
        ("POST", "/api/admin/missing/{id}/decision") => Some(json!({ "decision": "gone" })),
        ("POST", "/api/admin/providers/{id}/import") => {
            Some(json!({ "remote_id": "1", "organization_id": id, "label": "imported" }))
        }
        ("PATCH" | "PUT", _) => Some(json!({})),
        _ => None,
    };
    Change {
        path: route.to_owned(),
        person,
        body,
    }
}
