//! The settings, read once: environment over file over default, every mistake reported at once.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use roadstead_core::ProviderKind;
use roadstead_http::{Url, check_base_url};
use roadstead_panel::Transport;
use roadstead_service::Clockwork;

use crate::{crash, logs};

/// The names that are read, without the prefix.
const NAMES: [&str; 15] = [
    "LISTEN",
    "PUBLIC_URL",
    "METRICS_LISTEN",
    "DATABASE_URL",
    "MASTER_KEY_FILE",
    "WORKERS",
    "LEASE",
    "SETTLE_WINDOW",
    "POLL_INTERVAL",
    "OPEN_POLL_INTERVAL",
    "SWEEP_INTERVAL",
    "DIGITALOCEAN_ENDPOINT",
    "DIGITALOCEAN_BURST_LIMIT",
    "LINODE_ENDPOINT",
    "LOG",
];

const PREFIX: &str = "ROADSTEAD_";

/// The settings of a server.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where API and panel listen.
    pub(crate) listen: SocketAddr,
    /// Where browsers find the panel, if not where it listens.
    pub(crate) public_url: Option<Url>,
    /// Where the metrics are read, if anywhere.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The database. May hold a password: never shown.
    pub(crate) database: DatabaseUrl,
    /// The file of the master key.
    pub(crate) master_key_file: PathBuf,
    /// Operation workers in this process.
    pub(crate) workers: usize,
    /// The engine's clockwork.
    pub(crate) clockwork: Clockwork,
    /// What is not as usual at the vendors.
    pub(crate) vendors: AtVendors,
    /// The tracing filter.
    pub(crate) log: String,
}

/// What is not as usual at the vendors.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtVendors {
    /// A base URL that is not the vendor's own.
    pub(crate) digitalocean_endpoint: Option<String>,
    /// How many calls a minute the vendor allows the accounts.
    pub(crate) digitalocean_burst_limit: Option<u64>,
    /// A base URL that is not the vendor's own.
    pub(crate) linode_endpoint: Option<String>,
}

/// A database's URL, whose `Debug` shows no password.
#[derive(Clone)]
pub(crate) struct DatabaseUrl(pub(crate) String);

impl DatabaseUrl {
    /// Returns the file of an embedded database.
    pub(crate) fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.0.strip_prefix("sqlite://")?;
        Some(PathBuf::from(path.split('?').next().unwrap_or_default()))
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.split("://").next().unwrap_or_default())
    }
}

impl Settings {
    /// Returns how browsers reach the panel.
    pub(crate) fn transport(&self) -> Transport {
        match &self.public_url {
            Some(url) if url.scheme() == "https" => Transport::Https,
            Some(_) | None => Transport::Loopback,
        }
    }

