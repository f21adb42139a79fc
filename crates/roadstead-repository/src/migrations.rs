//! Making the tables, and the one row that says which installation they belong to.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SqliteConnection};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use jiff::Timestamp;
use roadstead_core::Secret;
use uuid::Uuid;

use crate::db::{Access, Connection, Place, Repository, run};
use crate::error::{Error, Result};
use crate::schema::installation;
use crate::sealing::Keyring;
use crate::types::Time;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Two processes that start together must not both make the tables. Any number will do, if
/// nothing else takes it.
const LOCK: &str = "SELECT pg_advisory_lock(7236279518236)";

/// This installation, as the marks on its servers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Eight lower-case base32 characters, made once.
    pub id: String,
    /// When the installation was made.
    pub created_at: Timestamp,
}

impl Repository {
    /// Applies every pending migration and returns their names.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if one cannot be applied; those before it stay.
    pub async fn migrate_up(&self) -> Result<Vec<String>> {
        self.migrate(Step::Up).await
    }

    /// Reverts the latest migrations and returns their names, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if one cannot be reverted; those after it are.
    pub async fn migrate_down(&self, steps: usize) -> Result<Vec<String>> {
        self.migrate(Step::Down(steps)).await
    }

    /// Returns the name of each migration and whether it is applied, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>> {
        let pending = self.migrate(Step::Look).await?;
        let names = match self.backend() {
            crate::Backend::Postgres => names::<Pg>(POSTGRES)?,
            crate::Backend::Sqlite => names::<Sqlite>(SQLITE)?,
        };
        let status = |it: String| {
            let applied = !pending.contains(&it);
            (it, applied)
        };
        Ok(names.into_iter().map(status).collect())
    }

    /// Opens the installation, which is made the first time, and checks that the master key is
    /// the one that its secrets are sealed with.
    ///
    /// # Errors
    ///
    /// [`Error::PendingMigrations`] if the tables are older than the program,
    /// [`Error::WrongKey`] if the key does not fit.
    pub async fn open(&self) -> Result<Deployment> {
        let pending = self.migrate(Step::Look).await?;
        if !pending.is_empty() {
            return Err(Error::PendingMigrations {
                count: pending.len(),
            });
        }
        let mut tx = self.db.begin().await?;
        let outcome = open(&mut tx, &self.keys).await;
        tx.finish(outcome).await
    }

    async fn migrate(&self, step: Step) -> Result<Vec<String>> {
        match &self.db.place {
            Place::Server(server) => {
                let connection = server.connection().await?;
                blocking(move || {
                    let mut connection: Wrapped = connection.into();
                    connection.batch_execute(LOCK)?;
                    run_step::<_, Pg>(&mut connection, POSTGRES, step)
                })
                .await
            }
            Place::File(file) => {
                let (file, wait) = (file.clone(), self.db.wait);
                blocking(move || {
                    let mut connection = file
                        .open(Access::Write, wait)
                        .map_err(|it| Error::Unavailable(it.into()))?;
                    // The whole step under one lock; each migration in it is a savepoint.
                    connection.exclusive_transaction(|c: &mut SqliteConnection| {
                        run_step::<_, Sqlite>(c, SQLITE, step)
                    })
                })
                .await
            }
        }
    }
}

type Wrapped = AsyncConnectionWrapper<AsyncPgConnection>;

#[derive(Clone, Copy)]
enum Step {
    Look,
    Up,
    Down(usize),
}

fn run_step<C, B>(connection: &mut C, source: EmbeddedMigrations, step: Step) -> Result<Vec<String>>
where
    C: MigrationHarness<B>,
    B: Backend + 'static,
{
    let mut done = Vec::new();
    match step {
        Step::Look => {
            for it in connection.pending_migrations(source).map_err(refused)? {
                done.push(it.name().to_string());
            }
        }
        Step::Up => {
            for it in connection.pending_migrations(source).map_err(refused)? {
                connection.run_migration(&*it).map_err(refused)?;
                done.push(it.name().to_string());
            }
        }
        Step::Down(steps) => {
            let known = MigrationSource::<B>::migrations(&source).map_err(refused)?;
            for version in connection
                .applied_migrations()
                .map_err(refused)?
                .into_iter()
                .take(steps)
            {
                let migration = known.iter().find(|it| it.name().version() == version);
                let Some(migration) = migration else {
                    return Err(Error::database(format!(
                        "migration `{version}` was applied by a newer version of this program: \
                        revert it with that one"
                    )));
                };
                connection.revert_migration(&**migration).map_err(refused)?;
                done.push(migration.name().to_string());
            }
        }
    }
    Ok(done)
}

fn names<B: Backend>(source: EmbeddedMigrations) -> Result<Vec<String>> {
    let known: Vec<Box<dyn Migration<B>>> = source.migrations().map_err(refused)?;
    let mut names: Vec<String> = known.iter().map(|it| it.name().to_string()).collect();
    names.sort();
    Ok(names)
}

fn refused(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Database {
        message: "the database refused a migration".to_owned(),
        source: Some(source),
    }
}

async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(task).await {
        Ok(outcome) => outcome,
        Err(failure) => Err(Error::Unavailable(failure.into())),
    }
}

async fn open(tx: &mut Connection, keys: &Keyring) -> Result<Deployment> {
    const ROW: i32 = 1;
    type Line = (String, Vec<u8>, Time);
    let columns = (
        installation::deployment,
        installation::key_check,
        installation::created_at,
    );
    let found: Option<Line> = run!(tx, c => installation::table.find(ROW)
        .select(columns).first(c).await.optional())?;
    let (id, check, created_at) = match found {
        Some(line) => line,
        None => {
            let id = deployment_id();
            let values = (
                installation::id.eq(ROW),
                installation::deployment.eq(&id),
                installation::key_check.eq(key_check(keys, &id)?),
                installation::created_at.eq(Time::now()),
            );
            run!(tx, c => diesel::insert_into(installation::table).values(values)
                .on_conflict(installation::id).do_nothing().execute(c).await)?;
            run!(tx, c => installation::table.find(ROW).select(columns).first(c).await)?
        }
    };
    let opened = keys
        .open(&check, &place(&id))
        .map_err(|_does_not_fit| Error::WrongKey)?;
    if opened.expose() != KEY_CHECK {
        return Err(Error::WrongKey);
    }
    if Keyring::key_of(&check) != Some(keys.current()) {
        // Otherwise the old key could never be taken away.
        let check = installation::key_check.eq(key_check(keys, &id)?);
        run!(tx, c => diesel::update(installation::table.find(ROW)).set(check).execute(c).await)?;
    }
    Ok(Deployment {
        id,
        created_at: created_at.0,
    })
}

/// Sealed and opened again, it shows that the key fits.
const KEY_CHECK: &str = "the master key fits";

fn key_check(keys: &Keyring, deployment: &str) -> Result<Vec<u8>> {
    Ok(keys
        .seal(&Secret::from(KEY_CHECK), &place(deployment))?
        .bytes)
}

fn place(deployment: &str) -> String {
    format!("installation/{deployment}/key_check")
}

fn deployment_id() -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let random = Uuid::new_v4();
    let digit = |it: &u8| {
        DIGITS
            .get(usize::from(it & 31))
            .copied()
            .map_or('0', char::from)
    };
    // The first six bytes and the last two of a random UUID are random in their low five bits.
    let [a, b, c, d, e, f, .., g, h] = random.as_bytes();
    [a, b, c, d, e, f, g, h].into_iter().map(digit).collect()
}
