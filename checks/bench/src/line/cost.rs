//! What a create asks of PostgreSQL, and what a poll of a quiet fleet asks of the providers.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use roadstead_testkit::{Backend, Wiretap, Work};
use serde_json::json;

use super::Options;
use crate::http::word;
use crate::report::{Report, Target};
use crate::vendors::{self, Vendors, journal};
use crate::world::{self, PATIENCE, Server, wanted};

/// More creates than the program has connections.
const WARM: u32 = 50;

/// How often the fleets are read, so that no poll comes too close to the limits of a minute.
const INTERVAL: Duration = Duration::from_secs(4);

/// How many polls of each fleet are counted.
const POLLS: usize = 2;

/// How many servers a fleet has without graphics processors, and with them.
const FLEETS: [(usize, usize); 4] = [(1, 0), (500, 0), (1001, 0), (1001, 201)];

pub(super) fn measure(report: &mut Report, _options: &Options) -> Result<()> {
    creates(report)?;
    polls(report)
}

fn creates(report: &mut Report) -> Result<()> {
    let vendors = Vendors::start()?;
    let database = world::make(Backend::Postgres, &vendors)?;
    let tap = world::block_on(async { Ok(Wiretap::start(database.scratch.url()).await) })?;
    let settings = [
        ("ROADSTEAD_WORKERS", "0"),
        ("ROADSTEAD_DATABASE_URL", tap.url()),
    ];
    let server = Server::start_with(&database, &vendors, &settings)?;
    let provider = server.register("digitalocean")?;
    let plan = json!({
        "provider_id": provider, "type": "s-1vcpu-1gb", "name": "Small", "active": true,
    });
    let plan = word(&server.ask("/api/admin/plans", Some(&plan))?, "/plan/id")?;
    let bare = wanted("digitalocean", "cost");
    let mut sold = bare.clone();
    let fields = sold.as_object_mut().context("a request")?;
    fields.retain(|name, _| !["provider_type", "type"].contains(&name.as_str()));
    fields.insert("plan_id".to_owned(), plan.into());
    for (name, body) in [("a provider's plan", bare), ("a plan on sale", sold)] {
        let mut request = server.request("/api/vps");
        request.body = Some(body.to_string());
        request.connections = 1;
        request.requests = Some(1);
        let mut done = Vec::new();
        // The first on each connection prepares what the others execute.
        for number in 0..WARM {
            request.header = vec![format!(
                "Idempotency-Key: {}-{number}",
                name.replace(' ', "-")
            )];
            tap.take();
            let load = world::send(&request)?;
            anyhow::ensure!(load.answers == 1, "the create was refused");
            done = tap.take();
        }
        let create = the(&done, "vps_instances")?;
        let session = the(&done, "sessions")?;
        let mut figure = |what: &str, figure: usize, target| -> Result<()> {
            let figure = f64::from(u32::try_from(figure)?);
            report.figure(&format!("create of {name}: {what}"), figure, "", target);
            Ok(())
        };
        figure("statements", create.statements.len(), Target::AtMost(8.0))?;
        figure("flights", create.flights, Target::AtMost(5.0))?;
        figure("session look-up, flights", session.flights, Target::None)?;
    }
    report.note("of the transaction, on PostgreSQL's wire, with an idempotency key");
    Ok(())
}

/// Returns the one that changes or reads a table.
fn the<'a>(done: &'a [Work], table: &str) -> Result<&'a Work> {
    let is_it = |it: &&Work| it.statements.iter().any(|it| it.contains(table));
    let mut all = done.iter().filter(is_it);
    let one = all.next();
    let one = one.with_context(|| format!("nothing was done to `{table}`: {done:?}"))?;
    anyhow::ensure!(
        all.next().is_none(),
        "more than one has to do with `{table}`"
    );
    Ok(one)
}

