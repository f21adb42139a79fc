//! The committed OpenAPI document as a judge of real requests and answers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex};

use jiff::Timestamp;
use regex::Regex;
use reqwest::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::answer::Answer;

pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(roadstead_api::openapi()).unwrap());

/// Returns every operation: method, path, and what the document says of it.
pub(crate) fn operations() -> Vec<(String, String, &'static Value)> {
    let mut found = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

/// Follows a reference, if it is one.
pub(crate) fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => DOCUMENT.pointer(target.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

/// Finds the operation that a call was for; a fixed path before one with a placeholder.
fn operation(method: &Method, path: &str) -> Option<(String, &'static Value)> {
    let parts: Vec<_> = path.split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<_> = pattern.split('/').collect();
        let mut pairs = pattern.iter().zip(&parts);
        pattern.len() == parts.len()
            && pairs.all(|(it, part)| it == part || (it.starts_with('{') && !part.is_empty()))
    };
    let all = operations().into_iter();
    let mut fitting: Vec<_> = all
        .filter(|it| it.0 == method.as_str() && fits(&it.1))
        .collect();
    fitting.sort_by_key(|it| it.1.matches('{').count());
    let (_, path, operation) = fitting.into_iter().next()?;
    Some((path, operation))
}

/// Asserts that a real answer is what the document says of its route, and that the request was,
/// if it went well.
pub(crate) fn judge(method: &Method, url: &url::Url, body: Option<&[u8]>, answer: &Answer) {
    let Some((path, operation)) = operation(method, url.path()) else {
        // No route: the only answer that no operation describes.
        assert_eq!(answer.status, 404, "{method} {url} is not documented");
        return;
    };
    let start: String = answer.text.chars().take(1000).collect();
    let place = format!("{method} {path}: {} {start}", answer.status);
    if answer.status == 304 {
        assert!(answer.text.is_empty(), "{place}");
        return;
    }
    let response = &operation["responses"][answer.status.to_string()];
    assert!(!response.is_null(), "an undocumented status: {place}");
    let content = resolve(response)["content"].as_object().unwrap();
    let kind = answer.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap();
    let media = content.get(kind);
    let media = media.unwrap_or_else(|| panic!("an undocumented content type `{kind}`: {place}"));
    if kind == "application/json" {
        let errors = check(&media["schema"], &answer.json(), Strictness::Closed);
        assert!(errors.is_empty(), "{errors}in {place}");
    }
    let taken = &operation["requestBody"]["content"]["application/json"]["schema"];
    if answer.status == 200
        && !taken.is_null()
        && let Some(body) = body
    {
        let sent = serde_json::from_slice(body).unwrap();
        let errors = check(taken, &sent, Strictness::AsSaid);
        assert!(
            errors.is_empty(),
            "a request was accepted against {errors}in {place}"
        );
    }
}

/// What to do about members that a schema does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// What the schema says.
    AsSaid,
    /// Every member has to be named: an answer shows nothing that is not documented.
    Closed,
}

/// Returns what is wrong with a value, line by line.
pub(crate) fn check(schema: &Value, value: &Value, strictness: Strictness) -> String {
    let mut checker = Checker {
        strictness,
        errors: String::new(),
    };
    checker.visit(schema, value, "");
    checker.errors
}

struct Checker {
    strictness: Strictness,
    errors: String,
}

impl Checker {
    fn wrong(&mut self, at: &str, rule: &str, value: &Value) {
        writeln!(self.errors, "`{at}`: {rule}: {value}").unwrap();
    }

    fn visit(&mut self, schema: &Value, value: &Value, at: &str) {
        let rules = match schema {
            // Anything goes.
            Value::Bool(true) => return,
            Value::Object(rules) => rules,
            other => panic!("no schema: {other}"),
        };
        for (keyword, rule) in rules {
            match keyword.as_str() {
                "$ref" => {
                    let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    self.visit(DOCUMENT.pointer(target).unwrap(), value, at);
                }
                "oneOf" | "anyOf" => {
                    let mut choices = rule.as_array().unwrap().iter();
                    if !choices.any(|it| check(it, value, self.strictness).is_empty()) {
                        self.wrong(at, &format!("fits no {keyword}"), value);
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.visit(rule, item, &format!("{at}[{index}]"));
                    }
                }
                // Together, below.
                "properties" | "required" | "additionalProperties" => {}
                _ if fits(keyword, rule, value) => {}
                _ => self.wrong(at, &format!("{keyword} {rule}"), value),
            }
        }
        if let Value::Object(members) = value {
            self.visit_members(rules, members, at);
        }
    }

    fn visit_members(
        &mut self,
        rules: &Map<String, Value>,
        members: &Map<String, Value>,
        at: &str,
    ) {
        let properties = rules.get("properties").and_then(Value::as_object);
        let others = rules.get("additionalProperties");
        let required = rules.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten() {
            let name = name.as_str().unwrap();
            if !members.contains_key(name) {
                self.wrong(at, &format!("`{name}` is missing"), &Value::Null);
            }
        }
        for (name, value) in members {
            let at = format!("{at}.{name}");
            match (properties.and_then(|it| it.get(name)), others) {
                (Some(rule), _) => self.visit(rule, value, &at),
                (None, Some(Value::Bool(false))) => self.wrong(&at, "unknown", value),
                (None, Some(rule)) => self.visit(rule, value, &at),
                // Beside a reference, the rest is named where that points.
                (None, None)
                    if self.is_closed() && properties.is_some() && !rules.contains_key("$ref") =>
                {
                    self.wrong(&at, "not documented", value);
                }
                (None, None) => {}
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.strictness == Strictness::Closed
    }
}

/// Returns whether a value keeps one rule. A rule that is not known here is no rule of ours.
fn fits(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = || i64::try_from(value.as_str().map_or(0, |it| it.chars().count())).ok();
    match keyword {
        "description" | "title" | "examples" | "default" | "deprecated" => true,
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|it| is_a(it.as_str().unwrap(), value)),
            kind => is_a(kind.as_str().unwrap(), value),
        },
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "minimum" => !value.is_number() || value.as_i64() >= rule.as_i64(),
        "maximum" => !value.is_number() || value.as_i64() <= rule.as_i64(),
        "minLength" => !value.is_string() || length() >= rule.as_i64(),
        "maxLength" => !value.is_string() || length() <= rule.as_i64(),
        "pattern" => {
            let pattern = pattern(rule.as_str().unwrap());
            value.as_str().is_none_or(|it| pattern.is_match(it))
        }
        "format" => value.is_null() || has_format(rule.as_str().unwrap(), value),
        other => panic!("this checker does not know `{other}`: teach it, or do without"),
    }
}

/// Reads a pattern once: a catalogue has thousands of amounts.
fn pattern(text: &str) -> Regex {
    static KNOWN: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    let make = || Regex::new(text).unwrap();
    known.entry(text.to_owned()).or_insert_with(make).clone()
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("this checker does not know the type `{other}`"),
    }
}

fn has_format(format: &str, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match format {
        "uuid" => text.parse::<Uuid>().is_ok(),
        "date-time" => text.ends_with('Z') && text.parse::<Timestamp>().is_ok(),
        "ip" => text.parse::<IpAddr>().is_ok(),
        "password" => value.is_string(),
        "uint8" | "uint16" | "uint32" | "uint64" => value.is_u64(),
        "int32" | "int64" => value.is_i64(),
        other => panic!("this checker does not know the format `{other}`"),
    }
}
