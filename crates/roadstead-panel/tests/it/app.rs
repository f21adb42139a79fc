//! The panel under test: a server on a port of its own, its database, and two providers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, rt};
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Client, Method, redirect};
use roadstead_core::{Clock, InstanceId, Markup, Percent, Provider, ProviderId, Secret, after};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_http::TokioClock;
use roadstead_linode::LinodeBuilder;
use roadstead_panel::Transport;
use roadstead_repository::{Keyring, Options, Repository};
use roadstead_service::{
    Caller, CatalogueSource, Clockwork, CreateServer, Engine, Factory, ImportFilter, ImportPlans,
    ManageInstances, NewUser, OwnMarkups, Platform, PlatformConfig, ReadInstances,
    RegisterProvider, Role,
};
use roadstead_sim::{DigitalOceanSim, LinodeSim, SimulatorConfig, TOKEN_FULL};
use roadstead_testkit::{Backend, Scratch};
use tokio::sync::Mutex;

use crate::people::{Commuter, Loner, Member, Operator, PASSWORD, Person, Stranger, Viewer};
use crate::reply::Ask;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How the panel is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Operation workers; without any, every server stays as it was accepted.
    pub(crate) workers: usize,
    /// How browsers reach it.
    pub(crate) transport: Transport,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            workers: 0,
            transport: Transport::Loopback,
        }
    }
}

pub(crate) struct TestApp {
    pub(crate) digitalocean: roadstead_sim::Running,
    pub(crate) linode: roadstead_sim::Running,
    pub(crate) address: SocketAddr,
    pub(crate) platform: Arc<Platform>,
    /// The books, for what only a worker writes there.
    pub(crate) repository: Repository,
    /// Moves the service's time on.
    pub(crate) clock: Arc<AheadClock>,
    pub(crate) client: Client,
    tokens: Mutex<HashMap<Person, String>>,
    server: ServerHandle,
    _engine: Engine,
    _scratch: Scratch,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits for the end.
        drop(self.server.stop(false));
    }
}

impl TestApp {
    /// Starts with people and no accounts; every server stays as it was accepted.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts with an account at each provider.
    pub(crate) async fn start_stocked() -> Self {
        let app = Self::start().await;
        app.stock().await;
        app
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let scratch = Scratch::create_prepared(Backend::Sqlite, &template(), prepare).await;
        Self::start_on(scratch, setup).await
    }

    /// Starts where nobody can log in yet.
    pub(crate) async fn start_empty() -> Self {
        let scratch = Scratch::create(Backend::Sqlite).await;
        let repository = connect(scratch.url()).await;
        repository.migrate_up().await.unwrap();
        drop(repository);
        Self::start_on(scratch, Setup::default()).await
    }

