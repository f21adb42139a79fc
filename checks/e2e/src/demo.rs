//! The demonstration as a program: its address, its people and its simulated vendors.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{Quiet, Running};

/// By how much the simulators hurry.
const TIME_SCALE: &str = "20";

/// Somebody who can log in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The address to log in with.
    pub(crate) email: String,
    /// The password.
    pub(crate) password: String,
}

/// What can be created at which vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// The vendor's name for people.
    pub(crate) vendor: &'static str,
    /// Its name in the API.
    pub(crate) kind: &'static str,
    /// A region: its id, and how it is called.
    pub(crate) region: (&'static str, &'static str),
    /// A plan.
    pub(crate) plan: &'static str,
    /// A larger one.
    pub(crate) larger: &'static str,
    /// An image: its id, and how it is called.
    pub(crate) image: (&'static str, &'static str),
}

/// A choice at each vendor.
pub(crate) const CHOICES: [Choice; 2] = [
    Choice {
        vendor: "DigitalOcean",
        kind: "digitalocean",
        region: ("nyc3", "New York 3"),
        plan: "s-1vcpu-1gb",
        larger: "s-1vcpu-2gb",
        image: ("ubuntu-22-04-x64", "Ubuntu 22.04 (LTS) x64"),
    },
    Choice {
        vendor: "Linode",
        kind: "linode",
        region: ("us-east", "Newark, NJ"),
        plan: "g6-nanode-1",
        larger: "g6-standard-1",
        image: ("linode/ubuntu24.04", "Ubuntu 24.04 LTS"),
    },
];

/// A password that every vendor takes.
pub(crate) const PASSWORD: &str = "Str0ng-harbor-Passw0rd";

/// A simulated vendor.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    /// Its name for people.
    pub(crate) name: String,
    /// Where its simulator is controlled.
    pub(crate) endpoint: String,
}

/// The demonstration.
#[derive(Debug)]
pub(crate) struct Demo {
    /// Its address, without a slash at the end.
    pub(crate) address: String,
    /// Who may do everything.
    pub(crate) operator: Person,
    /// Who may run servers.
    pub(crate) member: Person,
    /// The vendors.
    pub(crate) vendors: Vec<Vendor>,
    program: Quiet,
    client: reqwest::Client,
}

