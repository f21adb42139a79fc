//! `cargo xtask faults`: builds the program and the check, and runs it.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::process;
use crate::test::CRASH_POINTS;

/// What is handed to the check.
#[derive(Debug, Args)]
// Its own `--help` tells more.
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Options of the check itself; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Lets the providers fail.
///
/// # Errors
///
/// Fails if something does not build, or if a row is not well.
pub(crate) fn run(options: &Options) -> Result<()> {
    let packages = ["--package", "roadstead", "--package", "roadstead-faults"];
    // As for the tests and the other check: built once for all.
    let features = ["--features", CRASH_POINTS];
    process::run(process::cargo().arg("build").args(packages).args(features))?;
    let mut faults = Command::new(process::target().join("debug/roadstead-faults"));
    process::run(faults.args(&options.arguments))
}
