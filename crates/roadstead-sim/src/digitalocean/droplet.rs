//! One droplet and what will become of it.

use serde_json::{Value, json};

use crate::agenda::Agenda;
use crate::clock::Instant;

use super::catalogue::regions::Region;
use super::catalogue::sizes::Size;
use super::catalogue::{disks, gpu_view, region_view, size_view};

/// The words of the vendor's `status` that a droplet passes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    Active,
    Off,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Off => "off",
        }
    }
}

/// What happens to a droplet when the time for it has come.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    TurnOn,
    TurnOff,
    Resize { size: &'static Size, disk_gib: u64 },
    Rename(String),
    Rebuild(Value),
    EnableIpv6,
    EnableBackups(Value),
    DisableBackups,
    Tag(Vec<String>),
    Vanish,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Droplet {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) size: &'static Size,
    pub(crate) disk_gib: u64,
    pub(crate) image: Value,
    pub(crate) region: &'static Region,
    pub(crate) created: Instant,
    /// From when on lists show it.
    pub(crate) listed: Instant,
    pub(crate) tags: Vec<String>,
    pub(crate) backups: bool,
    pub(crate) ipv6: bool,
    pub(crate) monitoring: bool,
    pub(crate) public_networking: bool,
    pub(crate) user_data: Option<String>,
    pub(crate) ssh_keys: Vec<u64>,
    pub(crate) vpc_uuid: String,
    /// In the vendor's JSON; null without backups.
    pub(crate) backup_policy: Value,
    /// Whether the console's agent was asked for.
    pub(crate) agent: Option<bool>,
    /// Its place in the address ranges.
    pub(crate) address: u64,
    pub(crate) snapshots: Vec<u64>,
    /// Until when its current action runs.
    pub(crate) busy_until: Instant,
    pub(crate) deletion_asked: Option<Instant>,
    pub(crate) gone: Option<Instant>,
    agenda: Agenda<Change>,
    has_addresses: bool,
}

/// What a create call decides about a droplet.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) size: &'static Size,
    pub(crate) region: &'static Region,
    pub(crate) image: Value,
    pub(crate) tags: Vec<String>,
    pub(crate) backups: bool,
    pub(crate) ipv6: bool,
    pub(crate) monitoring: bool,
    pub(crate) public_networking: bool,
    pub(crate) user_data: Option<String>,
    pub(crate) ssh_keys: Vec<u64>,
    pub(crate) vpc_uuid: String,
    pub(crate) backup_policy: Value,
    pub(crate) agent: Option<bool>,
}

impl Droplet {
    pub(crate) fn new(id: u64, address: u64, name: &str, order: Order, now: Instant) -> Self {
        Self {
            id,
            name: name.to_owned(),
            status: Status::New,
            size: order.size,
            disk_gib: order.size.disk_gib,
            image: order.image,
            region: order.region,
            created: now,
            listed: now,
            tags: order.tags,
            backups: order.backups,
            ipv6: order.ipv6,
            monitoring: order.monitoring,
            public_networking: order.public_networking,
            user_data: order.user_data,
            ssh_keys: order.ssh_keys,
            vpc_uuid: order.vpc_uuid,
            backup_policy: order.backup_policy,
            agent: order.agent,
            address,
            snapshots: Vec::new(),
            busy_until: now,
            deletion_asked: None,
            gone: None,
            agenda: Agenda::new(),
            has_addresses: false,
        }
    }

