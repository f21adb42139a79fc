//! All trials, several at a time, and the table of what became of them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use futures::StreamExt;
use futures::stream;
use roadstead_harness::{Row, Table, Vendor, Verdict, clockwork_line};
use roadstead_testkit::Backend;

use crate::play::play;
use crate::trial::{Trial, spread, trials};
use crate::{prove, random};

/// How often the program is killed at random.
const KILLS: u32 = 200;

/// The same, when there is time.
const MANY_KILLS: u32 = 1_000;

/// The longest that one trial may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is tried.
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Every row that is not clean is followed by the command that repeats it.\n\n\
    Examples:\n  \
    cargo xtask crash\n  \
    cargo xtask crash --point C6 --vendor linode --database sqlite\n  \
    cargo xtask crash --random 50 --seed 7\n  \
    cargo xtask crash --prove"
)]
pub struct Options {
    /// Tries only this point; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub point: Vec<String>,
    /// Tries only this provider.
    #[arg(long, value_name = "NAME")]
    pub vendor: Option<VendorName>,
    /// Tries only this database.
    #[arg(long, value_name = "NAME")]
    pub database: Option<DatabaseName>,
    /// Only kills the program at random, so many times.
    #[arg(long, value_name = "N", conflicts_with = "point")]
    pub random: Option<u32>,
    /// Decides what is asked for and when the program is killed at random.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Kills at random 1,000 times instead of 200.
    #[arg(long)]
    pub long: bool,
    /// Tries every point once, spread over the providers and databases, and kills nothing at
    /// random.
    #[arg(long)]
    pub once: bool,
    /// Proves that the table can fail: with engines that are wrong, and with a rule taken out.
    #[arg(long, conflicts_with_all = ["point", "random"])]
    pub prove: bool,
    /// How many trials run at a time; they mostly wait.
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub jobs: usize,
}

/// A provider on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum VendorName {
    /// The one that gives no guarantee.
    DigitalOcean,
    /// The one that refuses a name that is taken.
    Linode,
}

/// A database on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum DatabaseName {
    /// A file.
    Sqlite,
    /// The server that `cargo xtask crash` starts.
    PostgreSql,
}

impl Options {
    pub(crate) fn wants(&self, vendor: Vendor, backend: Backend) -> bool {
        let vendors = self.vendor.is_none_or(|it| match it {
            VendorName::DigitalOcean => vendor == Vendor::DigitalOcean,
            VendorName::Linode => vendor == Vendor::Linode,
        });
        let databases = self.database.is_none_or(|it| match it {
            DatabaseName::Sqlite => backend == Backend::Sqlite,
            DatabaseName::PostgreSql => backend == Backend::Postgres,
        });
        vendors && databases
    }
}

/// Where lines go as they come.
pub(crate) type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// Tries what the options say, and prints the table. Returns whether all of it is well.
///
/// # Errors
///
/// Fails if a point is named that there is not, or if nothing can be run at all.
pub async fn run(options: &Options, say: Say<'_>) -> Result<bool> {
    let started = Instant::now();
    say(&clockwork_line());
    if options.prove {
        return prove::run(options, say).await;
    }
    let mut outcome = Outcome::default();
    if options.random.is_none() {
        let all = if options.once { spread() } else { trials() };
        if let Some(odd) = options
            .point
            .iter()
            .find(|it| !all.iter().any(|trial| trial.name() == **it))
        {
            bail!("there is no point `{odd}`");
        }
        let chosen: Vec<Trial> = all
            .into_iter()
            .filter(|it| {
                options.point.is_empty() || options.point.iter().any(|name| name == it.name())
            })
            .filter(|it| options.wants(it.vendor, it.backend))
            .collect();
        outcome = try_all(&chosen, options.jobs, say).await;
    }
    if options.point.is_empty() && !options.once {
        let kills = options
            .random
            .unwrap_or(if options.long { MANY_KILLS } else { KILLS });
        random::kill(options, kills, &mut outcome, say).await;
    }
    say(&format!("\n{}", outcome.table));
    for line in &outcome.attention {
        say(&format!("left to a person: {line}"));
    }
    for line in &outcome.failures {
        say(line);
    }
    let seconds = started.elapsed().as_secs();
    say(&match (outcome.failures.len(), outcome.missing) {
        (0, 0) => format!("every row is well ({seconds} s)"),
        (0, missing) => format!("no pass: {missing} rows are not built yet ({seconds} s)"),
        (failed, missing) => {
            format!("FAILED: {failed} rows; {missing} are not built yet ({seconds} s)")
        }
    });
    Ok(outcome.failures.is_empty() && outcome.missing == 0)
}

