//! A prepared database with one organization and one provider account in it.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use jiff::Timestamp;
use roadstead_core::{
    InstanceId, MiB, Money, OperationId, OrgId, Price, PriceSource, ProviderId, ProviderKind,
    Secret, State, UserId,
};
use roadstead_repository::{
    Accepted, AuditEntry, Change, Claim, IdempotencyKey, InstanceChange, Keyring, Lifecycle,
    NewInstance, NewOperation, NewProvider, Observation, OperationKind, OperationState, Options,
    Provider, Repository, Request, Result, Specification, SweepClaim, Tenant, Verification,
};
use roadstead_testkit::{Backend, Scratch};
use serde_json::json;
use uuid::Uuid;

/// Changes with the first migration; later ones are applied when a fleet opens.
pub(crate) const TEMPLATE: &str = concat!(
    include_str!("../../../../migrations/postgres/2026-11-22-000001_init/up.sql"),
    include_str!("../../../../migrations/sqlite/2026-11-22-000001_init/up.sql"),
);

pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const NO_MARGIN: Duration = Duration::ZERO;

pub(crate) async fn migrated(url: String) {
    let repository = connect(&url, &Keyring::generate().unwrap()).await;
    repository.migrate_up().await.unwrap();
}

pub(crate) fn options() -> Options {
    Options {
        pool_size: 12,
        connect_timeout: Duration::from_secs(20),
    }
}

pub(crate) async fn connect(url: &str, keys: &Keyring) -> Repository {
    Repository::connect(url, keys.clone(), options())
        .await
        .unwrap()
}

pub(crate) struct Fleet {
    pub(crate) repository: Repository,
    pub(crate) keys: Keyring,
    pub(crate) tenant: Tenant,
    pub(crate) provider: ProviderId,
}

impl Fleet {
    pub(crate) async fn open(database: &Scratch) -> Self {
        let keys = Keyring::generate().unwrap();
        let repository = connect(database.url(), &keys).await;
        repository.migrate_up().await.unwrap();
        repository.open().await.unwrap();
        let org = repository.ensure_organization("Harbor").await.unwrap().id;
        let provider = add_provider(&repository, "first", "token-1")
            .await
            .unwrap()
            .id;
        Self {
            repository,
            keys,
            tenant: Tenant { org },
            provider,
        }
    }

    /// Puts a server and its create on record.
    pub(crate) async fn accept(&self) -> Accepted {
        self.accept_with("web", None, None).await.unwrap()
    }

    pub(crate) async fn accept_with(
        &self,
        label: &str,
        secret: Option<&str>,
        key: Option<IdempotencyKey>,
    ) -> Result<Accepted> {
        let mut operation = operation(OperationKind::Create);
        operation.request.secret = secret.map(Secret::from);
        let instance = new_instance(self.provider, label);
        self.repository
            .accept_create(&self.tenant, instance, operation, self.under(key))
            .await
    }

    /// Returns the line of a request of the organization's that came with a key.
    pub(crate) fn under(&self, key: Option<IdempotencyKey>) -> AuditEntry {
        keyed(&self.tenant, key)
    }

    pub(crate) async fn act(&self, id: InstanceId, kind: OperationKind) -> Result<Accepted> {
        self.repository
            .accept_action(&self.tenant, id, operation(kind), audit())
            .await
    }

    /// Claims the one operation that is due.
    pub(crate) async fn claim(&self) -> Claim {
        let mut claims = self
            .repository
            .claim(Uuid::now_v7(), LEASE, 10)
            .await
            .unwrap();
        assert_eq!(claims.len(), 1, "{claims:?}");
        claims.remove(0)
    }

    /// Claims the sweep of the account, for no time.
    pub(crate) async fn sweep(&self) -> SweepClaim {
        let claims = self
            .repository
            .claim_sweeps(Uuid::now_v7(), Duration::ZERO, Duration::ZERO)
            .await
            .unwrap();
        claims
            .into_iter()
            .find(|it| it.provider == self.provider)
            .unwrap()
    }

    /// Puts a server on record and binds it, as a worker does.
    pub(crate) async fn live(&self, remote: &str) -> InstanceId {
        let id = self.accept().await.instance.id;
        self.bind(remote).await;
        id
    }

    /// Puts a server on record that was bound and then failed, so that its id is known.
    pub(crate) async fn failed(&self, remote: &str) -> InstanceId {
        let id = self.live(remote).await;
        self.act(id, OperationKind::Boot).await.unwrap();
        let claim = self.claim().await;
        let mut failed = change(OperationState::Failed);
        failed.instance.lifecycle = Some(Lifecycle::Failed);
        self.repository.apply(&claim, &failed).await.unwrap();
        id
    }

    /// Works off the create that is due: the vendor answers with this id.
    pub(crate) async fn bind(&self, remote: &str) {
        let claim = self.claim().await;
        self.repository
            .begin_attempt(&claim, b"digest", NO_MARGIN)
            .await
            .unwrap();
        let mut change = change(OperationState::Succeeded);
        change.instance = bound(remote);
        self.repository.apply(&claim, &change).await.unwrap();
    }

    /// Adds another organization.
    pub(crate) async fn stranger(&self) -> Tenant {
        Tenant {
            org: self
                .repository
                .ensure_organization("Strangers")
                .await
                .unwrap()
                .id,
        }
    }
}

pub(crate) fn bound(remote: &str) -> InstanceChange {
    InstanceChange {
        lifecycle: Some(Lifecycle::Live),
        remote: Some(remote.to_owned().into()),
        observation: Some(observation(State::Running)),
        problem: None,
        ..InstanceChange::default()
    }
}

