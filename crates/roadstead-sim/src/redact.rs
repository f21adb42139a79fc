//! Keeps passwords out of the journal.

use serde_json::Value;

use crate::tokens::sha256_hex;

/// Returns a body for the journal, with the values of `fields` replaced by
/// their digests wherever they stand. A field between asterisks means every name
/// that holds it, whatever its case.
pub(crate) fn journal_body(text: &str, fields: &[&str]) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(mut body) => {
            hide(&mut body, fields);
            Some(body)
        }
        // What cannot be read may hold a password anywhere.
        Err(_) if fields.iter().any(|it| contains(text, it.trim_matches('*'))) => {
            Some(Value::String(digest_of(text)))
        }
        Err(_) => Some(Value::String(text.to_owned())),
    }
}

/// Replaces the values of `fields` by their digests.
pub(crate) fn hide(value: &mut Value, fields: &[&str]) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if fields.iter().any(|it| is_named(name, it)) => {
                        *text = digest_of(text);
                    }
                    other => hide(other, fields),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| hide(it, fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_named(name: &str, field: &str) -> bool {
    match field.strip_prefix('*').and_then(|it| it.strip_suffix('*')) {
        Some(part) => contains(name, part),
        None => name == field,
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

fn digest_of(text: &str) -> String {
    format!("[sha256:{}]", sha256_hex(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_field_is_replaced_by_its_digest_at_any_depth() {
        let body = r#"{"a":[{"root_pass":"hunter2"}],"root_pass":"hunter2","b":"seen"}"#;
        let kept = journal_body(body, &["root_pass"]).unwrap().to_string();
        assert!(!kept.contains("hunter2"), "{kept}");
        assert!(kept.contains("seen") && kept.contains(&sha256_hex("hunter2")));
    }

    #[test]
    fn a_field_between_asterisks_means_every_name_that_holds_it() {
        let body = r#"{"data":{"db_Password":"hunter2","db_name":"seen"}}"#;
        let kept = journal_body(body, &["*password*"]).unwrap().to_string();
        assert!(!kept.contains("hunter2") && kept.contains("seen"), "{kept}");
        let broken = r#"{"DB_PASSWORD":"hunter2""#;
        let kept = journal_body(broken, &["*password*"]).unwrap().to_string();
        assert!(!kept.contains("hunter2"), "{kept}");
    }

    #[test]
    fn an_unreadable_body_that_may_hold_a_password_is_only_a_digest() {
        let broken = r#"{"root_pass":"hunter2""#;
        let kept = journal_body(broken, &["root_pass"]).unwrap();
        assert_eq!(kept, format!("[sha256:{}]", sha256_hex(broken)));
        assert_eq!(journal_body("{", &["root_pass"]).unwrap(), "{");
        assert_eq!(journal_body("", &[]), None);
    }
}
