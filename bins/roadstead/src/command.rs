//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// One harbor for many clouds' servers.
#[derive(Debug, Parser)]
#[command(version, about, after_help = SETTINGS)]
pub(crate) struct Roadstead {
    /// A TOML file with settings, by the names listed below; the environment wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const SETTINGS: &str = "\
Settings (environment variables, or the same names in the file given by --config):
  ROADSTEAD_LISTEN                 address of the API                     [127.0.0.1:8080]
  ROADSTEAD_DATABASE_URL           sqlite://PATH or postgres://…          [sqlite://roadstead.db]
  ROADSTEAD_MASTER_KEY_FILE        seals the providers' tokens; made at the first start on
                                   SQLite, must exist with PostgreSQL     [roadstead.key]
  ROADSTEAD_WORKERS                operation workers in this process      [1]
  ROADSTEAD_LEASE                  how long a worker holds an operation   [30s]
  ROADSTEAD_SETTLE_WINDOW          how long a lost create may still appear [180s]
  ROADSTEAD_POLL_INTERVAL          how often a quiet account is read      [60s]
  ROADSTEAD_DIGITALOCEAN_ENDPOINT  another base URL for DigitalOcean; http only on loopback
  ROADSTEAD_LINODE_ENDPOINT        the same for Linode
  ROADSTEAD_LOG                    tracing filter; JSON when not on a terminal [info]

Exit codes: 0 done, 1 failed, 2 wrong use.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server (also without a command).
    Serve {
        /// Applies pending migrations on PostgreSQL too; on SQLite they always are.
        #[arg(long)]
        migrate: bool,
    },
    /// Runs everything on this machine: the providers' simulator, a throw-away database, one
    /// account per provider, an operator and a member.
    Demo(DemoOptions),
    /// Runs the providers' APIs alone, for other programs. Prints one line that begins with
    /// `ready` and names the addresses.
    Simulate(SimulateOptions),
    /// Applies, undoes or lists the migrations of the database.
    Migrate {
        #[command(subcommand)]
        action: MigrateAction,
    },
    /// Adds people who can log in.
    User {
        #[command(subcommand)]
        action: UserAction,
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
    /// A JSON file with a list of faults, as `/_sim/faults` takes them; they apply to every
    /// provider that is simulated.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateAction {
    /// Applies all pending migrations.
    Up,
    /// Undoes the newest migrations. Data in what they made is lost.
    Down {
        /// How many.
        #[arg(default_value_t = 1)]
        steps: usize,
    },
    /// Lists all migrations and whether they are applied.
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// Adds a user. The password is read from standard input; on a terminal, and when nothing
    /// is piped in, one is made and printed.
    Create {
        /// The address to log in with.
        #[arg(long, value_name = "E-MAIL")]
        email: String,
        /// Lets the user run this installation.
        #[arg(long)]
        operator: bool,
        /// The organization the user belongs to, as its owner; made when it does not exist.
        #[arg(long, value_name = "NAME")]
        organization: Option<String>,
    },
}
