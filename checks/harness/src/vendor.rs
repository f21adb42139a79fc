//! The simulated providers, in a process whose memory outlives every crash of the program.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use roadstead_sim::TOKEN_FULL;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::evidence::{Entry, Object};
use crate::program::{program, word_in};

/// The token that the harness uses itself, so that its calls are told from the program's.
const OWN_TOKEN: &str = "harness-token";

/// A provider that is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vendor {
    /// Gives no guarantee: what was lost can only be looked for.
    DigitalOcean,
    /// Refuses a name that is taken.
    Linode,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::DigitalOcean, Self::Linode];

    /// Returns its word in the API.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::DigitalOcean => "digitalocean",
            Self::Linode => "linode",
        }
    }

    /// Returns the plans of a small server and of the one that it is resized to.
    #[must_use]
    pub const fn plans(self) -> [&'static str; 2] {
        match self {
            Self::DigitalOcean => ["s-1vcpu-1gb", "s-1vcpu-2gb"],
            Self::Linode => ["g6-nanode-1", "g6-standard-1"],
        }
    }

    /// Returns the region and the image of every server.
    #[must_use]
    pub const fn place(self) -> [&'static str; 2] {
        match self {
            Self::DigitalOcean => ["nyc3", "ubuntu-22-04-x64"],
            Self::Linode => ["us-east", "linode/ubuntu22.04"],
        }
    }

    /// Returns the path at which servers are made, and under which each stands.
    #[must_use]
    pub const fn servers(self) -> &'static str {
        match self {
            Self::DigitalOcean => "/v2/droplets",
            Self::Linode => "/v4/linode/instances",
        }
    }

    /// Returns the name of the list of servers in the simulator's state.
    const fn list(self) -> &'static str {
        match self {
            Self::DigitalOcean => "droplets",
            Self::Linode => "instances",
        }
    }

    /// Returns a rule of the simulator for the calls that make servers.
    #[must_use]
    pub fn create_fault(self, when: &str, effect: Value) -> Value {
        json!({ "method": "POST", "path": self.servers(), "when": when, "effect": effect })
    }
}

impl std::fmt::Display for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// The simulators of both providers.
#[derive(Debug)]
pub struct Simulators {
    digitalocean: String,
    linode: String,
    http: reqwest::Client,
    /// Dropping it ends it.
    _process: Child,
}

impl Simulators {
    /// The account that the program's token opens.
    pub const MAIN: &'static str = "main";
    /// Another one.
    pub const OTHER: &'static str = "other";

    /// Starts both in one process, without rate limits that would be met.
    ///
    /// # Errors
    ///
    /// Fails if they do not start.
    pub async fn start(folder: &Path, seed: u64, time_scale: f64) -> Result<Self> {
        let log = folder.join("simulate.log");
        let out = folder.join("simulate.out");
        let mut process = Command::new(program()?)
            .args(["simulate", "--seed", &seed.to_string()])
            .args(["--time-scale", &time_scale.to_string()])
            .env_clear()
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&out)?)
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("could not start the simulators")?;
        let mut is_over = || Ok(process.try_wait()?.is_some());
        let digitalocean = word_in(&out, "digitalocean=", &mut is_over).await?;
        let linode = word_in(&out, "linode=", &mut is_over).await?;
        let simulators = Self {
            digitalocean,
            linode,
            http: reqwest::Client::builder().no_proxy().build()?,
            _process: process,
        };
        for vendor in Vendor::ALL {
            let limits = simulators
                .steer(vendor, "GET", "/_sim/limits", None)
                .await?;
            let names = limits.get("limits").and_then(Value::as_object);
            // The window is short, too: a new life of the program would otherwise count what the
            // lives before it have called, and wait for it to be forgotten.
            let wide = |name: &String| (name.clone(), json!({ "calls": 1_000_000, "seconds": 1 }));
            let wide: Value = names
                .into_iter()
                .flat_map(|it| it.keys())
                .map(wide)
                .collect();
            simulators
                .steer(vendor, "POST", "/_sim/limits", Some(wide))
                .await?;
            let own = json!({ "token": OWN_TOKEN, "account": "main", "scopes": "full" });
            simulators
                .steer(vendor, "POST", "/_sim/tokens", Some(own))
                .await?;
        }
        Ok(simulators)
    }

    /// Returns where a provider listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self, vendor: Vendor) -> &str {
        match vendor {
            Vendor::DigitalOcean => &self.digitalocean,
            Vendor::Linode => &self.linode,
        }
    }

    /// Adds faults: one rule or a list, as `/_sim/faults` takes them.
    ///
    /// # Errors
    ///
    /// Fails if the simulator refuses one.
    pub async fn add_faults(&self, vendor: Vendor, faults: Value) -> Result<()> {
        self.steer(vendor, "POST", "/_sim/faults", Some(faults))
            .await?;
        Ok(())
    }

    /// Removes all faults.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub async fn clear_faults(&self, vendor: Vendor) -> Result<()> {
        self.steer(vendor, "DELETE", "/_sim/faults", None).await?;
        Ok(())
    }

    /// Makes the program's token open another account from now on, or its own again.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub async fn open_account(&self, vendor: Vendor, account: &str) -> Result<()> {
        let change = json!({ "token": TOKEN_FULL, "account": account, "scopes": "full" });
        self.steer(vendor, "POST", "/_sim/tokens", Some(change))
            .await?;
        Ok(())
    }

    /// Returns the calls after a number, without the harness's own.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub async fn journal(&self, vendor: Vendor, after: u64) -> Result<Vec<Entry>> {
        let path = format!("/_sim/journal?after={after}");
        let mut answer = self.steer(vendor, "GET", &path, None).await?;
        let entries = answer
            .get_mut("journal")
            .map(Value::take)
            .unwrap_or_default();
        let entries: Vec<Entry> = serde_json::from_value(entries).context("an odd journal")?;
        let own = sha256(OWN_TOKEN);
        Ok(entries
            .into_iter()
            .filter(|it| it.token_sha256.as_deref() != Some(&*own))
            .collect())
    }

    /// Returns all servers of the program's account, deleted ones included.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub async fn objects(&self, vendor: Vendor) -> Result<Vec<Object>> {
        let state = self.steer(vendor, "GET", "/_sim/state", None).await?;
        let accounts = state.get("accounts").and_then(Value::as_array);
        let servers = accounts
            .into_iter()
            .flatten()
            .filter_map(|it| it.get(vendor.list())?.as_array())
            .flatten();
        Ok(servers.map(Object::read).collect())
    }

    /// Calls a provider as the harness itself. Returns the status and the answer.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub async fn call(
        &self,
        vendor: Vendor,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value)> {
        let url = format!("{}{path}", self.endpoint(vendor));
        let mut request = self
            .http
            .request(method.parse()?, url)
            .bearer_auth(OWN_TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    async fn steer(
        &self,
        vendor: Vendor,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value> {
        let (status, answer) = self.call(vendor, method, path, body).await?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} at the simulator of {vendor}: {status} {answer}");
        }
        Ok(answer)
    }
}

/// Returns the SHA-256 of a text in hexadecimal, by which a journal names tokens.
fn sha256(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect()
}
