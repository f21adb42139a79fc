//! What only Linode knows about a new server.

use std::fmt;

use roadstead_core::{Result, read_options};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{invalid, kind};

/// The longest data of a StackScript, as JSON.
const STACKSCRIPT_DATA_MAX: usize = 65_535;

/// Linode's own options of a create; see
/// [`CreateInstance::options`](roadstead_core::CreateInstance::options).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinodeOptions {
    /// A StackScript that runs at the first boot, such as an application's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stackscript_id: Option<u64>,
    /// What the StackScript asks for. It may hold passwords, and `Debug` leaves it out.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub stackscript_data: Map<String, Value>,
    /// A firewall to put the Linode behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_id: Option<u64>,
    /// A placement group to join, in the same region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement_group_id: Option<u64>,
    /// The swap disk in MB; 512 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_size: Option<u32>,
    /// Whether the disks are encrypted; as the region does it where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_encryption: Option<DiskEncryption>,
    /// Users of the account whose keys may log in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorized_users: Vec<Box<str>>,
}

/// Whether the disks are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskEncryption {
    /// They are.
    Enabled,
    /// They are not.
    Disabled,
}

/// Reads the options of a request.
///
/// # Errors
///
/// `Invalid` on the field `options.<name>` that is unknown or wrong.
pub(crate) fn read(operation: &'static str, options: Option<&Value>) -> Result<LinodeOptions> {
    let options: LinodeOptions = read_options(&kind(), operation, &schema(), options)?;
    let data = &options.stackscript_data;
    if !data.is_empty() && options.stackscript_id.is_none() {
        let message = "data for a StackScript needs the StackScript's id";
        return Err(invalid(operation, "options.stackscript_data", message));
    }
    if serde_json::to_string(data).map_or(0, |it| it.len()) > STACKSCRIPT_DATA_MAX {
        let message = "the data for the StackScript exceeds 65,535 bytes";
        return Err(invalid(operation, "options.stackscript_data", message));
    }
    Ok(options)
}

/// Returns the JSON Schema of [`LinodeOptions`].
pub(crate) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Linode options",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "stackscript_id": {
                "title": "StackScript",
                "description": "The number of a StackScript to run at the first boot.",
                "type": "integer",
                "minimum": 1
            },
            "stackscript_data": {
                "title": "StackScript data",
                "description": "What the StackScript asks for, by the names of its fields.",
                "type": "object"
            },
            "firewall_id": {
                "title": "Firewall",
                "description": "The number of a firewall to put the server behind.",
                "type": "integer",
                "minimum": 1
            },
            "placement_group_id": {
                "title": "Placement group",
                "description": "The number of a placement group in the same region.",
                "type": "integer",
                "minimum": 1
            },
            "swap_size": {
                "title": "Swap (MB)",
                "description": "The size of the swap disk.",
                "type": "integer",
                "minimum": 0,
                "default": 512
            },
            "disk_encryption": {
                "title": "Disk encryption",
                "description": "Whether the disks are encrypted, where the region can.",
                "enum": ["enabled", "disabled"]
            },
            "authorized_users": {
                "title": "Users",
                "description": "Users of the account whose SSH keys may log in.",
                "type": "array",
                "items": { "type": "string" }
            }
        }
    })
}

impl fmt::Debug for LinodeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinodeOptions")
            .field("stackscript_id", &self.stackscript_id)
            .field("firewall_id", &self.firewall_id)
            .field("placement_group_id", &self.placement_group_id)
            .field("swap_size", &self.swap_size)
            .field("disk_encryption", &self.disk_encryption)
            .field("authorized_users", &self.authorized_users)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use roadstead_core::{ErrorKind, Outcome};

    use super::*;

    #[test]
    fn an_unknown_or_wrong_option_is_named() {
        let long = "x".repeat(70_000);
        for (options, field) in [
            (json!({"color": "red"}), "options.color"),
            (json!({"firewall_id": "f"}), "options.firewall_id"),
            (json!({"swap_size": -1}), "options.swap_size"),
            (
                json!({"disk_encryption": "maybe"}),
                "options.disk_encryption",
            ),
            (
                json!({"stackscript_id": 1, "stackscript_data": "x"}),
                "options.stackscript_data",
            ),
            (
                json!({"stackscript_data": {"a": "b"}}),
                "options.stackscript_data",
            ),
            (
                json!({"stackscript_id": 1, "stackscript_data": {"a": long}}),
                "options.stackscript_data",
            ),
            (json!([1]), "options"),
        ] {
            let error = read("create the instance", Some(&options)).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{options}");
            assert_eq!(
                (error.kind, error.outcome),
                (ErrorKind::Invalid, Outcome::NotExecuted)
            );
        }
    }

    #[test]
    fn the_schema_and_the_type_name_the_same_options() {
        let all = LinodeOptions {
            stackscript_id: Some(10_079),
            stackscript_data: Map::from_iter([("gh_username".to_owned(), json!("linode"))]),
            firewall_id: Some(1),
            placement_group_id: Some(528),
            swap_size: Some(0),
            disk_encryption: Some(DiskEncryption::Disabled),
            authorized_users: vec!["me".into()],
        };
        let json = serde_json::to_value(&all).unwrap();
        let names = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&json), names(&schema()["properties"]));
        assert_eq!(read("x", Some(&json)).unwrap(), all);
        assert_eq!(read("x", None).unwrap(), LinodeOptions::default());
    }

    #[test]
    fn debug_shows_no_data_of_a_script() {
        let options = LinodeOptions {
            stackscript_data: Map::from_iter([("password".to_owned(), json!("hunter2"))]),
            ..LinodeOptions::default()
        };
        assert!(!format!("{options:?}").contains("hunter2"));
    }
}
