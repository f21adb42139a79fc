//! One server and what will become of it.

use serde_json::{Value, json};

use crate::agenda::Agenda;
use crate::clock::Instant;
use crate::tokens::identity;

use super::catalogue::regions::Region;
use super::catalogue::types::Type;

/// The words of the vendor's `status` that a server passes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Provisioning,
    Booting,
    Running,
    Rebooting,
    ShuttingDown,
    Offline,
    Rebuilding,
    Resizing,
    Deleting,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Booting => "booting",
            Self::Running => "running",
            Self::Rebooting => "rebooting",
            Self::ShuttingDown => "shutting_down",
            Self::Offline => "offline",
            Self::Rebuilding => "rebuilding",
            Self::Resizing => "resizing",
            Self::Deleting => "deleting",
        }
    }
}

/// What happens to a server when the time for it has come.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Become(Status),
    Resize { kind: &'static Type, disk_mib: u64 },
    Install(Box<System>),
    Tag(Vec<String>),
    Vanish,
}

/// What is on the disk of a server, and how to get in.
#[derive(Debug, Clone, Default)]
pub(crate) struct System {
    pub(crate) image: Option<String>,
    /// Decoded.
    pub(crate) user_data: Option<String>,
    pub(crate) had_root_pass: bool,
    pub(crate) authorized_keys: Vec<String>,
    pub(crate) authorized_users: Vec<String>,
    pub(crate) stackscript: Option<u64>,
    /// What the script was told; of passwords only their digests.
    pub(crate) stackscript_data: Value,
    pub(crate) disk_encryption: String,
}

/// What a create call decides about a server.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) label: String,
    pub(crate) kind: &'static Type,
    pub(crate) region: &'static Region,
    pub(crate) tags: Vec<String>,
    pub(crate) group: String,
    pub(crate) system: System,
    pub(crate) backups: bool,
    pub(crate) private_ip: bool,
    pub(crate) firewall: Option<u64>,
    pub(crate) interfaces: Vec<Value>,
    pub(crate) interface_generation: String,
    pub(crate) maintenance_policy: String,
    pub(crate) placement_group: Value,
    pub(crate) swap_mib: u64,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: u64,
    pub(crate) label: String,
    pub(crate) status: Status,
    pub(crate) kind: &'static Type,
    pub(crate) disk_mib: u64,
    pub(crate) region: &'static Region,
    pub(crate) tags: Vec<String>,
    pub(crate) group: String,
    pub(crate) system: System,
    pub(crate) watchdog: bool,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    /// From when on lists show it.
    pub(crate) listed: Instant,
    /// Until when its current job runs.
    pub(crate) busy_until: Instant,
    pub(crate) deletion_asked: Option<Instant>,
    pub(crate) gone: Option<Instant>,
    pub(crate) backups: bool,
    /// The day and the window of its backups, once they were set.
    pub(crate) schedule: Option<(String, String)>,
    pub(crate) firewall: Option<u64>,
    placement_group: Value,
    agenda: Agenda<Change>,
    private_ip: bool,
    interfaces: Vec<Value>,
    interface_generation: String,
    maintenance_policy: String,
    swap_mib: u64,
    /// Its place in the address ranges.
    address: u64,
}

impl Instance {
    pub(crate) fn new(id: u64, address: u64, order: Order, now: Instant) -> Self {
        Self {
            id,
            label: order.label,
            status: Status::Provisioning,
            kind: order.kind,
            disk_mib: order.kind.disk_mib,
            region: order.region,
            tags: order.tags,
            group: order.group,
            system: order.system,
            watchdog: true,
            created: now,
            updated: now,
            listed: now,
            busy_until: now,
            deletion_asked: None,
            gone: None,
            agenda: Agenda::new(),
            backups: order.backups,
            schedule: None,
            interfaces: order.interfaces,
            swap_mib: order.swap_mib,
            private_ip: order.private_ip,
            firewall: order.firewall,
            interface_generation: order.interface_generation,
            maintenance_policy: order.maintenance_policy,
            placement_group: order.placement_group,
            address,
        }
    }

    /// Returns whether a job is still running.
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

    /// Forgets what was planned.
    pub(crate) fn abandon_plans(&mut self) {
        self.agenda.clear();
    }

