//! `cargo xtask faults`: no server lost, none bought twice, none wrongly deleted, however a
//! provider fails.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks to whoever ran it"
)]

use std::process::ExitCode;

use clap::Parser;
use roadstead_faults::Options;

/// Lets the simulated providers fail in every way, and counts what became of everything.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Faults {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let faults = Faults::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let told = |line: String| println!("{line}");
    match runtime.block_on(roadstead_faults::run(&faults.options, &told)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
