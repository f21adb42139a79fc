//! An answer, and how it is written down in a snapshot.

use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(mut response: Response) -> Self {
        let headers = response.headers().clone();
        let kind = headers.get("content-type").map(|it| it.as_bytes());
        let text = if kind == Some(b"text/event-stream") {
            // It has no end.
            let begin = response.chunk().await.unwrap().unwrap();
            String::from_utf8(begin.to_vec()).unwrap()
        } else {
            return Self {
                status: response.status().as_u16(),
                headers,
                text: response.text().await.unwrap(),
            };
        };
        Self {
            status: response.status().as_u16(),
            headers,
            text,
        }
    }

    /// Returns the body, which has to be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text))
    }

    /// Returns what stands at a JSON pointer.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> Value {
        let found = self.json().pointer(pointer).cloned();
        found.unwrap_or_else(|| panic!("nothing at `{pointer}` in {}", self.text))
    }

    /// Returns the text at a JSON pointer.
    #[track_caller]
    pub(crate) fn word(&self, pointer: &str) -> String {
        let found = self.at(pointer);
        found
            .as_str()
            .unwrap_or_else(|| panic!("no text at `{pointer}`: {found}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Asserts that it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.at("/success"), Value::Bool(true), "{}", self.text);
        self
    }

    /// Asserts that it is a refusal in the one shape that all refusals have.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let shown = format!("{} {}", self.status, self.text);
        assert_eq!(self.status, status, "{shown}");
        assert_eq!(self.word("/code"), code, "{shown}");
        assert_eq!(self.at("/success"), Value::Bool(false), "{shown}");
        assert!(!self.word("/error").is_empty(), "{shown}");
        let id = self.word("/request_id");
        assert!(id.parse::<Uuid>().is_ok(), "{shown}");
        assert_eq!(self.header("x-request-id"), Some(&*id), "{shown}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        self
    }

    /// Returns the fields that a refusal names.
    pub(crate) fn fields(&self) -> Vec<String> {
        let errors = self.json().get("errors").cloned().unwrap_or_default();
        let errors = errors.as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|it| it["field"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns status and body without what differs from run to run.
    pub(crate) fn shown(&self) -> String {
        let body = steady("", self.json());
        format!(
            "{}\n{}",
            self.status,
            serde_json::to_string_pretty(&body).unwrap()
        )
    }

    /// The same of a long list, with only the first item of every list.
    pub(crate) fn shown_with_first(&self, list: &str) -> String {
        let length = self.json()[list].as_array().map_or(0, Vec::len);
        assert!(length > 1, "the list `{list}` is too short");
        let body = shorten(steady("", self.json()));
        format!(
            "{}\n{}",
            self.status,
            serde_json::to_string_pretty(&body).unwrap()
        )
    }
}

/// Replaces what differs from run to run, and sorts the keys.
fn steady(key: &str, value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let steadied = members.into_iter().map(|(name, value)| {
                let value = steady(&name, value);
                (name, value)
            });
            Value::Object(steadied.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|it| steady(key, it)).collect(),
        Value::String(text) => Value::String(match key {
            "token" | "version" | "fingerprint" | "provider_instance_id" | "ip" => {
                format!("[{key}]")
            }
            _ if text.parse::<Uuid>().is_ok() => "[id]".to_owned(),
            _ if text.parse::<Timestamp>().is_ok() => "[time]".to_owned(),
            _ => text,
        }),
        Value::Number(_) if key == "age_seconds" => Value::from("[age]"),
        other => other,
    }
}

fn shorten(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, shorten(value)))
            .collect(),
        Value::Array(mut items) if items.len() > 1 => {
            items.truncate(1);
            items.push(Value::from("and more"));
            items.into_iter().map(shorten).collect()
        }
        Value::Array(items) => items.into_iter().map(shorten).collect(),
        other => other,
    }
}
