//! A server as an operator would run it: the release program, its database, its accounts.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use roadstead_sim::TOKEN_FULL;
use roadstead_testkit::{Backend, Scratch};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::child::load::{self, Load};
use crate::http::{self, word};
use crate::process::{self, Running, myself};
use crate::vendors::Vendors;

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a password for the bench";

/// How long anything may take before the bench gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A database with an operator who is a member too.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) scratch: Scratch,
    pub(crate) folder: TempDir,
}

impl Database {
    async fn create(backend: Backend, vendors: &Vendors) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("roadstead-bench-")
            .tempdir()?;
        let database = Self {
            scratch: Scratch::create(backend).await,
            folder,
        };
        if backend == Backend::Postgres {
            let key = format!("v1:{}=", "A".repeat(43));
            std::fs::write(database.key(), key)?;
        }
        let mut command = database.command(vendors)?;
        command.args(["user", "create", "--operator", "--organization", "Bench"]);
        command.args(["--email", EMAIL]);
        let mut migrate = database.command(vendors)?;
        finish(migrate.args(["migrate", "up"]), "")?;
        finish(&mut command, PASSWORD)?;
        Ok(database)
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("roadstead.key")
    }

    /// Returns the program with the settings of this database, and no others.
    ///
    /// # Errors
    ///
    /// Fails if the program is not built.
    pub(crate) fn command(&self, vendors: &Vendors) -> Result<Command> {
        let mut command = Command::new(process::roadstead()?);
        command
            .env_clear()
            .env("ROADSTEAD_LISTEN", "127.0.0.1:0")
            .env("ROADSTEAD_DATABASE_URL", self.scratch.url())
            .env("ROADSTEAD_MASTER_KEY_FILE", self.key())
            .env(
                "ROADSTEAD_DIGITALOCEAN_ENDPOINT",
                &vendors.endpoints.digitalocean,
            )
            .env("ROADSTEAD_LINODE_ENDPOINT", &vendors.endpoints.linode)
            .current_dir(self.folder.path());
        Ok(command)
    }
}

fn finish(command: &mut Command, input: &str) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Makes an empty database, migrated, with its key and its one user.
///
/// # Errors
///
/// Fails if the program does.
pub(crate) fn make(backend: Backend, vendors: &Vendors) -> Result<Database> {
    block_on(Database::create(backend, vendors))
}

/// Asks for a small server at a provider.
pub(crate) fn wanted(kind: &str, label: &str) -> Value {
    let (plan, region, image) = match kind {
        "linode" => ("g6-nanode-1", "us-east", "linode/ubuntu24.04"),
        _ => ("s-1vcpu-1gb", "nyc3", "ubuntu-22-04-x64"),
    };
    json!({
        "provider_type": kind, "label": label, "type": plan, "region": region, "image": image,
    })
}

/// A running server, and a login.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Running,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// From the start of the process to its first answer.
    pub(crate) first_answer: Duration,
}

impl Server {
    /// Starts the program on a database and logs in.
    ///
    /// # Errors
    ///
    /// Fails if it does not start or refuses the login.
    pub(crate) fn start(database: &Database, vendors: &Vendors, workers: u32) -> Result<Self> {
        let workers = workers.to_string();
        Self::start_with(database, vendors, &[("ROADSTEAD_WORKERS", &workers)])
    }

    /// Starts the program with these settings besides, and logs in.
    ///
    /// # Errors
    ///
    /// Fails if it does not start or refuses the login.
    pub(crate) fn start_with(
        database: &Database,
        vendors: &Vendors,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let started = Instant::now();
        let log = database.folder.path().join("log");
        let mut command = database.command(vendors)?;
        command.arg("serve").envs(settings.iter().copied());
        let process = Running::start_logging(&mut command, &log)?;
        let line = process::logged(&log, "listening at http://")?;
        let address: SocketAddr = line
            .split("listening at http://")
            .nth(1)
            .map(|it| {
                it.chars()
                    .take_while(|it| it.is_ascii_digit() || ".:".contains(*it))
                    .collect::<String>()
            })
            .and_then(|it| it.parse().ok())
            .with_context(|| format!("no address in `{line}`"))?;
        http::ask(&format!("http://{address}/api/health"), None, None)?;
        let first_answer = started.elapsed();
        let login = json!({ "email": EMAIL, "password": PASSWORD });
        let login = http::ask(
            &format!("http://{address}/api/auth/login"),
            None,
            Some(&login),
        )?;
        let token = word(&login, "/token")?;
        Ok(Self {
            process,
            address,
            token,
            first_answer,
        })
    }

