//! A database of one try's own: made, read, copied and searched from outside.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use diesel::prelude::*;
use diesel::sql_types::Text;
use roadstead_testkit::{Backend, Scratch, ScratchPostgres};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::process::Command;

use crate::evidence::Books;
use crate::program::{program, succeed};

/// Who logs in: an operator who is a member too.
pub(crate) const EMAIL: &str = "harness@example.com";
pub(crate) const PASSWORD: &str = "a password for the harness";

/// The master key of every try: what it protects is thrown away.
pub(crate) fn master_key() -> String {
    format!("v1:{}=", "A".repeat(43))
}

/// A database of one try's own; it is gone when the value is dropped.
#[derive(Debug)]
pub struct Database {
    scratch: Scratch,
}

impl Database {
    /// Makes one with all migrations and one user.
    ///
    /// # Errors
    ///
    /// Fails if the program is not there.
    ///
    /// # Panics
    ///
    /// Panics if no server is named, or if the program cannot prepare it.
    pub async fn create(backend: Backend) -> Result<Self> {
        let program = program()?;
        let built = std::fs::metadata(&program)?.modified()?;
        // One that another build has prepared may lack what this one needs.
        let key = format!("harness {} {built:?}", program.display());
        let prepare = |url: String| async move {
            if let Err(error) = prepare(&url).await {
                panic!("could not prepare a database: {error:#}");
            }
        };
        let scratch = Scratch::create_prepared(backend, &key, prepare).await;
        Ok(Self { scratch })
    }

    /// Returns the URL to connect to.
    #[must_use]
    pub fn url(&self) -> &str {
        self.scratch.url()
    }