    /// Reads the environment and, if given, a file.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut values = match file {
            Some(path) => from_file(path)?,
            None => BTreeMap::new(),
        };
        values.extend(from_environment());
        Self::parse(values)
    }

    pub(crate) fn parse(values: BTreeMap<String, String>) -> anyhow::Result<Self> {
        let mut reader = Reader {
            values,
            mistakes: Vec::new(),
        };
        let listen = reader.take("LISTEN", SocketAddr::from(([127, 0, 0, 1], 8080)), |it| {
            it.parse()
                .map_err(|_error| "must be an address with a port, such as `127.0.0.1:8080`")
        });
        let public_url = reader.take("PUBLIC_URL", None, public_url);
        let metrics_listen = reader.take("METRICS_LISTEN", None, |it| {
            match it.parse::<SocketAddr>() {
                // With port 0 each gets a port of its own.
                Ok(address) if address == listen && address.port() != 0 => {
                    Err("must be another address than ROADSTEAD_LISTEN")
                }
                Ok(address) => Ok(Some(address)),
                Err(_) => Err("must be an address with a port, such as `127.0.0.1:9100`"),
            }
        });
        let database = reader.take("DATABASE_URL", "sqlite://roadstead.db".to_owned(), |it| {
            let known = ["sqlite://", "postgres://", "postgresql://"];
            if known
                .iter()
                .any(|scheme| it.starts_with(scheme) && it.len() > scheme.len())
            {
                Ok(it.to_owned())
            } else {
                Err("must be a URL such as `sqlite://roadstead.db` or \
                     `postgres://user@host/name`")
            }
        });
        let master_key_file = reader.take("MASTER_KEY_FILE", "roadstead.key".into(), |it| {
            if it.is_empty() {
                Err("must name a file")
            } else {
                Ok(PathBuf::from(it))
            }
        });
        let workers = reader.take("WORKERS", 1, |it| match it.parse() {
            Ok(count @ 0..=64) => Ok(count),
            _ => Err("must be a number from 0 to 64"),
        });
        let defaults = Clockwork::default();
        let lease = reader.take("LEASE", defaults.lease, |it| {
            let lease = duration(it)?;
            // A call is given up well before its lease ends, so a short one only hurries.
            let long_enough = lease >= Duration::from_secs(1);
            if long_enough {
                Ok(lease)
            } else {
                Err("must be at least `1s`")
            }
        });
        let settle_window = reader.take("SETTLE_WINDOW", defaults.settle_window, duration);
        let poll_idle = reader.take("POLL_INTERVAL", defaults.poll_idle, duration);
        let poll_open = reader.take("OPEN_POLL_INTERVAL", defaults.poll_open, duration);
        let sweep = reader.take("SWEEP_INTERVAL", defaults.sweep, duration);
        let vendors = AtVendors {
            digitalocean_endpoint: reader.take("DIGITALOCEAN_ENDPOINT", None, endpoint),
            digitalocean_burst_limit: reader.take("DIGITALOCEAN_BURST_LIMIT", None, burst_limit),
            linode_endpoint: reader.take("LINODE_ENDPOINT", None, endpoint),
        };
        let log =
            reader.take("LOG", logs::DEFAULT.to_owned(), |it| match it
                .parse::<tracing_subscriber::EnvFilter>()
            {
                Ok(_) => Ok(it.to_owned()),
                Err(_) => Err("must be a tracing filter, such as `info` or `roadstead=debug`"),
            });
        crash::read(&mut reader);
        reader.finish()?;
        Ok(Self {
            listen,
            public_url,
            metrics_listen,
            database: DatabaseUrl(database),
            master_key_file,
            workers,
            clockwork: Clockwork {
                poll_idle,
                poll_open,
                sweep,
                ..defaults.with_lease(lease).with_settle_window(settle_window)
            },
            vendors,
            log,
        })
    }
}

pub(crate) struct Reader {
    values: BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl Reader {
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        default: T,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> T {
        let Some(value) = self.values.remove(name) else {
            return default;
        };
        match read(&value) {
            Ok(value) => value,
            Err(rule) => {
                // Never the value: a database URL holds a password.
                self.mistakes.push(format!("{PREFIX}{name} {rule}"));
                default
            }
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        for name in self.values.into_keys() {
            let known = NAMES.map(|it| format!("{PREFIX}{it}")).join(", ");
            self.mistakes.push(format!(
                "{PREFIX}{name} is no setting; the settings are {known}"
            ));
        }
        match &*self.mistakes {
            [] => Ok(()),
            [one] => bail!("{one}"),
            many => bail!(
                "{} settings are wrong:\n  {}",
                many.len(),
                many.join("\n  ")
            ),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
fn from_environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        // For the tests of this repository, which may start this very program.
        .filter(|(name, _)| !name.starts_with("TEST_"))
        .collect()
}

fn from_file(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read the settings in `{}`", path.display()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // Not the error itself: it quotes the line, which may hold a password.
        let before = error.span().and_then(|it| text.get(..it.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        anyhow!(
            "the settings in `{}` are no TOML: line {line} is wrong",
            path.display()
        )
    })?;
    table
        .into_iter()
        .map(|(name, value)| {
            let short = name.strip_prefix(PREFIX).with_context(|| {
                format!(
                    "`{name}` in `{}` is no setting; the names begin with {PREFIX}",
                    path.display()
                )
            })?;
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                _ => bail!(
                    "`{name}` in `{}` must be a text or a number",
                    path.display()
                ),
            };
            Ok((short.to_owned(), value))
        })
        .collect()
}

/// Reads `30s`, `5m`, `2h` or `250ms`.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let rule = "must be a duration such as `30s`, `5m` or `250ms`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or(rule)?;
    let number: u64 = number.parse().map_err(|_error| rule)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(rule),
    };
    match number.checked_mul(millis) {
        Some(millis @ 1..) => Ok(Duration::from_millis(millis)),
        _ => Err(rule),
    }
}

fn public_url(text: &str) -> Result<Option<Url>, &'static str> {
    let rule = "must be the address of the panel without a path, such as \
        `https://servers.example.com`; plain http is for loopback only";
    let url = Url::parse(text).map_err(|_error| rule)?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return Err(rule);
    }
    // Which vendor it is does not matter to the answer.
    check_base_url(&url, &ProviderKind::from("any")).map_err(|_error| rule)?;
    Ok(Some(url))
}

