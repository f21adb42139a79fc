//! Every line of the fault matrix, for every vendor and kind of call, by its name.

mod answers;
mod connections;
mod lists;
mod tokens;

use std::time::{Duration, Instant};

use reqwest::Method;
use roadstead_sim::{
    DigitalOceanSim, JournalEntry, LinodeSim, SimulatorConfig, TOKEN_FULL, Touch, presets,
};
use serde_json::{Value, json};

use crate::sim::{Got, Sim};

/// A kind of call that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Delete,
    Resize,
}

const KINDS: [Kind; 3] = [Kind::Create, Kind::Delete, Kind::Resize];

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Resize => "resize",
        }
    }

    fn touch(self) -> Touch {
        match self {
            Self::Create => Touch::Created,
            Self::Delete => Touch::Deleted,
            Self::Resize => Touch::Changed,
        }
    }
}

/// A vendor with a server on which each kind of call can be made.
struct Stand {
    vendor: &'static str,
    sim: Sim,
    server: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    DigitalOcean,
    Linode,
}

const VENDORS: [Vendor; 2] = [Vendor::DigitalOcean, Vendor::Linode];

impl Stand {
    async fn new(vendor: Vendor) -> Self {
        let config = SimulatorConfig {
            enforce_limits: false,
            ..SimulatorConfig::default()
        };
        let at = ([127, 0, 0, 1], 0).into();
        let mut stand = match vendor {
            Vendor::DigitalOcean => Self {
                vendor: "digitalocean",
                sim: Sim::around(DigitalOceanSim::start(at, config).unwrap()),
                server: 0,
            },
            Vendor::Linode => Self {
                vendor: "linode",
                sim: Sim::around(LinodeSim::start(at, config).unwrap()),
                server: 0,
            },
        };
        let made = stand.call(Kind::Create).await.unwrap().body;
        let id = made.pointer("/droplet/id").or(made.get("id"));
        stand.server = id.unwrap().as_u64().unwrap();
        stand.sim.handle().advance(Duration::from_secs(120));
        if vendor == Vendor::DigitalOcean {
            stand
                .sim
                .act(stand.server, &json!({ "type": "power_off" }))
                .await;
            stand.sim.handle().advance(Duration::from_secs(60));
        }
        stand.sim.handle().clear_journal();
        stand
    }

    fn is_linode(&self) -> bool {
        self.vendor == "linode"
    }

