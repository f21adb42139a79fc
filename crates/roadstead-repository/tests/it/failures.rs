//! What goes wrong around the database, and how it is told.

use std::time::{Duration, Instant};

use roadstead_core::InstanceId;
use roadstead_repository::{Error, Keyring, Options, Repository};
use roadstead_testkit::{Scratch, ScratchSqlite, block_on, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, execute, migrated, options, pg};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_dead_connection_never_reads_as_an_absent_row(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        match database {
            Scratch::Postgres(it) => {
                let client = pg(it.url()).await;
                for _ in 0..20 {
                    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
                    let (read, killed) = tokio::join!(
                        fleet.repository.get_instance(&fleet.tenant, id),
                        client.query_one(kill, &[]),
                    );
                    killed.unwrap();
                    assert!(matches!(read, Ok(_) | Err(Error::Unavailable(_))), "{read:?}");
                }
            }
            Scratch::Sqlite(_) => {
                // Another process holds the file for longer than we wait.
                let short = Options {
                    connect_timeout: Duration::from_millis(300), ..Options::default()
                };
                let hasty = Repository::connect(database.url(), fleet.keys.clone(), short)
                    .await.unwrap();
                let hold = crate::fixture::Held::take(database);
                let written = hasty.ensure_organization("late").await;
                assert!(matches!(written, Err(Error::Unavailable(_))), "{written:?}");
                drop(hold);
            }
        }
        // It comes back by itself.
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = fleet.repository.get_instance(&fleet.tenant, id).await {
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            assert!(Instant::now() < deadline, "it never came back");
        }
        let absent = fleet.repository.get_instance(&fleet.tenant, InstanceId::fresh()).await;
        assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
    }

    async fn a_full_pool_is_unavailable_in_time(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let small = Options { pool_size: 1, connect_timeout: Duration::from_millis(300) };
        let small = Repository::connect(database.url(), fleet.keys.clone(), small).await.unwrap();
        // Whoever holds the one connection waits for this lock.
        let hold = match database {
            Scratch::Postgres(it) => {
                let client = pg(it.url()).await;
                client.batch_execute("BEGIN; LOCK TABLE organizations").await.unwrap();
                Ok(client)
            }
            Scratch::Sqlite(_) => Err(crate::fixture::Held::take(database)),
        };
        let start = Instant::now();
        let (one, two) = tokio::join!(
            tokio::time::timeout(Duration::from_secs(5), small.ensure_organization("a")),
            small.ensure_organization("b"),
        );
        assert!(matches!(two, Err(Error::Unavailable(_))), "{two:?}");
        assert!(!matches!(one, Ok(Ok(_))), "{one:?}");
        assert!(start.elapsed() < Duration::from_secs(15));
        drop(hold);
    }

    async fn the_database_itself_allows_one_active_operation(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let id = match database {
            Scratch::Postgres(_) => "gen_random_uuid()",
            Scratch::Sqlite(_) => "randomblob(16)",
        };
        let copy = |kind: &str| format!("INSERT INTO operations (id, organization_id, provider_id, \
            instance_id, kind, state, attempts, empty_looks, request, due_at, epoch, created_at, \
            updated_at) SELECT {id}, organization_id, provider_id, instance_id, '{kind}', 'ready', \
            0, 0, request, due_at, 0, created_at, updated_at FROM operations LIMIT 1");
        assert!(execute(database, &copy("reboot")).await.is_err());
        execute(database, &copy("delete")).await.unwrap();
        assert!(execute(database, &copy("delete")).await.is_err());
    }
}

#[test]
fn a_path_that_cannot_be_opened_is_explained() {
    block_on(async {
        let scratch = ScratchSqlite::create();
        let folder = scratch.path().parent().unwrap().display().to_string();
        for (url, part) in [
            (format!("sqlite://{folder}/no/where.db"), "mkdir -p"),
            (format!("sqlite://{folder}"), "is a folder"),
            ("mysql://x".to_owned(), "must begin with"),
            ("roadstead.db".to_owned(), "must begin with"),
        ] {
            let error = connect(&url).await.unwrap_err();
            assert!(matches!(error, Error::Database { .. }), "{error:?}");
            assert!(error.to_string().contains(part), "{error}");
        }
        std::fs::write(
            scratch.path(),
            "this is no database, it is a text\n".repeat(99),
        )
        .unwrap();
        let error = connect(scratch.url()).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("cannot be opened as a SQLite database"),
            "{error}"
        );
    });
}

#[test]
fn the_file_is_readable_by_nobody_else() {
    block_on(async {
        let scratch = ScratchSqlite::create();
        migrated(scratch.url().to_owned()).await;
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(scratch.path()).unwrap().permissions(),
        );
        assert_eq!(mode & 0o077, 0);
    });
}

#[test]
fn a_server_that_is_not_there_is_explained_without_the_password() {
    block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = listener.local_addr().unwrap().port();
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = other.local_addr().unwrap().port();
        drop(other);
        for (port, part) in [
            (closed, "no PostgreSQL answers"),
            (silent, "did not answer within"),
        ] {
            let url = format!("postgres://me:hunter2@127.0.0.1:{port}/fleet");
            let error = connect(&url).await.unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    });
}

on_both_databases! {
    async fn a_wrong_password_and_a_wrong_database_are_explained(database: &Scratch) {
        let Scratch::Postgres(_) = database else { return };
        let (head, rest) = database.url().split_once('@').unwrap();
        let (scheme, credentials) = head.split_once("://").unwrap();
        let user = credentials.split(':').next().unwrap();
        let wrong = format!("{scheme}://{user}:hunter2@{rest}");
        let error = connect(&wrong).await.unwrap_err();
        assert!(error.to_string().contains("refused user"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let nowhere = database.url().replace("/roadstead_test", "/nowhere");
        let error = connect(&nowhere).await.unwrap_err();
        assert!(error.to_string().contains("has no database"), "{error}");
        let encrypted = format!("{}?sslmode=require", database.url());
        let error = connect(&encrypted).await.unwrap_err();
        assert!(error.to_string().contains("encrypted"), "{error}");
    }
}

async fn connect(url: &str) -> Result<Repository, Error> {
    let options = Options {
        connect_timeout: Duration::from_secs(2),
        ..options()
    };
    Repository::connect(url, Keyring::generate().unwrap(), options).await
}