fn endpoint(text: &str) -> Result<Option<String>, &'static str> {
    let rule = "must be a base URL up to and without the version, such as \
        `http://127.0.0.1:9101`; plain http is for loopback only";
    let url = Url::parse(text).map_err(|_error| rule)?;
    // Which vendor it is does not matter to the answer.
    check_base_url(&url, &ProviderKind::from("any")).map_err(|_error| rule)?;
    Ok(Some(text.to_owned()))
}

fn burst_limit(text: &str) -> Result<Option<u64>, &'static str> {
    match text.parse() {
        Ok(limit @ 10..=1_000_000) => Ok(Some(limit)),
        _ => Err("must be a number of calls from 10 to 1000000"),
    }
}

/// Returns whether people read what this program prints.
pub(crate) fn on_a_terminal() -> bool {
    std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings::parse(pairs.iter().map(own).collect())
    }

    #[test]
    fn every_name_in_the_help_is_a_setting_and_the_reverse() {
        use clap::CommandFactory;
        let help = crate::command::Roadstead::command()
            .render_long_help()
            .to_string();
        for name in NAMES {
            assert!(
                help.contains(&format!("{PREFIX}{name} ")),
                "{name} is missing in --help"
            );
        }
        let listed = help
            .lines()
            .filter(|it| it.trim_start().starts_with(PREFIX))
            .count();
        assert_eq!(listed, NAMES.len());
    }

    #[test]
    fn every_mistake_is_reported_at_once_and_no_value_is_shown() {
        let wrong = [
            ("LISTEN", "8080"),
            ("PUBLIC_URL", "http://servers.example.com"),
            ("METRICS_LISTEN", "on"),
            ("DATABASE_URL", "mysql://root:hunter2@db"),
            ("WORKERS", "-1"),
            ("LEASE", "999ms"),
            ("SETTLE_WINDOW", "soon"),
            ("LINODE_ENDPOINT", "ftp://x"),
            ("COLOR", "blue"),
        ];
        let message = parse(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert!(
                message.contains(&format!("{PREFIX}{name}")),
                "{name} is not in {message}"
            );
        }
        assert!(!message.contains("hunter2"));
    }

    #[test]
    fn metrics_are_off_by_default_and_never_where_the_api_is() {
        assert_eq!(parse(&[]).unwrap().metrics_listen, None);
        let twice = [
            ("LISTEN", "127.0.0.1:9100"),
            ("METRICS_LISTEN", "127.0.0.1:9100"),
        ];
        let message = parse(&twice).unwrap_err().to_string();
        assert!(
            message.contains("another address than ROADSTEAD_LISTEN"),
            "{message}"
        );
        let free = [("LISTEN", "127.0.0.1:0"), ("METRICS_LISTEN", "127.0.0.1:0")];
        assert!(parse(&free).unwrap().metrics_listen.is_some());
    }

    #[test]
    fn cookies_are_secure_where_browsers_come_by_https() {
        let transport = |url: &str| parse(&[("PUBLIC_URL", url)]).map(|it| it.transport());
        let https = transport("https://servers.example.com").unwrap();
        assert_eq!(https, Transport::Https);
        let loopback = transport("http://127.0.0.1:8080").unwrap();
        assert_eq!(loopback, Transport::Loopback);
        assert_eq!(parse(&[]).unwrap().transport(), Transport::Loopback);
        for wrong in [
            "servers.example.com",
            "http://10.0.0.1",
            "https://servers.example.com/panel",
            "https://user@servers.example.com",
            "https://servers.example.com/?x",
            "ftp://servers.example.com",
        ] {
            assert!(transport(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let settings = parse(&[("DATABASE_URL", "postgres://u:hunter2@db/roadstead")]).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "0s",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
