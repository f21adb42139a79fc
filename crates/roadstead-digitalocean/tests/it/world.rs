//! A simulator with a provider that points at it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use roadstead_core::{
    CreateInstance, CreateKey, Instance, OperationStatus, Provider, RemoteId, RemoteOperation,
};
use roadstead_digitalocean::{DigitalOcean, DigitalOceanBuilder};
use roadstead_http::Budgets;
use roadstead_sim::{DigitalOceanSim, Running, SimulatorConfig, TOKEN_FULL};
use serde_json::Value;
use uuid::Uuid;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulator with a provider that points at it.
pub(crate) struct World {
    pub(crate) sim: Running,
    pub(crate) provider: Arc<DigitalOcean>,
}

impl World {
    pub(crate) fn start() -> Self {
        let config = SimulatorConfig {
            time_scale: 1000.0,
            enforce_limits: false,
            ..Default::default()
        };
        Self::start_with(config)
    }

    pub(crate) fn start_with(config: SimulatorConfig) -> Self {
        let address = ([127, 0, 0, 1], 0).into();
        let is_limited = config.enforce_limits;
        let sim = DigitalOceanSim::start(address, config).expect("a simulator");
        let provider = if is_limited {
            provider_with(&sim, TOKEN_FULL, &Budgets::default())
        } else {
            provider(&sim, TOKEN_FULL)
        };
        Self {
            sim,
            provider: Arc::new(provider),
        }
    }

    /// Spoils the next calls.
    pub(crate) fn fault(&self, fault: Value) {
        let fault = serde_json::from_value(fault).expect("a fault");
        self.sim
            .handle()
            .add_fault(fault)
            .expect("a fault that does something");
    }

    /// Returns the living droplets of the account, as the simulator knows them.
    pub(crate) fn droplets(&self) -> Vec<Value> {
        let state = self.sim.handle().state();
        let accounts = state["accounts"].as_array().expect("accounts");
        let main = accounts
            .iter()
            .find(|it| it["account"] == "main")
            .expect("the main account");
        let droplets = main["droplets"].as_array().expect("droplets");
        droplets
            .iter()
            .filter(|it| it["deleted"] == false)
            .cloned()
            .collect()
    }

    /// Returns how many calls were made by a method to a path.
    pub(crate) fn calls(&self, method: &str, path: &str) -> usize {
        let journal = self.sim.handle().journal();
        journal
            .iter()
            .filter(|it| it.method == method && it.path == path)
            .count()
    }

    /// Creates a server and waits until the vendor has made it.
    pub(crate) async fn running(&self, request: &CreateInstance) -> Instance {
        let created = self
            .provider
            .create_instance(request)
            .await
            .expect("a server");
        self.finish(created.operation.expect("its job")).await;
        self.provider
            .get_instance(&created.instance.id)
            .await
            .expect("the server")
    }

    /// Polls a job until it has ended well.
    pub(crate) async fn finish(&self, job: RemoteOperation) -> RemoteOperation {
        let ended = self.end(job).await;
        assert_eq!(ended.status, OperationStatus::Succeeded);
        ended
    }

    /// Polls a job until it has ended.
    pub(crate) async fn end(&self, mut job: RemoteOperation) -> RemoteOperation {
        let deadline = Instant::now() + PATIENCE;
        while let OperationStatus::Running { .. } = job.status {
            assert!(Instant::now() < deadline, "{job:?}");
            job = self.provider.get_operation(&job.id).await.expect("the job");
        }
        job
    }
}

/// Makes a provider with short times, for a simulator without limits.
pub(crate) fn provider(sim: &Running, token: &str) -> DigitalOcean {
    // No answer states it, so that the simulator cannot lift it.
    let builder = builder(sim, token).with_burst_limit(1_000_000);
    builder.build().expect("a provider")
}

/// Makes a provider with short times that shares these budgets.
pub(crate) fn provider_with(sim: &Running, token: &str, budgets: &Budgets) -> DigitalOcean {
    let builder = builder(sim, token).with_budgets(budgets);
    builder.build().expect("a provider")
}

fn builder(sim: &Running, token: &str) -> DigitalOceanBuilder {
    DigitalOceanBuilder::new(token)
        .with_endpoint(sim.endpoint())
        .with_attempt_timeout(Duration::from_secs(2))
        .with_deadline(Duration::from_secs(10))
}

/// Asks for a small server.
pub(crate) fn small(label: &str) -> CreateInstance {
    CreateInstance {
        key: CreateKey::new("d1", Uuid::now_v7(), label),
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

/// Asks for a server with a graphics processor.
pub(crate) fn gpu(label: &str) -> CreateInstance {
    CreateInstance {
        plan: "gpu-h100x1-80gb".into(),
        region: "nyc2".into(),
        image: "gpu-h100x1-base".into(),
        ..small(label)
    }
}

/// Returns the ids in order.
pub(crate) fn ids(instances: &[Instance]) -> Vec<RemoteId> {
    let mut ids: Vec<_> = instances.iter().map(|it| it.id.clone()).collect();
    ids.sort();
    ids
}
