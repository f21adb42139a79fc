//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand};

/// One harbor for many clouds' servers.
#[derive(Debug, Parser)]
#[command(version, about, after_help = SETTINGS)]
pub(crate) struct Roadstead {
    /// A TOML file with settings, by the names listed below; the environment wins over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Roadstead {
    /// Reads the arguments; wrong ones end the process with 2.
    pub(crate) fn from_arguments() -> Self {
        let roadstead = Self::parse();
        if let Some(Command::Demo(_) | Command::Simulate(_)) = roadstead.command
            && roadstead.config.is_some()
        {
            let message = "`demo` and `simulate` read no settings; leave --config out";
            Self::command()
                .error(ErrorKind::ArgumentConflict, message)
                .exit();
        }
        roadstead
    }
}

/// Where the commands that read settings take them from, beside the environment.
#[derive(Debug, Default, Args)]
pub(crate) struct Source {
    /// A TOML file with settings, by the names listed below; the environment wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const SETTINGS: &str = "\
Settings (environment variables, or the same names in the file given by --config):
  ROADSTEAD_LISTEN                 address of API and panel               [127.0.0.1:8080]
  ROADSTEAD_PUBLIC_URL             where browsers find the panel, such as https://servers.example.com;
                                   over plain http it is shown on this machine only [the listener]
  ROADSTEAD_METRICS_LISTEN         address of the metrics, such as 127.0.0.1:9100: GET /metrics,
                                   without a login, so keep it off the internet [off]
  ROADSTEAD_DATABASE_URL           sqlite://PATH or postgres://…          [sqlite://roadstead.db]
  ROADSTEAD_MASTER_KEY_FILE        seals the providers' tokens; made at the first start on
                                   SQLite, must exist with PostgreSQL     [roadstead.key]
  ROADSTEAD_WORKERS                operation workers in this process      [1]
  ROADSTEAD_LEASE                  how long a worker holds an operation   [30s]
  ROADSTEAD_SETTLE_WINDOW          how long a lost create may still appear [180s]
  ROADSTEAD_POLL_INTERVAL          how often a quiet account is read      [60s]
  ROADSTEAD_OPEN_POLL_INTERVAL     how often an open operation is read    [3s]
  ROADSTEAD_SWEEP_INTERVAL         how often an account is swept          [5m]
  ROADSTEAD_DIGITALOCEAN_ENDPOINT  another base URL for DigitalOcean; http only on loopback
  ROADSTEAD_DIGITALOCEAN_BURST_LIMIT  calls a minute, where DigitalOcean allows yours other
                                   than its usual ones                    [250]
  ROADSTEAD_LINODE_ENDPOINT        the same for Linode
  ROADSTEAD_LOG                    tracing filter; JSON when not on a terminal
                                   [info, and warn for actix's own lines]

Exit codes: 0 done, 1 failed, 2 wrong use.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server (also without a command).
    #[command(after_help = SETTINGS)]
    Serve {
        /// Applies pending migrations on PostgreSQL too; on SQLite they always are.
        #[arg(long)]
        migrate: bool,
        #[command(flatten)]
        source: Source,
    },
    /// Runs everything on this machine: the providers' simulator, a throw-away database, one
    /// account per provider, an operator and a member. Reads no settings.
    Demo(DemoOptions),
    /// Runs the providers' APIs alone, for other programs, until Ctrl-C.
    ///
    /// Simulates the providers that get an address below; without any, all of them at free
    /// ports. Prints one line that begins with `ready` and names the addresses. Reads no
    /// settings.
    Simulate(SimulateOptions),
    /// Applies, undoes or lists the migrations of the database.
    #[command(after_help = SETTINGS)]
    Migrate {
        #[command(subcommand)]
        action: MigrateAction,
        #[command(flatten)]
        source: Source,
    },
    /// Adds people who can log in.
    #[command(after_help = SETTINGS)]
    User {
        #[command(subcommand)]
        action: UserAction,
        #[command(flatten)]
        source: Source,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Drives the HTTP API through the whole life of a server at every provider, prints a line
    /// per step with its time, and exits 0 or 1.
    #[arg(long)]
    pub(crate) smoke: bool,
    /// Where the API listens; with --smoke any free port.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Keeps the database here instead of throwing it away. The simulated servers are
    /// forgotten all the same.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// By how much the simulator's waits are divided.
    #[arg(long, value_name = "X", default_value_t = 10.0)]
    pub(crate) time_scale: f64,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateOptions {
    /// Simulates Linode at this address.
    #[arg(long, value_name = "ADDR")]
    pub(crate) linode: Option<SocketAddr>,
    /// Simulates DigitalOcean at this address.
    #[arg(long, value_name = "ADDR")]
    pub(crate) digitalocean: Option<SocketAddr>,
    /// Simulates AWS EC2 at this address (not available yet).
    #[arg(long, value_name = "ADDR")]
    pub(crate) aws: Option<SocketAddr>,
    /// Simulates Google Compute Engine at this address (not available yet).
    #[arg(long, value_name = "ADDR")]
    pub(crate) gcp: Option<SocketAddr>,
    /// Makes the simulated durations repeat.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// By how much the simulator's own waits are divided; at 1 a create takes 30 to 60 s.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    /// A JSON file with a list of faults, as `/_sim/faults` takes them: written out, or by
    /// their names, such as `[{"preset": "reset-after", "call": "create"}]`. They apply to
    /// every provider that is simulated. docs/simulator.md and `/_sim/faults/catalogue` list
    /// the names.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateAction {
    /// Applies all pending migrations.
    #[command(after_help = SETTINGS)]
    Up,
    /// Undoes the newest migrations. Data in what they made is lost.
    #[command(after_help = SETTINGS)]
    Down {
        /// How many.
        #[arg(default_value_t = 1)]
        steps: usize,
    },
    /// Lists all migrations and whether they are applied.
    #[command(after_help = SETTINGS)]
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// Adds a user. The password is read from standard input; on a terminal, and when nothing
    /// is piped in, one is made and printed. With neither --operator nor --organization the
    /// user could do nothing, so one of the two is needed.
    #[command(
        after_help = SETTINGS,
        group = ArgGroup::new("place").args(["operator", "organization"]).required(true).multiple(true)
    )]
    Create {
        /// The address to log in with.
        #[arg(long, value_name = "E-MAIL")]
        email: String,
        /// Lets the user run this installation.
        #[arg(long)]
        operator: bool,
        /// The organization the user belongs to, as its owner; made when it does not exist.
        #[arg(long, value_name = "NAME", value_parser = name)]
        organization: Option<String>,
    },
}

fn name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("must not be blank"),
        name => Ok(name.to_owned()),
    }
}
