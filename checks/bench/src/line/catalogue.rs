//! Catalogues from the cache, and what a cold cache asks of the provider.

use anyhow::Result;
use roadstead_testkit::Backend;
use serde_json::{Value, json};

use super::Options;
use crate::http;
use crate::report::{Report, Target, side_by_side};
use crate::vendors::Vendors;
use crate::world::{self, Bare, Server};

const PLANS: &str = "/api/vps/digitalocean/plans";

/// How many ask at once when nothing is kept.
const CROWD: u32 = 1_000;

pub(super) fn measure(report: &mut Report, options: &Options) -> Result<()> {
    let vendors = Vendors::start()?;
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = world::make(backend, &vendors)?;
        let server = Server::start(&database, &vendors, 1)?;
        let provider = server.register("digitalocean")?;
        let answer = server.ask(PLANS, None)?;
        let plans = answer.get("plans").and_then(Value::as_array);
        let plans = plans.map_or(0, Vec::len);
        anyhow::ensure!(plans >= 100, "only {plans} plans");
        let url = format!("http://{}{PLANS}", server.address);
        let bytes = http::bytes(&url, Some(&server.token), None)?;
        let bare = Bare::start(&database, &provider, &bytes)?;
        report.note(&format!(
            "{backend}: {plans} plans, {} bytes; the bare handler sends the same bytes behind the \
             same session check",
            bytes.len()
        ));
        let pair = side_by_side(
            options.rounds,
            (&server.process, || world::send(&server.request(PLANS))),
            (&bare.process, || {
                world::send(&bare.request(&server, "/bytes"))
            }),
        )?;
        let name = format!("cached plans, {backend}");
        report.ratio(&name, &pair, Target::AtLeast(0.8));
        let pair = side_by_side(
            options.rounds,
            (&bare.process, || {
                world::send(&bare.request(&server, "/bytes"))
            }),
            (&bare.process, || {
                world::send(&bare.request(&server, "/open"))
            }),
        )?;
        let name = format!("what the session check costs, {backend}");
        report.ratio(&name, &pair, Target::None);
        if backend == Backend::Sqlite {
            cold(report, &vendors, &server, &provider)?;
        }
    }
    Ok(())
}

fn cold(report: &mut Report, vendors: &Vendors, server: &Server, provider: &str) -> Result<()> {
    let path = "/v2/sizes";
    let endpoint = &vendors.endpoints.digitalocean;
    let clear = format!("/api/admin/providers/{provider}/cache/clear");
    // Whoever comes first, one of the crowd or the warming after the clearing, asks for all.
    let before = vendors.calls(endpoint, path)?;
    server.ask(&clear, Some(&json!({})))?;
    let mut crowd = server.request(PLANS);
    crowd.connections = CROWD;
    crowd.requests = Some(CROWD);
    let load = world::send(&crowd)?;
    anyhow::ensure!(load.refusals == 0, "{} were refused", load.refusals);
    let calls = vendors.calls(endpoint, path)?.saturating_sub(before);
    report.figure(
        &format!("provider calls for {CROWD} concurrent cold misses"),
        f64::from(u32::try_from(calls)?),
        "",
        Target::AtMost(1.0),
    );
    Ok(())
}
