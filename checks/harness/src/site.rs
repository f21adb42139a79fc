//! One try: providers, database, servers and a client, from the start to the evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use reqwest::Method;
use roadstead_testkit::{Backend, Haystack};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::checker::{Allowed, check};
use crate::database::{Database, master_key};
use crate::evidence::{Entry, Evidence};
use crate::member::Member;
use crate::program::has_crash_points;
use crate::proxy::Proxy;
use crate::server::{Server, Variables};
use crate::vendor::{Simulators, Vendor};

/// The short clockwork of every try, as settings of the program.
pub const CLOCKWORK: [(&str, &str); 6] = [
    ("ROADSTEAD_LEASE", "1s"),
    ("ROADSTEAD_SETTLE_WINDOW", "3s"),
    ("ROADSTEAD_SWEEP_INTERVAL", "2s"),
    ("ROADSTEAD_OPEN_POLL_INTERVAL", "200ms"),
    ("ROADSTEAD_POLL_INTERVAL", "200ms"),
    // Fifty times the usual one, as everything else goes fifty times as fast.
    ("ROADSTEAD_DIGITALOCEAN_BURST_LIMIT", "12500"),
];

/// By how much the simulator's own waits are divided: a create takes about a second.
const TIME_SCALE: f64 = 50.0;

/// What sweeps and polls need after the last operation has ended, until nothing moves any more.
const SETTLED: Duration = Duration::from_millis(4_500);

/// Returns the clockwork in words, to be printed with the table.
#[must_use]
pub fn clockwork_line() -> String {
    "clockwork: lease 1 s, settle window 3 s, sweep 2 s, poll 200 ms; the simulators' own waits \
     are divided by 50, and calls a minute multiplied by it"
        .to_owned()
}

/// What a try is made of.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// The provider.
    pub vendor: Vendor,
    /// The database.
    pub backend: Backend,
    /// How many servers run on the database; more than one only on PostgreSQL.
    pub servers: usize,
    /// Settings of all lives of all servers, over the short clockwork.
    pub settings: Variables,
    /// What comes on top in the first life of each server.
    pub first_lives: Vec<Variables>,
    /// Whether a proxy stands before the provider.
    pub proxy: bool,
    /// Decides the simulator's durations.
    pub seed: u64,
}

impl SiteOptions {
    /// One server with the short clockwork.
    #[must_use]
    pub const fn new(vendor: Vendor, backend: Backend) -> Self {
        Self {
            vendor,
            backend,
            servers: 1,
            settings: Vec::new(),
            first_lives: Vec::new(),
            proxy: false,
            seed: 1,
        }
    }
}

/// Everything that one try runs on; dropping it ends it all.
#[derive(Debug)]
pub struct Site {
    /// What it is made of.
    pub options: SiteOptions,
    /// The servers.
    pub servers: Vec<Server>,
    /// The client.
    pub member: Arc<Member>,
    /// The providers.
    pub simulators: Simulators,
    /// Before the provider, if it was asked for.
    pub proxy: Option<Proxy>,
    /// Our id of the provider's account.
    pub provider: String,
    database: Mutex<Arc<Database>>,
    journal: Mutex<BTreeMap<u64, Entry>>,
    planted: Mutex<BTreeSet<String>>,
    /// Last, so that what runs in it has ended.
    _folder: TempDir,
}

