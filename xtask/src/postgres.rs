//! A throw-away PostgreSQL cluster on a free port of 127.0.0.1.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::apt::{Package, is_root};
use crate::process;

const USER: &str = "roadstead";
const START_LIMIT: Duration = Duration::from_secs(60);
const PORT_ATTEMPTS: u32 = 5;

const PACKAGE: Package = Package {
    name: "PostgreSQL",
    debian: &["postgresql"],
    homebrew: "postgresql",
    alpine: "postgresql",
    fedora: "postgresql-server",
};

/// Where Linux distributions and Homebrew keep the server's programs.
const BIN_PARENTS: [&str; 4] = [
    "/usr/lib/postgresql",
    "/usr/lib64/pgsql",
    "/usr/pgsql",
    "/opt/homebrew/opt",
];

/// Waits for the end of its standard input, which comes when the process that
/// started it is gone, however it went: normally, by a panic or by a signal.
/// Then it stops the server whose process id it was last told and removes the
/// folder. SIGQUIT is PostgreSQL's immediate shutdown; nothing here is worth a
/// checkpoint. The server's last act is to remove its pid file; the process
/// itself may stay as a zombie where nobody adopts orphans, as in containers.
const WARDEN: &str = r#"
trap '' HUP INT TERM
server=
while read -r line; do server=$line; done
if [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; then
    tries=0
    while [ -e "$1/data/postmaster.pid" ] && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
fi
rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }
"#;

/// A running cluster. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Declared before `warden`, whose end of input it waits for.
    server: Child,
    warden: Warden,
    port: u16,
    password: String,
    version: String,
}

impl Cluster {
    /// Makes a cluster and waits until it answers.
    ///
    /// # Errors
    ///
    /// Fails if PostgreSQL is not installed and may not be installed from here,
    /// or if it does not start.
    pub(crate) fn start() -> Result<Self> {
        let programs = find_or_install()?;
        let version = version(&programs)?;
        let owner = Owner::choose()?;
        let folder = tempfile::Builder::new()
            .prefix("roadstead-postgres-")
            .tempdir()?
            .keep();
        let mut warden = Warden::start(&folder, owner)?;
        owner.take(&folder)?;

        let password = random_hex()?;
        let data = folder.join("data");
        initialize(&programs, owner, &folder, &data, &password)?;
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            if let Some(server) = start_server(&programs, owner, &folder, port, &mut warden)? {
                return Ok(Self {
                    server,
                    warden,
                    port,
                    password,
                    version,
                });
            }
        }
        bail!("PostgreSQL found its port taken {PORT_ATTEMPTS} times");
    }

    /// Returns the URL of the cluster's maintenance database.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://{USER}:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    /// Returns the version and address, for people.
    pub(crate) fn description(&self) -> String {
        format!("PostgreSQL {} at 127.0.0.1:{}", self.version, self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.warden.input.take());
        // The warden has told the server to end; until we have waited for it,
        // its process id still stands. A failure to wait leaves nothing to do.
        let _ = self.server.wait();
        let _ = self.warden.process.wait();
    }
}

/// The process that cleans up after us, also when we are killed.
#[derive(Debug)]
struct Warden {
    process: Child,
    input: Option<ChildStdin>,
}

impl Warden {
    fn start(folder: &Path, owner: Owner) -> Result<Self> {
        let mut command = owner.command(Path::new("sh"));
        // A group of its own, so that Ctrl-C at the terminal does not reach it.
        command
            .arg("-c")
            .arg(WARDEN)
            .arg("warden")
            .arg(folder)
            .current_dir("/")
            .process_group(0);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start `sh`")?;
        let input = process.stdin.take();
        Ok(Self { process, input })
    }

    fn watch(&mut self, server: Option<u32>) -> Result<()> {
        let Some(input) = &mut self.input else {
            bail!("the cluster's warden has no input");
        };
        let line = server.map(|it| it.to_string()).unwrap_or_default();
        writeln!(input, "{line}").context("the cluster's warden is gone")
    }
}

/// The user that owns the cluster: ourselves, or another where we are root,
/// because PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy)]
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn choose() -> Result<Self> {
        if !is_root()? {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd").context("could not read `/etc/passwd`")?;
        let other = find_user(&users, "postgres").or_else(|| find_user(&users, "nobody"));
        match other {
            Some(ids) => Ok(Self(Some(ids))),
            None => bail!(
                "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`"
            ),
        }
    }

    fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }

    fn take(self, path: &Path) -> Result<()> {
        let Some((user, group)) = self.0 else {
            return Ok(());
        };
        chown(path, Some(user), Some(group))
            .with_context(|| format!("could not hand over `{}`", path.display()))
    }
}