    /// Makes the changes whose time has come.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some((at, change)) = self.agenda.due(now) {
            self.updated = at;
            match change {
                Change::Become(status) => self.status = status,
                Change::Resize { kind, disk_mib } => {
                    self.kind = kind;
                    self.disk_mib = disk_mib;
                }
                Change::Install(system) => self.system = *system,
                Change::Tag(tags) => self.tags.extend(tags),
                Change::Vanish => self.gone = Some(at),
            }
        }
    }

    /// Returns the server in the vendor's JSON.
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "group": self.group,
            "status": self.status.word(),
            "created": self.created.zoneless_text(),
            "updated": self.updated.zoneless_text(),
            "type": self.kind.id,
            "ipv4": self.ipv4(),
            "ipv6": self.ipv6(),
            "image": self.system.image,
            "region": self.region.id,
            "site_type": self.region.site.word(),
            "specs": {
                "disk": self.kind.disk_mib,
                "memory": self.kind.memory_mib,
                "vcpus": self.kind.vcpus,
                "gpus": self.kind.gpus,
                "accelerated_devices": self.kind.accelerated_devices,
                "transfer": self.kind.transfer_gb,
            },
            "alerts": {
                "cpu": self.kind.vcpus.saturating_mul(90),
                "network_in": 10,
                "network_out": 10,
                "transfer_quota": 80,
                "io": 10000,
            },
            "backups": {
                "enabled": self.backups,
                "available": false,
                "schedule": self.schedule(),
                "last_successful": null,
            },
            "hypervisor": "kvm",
            "watchdog_enabled": self.watchdog,
            "tags": self.tags,
            "host_uuid": identity("linode", "host", &(self.id % 40).to_string()),
            "has_user_data": self.system.user_data.is_some(),
            "placement_group": self.placement_group,
            "disk_encryption": self.system.disk_encryption,
            "lke_cluster_id": null,
            "capabilities": ["Block Storage Encryption", "SMTP Enabled"],
            "interface_generation": self.interface_generation,
            "maintenance_policy": self.maintenance_policy,
            "locks": [],
        })
    }

    /// Returns the server with what only the simulator knows; passwords are
    /// what it does not know.
    pub(crate) fn state(&self, now: Instant) -> Value {
        json!({
            "id": self.id,
            "name": self.label,
            "label": self.label,
            "status": self.status.word(),
            "deleted": self.gone.is_some(),
            "deleted_at": self.gone.map(Instant::true_text),
            "deletion_asked_at": self.deletion_asked.map(Instant::true_text),
            "busy": self.is_busy(now),
            "created_at": self.created.true_text(),
            "visible_at": self.listed.true_text(),
            "plan": self.kind.id,
            "type": self.kind.id,
            "disk": self.disk_mib,
            "region": self.region.id,
            "image": self.system.image,
            "tags": self.tags,
            "group": self.group,
            "ipv4": self.ipv4(),
            "ipv6": self.ipv6(),
            "user_data": self.system.user_data,
            "had_root_pass": self.system.had_root_pass,
            "authorized_keys": self.system.authorized_keys,
            "authorized_users": self.system.authorized_users,
            "stackscript_id": self.system.stackscript,
            "stackscript_data": self.system.stackscript_data,
            "disk_encryption": self.system.disk_encryption,
            "backup_schedule": self.schedule(),
            "interfaces": self.interfaces,
            "placement_group": self.placement_group,
            "swap_size": self.swap_mib,
            "backups_enabled": self.backups,
            "private_ip": self.private_ip,
            "firewall_id": self.firewall,
        })
    }

    /// Returns the placement group that it is in.
    pub(crate) fn group_id(&self) -> Option<u64> {
        self.placement_group.get("id")?.as_u64()
    }

    /// Returns whether one of its interfaces is in a subnet.
    pub(crate) fn is_in_subnet(&self, id: u64) -> bool {
        self.interfaces.iter().any(|it| it["subnet_id"] == id)
    }

    /// Until a day and a window are set the vendor is choosing them.
    fn schedule(&self) -> Value {
        match &self.schedule {
            _ if !self.backups => json!({ "day": null, "window": null }),
            Some((day, window)) => json!({ "day": day, "window": window }),
            None => json!({ "day": "Scheduling", "window": "Scheduling" }),
        }
    }

    /// Addresses come from ranges that are routed nowhere (RFC 2544, 3849).
    fn ipv4(&self) -> Vec<String> {
        let (third, fourth) = ((self.address / 250) % 256, self.address % 250 + 2);
        let mut addresses = vec![format!("198.19.{third}.{fourth}")];
        if self.private_ip {
            addresses.push(format!("192.168.{third}.{fourth}"));
        }
        addresses
    }

    fn ipv6(&self) -> String {
        let (high, low) = ((self.address >> 16) & 0xff, self.address & 0xffff);
        let region = self.region.place().saturating_add(1);
        format!("2001:db8:{region:x}::f03c:95ff:fe{high:02x}:{low:04x}/128")
    }
}
