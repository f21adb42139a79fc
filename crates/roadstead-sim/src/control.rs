//! The paths under `/_sim`, by which tests read and steer a simulator.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::handle::Handle;
use crate::limits::Limit;
use crate::presets::{Script, presets};
use crate::tokens::{Scopes, well_known_tokens};
use crate::vendor::{Answer, Call};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenChange {
    token: String,
    #[serde(default)]
    account: Option<String>,
    scopes: Scopes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    #[serde(default)]
    advance_ms: u64,
    #[serde(default)]
    skew_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    closed_ms: u64,
}

/// Answers a call under `/_sim`. Such calls are not in the journal.
pub(crate) fn answer(handle: &Handle, call: &Call) -> Answer {
    match route(handle, call) {
        Ok(answer) => answer,
        Err(message) => Answer::json(400, &json!({ "error": message })),
    }
}

fn route(handle: &Handle, call: &Call) -> Result<Answer, String> {
    let body = match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/_sim") => json!({
            "paths": ["/_sim/journal", "/_sim/state", "/_sim/faults", "/_sim/tokens", "/_sim/limits", "/_sim/clock", "/_sim/listener", "/_sim/elsewhere", "/_sim/faults/catalogue"],
        }),
        ("GET", "/_sim/journal") => {
            let after = call
                .query("after")
                .and_then(|it| it.parse().ok())
                .unwrap_or(0);
            json!({ "journal": handle.journal_after(after) })
        }
        ("DELETE", "/_sim/journal") => {
            handle.clear_journal();
            return Ok(Answer::empty(204));
        }
        ("GET", "/_sim/state") => handle.state(),
        ("GET", "/_sim/faults") => json!({ "faults": handle.faults() }),
        ("POST", "/_sim/faults") => {
            let scripts = match parse::<Value>(call)? {
                Value::Array(scripts) => scripts,
                script => vec![script],
            };
            let scripts = scripts
                .iter()
                .map(Script::read)
                .collect::<Result<Vec<Script>, String>>()?;
            return Ok(Answer::json(201, &json!({ "ids": handle.add(scripts)? })));
        }
        ("GET", "/_sim/faults/catalogue") => json!({ "presets": presets() }),
        ("DELETE", "/_sim/faults") => {
            handle.clear_faults();
            return Ok(Answer::empty(204));
        }
        ("GET", "/_sim/tokens") => json!({ "well_known": well_known_tokens() }),
        ("POST", "/_sim/tokens") => {
            let change: TokenChange = parse(call)?;
            handle.set_token(&change.token, change.account.as_deref(), change.scopes);
            return Ok(Answer::empty(204));
        }
        ("GET", "/_sim/limits") => json!({ "limits": handle.limits() }),
        ("POST", "/_sim/limits") => {
            for (name, limit) in parse::<BTreeMap<String, Limit>>(call)? {
                handle.set_limit(&name, limit)?;
            }
            json!({ "limits": handle.limits() })
        }
        ("GET", "/_sim/clock") => json!({ "now": handle.now() }),
        ("POST", "/_sim/clock") => {
            let change: ClockChange = parse(call)?;
            handle.advance(Duration::from_millis(change.advance_ms));
            if let Some(ms) = change.skew_ms {
                handle.set_skew(ms);
            }
            json!({ "now": handle.now() })
        }
        ("POST", "/_sim/listener") => {
            let Closing { closed_ms } = parse(call)?;
            handle.close_listener(Duration::from_millis(closed_ms));
            return Ok(Answer::empty(202));
        }
        ("GET", "/_sim/elsewhere") => {
            json!({ "address": handle.elsewhere(), "callers": handle.callers() })
        }
        (method, path) => {
            let message = format!("there is no `{method} {path}`");
            return Ok(Answer::json(404, &json!({ "error": message })));
        }
    };
    Ok(Answer::json(200, &body))
}

fn parse<T: DeserializeOwned>(call: &Call) -> Result<T, String> {
    serde_json::from_slice(&call.body).map_err(|error| error.to_string())
}