    /// Returns whether an action is still running.
    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        now < self.busy_until
    }

    /// Returns whether lists showed it at a moment.
    pub(crate) fn is_listed(&self, as_of: Instant) -> bool {
        self.listed <= as_of && self.gone.is_none_or(|it| it > as_of)
    }

    /// Plans a change.
    pub(crate) fn plan(&mut self, at: Instant, change: Change) {
        self.agenda.plan(at, change);
    }

    /// Makes the changes whose time has come.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some((at, change)) = self.agenda.due(now) {
            self.apply(at, change);
        }
    }

    fn apply(&mut self, at: Instant, change: Change) {
        match change {
            Change::TurnOn => {
                self.status = Status::Active;
                self.has_addresses = true;
            }
            Change::TurnOff => self.status = Status::Off,
            Change::Resize { size, disk_gib } => {
                self.size = size;
                self.disk_gib = disk_gib;
            }
            Change::Rename(name) => self.name = name,
            Change::Rebuild(image) => {
                self.image = image;
                self.status = Status::Active;
            }
            Change::EnableIpv6 => self.ipv6 = true,
            Change::EnableBackups(policy) => {
                self.backups = true;
                self.backup_policy = policy;
            }
            Change::DisableBackups => {
                self.backups = false;
                self.backup_policy = Value::Null;
            }
            Change::Tag(tags) => self.tags.extend(tags),
            Change::Vanish => self.gone = Some(at),
        }
    }

    /// Returns the droplet in the vendor's JSON.
    pub(crate) fn view(&self) -> Value {
        let mut view = json!({
            "id": self.id,
            "name": self.name,
            "memory": self.size.memory_mib,
            "vcpus": self.size.vcpus,
            "disk": self.disk_gib,
            "disk_info": disks(self.size, self.disk_gib),
            // The vendor locks for its own reasons only; it does not say
            // that an action runs.
            "locked": false,
            "status": self.status.word(),
            "kernel": null,
            "created_at": self.created.seconds_text(),
            "features": self.features(),
            "backup_ids": [],
            "next_backup_window": null,
            "snapshot_ids": self.snapshots,
            "image": self.image,
            "volume_ids": [],
            "size": size_view(self.size),
            "size_slug": self.size.slug,
            "networks": self.networks(),
            "region": region_view(self.region),
            "tags": self.tags,
            "vpc_uuid": self.vpc_uuid,
        });
        if let (Some(gpu), Some(fields)) = (gpu_view(self.size), view.as_object_mut()) {
            fields.insert("gpu_info".to_owned(), gpu);
        }
        view
    }

    /// Returns the droplet with what only the simulator knows.
    pub(crate) fn state(&self, now: Instant) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "status": self.status.word(),
            "deleted": self.gone.is_some(),
            "deleted_at": self.gone.map(Instant::true_text),
            "deletion_asked_at": self.deletion_asked.map(Instant::true_text),
            "busy": self.is_busy(now),
            "created_at": self.created.true_text(),
            "visible_at": self.listed.true_text(),
            "plan": self.size.slug,
            "size": self.size.slug,
            "disk": self.disk_gib,
            "region": self.region.slug,
            "image": self.image.get("slug").filter(|it| it.is_string()).or(self.image.get("id")),
            "tags": self.tags,
            "features": self.features(),
            "networks": self.networks(),
            "user_data": self.user_data,
            "ssh_keys": self.ssh_keys,
            "vpc_uuid": self.vpc_uuid,
            "backup_policy": self.backup_policy,
            "with_droplet_agent": self.agent,
        })
    }

    fn features(&self) -> Vec<&'static str> {
        let mut features = Vec::new();
        if self.backups {
            features.push("backups");
        }
        if self.ipv6 {
            features.push("ipv6");
        }
        if self.monitoring {
            features.push("monitoring");
        }
        if self.agent != Some(false) {
            features.push("droplet_agent");
        }
        features.push("private_networking");
        features
    }

    /// Addresses come from ranges that are routed nowhere (RFC 2544, 3849).
    fn networks(&self) -> Value {
        if !self.has_addresses {
            return json!({ "v4": [], "v6": [] });
        }
        let place = self.address;
        let (third, fourth) = ((place / 250) % 256, place % 250 + 2);
        let second = 18 + (place / 64_000) % 2;
        let mut v4 = vec![json!({
            "ip_address": format!("10.{}.{third}.{fourth}", 100 + Region::position(self.region.slug)),
            "netmask": "255.255.0.0",
            "gateway": "nil",
            "type": "private",
        })];
        let mut v6 = Vec::new();
        if self.public_networking {
            v4.push(json!({
                "ip_address": format!("198.{second}.{third}.{fourth}"),
                "netmask": "255.255.255.0",
                "gateway": format!("198.{second}.{third}.1"),
                "type": "public",
            }));
            if self.ipv6 {
                v6.push(json!({
                    "ip_address": format!("2001:db8:0:{third:x}::{place:x}:1"),
                    "netmask": 64,
                    "gateway": format!("2001:db8:0:{third:x}::1"),
                    "type": "public",
                }));
            }
        }
        json!({ "v4": v4, "v6": v6 })
    }
}