fn polls(report: &mut Report) -> Result<()> {
    let vendors = Vendors::start()?;
    let database = world::make(Backend::Sqlite, &vendors)?;
    let interval = format!("{}s", INTERVAL.as_secs());
    let settings = [
        ("ROADSTEAD_POLL_INTERVAL", interval.as_str()),
        ("ROADSTEAD_SWEEP_INTERVAL", "24h"),
    ];
    let server = Server::start_with(&database, &vendors, &settings)?;
    let kinds = ["digitalocean", "linode"];
    for kind in kinds {
        server.register(kind)?;
        let first = server.ask("/api/vps", Some(&wanted(kind, "first")))?;
        server.until_running(&first)?;
    }
    let (mut plain, mut gpus) = (1, 0);
    for fleet in FLEETS {
        for kind in kinds {
            let tag = deployment(&vendors, kind)?;
            for number in plain..fleet.0 {
                let name = format!("fleet-{number}");
                vendors.make(kind, &vendors::server(kind, &name, &tag))?;
            }
            // Elsewhere those with graphics processors are in the list of all.
            let with_gpus = if kind == "linode" { 0 } else { fleet.1 };
            for number in gpus..with_gpus {
                let name = format!("gpu-{number}");
                vendors.make(kind, &vendors::gpu_droplet(&name, &tag))?;
            }
        }
        (plain, gpus) = fleet;
        for kind in kinds {
            let (name, expected) = match (kind, gpus) {
                ("linode", 0) => (format!("{plain} Linodes"), plain.div_ceil(500)),
                ("linode", _) => continue,
                _ => (
                    format!("{plain} droplets, {gpus} with GPUs"),
                    plain.div_ceil(200) + gpus.div_ceil(200).max(1),
                ),
            };
            let calls = f64::from(u32::try_from(calls_of_a_poll(&vendors, kind)?)?);
            let most = Target::AtMost(f64::from(u32::try_from(expected)?));
            report.figure(&format!("poll of {name}"), calls, "calls", most);
        }
    }
    Ok(())
}

/// Returns the tag that servers of the program carry at a provider.
fn deployment(vendors: &Vendors, kind: &str) -> Result<String> {
    let (endpoint, path) = vendors.of(kind);
    let journal = journal(endpoint, 0)?;
    let mut tags = journal
        .iter()
        .filter(|it| it.method == "POST" && it.path == path)
        .filter_map(|it| it.body.get("tags")?.as_array())
        .flatten();
    let is_ours = |it: &&str| it.starts_with("rs:d:");
    let tag = tags.find_map(|it| it.as_str().filter(is_ours));
    Ok(tag.context("no server carries our mark")?.to_owned())
}

/// Returns how many calls the dearest of some polls made.
fn calls_of_a_poll(vendors: &Vendors, kind: &str) -> Result<usize> {
    let (endpoint, path) = vendors.of(kind);
    let mark = journal(endpoint, 0)?.last().map_or(0, |it| it.sequence);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let journal = journal(endpoint, mark)?;
        let lists = journal
            .iter()
            .filter(|it| it.method == "GET" && it.path == path);
        let polls = polls_of(lists.map(|it| it.query.as_str()));
        if polls.len() >= POLLS {
            return polls.into_iter().max().context("no poll");
        }
        std::thread::sleep(INTERVAL / 8);
    }
    bail!("`{path}` was not polled {POLLS} times within {PATIENCE:?}")
}

/// Returns how many calls each whole poll made, by the queries of all of them: each begins with
/// the first page of its first list.
fn polls_of<'a>(queries: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut polls: Vec<usize> = Vec::new();
    for query in queries {
        let begins = query.split('&').any(|it| it == "page=1") && !query.contains("type=gpus");
        match polls.last_mut() {
            _ if begins => polls.push(1),
            Some(last) => *last += 1,
            // Of one that began before.
            None => {}
        }
    }
    // The last one may go on.
    polls.pop();
    polls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_polls_are_counted() {
        let page = |it: usize| format!("tag_name=rs%3Ad%3Ax&page={it}&per_page=200");
        let gpus = "type=gpus&page=1&per_page=200".to_owned();
        let all = [
            gpus.clone(),
            page(1),
            page(2),
            page(10),
            gpus.clone(),
            page(1),
            gpus,
            page(1),
            page(2),
        ];
        assert_eq!(polls_of(all.iter().map(String::as_str)), [4, 2]);
        assert!(polls_of(std::iter::empty()).is_empty());
    }
}
