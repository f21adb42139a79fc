//! What only Linode knows about a new server.

use std::fmt;
use std::num::NonZeroU64;

use roadstead_core::{ChoiceList, ImageId, Result, read_options};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{invalid, kind};

/// Names, in the schema, the list that an option is chosen from.
const CHOICES: &str = "x-roadstead-choices";

/// Says, in the schema, that an option is an application's to set.
const OF_APP: &str = "x-roadstead-app";

/// The longest data of a StackScript, as JSON.
const STACKSCRIPT_DATA_MAX: usize = 65_535;

/// What stands before the ids of the account's own images.
const PRIVATE_IMAGE: &str = "private/";

/// Linode's own options of a create; see
/// [`CreateInstance::options`](roadstead_core::CreateInstance::options).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinodeOptions {
    /// A StackScript that runs at the first boot, such as an application's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stackscript_id: Option<NonZeroU64>,
    /// What the StackScript asks for. It may hold passwords, and `Debug` leaves it out.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub stackscript_data: Map<String, Value>,
    /// A firewall to put the Linode behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_id: Option<NonZeroU64>,
    /// The subnet of a VPC to join with a second interface, in the same region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_subnet_id: Option<NonZeroU64>,
    /// A placement group to join, in the same region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement_group_id: Option<NonZeroU64>,
    /// When backups are made, if they are; as Linode chooses where absent. It is set once the
    /// Linode runs, by [`AfterCreate`](roadstead_core::AfterCreate).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_schedule: Option<BackupSchedule>,
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

/// When backups are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSchedule {
    /// The day whose backup is kept longest.
    pub day: Weekday,
    /// The hour at which the window of two hours opens: an even one, UTC.
    pub hour: u8,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
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
/// `Invalid` on the field `options.<name>` that is unknown or wrong, or on what does not go
/// with it.
pub(crate) fn read(
    operation: &'static str,
    options: Option<&Value>,
    image: &ImageId,
    backups: bool,
) -> Result<LinodeOptions> {
    let options: LinodeOptions = read_options(&kind(), operation, &schema(), options)?;
    let refuse = |field: &str, message: &'static str| Err(invalid(operation, field, message));
    let data = &options.stackscript_data;
    if !data.is_empty() && options.stackscript_id.is_none() {
        let message = "data for a StackScript needs the StackScript's id";
        return refuse("options.stackscript_data", message);
    }
    if serde_json::to_string(data).map_or(0, |it| it.len()) > STACKSCRIPT_DATA_MAX {
        let message = "the data for the StackScript exceeds 65,535 bytes";
        return refuse("options.stackscript_data", message);
    }
    if options.stackscript_id.is_some() && image.as_str().starts_with(PRIVATE_IMAGE) {
        let message = "a StackScript does not work upon an image of the account's own";
        return refuse("image", message);
    }
    if let Some(schedule) = options.backup_schedule {
        if schedule.hour > 22 || schedule.hour % 2 != 0 {
            let message = "the hour of the backup schedule must be even, from 0 to 22";
            return refuse("options.backup_schedule", message);
        }
        if !backups {
            let message = "a backup schedule needs backups to be switched on";
            return refuse("options.backup_schedule", message);
        }
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
                "description": "A StackScript to run at the first boot, such as an application's.",
                "type": "integer",
                "minimum": 1,
                (OF_APP): true
            },
            "stackscript_data": {
                "title": "StackScript data",
                "description": "What the StackScript asks for, by the names of its fields.",
                "type": "object",
                "additionalProperties": {
                    "anyOf": [
                        { "type": "string" },
                        { "type": "array", "items": { "type": "string" } }
                    ]
                },
                (OF_APP): true
            },
            "firewall_id": {
                "title": "Firewall",
                "description": "A firewall to put the server behind.",
                "type": "integer",
                "minimum": 1,
                (CHOICES): ChoiceList::Firewalls.as_str()
            },
            "vpc_subnet_id": {
                "title": "VPC",
                "description": "The subnet of a VPC to join, in the same region. The server \
                                keeps its public address.",
                "type": "integer",
                "minimum": 1,
                (CHOICES): ChoiceList::Networks.as_str()
            },
            "placement_group_id": {
                "title": "Placement group",
                "description": "A placement group to join, in the same region.",
                "type": "integer",
                "minimum": 1,
                (CHOICES): ChoiceList::PlacementGroups.as_str()
            },
            "backup_schedule": {
                "title": "Backup schedule",
                "description": "When backups are made, if they are switched on; as Linode \
                                chooses if empty.",
                "type": "object",
                "additionalProperties": false,
                "required": ["day", "hour"],
                "properties": {
                    "day": {
                        "title": "Day",
                        "description": "The day whose backup is kept longest.",
                        "type": "string",
                        "enum": [
                            "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                            "Saturday"
                        ]
                    },
                    "hour": {
                        "title": "Hour (UTC)",
                        "description": "When the window of two hours opens.",
                        "type": "integer",
                        "enum": [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]
                    }
                }
            },
            "swap_size": {
                "title": "Swap (MB)",
                "description": "The size of the swap disk; none at zero.",
                "type": "integer",
                "minimum": 0,
                "default": 512
            },
            "disk_encryption": {
                "title": "Disk encryption",
                "description": "Whether the disks are encrypted; as the region does it if empty.",
                "type": "string",
                "enum": ["enabled", "disabled"]
            },
            "authorized_users": {
                "title": "Users",
                "description": "Users of the account whose SSH keys may log in.",
                "type": "array",
                "items": { "type": "string", "minLength": 1 }
            }
        }
    })
}

