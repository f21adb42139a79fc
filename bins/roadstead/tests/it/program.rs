//! The program in a child process, with what it prints.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take before a test gives up; a machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

const LOOK: Duration = Duration::from_millis(20);

/// A folder of one test's own, with a database in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("roadstead-program-")
            .tempdir();
        Self {
            folder: folder.unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and returns its path as text.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Returns whether nothing was left behind here.
    pub(crate) fn is_empty(&self) -> bool {
        std::fs::read_dir(self.folder.path())
            .unwrap()
            .next()
            .is_none()
    }

    /// Returns the settings of a server on SQLite here, at any free port.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let database = format!("sqlite://{}", self.path("roadstead.db").display());
        self.settings_on(&database)
    }

    /// Returns the settings of a server on a given database.
    pub(crate) fn settings_on(&self, database: &str) -> Vec<(String, String)> {
        let key = self.path("roadstead.key").display().to_string();
        [
            ("ROADSTEAD_LISTEN", "127.0.0.1:0"),
            ("ROADSTEAD_DATABASE_URL", database),
            ("ROADSTEAD_MASTER_KEY_FILE", &key),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// Replaces a setting, or adds it.
pub(crate) fn with(
    mut settings: Vec<(String, String)>,
    name: &str,
    value: &str,
) -> Vec<(String, String)> {
    settings.retain(|it| it.0 != name);
    settings.push((name.to_owned(), value.to_owned()));
    settings
}

/// What a program that has ended leaves behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that it failed with one message for people: no panic, no backtrace, and none
    /// of these secrets.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, secrets: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in ["panicked", "backtrace", "RUST_BACKTRACE", "stack"] {
            assert!(!self.err.contains(word), "`{word}` in {}", self.err);
        }
        for secret in secrets {
            roadstead_testkit::assert_absent(secret, self.err.as_bytes());
            roadstead_testkit::assert_absent(secret, self.out.as_bytes());
        }
        self
    }

    /// Returns the one message with which it failed.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        let messages = self.err.lines().filter(|it| it.starts_with("roadstead: "));
        assert_eq!(messages.count(), 1, "{}", self.err);
        let at = self.err.find("roadstead: ").unwrap();
        self.err[at + "roadstead: ".len()..].trim_end()
    }
}

/// Runs the program to its end, with nothing on standard input.
pub(crate) fn run(arguments: &[&str], settings: &[(String, String)]) -> Ended {
    run_with_input(arguments, settings, "")
}

/// Runs the program to its end.
pub(crate) fn run_with_input(
    arguments: &[&str],
    settings: &[(String, String)],
    input: &str,
) -> Ended {
    let mut program = Program::begin(arguments, settings);
    let mut pipe = program.child.stdin.take().unwrap();
    // One that does not read its input may have ended already.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    program.ended()
}

/// A running program; dropping it kills it.
pub(crate) struct Program {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts the program with these settings and no others.
    pub(crate) fn start(arguments: &[&str], settings: &[(String, String)]) -> Self {
        let mut program = Self::begin(arguments, settings);
        drop(program.child.stdin.take());
        program
    }

    fn begin(arguments: &[&str], settings: &[(String, String)]) -> Self {
        // A folder in which nobody wants to find a database that a test forgot to name.
        let elsewhere = Path::new("/proc");
        let mut child = Command::new(env!("CARGO_BIN_EXE_roadstead"))
            .args(arguments)
            .env_clear()
            .envs(settings.iter().cloned())
            .current_dir(if elsewhere.is_dir() {
                elsewhere
            } else {
                Path::new("/")
            })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().unwrap(), &out),
            collect(child.stderr.take().unwrap(), &err),
        ];
        Self {
            child,
            out,
            err,
            readers,
        }
    }

    /// Returns what it has printed so far.
    pub(crate) fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// Returns what it has logged so far.
    pub(crate) fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Waits for a line of its output that contains a text, and returns it.
    pub(crate) fn line(&mut self, text: &str) -> String {
        self.find(text, Self::out)
    }

    /// Waits for a line of its log that contains a text, and returns it.
    pub(crate) fn logged(&mut self, text: &str) -> String {
        self.find(text, Self::err)
    }

    /// Waits for a line of its log, and returns the address that follows a text there.
    pub(crate) fn address(&mut self, text: &str) -> String {
        let line = self.logged(text);
        let at = line.find("http://").unwrap();
        let address = line[at..].chars().take_while(|it| !"\" ".contains(*it));
        address.collect()
    }

    fn find(&mut self, text: &str, place: fn(&Self) -> String) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            let printed = place(self);
            if let Some(line) = printed.lines().find(|it| it.contains(text)) {
                return line.to_owned();
            }
            let late = Instant::now() > deadline;
            assert!(
                ended.is_none() && !late,
                "no `{text}` ({ended:?}) in:\n{}\n{}",
                self.out(),
                self.err()
            );
            thread::sleep(LOOK);
        }
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "still running: {}", self.err());
            thread::sleep(LOOK);
        };
        self.leave(status)
    }

    /// Asks it to stop (SIGTERM), and waits for the end.
    pub(crate) fn stop(self) -> Ended {
        let pid = self.child.id().to_string();
        let told = Command::new("sh")
            .args(["-c", &format!("kill -TERM {pid}")])
            .status();
        assert!(told.unwrap().success());
        self.ended()
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        self.leave(status)
    }

    fn leave(&mut self, status: ExitStatus) -> Ended {
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ended {
            code: status.code(),
            out: self.out(),
            err: self.err(),
        }
    }
}

fn collect(pipe: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> thread::JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let mut into = into.lock().unwrap();
            into.push_str(&String::from_utf8_lossy(&line));
            into.push('\n');
        }
    })
}
