//! The repository itself: its pools, its connections and its transactions.

mod postgres;
mod sqlite;
mod together;
mod written;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::connection::AnsiTransactionManager;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, TransactionManager};
use jiff::Timestamp;
use tokio::sync::watch;
use tracing::Instrument;

use crate::error::{Error, Result};
use crate::sealing::Keyring;
use crate::tally;
use crate::types::{DbTime, Time};

pub(crate) use self::postgres::Server;
pub(crate) use self::sqlite::{Access, File, Lite};
pub(crate) use self::together::{Together, Write};
pub(crate) use self::written::{Bound, Written, literally, written};

/// How long to wait for a connection to a database that gave none to the last who asked: nobody
/// learns anything by waiting longer.
const AWAY: Duration = Duration::from_millis(500);

/// Everything that is kept. Clones share one set of connections.
#[derive(Clone)]
pub struct Repository {
    pub(crate) db: Arc<Database>,
    pub(crate) keys: Keyring,
}

/// How the database is used.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most connections at a time. SQLite takes one writer and up to seven readers of them.
    pub pool_size: u32,
    /// How long to wait for a connection, new or pooled; SQLite waits as long for another
    /// process that writes.
    pub connect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pool_size: 16,
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// Which database holds everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file of our own.
    Sqlite,
    /// A server.
    Postgres,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

impl Repository {
    /// Opens a database: `postgres://user@host/name`, or `sqlite://` and a path.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] with the next step if the URL is wrong, nothing answers, the server
    /// refuses the user, or the file cannot be opened.
    pub async fn connect(url: &str, keys: Keyring, options: Options) -> Result<Self> {
        let place = match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                Place::Server(Box::new(Server::parse(url, &options)?))
            }
            Some(("sqlite", path)) => Place::File(File::parse(path)?),
            _ if url.starts_with("sqlite:") => Place::File(File::parse(url)?),
            _ => {
                return Err(Error::database(
                    "the database URL must begin with `postgres://` or `sqlite://`",
                ));
            }
        };
        let pools = match &place {
            Place::Server(server) => {
                server.check().await?;
                Pools::Postgres(server.pool(options.pool_size)?)
            }
            Place::File(file) => {
                file.check(&options).await?;
                let readers = options.pool_size.saturating_sub(1).clamp(1, 7);
                Pools::Sqlite {
                    writer: file.pool(1, Access::Write, &options)?,
                    readers: file.pool(readers, Access::Read, &options)?,
                }
            }
        };
        let db = Arc::new(Database {
            place,
            pools,
            wait: options.connect_timeout,
            away: AtomicBool::new(false),
            told: watch::Sender::new(0),
        });
        Ok(Self { db, keys })
    }

    /// Returns which database holds everything.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.db.backend()
    }

    /// Returns the keyed hash by which one request is told from another. Without the master key
    /// nobody can guess from it what a request held.
    #[must_use]
    pub fn request_hash(&self, bytes: &[u8]) -> Vec<u8> {
        self.keys.hmac("idempotency", bytes)
    }

    /// Returns the keyed hash by which a cursor of ours is told from any other text.
    #[must_use]
    pub fn cursor_hash(&self, bytes: &[u8]) -> Vec<u8> {
        self.keys.hmac("cursor", bytes)
    }

    /// Returns when the database answers.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        read!(self.db, c => diesel::select(written::<diesel::sql_types::Integer>("1"))
            .get_result::<i32>(c).await)?;
        Ok(())
    }

    /// Reads the database's clock.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn now(&self) -> Result<Timestamp> {
        let mut tx = self.db.begin().await?;
        let now = tx.now().await;
        Ok(tx.finish(now).await?.0)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}

/// Where the tables are, and the connections to them.
pub(crate) struct Database {
    pub(crate) place: Place,
    pools: Pools,
    pub(crate) wait: Duration,
    /// Whether whoever waited for a connection last waited in vain.
    away: AtomicBool,
    /// Changes whenever a transaction with events was committed here.
    pub(crate) told: watch::Sender<u64>,
}

/// Where the tables are.
pub(crate) enum Place {
    Server(Box<Server>),
    File(File),
}

enum Pools {
    Postgres(Pool<AsyncPgConnection>),
    /// SQLite has one writer: writes queue in a pool of one, in order and without "database is
    /// locked"; reads go on beside it under WAL.
    Sqlite {
        writer: Pool<Lite>,
        readers: Pool<Lite>,
    },
}

/// A connection that is ours alone until it is dropped.
#[expect(
    clippy::large_enum_variant,
    reason = "one lives on the stack of one call; a box would be one more allocation per statement"
)]
pub(crate) enum Connection {
    Postgres(Object<AsyncPgConnection>),
    Sqlite(Object<Lite>),
}

/// Runs one statement on a [`Connection`]. The body is type-checked once per database.
macro_rules! run {
    ($connection:expr, $c:ident => $body:expr) => {
        match $connection {
            $crate::db::Connection::Postgres(object) => {
                let $c = &mut **object;
                $body
            }
            $crate::db::Connection::Sqlite(object) => {
                let $c = &mut **object;
                $body
            }
        }
    };
}

/// Runs one reading statement on a connection of its own.
macro_rules! read {
    ($db:expr, $c:ident => $body:expr) => {
        $crate::db::run!(&mut $db.reader().await?, $c => $body)
    };
}

