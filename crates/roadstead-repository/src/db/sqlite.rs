//! A SQLite file: its path, its settings, its pools.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, SqliteConnection};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use futures::FutureExt;

use super::Options;
use crate::error::{Error, Result};

/// SQLite's connection, whose work happens on tokio's blocking threads.
pub(crate) type Lite = SyncConnectionWrapper<SqliteConnection>;

/// A SQLite file, ready to be opened.
#[derive(Clone, Debug)]
pub(crate) struct File {
    path: PathBuf,
}

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

impl File {
    /// Reads the part of a URL after `sqlite://`.
    pub(crate) fn parse(path: &str) -> Result<Self> {
        if path.contains(":memory:") {
            return Err(Error::database(
                "a database in memory would forget paid servers: \
                name a file, as in `sqlite://roadstead.db`",
            ));
        }
        if path.is_empty() || path.contains(['?', '#', '\0']) || path.starts_with("sqlite:") {
            return Err(Error::database(
                "the database URL must be `sqlite://` and a path without `?` or `#`, \
                as in `sqlite://roadstead.db` or `sqlite:///var/lib/roadstead/roadstead.db`",
            ));
        }
        Ok(Self {
            path: PathBuf::from(path),
        })
    }

    /// Opens the file once, to make it and to say at the start what is wrong.
    pub(crate) async fn check(&self, options: &Options) -> Result<()> {
        let (file, wait) = (self.clone(), options.connect_timeout);
        let opened = tokio::task::spawn_blocking(move || {
            file.ensure()?;
            file.open(Access::Write, wait)
                .map(drop)
                .map_err(|source| Error::Database {
                    message: format!(
                        "`{}` cannot be opened as a SQLite database: \
                    check that this user may write the file and its folder",
                        file.path.display()
                    ),
                    source: Some(source.into()),
                })
        });
        opened.await.map_err(|it| Error::Unavailable(it.into()))?
    }

    /// Opens a connection outside the pools.
    pub(crate) fn open(
        &self,
        access: Access,
        wait: Duration,
    ) -> Result<SqliteConnection, ConnectionError> {
        let mut connection = SqliteConnection::establish(&self.path.to_string_lossy())?;
        connection
            .batch_execute(&settings(access, wait))
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }

    pub(crate) fn pool(&self, size: u32, access: Access, options: &Options) -> Result<Pool<Lite>> {
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        let (file, wait) = (self.clone(), options.connect_timeout);
        config.custom_setup = Box::new(move |_url| {
            let file = file.clone();
            async move {
                tokio::task::spawn_blocking(move || file.open(access, wait).map(Lite::new))
                    .await
                    .unwrap_or_else(|it| Err(ConnectionError::BadConnection(it.to_string())))
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

    /// Makes the file, readable by nobody else; SQLite gives its companions the same rights.
    fn ensure(&self) -> Result<()> {
        let path = self.path.display();
        let folder = match self.path.parent() {
            Some(it) if !it.as_os_str().is_empty() => it,
            Some(_) | None => Path::new("."),
        };
        if !folder.is_dir() {
            let folder = folder.display();
            return Err(Error::database(format!(
                "there is no folder `{folder}` for the database `{path}`: \
                make it with `mkdir -p {folder}`"
            )));
        }
        if self.path.is_dir() {
            return Err(Error::database(format!(
                "`{path}` is a folder: name a file in it, as in `sqlite://{path}/roadstead.db`"
            )));
        }
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&self.path)
            .map(drop)
            .map_err(|source| Error::Database {
                message: format!(
                    "the database `{path}` cannot be written: \
                give this user the right to write it and its folder, or name another path"
                ),
                source: Some(source.into()),
            })
    }
}

/// An intent must survive a power cut (`FULL`), and a wiped secret must not survive in free pages
/// (`secure_delete`).
fn settings(access: Access, wait: Duration) -> String {
    let wait = wait.as_millis();
    let shared = format!(
        "PRAGMA busy_timeout = {wait}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
        PRAGMA cache_size = -4000;"
    );
    match access {
        Access::Write => format!(
            "{shared} PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
            PRAGMA secure_delete = ON;"
        ),
        Access::Read => format!("{shared} PRAGMA query_only = ON;"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_parameters_are_refused() {
        assert_eq!(File::parse("a/b.db").unwrap().path, Path::new("a/b.db"));
        assert_eq!(File::parse("/a/b.db").unwrap().path, Path::new("/a/b.db"));
        for bad in [
            "",
            ":memory:",
            "sqlite::memory:",
            "a.db?mode=rwc",
            "sqlite:a.db",
        ] {
            assert!(File::parse(bad).is_err(), "{bad}");
        }
    }
}