    fn servers(&self) -> &'static str {
        if self.is_linode() {
            "/v4/linode/instances"
        } else {
            "/v2/droplets"
        }
    }

    fn account(&self) -> &'static str {
        if self.is_linode() {
            "/v4/account"
        } else {
            "/v2/account"
        }
    }

    async fn call(&self, kind: Kind) -> Result<Got, reqwest::Error> {
        self.call_named(kind, "web-1").await
    }

    async fn call_named(&self, kind: Kind, name: &str) -> Result<Got, reqwest::Error> {
        let one = format!("{}/{}", self.servers(), self.server);
        let tags = json!(["rs:d:here", "rs:i:this"]);
        // Beside the server that is there already.
        let name = if self.server == 0 { "first" } else { name };
        let (method, path, body) = match (kind, self.is_linode()) {
            (Kind::Create, false) => {
                let body = json!({ "name": name, "region": "nyc3", "size": "s-1vcpu-1gb",
                    "image": "ubuntu-24-04-x64", "tags": tags });
                (Method::POST, self.servers().to_owned(), Some(body))
            }
            (Kind::Create, true) => {
                let body = json!({ "label": name, "region": "us-east", "type": "g6-nanode-1",
                    "image": "linode/debian12", "root_pass": "correct-Horse-7-battery",
                    "tags": tags });
                (Method::POST, self.servers().to_owned(), Some(body))
            }
            (Kind::Delete, _) => (Method::DELETE, one, None),
            (Kind::Resize, false) => {
                let body = json!({ "type": "resize", "size": "s-2vcpu-2gb", "disk": false });
                (Method::POST, format!("{one}/actions"), Some(body))
            }
            (Kind::Resize, true) => {
                let body = json!({ "type": "g6-standard-1", "allow_auto_disk_resize": false });
                (Method::POST, format!("{one}/resize"), Some(body))
            }
        };
        self.sim
            .call(method, &path, TOKEN_FULL, body.as_ref())
            .await
    }

    /// Scripts a fault by its name, with other members.
    async fn spoil(&self, preset: &str, kind: Kind, members: Value) {
        let mut script = members;
        script["preset"] = json!(preset);
        script["call"] = json!(kind.word());
        self.script(&script).await;
    }

    async fn script(&self, script: &Value) {
        let got = self.sim.post("/_sim/faults", script).await;
        assert_eq!(got.status, 201, "{script}: {}", got.body);
    }

    /// Returns what the journal says of the changing calls, oldest first.
    fn changes(&self) -> Vec<JournalEntry> {
        let mut journal = self.sim.handle().journal();
        journal.retain(|it| it.method != "GET");
        journal
    }

    /// Asserts how often the one changing call since has had its effect, by the journal.
    fn assert_executed(&self, kind: Kind, times: usize, what: &str) {
        let changes = self.changes();
        assert_eq!(changes.len(), 1, "{what}");
        let entry = &changes[0];
        assert_eq!(entry.objects.len(), times, "{what}: {entry:?}");
        assert_eq!(entry.committed, times > 0, "{what}");
        assert_eq!(entry.committed_at.is_some(), times > 0, "{what}");
        assert!(entry.fault.is_some(), "{what}");
        for object in &entry.objects {
            assert_eq!(object.what, kind.touch(), "{what}");
            assert!(!object.name.is_empty() && object.tags.len() == 2, "{what}");
        }
        self.sim.handle().clear_journal();
        // What was begun is over before the next call.
        self.sim.handle().advance(Duration::from_secs(120));
    }

    async fn eventually(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds().await {
            assert!(Instant::now() < deadline, "never: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the ids in a list of servers.
    async fn listed(&self, query: &str) -> Vec<u64> {
        let got = self
            .sim
            .get(&format!("{}{query}", self.servers()))
            .await
            .body;
        let items = got.get("droplets").or(got.get("data")).unwrap();
        let ids = items.as_array().unwrap().iter();
        ids.map(|it| it["id"].as_u64().unwrap()).collect()
    }
}

#[tokio::test]
async fn every_preset_is_listed_and_can_be_asked_for_at_every_vendor_and_call() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let listed = stand.sim.get("/_sim/faults/catalogue").await.body;
        let listed = listed["presets"].as_array().unwrap().clone();
        assert_eq!(listed.len(), presets().len());
        for preset in listed {
            let name = preset["name"].as_str().unwrap();
            let calls = preset["calls"].as_array().unwrap().clone();
            if calls.is_empty() {
                let got = stand
                    .sim
                    .post("/_sim/faults", &json!({ "preset": name }))
                    .await;
                assert_eq!(got.status, 400, "{name}");
                assert!(
                    got.body["error"].as_str().unwrap().contains("endpoint"),
                    "{name}"
                );
            }
            if name == "refused" {
                continue;
            }
            for call in calls {
                let script = json!({ "preset": name, "call": call });
                let got = stand.sim.post("/_sim/faults", &script).await;
                // Where the vendor's answer never names anything, no name can be missing.
                let nothing = name == "missing-id" && call != "create";
                assert!(
                    got.status == 201 || (nothing && got.status == 400),
                    "{script}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_preset_that_is_unknown_or_makes_no_sense_is_refused_and_says_why() {
    let stand = Stand::new(Vendor::Linode).await;
    for (script, word) in [
        (json!({ "preset": "nonsense" }), "catalogue"),
        (
            json!({ "preset": "reset-after", "call": "account" }),
            "kind of call",
        ),
        (
            json!({ "preset": "reset-after", "calls": "create" }),
            "calls",
        ),
        (
            json!({ "preset": "stale-list", "server": "7" }),
            "no one server",
        ),
        (
            json!({ "effect": { "json_set": { "id": 1 } } }),
            "JSON pointer",
        ),
        (json!({ "effect": {} }), "does nothing"),
        (
            json!([{ "preset": "reset-after" }, { "preset": "nonsense" }]),
            "catalogue",
        ),
    ] {
        let got = stand.sim.post("/_sim/faults", &script).await;
        assert_eq!(got.status, 400, "{script}");
        assert!(
            got.body["error"].as_str().unwrap().contains(word),
            "{}",
            got.body
        );
    }
    assert!(stand.sim.handle().faults().is_empty());
}

#[tokio::test]
async fn a_preset_can_be_aimed_at_one_server() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let id = stand.server.to_string();
        stand
            .spoil("500-before", Kind::Create, json!({ "server": "web-2" }))
            .await;
        stand
            .spoil("500-before", Kind::Delete, json!({ "server": "1" }))
            .await;
        stand
            .spoil("503-before", Kind::Delete, json!({ "server": id }))
            .await;
        assert!(stand.call(Kind::Create).await.unwrap().status < 300);
        let got = stand.call_named(Kind::Create, "web-2").await.unwrap();
        assert_eq!(got.status, 500);
        assert_eq!(stand.call(Kind::Delete).await.unwrap().status, 503);
    }
}

#[test]
fn the_page_about_the_simulator_lists_every_preset() {
    let page = include_str!("../../../../docs/simulator.md");
    for preset in presets() {
        let row = format!("| `{}` | {} |\n", preset.name, preset.about);
        assert!(page.contains(&row), "docs/simulator.md lacks {row}");
    }
    assert_eq!(page.matches("\n| `").count(), presets().len());
}