/// Runs one writing statement on a connection of its own.
macro_rules! write {
    ($db:expr, $c:ident => $body:expr) => {
        $crate::db::run!(&mut $db.writer().await?, $c => $body)
    };
}

pub(crate) use {read, run, write};

impl Database {
    pub(crate) const fn backend(&self) -> Backend {
        match &self.pools {
            Pools::Postgres(_) => Backend::Postgres,
            Pools::Sqlite { .. } => Backend::Sqlite,
        }
    }

    /// Returns how busy the connections are.
    pub(crate) fn pools(&self) -> Vec<tally::Pool> {
        // The two pools are of two types, and neither can be named in general.
        macro_rules! state {
            ($name:literal, $pool:expr) => {{
                let it = $pool.status();
                tally::Pool {
                    name: $name,
                    max: it.max_size,
                    open: it.size,
                    in_use: it.size.saturating_sub(it.available),
                    waiting: it.waiting,
                }
            }};
        }
        match &self.pools {
            Pools::Postgres(all) => vec![state!("all", all)],
            Pools::Sqlite { writer, readers } => {
                vec![state!("writer", writer), state!("readers", readers)]
            }
        }
    }

    /// Returns a connection that may only read.
    pub(crate) async fn reader(&self) -> Result<Connection> {
        Ok(match &self.pools {
            Pools::Postgres(pool) => Connection::Postgres(self.within(pool.get()).await?),
            Pools::Sqlite { readers, .. } => Connection::Sqlite(self.within(readers.get()).await?),
        })
    }

    /// Returns a connection that may write.
    pub(crate) async fn writer(&self) -> Result<Connection> {
        Ok(match &self.pools {
            Pools::Postgres(pool) => Connection::Postgres(self.within(pool.get()).await?),
            Pools::Sqlite { writer, .. } => Connection::Sqlite(self.within(writer.get()).await?),
        })
    }

    /// Begins a transaction. Hand its outcome to [`Connection::finish`].
    pub(crate) async fn begin(&self) -> Result<Connection> {
        let mut connection = self.writer().await?;
        match &mut connection {
            Connection::Postgres(object) => {
                type Transactions = <AsyncPgConnection as AsyncConnection>::TransactionManager;
                Transactions::begin_transaction(&mut **object).await?;
            }
            // A transaction that reads first and writes later can be refused in the middle
            // when another process wrote meanwhile; `IMMEDIATE` waits at the beginning.
            Connection::Sqlite(object) => {
                let begin = |c: &mut diesel::SqliteConnection| {
                    AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
                };
                object.spawn_blocking(begin).await?;
            }
        }
        Ok(connection)
    }

    /// Waits for a connection, but not for ever.
    async fn within<C, E>(&self, connection: impl Future<Output = Result<C, E>>) -> Result<C>
    where
        E: StdError + Send + Sync + 'static,
    {
        let wait = if AtomicBool::load(&self.away, Ordering::Relaxed) {
            self.wait.min(AWAY)
        } else {
            self.wait
        };
        let found = tokio::time::timeout(wait, connection).await;
        self.away.store(found.is_err(), Ordering::Relaxed);
        match found {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(failure)) => Err(Error::Unavailable(failure.into())),
            Err(elapsed) => Err(Error::Unavailable(elapsed.into())),
        }
    }
}

impl Connection {
    /// Commits if the outcome is good, rolls back if it is not.
    pub(crate) async fn finish<T>(mut self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(failure) = self.roll_back().await {
                    // The pool throws the connection away, which rolls back as well.
                    tracing::debug!(error = %failure, "could not roll back");
                }
                Err(error)
            }
        }
    }

    async fn commit(&mut self) -> Result<(), diesel::result::Error> {
        match self {
            Self::Postgres(object) => {
                <AsyncPgConnection as AsyncConnection>::TransactionManager::commit_transaction(
                    &mut **object,
                )
                .await
            }
            Self::Sqlite(object) => {
                <Lite as AsyncConnection>::TransactionManager::commit_transaction(&mut **object)
                    .await
            }
        }
    }

    async fn roll_back(&mut self) -> Result<(), diesel::result::Error> {
        match self {
            Self::Postgres(object) => {
                <AsyncPgConnection as AsyncConnection>::TransactionManager::rollback_transaction(
                    &mut **object,
                )
                .await
            }
            Self::Sqlite(object) => {
                <Lite as AsyncConnection>::TransactionManager::rollback_transaction(&mut **object)
                    .await
            }
        }
    }

    /// Reads the database's clock. All processes share PostgreSQL's; SQLite has no other than
    /// the machine's.
    pub(crate) async fn now(&mut self) -> Result<Time> {
        match self {
            Self::Postgres(object) => {
                let clock = written::<DbTime>("clock_timestamp()");
                Ok(diesel::select(clock).get_result(&mut **object).await?)
            }
            Self::Sqlite(_) => Ok(Time::now()),
        }
    }
}

/// Runs a transaction in a task of its own, so that a caller who goes away does not cut it.
pub(crate) async fn detached<T: Send + 'static>(
    task: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(task.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(canceled) => Err(Error::Unavailable(canceled.into())),
        },
    }
}
