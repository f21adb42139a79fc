//! Programs that we start, listen to, and end.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a program may take until it has said what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    name: String,
}

impl Running {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start `{name}`"))?;
        let out = child.stdout.take().context("it has no output")?;
        Ok(Self {
            child,
            lines: BufReader::new(out).lines(),
            name,
        })
    }

    /// Reads on until a line has something to tell.
    ///
    /// # Errors
    ///
    /// Fails if the program ends or says nothing of it in time.
    pub(crate) async fn read<T>(&mut self, tell: impl Fn(&str) -> Option<T>) -> Result<T> {
        let reading = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some(told) = tell(&line) {
                    return Ok(told);
                }
            }
            bail!("`{}` ended before it said what was waited for", self.name)
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .with_context(|| format!("`{}` did not say what was waited for", self.name))?
    }

    /// Goes on reading and forgets what it reads, so that the program never waits for us.
    pub(crate) fn listen_no_more(self) -> Quiet {
        let mut lines = self.lines;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Quiet { child: self.child }
    }
}

/// A program whose words nobody waits for any more.
#[derive(Debug)]
pub(crate) struct Quiet {
    child: Child,
}

impl Quiet {
    /// Ends it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be ended.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.child.kill().await.context("could not end a program")
    }
}
