//! `cargo xtask crash`: builds the program with its crash points and the check, and runs it.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::postgres::Cluster;
use crate::process;
use crate::test::{CRASH_POINTS, DATABASE_URL};

/// What is handed to the check.
#[derive(Debug, Args)]
// Its own `--help` tells more.
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Options of the check itself; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Kills the program everywhere.
///
/// # Errors
///
/// Fails if something does not build, or if a row is not well.
pub(crate) fn run(options: &Options) -> Result<()> {
    build()?;
    let cluster = Cluster::start()?;
    println!("killing on SQLite and {}", cluster.description());
    let mut crash = Command::new(process::target().join("debug/roadstead-crash"));
    crash
        .args(&options.arguments)
        .env(DATABASE_URL, cluster.url());
    process::run(&mut crash)
}

/// Builds the check, and the program with its crash points.
///
/// # Errors
///
/// Fails if something does not build.
pub(crate) fn build() -> Result<()> {
    let packages = ["--package", "roadstead", "--package", "roadstead-crash"];
    let features = ["--features", CRASH_POINTS];
    process::run(process::cargo().arg("build").args(packages).args(features))
}
