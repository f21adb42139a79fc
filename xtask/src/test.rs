//! `cargo xtask test`: every test of the workspace, on both databases.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::postgres::Cluster;
use crate::{crash, process};

/// How many tests of one binary run at once.
const TEST_THREADS: &str = "RUST_TEST_THREADS";
/// Names a server to test on instead of a cluster of our own.
pub(crate) const DATABASE_URL: &str = "ROADSTEAD_TEST_DATABASE_URL";
/// Tells the test kit which databases are left out on purpose.
const WITHOUT: &str = "ROADSTEAD_TEST_WITHOUT";
/// The checks whose tests run the program itself, with its crash points.
const RUN_THE_PROGRAM: [&str; 3] = ["roadstead-harness", "roadstead-crash", "roadstead-faults"];
/// Builds the program with its crash points.
pub(crate) const CRASH_POINTS: &str = "roadstead/crash-points";
/// The plays of the panel, which have no tests of their own. What they are built with keeps the
/// members of JSON in another order, in every crate that is built with them.
const PLAYS: &str = "roadstead-e2e";
/// Names the file in which each test that is left out writes one line.
const SKIPPED_FILE: &str = "ROADSTEAD_TEST_SKIPPED_FILE";

/// Starts a throw-away PostgreSQL of its own, runs every test and removes the
/// PostgreSQL again, however the tests end. Nothing needs to be started first.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "ROADSTEAD_TEST_DATABASE_URL=postgres://… names a server to use instead: \
    each test makes and drops a database of its own there.\n\n\
    Examples:\n  \
    cargo xtask test\n  \
    cargo xtask test -- -p roadstead-repository\n  \
    cargo xtask test -- -p roadstead-repository --test it -- a_test_name\n  \
    cargo xtask test --without postgres"
)]
pub(crate) struct Options {
    /// Leave out the tests that need this, and say how many did not run.
    #[arg(long, value_delimiter = ',', value_name = "DATABASE")]
    without: Vec<Database>,
    /// What to hand to `cargo test`; with `-p` only those packages are tested.
    #[arg(last = true, value_name = "CARGO TEST ARGUMENTS")]
    arguments: Vec<String>,
}

/// A database server that tests may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    /// The PostgreSQL arm of each repository test.
    Postgres,
}

/// Runs the tests.
///
/// # Errors
///
/// Fails if a test does, or if PostgreSQL can neither be found nor installed.
pub(crate) fn run(options: &Options) -> Result<()> {
    if runs_the_program(&options.arguments) {
        crash::build()?;
    }
    if options.without.contains(&Database::Postgres) {
        return run_without_postgres(options);
    }
    let given = std::env::var_os(DATABASE_URL).filter(|it| !it.is_empty());
    if let Some(url) = given {
        let url = url
            .into_string()
            .ok()
            .with_context(|| format!("`{DATABASE_URL}` is not text"))?;
        let place = format!("PostgreSQL at {}, given by {DATABASE_URL}", address(&url));
        return conclude(process::run(&mut cargo_test(options)), &place);
    }
    let cluster = Cluster::start()?;
    println!("testing on SQLite and {}", cluster.description());
    let result = process::run(cargo_test(options).env(DATABASE_URL, cluster.url()));
    let place = cluster.description();
    drop(cluster);
    conclude(result, &place)
}

fn run_without_postgres(options: &Options) -> Result<()> {
    println!("WITHOUT POSTGRESQL: its tests will not run");
    let folder = tempfile::tempdir()?;
    let skipped = folder.path().join("skipped");
    let result = process::run(
        cargo_test(options)
            .env_remove(DATABASE_URL)
            .env(WITHOUT, "postgres")
            .env(SKIPPED_FILE, &skipped),
    );
    // No file: no test had to be left out.
    let skipped = fs::read_to_string(&skipped).unwrap_or_default();
    println!("{}", skipped_line(&skipped));
    result?;
    println!("tests ran on SQLite only");
    Ok(())
}

