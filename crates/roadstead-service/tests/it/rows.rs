//! Looks into the database behind the repository's back.

use std::path::PathBuf;

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use roadstead_testkit::Scratch;
use tokio_postgres::{Client, NoTls};

/// Where the rows are.
pub(crate) enum Rows {
    File(PathBuf),
    Server(String),
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

impl Rows {
    pub(crate) fn of(database: &Scratch) -> Self {
        match database {
            Scratch::Sqlite(it) => Self::File(it.path().to_owned()),
            Scratch::Postgres(it) => Self::Server(it.url().to_owned()),
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Asks for one text column, named `line`.
    pub(crate) async fn lines(&self, sql: &str) -> Vec<String> {
        match self {
            Self::File(path) => {
                let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                let lines = diesel::sql_query(sql).load::<Line>(&mut connection);
                lines.unwrap().into_iter().map(|it| it.line).collect()
            }
            Self::Server(url) => {
                let rows = client(url).await.query(sql, &[]).await.unwrap();
                rows.iter().map(|it| it.get(0)).collect()
            }
        }
    }

    /// Runs a statement.
    pub(crate) async fn execute(&self, sql: &str) {
        match self {
            Self::File(path) => {
                let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                let patience = "PRAGMA busy_timeout = 20000";
                diesel::sql_query(patience)
                    .execute(&mut connection)
                    .unwrap();
                diesel::sql_query(sql).execute(&mut connection).unwrap();
            }
            Self::Server(url) => client(url).await.batch_execute(sql).await.unwrap(),
        }
    }

    /// Returns all that a thief of the database would hold.
    pub(crate) async fn everything(&self) -> Vec<u8> {
        match self {
            Self::File(path) => {
                let mut bytes = std::fs::read(path).unwrap();
                bytes.extend(std::fs::read(path.with_extension("db-wal")).unwrap());
                bytes
            }
            Self::Server(url) => {
                let client = client(url).await;
                let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
                let mut bytes = Vec::new();
                for table in client.query(tables, &[]).await.unwrap() {
                    let table: String = table.get(0);
                    let sql = format!("SELECT CAST(it AS TEXT) FROM \"{table}\" AS it");
                    for row in client.query(&sql, &[]).await.unwrap() {
                        bytes.extend(row.get::<_, String>(0).into_bytes());
                    }
                }
                bytes
            }
        }
    }
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
