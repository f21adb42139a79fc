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
use crate::child::simulators::Endpoints;
use crate::process::{self, Running, myself};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a password for the bench";

/// How long anything may take before the bench gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Simulators in a process of their own.
#[derive(Debug)]
pub(crate) struct Vendors {
    _process: Running,
    pub(crate) endpoints: Endpoints,
}

impl Vendors {
    /// Starts them without rate limits.
    ///
    /// # Errors
    ///
    /// Fails if they do not start.
    pub(crate) fn start() -> Result<Self> {
        let process = Running::start(&mut myself("simulators")?)?;
        let endpoints = serde_json::from_str(&process.line("digitalocean")?)?;
        Ok(Self {
            _process: process,
            endpoints,
        })
    }

    /// Returns how often a provider was asked for a path.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub(crate) fn calls(&self, endpoint: &str, path: &str) -> Result<usize> {
        let answer = http(&format!("{endpoint}/_sim/journal"), None, None)?;
        let journal = answer.get("journal").and_then(Value::as_array);
        let journal = journal.context("an odd journal")?;
        let calls = journal
            .iter()
            .filter(|it| it.get("path").and_then(Value::as_str) == Some(path));
        Ok(calls.count())
    }
}

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
        let started = Instant::now();
        let log = database.folder.path().join("log");
        let mut command = database.command(vendors)?;
        command
            .arg("serve")
            .env("ROADSTEAD_WORKERS", workers.to_string());
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
        http(&format!("http://{address}/api/health"), None, None)?;
        let first_answer = started.elapsed();
        let login = json!({ "email": EMAIL, "password": PASSWORD });
        let login = http(
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
        http(
            &format!("http://{}{path}", self.address),
            Some(&self.token),
            body,
        )
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

/// Returns a text in an answer.
///
/// # Errors
///
/// Fails if there is none.
pub(crate) fn word(answer: &Value, pointer: &str) -> Result<String> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no `{pointer}` in {answer}"))
}

/// Sends one request and reads the JSON answer.
///
/// # Errors
///
/// Fails with the answer, if it is a refusal.
pub(crate) fn http(url: &str, token: Option<&str>, body: Option<&Value>) -> Result<Value> {
    let bytes = bytes(url, token, body)?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// Sends one request and returns the body of the answer.
///
/// # Errors
///
/// Fails with the answer, if it is a refusal.
pub(crate) fn bytes(url: &str, token: Option<&str>, body: Option<&Value>) -> Result<Vec<u8>> {
    let request = async {
        let mut request = match body {
            Some(body) => client()?.post(url).json(body),
            None => client()?.get(url),
        };
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if !status.is_success() {
            bail!("{url}: {status}: {}", String::from_utf8_lossy(&bytes));
        }
        Ok(bytes.to_vec())
    };
    block_on(request)
}

fn client() -> Result<&'static reqwest::Client> {
    static CLIENT: LazyLock<reqwest::Result<reqwest::Client>> = LazyLock::new(|| {
        reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
    });
    match &*CLIENT {
        Ok(client) => Ok(client),
        Err(error) => bail!("no client: {error}"),
    }
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
