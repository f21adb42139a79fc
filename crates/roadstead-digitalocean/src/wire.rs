//! DigitalOcean's JSON, as DigitalOcean spells it; only what we read or send.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::options::BackupPolicy;

/// A page of a list, whatever its rows are.
#[derive(Deserialize)]
pub(crate) struct Listing<T> {
    #[serde(
        rename = "droplets",
        alias = "sizes",
        alias = "images",
        alias = "regions",
        alias = "1_clicks",
        alias = "firewalls",
        alias = "vpcs",
        alias = "actions"
    )]
    pub(crate) rows: Vec<T>,
    #[serde(default)]
    pub(crate) links: Option<Links>,
    #[serde(default)]
    pub(crate) meta: Option<Meta>,
}

impl<T> Listing<T> {
    /// Returns how many rows there are on all pages, where the vendor says.
    pub(crate) fn total(&self) -> Option<u64> {
        self.meta.as_ref().and_then(|it| it.total)
    }
}

#[derive(Deserialize)]
pub(crate) struct Links {
    #[serde(default)]
    pub(crate) pages: Option<Pages>,
}

#[derive(Deserialize)]
pub(crate) struct Pages {
    /// An absolute address, of which only the presence is used: following it would take
    /// the token wherever the answer says.
    #[serde(default)]
    pub(crate) next: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(crate) struct Meta {
    #[serde(default)]
    pub(crate) total: Option<u64>,
}

/// A droplet. Only its id must be there: a row with an id is never lost.
#[derive(Default, Deserialize)]
pub(crate) struct Droplet {
    pub(crate) id: u64,
    pub(crate) name: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    pub(crate) memory: Option<u64>,
    pub(crate) vcpus: Option<u32>,
    pub(crate) disk: Option<u64>,
    pub(crate) created_at: Option<Box<str>>,
    pub(crate) size_slug: Option<Box<str>>,
    pub(crate) image: Option<ImageName>,
    pub(crate) region: Option<RegionName>,
    pub(crate) networks: Option<Networks>,
    pub(crate) tags: Option<Vec<Box<str>>>,
    pub(crate) gpu_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(crate) struct ImageName {
    pub(crate) id: Option<u64>,
    pub(crate) slug: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct RegionName {
    pub(crate) slug: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Networks {
    pub(crate) v4: Option<Vec<Network>>,
    pub(crate) v6: Option<Vec<Network>>,
}

#[derive(Deserialize)]
pub(crate) struct Network {
    pub(crate) ip_address: Option<Box<str>>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Box<str>>,
}

impl Droplet {
    /// Reads what can be read of a row that is not a droplet as we know it; `None` when it
    /// has no id.
    pub(crate) fn salvage(row: &RawValue) -> Option<Self> {
        let row: serde_json::Value = serde_json::from_str(row.get()).ok()?;
        let id = row.get("id")?;
        Some(Self {
            id: id.as_u64().or_else(|| id.as_str()?.parse().ok())?,
            name: field(&row, "name"),
            status: field(&row, "status"),
            memory: field(&row, "memory"),
            vcpus: field(&row, "vcpus"),
            disk: field(&row, "disk"),
            created_at: field(&row, "created_at"),
            size_slug: field(&row, "size_slug"),
            image: field(&row, "image"),
            region: field(&row, "region"),
            networks: field(&row, "networks"),
            tags: field(&row, "tags"),
            gpu_info: field(&row, "gpu_info"),
        })
    }
}

fn field<T: for<'de> Deserialize<'de>>(row: &serde_json::Value, name: &str) -> Option<T> {
    row.get(name)
        .filter(|it| !it.is_null())
        .and_then(|it| T::deserialize(it).ok())
}

#[derive(Deserialize)]
pub(crate) struct OneDroplet {
    pub(crate) droplet: Droplet,
}

#[derive(Deserialize)]
pub(crate) struct RawDroplet<'a> {
    #[serde(borrow)]
    pub(crate) droplet: &'a RawValue,
}

/// The answer to a create.
#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) droplet: Droplet,
    #[serde(default)]
    pub(crate) links: Option<CreatedLinks>,
}

#[derive(Deserialize)]
pub(crate) struct CreatedLinks {
    #[serde(default)]
    pub(crate) actions: Option<Vec<ActionLink>>,
}

#[derive(Deserialize)]
pub(crate) struct ActionLink {
    pub(crate) id: u64,
}

#[derive(Deserialize)]
pub(crate) struct OneAction {
    pub(crate) action: Action,
}

#[derive(Deserialize)]
pub(crate) struct Action {
    pub(crate) id: u64,
    pub(crate) status: Box<str>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Box<str>>,
    pub(crate) resource_id: Option<u64>,
    pub(crate) resource_type: Option<Box<str>>,
    pub(crate) started_at: Option<Box<str>>,
}

impl Action {
    /// Reads of an odd action what can be read; `None` without an id. Without a status it cannot
    /// be told what it is.
    pub(crate) fn salvage(row: &RawValue) -> Option<Self> {
        let row: serde_json::Value = serde_json::from_str(row.get()).ok()?;
        Some(Self {
            id: row.get("id")?.as_u64()?,
            status: Box::default(),
            kind: None,
            resource_id: None,
            resource_type: None,
            started_at: None,
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct Size {
    pub(crate) slug: Box<str>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) memory: u64,
    pub(crate) vcpus: u32,
    pub(crate) disk: Option<u64>,
    /// Terabytes, also broken ones.
    pub(crate) transfer: Option<Box<RawValue>>,
    pub(crate) price_monthly: Option<Box<RawValue>>,
    pub(crate) price_hourly: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) regions: Vec<Box<str>>,
    pub(crate) available: Option<bool>,
    pub(crate) gpu_info: Option<GpuInfo>,
}

#[derive(Deserialize)]
pub(crate) struct GpuInfo {
    pub(crate) count: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct Image {
    pub(crate) id: u64,
    pub(crate) slug: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) distribution: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    pub(crate) public: Option<bool>,
    pub(crate) regions: Option<Vec<Box<str>>>,
    pub(crate) min_disk_size: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Region {
    pub(crate) slug: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) available: Option<bool>,
    #[serde(default)]
    pub(crate) features: Vec<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct OneClick {
    pub(crate) slug: Box<str>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct OneFirewall {
    pub(crate) firewall: Firewall,
}

#[derive(Deserialize)]
pub(crate) struct Firewall {
    pub(crate) id: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) tags: Option<Vec<Box<str>>>,
}

#[derive(Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) region: Option<Box<str>>,
    pub(crate) ip_range: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct OneAccount {
    pub(crate) account: Account,
}

#[derive(Deserialize)]
pub(crate) struct Account {
    pub(crate) uuid: Box<str>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) droplet_limit: Option<u32>,
    pub(crate) team: Option<Team>,
}

#[derive(Deserialize)]
pub(crate) struct Team {
    pub(crate) uuid: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct OneTag {
    pub(crate) tag: Tag,
}

#[derive(Deserialize)]
pub(crate) struct Tag {
    pub(crate) name: Box<str>,
}

#[derive(Deserialize)]
pub(crate) struct OneKey {
    pub(crate) ssh_key: Key,
}

#[derive(Deserialize)]
pub(crate) struct Key {
    pub(crate) id: u64,
    pub(crate) name: Option<Box<str>>,
}

/// A refusal. Firewall and VPC routes answer with the last three instead.
#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) id: Option<Box<str>>,
    pub(crate) message: Option<Box<str>>,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) error: Option<Box<str>>,
    pub(crate) messages: Option<IgnoredAny>,
    pub(crate) root_causes: Option<IgnoredAny>,
}

/// A creating request for one droplet.
#[derive(Serialize)]
pub(crate) struct CreateDroplet {
    pub(crate) name: Box<str>,
    pub(crate) region: Box<str>,
    pub(crate) size: Box<str>,
    pub(crate) image: NumberOrText,
    pub(crate) ssh_keys: Vec<NumberOrText>,
    pub(crate) backups: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_policy: Option<BackupPolicy>,
    pub(crate) ipv6: bool,
    pub(crate) monitoring: bool,
    pub(crate) tags: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vpc_uuid: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) with_droplet_agent: Option<bool>,
}

/// Ids are numbers, slugs and fingerprints are text.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum NumberOrText {
    Number(u64),
    Text(Box<str>),
}

impl From<&str> for NumberOrText {
    fn from(it: &str) -> Self {
        it.parse()
            .map_or_else(|_| Self::Text(it.into()), Self::Number)
    }
}

/// An action on a droplet.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum DropletAction {
    PowerOn,
    PowerOff,
    PowerCycle,
    Shutdown,
    Reboot,
    PasswordReset,
    Rename { name: Box<str> },
    Resize { size: Box<str>, disk: bool },
    Rebuild { image: NumberOrText },
}

