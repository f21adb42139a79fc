//! DigitalOcean API v2 as a local server.

mod account;
mod actions;
mod catalogue;
mod create;
mod droplet;
mod droplets;
mod images;
mod joins;
mod keys;
mod limits;
mod paging;
mod refusal;
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
use crate::tokens::Scopes;
use crate::vendor::{Answer, Call, Kind, Vendor};

use self::account::{Account, Ids};
use self::limits::Limits;
use self::refusal::Refusal;

/// Starts DigitalOcean's API.
#[derive(Debug)]
pub struct DigitalOceanSim;

impl DigitalOceanSim {
    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] and whatever else listening can refuse;
    /// [`io::ErrorKind::InvalidInput`] for a time scale out of bounds or a limit that
    /// the vendor does not have.
    pub fn start(address: SocketAddr, config: SimulatorConfig) -> io::Result<Running> {
        server::start(address, config, &limits::LIMITS, DigitalOcean::new)
    }
}

/// The vendor: all accounts behind one lock.
#[derive(Debug)]
struct DigitalOcean {
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
}

type Reply = Result<Answer, Refusal>;

impl DigitalOcean {
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

    fn reply(&self, cloud: &mut Cloud, call: &Call, now: Instant) -> Reply {
        let digest = call.bearer_digest().unwrap_or_default();
        let grant = self
            .stage
            .tokens
            .find(&digest)
            .ok_or_else(Refusal::unauthorized)?;
        cloud.limits.admit(&self.stage.limits, &digest, call, now)?;
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
        route(desk)
    }

    fn vendor_headers(&self, cloud: &mut Cloud, call: &Call) -> Vec<(String, String)> {
        let digest = call.bearer_digest().unwrap_or_default();
        let now = self.stage.clock.now();
        cloud.limits.headers(&self.stage.limits, &digest, now)
    }

    fn request_id(&self, cloud: &mut Cloud) -> String {
        self.stage
            .draw
            .uuid(&format!("request/{}", cloud.ids.request()))
    }
}

impl Vendor for DigitalOcean {
    fn answer(&self, call: &Call) -> Answer {
        let mut cloud = self.cloud.lock();
        let now = self.stage.clock.now();
        let request_id = self.request_id(&mut cloud);
        let reply = self.reply(&mut cloud, call, now);
        let mut headers = self.vendor_headers(&mut cloud, call);
        headers.push(("x-request-id".to_owned(), request_id.clone()));
        let mut answer = match reply {
            Ok(answer) => answer,
            Err(refusal) => {
                if refusal.is_throttle() {
                    headers.retain(|(name, _)| name != "ratelimit-remaining");
                    headers.push(("ratelimit-remaining".to_owned(), "0".to_owned()));
                }
                refusal.into_answer(&request_id)
            }
        };
        answer.headers.append(&mut headers);
        answer
    }

    fn too_large(&self) -> Answer {
        Refusal::too_large().into_answer(&self.request_id(&mut self.cloud.lock()))
    }

