//! The log where no terminal is: flat JSON, the same names everywhere, and the id of a request
//! as far as the call to a vendor.

use std::collections::BTreeSet;
use std::time::Instant;

use reqwest::{Client, Method};
use serde_json::Value;

use crate::api::{Api, PASSWORD, add_operator, settings_for, word};
use crate::program::{PATIENCE, Place, Program, with};
use crate::simulators::{Vendors, wanted};

/// Reads every line of a log; one that is no flat object fails.
fn lines(log: &str) -> Vec<Value> {
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let object = value
            .as_object()
            .unwrap_or_else(|| panic!("no object: {line}"));
        let is_flat = object.values().all(|it| !it.is_object() && !it.is_array());
        assert!(is_flat, "not flat: {line}");
        value
    };
    log.lines().map(read).collect()
}

/// The names of the fields, as the documentation has them.
fn documented() -> BTreeSet<String> {
    let docs = include_str!("../../../../docs/logs.md");
    let rows = docs
        .lines()
        .filter_map(|it| it.strip_prefix("| `")?.split(" | ").next());
    let names = rows.flat_map(|it| it.split(", "));
    names.map(|it| it.trim_matches('`').to_owned()).collect()
}

struct Caller {
    address: String,
    token: String,
}

impl Caller {
    /// Asks under an id of its own, and returns the answer with the id.
    async fn ask(&self, method: Method, path: &str, body: Value) -> (Value, String) {
        let id = uuid::Uuid::now_v7().to_string();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .request(method, format!("{}{path}", self.address))
            .bearer_auth(&self.token)
            .header("x-request-id", &id);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        (answer.json().await.unwrap(), id)
    }
}

#[tokio::test]
async fn the_id_of_a_request_stands_in_every_line_up_to_the_call_to_the_vendor() {
    let vendors = Vendors::start("50");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    let settings = with(settings, "ROADSTEAD_LOG", "roadstead=debug,warn");
    add_operator(&settings);
    let mut program = Program::start(&["serve"], &settings);
    let address = program.address("listening at http://");
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let caller = Caller {
        address,
        token: api.token.clone(),
    };
    let mut expected = Vec::new();
    for (kind, _) in &vendors.addresses {
        let provider = api.register(kind).await;
        let (created, id) = caller
            .ask(Method::POST, "/api/vps", wanted(kind, &provider, "web"))
            .await;
        let server = word(&created, "/instance/id");
        api.until(&server, "running").await;
        expected.push((kind.clone(), provider.clone(), "POST", created.clone(), id));
        let (deleting, id) = caller
            .ask(Method::DELETE, &format!("/api/vps/{server}"), Value::Null)
            .await;
        api.finished(&deleting).await;
        expected.push((kind.clone(), provider, "DELETE", deleting, id));
    }
    // One that fails, with the vendor's words in it.
    let fault = serde_json::json!({ "path": "/v2/account", "count": 9,
        "effect": { "status": 503, "body": "line one\nline two", "headers": { "x-request-id": "v-7" } } });
    vendors.spoil("digitalocean", fault).await;
    let path = format!("/api/admin/providers/{}/validate", expected[0].1);
    caller.ask(Method::POST, &path, Value::Null).await;
    let ended = program.stop().ok();
    let lines = lines(&ended.err);

    for (kind, provider, method, accepted, id) in expected {
        let operation = word(&accepted, "/operation/id");
        let of_request: Vec<_> = lines.iter().filter(|it| it["request.id"] == *id).collect();
        let said = |text: &str| {
            let mut found = of_request
                .iter()
                .filter(|it| it["message"].as_str().is_some_and(|it| it.contains(text)));
            found
                .next()
                .unwrap_or_else(|| panic!("no `{text}` in {of_request:#?}"))
        };
        assert!(said("answered 200")["elapsed_ms"].is_number());
        assert_eq!(said("accepted operation")["operation.id"], *operation);
        assert_eq!(said("is succeeded")["operation.id"], *operation);
        let call = of_request
            .iter()
            .find(|it| it["message"] == "called the provider" && it["http.method"] == *method);
        let call = call.unwrap_or_else(|| panic!("no {method} in {of_request:#?}"));
        for (field, value) in [
            ("operation.id", operation.as_str()),
            ("instance.id", &word(&accepted, "/instance/id")),
            ("provider.id", &provider),
            ("provider.kind", &kind),
        ] {
            assert_eq!(call[field], *value, "{field} of {call}");
        }
        assert!(
            call["vendor.status"].as_u64().is_some_and(|it| it < 300),
            "{call}"
        );
        assert!(
            call["http.route"].as_str().unwrap().starts_with("/v"),
            "{call}"
        );
    }
    let failed = lines.iter().find(|it| it["vendor.status"] == 503).unwrap();
    assert_eq!(failed["vendor.request_id"], "v-7", "{failed}");

    let documented = documented();
    let mut seen = BTreeSet::new();
    for line in &lines {
        for field in line.as_object().unwrap().keys() {
            assert!(documented.contains(field), "`{field}` is unknown: {line}");
            seen.insert(field.clone());
        }
    }
    for field in [
        "request.id",
        "operation.state",
        "http.status",
        "provider.call",
        "vendor.request_id",
    ] {
        assert!(seen.contains(field), "no line has `{field}`");
    }
}

#[tokio::test]
async fn an_operation_is_logged_under_its_request_also_by_another_process() {
    let vendors = Vendors::start("50");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    let settings = with(settings, "ROADSTEAD_LOG", "info");
    add_operator(&settings);
    // It accepts, and has nobody to do the work.
    let idle = with(settings.clone(), "ROADSTEAD_WORKERS", "0");
    let mut program = Program::start(&["serve"], &idle);
    let address = program.address("listening at http://");
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let provider = api.register("digitalocean").await;
    let caller = Caller {
        address,
        token: api.token.clone(),
    };
    let (_, id) = caller
        .ask(
            Method::POST,
            "/api/vps",
            wanted("digitalocean", &provider, "web"),
        )
        .await;
    program.stop().ok();

    let program = Program::start(&["serve"], &settings);
    let deadline = Instant::now() + PATIENCE;
    let is_it = |it: &Value| it["request.id"] == *id && it["operation.state"] == "succeeded";
    while !lines(&program.err()).iter().any(is_it) {
        assert!(Instant::now() < deadline, "{}", program.err());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    program.stop().ok();
}