/// A tag to make.
#[derive(Serialize)]
pub(crate) struct CreateTag<'a> {
    pub(crate) name: &'a str,
}

/// What a tag is put on or taken off.
#[derive(Serialize)]
pub(crate) struct Tagged {
    pub(crate) resources: [TaggedResource; 1],
}

impl Tagged {
    pub(crate) fn droplet(id: u64) -> Self {
        Self {
            resources: [TaggedResource {
                resource_id: id.to_string(),
                resource_type: "droplet",
            }],
        }
    }
}

#[derive(Serialize)]
pub(crate) struct TaggedResource {
    /// A number, but as text.
    pub(crate) resource_id: String,
    pub(crate) resource_type: &'static str,
}

/// A key to register.
#[derive(Serialize)]
pub(crate) struct CreateKey<'a> {
    pub(crate) name: &'a str,
    pub(crate) public_key: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_spelled_as_the_vendor_spells_them() {
        let json = |it: &DropletAction| serde_json::to_string(it).unwrap();
        assert_eq!(
            json(&DropletAction::PowerCycle),
            r#"{"type":"power_cycle"}"#
        );
        let resize = DropletAction::Resize {
            size: "s-2".into(),
            disk: false,
        };
        assert_eq!(
            json(&resize),
            r#"{"type":"resize","size":"s-2","disk":false}"#
        );
        let rebuild = DropletAction::Rebuild {
            image: "123".into(),
        };
        assert_eq!(json(&rebuild), r#"{"type":"rebuild","image":123}"#);
    }

    #[test]
    fn a_row_with_an_id_is_never_lost() {
        let row = r#"{"id":"7","name":"web","memory":"much","tags":["a"],"vcpus":-1}"#;
        let row = RawValue::from_string(row.to_owned()).unwrap();
        let droplet = Droplet::salvage(&row).unwrap();
        assert_eq!((droplet.id, droplet.name.as_deref()), (7, Some("web")));
        assert_eq!((droplet.memory, droplet.vcpus), (None, None));
        for lost in ["7", "{}", r#"{"id":null}"#, r#"{"id":-1}"#] {
            let row = RawValue::from_string(lost.to_owned()).unwrap();
            assert!(Droplet::salvage(&row).is_none(), "{lost}");
        }
    }
}
