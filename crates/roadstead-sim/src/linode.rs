//! Linode API v4 as a local server.

mod account;
mod actions;
mod catalogue;
mod checks;
mod create;
mod events;
mod filter;
mod images;
mod instance;
mod instances;
mod joins;
mod keys;
mod limits;
mod paging;
mod rebuild;
mod refusal;
mod scopes;
mod stackscripts;
mod tags;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::clock::Instant;
use crate::config::SimulatorConfig;
use crate::presets::Site;
use crate::server::{self, Running};
use crate::stage::Stage;
use crate::tokens::{Grant, Scopes};
use crate::vendor::{Answer, Call, Kind, Vendor};

use self::account::{Account, Ids};
use self::limits::Limits;
use self::refusal::Refusal;

/// Starts Linode's API.
#[derive(Debug)]
pub struct LinodeSim;

impl LinodeSim {
    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] and whatever else listening can refuse;
    /// [`io::ErrorKind::InvalidInput`] for a time scale out of bounds or a limit that
    /// the vendor does not have.
    pub fn start(address: SocketAddr, config: SimulatorConfig) -> io::Result<Running> {
        server::start(address, config, &limits::LIMITS, Linode::new)
    }
}

/// The vendor: all accounts behind one lock.
#[derive(Debug)]
struct Linode {
    stage: Arc<Stage>,
    cloud: Mutex<Cloud>,
}

#[derive(Debug, Default)]
struct Cloud {
    accounts: BTreeMap<String, Account>,
    ids: Ids,
    limits: Limits,
}

/// What a handler works with: one account, one call, one moment.
struct Desk<'a> {
    stage: &'a Stage,
    account: &'a mut Account,
    ids: &'a mut Ids,
    call: &'a Call,
    now: Instant,
}

impl Desk<'_> {
    /// Returns the moment whose servers a list shows: now, unless a fault has made it stale.
    fn as_of(&self) -> Instant {
        let stale = Duration::from_millis(self.call.effect.stale_ms.unwrap_or(0));
        self.now.before(self.stage.clock.scaled(stale))
    }

    /// Draws how long something takes, in milliseconds at scale 1.
    fn wait(&self, name: &str, (low, high): (u64, u64)) -> Duration {
        let wait = self.stage.draw.wait(name, low, high);
        self.stage.clock.scaled(wait)
    }
}

type Reply = Result<Answer, Refusal>;

impl Linode {
    fn new(stage: Arc<Stage>) -> Self {
        let sim = Self {
            stage,
            cloud: Mutex::default(),
        };
        sim.open_accounts(&mut sim.cloud.lock());
        sim
    }

    fn open_accounts(&self, cloud: &mut Cloud) {
        for name in self.stage.tokens.accounts() {
            cloud
                .accounts
                .entry(name)
                .or_insert_with_key(|name| Account::new(name));
        }
    }

    /// Returns what the caller may do, or nothing if no token was sent.
    fn grant(&self, call: &Call) -> Result<Option<Grant>, Refusal> {
        if call.header("authorization").is_none() {
            return Ok(None);
        }
        let digest = call.bearer_digest().unwrap_or_default();
        let grant = self.stage.tokens.find(&digest);
        grant.map(Some).ok_or_else(Refusal::unauthorized)
    }

    fn reply(&self, cloud: &mut Cloud, call: &Call, now: Instant) -> Reply {
        let path = segments(call).ok_or_else(Refusal::not_found)?;
        let grant = self.grant(call)?;
        cloud.limits.admit(&self.stage.limits, call, &path, now)?;
        let Some(grant) = grant else {
            // What does not exist is said to everybody.
            return catalogue::route(call, &path, &[]).unwrap_or_else(|| {
                Err(
                    if NEEDS_TOKEN.contains(&path.first().copied().unwrap_or("")) {
                        Refusal::unauthorized()
                    } else {
                        Refusal::not_found()
                    },
                )
            });
        };
        if grant.scopes == Scopes::Read && call.method != "GET" {
            return Err(Refusal::forbidden());
        }
        let name = call.effect.account.as_ref().unwrap_or(&grant.account);
        let account = cloud
            .accounts
            .entry(name.clone())
            .or_insert_with_key(|name| Account::new(name));
        account.settle(now);
        let desk = Desk {
            stage: &self.stage,
            account,
            ids: &mut cloud.ids,
            call,
            now,
        };
        route(desk, &path)
    }

