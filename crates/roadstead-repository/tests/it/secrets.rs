//! Tokens, root passwords and user data: sealed, bound to their place, and wiped.

use roadstead_core::Secret;
use roadstead_repository::{
    Error, Keyring, OperationState, ProviderPatch, Repository, Verification,
};
use roadstead_testkit::{Scratch, assert_absent, canary, on_both_databases};

use crate::fixture::{
    Fleet, LEASE, NO_MARGIN, TEMPLATE, add_provider, audit, bound, change, connect, execute, lines,
    literal, migrated, options, pg,
};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_token_moved_to_another_account_does_not_open(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let other = add_provider(&fleet.repository, "second", "token-2").await.unwrap().id;
        let token = fleet.repository.provider_token(fleet.provider).await.unwrap().unwrap();
        assert_eq!(token.expose(), "token-1");
        let (from, to) = (literal(database, other.0), literal(database, fleet.provider.0));
        execute(database, &format!("UPDATE service_providers SET token = \
            (SELECT token FROM service_providers WHERE id = {from}) WHERE id = {to}")).await.unwrap();
        let moved = fleet.repository.provider_token(fleet.provider).await;
        assert!(matches!(moved, Err(Error::Sealing { .. })), "{moved:?}");
        assert!(fleet.repository.provider_token(other).await.unwrap().is_some());
    }

    async fn a_new_token_replaces_the_old_one_with_its_verification(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let verification = Verification::Verified {
            at: jiff::Timestamp::from_microsecond(1_795_000_000_123_456).unwrap(),
        };
        let patch = ProviderPatch {
            token: Some((Secret::from("token-9"), verification.clone(), Some("mine".to_owned()))),
            ..ProviderPatch::default()
        };
        let provider =
            fleet.repository.update_provider(fleet.provider, patch, audit()).await.unwrap();
        assert_eq!(provider.verification, verification);
        assert_eq!(provider.fingerprint.as_deref(), Some("mine"));
        let token = fleet.repository.provider_token(fleet.provider).await.unwrap().unwrap();
        assert_eq!(token.expose(), "token-9");
    }

    async fn no_secret_stands_in_the_database_in_any_form(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (token, password) = (canary("token"), canary("password"));
        add_provider(&fleet.repository, "second", &token).await.unwrap();
        fleet.accept_with("web", Some(&password), None).await.unwrap();
        let claim = fleet.claim().await;
        assert_eq!(claim.request.secret.as_ref().unwrap().expose(), &password);
        let bytes = everything(database).await;
        assert!(bytes.len() > 10_000);
        assert_absent(&token, &bytes);
        assert_absent(&password, &bytes);
        assert_absent(fleet.keys.to_text().expose().trim(), &bytes);
        let debug = format!("{:?} {claim:?}", fleet.repository);
        assert_absent(&password, debug.as_bytes());
    }

    async fn secrets_are_wiped_when_asked_and_when_the_operation_ends(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let sealed = "SELECT CAST(COUNT(secret) AS TEXT) AS line FROM operations";
        fleet.accept_with("one", Some("s3cret"), None).await.unwrap();
        let claim = fleet.claim().await;
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        assert_eq!(lines(database, sealed).await, ["1"]);
        let ciphertext = lines(database, "SELECT hex(secret) AS line FROM operations".replace(
            "hex(secret)", if database.url().starts_with("sqlite") { "hex(secret)" }
            else { "encode(secret, 'hex')" }).as_str()).await.remove(0);
        let mut bound_and_waiting = change(OperationState::Waiting);
        bound_and_waiting.instance = bound("r1");
        bound_and_waiting.wipe_secrets = true;
        fleet.repository.apply(&claim, &bound_and_waiting).await.unwrap();
        assert_eq!(lines(database, sealed).await, ["0"]);
        if let Scratch::Sqlite(file) = database {
            let bytes = (0..ciphertext.len()).step_by(2)
                .map(|it| u8::from_str_radix(&ciphertext[it..it + 2], 16).unwrap())
                .collect::<Vec<_>>();
            for path in [file.path().to_owned(), file.path().with_extension("db-wal")] {
                let content = std::fs::read(path).unwrap_or_default();
                assert!(!content.windows(bytes.len()).any(|it| it == bytes), "sealed bytes stayed");
            }
        }
        assert!(fleet.claim().await.request.secret.is_none());

        fleet.accept_with("two", Some("s3cret"), None).await.unwrap();
        let claim = fleet.claim().await;
        let mut failed = change(OperationState::Failed);
        failed.instance.lifecycle = Some(roadstead_repository::Lifecycle::Failed);
        fleet.repository.apply(&claim, &failed).await.unwrap();
        assert_eq!(lines(database, sealed).await, ["0"]);
    }

    async fn another_master_key_is_refused(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let other = connect(database.url(), &Keyring::generate().unwrap()).await;
        assert!(matches!(other.open().await, Err(Error::WrongKey)));
        fleet.repository.open().await.unwrap();
    }

    async fn a_key_can_be_added_and_the_old_one_taken_away(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let old = fleet.keys.to_text().expose().clone();
        let new = Keyring::generate().unwrap().to_text().expose().replace("v1:", "v2:");
        let both = Keyring::parse(&format!("{old}{new}")).unwrap();
        let repository = connect(database.url(), &both).await;
        repository.open().await.unwrap();
        let token = repository.provider_token(fleet.provider).await.unwrap().unwrap();
        assert_eq!(token.expose(), "token-1");
        let alone = connect(database.url(), &Keyring::parse(&new).unwrap()).await;
        alone.open().await.unwrap();
        let error = alone.provider_token(fleet.provider).await.unwrap_err().to_string();
        assert!(error.contains("lacks key `v1`"), "{error}");
    }

    async fn an_operation_whose_secret_cannot_be_opened_rests_and_holds_up_nobody(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let torn = fleet.accept_with("torn", Some("s3cret"), None).await.unwrap().operation.id;
        let whole = fleet.accept().await.operation.id;
        let id = literal(database, torn.0);
        execute(database, &format!("UPDATE operations SET secret = \
            (SELECT token FROM service_providers LIMIT 1) WHERE id = {id}")).await.unwrap();
        let claims = fleet.repository.claim(uuid::Uuid::now_v7(), LEASE, 10).await.unwrap();
        assert_eq!(claims.iter().map(|it| it.operation.id).collect::<Vec<_>>(), [whole]);
        let torn = fleet.repository.get_operation(&fleet.tenant, torn).await.unwrap();
        assert_eq!(torn.state, OperationState::Ready);
        assert!(torn.due_at > claims[0].now);
    }
}

#[test]
fn a_database_in_memory_is_refused() {
    roadstead_testkit::block_on(async {
        for url in ["sqlite::memory:", "sqlite://:memory:"] {
            let keys = Keyring::generate().unwrap();
            let error = Repository::connect(url, keys, options()).await.unwrap_err();
            assert!(error.to_string().contains("in memory"), "{error}");
        }
    });
}

/// Returns all that a thief of the database would hold.
async fn everything(database: &Scratch) -> Vec<u8> {
    match database {
        Scratch::Sqlite(file) => {
            let mut bytes = std::fs::read(file.path()).unwrap();
            bytes.extend(std::fs::read(file.path().with_extension("db-wal")).unwrap());
            bytes
        }
        Scratch::Postgres(it) => {
            let client = pg(it.url()).await;
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
