//! `cargo xtask decide`: plays the rules of durable operations in virtual time.

use anyhow::Result;
use clap::Args;

use crate::process;

/// What is handed to the check.
#[derive(Debug, Args)]
// Its own `--help` tells more.
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Options of the check itself; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Plays.
///
/// # Errors
///
/// Fails if the check does not build, or if an invariant was broken.
pub(crate) fn run(options: &Options) -> Result<()> {
    let run = ["run", "--quiet", "--package", "roadstead-decide", "--"];
    process::run(process::cargo().args(run).args(&options.arguments))
}
