//! The tables: made, unmade, and alike in both databases.

use std::collections::BTreeMap;

use roadstead_repository::{Error, Keyring};
use roadstead_testkit::{Backend, Scratch, ScratchPostgres, block_on, on_both_databases};

use crate::fixture::{connect, lines, migrated};

on_both_databases! {
    async fn migrations_run_up_down_and_up_again(database: &Scratch) {
        let keys = Keyring::generate().unwrap();
        let repository = connect(database.url(), &keys).await;
        let names = names();
        let before = repository.migration_status().await.unwrap();
        assert_eq!(before, names.iter().map(|it| (it.clone(), false)).collect::<Vec<_>>());
        match repository.open().await {
            Err(Error::PendingMigrations { count }) => assert_eq!(count, names.len()),
            other => panic!("opened without tables: {other:?}"),
        }
        assert_eq!(repository.migrate_up().await.unwrap(), names);
        assert_eq!(repository.migrate_up().await.unwrap(), [""; 0]);
        let deployment = repository.open().await.unwrap();
        assert_eq!(deployment.id.len(), 8);
        assert!(deployment.id.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'v').contains(&it)));
        assert_eq!(repository.open().await.unwrap(), deployment);

        // One at a time, so that each is undone on the tables of those before it.
        for name in names.iter().rev() {
            assert_eq!(repository.migrate_down(1).await.unwrap(), [name.as_str()]);
        }
        assert_eq!(repository.migration_status().await.unwrap(), before);
        assert_eq!(objects(database).await, BTreeMap::new());
        assert_eq!(repository.migrate_up().await.unwrap(), names);
        assert_ne!(repository.open().await.unwrap(), deployment);
        repository.ping().await.unwrap();
    }

    async fn two_processes_that_start_together_make_the_tables_once(database: &Scratch) {
        let keys = Keyring::generate().unwrap();
        let one = connect(database.url(), &keys).await;
        let other = connect(database.url(), &keys).await;
        let (first, second) = tokio::join!(one.migrate_up(), other.migrate_up());
        assert_eq!(first.unwrap().len() + second.unwrap().len(), names().len());
        let (first, second) = tokio::join!(one.open(), other.open());
        assert_eq!(first.unwrap(), second.unwrap());
    }
}

#[test]
fn both_databases_have_the_same_tables_columns_indexes_and_triggers() {
    if ScratchPostgres::is_left_out("migrations::both_databases_have_the_same_tables") {
        return;
    }
    block_on(async {
        let sqlite = Scratch::create(Backend::Sqlite).await;
        let postgres = Scratch::create(Backend::Postgres).await;
        migrated(sqlite.url().to_owned()).await;
        migrated(postgres.url().to_owned()).await;
        let (sqlite, postgres) = (objects(&sqlite).await, objects(&postgres).await);
        assert_eq!(
            sqlite.keys().collect::<Vec<_>>(),
            postgres.keys().collect::<Vec<_>>()
        );
        for (object, form) in &sqlite {
            let other = &postgres[object];
            let same = match (form.as_str(), other.as_str()) {
                ("BLOB!", "uuid!" | "jsonb!" | "bytea!") => true,
                ("BLOB?", "uuid?" | "jsonb?" | "bytea?") => true,
                ("INTEGER!", "bigint!" | "integer!" | "boolean!") => true,
                ("INTEGER?", "bigint?" | "integer?") => true,
                ("INTEGER!", "timestamp with time zone!") => true,
                ("INTEGER?", "timestamp with time zone?") => true,
                ("TEXT!", "text!") | ("TEXT?", "text?") => true,
                (one, other) => one == other,
            };
            assert!(
                same,
                "{object} is {form} in SQLite and {other} in PostgreSQL"
            );
        }
        assert!(sqlite.len() > 150, "{}", sqlite.len());
    });
}

/// Returns the migrations in their order, from the folder that they are written in.
fn names() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    let folders = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = folders
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns every column with its type and `!` for NOT NULL, every index that was named, and
/// every trigger.
async fn objects(database: &Scratch) -> BTreeMap<String, String> {
    let sql = match database.backend() {
        Backend::Sqlite => {
            "SELECT m.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", '!', '?') AS line \
             FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' \
             AND m.name <> 'sqlite_sequence' \
             UNION ALL SELECT m.name || ' ' || iif(l.\"unique\", 'unique', 'index') \
             || iif(l.partial, ' partial', '') FROM sqlite_schema m \
             JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name \
             WHERE m.type = 'index' AND m.sql IS NOT NULL \
             UNION ALL SELECT name || ' trigger' FROM sqlite_schema WHERE type = 'trigger'"
        }
        Backend::Postgres => {
            "SELECT table_name || '.' || column_name || ' ' || data_type \
             || CASE is_nullable WHEN 'NO' THEN '!' ELSE '?' END AS line \
             FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%' \
             UNION ALL SELECT c.relname || CASE WHEN i.indisunique THEN ' unique' ELSE ' index' END \
             || CASE WHEN i.indpred IS NULL THEN '' ELSE ' partial' END \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND NOT i.indisprimary \
             UNION ALL SELECT tgname || ' trigger' FROM pg_trigger WHERE NOT tgisinternal"
        }
    };
    let split = |line: String| {
        let (name, form) = line.split_once(' ').unwrap();
        (name.to_owned(), form.to_owned())
    };
    lines(database, sql).await.into_iter().map(split).collect()
}