    /// Returns which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.scratch.backend()
    }

    /// Makes a copy of it as it is now, as a backup that is restored. No program may be connected.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be copied.
    pub async fn copy(&self) -> Result<Self> {
        let scratch = match &self.scratch {
            Scratch::Sqlite(own) => {
                let copy = Scratch::create(Backend::Sqlite).await;
                let from = own.path().to_owned();
                let to = file(copy.url())?;
                // Through the library, because what is new may still stand in the log beside it.
                let mut connection = open(own.url())?;
                diesel::sql_query(format!("VACUUM INTO '{}'", to.display()))
                    .execute(&mut connection)
                    .with_context(|| format!("could not copy `{}`", from.display()))?;
                copy
            }
            Scratch::Postgres(own) => {
                Scratch::Postgres(ScratchPostgres::create_from(own.name()).await)
            }
        };
        Ok(Self { scratch })
    }

    /// Reads what is on record.
    ///
    /// # Errors
    ///
    /// Fails if the database does not answer.
    pub async fn books(&self) -> Result<Books> {
        let quarantine: Vec<Value> = if self.has_table("quarantine").await? {
            let columns = [
                ("remote", "remote_id", As::Text),
                ("state", "state", As::Text),
            ];
            self.read("quarantine", &columns).await?
        } else {
            Vec::new()
        };
        let remote = |it: &Value| {
            let is_open = it.get("state").and_then(Value::as_str) == Some("open");
            let remote = it.get("remote").and_then(Value::as_str).map(str::to_owned);
            remote.filter(|_| is_open)
        };
        Ok(Books {
            operations: self
                .read(
                    "operations",
                    &[
                        ("id", "id", As::Id),
                        ("instance", "instance_id", As::Id),
                        ("kind", "kind", As::Text),
                        ("state", "state", As::Text),
                        ("secret", "secret", As::IsThere),
                        ("error", "error", As::Message),
                        ("created_at", "created_at", As::Time),
                        ("finished_at", "finished_at", As::Time),
                    ],
                )
                .await?,
            instances: self
                .read(
                    "vps_instances",
                    &[
                        ("id", "id", As::Id),
                        ("lifecycle", "lifecycle", As::Text),
                        ("remote", "remote_id", As::Text),
                        ("name", "remote_name", As::Text),
                    ],
                )
                .await?,
            attempts: self
                .read(
                    "attempts",
                    &[
                        ("operation", "operation_id", As::Id),
                        ("number", "number", As::Text),
                        ("sent_at", "sent_at", As::Time),
                    ],
                )
                .await?,
            dooms: self
                .read(
                    "dooms",
                    &[
                        ("remote", "remote_id", As::Text),
                        ("instance", "instance_id", As::Id),
                        ("done", "done_at", As::IsThere),
                    ],
                )
                .await?,
            quarantine: quarantine
                .iter()
                .filter_map(remote)
                .collect::<BTreeSet<_>>(),
        })
    }

    async fn has_table(&self, name: &str) -> Result<bool> {
        let query = match self.backend() {
            Backend::Sqlite => format!(
                "SELECT CAST(count(*) AS TEXT) AS text FROM sqlite_master \
                 WHERE type = 'table' AND name = '{name}'"
            ),
            Backend::Postgres => format!(
                "SELECT count(*)::text AS text FROM information_schema.tables \
                 WHERE table_schema = 'public' AND table_name = '{name}'"
            ),
        };
        Ok(self.text(&query).await? != "0")
    }

    async fn read<T: DeserializeOwned>(
        &self,
        table: &str,
        columns: &[(&str, &str, As)],
    ) -> Result<Vec<T>> {
        let backend = self.backend();
        let columns: Vec<String> = columns
            .iter()
            .map(|(name, column, kind)| format!("'{name}', {}", kind.sql(backend, column)))
            .collect();
        let columns = columns.join(", ");
        let query = match backend {
            Backend::Sqlite => format!(
                "SELECT coalesce(json_group_array(json_object({columns})), '[]') AS text FROM {table}"
            ),
            Backend::Postgres => format!(
                "SELECT coalesce(json_agg(json_build_object({columns})), '[]')::text AS text \
                 FROM {table}"
            ),
        };
        let text = self.text(&query).await?;
        serde_json::from_str(&text).with_context(|| format!("odd rows of `{table}`: {text}"))
    }

    /// Runs a query that gives one text.
    async fn text(&self, query: &str) -> Result<String> {
        match self.backend() {
            Backend::Sqlite => {
                let (url, query) = (self.url().to_owned(), query.to_owned());
                tokio::task::spawn_blocking(move || {
                    let mut connection = open(&url)?;
                    let line: Line = diesel::sql_query(query).get_result(&mut connection)?;
                    Ok(line.text)
                })
                .await?
            }
            Backend::Postgres => {
                let none = tokio_postgres::NoTls;
                let (client, connection) = tokio_postgres::connect(self.url(), none).await?;
                let connection = tokio::spawn(connection);
                let row = client.query_one(query, &[]).await;
                drop(client);
                connection.await??;
                Ok(row?.get::<_, Option<String>>(0).unwrap_or_default())
            }
        }
    }

    /// Returns everything that is stored, as the bytes of files or as the text of rows.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read.
    pub async fn dump(&self) -> Result<Vec<(String, Vec<u8>)>> {
        if self.backend() == Backend::Sqlite {
            let main = file(self.url())?;
            let log = main.with_extension("db-wal");
            let mut dump = vec![("the database".to_owned(), std::fs::read(main)?)];
            // It is gone when nothing is connected.
            if let Ok(bytes) = std::fs::read(log) {
                dump.push(("the database's log".to_owned(), bytes));
            }
            return Ok(dump);
        }
        let tables = "SELECT string_agg(table_name, ' ') AS text FROM information_schema.tables \
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
        let tables = self.text(tables).await?;
        let mut dump = Vec::new();
        for table in tables.split(' ').filter(|it| !it.is_empty()) {
            let query = format!("SELECT string_agg(it::text, E'\\n') AS text FROM {table} it");
            let text = self.text(&query).await?;
            dump.push((format!("the table `{table}`"), text.into_bytes()));
        }
        Ok(dump)
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// How a column is read.
#[derive(Clone, Copy)]
enum As {
    Id,
    Text,
    /// Microseconds.
    Time,
    IsThere,
    /// The message of an error.
    Message,
}

impl As {
    fn sql(self, backend: Backend, column: &str) -> String {
        match (self, backend) {
            (Self::Id, Backend::Sqlite) => format!("lower(hex({column}))"),
            (Self::Id, Backend::Postgres) => format!("{column}::text"),
            (Self::Text, _) | (Self::Time, Backend::Sqlite) => column.to_owned(),
            (Self::Time, Backend::Postgres) => {
                format!("(extract(epoch FROM {column}) * 1000000)::bigint")
            }
            (Self::IsThere, Backend::Sqlite) => {
                format!("json(iif({column} IS NULL, 'false', 'true'))")
            }
            (Self::IsThere, Backend::Postgres) => format!("{column} IS NOT NULL"),
            (Self::Message, _) => format!("{column} ->> 'message'"),
        }
    }
}

fn open(url: &str) -> Result<SqliteConnection> {
    let path = file(url)?;
    let mut connection = SqliteConnection::establish(&path.display().to_string())?;
    diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection)?;
    Ok(connection)
}

fn file(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite://").context("no file")?;
    Ok(PathBuf::from(path))
}

async fn prepare(url: &str) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("roadstead-harness-")
        .tempdir()?;
    let key = folder.path().join("roadstead.key");
    std::fs::write(&key, master_key())?;
    let command = || -> Result<Command> {
        let mut command = Command::new(program()?);
        command
            .env_clear()
            .env("ROADSTEAD_DATABASE_URL", url)
            .env("ROADSTEAD_MASTER_KEY_FILE", &key)
            .current_dir(folder.path());
        Ok(command)
    };
    succeed(command()?.args(["migrate", "up"]), "").await?;
    let mut user = command()?;
    user.args(["user", "create", "--operator", "--organization", "Harness"]);
    succeed(user.args(["--email", EMAIL]), PASSWORD).await?;
    Ok(())
}
