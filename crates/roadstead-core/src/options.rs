//! A vendor's own options, read strictly and with the wrong one named.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Error, ErrorKind, Outcome, ProviderKind, Result};

/// The longest part of an option's name that is repeated.
const SHOWN: usize = 64;

/// Reads [`crate::CreateInstance::options`] as a vendor's own type, which should deny
/// unknown fields.
///
/// # Errors
///
/// `Invalid` on the field `options.<name>` that `schema` does not know or whose value does
/// not fit. A value is never repeated: it may be a secret.
pub fn read_options<T: DeserializeOwned + Default>(
    kind: &ProviderKind,
    operation: &'static str,
    schema: &Value,
    options: Option<&Value>,
) -> Result<T> {
    let fields = match options {
        None | Some(Value::Null) => return Ok(T::default()),
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            let message = "the options must be an object";
            return Err(refusal(kind, operation, "options", message.to_owned()));
        }
    };
    // Each option is read alone first, so that the error can name it.
    for (name, value) in fields {
        if serde_json::from_value::<T>(json!({ name: value })).is_err() {
            return Err(wrong_option(kind, operation, schema, name));
        }
    }
    serde_json::from_value(Value::Object(fields.clone())).map_err(|_may_repeat_a_value| {
        let message = "the options do not fit together";
        refusal(kind, operation, "options", message.to_owned())
    })
}

/// Returns the refusal of one option.
#[must_use]
pub fn wrong_option(
    kind: &ProviderKind,
    operation: &'static str,
    schema: &Value,
    name: &str,
) -> Error {
    let known = schema
        .get("properties")
        .and_then(|it| it.get(name))
        .is_some();
    let why = if known {
        "has a wrong value"
    } else {
        "is unknown"
    };
    let shown = shown(name);
    let message = format!("the option `{shown}` {why}");
    refusal(kind, operation, &format!("options.{shown}"), message)
}

/// Returns a name so that it can be shown: what a member typed may be anything.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .filter(|it| !it.is_control())
        .take(SHOWN)
        .collect()
}

pub(crate) fn refusal(
    kind: &ProviderKind,
    operation: &'static str,
    field: &str,
    message: String,
) -> Error {
    Error::new(kind.clone(), operation, ErrorKind::Invalid, message)
        .with_field(field)
        .with_outcome(Outcome::NotExecuted)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Probe {
        monitoring: bool,
    }

    fn read(options: Value) -> Result<Probe> {
        let schema = json!({ "properties": { "monitoring": {} } });
        read_options(
            &"fake".into(),
            "create the instance",
            &schema,
            Some(&options),
        )
    }

    #[test]
    fn the_wrong_option_is_named_and_its_value_is_not_repeated() {
        assert_eq!(read(json!(null)).unwrap(), Probe::default());
        assert!(read(json!({ "monitoring": true })).unwrap().monitoring);
        let wrong = read(json!({ "monitoring": "hunter2" })).unwrap_err();
        assert_eq!(wrong.field.as_deref(), Some("options.monitoring"));
        assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
        let unknown = read(json!({ "tele\nport": 1 })).unwrap_err();
        assert_eq!(unknown.field.as_deref(), Some("options.teleport"));
        assert_eq!(
            read(json!(["list"])).unwrap_err().field.as_deref(),
            Some("options")
        );
    }
}
