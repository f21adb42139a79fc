//! A PostgreSQL database of one test's own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Error, NoTls};
use url::Url;
use uuid::Uuid;

/// Names the variable with the URL of the server to make databases in.
pub const DATABASE_URL: &str = "ROADSTEAD_TEST_DATABASE_URL";
/// Names the variable that lists what is left out on purpose: `postgres`.
pub const WITHOUT: &str = "ROADSTEAD_TEST_WITHOUT";
/// Names the variable with the file in which each test left out writes a line.
pub const SKIPPED_FILE: &str = "ROADSTEAD_TEST_SKIPPED_FILE";

/// How long a connection that was just closed may still hold up the server.
const LINGER_LIMIT: Duration = Duration::from_secs(10);

/// A database with a name of its own; dropping the value drops the database,
/// whoever is still connected to it.
#[derive(Debug)]
pub struct ScratchPostgres {
    name: String,
    url: String,
    server: Url,
}

impl ScratchPostgres {
    /// Returns whether PostgreSQL is left out on purpose, and writes the test's
    /// name down if it is. A test that hears yes returns at once.
    ///
    /// # Panics
    ///
    /// Panics if the name cannot be written down: a test would be left out in
    /// silence.
    pub fn is_left_out(test: &str) -> bool {
        let left_out = variable(WITHOUT).is_some_and(|it| it.split(',').any(|it| it == "postgres"));
        if !left_out {
            return false;
        }
        eprintln!("SKIPPED: {test} did not run ({WITHOUT}=postgres)");
        if let Some(file) = variable(SKIPPED_FILE) {
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(file)
                .expect("the list of skipped tests can be opened");
            // One write, so that lines of tests at the same time stay whole.
            file.write_all(format!("{test}\n").as_bytes())
                .expect("the list of skipped tests can be written");
        }
        true
    }

    /// Makes an empty database in the server named by [`DATABASE_URL`].
    ///
    /// # Panics
    ///
    /// Panics if no server is named or if it does not make the database.
    pub async fn create() -> Self {
        // Nobody can connect to `template0`, so nobody can hold up a copy of it.
        Self::create_from("template0").await
    }

    /// Makes a copy of a database of the same server, to which nobody may be
    /// connected.
    ///
    /// # Panics
    ///
    /// Panics if no server is named or if it does not make the copy.
    pub async fn create_from(template: &str) -> Self {
        let server = server();
        let name = format!("roadstead_test_{}", Uuid::new_v4().simple());
        let admin = connect(&server).await.expect("the test server answers");
        copy(&admin, template, &name).await;
        let url = with_database(&server, &name);
        Self { name, url, server }
    }

    /// Makes a copy of a database that `prepare` has filled, once per server and
    /// key. That one stays in the server, for the test runs to come.
    ///
    /// # Panics
    ///
    /// Panics if `prepare` does, if no server is named or if it does not make
    /// the copy.
    pub async fn create_prepared<F, R>(key: &str, prepare: F) -> Self
    where
        F: FnOnce(String) -> R,
        R: Future<Output = ()>,
    {
        let server = server();
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let template = format!("roadstead_template_{:016x}", hasher.finish());
        let admin = connect(&server).await.expect("the test server answers");
        // Test programs run at the same time; one of them prepares. The lock
        // goes with this connection.
        let lock = format!("SELECT pg_advisory_lock(hashtext('{template}'))");
        admin.batch_execute(&lock).await.expect("the server locks");
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        if admin
            .query_opt(sql, &[&template])
            .await
            .expect("the server answers")
            .is_none()
        {
            // It gets its name when it is ready: a `prepare` that fails midway
            // leaves nothing that looks prepared.
            let unready = Self::create().await;
            prepare(unready.url.clone()).await;
            unready.rename(&admin, &template).await;
        }
        drop(admin);
        Self::create_from(&template).await
    }

    /// Returns the database's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn rename(&self, admin: &Client, name: &str) {
        let statement = format!(r#"ALTER DATABASE "{}" RENAME TO "{name}""#, self.name);
        retry_while_in_use(admin, &statement).await;
    }
}

impl Drop for ScratchPostgres {
    fn drop(&mut self) {
        let statement = format!(r#"DROP DATABASE IF EXISTS "{}" WITH (FORCE)"#, self.name);
        let server = self.server.clone();
        // A thread of its own, because this one may be driving a runtime, and a
        // runtime cannot be waited for from within another.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            runtime.block_on(async {
                let admin = connect(&server).await.map_err(|error| error.to_string())?;
                admin
                    .batch_execute(&statement)
                    .await
                    .map_err(|error| error.to_string())
            })
        })
        .join();
        // A panic here, while the test's own unwinds, would end the process.
        match dropped {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("could not drop the database `{}`: {error}", self.name),
            Err(_) => eprintln!("could not drop the database `{}`", self.name),
        }
    }
}

async fn copy(admin: &Client, template: &str, name: &str) {
    let statement = format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING 'UTF8'"#);
    retry_while_in_use(admin, &statement).await;
}

/// Runs a statement that wants a database for itself. A closed connection is
/// gone from the client at once and from the server a little later.
async fn retry_while_in_use(admin: &Client, statement: &str) {
    let deadline = Instant::now() + LINGER_LIMIT;
    loop {
        let Err(error) = admin.batch_execute(statement).await else {
            return;
        };
        let in_use = error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE);
        assert!(
            in_use && Instant::now() < deadline,
            "`{statement}` failed: {error:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(server: &Url) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(server.as_str(), NoTls).await?;
    // It ends when the client is dropped; what it has to say the client says too.
    tokio::spawn(connection);
    Ok(client)
}

fn server() -> Url {
    let Some(url) = variable(DATABASE_URL) else {
        panic!(
            "{DATABASE_URL} is not set: run `cargo xtask test`, which starts a throw-away PostgreSQL"
        );
    };
    Url::parse(&url).expect("the test server's URL is one")
}

fn with_database(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    url.set_path(name);
    url.into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has nobody above it that could read the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}