fn initialize(
    programs: &Path,
    owner: Owner,
    folder: &Path,
    data: &Path,
    password: &str,
) -> Result<()> {
    let password_file = folder.join("password");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&password_file)?;
    writeln!(file, "{password}")?;
    owner.take(&password_file)?;

    let mut command = owner.command(&programs.join("initdb"));
    command
        .current_dir(folder)
        .arg("--pgdata")
        .arg(data)
        .arg("--pwfile")
        .arg(&password_file);
    // `password` and not `scram-sha-256`: its thousands of rounds would run in
    // an unoptimized client, once per connection of every test.
    command.args([
        "--auth=password",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    command.arg(format!("--username={USER}"));
    process::read(&mut command).map(drop)
}

/// Starts the server, or returns `None` if another program was quicker to take the port.
fn start_server(
    programs: &Path,
    owner: Owner,
    folder: &Path,
    port: u16,
    warden: &mut Warden,
) -> Result<Option<Child>> {
    let log_path = folder.join("log");
    let log = fs::File::create(&log_path)?;
    let mut command = owner.command(&programs.join("postgres"));
    command
        .current_dir(folder)
        .arg("-D")
        .arg(folder.join("data"));
    for setting in [
        "listen_addresses=127.0.0.1",
        &format!("port={port}"),
        // A socket's path would have to stay under 108 bytes; nobody needs one.
        "unix_socket_directories=",
        "max_connections=300",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "timezone=UTC",
    ] {
        command.arg("-c").arg(setting);
    }
    let mut server = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("could not start `postgres`")?;
    warden.watch(Some(server.id()))?;

    let deadline = Instant::now() + START_LIMIT;
    while !is_ready(&folder.join("data/postmaster.pid")) {
        if server.try_wait()?.is_some() {
            warden.watch(None)?;
            let words = fs::read_to_string(&log_path)?;
            if words.contains("could not bind") {
                return Ok(None);
            }
            bail!("PostgreSQL did not start: {}", words.trim());
        }
        if Instant::now() > deadline {
            bail!("PostgreSQL was not ready after {} s", START_LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Some(server))
}

/// Returns whether the server wrote `ready` on the eighth line of its pid
/// file, which is where `pg_ctl` looks too.
fn is_ready(pid_file: &Path) -> bool {
    fs::read_to_string(pid_file).is_ok_and(|it| {
        it.lines()
            .nth(7)
            .is_some_and(|status| status.trim() == "ready")
    })
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    PACKAGE.install(", or leave its tests out: `cargo xtask test --without postgres`")?;
    find_programs().context("apt-get installed PostgreSQL, yet there is no `initdb`")
}

/// Returns the folder that holds `initdb` and `postgres`.
fn find_programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find_map(|it| {
        // Distributions link `initdb` alone into the PATH: follow it home.
        let home = fs::canonicalize(it.join("initdb")).ok()?;
        Some(home.parent()?.to_path_buf())
    });
    on_path.filter(|it| holds_server(it)).or_else(|| {
        BIN_PARENTS
            .iter()
            .find_map(|it| newest_below(Path::new(it)))
    })
}

fn newest_below(parent: &Path) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let digits: String = name
                .to_str()?
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let bin = entry.path().join("bin");
            holds_server(&bin).then_some((digits.parse().unwrap_or(0), bin))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

fn holds_server(bin: &Path) -> bool {
    bin.join("initdb").exists() && bin.join("postgres").exists()
}

/// Returns `15.14` of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version(programs: &Path) -> Result<String> {
    let words = process::read(Command::new(programs.join("postgres")).arg("--version"))?;
    Ok(words
        .split_whitespace()
        .nth(2)
        .unwrap_or("of an unknown version")
        .to_owned())
}

fn find_user(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let line = passwd
        .lines()
        .find(|it| it.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{find_user, is_ready, newest_below};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        assert_eq!(find_user(PASSWD, "nobody"), Some((65534, 65533)));
        assert_eq!(find_user(PASSWD, "no"), None);
        assert_eq!(find_user(PASSWD, "postgres"), None);
    }

    #[test]
    fn the_newest_version_wins_by_number() {
        let parent = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17"] {
            let bin = parent.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("initdb"), "").unwrap();
            // Only the client's programs are there for 17.
            if version != "17" {
                fs::write(bin.join("postgres"), "").unwrap();
            }
        }
        assert_eq!(
            newest_below(parent.path()),
            Some(parent.path().join("15/bin"))
        );
    }

    #[test]
    fn a_server_that_still_starts_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postmaster.pid");
        assert!(!is_ready(&file));
        fs::write(&file, "1\n/data\n2\n5432\n\n127.0.0.1\n 3\nstarting\n").unwrap();
        assert!(!is_ready(&file));
        fs::write(&file, "1\n/data\n2\n5432\n\n127.0.0.1\n 3\nready   \n").unwrap();
        assert!(is_ready(&file));
    }
}
