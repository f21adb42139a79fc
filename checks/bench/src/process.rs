//! Other processes: started, read, measured, and ended by their own id.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

/// How long a process may take until it says that it is ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock tick of `/proc/PID/stat`, as Linux shows it on every machine.
const TICK: Duration = Duration::from_millis(10);

/// A running process; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Closing it tells our own children to end.
    _input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a command and keeps what it prints.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start `{name}`"))?;
        let (tell, lines) = mpsc::channel();
        if let Some(out) = child.stdout.take() {
            read_lines(out, tell.clone());
        }
        if let Some(err) = child.stderr.take() {
            read_lines(err, tell);
        }
        let input = child.stdin.take();
        Ok(Self {
            child,
            _input: input,
            lines,
        })
    }

    /// Starts a command whose log goes to a file, as a service's does: reading it would cost
    /// this process what is measured of the other. What it prints is not kept.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub(crate) fn start_logging(command: &mut Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("could not start `{name}`"))?;
        let input = child.stdin.take();
        let (_, lines) = mpsc::channel();
        Ok(Self {
            child,
            _input: input,
            lines,
        })
    }

    /// Waits for a line that contains a text, and returns it.
    ///
    /// # Errors
    ///
    /// Fails with what it printed, if it ends first or takes too long.
    pub(crate) fn line(&self, text: &str) -> Result<String> {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return Ok(line),
                Ok(line) => seen.push(line),
                Err(why) => bail!("no `{text}` ({why}) in:\n{}", seen.join("\n")),
            }
        }
    }

    /// Returns how much processor time it has used, to the nearest 10 ms.
    ///
    /// # Errors
    ///
    /// Fails where there is no `/proc`.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).with_context(|| format!("no `{path}`"))?;
        // The name in parentheses may hold spaces; what follows does not.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u32 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|it| it.parse::<u32>().ok())
            .sum();
        Ok(TICK.saturating_mul(ticks))
    }

    /// Returns a figure of `/proc/PID/status` in KiB, such as `VmRSS` or `RssAnon`.
    ///
    /// # Errors
    ///
    /// Fails where there is no `/proc`.
    pub(crate) fn memory_kib(&self, name: &str) -> Result<u32> {
        memory_kib(&self.child.id().to_string(), name)
    }
}

/// Waits for a line of a log that contains a text, and returns it.
///
/// # Errors
///
/// Fails with what is in the log, if it takes too long.
pub(crate) fn logged(log: &Path, text: &str) -> Result<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let written = std::fs::read_to_string(log)?;
        let whole = written.rfind('\n').and_then(|end| written.get(..end));
        let mut lines = whole.unwrap_or_default().lines();
        if let Some(line) = lines.find(|it| it.contains(text)) {
            return Ok(line.to_owned());
        }
        if Instant::now() > deadline {
            bail!("no `{text}` in:\n{written}");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns a figure of a process's `status` in KiB.
///
/// # Errors
///
/// Fails where there is no `/proc`.
pub(crate) fn memory_kib(process: &str, name: &str) -> Result<u32> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("no `{path}`"))?;
    status
        .lines()
        .find_map(|it| it.strip_prefix(name)?.strip_prefix(':'))
        .and_then(|it| it.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("no `{name}` in `{path}`"))
}

fn read_lines(pipe: impl Read + Send + 'static, tell: mpsc::Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody may be listening any more; the pipe is read all the same, or the
            // process would block on it.
            let _ = tell.send(line);
        }
    });
}

/// Returns a command that runs a part of this program in a process of its own.
///
/// # Errors
///
/// Fails if the program's own path is unknown.
pub(crate) fn myself(part: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(part);
    Ok(command)
}

/// Runs a part of this program to its end and reads the JSON that it prints.
///
/// # Errors
///
/// Fails with what it said, if it fails.
pub(crate) fn ask<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns the server's program, which is built beside this one.
///
/// # Errors
///
/// Fails if it is not there.
pub(crate) fn roadstead() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
        .join("roadstead");
    if !path.is_file() {
        bail!(
            "`{}` is missing; `cargo xtask bench` builds it",
            path.display()
        );
    }
    Ok(path)
}
