//! Linode's JSON, as Linode spells it; only what we read or send.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use roadstead_core::Secret;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::options::{DiskEncryption, Weekday};

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Listing<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) pages: Option<u32>,
    #[serde(default)]
    pub(crate) results: Option<u64>,
}

/// A Linode. Only its id must be there: a row with an id is never lost.
#[derive(Default, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: u64,
    pub(crate) label: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    pub(crate) region: Option<Box<str>>,
    #[serde(rename = "type")]
    pub(crate) plan: Option<Box<str>>,
    pub(crate) image: Option<Box<str>>,
    pub(crate) specs: Option<Specs>,
    pub(crate) ipv4: Option<Vec<Box<str>>>,
    pub(crate) ipv6: Option<Box<str>>,
    pub(crate) tags: Option<Vec<Box<str>>>,
    pub(crate) created: Option<Box<str>>,
}

/// What a Linode has; memory and disk in MB, which are MiB.
#[derive(Deserialize)]
pub(crate) struct Specs {
    pub(crate) vcpus: Option<u32>,
    pub(crate) memory: Option<u64>,
    pub(crate) disk: Option<u64>,
}

impl Instance {
    /// Reads what can be read of a row that is not a Linode as we know it; `None` when it has
    /// no id.
    pub(crate) fn salvage(row: &RawValue) -> Option<Self> {
        let row: Value = serde_json::from_str(row.get()).ok()?;
        let id = row.get("id")?;
        Some(Self {
            id: id.as_u64().or_else(|| id.as_str()?.parse().ok())?,
            label: field(&row, "label"),
            status: field(&row, "status"),
            region: field(&row, "region"),
            plan: field(&row, "type"),
            image: field(&row, "image"),
            specs: field(&row, "specs"),
            ipv4: field(&row, "ipv4"),
            ipv6: field(&row, "ipv6"),
            tags: field(&row, "tags"),
            created: field(&row, "created"),
        })
    }
}

fn field<T: for<'de> Deserialize<'de>>(row: &Value, name: &str) -> Option<T> {
    row.get(name)
        .filter(|it| !it.is_null())
        .and_then(|it| T::deserialize(it).ok())
}

#[derive(Deserialize)]
pub(crate) struct Event {
    #[serde(default)]
    pub(crate) id: u64,
    pub(crate) action: Box<str>,
    pub(crate) status: Box<str>,
    pub(crate) created: Option<Box<str>>,
    pub(crate) percent_complete: Option<Value>,
    pub(crate) entity: Option<Entity>,
}

