//! `cargo xtask bench`: builds the server and the bench in release mode and measures.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::postgres::Cluster;
use crate::process;
use crate::test::DATABASE_URL;

/// What is handed to the bench.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Options of the bench itself; `-- --help` lists them.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Measures.
///
/// # Errors
///
/// Fails if something does not build or cannot be measured. A missed target is printed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let packages = ["--package", "roadstead", "--package", "roadstead-bench"];
    process::run(process::cargo().args(["build", "--release"]).args(packages))?;
    let cluster = Cluster::start()?;
    println!(
        "measuring on SQLite and {}, which does not wait for its disk",
        cluster.description()
    );
    // Not by `cargo run`, which would build it again with the features of this package alone.
    let mut bench = Command::new(process::target().join("release/roadstead-bench"));
    bench
        .args(&options.arguments)
        .env(DATABASE_URL, cluster.url());
    process::run(&mut bench)
}
