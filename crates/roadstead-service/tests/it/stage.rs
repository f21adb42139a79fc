//! A platform on a database of its own, an account at a simulated vendor, people and an engine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::Mutex;
use roadstead_core::{
    Clock, InstanceId, OperationId, OrgId, Provider, ProviderId, Secret, SessionId,
};
use roadstead_http::TokioClock;
use roadstead_repository::{AuditEntry, Keyring, NewSession, Options, Repository};
use roadstead_service::{
    Accepted, Caller, Clockwork, CreateServer, Engine, Grant, Instance, InstanceFilter, Lifecycle,
    ManageInstances, Membership, Operation, OperationKind, OperationState, OperatorGrant,
    PageRequest, Platform, PlatformConfig, ReadInstances, RegisterProvider, Role, ServerOrder,
    Session, Verification,
};
use roadstead_sim::{Handle, JournalEntry, Running, Script, SimulatorConfig, TOKEN_FULL};
use roadstead_testkit::Scratch;
use serde_json::{Value, json};

use crate::rows::Rows;
use crate::vendor::Vendor;

/// Changes with the first migration; later ones are applied when a stage opens.
pub(crate) const TEMPLATE: &str = concat!(
    "service",
    include_str!("../../../../migrations/postgres/2026-11-22-000001_init/up.sql"),
    include_str!("../../../../migrations/sqlite/2026-11-22-000001_init/up.sql"),
);

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(15);

/// Fills the database that the tests' databases are copies of.
pub(crate) async fn migrated(url: String) {
    connect(&url, &Keyring::generate().unwrap())
        .await
        .migrate_up()
        .await
        .unwrap();
}

