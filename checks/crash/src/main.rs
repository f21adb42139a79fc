//! `cargo xtask crash`: no server lost, none bought twice, none wrongly deleted, wherever the
//! program dies.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks to whoever ran it"
)]

use std::process::ExitCode;

use clap::Parser;
use roadstead_crash::Options;

/// Kills the program at every named point and at random, and counts what became of everything.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask crash", bin_name = "cargo xtask crash")]
struct Crash {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let crash = Crash::parse();
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
    match runtime.block_on(roadstead_crash::run(&crash.options, &|line| {
        println!("{line}")
    })) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
