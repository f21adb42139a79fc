//! What the rest notices of a provider that does not answer.

use std::time::Instant;

use anyhow::{Context, Result};
use roadstead_testkit::Backend;
use serde_json::Value;

use super::Options;
use crate::report::{Report, Target};
use crate::vendors::Vendors;
use crate::world::{self, Server, wanted};

const LIST: &str = "/api/vps?limit=50";

/// How many creates wait for the dead provider while the list is read.
const WAITING: u32 = 20;

pub(super) fn measure(report: &mut Report, options: &Options) -> Result<()> {
    // Each provider in a process of its own, so that one of them can die.
    let dying = Vendors::start()?;
    let mut vendors = Vendors::start()?;
    vendors
        .endpoints
        .digitalocean
        .clone_from(&dying.endpoints.digitalocean);
    let database = world::make(Backend::Sqlite, &vendors)?;
    let server = Server::start(&database, &vendors, 1)?;
    server.register("digitalocean")?;
    server.register("linode")?;
    let plans = "/api/vps/digitalocean/plans";
    for path in [
        plans,
        "/api/vps/digitalocean/images",
        "/api/vps/digitalocean/regions",
    ] {
        server.ask(path, None)?;
    }
    for number in 0..50 {
        server.ask(
            "/api/vps",
            Some(&wanted("digitalocean", &format!("bench-{number}"))),
        )?;
    }
    let alive = p99(&server, options.rounds)?;
    drop(dying);
    for number in 0..WAITING {
        server.ask(
            "/api/vps",
            Some(&wanted("digitalocean", &format!("bench-{number}"))),
        )?;
    }
    let dead = p99(&server, options.rounds)?;
    report.figure(
        "p99 of the list, both alive",
        alive / 1e3,
        "ms",
        Target::None,
    );
    report.figure(
        &format!("p99 of the list, one dead and {WAITING} creates waiting for it"),
        dead / 1e3,
        "ms",
        Target::None,
    );
    report.figure("  ratio", dead / alive, "", Target::AtMost(2.0));
    let answer = server.ask(plans, None)?;
    let age = answer.get("age_seconds").and_then(Value::as_f64);
    report.figure(
        "age of the dead provider's plans, from the cache",
        age.context("no age")?,
        "s",
        Target::None,
    );
    let started = Instant::now();
    let created = server.ask("/api/vps", Some(&wanted("linode", "bench")))?;
    server.until_running(&created)?;
    report.figure(
        "a server at the other provider, from request to running",
        started.elapsed().as_secs_f64(),
        "s",
        Target::None,
    );
    Ok(())
}

fn p99(server: &Server, rounds: u32) -> Result<f64> {
    let mut all = Vec::new();
    for _ in 0..rounds.max(1) {
        all.push(world::send(&server.request(LIST))?.p99_micros);
    }
    all.sort_unstable();
    let middle = all.get(all.len() / 2).copied();
    Ok(f64::from(middle.context("nothing was measured")?))
}