impl Site {
    /// Starts everything, logs in and registers the provider's account.
    ///
    /// # Errors
    ///
    /// Fails if something does not start.
    pub async fn start(options: SiteOptions) -> Result<Self> {
        let wants_points = options
            .first_lives
            .iter()
            .flatten()
            .chain(&options.settings)
            .any(|(name, _)| name == "ROADSTEAD_CRASH_AT" || name == "ROADSTEAD_MUTANT");
        anyhow::ensure!(
            !wants_points || has_crash_points().await?,
            "the program was built without the feature `crash-points`: \
             run `cargo xtask test` or `cargo xtask crash`, which build it"
        );
        let folder = tempfile::Builder::new()
            .prefix("roadstead-site-")
            .tempdir()?;
        let key = folder.path().join("roadstead.key");
        std::fs::write(&key, master_key())?;
        let simulators = Simulators::start(folder.path(), options.seed, TIME_SCALE);
        let database = Database::create(options.backend);
        let (simulators, database) = tokio::try_join!(simulators, database)?;
        let proxy = if options.proxy {
            Some(Proxy::start(simulators.endpoint(options.vendor)).await?)
        } else {
            None
        };
        let endpoint = |vendor: Vendor| match &proxy {
            Some(proxy) if vendor == options.vendor => proxy.endpoint(),
            _ => simulators.endpoint(vendor).to_owned(),
        };
        let mut settings: Variables = [
            ("ROADSTEAD_LISTEN", "127.0.0.1:0".to_owned()),
            ("ROADSTEAD_DATABASE_URL", database.url().to_owned()),
            ("ROADSTEAD_MASTER_KEY_FILE", key.display().to_string()),
            (
                "ROADSTEAD_DIGITALOCEAN_ENDPOINT",
                endpoint(Vendor::DigitalOcean),
            ),
            ("ROADSTEAD_LINODE_ENDPOINT", endpoint(Vendor::Linode)),
            ("ROADSTEAD_LOG", "info,roadstead_http=debug".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        settings.extend(CLOCKWORK.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (name, value) in &options.settings {
            settings.retain(|it| it.0 != *name);
            settings.push((name.clone(), value.clone()));
        }
        let mut servers = Vec::new();
        for number in 0..options.servers.max(1) {
            let further = options.first_lives.get(number).cloned();
            let name = format!("serve-{number}");
            servers.push(Server::start(
                &name,
                folder.path(),
                settings.clone(),
                further,
            )?);
        }
        let addresses = servers.iter().map(Server::address).collect();
        let member = Arc::new(Member::new(addresses)?);
        for server in &servers {
            server.listening().await?;
        }
        member.login().await?;
        let provider = member.register(options.vendor).await?;
        Ok(Self {
            options,
            servers,
            member,
            simulators,
            proxy,
            provider,
            database: Mutex::new(Arc::new(database)),
            journal: Mutex::default(),
            planted: Mutex::default(),
            _folder: folder,
        })
    }

    /// Returns the first server.
    ///
    /// # Errors
    ///
    /// None: every site has one.
    pub fn server(&self) -> Result<&Server> {
        self.servers.first().context("no server")
    }

    /// Returns the database.
    #[must_use]
    pub fn database(&self) -> Arc<Database> {
        Arc::clone(&self.database.lock())
    }

    /// Kills the server and starts it on another database, as after a restore.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub async fn restore(&self, copy: Database) -> Result<()> {
        let server = self.server()?;
        server.set("ROADSTEAD_DATABASE_URL", copy.url());
        *self.database.lock() = Arc::new(copy);
        server.kill().await?;
        server.listening().await?;
        Ok(())
    }

    /// Has the program ask whose account the provider's token opens, as an operator would.
    ///
    /// # Errors
    ///
    /// Fails if it is refused.
    pub async fn validate(&self) -> Result<()> {
        let path = format!("/api/admin/providers/{}/validate", self.provider);
        let answer = self.member.call(Method::POST, &path, None, None).await?;
        anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        Ok(())
    }

    /// Notes that the harness itself has put a server at the provider.
    pub fn planted(&self, remote: &str) {
        self.planted.lock().insert(remote.to_owned());
    }

    /// Reads the journal on, so that nothing is forgotten in a long run.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub async fn harvest(&self) -> Result<()> {
        // Calls under way are read again, with their ends.
        let last = self.journal.lock().keys().next_back().copied();
        let after = last.unwrap_or(0).saturating_sub(1_000);
        let read = self.simulators.journal(self.options.vendor, after).await?;
        let is_told = |it: &Entry| it.method != "GET" || !matches!(it.status, Some(200..=299));
        let mut journal = self.journal.lock();
        for entry in read {
            if is_told(&entry) {
                journal.insert(entry.sequence, entry);
            } else {
                journal.remove(&entry.sequence);
            }
        }
        Ok(())
    }

    /// Waits until everything has ended and nothing moves any more, at most `limit`, and returns
    /// what is known then. What is still open is for the checker.
    ///
    /// # Errors
    ///
    /// Fails if the database or the simulator does not answer.
    pub async fn quiet(&self, limit: Duration, allowed: Allowed) -> Result<Evidence> {
        let deadline = Instant::now() + limit;
        let mut ended: Option<Instant> = None;
        loop {
            // As a member who watches; what is shown as bound must stay.
            self.member.look().await?;
            let books = self.database().books().await?;
            let open = books
                .operations
                .iter()
                .any(|it| !it.is_final() && !it.is_parked());
            let doomed = books.dooms.iter().any(|it| !it.done);
            if open || doomed {
                ended = None;
            } else {
                ended.get_or_insert_with(Instant::now);
            }
            let rested = ended.is_some_and(|it| it.elapsed() >= SETTLED);
            if rested || Instant::now() > deadline {
                let evidence = self.evidence().await?;
                // What is wrong now may be put right by a sweep.
                if Instant::now() > deadline || check(&evidence, allowed).is_clean() {
                    return Ok(evidence);
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Reads what is known now.
    ///
    /// # Errors
    ///
    /// Fails if the database or the simulator does not answer.
    pub async fn evidence(&self) -> Result<Evidence> {
        self.harvest().await?;
        let database = self.database();
        let mut haystack = Haystack::default();
        for (place, bytes) in database.dump().await? {
            haystack.add(place, bytes);
        }
        for log in self.servers.iter().flat_map(Server::logs) {
            if let Ok(bytes) = std::fs::read(&log) {
                haystack.add(format!("the log `{}`", log.display()), bytes);
            }
        }
        let secret = self.member.secret().to_owned();
        let exposed = tokio::task::spawn_blocking(move || haystack.find(&[&secret])).await?;
        Ok(Evidence {
            asked: self.member.asked(),
            books: database.books().await?,
            objects: self.simulators.objects(self.options.vendor).await?,
            journal: self.journal.lock().values().cloned().collect(),
            planted: self.planted.lock().clone(),
            bindings: self.member.bindings(),
            exposed,
            mishaps: self.servers.iter().flat_map(Server::mishaps).collect(),
        })
    }
}
