//! The providers: their simulators, what is made there past the program, and what they have heard.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::child::simulators::Endpoints;
use crate::http;
use crate::process::{Running, myself};

/// Another token of the same account: what is done past the program is none of its calls.
const TOKEN_PAST: &str = "a-token-past-the-program";

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
        let endpoints: Endpoints = serde_json::from_str(&process.line("digitalocean")?)?;
        let token = json!({ "token": TOKEN_PAST, "account": "main", "scopes": "full" });
        for endpoint in [&endpoints.digitalocean, &endpoints.linode] {
            http::bytes(&format!("{endpoint}/_sim/tokens"), None, Some(&token))?;
        }
        Ok(Self {
            _process: process,
            endpoints,
        })
    }

    /// Returns where a provider listens, and the path of its servers.
    pub(crate) fn of(&self, kind: &str) -> (&str, &'static str) {
        match kind {
            "linode" => (&self.endpoints.linode, "/v4/linode/instances"),
            _ => (&self.endpoints.digitalocean, "/v2/droplets"),
        }
    }

    /// Makes a server at a provider, past the program.
    ///
    /// # Errors
    ///
    /// Fails if it is refused.
    pub(crate) fn make(&self, kind: &str, server: &Value) -> Result<()> {
        let (endpoint, path) = self.of(kind);
        http::ask(&format!("{endpoint}{path}"), Some(TOKEN_PAST), Some(server))?;
        Ok(())
    }

    /// Returns how often a provider was asked for a path.
    ///
    /// # Errors
    ///
    /// Fails if the simulator does not answer.
    pub(crate) fn calls(&self, endpoint: &str, path: &str) -> Result<usize> {
        let journal = journal(endpoint, 0)?;
        Ok(journal.iter().filter(|it| it.path == path).count())
    }
}

/// Returns what a provider is asked for when a server is made past the program.
pub(crate) fn server(kind: &str, name: &str, tag: &str) -> Value {
    match kind {
        "linode" => json!({
            "label": name, "region": "us-east", "type": "g6-nanode-1",
            "image": "linode/ubuntu24.04", "root_pass": "Str0ng-harbor-Passw0rd", "tags": [tag],
        }),
        _ => json!({
            "name": name, "region": "nyc3", "size": "s-1vcpu-1gb", "image": "ubuntu-22-04-x64",
            "tags": [tag],
        }),
    }
}

/// Returns the same for a droplet with graphics processors.
pub(crate) fn gpu_droplet(name: &str, tag: &str) -> Value {
    json!({
        "name": name, "region": "nyc2", "size": "gpu-h100x1-80gb", "image": "gpu-h100x1-base",
        "tags": [tag],
    })
}

/// Returns the calls that a provider has had after the one with this number.
///
/// # Errors
///
/// Fails if the simulator does not answer.
pub(crate) fn journal(endpoint: &str, after: u64) -> Result<Vec<Call>> {
    let url = format!("{endpoint}/_sim/journal?after={after}");
    let journal: Journal = serde_json::from_slice(&http::bytes(&url, None, None)?)?;
    Ok(journal.journal)
}

#[derive(Debug, Deserialize)]
struct Journal {
    journal: Vec<Call>,
}

/// A call that a provider has had.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) sequence: u64,
    /// By the simulator's clock.
    pub(crate) time: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}