    /// Returns the headers that do not depend on the answer.
    fn usual_headers(&self, cloud: &Cloud, call: &Call) -> Vec<(String, String)> {
        let path = segments(call).unwrap_or_default();
        let now = self.stage.clock.now();
        let mut headers = cloud.limits.headers(&self.stage.limits, call, &path, now);
        let grant = self.grant(call).ok().flatten();
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        add("x-oauth-scopes", scopes::held(grant.map(|it| it.scopes)));
        add(
            "x-accepted-oauth-scopes",
            scopes::needed(&call.method, &path),
        );
        add("x-spec-version", "4.235.1");
        headers
    }
}

impl Vendor for Linode {
    fn answer(&self, call: &Call) -> Answer {
        let mut cloud = self.cloud.lock();
        let now = self.stage.clock.now();
        let reply = self.reply(&mut cloud, call, now);
        let mut headers = self.usual_headers(&cloud, call);
        // Measured: the vendor says on every answer of its own, refused or not,
        // when the window ends. It does not mean that the caller is throttled.
        let path = segments(call).unwrap_or_default();
        let wait = cloud
            .limits
            .seconds_left(&self.stage.limits, call, &path, now);
        headers.push(("retry-after".to_owned(), wait.to_string()));
        let mut answer = reply.unwrap_or_else(Refusal::into_answer);
        answer.headers.append(&mut headers);
        "application/json".clone_into(&mut answer.content_type);
        answer
    }

    fn too_large(&self) -> Answer {
        Refusal::too_large().into_answer()
    }

    fn headers(&self, call: &Call) -> Vec<(String, String)> {
        self.usual_headers(&self.cloud.lock(), call)
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &["root_pass", "*password*"]
    }

    fn marks(&self, id: &str) -> Option<(String, Vec<String>)> {
        let id: u64 = id.parse().ok()?;
        let cloud = self.cloud.lock();
        let it = cloud
            .accounts
            .values()
            .find_map(|it| it.instances.get(&id))?;
        Some((it.label.clone(), it.tags.clone()))
    }

    fn site(&self, kind: Kind) -> Site {
        let (method, path, id) = match kind {
            Kind::Create => (Some("POST"), "/v4/linode/instances", Some("/id")),
            Kind::Delete => (Some("DELETE"), "/v4/linode/instances/{id}", None),
            Kind::Resize => (Some("POST"), "/v4/linode/instances/{id}/resize", None),
            Kind::Get => (Some("GET"), "/v4/linode/instances/{id}", Some("/id")),
            Kind::List => (Some("GET"), "/v4/linode/instances", None),
            Kind::Account => (Some("GET"), "/v4/account", None),
            Kind::Any => (None, "/v4/*", None),
        };
        Site {
            method,
            path,
            body_contains: None,
            id,
            has_body: !matches!(kind, Kind::Delete | Kind::Resize),
        }
    }

    fn error_body(&self, status: u16) -> Value {
        let reason = match status {
            401 => "Invalid Token",
            403 => "Your OAuth token is not authorized to use this endpoint.",
            408 => "Please try again",
            429 => "Too many requests",
            503 => "Service unavailable",
            _ => "Internal Server Error",
        };
        json!({ "errors": [{ "reason": reason }] })
    }

    fn state(&self) -> Value {
        let mut cloud = self.cloud.lock();
        let now = self.stage.clock.now();
        self.open_accounts(&mut cloud);
        let limit = self.stage.config.server_limit;
        let accounts: Vec<Value> = cloud
            .accounts
            .values_mut()
            .map(|account| {
                account.settle(now);
                account.state(now, limit)
            })
            .collect();
        json!({ "vendor": "linode", "now": now.rfc3339(), "accounts": accounts })
    }
}

