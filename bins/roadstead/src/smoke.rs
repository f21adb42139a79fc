//! The smoke test: the real HTTP API through the whole life of a server at every vendor.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::demo::{Demo, Simulated};

/// How long a step may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a step looks.
const LOOK: Duration = Duration::from_millis(200);

/// Drives every vendor, prints a line per step, and says whether all went well.
pub(crate) async fn run(demo: &Demo) -> anyhow::Result<ExitCode> {
    let mut failures = 0;
    let api = Api::login(demo).await?;
    for vendor in &demo.vendors {
        if let Err(error) = life(&api, vendor).await {
            say(&format!("{:<22} FAILED: {error:#}", vendor.name))?;
            failures += 1;
        }
    }
    for (name, why) in &demo.missing {
        say(&format!("{name:<22} not available yet: {why}"))?;
    }
    if failures == 0 {
        say("smoke: passed")?;
        Ok(ExitCode::SUCCESS)
    } else {
        say(&format!(
            "smoke: failed at {failures} of {} providers",
            demo.vendors.len()
        ))?;
        Ok(ExitCode::FAILURE)
    }
}

/// Returns a create request that a vendor accepts.
pub(crate) fn create_request(vendor: &Simulated, label: &str) -> Value {
    json!({
        "provider_type": vendor.kind,
        "label": label,
        "type": vendor.example.plan,
        "region": vendor.example.region,
        "image": vendor.example.image,
        "rootPassword": "Str0ng-harbor-Passw0rd",
    })
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("could not write to standard output")
}

async fn life(api: &Api, vendor: &Simulated) -> anyhow::Result<()> {
    let begun = Instant::now();
    let request = create_request(vendor, "smoke");
    let created = api.call(Method::POST, "/api/vps", Some(request)).await?;
    let kind = text(&created, "/instance/provider_type")?;
    ensure!(kind == vendor.kind, "created at `{kind}` instead");
    let server = Server {
        api,
        vendor,
        id: text(&created, "/instance/id")?,
    };
    step(vendor, "create", begun)?;

    let waiting = Instant::now();
    server.until("running").await?;
    server.finished(&created).await?;
    step(vendor, "running", waiting)?;

    server.act("reboot", "running").await?;
    server.act("shutdown", "stopped").await?;
    server.act("boot", "running").await?;

    let deleting = Instant::now();
    let remote = server.remote().await?;
    let path = format!("/api/vps/{}", server.id);
    let accepted = api.call(Method::DELETE, &path, None).await?;
    server.finished(&accepted).await?;
    let left = server.at_vendor(&remote);
    ensure!(
        left.is_none(),
        "deleted here, but the vendor still has it: {left:?}"
    );
    step(vendor, "delete", deleting)?;
    say(&format!(
        "{:<22} {:<10} {:>6.2} s",
        vendor.name,
        "all",
        begun.elapsed().as_secs_f64()
    ))
}

fn step(vendor: &Simulated, name: &str, begun: Instant) -> anyhow::Result<()> {
    say(&format!(
        "{:<22} {name:<10} {:>6.2} s",
        vendor.name,
        begun.elapsed().as_secs_f64()
    ))
}

struct Server<'a> {
    api: &'a Api,
    vendor: &'a Simulated,
    id: String,
}

impl Server<'_> {
    async fn act(&self, action: &str, wanted: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        let path = format!("/api/vps/{}/{action}", self.id);
        let accepted = self.api.call(Method::POST, &path, None).await?;
        self.finished(&accepted).await?;
        self.until(wanted).await?;
        step(self.vendor, action, begun)
    }

    /// Waits for a status, and checks it against the vendor's own books at once.
    async fn until(&self, wanted: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let path = format!("/api/vps/{}", self.id);
        loop {
            let shown = self.api.call(Method::GET, &path, None).await?;
            let status = text(&shown, "/instance/status")?;
            if status == wanted {
                let remote = text(&shown, "/instance/provider_instance_id")?;
                let truth = self.at_vendor(&remote).unwrap_or_default();
                ensure!(
                    truth == wanted,
                    "the API shows `{wanted}` while the provider's own state is `{truth}`"
                );
                return Ok(());
            }
            if matches!(&*status, "failed" | "attention" | "missing") {
                let problem = text(&shown, "/instance/problem").unwrap_or_default();
                bail!("the server is `{status}`: {problem}");
            }
            ensure!(
                Instant::now() < deadline,
                "still `{status}` after {} s",
                PATIENCE.as_secs()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until an operation is over, and checks that it succeeded.
    async fn finished(&self, accepted: &Value) -> anyhow::Result<()> {
        let path = format!(
            "/api/operations/{}?wait=30",
            text(accepted, "/operation/id")?
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.api.call(Method::GET, &path, None).await?;
            match text(&shown, "/operation/state")?.as_str() {
                "succeeded" => return Ok(()),
                "failed" | "attention" => bail!(
                    "{} failed: {}",
                    text(&shown, "/operation/kind")?,
                    text(&shown, "/operation/error/error").unwrap_or_default()
                ),
                state => ensure!(
                    Instant::now() < deadline,
                    "the operation is still `{state}`"
                ),
            }
        }
    }

    async fn remote(&self) -> anyhow::Result<String> {
        let shown = self
            .api
            .call(Method::GET, &format!("/api/vps/{}", self.id), None)
            .await?;
        text(&shown, "/instance/provider_instance_id")
    }

    /// Returns the state in the vendor's own books, in our words; `None` when it is gone.
    fn at_vendor(&self, remote: &str) -> Option<String> {
        let state = self.vendor.simulator.handle().state();
        true_state(&state, remote)
    }
}

/// Finds a server in a simulator's own state, whatever the vendor calls it.
fn true_state(state: &Value, remote: &str) -> Option<String> {
    let accounts = state.get("accounts")?.as_array()?;
    let servers = accounts.iter().flat_map(|account| {
        let lists = ["droplets", "instances"].map(|it| account.get(it).and_then(Value::as_array));
        lists.into_iter().flatten().flatten()
    });
    let remote: u64 = remote.parse().ok()?;
    let is_it = |it: &&Value| it.get("id").and_then(Value::as_u64) == Some(remote);
    let server = servers.into_iter().find(is_it)?;
    if server.get("deleted").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    Some(match server.get("status")?.as_str()? {
        "active" | "running" => "running".to_owned(),
        "off" | "offline" => "stopped".to_owned(),
        other => other.to_owned(),
    })
}

fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned);
    found.with_context(|| format!("the answer has no text at `{pointer}`"))
}

struct Api {
    client: Client,
    address: String,
    token: String,
}

impl Api {
    async fn login(demo: &Demo) -> anyhow::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(40))
            .build()?;
        let address = format!("http://{}", demo.running.address);
        let mut api = Self {
            client,
            address,
            token: String::new(),
        };
        let credentials = json!({ "email": demo.member.0, "password": demo.member.1.expose() });
        let answer = api
            .call(Method::POST, "/api/auth/login", Some(credentials))
            .await?;
        api.token = text(&answer, "/token")?;
        Ok(api)
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.address))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("{method} {path}"))?;
        let status = response.status();
        let answer: Value = response
            .json()
            .await
            .with_context(|| format!("{method} {path} answered no JSON"))?;
        ensure!(
            status.is_success(),
            "{method} {path} answered {status}: {answer}"
        );
        Ok(answer)
    }
}
