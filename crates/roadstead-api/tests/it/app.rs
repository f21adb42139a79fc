//! The application under test: a server on a port of its own, its database, and a vendor.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, rt};
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response};
use roadstead_core::{Clock, Provider, Secret, after};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_http::TokioClock;
use roadstead_repository::{Keyring, Options, Repository};
use roadstead_service::{
    Clockwork, Engine, EventClockwork, Factory, NewUser, Platform, PlatformConfig, Role,
};
use roadstead_sim::{DigitalOceanSim, Effect, Fault, SimulatorConfig, TOKEN_FULL};
use roadstead_testkit::{Backend, Scratch};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::answer::Answer;
use crate::schema::judge;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Person {
    /// Runs the installation; belongs to no organization.
    Operator,
    /// A member of Harbor.
    Member,
    /// May only look at Harbor.
    Viewer,
    /// Owns another organization, Strangers.
    Stranger,
    /// A member of Harbor, and a viewer at Strangers.
    Commuter,
}

pub(crate) use Person::{Commuter, Member, Operator, Stranger, Viewer};

impl Person {
    pub(crate) const ALL: [Self; 5] = [Operator, Member, Viewer, Stranger, Commuter];

    pub(crate) fn email(self) -> String {
        format!("{self:?}@test.example").to_lowercase()
    }
}

/// How the application is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Operation workers; without any, every server stays as it was accepted.
    pub(crate) workers: usize,
    /// How long the vendor may take for one attempt, and for all of them.
    pub(crate) vendor_patience: (Duration, Duration),
    /// How many event streams one user may have.
    pub(crate) streams_each: usize,
}

impl Setup {
    pub(crate) const DEFAULT: Self = Self {
        workers: 1,
        vendor_patience: (Duration::from_secs(10), Duration::from_secs(30)),
        streams_each: 32,
    };
}

impl Default for Setup {
    fn default() -> Self {
        Self::DEFAULT
    }
}

pub(crate) struct TestApp {
    pub(crate) sim: roadstead_sim::Running,
    pub(crate) address: SocketAddr,
    pub(crate) platform: Arc<Platform>,
    /// The same database, without anybody's rights.
    pub(crate) repository: Repository,
    /// Moves the service's time on.
    pub(crate) clock: Arc<AheadClock>,
    client: Client,
    tokens: Mutex<HashMap<Person, String>>,
    server: ServerHandle,
    _engine: Engine,
    /// Where it is not the caller's.
    _scratch: Option<Scratch>,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits for the end.
        drop(self.server.stop(false));
    }
}

impl TestApp {
    /// Starts on SQLite, with a worker.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts on SQLite without workers: every server stays as it was accepted.
    pub(crate) async fn start_idle() -> Self {
        Self::start_with(Setup {
            workers: 0,
            ..Setup::default()
        })
        .await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let scratch = Scratch::create_prepared(Backend::Sqlite, &template(), prepare).await;
        let mut app = Self::start_on(&scratch, setup).await;
        app._scratch = Some(scratch);
        app
    }

