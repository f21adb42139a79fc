//! The repository's own commands: `cargo xtask --help` lists them.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks to whoever ran it"
)]

mod apt;
mod bench;
mod ci;
mod crash;
mod decide;
mod e2e;
mod faults;
mod layers;
mod migrate;
mod postgres;
mod process;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks and tools of this repository.
///
/// Nothing needs to be started or configured first. `cargo xtask ci` is all of
/// continuous integration; every step of it is also a command here or plain
/// cargo.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every test, doc tests included, on SQLite and on PostgreSQL.
    Test(test::Options),
    /// Runs what continuous integration runs: fmt, clippy, test, doc, deny, tidy, layers.
    Ci,
    /// Checks the house rules that a machine can check, over every file git would commit.
    Tidy,
    /// Checks which crate imports which, against the layers of ARCHITECTURE.md.
    Layers,
    /// Measures what the design promises, side by side in one run, and prints each figure with
    /// its target. Takes some minutes, and wants a machine that does nothing else.
    Bench(bench::Options),
    /// Plays the rules of durable operations in virtual time against a faulty provider, seed by
    /// seed, and judges each end by the invariants.
    Decide(decide::Options),
    /// Kills the program at every named point and at random, and counts what became of everything.
    /// Takes up to forty minutes.
    Crash(crash::Options),
    /// Lets the simulated providers fail in every way that the fault matrix names, and counts
    /// what became of everything. Takes about ten minutes.
    Faults(faults::Options),
    /// Plays the panel in Chromium against the demonstration, with and without JavaScript, and
    /// leaves a picture of every page in target/e2e.
    E2e(e2e::Options),
    /// Makes a migration's files, or applies, reverts and lists migrations.
    Migrate {
        #[command(subcommand)]
        command: migrate::Command,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Ci => ci::run(),
        Command::Tidy => tidy::run(),
        Command::Layers => layers::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Decide(options) => decide::run(&options),
        Command::Crash(options) => crash::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::E2e(options) => e2e::run(&options),
        Command::Migrate { command } => migrate::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
