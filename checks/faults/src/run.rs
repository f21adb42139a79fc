//! The table: every line at every provider, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use futures::stream::{self, StreamExt};
use roadstead_harness::{Table, Vendor, clockwork_line};

use crate::matrix::{ELSEWHERE, Kind, Line, lines};
use crate::play::{Cell, Play, play};
use crate::prove::{proofs, prove};

/// How much is played.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Only this provider: `digitalocean` or `linode`.
    #[arg(long, value_name = "NAME", value_parser = vendor)]
    vendor: Option<Vendor>,
    /// Only this kind of operation: `create`, `delete` or `resize`.
    #[arg(long, value_name = "NAME", value_parser = kind)]
    kind: Option<Kind>,
    /// Only the lines whose names contain this, such as `late-commit`.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// How many operations of each kind meet each fault. More than one use up what one provider
    /// allows in a minute, and wait for the next.
    #[arg(long, value_name = "N", default_value_t = 1)]
    operations: usize,
    /// How many tries run at a time.
    #[arg(long, value_name = "N", default_value_t = 6)]
    at_once: usize,
    /// A few lines with one operation each, as in the tests.
    #[arg(long)]
    quick: bool,
    /// Takes rules out of the engine, and shows that the table then fails.
    #[arg(long)]
    prove: bool,
}

fn vendor(name: &str) -> Result<Vendor, String> {
    let known = Vendor::ALL.into_iter().find(|it| it.kind() == name);
    known.ok_or_else(|| "there are `digitalocean` and `linode`".to_owned())
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|it| it.word() == name);
    known.ok_or_else(|| "there are `create`, `delete` and `resize`".to_owned())
}

/// The lines of the quick form: those that need no call that a minute's budget may not have left.
const QUICK: [&str; 7] = [
    "reset-after",
    "late-commit +120 s",
    "html-400-after",
    "500-after",
    "429-seconds",
    "stale-list",
    "foreign-token",
];

/// How long a try may take to become quiet: longer than the minute for which a provider counts
/// calls, which is as long as ever.
const LIMIT: Duration = Duration::from_secs(100);

/// What a run has shown.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The table.
    pub table: Table,
    /// What breaks an invariant, with the line that repeats it.
    pub failures: Vec<String>,
}

/// Plays what the options say and prints the table. False if a row is not well.
///
/// # Errors
///
/// Fails if the harness itself does.
pub async fn run(options: &Options, tell: &(dyn Fn(String) + Sync)) -> Result<bool> {
    let started = Instant::now();
    tell(clockwork_line());
    if options.prove {
        for proof in proofs() {
            let findings = prove(&proof).await?;
            let first = findings.first().map_or("", String::as_str);
            tell(format!(
                "{}: the table fails, as it should: {first}",
                proof.name
            ));
        }
        return Ok(true);
    }
    let chosen: Vec<Line> = lines()
        .into_iter()
        .filter(|it| !options.quick || QUICK.contains(&&*it.name))
        .filter(|it| {
            options
                .only
                .as_ref()
                .is_none_or(|only| it.name.contains(only))
        })
        .collect();
    ensure!(!chosen.is_empty(), "no line is called so");
    let chosen: Vec<Line> = match options.kind {
        None => chosen,
        Some(kind) => chosen.into_iter().map(|it| it.of(&[kind])).collect(),
    };
    let vendors = options
        .vendor
        .map_or_else(|| Vendor::ALL.to_vec(), |it| vec![it]);
    let operations = if options.quick { 1 } else { options.operations };
    let outcome = table(&chosen, &vendors, operations, options.at_once, tell).await;
    tell(format!("\n{}", outcome.table));
    for failure in &outcome.failures {
        tell(failure.clone());
    }
    let seconds = started.elapsed().as_secs();
    let count = outcome.failures.len();
    tell(format!(
        "{count} findings, {seconds} s, {operations} operations a cell"
    ));
    Ok(outcome.failures.is_empty())
}

/// Plays a few lines once, as the tests do.
pub async fn quick(at_once: usize, tell: &(dyn Fn(String) + Sync)) -> Outcome {
    let chosen: Vec<Line> = lines()
        .into_iter()
        .filter(|it| QUICK.contains(&&*it.name))
        .collect();
    table(&chosen, &Vendor::ALL, 1, at_once, tell).await
}

async fn table(
    lines: &[Line],
    vendors: &[Vendor],
    operations: usize,
    at_once: usize,
    tell: &(dyn Fn(String) + Sync),
) -> Outcome {
    let tries: Vec<(&Line, Vendor)> = lines
        .iter()
        .flat_map(|line| vendors.iter().map(move |vendor| (line, *vendor)))
        .filter(|(line, vendor)| Kind::ALL.iter().any(|it| line.has(*vendor, *it)))
        .collect();
    let (count, done) = (tries.len(), AtomicUsize::new(0));
    let how = Play {
        operations,
        settings: Vec::new(),
        limit: LIMIT,
    };
    let played = stream::iter(tries).map(|(line, vendor)| {
        let (how, done) = (&how, &done);
        async move {
            let started = Instant::now();
            let cells = play(line, vendor, how).await;
            let number = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            let word = match &cells {
                Ok(cells) if cells.iter().all(|it| it.verdict.is_clean()) => "ok",
                Ok(_) => "NOT WELL",
                Err(_) => "BROKEN",
            };
            let seconds = started.elapsed().as_secs();
            tell(format!(
                "{number}/{count} {vendor} {}: {word}, {seconds} s",
                line.name
            ));
            (line, vendor, cells)
        }
    });
    // In the order of the matrix, whichever ends first.
    let played: Vec<_> = played.buffered(at_once.max(1)).collect().await;
    let mut outcome = Outcome::default();
    for (line, vendor, cells) in played {
        outcome.take(line, vendor, cells);
    }
    for (name, words) in ELSEWHERE {
        outcome.table.say(name, words);
    }
    outcome
}

impl Outcome {
    fn take(&mut self, line: &Line, vendor: Vendor, cells: Result<Vec<Cell>>) {
        let name = &line.name;
        let again = format!("cargo xtask faults --vendor {vendor} --only '{name}'");
        let cells = match cells {
            Ok(cells) => cells,
            Err(error) => {
                let words = format!("could not be played: {error:#}");
                self.table.say(format!("{name}, {vendor}"), words.clone());
                self.failures
                    .push(format!("{name}, {vendor}: {words}\n  {again}"));
                return;
            }
        };
        for cell in cells {
            let Cell {
                kind,
                verdict,
                note,
            } = cell;
            let row = format!("{name}, {vendor}, {kind}");
            let note = verdict.findings.first().cloned().unwrap_or(note);
            self.table.push(row.clone(), verdict.row, note);
            for finding in &verdict.findings {
                self.failures.push(format!("{row}: {finding}\n  {again}"));
            }
        }
        for kind in Kind::ALL.iter().filter(|it| !line.has(vendor, **it)) {
            if line.kinds.contains(kind) && line.vendors.contains(&vendor) {
                let words = "its answer names nothing";
                self.table.say(format!("{name}, {vendor}, {kind}"), words);
            }
        }
    }
}
