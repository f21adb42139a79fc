//! A PostgreSQL server: its address, its encryption, its pool.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures::FutureExt;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Options;
use crate::error::{Error, Result};

/// No statement of ours takes this long; one that does is stuck behind something.
const SESSION: &str = "SET statement_timeout = '30s'; \
    SET idle_in_transaction_session_timeout = '60s'";

/// A PostgreSQL server, ready to be connected to.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// Host, port and database, for messages.
    name: String,
    wait: Duration,
}

enum Failure {
    Postgres(tokio_postgres::Error),
    Diesel(ConnectionError),
    Late(Duration),
}

impl Server {
    /// Reads a URL. `sslmode` says whether to encrypt: always off loopback unless it is
    /// `disable`, and then with the server's certificate checked, against the certificates in
    /// the file `sslrootcert` too.
    pub(crate) fn parse(url: &str, options: &Options) -> Result<Self> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut mode = None;
        let mut root = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", it)) => mode = Some(it),
                Some(("sslrootcert", it)) => root = Some(it.replace("%2F", "/")),
                _ => rest.push(pair),
            }
        }
        let bare = if rest.is_empty() {
            base.to_owned()
        } else {
            format!("{base}?{}", rest.join("&"))
        };
        let mut config: Config =
            bare.parse()
                .map_err(|source: tokio_postgres::Error| Error::Database {
                    message: "the database URL cannot be read: \
                    write `postgres://user:password@host:5432/name`, special characters as `%40`"
                        .to_owned(),
                    source: Some(source.into()),
                })?;
        let name = describe(&config)?;
        let local = is_local(&config);
        let encrypt = match mode {
            Some("disable") => false,
            None | Some("allow" | "prefer") => !local,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(_) => {
                return Err(Error::database(
                    "`sslmode` in the database URL must be `disable`, `require` or `verify-full`",
                ));
            }
        };
        config.ssl_mode(if encrypt {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        config.connect_timeout(options.connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("roadstead");
        }
        let tls = if encrypt {
            Some(encryption(root.as_deref())?)
        } else {
            None
        };
        Ok(Self {
            config,
            tls,
            name,
            wait: options.connect_timeout,
        })
    }

    /// Connects once, to say at the start what is wrong.
    pub(crate) async fn check(&self) -> Result<()> {
        self.connect()
            .await
            .map(drop)
            .map_err(|failure| self.explain(failure))
    }

    /// Makes a connection outside the pool.
    pub(crate) async fn connection(&self) -> Result<AsyncPgConnection> {
        self.connect().await.map_err(|failure| match failure {
            Failure::Postgres(source) => Error::Unavailable(source.into()),
            Failure::Diesel(source) => Error::Unavailable(source.into()),
            Failure::Late(_) => self.explain(failure),
        })
    }

    pub(crate) fn pool(&self, size: u32) -> Result<Pool<AsyncPgConnection>> {
        let mut config = ManagerConfig::default();
        // The default asks the server at every checkout whether it is there, which halves the
        // rate; a closed connection is noticed without.
        config.recycling_method = RecyclingMethod::Fast;
        let server = Arc::new(self.clone());
        config.custom_setup = Box::new(move |_url| {
            let server = Arc::clone(&server);
            async move {
                let mut connection = server.connect().await.map_err(Failure::into_diesel)?;
                connection
                    .batch_execute(SESSION)
                    .await
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
        let size = usize::try_from(size.max(1)).unwrap_or(1);
        Pool::builder(manager)
            .max_size(size)
            .build()
            .map_err(|source| Error::Database {
                message: "the connection pool cannot be made".to_owned(),
                source: Some(source.into()),
            })
    }

    async fn connect(&self) -> Result<AsyncPgConnection, Failure> {
        // The driver's own limit covers only the socket, not a server that says nothing.
        tokio::time::timeout(self.wait, self.handshake())
            .await
            .unwrap_or(Err(Failure::Late(self.wait)))
    }

    async fn handshake(&self) -> Result<AsyncPgConnection, Failure> {
        let connection = if let Some(tls) = &self.tls {
            let (client, driver) = self
                .config
                .connect(tls.clone())
                .await
                .map_err(Failure::Postgres)?;
            AsyncPgConnection::try_from_client_and_connection(client, driver).await
        } else {
            let (client, driver) = self
                .config
                .connect(NoTls)
                .await
                .map_err(Failure::Postgres)?;
            AsyncPgConnection::try_from_client_and_connection(client, driver).await
        };
        connection.map_err(Failure::Diesel)
    }

    /// Says what is wrong and what to do. The server's own words name users and databases, never
    /// passwords.
    fn explain(&self, failure: Failure) -> Error {
        let name = &self.name;
        let (message, source): (String, Option<Box<dyn StdError + Send + Sync>>) = match failure {
            Failure::Late(wait) => (
                format!("PostgreSQL at `{name}` did not answer within {wait:?}: check the address"),
                None,
            ),
            Failure::Diesel(source) => (
                format!("PostgreSQL at `{name}` refused to be set up"),
                Some(source.into()),
            ),
            Failure::Postgres(source) => {
                let user = self.config.get_user().unwrap_or_default();
                let message = match source.code() {
                    Some(
                        &SqlState::INVALID_PASSWORD
                        | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                    ) => format!(
                        "PostgreSQL at `{name}` refused user `{user}`: \
                        correct the user or the password in the database URL"
                    ),
                    Some(&SqlState::INVALID_CATALOG_NAME) => {
                        let database = self.config.get_dbname().unwrap_or(user);
                        format!(
                            "PostgreSQL at `{name}` has no database `{database}`: \
                            make it with `createdb {database}`, or correct the database URL"
                        )
                    }
                    Some(_) => format!("PostgreSQL at `{name}` refused the connection"),
                    None if is_io(&source) => format!(
                        "no PostgreSQL answers at `{name}`: \
                        start it, or correct the address in the database URL"
                    ),
                    None if self.tls.is_some() => format!(
                        "no encrypted connection to PostgreSQL at `{name}`: \
                        let `sslrootcert` name its certificate authority, \
                        or write `sslmode=disable` where the network is your own"
                    ),
                    None => format!(
                        "could not connect to PostgreSQL at `{name}`: \
                        correct the user or the password in the database URL"
                    ),
                };
                (message, Some(source.into()))
            }
        };
        Error::Database { message, source }
    }
}

impl Failure {
    fn into_diesel(self) -> ConnectionError {
        match self {
            Self::Postgres(it) => ConnectionError::BadConnection(it.to_string()),
            Self::Diesel(it) => it,
            Self::Late(wait) => {
                ConnectionError::BadConnection(format!("no answer within {wait:?}"))
            }
        }
    }
}

fn encryption(root: Option<&str>) -> Result<MakeRustlsConnect> {
    let unusable = |message: String| {
        move |source: Box<dyn StdError + Send + Sync>| Error::Database {
            message,
            source: Some(source),
        }
    };
    let mut roots = Vec::new();
    if let Some(path) = root {
        let message = format!("the certificates in `{path}` cannot be read: correct `sslrootcert`");
        roots = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|it| unusable(message)(it.into()))?;
    }
    let broken = "this machine's certificates cannot be read: install `ca-certificates`";
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))
        .map_err(|it| unusable(broken.to_owned())(it.into()))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|it| unusable(broken.to_owned())(it.into()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn describe(config: &Config) -> Result<String> {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(it)) => it.clone(),
        #[cfg(unix)]
        Some(Host::Unix(it)) => it.display().to_string(),
        None => config
            .get_hostaddrs()
            .first()
            .map(ToString::to_string)
            .ok_or_else(|| {
                Error::database("the database URL names no host: write `postgres://user@host/name`")
            })?,
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    Ok(format!("{host}:{port}/{database}"))
}

/// Returns whether the way to the server stays on this machine.
fn is_local(config: &Config) -> bool {
    config.get_hostaddrs().iter().all(IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(it) => {
                it == "localhost" || it.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = error.source();
    while let Some(it) = source {
        if let Some(it) = it.downcast_ref::<std::io::Error>() {
            // rustls wraps what it dislikes about a certificate into `InvalidData`.
            return it.kind() != std::io::ErrorKind::InvalidData;
        }
        source = it.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<Server> {
        Server::parse(url, &Options::default())
    }

    #[test]
    fn only_loopback_and_an_explicit_word_go_unencrypted() {
        for (url, encrypted) in [
            ("postgres://u@127.0.0.1/d", false),
            ("postgres://u@localhost:5433/d?sslmode=prefer", false),
            ("postgres://u@[::1]/d", false),
            ("postgres://u@db.example/d", true),
            ("postgres://u@db.example/d?sslmode=prefer", true),
            (
                "postgres://u@db.example/d?sslmode=disable&application_name=x",
                false,
            ),
            ("postgres://u@127.0.0.1/d?sslmode=require", true),
            ("postgres://u@127.0.0.1/d?sslmode=verify-full", true),
        ] {
            assert_eq!(server(url).unwrap().tls.is_some(), encrypted, "{url}");
        }
    }

    #[test]
    fn a_wrong_url_is_explained_without_its_password() {
        for url in [
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=maybe",
            "postgres://u:hunter2@h/d?hunter2=1",
            "postgres://u:hunter2@127.0.0.1/d?sslmode=require&sslrootcert=/nowhere.pem",
        ] {
            let Err(error) = server(url) else {
                panic!("{url} was taken")
            };
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