    /// Registers the simulated account of a provider; returns its id.
    ///
    /// # Errors
    ///
    /// Fails if it is refused.
    pub(crate) fn register(&self, kind: &str) -> Result<String> {
        let body = json!({ "name": kind, "type": kind, "token": TOKEN_FULL });
        word(
            &self.ask("/api/admin/providers", Some(&body))?,
            "/provider/id",
        )
    }

    /// Sends a GET, or a POST with a body; returns the answer.
    ///
    /// # Errors
    ///
    /// Fails with the answer, if it is a refusal.
    pub(crate) fn ask(&self, path: &str, body: Option<&Value>) -> Result<Value> {
        http::ask(
            &format!("http://{}{path}", self.address),
            Some(&self.token),
            body,
        )
    }

    /// Waits until a server that was asked for runs.
    ///
    /// # Errors
    ///
    /// Fails if it does not in time.
    pub(crate) fn until_running(&self, created: &Value) -> Result<()> {
        let path = format!("/api/vps/{}", word(created, "/instance/id")?);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if word(&self.ask(&path, None)?, "/instance/status")? == "running" {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("`{path}` did not run within {PATIENCE:?}")
    }

    /// Returns what to send to this server.
    pub(crate) fn request(&self, path: &str) -> load::Options {
        request_to(self.address, &self.token, path)
    }
}

/// The bare handlers on a server's database.
#[derive(Debug)]
pub(crate) struct Bare {
    pub(crate) process: Running,
    address: SocketAddr,
}

impl Bare {
    /// Starts them with the bytes that they answer.
    ///
    /// # Errors
    ///
    /// Fails if they do not start.
    pub(crate) fn start(database: &Database, provider: &str, bytes: &[u8]) -> Result<Self> {
        let file = database.folder.path().join("bytes");
        std::fs::write(&file, bytes)?;
        let mut command = myself("bare")?;
        command
            .args(["--database", database.scratch.url()])
            .arg("--key")
            .arg(database.key())
            .args(["--provider", provider])
            .arg("--bytes")
            .arg(file);
        let process = Running::start(&mut command)?;
        let ready: Value = serde_json::from_str(&process.line("ready")?)?;
        let address = word(&ready, "/ready")?.parse()?;
        Ok(Self { process, address })
    }

    /// Returns what to send to them, with the login of the server.
    pub(crate) fn request(&self, server: &Server, path: &str) -> load::Options {
        request_to(self.address, &server.token, path)
    }
}

/// Returns what to send to a server.
fn request_to(address: SocketAddr, token: &str, path: &str) -> load::Options {
    load::Options {
        address,
        path: path.to_owned(),
        token: token.to_owned(),
        body: None,
        connections: 8,
        millis: 1_000,
        requests: None,
        header: Vec::new(),
    }
}

/// Sends a load from a process of its own.
///
/// # Errors
///
/// Fails if the load does.
pub(crate) fn send(options: &load::Options) -> Result<Load> {
    let mut command = myself("load")?;
    command
        .args(["--address", &options.address.to_string()])
        .args(["--path", &options.path])
        .args(["--token", &options.token])
        .args(["--connections", &options.connections.to_string()])
        .args(["--millis", &options.millis.to_string()]);
    if let Some(body) = &options.body {
        command.args(["--body", body]);
    }
    if let Some(requests) = options.requests {
        command.args(["--requests", &requests.to_string()]);
    }
    for header in &options.header {
        command.args(["--header", header]);
    }
    process::ask(&mut command)
}

/// Waits for what is done with a database or a socket.
///
/// # Errors
///
/// Fails if it does.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
    });
    match &*RUNTIME {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => bail!("no runtime: {error}"),
    }
}
