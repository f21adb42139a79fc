//! A simulator with a provider that points at it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use roadstead_core::{
    CreateInstance, CreateKey, Instance, OperationStatus, Provider, RemoteId, RemoteOperation,
    Secret, State,
};
use roadstead_http::Budgets;
use roadstead_linode::{Linode, LinodeBuilder};
use roadstead_sim::{LinodeSim, Running, SimulatorConfig, TOKEN_FULL};
use serde_json::Value;
use uuid::Uuid;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulator with a provider that points at it.
pub(crate) struct World {
    pub(crate) sim: Running,
    pub(crate) provider: Arc<Linode>,
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
        let sim = LinodeSim::start(address, config).expect("a simulator");
        let provider = Arc::new(provider(&sim, TOKEN_FULL));
        Self { sim, provider }
    }

    /// Spoils the next calls.
    pub(crate) fn fault(&self, fault: Value) {
        let fault = serde_json::from_value(fault).expect("a fault");
        self.sim
            .handle()
            .add_fault(fault)
            .expect("a fault that does something");
    }

    /// Returns the living Linodes of the account, as the simulator knows them.
    pub(crate) fn linodes(&self) -> Vec<Value> {
        let state = self.sim.handle().state();
        let accounts = state["accounts"].as_array().expect("accounts");
        let main = accounts
            .iter()
            .find(|it| it["account"] == "main")
            .expect("the main account");
        let linodes = main["instances"].as_array().expect("instances");
        linodes
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

    /// Creates a server and waits until it runs.
    pub(crate) async fn running(&self, request: &CreateInstance) -> Instance {
        let created = self
            .provider
            .create_instance(request)
            .await
            .expect("a server");
        self.finish(created.operation.expect("its job")).await;
        self.until(&created.instance.id, State::Running).await
    }

    /// Waits until a server is in a state, and not at work.
    pub(crate) async fn until(&self, id: &RemoteId, state: State) -> Instance {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let instance = self.provider.get_instance(id).await.expect("the server");
            if instance.status.state == state && !instance.status.busy {
                return instance;
            }
            assert!(Instant::now() < deadline, "{instance:?}");
        }
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

/// Makes a provider with short times.
pub(crate) fn provider(sim: &Running, token: &str) -> Linode {
    provider_with(sim, token, &Budgets::default())
}

/// Makes a provider with short times that shares these budgets.
pub(crate) fn provider_with(sim: &Running, token: &str, budgets: &Budgets) -> Linode {
    LinodeBuilder::new(token)
        .with_budgets(budgets)
        .with_endpoint(sim.endpoint())
        .with_attempt_timeout(Duration::from_secs(2))
        .with_deadline(Duration::from_secs(10))
        .build()
        .expect("a provider")
}

/// Asks for a small server.
pub(crate) fn small(label: &str) -> CreateInstance {
    CreateInstance {
        key: CreateKey::new("d1", Uuid::now_v7(), label),
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

/// Asks for a server with a graphics processor.
pub(crate) fn gpu(label: &str) -> CreateInstance {
    CreateInstance {
        plan: "g1-gpu-rtx6000-1".into(),
        region: "us-east".into(),
        ..small(label)
    }
}

/// Returns the ids in order.
pub(crate) fn ids(instances: &[Instance]) -> Vec<RemoteId> {
    let mut ids: Vec<_> = instances.iter().map(|it| it.id.clone()).collect();
    ids.sort();
    ids
}
