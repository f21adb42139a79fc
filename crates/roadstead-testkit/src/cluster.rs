//! A PostgreSQL of a test's own, for what nobody may do to the one that all share.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where distributions keep the server's programs, if they are not on the PATH.
const PROGRAMS: &str = "/usr/lib/postgresql";

const PASSWORD: &str = "throw-away";

/// How long the server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

const LOOK: Duration = Duration::from_millis(20);

/// A PostgreSQL that a test may stop, kill and start again. Dropping it ends it.
#[derive(Debug)]
pub struct OwnPostgres {
    programs: PathBuf,
    /// Whose the server is, where we are root: PostgreSQL refuses to be.
    owner: Option<(u32, u32)>,
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl OwnPostgres {
    /// Makes a cluster, and waits until it answers.
    ///
    /// # Panics
    ///
    /// Panics if PostgreSQL is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let programs = programs().expect("`initdb` and `postgres` are installed");
        let folder = tempfile::Builder::new()
            .prefix("roadstead-own-postgres-")
            .tempdir()
            .expect("a folder can be made");
        let mut own = Self {
            programs,
            owner: owner(),
            folder,
            port: 0,
            server: None,
        };
        own.hand_over(own.folder.path());
        own.initialize();
        // Between the choice of a port and its use another program may take it.
        for _ in 0..5 {
            own.port = free_port();
            if own.launch() {
                return own;
            }
        }
        panic!("PostgreSQL does not start: {}", own.words());
    }

    /// Returns the URL of a database of it.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgres://roadstead:{PASSWORD}@127.0.0.1:{}/postgres",
            self.port
        )
    }

    /// Ends it as `pg_ctl stop -m immediate` does: nothing is said to anybody, and the next
    /// start recovers.
    ///
    /// # Panics
    ///
    /// Panics if it is not running.
    pub fn stop_immediately(&mut self) {
        let mut server = self.server.take().expect("it runs");
        signal("QUIT", server.id());
        server.wait().expect("it ends");
    }

    /// Starts it again at the same address, and waits until it answers.
    ///
    /// # Panics
    ///
    /// Panics if it does not start.
    pub fn start_again(&mut self) {
        assert!(self.launch(), "PostgreSQL does not start: {}", self.words());
    }

    fn initialize(&self) {
        let password = self.folder.path().join("password");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&password)
            .expect("a file can be made");
        writeln!(file, "{PASSWORD}").expect("a file can be written");
        self.hand_over(&password);
        let output = self
            .command("initdb")
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&password)
            .args(["--username=roadstead", "--auth=password", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync"])
            .output()
            .expect("`initdb` can be run");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`initdb` failed: {words}");
    }

    /// Starts the server; returns whether it is ready.
    fn launch(&mut self) -> bool {
        let log = fs::File::create(self.log()).expect("a file can be made");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        // What was committed must outlive an immediate stop: `synchronous_commit` stays on.
        for setting in [
            "listen_addresses=127.0.0.1",
            &format!("port={}", self.port),
            "unix_socket_directories=",
            "fsync=off",
            "timezone=UTC",
        ] {
            command.arg("-c").arg(setting);
        }
        let mut server = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("`postgres` can be run");
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            if server.try_wait().expect("it can be asked").is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "not ready: {}", self.words());
            std::thread::sleep(LOOK);
        }
        self.server = Some(server);
        true
    }

    /// Returns whether it wrote so on the eighth line of its pid file, where `pg_ctl` looks too.
    fn is_ready(&self) -> bool {
        let file = fs::read_to_string(self.data().join("postmaster.pid"));
        file.is_ok_and(|it| it.lines().nth(7).is_some_and(|it| it.trim() == "ready"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command.current_dir(self.folder.path());
        command
    }

    fn hand_over(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).expect("root may hand over");
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn words(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            signal("QUIT", server.id());
            // A failure to wait leaves nothing to do.
            let _ = server.wait();
        }
    }
}

/// Sends a signal to a process that we have started.
fn signal(name: &str, process: u32) {
    let told = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .status();
    assert!(told.expect("`sh` can be run").success());
}

fn programs() -> Option<PathBuf> {
    let holds = |it: &Path| it.join("initdb").exists() && it.join("postgres").exists();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find_map(|it| {
        // Distributions link `initdb` alone into the PATH.
        let home = fs::canonicalize(it.join("initdb")).ok()?;
        home.parent().map(Path::to_path_buf)
    });
    on_path.filter(|it| holds(it)).or_else(|| {
        let versions = fs::read_dir(PROGRAMS).ok()?;
        versions
            .filter_map(|it| Some(it.ok()?.path().join("bin")))
            .find(|it| holds(it))
    })
}

fn owner() -> Option<(u32, u32)> {
    let who = Command::new("id")
        .arg("-u")
        .output()
        .expect("`id` can be run");
    if who.stdout.trim_ascii() != b"0" {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("users can be read");
    let found = ["postgres", "nobody"].into_iter().find_map(|name| {
        let line = users
            .lines()
            .find(|it| it.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    Some(found.expect("there is a user `postgres` or `nobody`"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}
