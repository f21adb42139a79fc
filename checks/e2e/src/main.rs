//! `cargo xtask e2e`: the panel in a real browser, against the demonstration.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks to whoever ran it"
)]

mod axe;
mod demo;
mod driver;
mod pages;
mod plays;
mod process;
mod session;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures::FutureExt;

use crate::plays::{PLAYS, Play};
use crate::stage::Stage;

/// Plays the panel in Chromium against the demonstration, with and without JavaScript, and
/// leaves a picture of every page in target/e2e.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask e2e",
    bin_name = "cargo xtask e2e",
    after_help = "A play that fails leaves a picture and the page's markup in \
        target/e2e/failures.\n\nExamples:\n  cargo xtask e2e\n  cargo xtask e2e --list\n  \
        cargo xtask e2e --only create"
)]
struct Options {
    /// Plays only what has this in its name.
    #[arg(long, value_name = "PART OF A NAME")]
    only: Option<String>,
    /// Names all plays and ends.
    #[arg(long)]
    list: bool,
    /// The browser.
    #[arg(long, hide = true, value_name = "FILE")]
    browser: PathBuf,
    /// The browser's driver.
    #[arg(long, hide = true, value_name = "FILE")]
    driver: PathBuf,
    /// The accessibility rules.
    #[arg(long, hide = true, value_name = "FILE")]
    axe: PathBuf,
    /// Where pictures go.
    #[arg(long, hide = true, value_name = "FOLDER")]
    into: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
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
    match runtime.block_on(run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all that was played passed.
async fn run(options: &Options) -> Result<bool> {
    let chosen: Vec<&Play> = PLAYS
        .iter()
        .filter(|it| {
            options
                .only
                .as_ref()
                .is_none_or(|part| it.name.contains(part))
        })
        .collect();
    if options.list {
        for play in &chosen {
            println!("{}", play.name);
        }
        return Ok(true);
    }
    ensure!(
        !chosen.is_empty(),
        "no play has that in its name; `cargo xtask e2e --list` names them"
    );
    let axe = std::fs::read_to_string(&options.axe)
        .with_context(|| format!("could not read `{}`", options.axe.display()))?;
    let stage = Stage::new(&options.browser, &options.driver, axe, &options.into).await?;
    let (mut passed, mut failed) = (0_u32, 0_u32);
    for play in chosen {
        let start = Instant::now();
        // A panic in one play is a failure of that play, not the end of the others.
        let result = std::panic::AssertUnwindSafe((play.run)(&stage))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the play panicked")));
        let seconds = start.elapsed().as_secs_f64();
        match result {
            Ok(()) => {
                passed += 1;
                println!("{:<58} ok      {seconds:>5.1} s", play.name);
            }
            Err(error) => {
                failed += 1;
                println!("{:<58} FAILED  {seconds:>5.1} s\n    {error:#}", play.name);
            }
        }
    }
    stage.end().await?;
    println!("\n{passed} passed, {failed} failed");
    Ok(failed == 0)
}