/// Makes a test at each vendor and on each database: `name::vendor::database`.
///
/// With `staged(function);` first, the function tells how the stage is set.
macro_rules! at_each_vendor {
    (staged($scene:ident); $($tests:tt)+) => {
        at_each_vendor! { @tests [super::$scene()] $($tests)+ }
    };
    (@tests [$($scene:tt)*]) => {};
    (@tests [$($scene:tt)*]
        $(#[$attribute:meta])*
        async fn $name:ident($stage:ident: $kind:ty) $body:block
        $($rest:tt)*
    ) => {
        $(#[$attribute])*
        async fn $name($stage: $kind) $body

        mod $name {
            roadstead_testkit::on_both_databases! {
                prepared(crate::stage::TEMPLATE, crate::stage::migrated);

                async fn digitalocean(database: &roadstead_testkit::Scratch) {
                    let vendor = &crate::vendor::DIGITALOCEAN;
                    let stage = crate::stage::Stage::open(database, vendor, $($scene)*).await;
                    super::$name(&stage).await;
                    stage.halt().await;
                }

                async fn linode(database: &roadstead_testkit::Scratch) {
                    let vendor = &crate::vendor::LINODE;
                    let stage = crate::stage::Stage::open(database, vendor, $($scene)*).await;
                    super::$name(&stage).await;
                    stage.halt().await;
                }
            }
        }

        at_each_vendor! { @tests [$($scene)*] $($rest)* }
    };
    ($($tests:tt)+) => {
        at_each_vendor! { @tests [crate::stage::Scene::default()] $($tests)+ }
    };
}

pub(crate) use at_each_vendor;

/// How a stage is set.
pub(crate) struct Scene {
    /// How many workers start at once.
    pub(crate) workers: usize,
    /// By how much the simulator's own waits are divided.
    pub(crate) time_scale: f64,
    /// How many servers the account may have.
    pub(crate) server_limit: usize,
    /// How long a new server is missing from lists, before the time scale.
    pub(crate) list_lag: Duration,
    /// The engine's clockwork.
    pub(crate) clockwork: Clockwork,
}

/// The simulator's waits are divided by this, unless a scene says otherwise.
pub(crate) const TIME_SCALE: f64 = 1000.0;

impl Default for Scene {
    fn default() -> Self {
        Self {
            workers: 1,
            time_scale: TIME_SCALE,
            server_limit: 500,
            list_lag: Duration::ZERO,
            clockwork: Clockwork {
                lease: Duration::from_secs(3),
                send_margin: Duration::from_millis(1200),
                settle_window: Duration::from_millis(1200),
                look_interval: Duration::from_millis(150),
                poll_open: Duration::from_millis(100),
                poll_idle: Duration::from_millis(200),
                give_up: Duration::from_secs(30),
                ..Clockwork::default()
            },
        }
    }
}

/// The usual stage, swept all the time.
pub(crate) fn swept() -> Scene {
    let scene = Scene::default();
    Scene {
        clockwork: Clockwork {
            sweep: Duration::from_millis(500),
            ..scene.clockwork
        },
        ..scene
    }
}

/// A platform with everything around it.
pub(crate) struct Stage {
    pub(crate) vendor: &'static Vendor,
    pub(crate) platform: Arc<Platform>,
    pub(crate) repository: Repository,
    pub(crate) account: ProviderId,
    pub(crate) clockwork: Clockwork,
    url: String,
    keys: Keyring,
    pub(crate) rows: Rows,
    operator: Caller,
    member: Caller,
    stranger: Caller,
    engine: Mutex<Option<Engine>>,
    sim: Mutex<Option<Running>>,
    handle: Mutex<Handle>,
    config: SimulatorConfig,
}

impl Stage {
    pub(crate) async fn open(database: &Scratch, vendor: &'static Vendor, scene: Scene) -> Self {
        let config = SimulatorConfig {
            time_scale: scene.time_scale,
            enforce_limits: false,
            server_limit: scene.server_limit,
            list_lag: scene.list_lag,
            ..SimulatorConfig::default()
        };
        let sim = (vendor.start)(([127, 0, 0, 1], 0).into(), config.clone()).unwrap();
        let keys = Keyring::generate().unwrap();
        let repository = connect(database.url(), &keys).await;
        repository.migrate_up().await.unwrap();
        let clockwork = scene.clockwork;
        let platform = platform(repository.clone(), vendor, sim.endpoint(), clockwork).await;
        let operator = person(&repository, "operator", None).await;
        let member = person(&repository, "member", Some("Harbor")).await;
        let stranger = person(&repository, "stranger", Some("Strangers")).await;
        let account = platform
            .register_provider(
                &operator.clone().operator().unwrap(),
                RegisterProvider {
                    name: "first".to_owned(),
                    kind: vendor.kind.to_owned(),
                    token: Secret::from(TOKEN_FULL),
                    configuration: json!({}),
                },
            )
            .await
            .unwrap();
        let stage = Self {
            vendor,
            platform,
            repository,
            account: account.record.id,
            clockwork,
            url: database.url().to_owned(),
            keys,
            rows: Rows::of(database),
            operator,
            member,
            stranger,
            engine: Mutex::new(None),
            handle: Mutex::new(sim.handle().clone()),
            sim: Mutex::new(Some(sim)),
            config,
        };
        stage.start(scene.workers);
        stage
    }

    // Engines.

    /// Starts an engine.
    pub(crate) fn start(&self, workers: usize) {
        *self.engine.lock() = Some(Engine::start(&self.platform, workers));
    }

    /// Stops the engine, if one runs.
    pub(crate) async fn halt(&self) {
        let engine = self.engine.lock().take();
        if let Some(engine) = engine {
            engine.stop().await;
        }
    }

    /// Opens the same database once more, as another process does.
    pub(crate) async fn twin(&self) -> Arc<Platform> {
        self.twin_at(Arc::new(TokioClock)).await
    }

    /// The same, with a clock of its own.
    pub(crate) async fn twin_at(&self, clock: Arc<dyn Clock>) -> Arc<Platform> {
        let repository = connect(&self.url, &self.keys).await;
        let config = PlatformConfig {
            repository,
            factories: vec![self.vendor.factory(self.sim().endpoint())],
            clock,
            clockwork: self.clockwork,
            session_lifetime: Duration::from_secs(3600),
        };
        Platform::open(config).await.unwrap()
    }

    // People.

    /// The member's right to change servers.
    pub(crate) fn member(&self) -> Grant<ManageInstances> {
        self.member.clone().grant(None).unwrap()
    }

    /// The member's right to look.
    pub(crate) fn reader(&self) -> Grant<ReadInstances> {
        self.member.clone().grant(None).unwrap()
    }

    /// The member.
    pub(crate) fn someone(&self) -> Caller {
        self.member.clone()
    }

    /// The member's organization.
    pub(crate) fn organization(&self) -> OrgId {
        self.member.session.memberships[0].organization.id
    }

    /// A member of another organization.
    pub(crate) fn stranger(&self) -> Caller {
        self.stranger.clone()
    }

    /// Whoever runs the installation.
    pub(crate) fn operator(&self) -> OperatorGrant {
        self.operator.clone().operator().unwrap()
    }

    // Servers.

    /// Asks for a small server.
    pub(crate) fn request(&self, label: &str) -> CreateServer {
        CreateServer {
            provider: Some(self.account),
            kind: None,
            sale: None,
            label: label.to_owned(),
            plan: self.vendor.plan.to_owned(),
            region: self.vendor.region.to_owned(),
            image: self.vendor.image.to_owned(),
            root_password: self.vendor.password.map(Secret::from),
            ssh_keys: Vec::new(),
            user_data: None,
            backups: false,
            ipv6: false,
            private_network: false,
            tags: vec!["blue".to_owned()],
            market: None,
            options: None,
            wait: Duration::ZERO,
        }
    }

    /// Puts a small server on record.
    pub(crate) async fn create(&self, label: &str) -> Accepted {
        self.platform
            .create_server(&self.member(), self.request(label))
            .await
            .unwrap()
    }

    /// Returns a small server that runs.
    pub(crate) async fn running(&self, label: &str) -> Instance {
        let accepted = self.create(label).await;
        self.succeeds(accepted.operation.id).await;
        self.server(accepted.instance.id).await
    }

    /// Asks for something to be done to a server.
    pub(crate) async fn act(&self, id: InstanceId, kind: OperationKind) -> Operation {
        self.platform
            .act(&self.member(), id, kind)
            .await
            .unwrap()
            .operation
    }

    pub(crate) async fn server(&self, id: InstanceId) -> Instance {
        self.platform.server(&self.reader(), id).await.unwrap()
    }

    /// Returns all servers of the member's organization.
    pub(crate) async fn servers(&self) -> Vec<Instance> {
        let (filter, order) = (InstanceFilter::default(), ServerOrder::default());
        let page = PageRequest {
            cursor: None,
            limit: 200,
        };
        self.platform
            .servers(&self.reader(), &filter, order, &page)
            .await
            .unwrap()
            .items
    }

    pub(crate) async fn operation(&self, id: OperationId) -> Operation {
        self.platform
            .operation(&self.reader(), id, Duration::ZERO)
            .await
            .unwrap()
    }

    /// Waits until nothing will change about an operation unless a person acts.
    pub(crate) async fn settles(&self, id: OperationId) -> Operation {
        let operation = self
            .platform
            .operation(&self.reader(), id, PATIENCE)
            .await
            .unwrap();
        assert!(operation.state.is_settled(), "{operation:?}");
        operation
    }

    /// Waits for the good end of an operation.
    pub(crate) async fn succeeds(&self, id: OperationId) -> Operation {
        let operation = self.settles(id).await;
        assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
        assert_eq!(operation.error, None);
        operation
    }

    /// Waits for the bad end of an operation, and returns it with the public code.
    pub(crate) async fn fails(&self, id: OperationId) -> (Operation, String) {
        let operation = self.settles(id).await;
        assert_eq!(operation.state, OperationState::Failed, "{operation:?}");
        let code = operation.error.as_ref().unwrap().code.clone();
        (operation, code)
    }

    /// Asserts that our live servers and the vendor's are the same ones, as soon as all is quiet.
    pub(crate) async fn agrees(&self) {
        self.until("our books and the provider agree", async || {
            let mut ours: Vec<String> = self
                .servers()
                .await
                .into_iter()
                .filter(|it| it.lifecycle == Lifecycle::Live)
                .map(|it| it.remote.unwrap().to_string())
                .collect();
            ours.sort();
            let mut theirs: Vec<String> = self.living().iter().map(id_of).collect();
            theirs.sort();
            let dooms = self.repository.open_dooms().await.unwrap();
            (ours == theirs && dooms.is_empty()).then_some(())
        })
        .await;
    }

    /// Asserts that this server runs, and that the vendor has no other.
    pub(crate) async fn is_the_only_one(&self, id: InstanceId) {
        self.agrees().await;
        let server = self.server(id).await;
        assert_eq!(server.public_status(), "running", "{server:?}");
        let [living] = self.living().try_into().unwrap();
        assert_eq!(Some(id_of(&living)), server.remote.map(|it| it.to_string()));
    }

    // The account.

    /// Returns what the operator sees of the account's token.
    pub(crate) async fn verification(&self) -> Verification {
        let known = self.platform.provider(&self.operator(), self.account).await;
        known.unwrap().record.verification
    }

    /// Waits until the operator sees that the token is refused.
    pub(crate) async fn is_frozen(&self) {
        self.until("the account is frozen", async || {
            matches!(self.verification().await, Verification::Refused { .. }).then_some(())
        })
        .await;
    }

    // The vendor.

    /// Returns the way into the simulator.
    pub(crate) fn sim(&self) -> Handle {
        self.handle.lock().clone()
    }

    /// Switches the vendor off: connections are refused.
    pub(crate) async fn unplug(&self) {
        let sim = self.sim.lock().take();
        sim.unwrap().stop().await;
    }

    /// Switches the vendor on again, at the same address and empty.
    pub(crate) fn plug_in(&self) {
        let address: SocketAddr = self
            .sim()
            .endpoint()
            .trim_start_matches("http://")
            .parse()
            .unwrap();
        let sim = (self.vendor.start)(address, self.config.clone()).unwrap();
        *self.handle.lock() = sim.handle().clone();
        *self.sim.lock() = Some(sim);
    }

    /// Returns a client of the vendor that our books know nothing of.
    pub(crate) fn direct(&self) -> Arc<dyn Provider> {
        (self.vendor.provider)(Secret::from(TOKEN_FULL), &self.sim().endpoint()).unwrap()
    }

    /// Returns the servers that the vendor has in our account.
    pub(crate) fn living(&self) -> Vec<Value> {
        let state = self.sim().state();
        let accounts = state["accounts"].as_array().unwrap();
        let main = accounts.iter().find(|it| it["account"] == "main").unwrap();
        let servers = main[self.vendor.servers].as_array().unwrap();
        let living = servers.iter().filter(|it| it["deleted"] == false);
        living.cloned().collect()
    }

    /// Returns the vendor's word for what its only server does.
    pub(crate) fn word(&self) -> String {
        let [living] = self.living().try_into().unwrap();
        living["status"].as_str().unwrap().to_owned()
    }

    /// Returns the number of the last call, to look only at later ones.
    pub(crate) fn mark(&self) -> u64 {
        self.sim().journal().last().map_or(0, |it| it.sequence)
    }

    /// Returns the creating calls.
    pub(crate) fn creates(&self) -> Vec<JournalEntry> {
        self.changes(0)
            .into_iter()
            .filter(|it| it.method == "POST" && it.path == self.vendor.path)
            .collect()
    }

    /// Returns the calls after a mark that are no mere reads.
    pub(crate) fn changes(&self, mark: u64) -> Vec<JournalEntry> {
        let journal = self.sim().journal_after(mark);
        journal
            .into_iter()
            .filter(|it| it.method != "GET")
            .collect()
    }

    /// Scripts a fault.
    pub(crate) fn fault(&self, fault: Value) {
        let fault = serde_json::from_value(fault).unwrap();
        self.sim().add_fault(fault).unwrap();
    }

    /// Scripts a fault by its name.
    pub(crate) fn named(&self, fault: Value) {
        let script = Script::read(&fault).unwrap();
        self.sim().add(vec![script]).unwrap();
    }

    /// Spoils the next creating call: `before`, `after` or `late`.
    pub(crate) fn spoil_create(&self, when: &str, effect: Value) {
        let path = self.vendor.path;
        self.fault(json!({ "method": "POST", "path": path, "when": when, "effect": effect }));
    }

    /// Makes every list of servers fail.
    pub(crate) fn blind(&self) {
        self.fault(json!({
            "method": "GET", "path": self.vendor.path, "count": 100_000,
            "effect": { "status": 503 },
        }));
    }

    // Waiting.

    /// Waits until a probe finds something.
    pub(crate) async fn until<T>(&self, what: &str, probe: impl AsyncFn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}: {:#?} {:#?}",
                self.servers().await,
                self.living()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Asserts that something stays as it is for so long.
    pub(crate) async fn stays(&self, what: &str, span: Duration, probe: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + span;
        while Instant::now() < deadline {
            assert!(probe().await, "it did not stay so that {what}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Returns the vendor's id of a server in the simulator's state.
pub(crate) fn id_of(server: &Value) -> String {
    match &server["id"] {
        Value::String(id) => id.clone(),
        other => other.to_string(),
    }
}

/// Returns when a call arrived.
pub(crate) fn time_of(entry: &JournalEntry) -> Timestamp {
    entry.time.parse().unwrap()
}

async fn connect(url: &str, keys: &Keyring) -> Repository {
    let options = Options {
        pool_size: 8,
        connect_timeout: Duration::from_secs(20),
    };
    Repository::connect(url, keys.clone(), options)
        .await
        .unwrap()
}

async fn platform(
    repository: Repository,
    vendor: &'static Vendor,
    endpoint: String,
    clockwork: Clockwork,
) -> Arc<Platform> {
    let config = PlatformConfig {
        repository,
        factories: vec![vendor.factory(endpoint)],
        clock: Arc::new(TokioClock),
        clockwork,
        session_lifetime: Duration::from_secs(3600),
    };
    Platform::open(config).await.unwrap()
}

/// Adds somebody without the work of hashing a password.
async fn person(repository: &Repository, name: &str, organization: Option<&str>) -> Caller {
    let audit = AuditEntry {
        organization: None,
        user: None,
        action: "user.create",
        subject: name.to_owned(),
        request_id: None,
        details: json!({}),
        key: None,
    };
    let email = format!("{name}@example.org");
    let user = repository
        .create_user(&email, None, organization.is_none(), audit)
        .await
        .unwrap();
    let mut memberships = Vec::new();
    if let Some(organization) = organization {
        let organization = repository.ensure_organization(organization).await.unwrap();
        let role = Role::Member;
        repository
            .add_member(organization.id, user.id, role)
            .await
            .unwrap();
        memberships.push(Membership { organization, role });
    }
    let id = SessionId::fresh();
    let login = NewSession {
        id,
        user: user.id,
        token_hash: id.0.as_bytes().to_vec(),
        created_at: Timestamp::now(),
        expires_at: Timestamp::now() + Duration::from_secs(86_400),
    };
    repository.create_session(&login).await.unwrap();
    let session = Session {
        id,
        user,
        created_at: login.created_at,
        expires_at: Timestamp::MAX,
        memberships,
    };
    Caller {
        session,
        request_id: format!("request-of-{name}"),
        key: None,
    }
}
