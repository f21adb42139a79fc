//! The lines of the bench, in the order in which they are printed.

mod catalogue;
mod cost;
mod creates;
mod dead;
mod idle;
mod listing;
mod page;
mod wait;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::report::Report;

/// What is measured, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Measures only this; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = NAMES)]
    only: Vec<String>,
    /// How often two sides take turns; each turn lasts a second.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) rounds: u32,
    /// How many servers are on record when pages of them are read.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) servers: u32,
}

type Line = fn(&mut Report, &Options) -> Result<()>;

const NAMES: [&str; 8] = [
    "catalogue",
    "page",
    "listing",
    "creates",
    "cost",
    "wait",
    "idle",
    "dead",
];

const LINES: [(&str, &str, Line); 8] = [
    ("idle", "Start, and memory at rest", idle::measure),
    ("catalogue", "Cached catalogues", catalogue::measure),
    ("page", "A page of 50 servers", page::measure),
    ("creates", "Accepted creates", creates::measure),
    ("cost", "What a create and a poll cost", cost::measure),
    (
        "wait",
        "From a request to the provider's call",
        wait::measure,
    ),
    (
        "listing",
        "1,000 servers listed through the provider crates",
        listing::measure,
    ),
    ("dead", "One provider dead for the whole run", dead::measure),
];

/// Measures.
///
/// # Errors
///
/// Fails if something cannot be measured. A missed target is printed, and no failure.
pub(crate) fn run(options: &Options) -> Result<()> {
    if cfg!(debug_assertions) {
        bail!("figures of a debug build mean nothing; run `cargo xtask bench`");
    }
    let mut report = Report::default();
    let started = Instant::now();
    println!(
        "two cores are shared by the server, the load and the simulators; ratios are medians of \
         {} rounds in which both sides take turns",
        options.rounds
    );
    for (name, heading, measure) in LINES {
        if options.only.is_empty() || options.only.iter().any(|it| it == name) {
            report.heading(heading);
            measure(&mut report, options)?;
        }
    }
    report.conclude();
    println!("measured in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
