//! The table of vendors that the tests run at.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use roadstead_core::{Descriptor, Provider, Result, Secret};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_http::Request;
use roadstead_linode::LinodeBuilder;
use roadstead_service::{Factory, OperationKind};
use roadstead_sim::{DigitalOceanSim, LinodeSim, Running, SimulatorConfig};
use serde_json::{Value, json};

/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(1);

/// How long a call may take with all its attempts.
const DEADLINE: Duration = Duration::from_secs(2);

/// Makes a provider from a token and an endpoint.
type Make = fn(Secret<String>, &str) -> Result<Arc<dyn Provider>>;

/// A vendor: how it is started and reached, what it sells, and how it spells things.
pub(crate) struct Vendor {
    /// The short name.
    pub(crate) kind: &'static str,
    /// Starts its simulator.
    pub(crate) start: fn(SocketAddr, SimulatorConfig) -> io::Result<Running>,
    /// Describes it.
    pub(crate) descriptor: fn() -> Descriptor,
    /// Makes a provider from a token and an endpoint.
    pub(crate) provider: Make,
    /// A small plan that is sold in `region`.
    pub(crate) plan: &'static str,
    /// A region.
    pub(crate) region: &'static str,
    /// An image that fits.
    pub(crate) image: &'static str,
    /// A larger plan that is sold in `region`.
    pub(crate) larger: &'static str,
    /// Another image that fits.
    pub(crate) other_image: &'static str,
    /// The path of what is done to a server, and the word in its body, if it is in there.
    pub(crate) action: fn(OperationKind) -> (&'static str, Option<&'static str>),
    /// The path of the log of what was done to a server.
    pub(crate) log: &'static str,
    /// A root password, where a server cannot be had without.
    pub(crate) password: Option<&'static str>,
    /// A plan with a region in which it is not sold.
    pub(crate) unsold: (&'static str, &'static str),
    /// The path of the list of servers; a `POST` to it creates one.
    pub(crate) path: &'static str,
    /// Under which name the simulator's state lists servers.
    pub(crate) servers: &'static str,
    /// Its words for a server that runs and for one that is switched off.
    pub(crate) words: (&'static str, &'static str),
    /// The methods of the calls that put a tag on a server and take one off, and their path.
    pub(crate) tagging: (&'static str, &'static str, &'static str),
    /// The calls that take our tags off a server.
    pub(crate) untag: fn(&Value) -> Vec<Request>,
}

impl Vendor {
    /// Returns what the platform makes accounts of this vendor with.
    pub(crate) fn factory(&'static self, endpoint: String) -> Factory {
        Factory::new((self.descriptor)(), move |token, _configuration| {
            (self.provider)(token, &endpoint)
        })
    }
}

pub(crate) static DIGITALOCEAN: Vendor = Vendor {
    kind: "digitalocean",
    start: DigitalOceanSim::start,
    descriptor: roadstead_digitalocean::descriptor,
    provider: |token, endpoint| {
        let provider = DigitalOceanBuilder::new(token)
            // No answer states it, so that the simulator cannot lift it.
            .with_burst_limit(1_000_000)
            .with_endpoint(endpoint)
            .with_attempt_timeout(ATTEMPT)
            .with_deadline(DEADLINE)
            .build()?;
        Ok(Arc::new(provider))
    },
    plan: "s-1vcpu-1gb",
    region: "fra1",
    image: "ubuntu-24-04-x64",
    larger: "s-1vcpu-2gb",
    other_image: "debian-12-x64",
    action: |kind| {
        let word = match kind {
            OperationKind::Boot => "power_on",
            kind => kind.as_str(),
        };
        ("/v2/droplets/{id}/actions", Some(word))
    },
    log: "/v2/droplets/{id}/actions",
    password: None,
    unsold: ("s-1vcpu-1gb-amd", "atl1"),
    path: "/v2/droplets",
    servers: "droplets",
    words: ("active", "off"),
    tagging: ("POST", "DELETE", "/v2/tags/{name}/resources"),
    untag: |server| {
        let id = server["id"].to_string();
        let tags = server["tags"].as_array().unwrap();
        let untag = |tag: &Value| {
            Request::delete("remove the tag", "/v2/tags/{name}/resources")
                .with_segment(tag.as_str().unwrap())
                .with_json(&json!({
                    "resources": [{ "resource_id": id, "resource_type": "droplet" }]
                }))
        };
        tags.iter().map(untag).collect()
    },
};

pub(crate) static LINODE: Vendor = Vendor {
    kind: "linode",
    start: LinodeSim::start,
    descriptor: roadstead_linode::descriptor,
    provider: |token, endpoint| {
        let provider = LinodeBuilder::new(token)
            .with_endpoint(endpoint)
            .with_attempt_timeout(ATTEMPT)
            .with_deadline(DEADLINE)
            .build()?;
        Ok(Arc::new(provider))
    },
    plan: "g6-nanode-1",
    region: "us-east",
    image: "linode/ubuntu24.04",
    larger: "g6-standard-1",
    other_image: "linode/debian12",
    action: |kind| {
        let path = match kind {
            OperationKind::Boot => "/v4/linode/instances/{id}/boot",
            OperationKind::Shutdown => "/v4/linode/instances/{id}/shutdown",
            OperationKind::Reboot => "/v4/linode/instances/{id}/reboot",
            OperationKind::Resize => "/v4/linode/instances/{id}/resize",
            OperationKind::Rebuild => "/v4/linode/instances/{id}/rebuild",
            kind => panic!("no path for {kind:?}"),
        };
        (path, None)
    },
    log: "/v4/account/events",
    password: Some("correct-Horse-7-battery"),
    unsold: ("g1-gpu-rtx6000-4", "eu-west"),
    path: "/v4/linode/instances",
    servers: "instances",
    words: ("running", "offline"),
    tagging: ("PUT", "PUT", "/v4/linode/instances/{id}"),
    untag: |server| {
        let request = Request::put("remove the tags", "/v4/linode/instances/{id}")
            .with_segment(server["id"].to_string())
            .with_json(&json!({ "tags": [] }));
        vec![request]
    },
};
