//! Calls to a server that runs in another process.

use std::time::Instant;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::program::{PATIENCE, Place, Program, run_with_input, with};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server, and somebody who is logged in there as operator and member.
pub(crate) struct Api {
    client: Client,
    address: String,
    pub(crate) token: String,
}

/// Starts `serve` and waits until it listens; returns its address, too.
pub(crate) fn serve(arguments: &[&str], settings: &[(String, String)]) -> (Program, String) {
    // At `info`, the address is logged.
    let settings = with(settings.to_vec(), "ROADSTEAD_LOG", "info");
    let mut program = Program::start(arguments, &settings);
    let address = program.address("listening at http://");
    (program, address)
}

/// Adds the operator, who belongs to an organization, too.
pub(crate) fn add_operator(settings: &[(String, String)]) {
    let create = ["user", "create", "--email", "op@test.example", "--operator"];
    let organization = ["--organization", "Harbor"];
    run_with_input(
        &[&create[..], &organization[..]].concat(),
        settings,
        PASSWORD,
    )
    .ok();
}

impl Api {
    pub(crate) fn at(address: &str) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            address: address.to_owned(),
            token: String::new(),
        }
    }

    pub(crate) async fn login(address: &str, email: &str, password: &str) -> Self {
        let mut api = Self::at(address);
        let credentials = json!({ "email": email, "password": password });
        let login = api.post("/api/auth/login", credentials).await;
        api.token = word(&login, "/token");
        api
    }

    /// The same login at a server that was started anew.
    pub(crate) fn moved_to(&self, address: &str) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            address: address.to_owned(),
            token: self.token.clone(),
        }
    }

    /// Asks for something that has no end.
    pub(crate) async fn stream(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.address));
        request.bearer_auth(&self.token).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Value {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.address);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// Registers the simulated account of a vendor.
    pub(crate) async fn register(&self, kind: &str) -> String {
        let account = json!({ "name": kind, "type": kind, "token": "sim-token" });
        let registered = self.post("/api/admin/providers", account).await;
        word(&registered, "/provider/id")
    }

    /// Waits until a server has a status.
    pub(crate) async fn until(&self, id: &str, status: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&format!("/api/vps/{id}")).await;
            let now = word(&shown, "/instance/status");
            if now == status {
                return shown;
            }
            assert!(now != "failed" && now != "attention", "{shown}");
            assert!(Instant::now() < deadline, "not `{status}`: {shown}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Waits until an accepted operation has succeeded.
    pub(crate) async fn finished(&self, accepted: &Value) {
        let path = format!(
            "/api/operations/{}?wait=30",
            word(accepted, "/operation/id")
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&path).await;
            match &*word(&shown, "/operation/state") {
                "succeeded" => return,
                "failed" | "attention" => panic!("{shown}"),
                _ => assert!(Instant::now() < deadline, "{shown}"),
            }
        }
    }
}

/// Returns the text at a JSON pointer.
#[track_caller]
pub(crate) fn word(answer: &Value, pointer: &str) -> String {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no text at `{pointer}` in {answer}"))
        .to_owned()
}

/// Returns the settings of a server on SQLite that reaches the vendors at these addresses.
pub(crate) fn settings_for(place: &Place, vendors: &[(String, String)]) -> Vec<(String, String)> {
    let mut settings = place.settings();
    for (name, address) in vendors {
        let setting = format!("ROADSTEAD_{}_ENDPOINT", name.to_uppercase());
        settings = with(settings, &setting, address);
    }
    settings
}
