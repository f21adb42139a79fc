//! `roadstead simulate`, and what a test needs to know about each vendor there.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{PATIENCE, Place, Program, run};

/// The vendors' simulators in a process of their own.
pub(crate) struct Vendors {
    _program: Program,
    /// Name and address.
    pub(crate) addresses: Vec<(String, String)>,
}

impl Vendors {
    pub(crate) fn start(time_scale: &str) -> Self {
        let mut program = Program::start(&["simulate", "--time-scale", time_scale], &[]);
        let ready = program.line("ready");
        let addresses = addresses(&ready);
        Self {
            _program: program,
            addresses,
        }
    }

    pub(crate) fn address(&self, name: &str) -> &str {
        &self.addresses.iter().find(|it| it.0 == name).unwrap().1
    }

    /// Returns every call to a vendor so far.
    pub(crate) async fn journal(&self, name: &str) -> Vec<Value> {
        let journal = self.ask(name, "journal").await;
        journal["journal"].as_array().unwrap().clone()
    }

    /// Returns how many servers a vendor has now.
    pub(crate) async fn servers(&self, name: &str) -> usize {
        let state = self.ask(name, "state").await;
        let accounts = state["accounts"].as_array().unwrap();
        let servers = accounts.iter().flat_map(|account| {
            let list = account.get("droplets").or_else(|| account.get("instances"));
            list.unwrap().as_array().unwrap()
        });
        servers.filter(|it| it["deleted"] != json!(true)).count()
    }

    /// Spoils calls to a vendor from now on.
    pub(crate) async fn spoil(&self, name: &str, fault: Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/_sim/faults", self.address(name));
        let added = client.post(url).json(&fault).send().await.unwrap();
        assert!(added.status().is_success(), "{fault}");
    }

    /// Waits until a call has reached a vendor.
    pub(crate) async fn called(&self, name: &str, method: &str, path: &str) {
        let deadline = Instant::now() + PATIENCE;
        let is_it = |it: &Value| it["method"] == method && it["path"] == path;
        while !self.journal(name).await.iter().any(is_it) {
            assert!(Instant::now() < deadline, "no {method} {path}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ask(&self, name: &str, what: &str) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/_sim/{what}", self.address(name));
        client.get(url).send().await.unwrap().json().await.unwrap()
    }
}

fn addresses(ready: &str) -> Vec<(String, String)> {
    let pairs = ready.strip_prefix("ready ").unwrap().split(' ');
    let pairs = pairs.map(|it| it.split_once('=').unwrap());
    pairs
        .map(|(name, address)| (name.to_owned(), address.to_owned()))
        .collect()
}

/// Returns the request of the specification, for a vendor.
pub(crate) fn wanted(kind: &str, provider: &str, label: &str) -> Value {
    let (plan, region, image) = match kind {
        "digitalocean" => ("s-1vcpu-1gb", "nyc3", "ubuntu-22-04-x64"),
        "linode" => ("g6-nanode-1", "us-east", "linode/ubuntu22.04"),
        other => panic!("no example for `{other}`; add one"),
    };
    json!({
        "provider_id": provider,
        "provider_type": kind,
        "label": label,
        "type": plan,
        "region": region,
        "image": image,
        "rootPassword": "Str0ng-harbor-Passw0rd",
    })
}

#[test]
fn one_line_says_that_all_are_ready_and_where() {
    let mut program = Program::start(&["simulate"], &[]);
    let ready = program.line("ready");
    let found = addresses(&ready);
    assert!(found.iter().any(|it| it.0 == "digitalocean"), "{ready}");
    assert!(
        found.iter().all(|it| it.1.starts_with("http://127.0.0.1:")),
        "{ready}"
    );
    assert_eq!(program.out().lines().count(), 1);
    let ended = program.stop().ok();
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
    assert!(!ended.err.contains("actix"), "{}", ended.err);
}

#[test]
fn only_the_vendor_that_is_asked_for_is_simulated() {
    let arguments = ["simulate", "--digitalocean", "127.0.0.1:0"];
    let mut program = Program::start(&arguments, &[]);
    let found = addresses(&program.line("ready"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "digitalocean");
    program.stop().ok();
}

#[tokio::test]
async fn faults_are_read_from_a_file() {
    let place = Place::new();
    let fault = r#"[
        {"path": "/v2/account", "effect": {"status": 418}},
        {"preset": "503-before", "call": "list"},
        {"preset": "token-revoked"}
    ]"#;
    let faults = place.write("faults.json", fault);
    let arguments = [
        "simulate",
        "--digitalocean",
        "127.0.0.1:0",
        "--faults",
        &faults,
    ];
    let mut program = Program::start(&arguments, &[]);
    let found = addresses(&program.line("ready"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let url = format!("{}{path}", found[0].1);
        let answer = client.get(url).bearer_auth("sim-token").send().await;
        answer.unwrap().status()
    };
    assert_eq!(get("/v2/account").await, 418);
    assert_eq!(get("/v2/account").await, 401);
    assert_eq!(get("/v2/droplets").await, 503);
    assert_eq!(get("/v2/droplets").await, 401);
}

#[test]
fn what_cannot_be_simulated_is_told() {
    let place = Place::new();
    let wrong = |arguments: &[&str]| run(&[&["simulate"], arguments].concat(), &[]).failed(1, &[]);
    for vendor in ["--aws", "--gcp"] {
        let ended = wrong(&[vendor, "127.0.0.1:0"]);
        assert!(ended.message().contains(vendor), "{}", ended.err);
    }
    let ended = wrong(&["--time-scale", "0"]);
    assert!(ended.message().contains("time_scale"), "{}", ended.err);
    for (text, reason) in [
        ("{}", "are no list: write `[{"),
        ("no", "are no JSON"),
        ("[{\"efect\": 1}]", "fault 1 in "),
        ("[{\"effect\": {}}]", "fault 1 of --faults is wrong"),
        ("[{\"preset\": \"odd\"}]", "there is no preset `odd`"),
    ] {
        let file = place.write("faults.json", text);
        let ended = wrong(&["--digitalocean", "127.0.0.1:0", "--faults", &file]);
        assert!(ended.message().contains(reason), "{text}: {}", ended.err);
    }
    let absent = place.path("absent.json").display().to_string();
    let ended = wrong(&["--faults", &absent]);
    assert!(ended.message().contains("absent.json"), "{}", ended.err);
}