impl Demo {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// Fails if the program is not there or does not start.
    pub(crate) async fn start() -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args([
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--time-scale",
            TIME_SCALE,
        ]);
        let mut running = Running::start(&mut command)?;
        let address = running
            .read(|line| {
                let rest = line.strip_prefix("Roadstead is up at ")?;
                Some(rest.split([',', ' ']).next()?.to_owned())
            })
            .await?;
        let mut vendors = Vec::new();
        let operator = loop {
            let line = running.read(|line| Some(line.trim().to_owned())).await?;
            if let Some(person) = person(&line, "operator") {
                break person;
            }
            if let Some((name, endpoint)) = line.split_once("  ")
                && endpoint.trim().starts_with("http://127.0.0.1:")
            {
                vendors.push(Vendor {
                    name: name.to_owned(),
                    endpoint: endpoint.trim().to_owned(),
                });
            }
        };
        let member = running.read(|line| person(line.trim(), "member")).await?;
        ensure!(!vendors.is_empty(), "the demonstration named no vendor");
        Ok(Self {
            address,
            operator,
            member,
            vendors,
            program: running.listen_no_more(),
            client: reqwest::Client::builder().build()?,
        })
    }

    /// Returns the simulated vendor of this name.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub(crate) fn vendor(&self, name: &str) -> Result<&Vendor> {
        self.vendors
            .iter()
            .find(|it| it.name == name)
            .with_context(|| format!("the demonstration simulates no {name}"))
    }

    /// Creates a server of the member's by the API, and returns its id.
    ///
    /// # Errors
    ///
    /// Fails if it is refused.
    pub(crate) async fn create(&self, vendor: &str, label: &str) -> Result<String> {
        let choice = choice(vendor)?;
        let body = json!({
            "provider_type": choice.kind,
            "label": label,
            "type": choice.plan,
            "region": choice.region.0,
            "image": choice.image.0,
            "rootPassword": PASSWORD,
        });
        let created = self
            .api(&self.member, reqwest::Method::POST, "/api/vps", Some(&body))
            .await?;
        let id = created.pointer("/instance/id").and_then(Value::as_str);
        Ok(id.context("the answer names no server")?.to_owned())
    }

    /// Returns the last step of the wizard, with everything before it chosen.
    ///
    /// # Errors
    ///
    /// Fails if the vendor has no account or no plan on sale.
    pub(crate) async fn details(&self, vendor: &str) -> Result<String> {
        let query = self.chosen(vendor).await?;
        Ok(format!("/create/details{query}"))
    }

    /// Returns what the steps of the wizard carry along in their addresses.
    ///
    /// # Errors
    ///
    /// Fails if the vendor has no account or no plan on sale.
    pub(crate) async fn chosen(&self, vendor: &str) -> Result<String> {
        let choice = choice(vendor)?;
        let get = reqwest::Method::GET;
        let accounts = self
            .api(&self.operator, get, "/api/admin/providers", None)
            .await?;
        let accounts = accounts.get("providers").and_then(Value::as_array);
        let account = accounts
            .into_iter()
            .flatten()
            .find(|it| it.get("type").and_then(Value::as_str) == Some(choice.kind))
            .and_then(|it| it.get("id")?.as_str())
            .with_context(|| format!("there is no account at {vendor}"))?;
        let plan = self.plan(choice, choice.plan).await?;
        let plan = plan.get("id").and_then(Value::as_str).context("no id")?;
        let image = choice.image.0.replace('/', "%2F");
        Ok(format!(
            "?account={account}&region={}&plan={plan}&image={image}",
            choice.region.0
        ))
    }

    /// Returns a plan on sale by its name at its vendor.
    ///
    /// # Errors
    ///
    /// Fails if it is not on sale.
    pub(crate) async fn plan(&self, choice: &Choice, name: &str) -> Result<Value> {
        let get = reqwest::Method::GET;
        let path = format!("/api/vps/plans?provider_type={}&limit=200", choice.kind);
        let plans = self.api(&self.member, get, &path, None).await?;
        let plans = plans.get("plans").and_then(Value::as_array);
        let mut plans = plans.into_iter().flatten();
        let plan = plans.find(|it| it.get("type").and_then(Value::as_str) == Some(name));
        Ok(plan
            .with_context(|| format!("{name} is not on sale"))?
            .clone())
    }

    /// Returns the member's servers whose label has this in it, as the API tells them.
    ///
    /// # Errors
    ///
    /// Fails if the API does.
    pub(crate) async fn servers(&self, label: &str) -> Result<Vec<Value>> {
        let path = format!("/api/vps?label={label}");
        let list = self
            .api(&self.member, reqwest::Method::GET, &path, None)
            .await?;
        let list = list.get("instances").and_then(Value::as_array);
        Ok(list.context("the answer has no list")?.clone())
    }

    /// Asks the API, as somebody who is logged in.
    ///
    /// # Errors
    ///
    /// Fails if the answer is not a success.
    pub(crate) async fn api(
        &self,
        who: &Person,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let login = json!({ "email": who.email, "password": who.password });
        let login = self
            .send(reqwest::Method::POST, "/api/auth/login", None, Some(&login))
            .await?;
        let token = login
            .pointer("/token")
            .or_else(|| login.pointer("/data/token"))
            .and_then(Value::as_str)
            .context("the login gave no token")?;
        self.send(method, path, Some(token), body).await
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{method} {path}: {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {path}: no JSON: {text}"))
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be ended.
    pub(crate) async fn end(self) -> Result<()> {
        self.program.end().await
    }
}

/// Returns what can be created at a vendor.
///
/// # Errors
///
/// Fails if there is no such vendor.
pub(crate) fn choice(vendor: &str) -> Result<&'static Choice> {
    CHOICES
        .iter()
        .find(|it| it.vendor == vendor)
        .with_context(|| format!("nothing is known that {vendor} sells"))
}

fn person(line: &str, role: &str) -> Option<Person> {
    let mut words = line.strip_prefix(role)?.split_whitespace();
    let email = words.next().filter(|it| it.contains('@'))?.to_owned();
    let password = words.next()?.to_owned();
    Some(Person { email, password })
}

/// Returns the program: it is built beside this check.
///
/// # Errors
///
/// Fails if it is not there.
pub(crate) fn program() -> Result<PathBuf> {
    let myself = std::env::current_exe().context("this program does not know where it is")?;
    let name = format!("roadstead{}", std::env::consts::EXE_SUFFIX);
    let beside = myself.with_file_name(name);
    ensure!(
        beside.is_file(),
        "there is no `{}`: run `cargo xtask e2e`, which builds it",
        beside.display()
    );
    Ok(beside)
}
