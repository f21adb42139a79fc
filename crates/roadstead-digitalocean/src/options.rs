//! What only DigitalOcean knows about a new server.

use roadstead_core::{ChoiceList, Result, read_options};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{invalid, kind};

/// Names, in the schema, the list that an option is chosen from.
const CHOICES: &str = "x-roadstead-choices";

/// DigitalOcean's own options of a create; see
/// [`CreateInstance::options`](roadstead_core::CreateInstance::options).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DropletOptions {
    /// Whether the metrics agent is installed.
    pub monitoring: bool,
    /// The VPC to join; the region's default one where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_uuid: Option<uuid::Uuid>,
    /// A firewall to put the droplet behind. A firewall takes droplets by their tags, so the
    /// droplet gets the firewall's first tag in the creating call, and is never without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_id: Option<uuid::Uuid>,
    /// Whether the agent of the web console is installed. Where absent, DigitalOcean tries
    /// and ignores failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_droplet_agent: Option<bool>,
    /// When backups are made, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_policy: Option<BackupPolicy>,
}

/// When backups are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupPolicy {
    /// How often.
    pub plan: BackupPlan,
    /// The day of weekly ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<Weekday>,
    /// The hour at which the window of four hours opens: 0, 4, 8, 12, 16 or 20 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<u8>,
}

/// How often backups are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupPlan {
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Weekday {
    /// Sunday.
    Sun,
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
}

/// Reads the options of a request.
///
/// # Errors
///
/// `Invalid` on the field `options.<name>` that is unknown or wrong, or does not go with the
/// rest of the request.
pub(crate) fn read(
    operation: &'static str,
    options: Option<&Value>,
    backups: bool,
) -> Result<DropletOptions> {
    let options: DropletOptions = read_options(&kind(), operation, &schema(), options)?;
    let Some(policy) = options.backup_policy else {
        return Ok(options);
    };
    let refuse = |message| Err(invalid(operation, "options.backup_policy", message));
    if policy.hour.is_some_and(|it| it > 20 || it % 4 != 0) {
        return refuse("the hour of the backup schedule must be 0, 4, 8, 12, 16 or 20");
    }
    if policy.plan == BackupPlan::Daily && policy.weekday.is_some() {
        return refuse("daily backups have no day");
    }
    if !backups {
        return refuse("a backup schedule needs backups to be switched on");
    }
    Ok(options)
}

/// Returns the JSON Schema of [`DropletOptions`].
pub(crate) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "DigitalOcean options",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "monitoring": {
                "title": "Metrics agent",
                "description": "Install DigitalOcean's metrics agent.",
                "type": "boolean",
                "default": false
            },
            "vpc_uuid": {
                "title": "VPC",
                "description": "A VPC to join, in the same region; the region's default one if \
                                empty.",
                "type": "string",
                "format": "uuid",
                (CHOICES): ChoiceList::Networks.as_str()
            },
            "firewall_id": {
                "title": "Firewall",
                "description": "A firewall to put the server behind. The server gets the first \
                                of the firewall's tags, and with it whatever else goes by that \
                                tag.",
                "type": "string",
                "format": "uuid",
                (CHOICES): ChoiceList::Firewalls.as_str()
            },
            "with_droplet_agent": {
                "title": "Console agent",
                "description": "Install the agent of the web console; tried, and no failure if \
                                it does not work, if empty.",
                "type": "boolean"
            },
            "backup_policy": {
                "title": "Backup schedule",
                "description": "When backups are made, if they are switched on.",
                "type": "object",
                "additionalProperties": false,
                "required": ["plan"],
                "properties": {
                    "plan": {
                        "title": "How often",
                        "description": "Weekly backups are kept four weeks, daily ones one.",
                        "type": "string",
                        "enum": ["daily", "weekly"]
                    },
                    "weekday": {
                        "title": "Day",
                        "description": "The day of weekly backups.",
                        "type": "string",
                        "enum": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
                    },
                    "hour": {
                        "title": "Hour (UTC)",
                        "description": "When the window of four hours opens.",
                        "type": "integer",
                        "enum": [0, 4, 8, 12, 16, 20]
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use roadstead_core::{ErrorKind, Outcome};

    use super::*;

    #[test]
    fn an_unknown_or_wrong_option_is_named() {
        for (options, field) in [
            (json!({"color": "red"}), "options.color"),
            (json!({"monitoring": "yes"}), "options.monitoring"),
            (
                json!({"monitoring": true, "vpc_uuid": "x"}),
                "options.vpc_uuid",
            ),
            (
                json!({"backup_policy": {"plan": "hourly"}}),
                "options.backup_policy",
            ),
            (
                json!({"backup_policy": {"plan": "daily", "hour": 3}}),
                "options.backup_policy",
            ),
            (
                json!({"backup_policy": {"plan": "daily", "hour": 24}}),
                "options.backup_policy",
            ),
            (
                json!({"backup_policy": {"plan": "daily", "weekday": "SUN"}}),
                "options.backup_policy",
            ),
            (json!({"firewall_id": 7}), "options.firewall_id"),
            (json!([1]), "options"),
        ] {
            let error = read("create the instance", Some(&options), true).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{options}");
            assert_eq!(
                (error.kind, error.outcome),
                (ErrorKind::Invalid, Outcome::NotExecuted)
            );
        }
    }

    #[test]
    fn the_schema_and_the_type_name_the_same_options() {
        let all = DropletOptions {
            monitoring: true,
            vpc_uuid: Some(uuid::Uuid::nil()),
            firewall_id: Some(uuid::Uuid::max()),
            with_droplet_agent: Some(false),
            backup_policy: Some(BackupPolicy {
                plan: BackupPlan::Weekly,
                weekday: Some(Weekday::Sun),
                hour: Some(20),
            }),
        };
        let json = serde_json::to_value(&all).unwrap();
        let names = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&json), names(&schema()["properties"]));
        assert_eq!(read("x", Some(&json), true).unwrap(), all);
        assert_eq!(read("x", None, false).unwrap(), DropletOptions::default());
    }
}
