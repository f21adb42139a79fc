//! Every test gets a database of its own, and it is gone afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};

use roadstead_testkit::{
    Backend, Scratch, ScratchPostgres, ScratchSqlite, block_on, on_both_databases,
};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

on_both_databases! {
    async fn each_test_gets_a_url_of_its_kind(database: &Scratch) {
        match database.backend() {
            Backend::Sqlite => assert!(database.url().starts_with("sqlite:///")),
            Backend::Postgres => {
                assert!(connect(database.url()).await.is_some(), "{}", database.url());
            }
        }
    }

    /// The second function of one list, and one with a comment.
    async fn two_databases_differ(database: &Scratch) {
        let other = match database {
            Scratch::Sqlite(_) => ScratchSqlite::create().url().to_owned(),
            Scratch::Postgres(_) => ScratchPostgres::create().await.url().to_owned(),
        };
        assert_ne!(database.url(), other);
    }
}

const KEY: &str = "testkit-1";
static PREPARED: AtomicUsize = AtomicUsize::new(0);

async fn prepare(url: String) {
    if let Some(path) = url.strip_prefix("sqlite://") {
        PREPARED.fetch_add(1, Ordering::Relaxed);
        std::fs::write(path, "prepared").unwrap();
    } else {
        let client = connect(&url).await.unwrap();
        client
            .batch_execute("CREATE TABLE prepared (id INT PRIMARY KEY)")
            .await
            .unwrap();
    }
}

async fn is_prepared(database: &Scratch) -> bool {
    match database {
        Scratch::Sqlite(it) => std::fs::read(it.path()).unwrap() == b"prepared",
        Scratch::Postgres(it) => {
            let client = connect(it.url()).await.unwrap();
            client
                .batch_execute("INSERT INTO prepared VALUES (1)")
                .await
                .is_ok()
        }
    }
}

on_both_databases! {
    prepared(KEY, prepare);

    async fn a_prepared_database_is_copied(database: &Scratch) {
        assert!(is_prepared(database).await);
    }

    async fn a_second_copy_is_untouched_by_the_first(database: &Scratch) {
        assert!(is_prepared(database).await);
        assert!(PREPARED.load(Ordering::Relaxed) <= 1);
    }
}

#[test]
fn a_sqlite_folder_is_gone_after_the_test() {
    let scratch = ScratchSqlite::create();
    let path = scratch.path().to_owned();
    std::fs::write(&path, "").unwrap();
    drop(scratch);
    assert!(!path.parent().unwrap().exists());
}

#[test]
fn a_postgres_database_is_gone_after_a_panic_although_someone_is_connected() {
    if ScratchPostgres::is_left_out("a_postgres_database_is_gone_after_a_panic") {
        return;
    }
    block_on(async {
        let watcher = ScratchPostgres::create().await;
        let (send, receive) = tokio::sync::oneshot::channel();
        let test = tokio::spawn(async move {
            let scratch = ScratchPostgres::create().await;
            let client = connect(scratch.url()).await.unwrap();
            send.send((scratch.name().to_owned(), client)).unwrap();
            panic!("as a failing test does");
        });
        let (name, _connected) = receive.await.unwrap();
        assert!(test.await.unwrap_err().is_panic());
        let client = connect(watcher.url()).await.unwrap();
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        assert!(client.query_opt(sql, &[&name]).await.unwrap().is_none());
    });
}
