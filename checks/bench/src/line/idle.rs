//! How soon the server answers, and what it holds when nothing is asked of it.

use anyhow::Result;
use roadstead_testkit::Backend;

use super::Options;
use crate::report::{Report, Target};
use crate::vendors::Vendors;
use crate::world::{self, Database, Server};

pub(super) fn measure(report: &mut Report, options: &Options) -> Result<()> {
    let vendors = Vendors::start()?;
    let database = world::make(Backend::Sqlite, &vendors)?;
    let mut starts = Vec::new();
    for _ in 0..options.rounds.max(1) {
        starts.push(
            Server::start(&database, &vendors, 1)?
                .first_answer
                .as_secs_f64(),
        );
    }
    starts.sort_by(f64::total_cmp);
    let worst = starts.last().copied().unwrap_or(f64::NAN);
    report.figure(
        "start to first answer, SQLite (slowest)",
        worst,
        "s",
        Target::AtMost(0.5),
    );
    at_rest(report, &database, &vendors, "SQLite")?;
    let database = world::make(Backend::Postgres, &vendors)?;
    at_rest(report, &database, &vendors, "PostgreSQL")
}

fn at_rest(report: &mut Report, database: &Database, vendors: &Vendors, name: &str) -> Result<()> {
    let server = Server::start(database, vendors, 1)?;
    server.register("digitalocean")?;
    server.register("linode")?;
    for kind in ["digitalocean", "linode"] {
        for part in ["plans", "images", "regions"] {
            server.ask(&format!("/api/vps/{kind}/{part}"), None)?;
        }
    }
    let memory = f64::from(server.process.memory_kib("VmRSS")?) / 1024.0;
    report.figure(
        &format!("memory at rest with both catalogues, {name}"),
        memory,
        "MiB",
        Target::AtMost(40.0),
    );
    Ok(())
}
