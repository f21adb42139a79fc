//! An account: its servers, events, keys, images and tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::ids::next;
use crate::tokens::identity;
use crate::vendor::Answer;

use super::Desk;
use super::events::Event;
use super::images::own_images;
use super::instance::Instance;
use super::keys::Key;

/// The numbers that the vendor gives out, across accounts.
#[derive(Debug)]
pub(crate) struct Ids {
    instance: u64,
    event: u64,
    key: u64,
    address: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            instance: 77_000_000,
            event: 900_000_000,
            key: 510_000,
            address: 0,
        }
    }
}

impl Ids {
    pub(crate) const fn instance(&mut self) -> u64 {
        next(&mut self.instance)
    }

    pub(crate) const fn event(&mut self) -> u64 {
        next(&mut self.event)
    }

    pub(crate) const fn key(&mut self) -> u64 {
        next(&mut self.key)
    }

    /// Returns the place of a server in the address ranges.
    pub(crate) const fn address(&mut self) -> u64 {
        next(&mut self.address)
    }
}

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) instances: BTreeMap<u64, Instance>,
    pub(crate) events: BTreeMap<u64, Event>,
    pub(crate) keys: BTreeMap<u64, Key>,
    /// In the vendor's JSON.
    pub(crate) images: Vec<Value>,
    pub(crate) tags: Vec<String>,
}

impl Account {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            instances: BTreeMap::new(),
            events: BTreeMap::new(),
            keys: BTreeMap::new(),
            images: if name == "main" {
                own_images()
            } else {
                Vec::new()
            },
            tags: Vec::new(),
        }
    }

    /// Lets everything happen whose time has come.
    pub(crate) fn settle(&mut self, now: Instant) {
        for instance in self.instances.values_mut() {
            instance.settle(now);
        }
    }

    /// Returns a server that still exists.
    pub(crate) fn instance(&self, id: u64) -> Option<&Instance> {
        self.instances.get(&id).filter(|it| it.gone.is_none())
    }

    /// Returns a server that still exists, to change it.
    pub(crate) fn instance_mut(&mut self, id: u64) -> Option<&mut Instance> {
        self.instances.get_mut(&id).filter(|it| it.gone.is_none())
    }

    /// Returns the servers that still exist, oldest first.
    pub(crate) fn living(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|it| it.gone.is_none())
    }

    /// Makes the tags that nobody has made.
    pub(crate) fn ensure_tags(&mut self, tags: &[String]) {
        for tag in tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
    }

    /// Returns the name of the user to whom the account's tokens belong.
    pub(crate) fn username(&self) -> String {
        format!("sim-{}", self.name)
    }

    /// Returns everything about the account, for tests.
    pub(crate) fn state(&self, now: Instant, limit: usize) -> Value {
        let instances: Vec<Value> = self.instances.values().map(|it| it.state(now)).collect();
        let username = self.username();
        let events: Vec<Value> = self
            .events
            .values()
            .map(|it| it.view(&username, now))
            .collect();
        let keys: Vec<Value> = self.keys.values().map(Key::view).collect();
        json!({
            "account": self.name,
            "euuid": self.euuid(),
            "instance_limit": limit,
            "instances": instances,
            "events": events,
            "ssh_keys": keys,
            "tags": self.tags,
        })
    }

    /// Returns the vendor's identifier, which lacks the last hyphen of a UUID.
    fn euuid(&self) -> String {
        let digits = identity("linode", "account", &self.name).to_ascii_uppercase();
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
        format!(
            "{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 32)
        )
    }
}

/// Answers `GET /v4/account`.
pub(crate) fn show(desk: &Desk<'_>) -> Answer {
    let account = &desk.account;
    Answer::json(
        200,
        &json!({
            "company": format!("Simulated {}", account.name),
            "email": format!("{}@sim.example", account.name),
            "first_name": "Sim",
            "last_name": "Ulated",
            "address_1": "123 Main Street",
            "address_2": "",
            "city": "Philadelphia",
            "state": "PA",
            "zip": "19102-1234",
            "country": "US",
            "phone": "",
            "balance": 0,
            "balance_uninvoiced": 0,
            "tax_id": "",
            "billing_source": "linode",
            "credit_card": { "last_four": null, "expiry": null },
            "active_since": "2018-01-02T03:04:05",
            "active_promotions": [],
            "capabilities": [
                "Linodes", "NodeBalancers", "Block Storage", "Object Storage", "Kubernetes",
                "Cloud Firewall", "Vlans", "VPCs", "Managed Databases", "Placement Group",
                "Disk Encryption", "Linode Interfaces", "Maintenance Policy",
            ],
            "euuid": account.euuid(),
        }),
    )
}

/// Answers `GET /v4/profile`.
pub(crate) fn profile(desk: &Desk<'_>) -> Answer {
    let account = &desk.account;
    let keys: Vec<&str> = account
        .keys
        .values()
        .map(|it| it.public_key.as_str())
        .collect();
    Answer::json(
        200,
        &json!({
            "uid": 4_000_000 + account.name.len(),
            "username": account.username(),
            "email": format!("{}@sim.example", account.name),
            "timezone": "UTC",
            "email_notifications": true,
            "referrals": {
                "code": "", "url": "", "total": 0, "completed": 0, "pending": 0, "credit": 0,
            },
            "ip_whitelist_enabled": false,
            "lish_auth_method": "password_keys",
            "authorized_keys": keys,
            "two_factor_auth": false,
            "restricted": false,
            "verified_phone_number": null,
            "authentication_type": "password",
        }),
    )
}
