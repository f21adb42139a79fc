//! The suite that every provider passes, run against the simulator.

use std::sync::Arc;
use std::time::Duration;

use roadstead_conformance::{
    CallClass, Fault, Harness, KnownPlan, Route, SimControl, conformance_suite,
};
use roadstead_core::{CreateInstance, CreateKey, Provider, RemoteId, Secret};
use roadstead_linode::LinodeBuilder;
use roadstead_sim::{LinodeSim, Running, SimulatorConfig, TOKEN_FULL};
use serde_json::{Value, json};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longer than an attempt may take.
const SILENCE: Duration = Duration::from_secs(3);

struct LinodeHarness {
    sim: Running,
    control: SimControl,
}

impl LinodeHarness {
    async fn start() -> Self {
        let config = SimulatorConfig {
            enforce_limits: false,
            ..SimulatorConfig::default()
        };
        let sim = LinodeSim::start(([127, 0, 0, 1], 0).into(), config).unwrap();
        let control = SimControl::new(sim.endpoint(), route, refusal, SILENCE);
        Self { sim, control }
    }
}

impl LinodeHarness {
    /// Returns the living Linodes that carry a mark.
    async fn linodes(&self, key: &CreateKey) -> Vec<Value> {
        let state = self.control.state().await;
        let accounts = state["accounts"].as_array().unwrap();
        let linodes = accounts
            .iter()
            .flat_map(|it| it["instances"].as_array().unwrap());
        let tag = key.instance_tag();
        linodes
            .filter(|it| it["deleted"] == false)
            .filter(|it| {
                let tagged = it["tags"].as_array().unwrap().iter().any(|it| *it == *tag);
                tagged || it["name"] == *key.name
            })
            .cloned()
            .collect()
    }

    async fn linode(&self, key: &CreateKey) -> Value {
        self.linodes(key).await.swap_remove(0)
    }
}

fn connect(endpoint: String) -> Arc<dyn Provider> {
    let provider = LinodeBuilder::new(TOKEN_FULL)
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
        CallClass::Create => (Some("POST"), Some("/v4/linode/instances")),
        CallClass::Delete => (Some("DELETE"), Some("/v4/linode/instances/{id}")),
        CallClass::Action => (Some("POST"), Some("/v4/linode/instances/{id}/*")),
        CallClass::Mark => (Some("PUT"), Some("/v4/linode/instances/{id}")),
    };
    Route { method, path }
}

/// The error body of the vendor's published description.
fn refusal(status: u16) -> Value {
    let reason = match status {
        401 => "Invalid Token",
        403 => "Your OAuth token is not authorized to use this endpoint.",
        404 => "Not found",
        408 => "Please try again",
        429 => "Too many requests",
        _ => "Internal Server Error",
    };
    json!({ "errors": [{ "reason": reason }] })
}

impl Harness for LinodeHarness {
    fn provider(&self) -> Arc<dyn Provider> {
        connect(self.sim.endpoint())
    }

    fn unreachable(&self) -> Arc<dyn Provider> {
        connect("http://127.0.0.1:1".to_owned())
    }

    fn request(&self, key: CreateKey) -> CreateInstance {
        CreateInstance {
            key,
            plan: "g6-nanode-1".into(),
            region: "us-iad".into(),
            image: "linode/ubuntu24.04".into(),
            ssh_keys: Vec::new(),
            root_password: Some(Secret::from("Str0ng-harbor-Passw0rd")),
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
            user_data: Some(Secret::from("#cloud-config\n")),
            options: Some(json!({
                "stackscript_id": 401_697,
                "stackscript_data": {
                    "soa_email_address": "a@b.example", "webserver_stack": "NGINX",
                },
                "firewall_id": 45_001,
                "vpc_subnet_id": 6_203,
                "placement_group_id": 528_001,
                "backup_schedule": { "day": "Friday", "hour": 10 },
                "swap_size": 1024,
                "disk_encryption": "disabled",
                "authorized_users": ["sim-main"],
            })),
            ..self.request(key)
        }
    }

    async fn options_at_vendor(&self, key: &CreateKey) -> Value {
        let linode = self.linode(key).await;
        let schedule = &linode["backup_schedule"];
        let window = schedule["window"].as_str().unwrap().trim_start_matches('W');
        json!({
            "stackscript_id": linode["stackscript_id"],
            "stackscript_data": linode["stackscript_data"],
            "firewall_id": linode["firewall_id"],
            "vpc_subnet_id": linode["interfaces"][1]["subnet_id"],
            "placement_group_id": linode["placement_group"]["id"],
            "backup_schedule": {
                "day": schedule["day"], "hour": window.parse::<u8>().unwrap(),
            },
            "swap_size": linode["swap_size"],
            "disk_encryption": linode["disk_encryption"],
            "authorized_users": linode["authorized_users"],
        })
    }

    fn gpu_request(&self, key: CreateKey) -> Option<CreateInstance> {
        Some(CreateInstance {
            plan: "g1-gpu-rtx6000-1".into(),
            region: "us-east".into(),
            ..self.request(key)
        })
    }

    fn known_plan(&self) -> KnownPlan {
        KnownPlan {
            id: "g6-nanode-1".into(),
            vcpus: 1,
            memory_mib: 1024,
            disk_mib: Some(25 * 1024),
            transfer_gb: Some(1000),
            hourly: Some("0.0075"),
            monthly: Some("5"),
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
        let path = format!("/v4/linode/instances/{id}");
        let mut body = self.control.vendor_json(&path, TOKEN_FULL).await;
        body["status"] = json!(word);
        self.control.answer_reads(&path, &body).await;
    }

    async fn pass_time(&self, by: Duration) {
        self.control.pass_time(by).await;
    }

    async fn servers_at_vendor(&self, key: &CreateKey) -> usize {
        self.linodes(key).await.len()
    }

    async fn calls_seen(&self, class: CallClass) -> usize {
        self.control.calls_seen(class).await
    }
}

conformance_suite!(LinodeHarness::start());
