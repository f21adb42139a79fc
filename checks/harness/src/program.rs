//! The program that is tried, where it was built, and one run of it to its end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long a command that ends by itself may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the program: it is built beside the check that asks.
///
/// # Errors
///
/// Fails if it is not there.
pub fn program() -> Result<PathBuf> {
    let myself = std::env::current_exe().context("this program does not know where it is")?;
    let mut folders = myself.ancestors().skip(1);
    let name = format!("roadstead{}", std::env::consts::EXE_SUFFIX);
    // A test stands in a folder of its own beside the programs.
    let beside = folders.by_ref().take(2).map(|it| it.join(&name));
    let found = beside.into_iter().find(|it| it.is_file());
    found.with_context(|| {
        format!(
            "there is no `{name}` near `{}`: run `cargo xtask test` or `cargo xtask crash`, \
             which build it",
            myself.display()
        )
    })
}

/// Returns whether the program can be made to die at named points.
///
/// # Errors
///
/// Fails if it cannot be run.
pub async fn has_crash_points() -> Result<bool> {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(*known);
    }
    // A point that there is not: both builds refuse it, each in its own words.
    let mut command = Command::new(program()?);
    command
        .args(["migrate", "status"])
        .env_clear()
        .env("ROADSTEAD_CRASH_AT", "nowhere");
    let finished = finish(&mut command, "").await?;
    let has = finished.err.contains("ROADSTEAD_CRASH_AT must be");
    Ok(*KNOWN.get_or_init(|| has))
}

/// What a program that has ended by itself leaves behind.
#[derive(Debug)]
pub struct Finished {
    /// Whether it succeeded.
    pub success: bool,
    /// What it printed.
    pub out: String,
    /// What it logged.
    pub err: String,
}

/// Runs a command to its end.
///
/// # Errors
///
/// Fails if it does not start or does not end. Its failure is no error here.
pub async fn finish(command: &mut Command, input: &str) -> Result<Finished> {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not start `{name}`"))?;
    if let Some(mut pipe) = child.stdin.take() {
        // One that does not read its input may have ended already.
        drop(pipe.write_all(input.as_bytes()).await);
    }
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .with_context(|| format!("`{name}` did not end"))??;
    Ok(Finished {
        success: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a command that has to succeed.
///
/// # Errors
///
/// Fails with what it logged, if it does not.
pub(crate) async fn succeed(command: &mut Command, input: &str) -> Result<String> {
    let finished = finish(command, input).await?;
    if !finished.success {
        bail!("the program failed: {}", finished.err.trim());
    }
    Ok(finished.out)
}

/// Waits until a file holds a line with a text, and returns what follows it up to a quote or a
/// space.
///
/// # Errors
///
/// Fails with what is in the file, if `is_over` says so first or it takes too long.
pub(crate) async fn word_in(
    file: &Path,
    text: &str,
    mut is_over: impl FnMut() -> Result<bool>,
) -> Result<String> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let over = is_over()?;
        let written = std::fs::read_to_string(file).unwrap_or_default();
        // The line is whole once the next begins.
        let line = written.split_inclusive('\n').find(|it| it.contains(text));
        if let Some((_, rest)) = line
            .filter(|it| it.ends_with('\n'))
            .and_then(|it| it.split_once(text))
        {
            let word = rest.split(['"', ' ', '\n']).next().unwrap_or_default();
            return Ok(word.to_owned());
        }
        if over || tokio::time::Instant::now() > deadline {
            let end: Vec<&str> = written.lines().rev().take(12).collect();
            let end: Vec<&str> = end.into_iter().rev().collect();
            bail!("the program did not start:\n{}", end.join("\n"));
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