    /// Starts on a database that [`prepare`] has filled.
    pub(crate) async fn start_on(scratch: &Scratch, setup: Setup) -> Self {
        let repository = connect(scratch.url()).await;
        let sim = simulator();
        let clock = Arc::new(AheadClock::default());
        let platform = open(&repository, &sim.endpoint(), setup, clock.clone()).await;
        let engine = Engine::start(&platform, setup.workers);
        let (address, server) = serve(Arc::clone(&platform));
        Self {
            sim,
            address,
            platform,
            repository,
            clock,
            client: Client::builder().no_proxy().build().unwrap(),
            tokens: Mutex::default(),
            server,
            _engine: engine,
            _scratch: None,
        }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let url = format!("http://{}{path}", self.address);
        Call {
            app: self,
            person: None,
            request: self.client.request(method, url),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    /// Logs somebody in, and returns the answer.
    pub(crate) async fn login(&self, person: Person) -> Answer {
        self.post("/api/auth/login")
            .json(&json!({ "email": person.email(), "password": PASSWORD }))
            .await
    }

    /// Returns somebody's token; everybody logs in once.
    pub(crate) async fn token(&self, person: Person) -> String {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(&person) {
            return token.clone();
        }
        let token = self.login(person).await.ok().word("/token");
        tokens.insert(person, token.clone());
        token
    }

    /// Registers the simulated account, and returns its id.
    pub(crate) async fn register(&self) -> String {
        self.post("/api/admin/providers")
            .by(Operator)
            .json(&json!({ "name": "DO", "type": "digitalocean", "token": TOKEN_FULL }))
            .await
            .ok()
            .word("/provider/id")
    }

    /// Creates a server as a member of Harbor; nobody has to have accepted it at the vendor.
    pub(crate) async fn create(&self, label: &str) -> Answer {
        self.post("/api/vps")
            .by(Member)
            .json(&wanted(label))
            .await
            .ok()
    }

    /// Creates a server and waits until it runs; returns its id.
    pub(crate) async fn running(&self, label: &str) -> String {
        let created = self.create(label).await;
        self.finished(&created).await;
        created.word("/instance/id")
    }

    /// Waits until an accepted operation has succeeded.
    pub(crate) async fn finished(&self, accepted: &Answer) {
        let id = accepted.word("/operation/id");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let path = format!("/api/operations/{id}?wait=30");
            let shown = self.get(&path).by(Member).await.ok();
            match &*shown.word("/operation/state") {
                "succeeded" => return,
                "failed" | "attention" => panic!("{}", shown.text),
                _ => assert!(Instant::now() < deadline, "{}", shown.text),
            }
        }
    }

    /// Waits until a server of Harbor has a status, and returns the answer that says so.
    pub(crate) async fn until(&self, id: &str, status: &str) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&format!("/api/vps/{id}")).by(Member).await.ok();
            if shown.word("/instance/status") == status {
                return shown;
            }
            assert!(Instant::now() < deadline, "not `{status}`: {}", shown.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns how many servers Harbor has.
    pub(crate) async fn count(&self) -> usize {
        let list = self.get("/api/vps?limit=200").by(Member).await.ok();
        list.at("/instances").as_array().unwrap().len()
    }

    /// Spoils the vendor's answers on a path from now on.
    pub(crate) fn spoil(&self, path: &str, effect: Effect) {
        let fault = Fault {
            path: Some(path.to_owned()),
            count: u64::MAX,
            effect,
            ..Fault::default()
        };
        self.sim.handle().add_fault(fault).unwrap();
    }

    /// Returns how often the vendor was asked for a path.
    pub(crate) fn vendor_calls(&self, method: &str, path: &str) -> usize {
        let journal = self.sim.handle().journal();
        let calls = journal.iter();
        calls
            .filter(|it| it.method == method && it.path == path)
            .count()
    }
}

/// A call under construction; `.await` sends it.
pub(crate) struct Call<'a> {
    app: &'a TestApp,
    person: Option<Person>,
    request: RequestBuilder,
}

impl<'a> Call<'a> {
    pub(crate) fn by(mut self, person: impl Into<Option<Person>>) -> Self {
        self.person = person.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Sends these bytes and says that they are JSON.
    pub(crate) fn raw(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self.header("content-type", "application/json")
    }

    /// Sends these bytes and does not say what they are.
    pub(crate) fn untyped(mut self, body: &str) -> Self {
        self.request = self.request.body(body.to_owned());
        self
    }
}

impl Call<'_> {
    /// Sends it, and returns the answer while its body may still be coming.
    pub(crate) async fn stream(self) -> Response {
        let request = match self.person {
            Some(person) => self.request.bearer_auth(self.app.token(person).await),
            None => self.request,
        };
        request.send().await.unwrap()
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let request = match self.person {
                Some(person) => self.request.bearer_auth(self.app.token(person).await),
                None => self.request,
            };
            let request = request.build().unwrap();
            let (method, url) = (request.method().clone(), request.url().clone());
            let body = request
                .body()
                .and_then(|it| it.as_bytes())
                .map(<[u8]>::to_vec);
            let answer = Answer::read(self.app.client.execute(request).await.unwrap()).await;
            // No answer of any test is other than the document says.
            judge(&method, &url, body.as_deref(), &answer);
            answer
        })
    }
}

