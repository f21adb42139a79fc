//! The suite that every provider passes, run against the simulator.

use std::sync::Arc;
use std::time::Duration;

use roadstead_conformance::{
    CallClass, Fault, Harness, KnownPlan, Route, SimControl, conformance_suite,
};
use roadstead_core::{CreateInstance, CreateKey, Provider, RemoteId};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_sim::{DigitalOceanSim, Running, SimulatorConfig, TOKEN_FULL};
use serde_json::{Value, json};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longer than an attempt may take.
const SILENCE: Duration = Duration::from_secs(3);

struct DigitalOceanHarness {
    sim: Running,
    control: SimControl,
}

impl DigitalOceanHarness {
    async fn start() -> Self {
        let config = SimulatorConfig {
            enforce_limits: false,
            ..SimulatorConfig::default()
        };
        let sim = DigitalOceanSim::start(([127, 0, 0, 1], 0).into(), config).unwrap();
        let control = SimControl::new(sim.endpoint(), route, refusal, SILENCE);
        Self { sim, control }
    }
}

impl DigitalOceanHarness {
    /// Returns the living droplets that carry a mark.
    async fn droplets(&self, key: &CreateKey) -> Vec<Value> {
        let state = self.control.state().await;
        let accounts = state["accounts"].as_array().unwrap();
        let droplets = accounts
            .iter()
            .flat_map(|it| it["droplets"].as_array().unwrap());
        let tag = key.instance_tag();
        droplets
            .filter(|it| it["deleted"] == false)
            .filter(|it| {
                let tagged = it["tags"].as_array().unwrap().iter().any(|it| *it == *tag);
                tagged || it["name"] == *key.name
            })
            .cloned()
            .collect()
    }

    /// Returns the id of what the account has under a name.
    async fn id_of(&self, list: &str, name: &str) -> Value {
        let path = format!("/v2/{list}?per_page=200");
        let listed = self.control.vendor_json(&path, TOKEN_FULL).await;
        let all = listed[list].as_array().unwrap();
        all.iter().find(|it| it["name"] == name).unwrap()["id"].clone()
    }
}

fn connect(endpoint: String) -> Arc<dyn Provider> {
    let provider = DigitalOceanBuilder::new(TOKEN_FULL)
        .with_endpoint(endpoint)
        .with_attempt_timeout(ATTEMPT_TIMEOUT)
        .with_deadline(Duration::from_secs(10))
        .build();
    Arc::new(provider.unwrap())
}

fn route(class: CallClass) -> Route {
    let (method, path) = match class {
        CallClass::Any => (None, None),
        CallClass::Read => (Some("GET"), None),
        CallClass::Create => (Some("POST"), Some("/v2/droplets")),
        CallClass::Delete => (Some("DELETE"), Some("/v2/droplets/{id}")),
        CallClass::Action => (Some("POST"), Some("/v2/droplets/{id}/actions")),
        CallClass::Mark => (Some("POST"), Some("/v2/tags/{tag}/resources")),
    };
    Route { method, path }
}

/// The error body of the vendor's published description.
fn refusal(status: u16) -> Value {
    let id = match status {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        422 => "unprocessable_entity",
        429 => "too_many_requests",
        503 => "service_unavailable",
        _ => "server_error",
    };
    json!({ "id": id, "message": "it went wrong", "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9" })
}

impl Harness for DigitalOceanHarness {
    fn provider(&self) -> Arc<dyn Provider> {
        connect(self.sim.endpoint())
    }

    fn unreachable(&self) -> Arc<dyn Provider> {
        connect("http://127.0.0.1:1".to_owned())
    }

    fn request(&self, key: CreateKey) -> CreateInstance {
        CreateInstance {
            key,
            plan: "s-1vcpu-1gb".into(),
            region: "fra1".into(),
            image: "ubuntu-24-04-x64".into(),
            ssh_keys: Vec::new(),
            root_password: None,
            user_data: None,
            tags: vec!["web".into()],
            backups: false,
            ipv6: true,
            private_network: true,
            market: None,
            options: None,
        }
    }

    async fn rich_request(&self, key: CreateKey) -> CreateInstance {
        CreateInstance {
            backups: true,
            region: "nyc3".into(),
            options: Some(json!({
                "monitoring": true,
                "vpc_uuid": self.id_of("vpcs", "harbor-apps").await,
                "firewall_id": self.id_of("firewalls", "web-only").await,
                "with_droplet_agent": false,
                "backup_policy": { "plan": "weekly", "weekday": "FRI", "hour": 8 },
            })),
            ..self.request(key)
        }
    }

    async fn options_at_vendor(&self, key: &CreateKey) -> Value {
        let droplet = self.droplets(key).await.swap_remove(0);
        let path = format!("/v2/droplets/{}/firewalls", droplet["id"]);
        let firewalls = self.control.vendor_json(&path, TOKEN_FULL).await;
        let features = droplet["features"].as_array().unwrap();
        let policy = &droplet["backup_policy"];
        json!({
            "monitoring": features.contains(&json!("monitoring")),
            "vpc_uuid": droplet["vpc_uuid"],
            "firewall_id": firewalls["firewalls"][0]["id"],
            "with_droplet_agent": droplet["with_droplet_agent"],
            "backup_policy": {
                "plan": policy["plan"], "weekday": policy["weekday"], "hour": policy["hour"],
            },
        })
    }

    fn gpu_request(&self, key: CreateKey) -> Option<CreateInstance> {
        Some(CreateInstance {
            plan: "gpu-h100x1-80gb".into(),
            region: "nyc2".into(),
            image: "gpu-h100x1-base".into(),
            ..self.request(key)
        })
    }

    fn known_plan(&self) -> KnownPlan {
        KnownPlan {
            id: "s-1vcpu-1gb".into(),
            vcpus: 1,
            memory_mib: 1024,
            disk_mib: Some(25 * 1024),
            transfer_gb: Some(1000),
            hourly: Some("0.00893"),
            monthly: Some("6"),
        }
    }

    fn absent_instance(&self) -> RemoteId {
        RemoteId::from("999999999")
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN_FULL.to_owned()]
    }

    async fn break_next(&self, class: CallClass, count: u32, fault: Fault) {
        self.control.break_next(class, count, &fault).await;
    }

    async fn mend(&self) {
        self.control.mend().await;
    }

    async fn revoke_token(&self) {
        self.control.revoke(TOKEN_FULL).await;
    }

    async fn show_status(&self, id: &RemoteId, word: &str) {
        let path = format!("/v2/droplets/{id}");
        let mut body = self.control.vendor_json(&path, TOKEN_FULL).await;
        body["droplet"]["status"] = json!(word);
        self.control.answer_reads(&path, &body).await;
    }

    async fn pass_time(&self, by: Duration) {
        self.control.pass_time(by).await;
    }

    async fn servers_at_vendor(&self, key: &CreateKey) -> usize {
        self.droplets(key).await.len()
    }

    async fn calls_seen(&self, class: CallClass) -> usize {
        self.control.calls_seen(class).await
    }
}

conformance_suite!(DigitalOceanHarness::start());