pub(crate) fn observation(power: State) -> Observation {
    Observation {
        power,
        power_raw: power.as_str().to_uppercase(),
        addresses: vec![roadstead_core::Address {
            ip: "192.0.2.7".parse().unwrap(),
            scope: roadstead_core::Scope::Public,
        }],
        plan: None,
        vcpus: 1,
        memory: MiB(1024),
        disk: None,
    }
}

pub(crate) fn change(state: OperationState) -> Change {
    Change {
        state,
        due_in: Duration::ZERO,
        attempt: None,
        empty_looks: 0,
        remote: None,
        progress: None,
        error: None,
        instance: InstanceChange::default(),
        doomed: Vec::new(),
        wipe_secrets: false,
    }
}

pub(crate) fn operation(kind: OperationKind) -> NewOperation {
    NewOperation {
        id: OperationId::fresh(),
        kind,
        // Everything that an encoder may stumble over.
        request: Request {
            plain: json!({"text": "a\"b\\c\n\u{1}\u{e9}\u{1f600}", "n": -7, "f": 0.5, "x": null,
                "list": [true, {}, []], "long": "x".repeat(70_000)}),
            secret: None,
        },
    }
}

pub(crate) fn new_instance(provider: ProviderId, label: &str) -> NewInstance {
    let id = InstanceId::fresh();
    NewInstance {
        id,
        provider,
        kind: ProviderKind::from("linode"),
        label: label.to_owned(),
        remote_name: format!("web-{id}"),
        specification: Specification {
            plan: "g6-nanode-1".into(),
            region: "eu-west".into(),
            image: "debian-12".into(),
            vcpus: 1,
            memory: MiB(1024),
            disk: Some(MiB(25_600)),
        },
        tags: vec!["blue".to_owned(), "50%_off".to_owned()],
        price: Some(Price {
            hourly: Some(Money::usd("0.00744".parse().unwrap())),
            monthly: Some(Money::usd("5".parse().unwrap())),
            monthly_is_cap: true,
            source: PriceSource::Catalogue {
                version: "2026-11".into(),
            },
            as_of: Timestamp::from_second(1_795_000_000).unwrap(),
        }),
        sale: None,
    }
}

pub(crate) fn new_provider(name: &str, token: &str) -> NewProvider {
    NewProvider {
        id: ProviderId::fresh(),
        kind: ProviderKind::from("linode"),
        name: name.to_owned(),
        configuration: json!({"endpoint": "https://vendor.example"}),
        token: Secret::from(token),
        fingerprint: Some("account-1".to_owned()),
        verification: Verification::Unverified { reason: None },
    }
}

pub(crate) async fn add_provider(
    repository: &Repository,
    name: &str,
    token: &str,
) -> Result<Provider> {
    repository
        .create_provider(new_provider(name, token), audit())
        .await
}

pub(crate) fn audit() -> AuditEntry {
    AuditEntry {
        organization: None,
        user: None,
        action: "test.do",
        subject: "it".to_owned(),
        request_id: Some("request-1".to_owned()),
        details: json!({"more": 1}),
        key: None,
    }
}

/// Returns the line of a tenant's request that came with a key.
pub(crate) fn keyed(tenant: &Tenant, key: Option<IdempotencyKey>) -> AuditEntry {
    AuditEntry {
        organization: Some(tenant.org),
        key,
        ..audit()
    }
}

pub(crate) fn key(text: &str, hash: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey {
        key: text.to_owned(),
        hash: hash.as_bytes().to_vec(),
    })
}

pub(crate) fn nobody() -> (OrgId, UserId) {
    (OrgId::fresh(), UserId::fresh())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// Runs statements behind the repository's back.
pub(crate) async fn execute(database: &Scratch, sql: &str) -> Result<(), String> {
    match database {
        Scratch::Sqlite(file) => lite(file.path())
            .batch_execute(sql)
            .map_err(|it| it.to_string()),
        Scratch::Postgres(it) => pg(it.url())
            .await
            .batch_execute(sql)
            .await
            .map_err(|it| format!("{it:?}")),
    }
}

/// Asks for one text column, named `line`, behind the repository's back.
pub(crate) async fn lines(database: &Scratch, sql: &str) -> Vec<String> {
    match database {
        Scratch::Sqlite(file) => {
            let lines = diesel::sql_query(sql)
                .load::<Line>(&mut lite(file.path()))
                .unwrap();
            lines.into_iter().map(|it| it.line).collect()
        }
        Scratch::Postgres(it) => {
            let rows = pg(it.url()).await.query(sql, &[]).await.unwrap();
            rows.iter().map(|it| it.get(0)).collect()
        }
    }
}

/// Spells an id as a literal.
pub(crate) fn literal(database: &Scratch, id: Uuid) -> String {
    match database.backend() {
        Backend::Sqlite => format!("x'{}'", id.simple()),
        Backend::Postgres => format!("'{id}'"),
    }
}

fn lite(path: &std::path::Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection
        .batch_execute("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 20000")
        .unwrap();
    connection
}

pub(crate) async fn pg(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// A SQLite file that another process is writing to, until this is dropped.
pub(crate) struct Held {
    _connection: SqliteConnection,
}

impl Held {
    pub(crate) fn take(database: &Scratch) -> Self {
        let Scratch::Sqlite(file) = database else {
            panic!("only a file can be held")
        };
        let mut connection = lite(file.path());
        connection.batch_execute("BEGIN IMMEDIATE").unwrap();
        Self {
            _connection: connection,
        }
    }
}
