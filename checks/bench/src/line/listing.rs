//! Many servers of one account, listed through the provider crates.

use anyhow::Result;
use serde_json::json;

use super::Options;
use crate::child::listing::Listing;
use crate::http;
use crate::process::{ask, myself};
use crate::report::{Report, Target};
use crate::vendors::{self, Vendors, journal};

const SERVERS: u32 = 1_000;

/// What each answer takes on a line to a far provider.
const DELAY_MILLIS: u32 = 60;

pub(super) fn measure(report: &mut Report, _options: &Options) -> Result<()> {
    let vendors = Vendors::start()?;
    for kind in ["digitalocean", "linode"] {
        for number in 0..SERVERS {
            let name = format!("web-{number}");
            vendors.make(kind, &vendors::server(kind, &name, "rs:d:bench"))?;
        }
    }
    for kind in ["digitalocean", "linode"] {
        let (endpoint, _) = vendors.of(kind);
        for delay in [0, DELAY_MILLIS] {
            slow_down(endpoint, delay)?;
            one(report, kind, endpoint, delay)?;
        }
    }
    Ok(())
}

fn one(report: &mut Report, kind: &str, endpoint: &str, delay: u32) -> Result<()> {
    let before = journal(endpoint, 0)?.len();
    let mut command = myself("listing")?;
    command.args(["--provider", kind, "--endpoint", endpoint]);
    let listing: Listing = ask(&mut command)?;
    // Twice listed, asked once whose token it is, and the bare ones.
    let others = listing.bare_requests.saturating_add(1);
    let requests = journal(endpoint, 0)?
        .len()
        .saturating_sub(before)
        .saturating_sub(others)
        / 2;
    anyhow::ensure!(
        u32::try_from(listing.servers)? == SERVERS,
        "{} of {SERVERS} servers were listed",
        listing.servers
    );
    let name = |what: &str| format!("{kind}, {delay} ms per answer: {what}");
    let (cpu, memory, wall) = if delay == 0 {
        (Target::AtMost(12.0), Target::AtMost(10.0), Target::None)
    } else {
        (Target::None, Target::None, Target::AtMost(150.0))
    };
    let requests_most = if kind == "linode" {
        Target::AtMost(2.0)
    } else {
        Target::None
    };
    report.figure(&name("processor"), listing.cpu_millis, "ms", cpu);
    report.figure(
        &name("the same bytes fetched and thrown away"),
        listing.bare_cpu_millis,
        "ms",
        Target::None,
    );
    report.figure(
        &name("ratio to that"),
        listing.cpu_millis / listing.bare_cpu_millis,
        "",
        Target::None,
    );
    report.figure(&name("wall"), listing.wall_millis, "ms", wall);
    report.figure(
        &name("extra memory"),
        f64::from(listing.extra_kib) / 1024.0,
        "MiB",
        memory,
    );
    report.figure(
        &name("requests"),
        f64::from(u32::try_from(requests)?),
        "",
        requests_most,
    );
    Ok(())
}

fn slow_down(endpoint: &str, delay: u32) -> Result<()> {
    if delay == 0 {
        return Ok(());
    }
    let fault = json!({ "method": "GET", "count": u64::MAX, "effect": { "delay_ms": delay } });
    http::bytes(&format!("{endpoint}/_sim/faults"), None, Some(&fault))?;
    Ok(())
}
