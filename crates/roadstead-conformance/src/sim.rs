//! The part of a harness that every simulator shares: its `/_sim` paths.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::harness::{CallClass, Fault, When};

/// Where a class of calls arrives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Route {
    /// The HTTP method; any where absent.
    pub method: Option<&'static str>,
    /// The path, in the simulator's notation (`/v2/droplets/{id}`); any where absent.
    pub path: Option<&'static str>,
}

/// Steers a simulator by HTTP.
#[derive(Clone, Debug)]
pub struct SimControl {
    endpoint: String,
    client: Client,
    route: fn(CallClass) -> Route,
    refusal: fn(u16) -> Value,
    silence: Duration,
}

impl SimControl {
    /// Makes the control of the simulator at `endpoint`. `route` says where calls arrive,
    /// `refusal` is the vendor's error body of a status, and `silence` must be longer
    /// than the provider under test waits for an answer.
    #[must_use]
    pub fn new(
        endpoint: impl Into<String>,
        route: fn(CallClass) -> Route,
        refusal: fn(u16) -> Value,
        silence: Duration,
    ) -> Self {
        let client = Client::builder()
            .no_proxy()
            .build()
            .expect("a client without TLS roots");
        Self {
            endpoint: endpoint.into(),
            client,
            route,
            refusal,
            silence,
        }
    }

    /// Spoils the next `count` calls of a class.
    pub async fn break_next(&self, class: CallClass, count: u32, fault: &Fault) {
        let route = (self.route)(class);
        let (when, effect) = self.effect(fault);
        let mut rule = json!({ "effect": effect, "count": count });
        match when {
            When::Before => rule["when"] = json!("before"),
            When::After => rule["when"] = json!("after"),
            When::Late(after) => {
                rule["when"] = json!("late");
                rule["late_ms"] = json!(millis(after));
            }
        }
        self.add(route, rule).await;
    }

    /// Takes back every fault.
    pub async fn mend(&self) {
        self.call(Method::DELETE, "faults", None).await;
    }

    /// Answers reads of one path with `body` from now on.
    pub async fn answer_reads(&self, path: &str, body: &Value) {
        let mut rule = json!({ "effect": { "status": 200, "body": body }, "count": u32::MAX });
        rule["path"] = json!(path);
        self.add(
            Route {
                method: Some("GET"),
                path: None,
            },
            rule,
        )
        .await;
    }

    /// Reads a path of the vendor's own API.
    pub async fn vendor_json(&self, path: &str, token: &str) -> Value {
        let url = format!("{}{path}", self.endpoint);
        let answer = self.client.get(url).bearer_auth(token).send().await;
        answer
            .expect("the simulator answers")
            .json()
            .await
            .expect("the answer is JSON")
    }

    /// Refuses a token from now on.
    pub async fn revoke(&self, token: &str) {
        self.post("tokens", &json!({ "token": token, "scopes": "revoked" }))
            .await;
    }

    /// Moves the vendor's time on.
    pub async fn pass_time(&self, by: Duration) {
        self.post("clock", &json!({ "advance_ms": millis(by) }))
            .await;
    }

    /// Returns everything that the vendor knows.
    pub async fn state(&self) -> Value {
        self.call(Method::GET, "state", None).await
    }

    /// Counts the calls of a class that have reached the vendor.
    pub async fn calls_seen(&self, class: CallClass) -> usize {
        let route = (self.route)(class);
        let journal = self.call(Method::GET, "journal", None).await;
        let calls = journal["journal"]
            .as_array()
            .expect("the journal is a list");
        calls.iter().filter(|call| arrived(call, route)).count()
    }

    fn effect(&self, fault: &Fault) -> (When, Value) {
        match fault {
            // A delay alone would let the call go on and be answered afterwards.
            Fault::Silence { when } => (
                *when,
                json!({ "delay_ms": millis(self.silence), "drop": true }),
            ),
            Fault::Status { status, when, body } => {
                let body = body.clone().unwrap_or_else(|| (self.refusal)(*status));
                (*when, json!({ "status": status, "body": body }))
            }
            Fault::Drop { when } => (*when, json!({ "drop": true })),
            Fault::Html { status, when } => {
                let page = "<html><head><title>Bad gateway</title></head></html>";
                (
                    *when,
                    json!({ "status": status, "body": page, "content_type": "text/html" }),
                )
            }
            Fault::Truncate => (When::After, json!({ "truncate": 20 })),
            Fault::Throttle { retry_after } => {
                let seconds = retry_after.as_secs().to_string();
                let headers = json!({ "retry-after": seconds });
                let body = (self.refusal)(429);
                (
                    When::Before,
                    json!({ "status": 429, "body": body, "headers": headers }),
                )
            }
        }
    }

    async fn add(&self, route: Route, mut rule: Value) {
        if let Some(method) = route.method {
            rule["method"] = json!(method);
        }
        if let Some(path) = route.path {
            rule["path"] = json!(path);
        }
        self.post("faults", &rule).await;
    }

    async fn post(&self, path: &str, body: &Value) {
        self.call(Method::POST, path, Some(body)).await;
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}/_sim/{path}", self.endpoint);
        let mut request = self.client.request(method, &url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the simulator answers");
        let status = answer.status();
        let text = answer
            .text()
            .await
            .expect("the simulator's answer is whole");
        assert!(status.is_success(), "{url} answered {status}: {text}");
        if text.is_empty() {
            Value::Null
        } else {
            text.parse().expect("the answer is JSON")
        }
    }
}

fn arrived(call: &Value, route: Route) -> bool {
    let method = route.method.is_none_or(|it| call["method"] == it);
    let path = route
        .path
        .is_none_or(|it| fits(it, call["path"].as_str().unwrap_or_default()));
    method && path
}

/// Returns whether a path fits a pattern in the simulator's notation.
fn fits(pattern: &str, path: &str) -> bool {
    let mut escaped = String::from("^");
    for (place, segment) in pattern.split('/').enumerate() {
        if place > 0 {
            escaped.push('/');
        }
        match segment.strip_suffix('*') {
            Some(start) => escaped.push_str(&format!("{}.*", regex::escape(start))),
            None if segment.starts_with('{') => escaped.push_str("[^/]+"),
            None => escaped.push_str(&regex::escape(segment)),
        }
    }
    escaped.push_str("/?$");
    regex::Regex::new(&escaped)
        .expect("the pattern is escaped")
        .is_match(path)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_its_template_and_no_longer_one() {
        assert!(fits("/v2/droplets", "/v2/droplets"));
        assert!(!fits("/v2/droplets", "/v2/droplets/7"));
        assert!(fits("/v2/droplets/{id}/actions", "/v2/droplets/7/actions"));
        assert!(!fits("/v2/droplets/{id}", "/v2/droplets/7/actions"));
        assert!(fits(
            "/v4/linode/instances/{id}/*",
            "/v4/linode/instances/7/boot"
        ));
    }
}
