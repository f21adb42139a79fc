//! `cargo xtask bench`: the figures of the design, measured side by side in one run.
//!
//! The program starts itself again for everything that must not share a process with what is
//! measured: the simulators, the bare handlers, the load, and the listing of servers.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks to whoever ran it"
)]

mod child;
mod http;
mod line;
mod process;
mod report;
mod seed;
mod vendors;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures what the design promises, side by side in one run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Bench {
    #[command(subcommand)]
    child: Option<Child>,
    #[command(flatten)]
    options: line::Options,
}

/// The parts that run in processes of their own; started by the bench itself.
#[derive(Debug, Subcommand)]
enum Child {
    /// Runs both providers' simulators.
    #[command(hide = true)]
    Simulators(child::simulators::Options),
    /// Runs the bare handlers.
    #[command(hide = true)]
    Bare(child::bare::Options),
    /// Sends requests.
    #[command(hide = true)]
    Load(child::load::Options),
    /// Lists servers through a provider's crate.
    #[command(hide = true)]
    Listing(child::listing::Options),
}

fn main() -> ExitCode {
    let bench = Bench::parse();
    let result = match bench.child {
        None => line::run(&bench.options),
        Some(Child::Simulators(options)) => child::simulators::run(&options),
        Some(Child::Bare(options)) => child::bare::run(options),
        Some(Child::Load(options)) => child::load::run(&options),
        Some(Child::Listing(options)) => child::listing::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