    async fn start_on(scratch: Scratch, setup: Setup) -> Self {
        let repository = connect(scratch.url()).await;
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let config = || SimulatorConfig {
            time_scale: 1000.0,
            enforce_limits: false,
            ..SimulatorConfig::default()
        };
        let digitalocean = DigitalOceanSim::start(any, config()).unwrap();
        let linode = LinodeSim::start(any, config()).unwrap();
        let clock = Arc::new(AheadClock::default());
        let endpoints = [digitalocean.endpoint(), linode.endpoint()];
        let platform = open(&repository, endpoints, clock.clone()).await;
        let engine = Engine::start(&platform, setup.workers);
        let (address, server) = serve(Arc::clone(&platform), setup.transport);
        Self {
            digitalocean,
            linode,
            address,
            platform,
            repository,
            clock,
            client: Client::builder()
                .no_proxy()
                .no_gzip()
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            tokens: Mutex::default(),
            server,
            _engine: engine,
            _scratch: scratch,
        }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask::new(self, method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    /// Sends a form as a page of the panel does.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Ask<'_> {
        self.ask(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .form(fields)
    }

    /// Returns somebody's token; everybody logs in once.
    pub(crate) async fn token(&self, person: Person) -> String {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(&person) {
            return token.clone();
        }
        let login = self.platform.login(&person.email(), PASSWORD.into()).await;
        let token = login.unwrap().token.expose().clone();
        tokens.insert(person, token.clone());
        token
    }

    pub(crate) async fn caller(&self, person: Person) -> Caller {
        let token = self.token(person).await;
        let caller = self.platform.caller(&token, "test".to_owned()).await;
        caller.unwrap()
    }

    /// Registers an account at each provider.
    pub(crate) async fn stock(&self) -> [ProviderId; 2] {
        let mut ids = Vec::new();
        for (name, kind) in [("Blue", "digitalocean"), ("Green", "linode")] {
            let request = RegisterProvider {
                name: name.to_owned(),
                kind: kind.to_owned(),
                token: TOKEN_FULL.into(),
                configuration: serde_json::Value::Null,
            };
            let grant = self.caller(Operator).await.operator().unwrap();
            let registered = self.platform.register_provider(&grant, request).await;
            ids.push(registered.unwrap().record.id);
        }
        [ids[0], ids[1]]
    }

    /// Has the catalogues of accounts read, so that no page has to wait for them.
    pub(crate) async fn warm(&self, accounts: [ProviderId; 2]) {
        let caller = self.caller(Member).await;
        let grant = caller.grant::<ReadInstances>(None).unwrap();
        for (id, kind) in accounts.into_iter().zip(["digitalocean", "linode"]) {
            let source = CatalogueSource {
                kind: kind.to_owned(),
                provider: Some(id),
            };
            let platform = &self.platform;
            platform.plans(&grant, &source).await.unwrap();
            platform.images(&grant, &source).await.unwrap();
            platform.regions(&grant, &source).await.unwrap();
            platform.marketplace(&grant, &source).await.unwrap();
        }
    }

    /// Puts all plans of an account on sale, at a fifth more than they cost; with regions, only
    /// there.
    pub(crate) async fn sell(&self, provider: ProviderId, regions: &[&str]) {
        let grant = self.caller(Operator).await.operator().unwrap();
        let import = ImportPlans {
            provider,
            markup: Markup::Percent(Percent::new(20.into()).unwrap()),
            own_markups: OwnMarkups::Keep,
            regions: regions.iter().map(|it| (*it).to_owned()).collect(),
            filter: ImportFilter::default(),
        };
        self.platform.import_plans(&grant, import).await.unwrap();
    }

    /// Creates a server as a member of Harbor.
    pub(crate) async fn create(&self, label: &str) -> InstanceId {
        self.create_with(label, |_| {}).await
    }

    pub(crate) async fn create_with(
        &self,
        label: &str,
        change: impl FnOnce(&mut CreateServer),
    ) -> InstanceId {
        let mut request = CreateServer {
            provider: None,
            kind: Some("digitalocean".to_owned()),
            label: label.to_owned(),
            sale: None,
            plan: "s-1vcpu-1gb".to_owned(),
            region: "nyc3".to_owned(),
            image: "ubuntu-22-04-x64".to_owned(),
            root_password: None,
            ssh_keys: Vec::new(),
            user_data: None,
            backups: false,
            ipv6: false,
            private_network: false,
            tags: Vec::new(),
            market: None,
            options: None,
            wait: Duration::ZERO,
        };
        change(&mut request);
        let caller = self.caller(Member).await;
        let grant = caller.grant::<ManageInstances>(None).unwrap();
        let accepted = self.platform.create_server(&grant, request).await.unwrap();
        accepted.instance.id
    }

    /// Waits until a page says something.
    pub(crate) async fn until(
        &self,
        path: &str,
        person: Person,
        says: &str,
    ) -> crate::reply::Reply {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.get(path).by(person).await;
            if reply.text.contains(says) {
                return reply;
            }
            assert!(Instant::now() < deadline, "no `{says}` in {}", reply.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Changes whenever a migration does, so that no old template is used.
fn template() -> String {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let folders = std::fs::read_dir(migrations).unwrap();
    let mut folders: Vec<_> = folders.map(|it| it.unwrap().path()).collect();
    folders.sort();
    let read = |it: &std::path::PathBuf| std::fs::read_to_string(it.join("up.sql")).unwrap();
    let texts: Vec<_> = folders.iter().map(read).collect();
    format!("roadstead-panel, six people{}", texts.concat())
}

/// Fills a database with people, and disconnects.
async fn prepare(url: String) {
    let repository = connect(&url).await;
    repository.migrate_up().await.unwrap();
    let nowhere = ["http://127.0.0.1:1", "http://127.0.0.1:1"].map(str::to_owned);
    let platform = open(&repository, nowhere, Arc::default()).await;
    for person in Person::ALL {
        let organization = match person {
            Operator => Some(("Harbor", Role::Owner)),
            Member | Commuter => Some(("Harbor", Role::Member)),
            Viewer => Some(("Harbor", Role::Viewer)),
            Stranger => Some(("Strangers", Role::Owner)),
            Loner => None,
        };
        let new = NewUser {
            email: person.email(),
            password: Secret::from(PASSWORD),
            operator: person == Operator,
            organization: organization.map(|(name, role)| (name.to_owned(), role)),
        };
        let user = platform.add_user(new).await.unwrap();
        if person == Commuter {
            let strangers = repository.ensure_organization("Strangers").await.unwrap();
            let added = repository.add_member(strangers.id, user.id, Role::Viewer);
            added.await.unwrap();
        }
    }
}

async fn connect(url: &str) -> Repository {
    // One key for all, because a template is shared between processes.
    let keys = format!("v1:{}=", "A".repeat(43));
    let options = Options {
        connect_timeout: Duration::from_secs(20),
        ..Options::default()
    };
    Repository::connect(url, Keyring::parse(&keys).unwrap(), options)
        .await
        .unwrap()
}

/// The real time, and as much more as a test says.
#[derive(Debug, Default)]
pub(crate) struct AheadClock(parking_lot::Mutex<Duration>);

impl AheadClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock() += by;
    }
}

#[async_trait]
impl Clock for AheadClock {
    fn now(&self) -> Timestamp {
        after(TokioClock.now(), *self.0.lock())
    }

    async fn sleep(&self, duration: Duration) {
        TokioClock.sleep(duration).await;
    }
}

async fn open(
    repository: &Repository,
    [digitalocean, linode]: [String; 2],
    clock: Arc<AheadClock>,
) -> Arc<Platform> {
    let config = PlatformConfig {
        repository: repository.clone(),
        factories: vec![
            Factory::new(roadstead_digitalocean::descriptor(), move |token, _| {
                let builder = DigitalOceanBuilder::new(token)
                    .with_endpoint(digitalocean.as_str())
                    // No answer states it, so that the simulator cannot lift it.
                    .with_burst_limit(1_000_000);
                let provider: Arc<dyn Provider> = Arc::new(builder.build()?);
                Ok(provider)
            }),
            Factory::new(roadstead_linode::descriptor(), move |token, _| {
                let builder = LinodeBuilder::new(token).with_endpoint(linode.as_str());
                let provider: Arc<dyn Provider> = Arc::new(builder.build()?);
                Ok(provider)
            }),
            Factory::unavailable(roadstead_aws::descriptor()),
            Factory::unavailable(roadstead_gcp::descriptor()),
        ],
        clock,
        clockwork: Clockwork {
            poll_open: Duration::from_millis(20),
            poll_idle: Duration::from_millis(200),
            look_interval: Duration::from_millis(50),
            ..Clockwork::default()
        },
        session_lifetime: Duration::from_hours(24 * 7),
    };
    Platform::open(config).await.unwrap()
}

/// Serves on a thread and runtime of its own, so that the end of a test's runtime is no
/// concern of the server's.
fn serve(platform: Arc<Platform>, transport: Transport) -> (SocketAddr, ServerHandle) {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let api = roadstead_api::configure(Arc::clone(&platform));
            let panel = roadstead_panel::configure(platform, transport);
            let http = HttpServer::new(move || {
                App::new()
                    .wrap(Compress::default())
                    .wrap(from_fn(roadstead_api::request::trace))
                    .configure(api.clone())
                    .configure(panel.clone())
            })
            .workers(1)
            // A connection must not be closed under a client that a busy machine holds up.
            .keep_alive(PATIENCE)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
            let address = http.addrs()[0];
            let server = http.run();
            tell.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    told.recv().unwrap()
}