/// What became of several trials.
#[derive(Debug, Default)]
pub struct Outcome {
    /// A row for each.
    pub table: Table,
    /// What is wrong, with the command that repeats it.
    pub failures: Vec<String>,
    /// What was left to a person, and may be.
    pub attention: Vec<String>,
    /// How many are not built yet.
    pub missing: usize,
}

impl Outcome {
    /// Adds what became of one trial.
    pub(crate) fn add(&mut self, name: &str, repeat: &str, result: &Result<Verdict>) {
        let (row, findings) = match result {
            Ok(verdict) => (verdict.row, verdict.findings.clone()),
            Err(error) => (Row::default(), vec![format!("{error:#}")]),
        };
        if let Ok(verdict) = result {
            let named = verdict.attention.iter().map(|it| format!("{name}: {it}"));
            self.attention.extend(named);
        }
        let note = if findings.is_empty() { "" } else { "FAILED" };
        self.table.push(name, row, note);
        if !findings.is_empty() {
            let list = findings.join("\n  ");
            self.failures
                .push(format!("FAILED {name}:\n  {list}\n  repeat it: {repeat}"));
        }
    }
}

/// Tries every point once, spread over both providers and databases.
pub async fn once(jobs: usize, say: Say<'_>) -> Outcome {
    try_all(&spread(), jobs, say).await
}

async fn try_all(chosen: &[Trial], jobs: usize, say: Say<'_>) -> Outcome {
    let built: Vec<&Trial> = chosen.iter().filter(|it| it.is_built()).collect();
    let count = built.len();
    let tries = built.into_iter().map(|trial| async move {
        let started = Instant::now();
        let own = *trial;
        // In a task of its own, so that one that panics takes no other with it.
        let playing = tokio::spawn(async move {
            let played = tokio::time::timeout(PATIENCE, play(&own)).await;
            played.unwrap_or_else(|_elapsed| bail!("it did not end"))
        });
        let result = playing.await.unwrap_or_else(|panic| bail!("{panic}"));
        (trial, result, started.elapsed())
    });
    let mut results = Vec::new();
    let mut tries = stream::iter(tries).buffer_unordered(jobs.max(1));
    while let Some((trial, result, took)) = tries.next().await {
        let word = match &result {
            Ok(verdict) if verdict.is_clean() => "well",
            _ => "FAILED",
        };
        let done = results.len() + 1;
        say(&format!(
            "{done:>3}/{count} {:<34} {word:<6} {:>5.1} s  {}",
            trial.to_string(),
            took.as_secs_f64(),
            trial.point.what
        ));
        match &result {
            Ok(verdict) => verdict
                .findings
                .iter()
                .for_each(|it| say(&format!("    {it}"))),
            Err(error) => say(&format!("    {error:#}")),
        }
        results.push((trial.to_string(), result));
    }
    let mut outcome = Outcome::default();
    for trial in chosen {
        let name = trial.to_string();
        match results.iter().find(|it| it.0 == name) {
            Some((_, result)) => outcome.add(&name, &trial.repeat(), result),
            None => {
                outcome.missing += 1;
                outcome.table.say(name, "not built yet");
            }
        }
    }
    outcome
}
