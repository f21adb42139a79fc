//! An account: its droplets, actions, keys, images and tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::ids::next;
use crate::tokens::identity;
use crate::vendor::Answer;

use super::Desk;
use super::actions::Action;
use super::droplet::Droplet;
use super::keys::Key;

/// The numbers that the vendor gives out, across accounts.
#[derive(Debug)]
pub(crate) struct Ids {
    droplet: u64,
    action: u64,
    key: u64,
    image: u64,
    address: u64,
    request: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            droplet: 480_000_000,
            action: 2_400_000_000,
            key: 46_000_000,
            image: 210_000_000,
            address: 0,
            request: 0,
        }
    }
}

impl Ids {
    pub(crate) const fn droplet(&mut self) -> u64 {
        next(&mut self.droplet)
    }

    pub(crate) const fn action(&mut self) -> u64 {
        next(&mut self.action)
    }

    pub(crate) const fn key(&mut self) -> u64 {
        next(&mut self.key)
    }

    pub(crate) const fn image(&mut self) -> u64 {
        next(&mut self.image)
    }

    /// Returns the place of a droplet in the address ranges.
    pub(crate) const fn address(&mut self) -> u64 {
        next(&mut self.address)
    }

    pub(crate) const fn request(&mut self) -> u64 {
        next(&mut self.request)
    }
}

/// A private image: a snapshot that somebody took.
#[derive(Debug)]
pub(crate) struct PrivateImage {
    pub(crate) ready: Option<Instant>,
    pub(crate) view: Value,
}

/// One account, which the vendor calls a team.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) droplets: BTreeMap<u64, Droplet>,
    pub(crate) actions: BTreeMap<u64, Action>,
    pub(crate) keys: BTreeMap<u64, Key>,
    pub(crate) images: BTreeMap<u64, PrivateImage>,
    pub(crate) tags: Vec<String>,
}

impl Account {
    pub(crate) fn new(name: &str) -> Self {
        let mut images = BTreeMap::new();
        if name == "main" {
            images.insert(
                190_000_001,
                PrivateImage {
                    ready: None,
                    view: golden_image(),
                },
            );
        }
        Self {
            name: name.to_owned(),
            droplets: BTreeMap::new(),
            actions: BTreeMap::new(),
            keys: BTreeMap::new(),
            images,
            tags: Vec::new(),
        }
    }

    /// Lets everything happen whose time has come.
    pub(crate) fn settle(&mut self, now: Instant) {
        for droplet in self.droplets.values_mut() {
            droplet.settle(now);
        }
    }

    /// Returns a droplet that still exists.
    pub(crate) fn droplet(&self, id: u64) -> Option<&Droplet> {
        self.droplets.get(&id).filter(|it| it.gone.is_none())
    }

    /// Returns a droplet that still exists, to change it.
    pub(crate) fn droplet_mut(&mut self, id: u64) -> Option<&mut Droplet> {
        self.droplets.get_mut(&id).filter(|it| it.gone.is_none())
    }

    /// Returns the droplets that still exist, oldest first.
    pub(crate) fn living(&self) -> impl Iterator<Item = &Droplet> {
        self.droplets.values().filter(|it| it.gone.is_none())
    }

    /// Makes the tag if nobody has, and returns it as it was first spelled.
    pub(crate) fn ensure_tag(&mut self, tag: &str) -> String {
        if let Some(known) = self.tags.iter().find(|it| it.eq_ignore_ascii_case(tag)) {
            return known.clone();
        }
        self.tags.push(tag.to_owned());
        tag.to_owned()
    }

    /// Returns everything about the account, for tests.
    pub(crate) fn state(&self, now: Instant, limit: usize) -> Value {
        let droplets: Vec<Value> = self.droplets.values().map(|it| it.state(now)).collect();
        let actions: Vec<Value> = self.actions.values().map(|it| it.view(now)).collect();
        let keys: Vec<Value> = self.keys.values().map(Key::view).collect();
        json!({
            "account": self.name,
            "uuid": self.uuid(),
            "team_uuid": self.team_uuid(),
            "droplet_limit": limit,
            "droplets": droplets,
            "actions": actions,
            "ssh_keys": keys,
            "tags": self.tags,
        })
    }

    fn uuid(&self) -> String {
        identity("digitalocean", "user", &self.name)
    }

    fn team_uuid(&self) -> String {
        identity("digitalocean", "team", &self.name)
    }
}

/// Answers `GET /v2/account`.
pub(crate) fn show(desk: &Desk<'_>) -> Answer {
    let account = &desk.account;
    let view = json!({
        "droplet_limit": desk.stage.config.server_limit,
        "floating_ip_limit": 3,
        "reserved_ip_limit": 3,
        "volume_limit": 100,
        "email": format!("{}@sim.example", account.name),
        "name": format!("Simulated {}", account.name),
        "uuid": account.uuid(),
        "email_verified": true,
        "status": "active",
        "status_message": "",
        "team": { "uuid": account.team_uuid(), "name": format!("Team {}", account.name) },
    });
    Answer::json(200, &json!({ "account": view }))
}

fn golden_image() -> Value {
    json!({
        "id": 190_000_001,
        "name": "golden-web",
        "distribution": "Ubuntu",
        "slug": null,
        "public": false,
        "regions": ["nyc3", "fra1"],
        "created_at": "2025-07-01T09:00:00Z",
        "type": "snapshot",
        "min_disk_size": 25,
        "size_gigabytes": 2.84,
        "description": "",
        "tags": [],
        "status": "available",
        "error_message": "",
    })
}