impl fmt::Debug for LinodeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinodeOptions")
            .field("stackscript_id", &self.stackscript_id)
            .field("firewall_id", &self.firewall_id)
            .field("vpc_subnet_id", &self.vpc_subnet_id)
            .field("placement_group_id", &self.placement_group_id)
            .field("backup_schedule", &self.backup_schedule)
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
            (json!({"firewall_id": 0}), "options.firewall_id"),
            (json!({"vpc_subnet_id": "s"}), "options.vpc_subnet_id"),
            (
                json!({"placement_group_id": -1}),
                "options.placement_group_id",
            ),
            (json!({"swap_size": -1}), "options.swap_size"),
            (
                json!({"backup_schedule": {"day": "Sunday"}}),
                "options.backup_schedule",
            ),
            (
                json!({"backup_schedule": {"day": "SUN", "hour": 0}}),
                "options.backup_schedule",
            ),
            (
                json!({"backup_schedule": {"day": "Sunday", "hour": 3}}),
                "options.backup_schedule",
            ),
            (
                json!({"backup_schedule": {"day": "Sunday", "hour": 24}}),
                "options.backup_schedule",
            ),
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
            let image = "linode/debian12".into();
            let error = read("create the instance", Some(&options), &image, true).unwrap_err();
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
            stackscript_id: NonZeroU64::new(10_079),
            stackscript_data: Map::from_iter([("gh_username".to_owned(), json!("linode"))]),
            firewall_id: NonZeroU64::new(1),
            vpc_subnet_id: NonZeroU64::new(456),
            placement_group_id: NonZeroU64::new(528),
            backup_schedule: Some(BackupSchedule {
                day: Weekday::Saturday,
                hour: 22,
            }),
            swap_size: Some(0),
            disk_encryption: Some(DiskEncryption::Disabled),
            authorized_users: vec!["me".into()],
        };
        let json = serde_json::to_value(&all).unwrap();
        let names = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&json), names(&schema()["properties"]));
        let image = "linode/debian12".into();
        assert_eq!(read("x", Some(&json), &image, true).unwrap(), all);
        assert_eq!(
            read("x", None, &image, false).unwrap(),
            LinodeOptions::default()
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let check = |options: Value, image: &str, field: &str| {
            let error = read("x", Some(&options), &image.into(), false).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{options}");
        };
        let schedule = json!({"backup_schedule": {"day": "Sunday", "hour": 2}});
        check(schedule, "linode/debian12", "options.backup_schedule");
        check(json!({"stackscript_id": 7}), "private/123", "image");
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
