//! What only DigitalOcean knows about a new server.

use roadstead_core::{Result, read_options, wrong_option};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::kind;

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
/// `Invalid` on the field `options.<name>` that is unknown or wrong.
pub(crate) fn read(operation: &'static str, options: Option<&Value>) -> Result<DropletOptions> {
    let options: DropletOptions = read_options(&kind(), operation, &schema(), options)?;
    let odd_hour = |it: BackupPolicy| it.hour.is_some_and(|it| it > 20 || it % 4 != 0);
    if options.backup_policy.is_some_and(odd_hour) {
        return Err(wrong_option(&kind(), operation, &schema(), "backup_policy"));
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
                "description": "The VPC to join; the region's default one if empty.",
                "type": "string",
                "format": "uuid"
            },
            "with_droplet_agent": {
                "title": "Console agent",
                "description": "Install the agent of the web console.",
                "type": "boolean"
            },
            "backup_policy": {
                "title": "Backup schedule",
                "description": "When backups are made, if they are switched on.",
                "type": "object",
                "additionalProperties": false,
                "required": ["plan"],
                "properties": {
                    "plan": { "title": "How often", "enum": ["daily", "weekly"] },
                    "weekday": {
                        "title": "Day",
                        "enum": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
                    },
                    "hour": { "title": "Hour (UTC)", "enum": [0, 4, 8, 12, 16, 20] }
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
        let all = DropletOptions {
            monitoring: true,
            vpc_uuid: Some(uuid::Uuid::nil()),
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
        assert_eq!(read("x", Some(&json)).unwrap(), all);
        assert_eq!(read("x", None).unwrap(), DropletOptions::default());
    }
}
