//! Second servers that came and went: how long each was there, by the provider's own books.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use roadstead_harness::{Evidence, Simulators, Vendor};
use serde_json::Value;

/// The settle window and two sweeps of the short clockwork.
const ALLOWED: Duration = Duration::from_secs(3 + 2 * 2);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(1);

/// A server beside the bound one, or instead of one that was given up.
#[derive(Debug)]
pub(crate) struct Extra {
    pub(crate) name: String,
    pub(crate) id: String,
    /// How long after it could be seen it was told to go; nothing while it is there.
    pub(crate) stayed: Option<Duration>,
}

impl Extra {
    /// Returns what is wrong with it, if something is.
    pub(crate) fn finding(&self) -> Option<String> {
        let Self { name, id, stayed } = self;
        match stayed {
            None => Some(format!(
                "server {id} stays beside the bound one of `{name}`"
            )),
            Some(stayed) if *stayed > ALLOWED + SLACK => Some(format!(
                "server {id} stayed {:.1} s beside the bound one of `{name}`, and may stay {} s",
                stayed.as_secs_f64(),
                ALLOWED.as_secs()
            )),
            Some(_) => None,
        }
    }
}

/// Returns the second servers in a part of the evidence, measured by the simulator's state.
pub(crate) async fn extras(
    simulators: &Simulators,
    vendor: Vendor,
    part: &Evidence,
) -> Result<Vec<Extra>> {
    let (_, state) = simulators.call(vendor, "GET", "/_sim/state", None).await?;
    let accounts = state.get("accounts").and_then(Value::as_array);
    let servers: Vec<&Value> = accounts
        .into_iter()
        .flatten()
        .filter_map(|it| it.get("droplets").or(it.get("instances"))?.as_array())
        .flatten()
        .collect();
    let mut extras = Vec::new();
    for instance in &part.books.instances {
        let named = servers
            .iter()
            .filter(|it| it.get("name").and_then(Value::as_str) == Some(&*instance.name));
        for server in named {
            let id = server.get("id").map(Value::to_string).unwrap_or_default();
            if instance.remote.as_deref() == Some(&*id) {
                continue;
            }
            let visible = time(server, "visible_at")?.context("a server without a time")?;
            let asked = time(server, "deletion_asked_at")?;
            extras.push(Extra {
                name: instance.name.clone(),
                id,
                stayed: asked.map(|it| {
                    Duration::try_from(it.duration_since(visible)).unwrap_or(Duration::ZERO)
                }),
            });
        }
    }
    Ok(extras)
}

fn time(server: &Value, name: &str) -> Result<Option<Timestamp>> {
    let text = server.get(name).and_then(Value::as_str);
    Ok(text.map(str::parse).transpose()?)
}