/// The beginnings of paths that exist and are not public.
const NEEDS_TOKEN: &[&str] = &[
    "account",
    "linode",
    "networking",
    "placement",
    "profile",
    "tags",
    "vpcs",
];

/// Returns the path after the version, or nothing for a version nobody has.
fn segments(call: &Call) -> Option<Vec<&str>> {
    let mut segments = call.path.trim_start_matches('/').split('/');
    matches!(segments.next(), Some("v4" | "v4beta")).then(|| segments.collect())
}

fn route(desk: Desk<'_>, path: &[&str]) -> Reply {
    let own_images: Vec<Value> = desk.account.images.clone();
    if let Some(reply) = catalogue::route(desk.call, path, &own_images) {
        return reply;
    }
    match (desk.call.method.as_str(), path) {
        ("GET", ["account"]) => Ok(account::show(&desk)),
        ("GET", ["account", "events"]) => events::list(&desk),
        ("GET", ["account", "events", id]) => events::show(&desk, id),
        ("GET", ["profile"]) => Ok(account::profile(&desk)),
        ("GET", ["profile", "sshkeys"]) => keys::list(&desk),
        ("POST", ["profile", "sshkeys"]) => keys::add(desk),
        ("GET", ["profile", "sshkeys", id]) => keys::show(&desk, id),
        ("PUT", ["profile", "sshkeys", id]) => keys::rename(desk, id),
        ("DELETE", ["profile", "sshkeys", id]) => keys::remove(desk, id),
        ("GET", ["linode", "stackscripts"]) => stackscripts::list(&desk),
        ("GET", ["linode", "stackscripts", id]) => stackscripts::show(&desk, id),
        ("GET", ["linode", "instances"]) => instances::list(&desk),
        ("POST", ["linode", "instances"]) => create::create(desk),
        ("GET", ["linode", "instances", id]) => instances::show(&desk, id),
        ("PUT", ["linode", "instances", id]) => instances::update(desk, id),
        ("DELETE", ["linode", "instances", id]) => instances::remove(desk, id),
        ("POST", ["linode", "instances", id, "rebuild"]) => rebuild::rebuild(desk, id),
        ("POST", ["linode", "instances", id, action]) => actions::start(desk, id, action),
        ("GET", ["networking", "firewalls"]) => joins::list_firewalls(&desk),
        ("GET", ["networking", "firewalls", id]) => joins::show_firewall(&desk, id),
        ("GET", ["vpcs"]) => joins::list_vpcs(&desk),
        ("GET", ["vpcs", id]) => joins::show_vpc(&desk, id),
        ("GET", ["vpcs", id, "subnets"]) => joins::list_subnets(&desk, id),
        ("GET", ["placement", "groups"]) => joins::list_groups(&desk),
        ("GET", ["placement", "groups", id]) => joins::show_group(&desk, id),
        ("GET", ["tags"]) => tags::list(&desk),
        ("POST", ["tags"]) => tags::add(desk),
        ("GET", ["tags", tag]) => tags::show(&desk, tag),
        ("DELETE", ["tags", tag]) => tags::remove(desk, tag),
        _ => Err(Refusal::not_found()),
    }
}

/// Returns an object with other members added or replaced.
fn with(mut object: Value, members: Value) -> Value {
    if let (Value::Object(object), Value::Object(mut members)) = (&mut object, members) {
        object.append(&mut members);
    }
    object
}

/// Reads a body that must be a JSON object.
fn object(call: &Call) -> Result<Value, Refusal> {
    match serde_json::from_slice(&call.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Refusal::invalid("The request body must be a JSON object")),
        Err(_) => Err(Refusal::invalid("Invalid JSON")),
    }
}

/// Reads a body that may be absent, but must otherwise be a JSON object.
fn object_or_nothing(call: &Call) -> Result<Value, Refusal> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    object(call)
}