impl Event {
    /// Reads of an odd event what can be read; `None` without an id. Without a status it cannot be
    /// told what it is.
    pub(crate) fn salvage(row: &RawValue) -> Option<Self> {
        let row: Value = serde_json::from_str(row.get()).ok()?;
        Some(Self {
            id: row.get("id")?.as_u64()?,
            action: field(&row, "action").unwrap_or_default(),
            status: Box::default(),
            created: field(&row, "created"),
            percent_complete: None,
            entity: field(&row, "entity"),
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct Entity {
    /// A number, or a text for what has a name.
    pub(crate) id: Option<Value>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Disk {
    pub(crate) id: u64,
}

#[derive(Deserialize)]
pub(crate) struct Type {
    pub(crate) id: Box<str>,
    pub(crate) label: Option<Box<str>>,
    pub(crate) class: Option<Box<str>>,
    pub(crate) vcpus: u32,
    /// In MB, which are MiB.
    pub(crate) memory: u64,
    /// In MB, which are MiB.
    pub(crate) disk: Option<u64>,
    pub(crate) gpus: Option<u32>,
    /// Documented as MB, but the numbers are GB.
    pub(crate) transfer: Option<u64>,
    /// In Mbit/s.
    pub(crate) network_out: Option<u32>,
    pub(crate) price: Option<Price>,
    #[serde(default)]
    pub(crate) region_prices: Vec<RegionPrice>,
}

#[derive(Deserialize)]
pub(crate) struct Price {
    pub(crate) hourly: Option<Box<RawValue>>,
    pub(crate) monthly: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(crate) struct RegionPrice {
    pub(crate) id: Box<str>,
    pub(crate) hourly: Option<Box<RawValue>>,
    pub(crate) monthly: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(crate) struct Availability {
    pub(crate) plan: Box<str>,
    pub(crate) region: Box<str>,
    pub(crate) available: bool,
}

#[derive(Deserialize)]
pub(crate) struct Region {
    pub(crate) id: Box<str>,
    pub(crate) label: Option<Box<str>>,
    pub(crate) country: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    #[serde(default)]
    pub(crate) capabilities: Vec<Box<str>>,
    pub(crate) site_type: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Image {
    pub(crate) id: Box<str>,
    pub(crate) label: Option<Box<str>>,
    pub(crate) vendor: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    pub(crate) is_public: Option<bool>,
    pub(crate) deprecated: Option<bool>,
    pub(crate) eol: Option<Box<str>>,
    /// In MB, which are MiB.
    pub(crate) size: Option<u64>,
    pub(crate) capabilities: Option<Vec<Box<str>>>,
}

#[derive(Deserialize)]
pub(crate) struct StackScript {
    pub(crate) id: u64,
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) username: Option<Box<str>>,
    pub(crate) images: Option<Vec<Box<str>>>,
    pub(crate) mine: Option<bool>,
    pub(crate) user_defined_fields: Option<Vec<UserDefinedField>>,
}

/// Something that a StackScript must be told. Lists of choices are joined by commas.
#[derive(Deserialize)]
pub(crate) struct UserDefinedField {
    pub(crate) name: Box<str>,
    pub(crate) label: Option<Box<str>>,
    /// There is none where an answer is needed; an empty one counts.
    pub(crate) default: Option<Box<str>>,
    pub(crate) example: Option<Box<str>>,
    /// The description writes `oneOf`, the answers have `oneof`.
    #[serde(alias = "oneOf")]
    pub(crate) oneof: Option<Box<str>>,
    #[serde(alias = "manyOf")]
    pub(crate) manyof: Option<Box<str>>,
    /// "Yes" where it is a heading over the fields that follow, and asks for nothing.
    pub(crate) header: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Firewall {
    pub(crate) id: u64,
    pub(crate) label: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Vpc {
    pub(crate) label: Option<Box<str>>,
    pub(crate) region: Option<Box<str>>,
    #[serde(default)]
    pub(crate) subnets: Vec<Subnet>,
}

#[derive(Deserialize)]
pub(crate) struct Subnet {
    pub(crate) id: u64,
    pub(crate) label: Option<Box<str>>,
    pub(crate) ipv4: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Group {
    pub(crate) id: u64,
    pub(crate) label: Option<Box<str>>,
    pub(crate) region: Option<Box<str>>,
    pub(crate) placement_group_type: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Key {
    pub(crate) id: u64,
    pub(crate) label: Option<Box<str>>,
    pub(crate) ssh_key: Box<str>,
}

#[derive(Deserialize)]
pub(crate) struct Account {
    pub(crate) euuid: Box<str>,
    pub(crate) company: Option<Box<str>>,
    pub(crate) email: Option<Box<str>>,
}

/// A refusal.
#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) errors: Vec<Reason>,
}

#[derive(Deserialize)]
pub(crate) struct Reason {
    pub(crate) reason: Option<Box<str>>,
    pub(crate) field: Option<Box<str>>,
}

/// Which Linodes a list holds, in the order of their ids, so that pages do not shift.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct InstanceFilter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<&'a str>,
    #[serde(rename = "+order_by")]
    order_by: &'static str,
    #[serde(rename = "+order")]
    order: &'static str,
}

impl<'a> InstanceFilter<'a> {
    pub(crate) fn new(label: Option<&'a str>, tags: Option<&'a str>) -> Self {
        Self {
            label,
            tags,
            order_by: "id",
            order: "asc",
        }
    }
}

/// The events of one entity, the newest first.
#[derive(Serialize)]
pub(crate) struct EventFilter {
    #[serde(rename = "entity.id")]
    entity: u64,
    #[serde(rename = "+order_by")]
    order_by: &'static str,
    #[serde(rename = "+order")]
    order: &'static str,
}

impl EventFilter {
    pub(crate) fn of(entity: u64) -> Self {
        Self {
            entity,
            order_by: "created",
            order: "desc",
        }
    }
}

/// The StackScripts of the account itself.
#[derive(Serialize)]
pub(crate) struct OwnScripts {
    mine: bool,
}

impl OwnScripts {
    pub(crate) const FILTER: Self = Self { mine: true };
}

/// The vendor's own applications, as far as its documented filters can tell.
#[derive(Serialize)]
pub(crate) struct AppFilter {
    is_public: bool,
    label: Contains,
}

#[derive(Serialize)]
struct Contains {
    #[serde(rename = "+contains")]
    text: &'static str,
}

impl AppFilter {
    /// `text` is a part of every application's label.
    pub(crate) fn labelled(text: &'static str) -> Self {
        Self {
            is_public: true,
            label: Contains { text },
        }
    }
}

/// A creating request for one Linode.
#[derive(Serialize)]
pub(crate) struct CreateLinode {
    pub(crate) label: Box<str>,
    pub(crate) region: Box<str>,
    #[serde(rename = "type")]
    pub(crate) plan: Box<str>,
    pub(crate) image: Box<str>,
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub(crate) root_pass: Option<Secret<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) authorized_keys: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) authorized_users: Vec<Box<str>>,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) backups_enabled: bool,
    pub(crate) private_ip: bool,
    pub(crate) booted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stackscript_id: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) stackscript_data: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) firewall_id: Option<NonZeroU64>,
    /// Says which form [`Self::interfaces`] have; as the account has it where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interface_generation: Option<&'static str>,
    /// In the order of the server's devices; one public one where absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) interfaces: Vec<Interface>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) placement_group: Option<PlacementGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) swap_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_encryption: Option<DiskEncryption>,
}

#[derive(Serialize)]
pub(crate) struct Metadata {
    /// In base64.
    #[serde(serialize_with = "shown")]
    pub(crate) user_data: Secret<String>,
}

#[derive(Serialize)]
#[serde(tag = "purpose", rename_all = "lowercase")]
pub(crate) enum Interface {
    Public,
    Vpc { subnet_id: NonZeroU64 },
}

#[derive(Serialize)]
pub(crate) struct PlacementGroup {
    pub(crate) id: NonZeroU64,
}

/// A change of when backups are made.
#[derive(Serialize, Deserialize)]
pub(crate) struct BackupChange {
    pub(crate) backups: Backups,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Backups {
    pub(crate) schedule: Schedule,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) day: Weekday,
    /// `W` and the hour at which the window opens.
    pub(crate) window: String,
}

/// The body of an action; those without parameters have none.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ActionBody {
    Rename {
        label: Box<str>,
    },
    Resize {
        #[serde(rename = "type")]
        plan: Box<str>,
        allow_auto_disk_resize: bool,
        migration_type: &'static str,
    },
    Rebuild {
        image: Box<str>,
        #[serde(serialize_with = "shown")]
        root_pass: Secret<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        authorized_keys: Vec<Box<str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<Metadata>,
    },
    Rescue {
        devices: BTreeMap<&'static str, Device>,
    },
    Password {
        #[serde(serialize_with = "shown")]
        root_pass: Secret<String>,
    },
}

/// All tags that a Linode shall have: the list replaces the one that it has.
#[derive(Serialize)]
pub(crate) struct TagChange {
    pub(crate) tags: Vec<Box<str>>,
}

#[derive(Serialize)]
pub(crate) struct Device {
    pub(crate) disk_id: u64,
}

/// A key to register.
#[derive(Serialize)]
pub(crate) struct CreateKey<'a> {
    pub(crate) label: &'a str,
    pub(crate) ssh_key: &'a str,
}

fn shown<S: Serializer>(secret: &Secret<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn exposed<S: Serializer>(
    secret: &Option<Secret<String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => shown(secret, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_spelled_as_the_vendor_spells_them() {
        let json = |it: &InstanceFilter<'_>| serde_json::to_string(it).unwrap();
        assert_eq!(
            json(&InstanceFilter::new(None, None)),
            r#"{"+order_by":"id","+order":"asc"}"#
        );
        assert_eq!(
            json(&InstanceFilter::new(Some("web"), Some("rs:d:x"))),
            r#"{"label":"web","tags":"rs:d:x","+order_by":"id","+order":"asc"}"#
        );
        assert_eq!(
            serde_json::to_string(&EventFilter::of(7)).unwrap(),
            r#"{"entity.id":7,"+order_by":"created","+order":"desc"}"#
        );
    }

    #[test]
    fn actions_are_spelled_as_the_vendor_spells_them() {
        let resize = ActionBody::Resize {
            plan: "g6-standard-2".into(),
            allow_auto_disk_resize: false,
            migration_type: "cold",
        };
        assert_eq!(
            serde_json::to_string(&resize).unwrap(),
            r#"{"type":"g6-standard-2","allow_auto_disk_resize":false,"migration_type":"cold"}"#
        );
        let rescue = ActionBody::Rescue {
            devices: BTreeMap::from([("sda", Device { disk_id: 5 })]),
        };
        assert_eq!(
            serde_json::to_string(&rescue).unwrap(),
            r#"{"devices":{"sda":{"disk_id":5}}}"#
        );
    }

    #[test]
    fn a_row_with_an_id_is_never_lost() {
        let row = r#"{"id":7,"label":"web","specs":"much","tags":["a"],"ipv4":null}"#;
        let row = RawValue::from_string(row.to_owned()).unwrap();
        let linode = Instance::salvage(&row).unwrap();
        assert_eq!((linode.id, linode.label.as_deref()), (7, Some("web")));
        assert!(linode.specs.is_none() && linode.ipv4.is_none());
        for lost in ["7", "{}", "[]", r#"{"id":null}"#, r#"{"id":-1}"#] {
            let row = RawValue::from_string(lost.to_owned()).unwrap();
            assert!(Instance::salvage(&row).is_none(), "{lost}");
        }
    }
}