fn skipped_line(skipped: &str) -> String {
    let count = skipped.lines().count();
    let noun = if count == 1 { "test" } else { "tests" };
    format!(
        "SKIPPED: {count} PostgreSQL {noun} did NOT run (--without postgres); \
         cargo counts them as passed"
    )
}

fn conclude(result: Result<()>, place: &str) -> Result<()> {
    match &result {
        Ok(()) => println!("tests ran on SQLite and {place}"),
        Err(_) => println!("tests FAILED; they ran on SQLite and {place}"),
    }
    result
}

fn cargo_test(options: &Options) -> Command {
    let mut command = process::cargo();
    command.args(test_arguments(&options.arguments));
    // The tests wait for servers and databases more than they compute.
    if std::env::var_os(TEST_THREADS).is_none() {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        command.env(TEST_THREADS, (4 * cores).to_string());
    }
    command
}

/// Returns whether a package was chosen whose tests run the program.
fn runs_the_program(given: &[String]) -> bool {
    let own = given.split(|it| it == "--").next().unwrap_or_default();
    own.iter()
        .any(|it| RUN_THE_PROGRAM.iter().any(|package| it.ends_with(package)))
}

fn test_arguments(given: &[String]) -> Vec<String> {
    let own = given.split(|it| it == "--").next().unwrap_or_default();
    let chooses = own
        .iter()
        .any(|it| it.starts_with("-p") || it == "--package" || it.starts_with("--package="));
    let mut arguments = vec!["test".to_owned()];
    // Cargo would test the whole workspace in spite of `-p`. All of it is built with the crash
    // points, which do nothing unless they are armed: building it twice would take twice as long.
    if !chooses {
        let all = [
            "--workspace",
            "--exclude",
            PLAYS,
            "--features",
            CRASH_POINTS,
        ];
        arguments.extend(all.map(str::to_owned));
    }
    arguments.push("--no-fail-fast".to_owned());
    arguments.extend(given.iter().cloned());
    arguments
}

/// Returns the host and port of a URL, without the user and password before them.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, it)| it);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, it)| it);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::{address, runs_the_program, skipped_line, test_arguments};

    fn arguments(given: &[&str]) -> String {
        let given: Vec<String> = given.iter().map(|it| (*it).to_owned()).collect();
        test_arguments(&given).join(" ")
    }

    #[test]
    fn the_whole_workspace_is_tested_unless_a_package_is_named() {
        let all = "test --workspace --exclude roadstead-e2e --features roadstead/crash-points \
            --no-fail-fast";
        assert_eq!(arguments(&[]), all);
        assert_eq!(arguments(&["--", "-p"]), format!("{all} -- -p"));
        assert_eq!(arguments(&["-p", "xtask"]), "test --no-fail-fast -p xtask");
        assert_eq!(
            arguments(&["--package=xtask"]),
            "test --no-fail-fast --package=xtask"
        );
    }

    #[test]
    fn the_program_is_built_for_the_checks_that_run_it() {
        let given = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert!(runs_the_program(&given(&["-p", "roadstead-crash"])));
        assert!(runs_the_program(&given(&["--package=roadstead-harness"])));
        assert!(!runs_the_program(&given(&["-p", "roadstead"])));
        assert!(!runs_the_program(&given(&["--", "roadstead-crash"])));
    }

    #[test]
    fn an_address_shows_no_password() {
        assert_eq!(
            address("postgres://me:p@ss@db.test:5433/x?sslmode=require"),
            "db.test:5433"
        );
        assert_eq!(address("postgres://127.0.0.1"), "127.0.0.1");
    }

    #[test]
    fn what_was_left_out_is_counted() {
        assert!(skipped_line("").contains(" 0 PostgreSQL tests"));
        assert!(skipped_line("one\n").contains(" 1 PostgreSQL test "));
        assert!(skipped_line("one\ntwo\n").contains(" 2 PostgreSQL tests"));
    }
}