    fn headers(&self, call: &Call) -> Vec<(String, String)> {
        let mut cloud = self.cloud.lock();
        let mut headers = self.vendor_headers(&mut cloud, call);
        headers.push(("x-request-id".to_owned(), self.request_id(&mut cloud)));
        headers
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn marks(&self, id: &str) -> Option<(String, Vec<String>)> {
        let id: u64 = id.parse().ok()?;
        let cloud = self.cloud.lock();
        let it = cloud
            .accounts
            .values()
            .find_map(|it| it.droplets.get(&id))?;
        Some((it.name.clone(), it.tags.clone()))
    }

    fn site(&self, kind: Kind) -> Site {
        let (method, path, id) = match kind {
            Kind::Create => (Some("POST"), "/v2/droplets", Some("/droplet/id")),
            Kind::Delete => (Some("DELETE"), "/v2/droplets/{id}", None),
            Kind::Resize => (
                Some("POST"),
                "/v2/droplets/{id}/actions",
                Some("/action/id"),
            ),
            Kind::Get => (Some("GET"), "/v2/droplets/{id}", Some("/droplet/id")),
            Kind::List => (Some("GET"), "/v2/droplets", None),
            Kind::Account => (Some("GET"), "/v2/account", None),
            Kind::Any => (None, "/v2/*", None),
        };
        Site {
            method,
            path,
            body_contains: (kind == Kind::Resize).then_some("\"resize\""),
            id,
            has_body: kind != Kind::Delete,
        }
    }

    fn error_body(&self, status: u16) -> Value {
        let (id, message) = match status {
            401 => ("unauthorized", "Unable to authenticate you."),
            403 => (
                "forbidden",
                "You are not authorized to perform this operation",
            ),
            408 => ("request_timeout", "The request took too long."),
            429 => ("too_many_requests", "API rate limit exceeded."),
            503 => ("service_unavailable", "Service unavailable."),
            _ => ("server_error", "Unexpected server-side error"),
        };
        json!({ "id": id, "message": message })
    }

    fn state(&self) -> Value {
        let mut cloud = self.cloud.lock();
        let now = self.stage.clock.now();
        self.open_accounts(&mut cloud);
        let accounts: Vec<Value> = cloud
            .accounts
            .values_mut()
            .map(|account| {
                account.settle(now);
                account.state(now, self.stage.config.server_limit)
            })
            .collect();
        json!({ "vendor": "digitalocean", "now": now.rfc3339(), "accounts": accounts })
    }
}

fn route(desk: Desk<'_>) -> Reply {
    let path = desk.call.path.trim_start_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    let Some((&"v2", rest)) = segments.split_first() else {
        return Err(Refusal::not_found());
    };
    match (desk.call.method.as_str(), rest) {
        ("GET", ["account"]) => Ok(account::show(&desk)),
        ("GET", ["account", "keys"]) => Ok(keys::list(&desk)),
        ("POST", ["account", "keys"]) => keys::add(desk),
        ("GET", ["account", "keys", key]) => keys::show(&desk, key),
        ("PUT", ["account", "keys", key]) => keys::rename(desk, key),
        ("DELETE", ["account", "keys", key]) => keys::remove(desk, key),
        ("GET", ["sizes"]) => Ok(catalogue::list_sizes(desk.call)),
        ("GET", ["regions"]) => Ok(catalogue::list_regions(desk.call)),
        ("GET", ["1-clicks"]) => Ok(catalogue::list_one_clicks(desk.call)),
        ("GET", ["images"]) => Ok(images::list(&desk)),
        ("GET", ["images", image]) => images::show(&desk, image),
        ("GET", ["droplets"]) => droplets::list(&desk),
        ("POST", ["droplets"]) => create::create(desk),
        ("DELETE", ["droplets"]) => droplets::remove_tagged(desk),
        ("GET", ["droplets", "backups", "supported_policies"]) => Ok(joins::supported_policies()),
        ("GET", ["droplets", id]) => droplets::show(&desk, id),
        ("DELETE", ["droplets", id]) => droplets::remove(desk, id),
        ("GET", ["droplets", id, "actions"]) => actions::list_of_droplet(&desk, id),
        ("POST", ["droplets", id, "actions"]) => actions::start(desk, id),
        ("GET", ["droplets", id, "actions", action]) => actions::show_of_droplet(&desk, id, action),
        ("GET", ["droplets", id, "backups", "policy"]) => joins::show_policy(&desk, id),
        ("GET", ["droplets", id, "firewalls"]) => joins::list_firewalls_of(&desk, id),
        ("GET", ["firewalls"]) => Ok(joins::list_firewalls(&desk)),
        ("GET", ["firewalls", id]) => joins::show_firewall(&desk, id),
        ("GET", ["vpcs"]) => Ok(joins::list_vpcs(&desk)),
        ("GET", ["vpcs", id]) => joins::show_vpc(&desk, id),
        ("GET", ["actions"]) => Ok(actions::list(&desk)),
        ("GET", ["actions", action]) => actions::show(&desk, action),
        ("GET", ["tags"]) => Ok(tags::list(&desk)),
        ("POST", ["tags"]) => tags::add(desk),
        ("GET", ["tags", tag]) => tags::show(&desk, tag),
        ("DELETE", ["tags", tag]) => tags::remove(desk, tag),
        ("POST", ["tags", tag, "resources"]) => tags::attach(desk, tag),
        ("DELETE", ["tags", tag, "resources"]) => tags::detach(desk, tag),
        _ => Err(Refusal::not_found()),
    }
}

/// Reads a body that must be a JSON object.
fn object(call: &Call) -> Result<Value, Refusal> {
    match serde_json::from_slice(&call.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Refusal::bad_request(
            "The request body must be a JSON object.",
        )),
        Err(_) => Err(Refusal::bad_request(
            "There was a problem parsing the JSON body.",
        )),
    }
}