/// Returns a request that the vendor accepts.
pub(crate) fn wanted(label: &str) -> Value {
    json!({
        "provider_type": "digitalocean",
        "label": label,
        "type": "s-1vcpu-1gb",
        "region": "nyc3",
        "image": "ubuntu-22-04-x64",
    })
}

/// Returns a public key of which there is one for each number.
pub(crate) fn public_key(number: u128) -> String {
    let mut bytes = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    let mut point = [7_u8; 32];
    point[..16].copy_from_slice(&number.to_be_bytes());
    bytes.extend(point);
    // 51 bytes have no padding.
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body: String = bytes
        .chunks(3)
        .flat_map(|it| {
            let bits = u32::from_be_bytes([0, it[0], it[1], it[2]]);
            [18, 12, 6, 0]
                .map(|shift| char::from(digits[usize::try_from(bits >> shift & 63).unwrap()]))
        })
        .collect();
    format!("ssh-ed25519 {body}")
}

/// Changes whenever a migration does, so that no old template is used.
pub(crate) fn template() -> String {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut texts = vec!["roadstead-api, people of two organizations".to_owned()];
    for backend in ["postgres", "sqlite"] {
        let folders = std::fs::read_dir(migrations.join(backend)).unwrap();
        let mut folders: Vec<_> = folders.map(|it| it.unwrap().path()).collect();
        folders.sort();
        let read = |it: &std::path::PathBuf| std::fs::read_to_string(it.join("up.sql")).unwrap();
        texts.extend(folders.iter().map(read));
    }
    texts.concat()
}

/// Fills a database with people, and disconnects.
pub(crate) async fn prepare(url: String) {
    let repository = connect(&url).await;
    repository.migrate_up().await.unwrap();
    let clock = Arc::new(AheadClock::default());
    let platform = open(&repository, "http://127.0.0.1:1", Setup::default(), clock).await;
    for person in Person::ALL {
        let organization = match person {
            Operator => None,
            Member | Commuter => Some(("Harbor", Role::Member)),
            Viewer => Some(("Harbor", Role::Viewer)),
            Stranger => Some(("Strangers", Role::Owner)),
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

pub(crate) fn simulator() -> roadstead_sim::Running {
    let config = SimulatorConfig {
        time_scale: 1000.0,
        enforce_limits: false,
        ..SimulatorConfig::default()
    };
    DigitalOceanSim::start(([127, 0, 0, 1], 0).into(), config).unwrap()
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
    endpoint: &str,
    setup: Setup,
    clock: Arc<AheadClock>,
) -> Arc<Platform> {
    let endpoint = endpoint.to_owned();
    let (attempt, deadline) = setup.vendor_patience;
    let digitalocean = Factory::new(
        roadstead_digitalocean::descriptor(),
        move |token, _configuration| {
            let builder = DigitalOceanBuilder::new(token)
                .with_endpoint(endpoint.as_str())
                // No answer states it, so that the simulator cannot lift it.
                .with_burst_limit(1_000_000)
                .with_attempt_timeout(attempt)
                .with_deadline(deadline);
            let provider: Arc<dyn Provider> = Arc::new(builder.build()?);
            Ok(provider)
        },
    );
    let config = PlatformConfig {
        repository: repository.clone(),
        factories: vec![
            digitalocean,
            Factory::unavailable(roadstead_aws::descriptor()),
            Factory::unavailable(roadstead_gcp::descriptor()),
        ],
        clock,
        clockwork: Clockwork {
            poll_open: Duration::from_millis(20),
            poll_idle: Duration::from_millis(200),
            look_interval: Duration::from_millis(50),
            events: EventClockwork {
                heartbeat: Duration::from_millis(300),
                streams_each: setup.streams_each,
                ..EventClockwork::default()
            },
            ..Clockwork::default()
        },
        session_lifetime: Duration::from_hours(24 * 7),
    };
    Platform::open(config).await.unwrap()
}

/// Serves on a thread and runtime of its own, so that the end of a test's runtime is no
/// concern of the server's.
fn serve(platform: Arc<Platform>) -> (SocketAddr, ServerHandle) {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let routes = roadstead_api::configure(platform);
            let http = HttpServer::new(move || {
                App::new()
                    .wrap(Compress::default())
                    .wrap(from_fn(roadstead_api::request::trace))
                    .configure(routes.clone())
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
