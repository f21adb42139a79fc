//! Statuses and patterns, and that an index serves every order of a page.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use diesel::backend::Backend as Dialect;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Integer;
use jiff::Timestamp;
use roadstead_core::{OrgId, ProviderId, Secret};
use roadstead_testkit::{Scratch, on_both_databases};

use super::*;
use crate::{AuditEntry, Keyring, NewProvider, Options, Verification};

#[test]
fn every_public_status_is_found_again() {
    for lifecycle in Lifecycle::ALL {
        for power in State::ALL {
            let shown = match lifecycle {
                Lifecycle::Pending | Lifecycle::Resolving => State::Provisioning.as_str(),
                Lifecycle::Live => power.as_str(),
                Lifecycle::Deleting
                | Lifecycle::Deleted
                | Lifecycle::Failed
                | Lifecycle::Missing
                | Lifecycle::Attention => lifecycle.as_str(),
            };
            let (lifecycles, live) = of_status(shown);
            let found = lifecycles.contains(&lifecycle.as_str())
                || (lifecycle == Lifecycle::Live && live == Some(power));
            assert!(found, "{shown}");
        }
    }
    assert_eq!(of_status("nonsense"), (Vec::new(), None));
    assert_eq!(of_status("live"), (Vec::new(), None));
}

#[test]
fn a_pattern_is_folded_and_takes_its_letters_literally() {
    assert_eq!(containing("A%_\\"), "%a\\%\\_\\\\%");
}

/// How many servers there are: enough for the databases to prefer an index where there is one.
const SERVERS: u32 = 20_000;

/// A statement that asks how another one would be run.
struct Explained<T, S>(T, &'static str, PhantomData<S>);

impl<T, S> Explained<T, S> {
    const fn new(statement: T, word: &'static str) -> Self {
        Self(statement, word, PhantomData)
    }
}

impl<T, S> QueryId for Explained<T, S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, S> Query for Explained<T, S> {
    type SqlType = S;
}

impl<T: QueryFragment<D>, S, D: Dialect> QueryFragment<D> for Explained<T, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, D>) -> QueryResult<()> {
        out.push_sql(self.1);
        self.0.walk_ast(out.reborrow())
    }
}

/// Returns how the database would find a page.
async fn plan(repository: &Repository, tenant: &Tenant, listing: &Listing) -> String {
    let filter = InstanceFilter::default();
    let wanted = Wanted::new(&filter, repository.backend());
    let lines: Vec<String> = match &mut repository.db.reader().await.unwrap() {
        Connection::Postgres(object) => {
            let query = page!(diesel::pg::Pg, tenant, &wanted, listing);
            let query = Explained::<_, Text>::new(query, "EXPLAIN ");
            // Else it is prepared anew each time, at the price of another flight.
            let kept =
                QueryFragment::<diesel::pg::Pg>::is_safe_to_cache_prepared(&query, &diesel::pg::Pg);
            assert!(kept.unwrap());
            query.load(&mut **object).await.unwrap()
        }
        Connection::Sqlite(object) => {
            let query = page!(diesel::sqlite::Sqlite, tenant, &wanted, listing);
            type Columns = (Integer, Integer, Integer, Text);
            let query = Explained::<_, Columns>::new(query, "EXPLAIN QUERY PLAN ");
            let lines: Vec<(i32, i32, i32, String)> = query.load(&mut **object).await.unwrap();
            lines.into_iter().map(|it| it.3).collect()
        }
    };
    lines.join("\n")
}

/// Gives an organization many servers, most of them with one label and in one region.
async fn fill(repository: &Repository, org: OrgId) {
    let new = NewProvider {
        id: ProviderId::fresh(),
        kind: "acme".into(),
        name: "Main".to_owned(),
        configuration: serde_json::json!({}),
        token: Secret::from("token"),
        fingerprint: None,
        verification: Verification::Unverified { reason: None },
    };
    let audit = AuditEntry {
        organization: None,
        user: None,
        action: "test.do",
        subject: "it".to_owned(),
        request_id: None,
        details: serde_json::json!({}),
        key: None,
    };
    let provider = repository.create_provider(new, audit).await.unwrap().id.0;
    let (numbers, provider, org, id, list, no, time) = match repository.backend() {
        Backend::Postgres => (
            format!("generate_series(1, {SERVERS}) AS numbers (i)"),
            format!("'{provider}'::uuid"),
            format!("'{}'::uuid", org.0),
            "gen_random_uuid()",
            "'[]'::jsonb",
            "false",
            "to_timestamp(1700000000 + i / 2)",
        ),
        Backend::Sqlite => (
            format!(
                "(WITH RECURSIVE numbers (i) AS \
                 (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {SERVERS}) \
                 SELECT i FROM numbers)"
            ),
            format!("x'{}'", provider.simple()),
            format!("x'{}'", org.0.simple()),
            "randomblob(16)",
            "jsonb('[]')",
            "0",
            "(1700000000 + i / 2) * 1000000",
        ),
    };
    let servers = format!(
        "INSERT INTO vps_instances (id, organization_id, provider_id, provider_kind, remote_name, \
         label, label_folded, notes, tags, lifecycle, power, plan_id, region_id, image_id, vcpus, \
         memory_mib, addresses, price_monthly_is_cap, created_at, updated_at) \
         SELECT {id}, {org}, {provider}, 'acme', 'n', 'web', \
         CASE WHEN i % 10 = 0 THEN 'web-' || i ELSE 'web' END, '', {list}, 'live', 'running', 'p', \
         CASE WHEN i % 10 = 0 THEN 'r-' || i ELSE 'r' END, 'i', 1, 1024, {list}, {no}, {time}, \
         {time} FROM {numbers}"
    );
    for statement in [servers.as_str(), "ANALYZE"] {
        crate::db::run!(&mut repository.db.writer().await.unwrap(), c => {
            diesel::sql_query(statement).execute(c).await.unwrap();
        });
    }
}

/// Opens a database with many servers of one organization in it.
async fn many(database: &Scratch) -> (Repository, Tenant) {
    let keys = Keyring::generate().unwrap();
    let repository = Repository::connect(database.url(), keys, Options::default());
    let repository = repository.await.unwrap();
    repository.migrate_up().await.unwrap();
    repository.open().await.unwrap();
    let org = repository.ensure_organization("Harbor").await.unwrap().id;
    fill(&repository, org).await;
    (repository, Tenant { org })
}

on_both_databases! {
    async fn every_order_is_read_from_its_index_and_nothing_is_sorted(database: &Scratch) {
        let (repository, tenant) = many(database).await;
        let orders = [
            ("created_at", ListedBy::Created { after: None }),
            ("label_folded", ListedBy::Label { after: None }),
            ("region_id", ListedBy::Region { after: None }),
        ];
        for (column, by) in orders {
            for descending in [false, true] {
                let mut listing = Listing { by: by.clone(), descending, limit: 50 };
                let filter = InstanceFilter::default();
                let first = repository.list_instances(&tenant, &filter, &listing).await.unwrap();
                let second = Listing { by: first.next.unwrap(), ..listing.clone() };
                for page in [&listing, &second] {
                    let plan = plan(&repository, &tenant, page).await;
                    let index = format!("vps_instances_by_{}", column.split('_').next().unwrap());
                    assert!(plan.contains(&index), "{column}, {descending}:\n{plan}");
                    for step in ["Sort", "TEMP B-TREE", "Seq Scan", "SCAN"] {
                        assert!(!plan.contains(step), "{column}, {descending}: {step}\n{plan}");
                    }
                }
                // The place is found by the index, however many share a label or a region: the
                // comparison of both columns is a condition of the index, not a filter after it.
                let plan = plan(&repository, &tenant, &second).await;
                let sign = if descending { "<" } else { ">" };
                let bounded = match repository.backend() {
                    Backend::Postgres => plan.lines().any(|it| {
                        it.contains("Index Cond") && it.contains(&format!("ROW({column}, id) {sign}"))
                    }),
                    Backend::Sqlite => plan.contains(&format!("({column},id){sign}(?,?)")),
                };
                assert!(bounded, "{column}, {descending}:\n{plan}");
                listing.limit = 200;
                walk(&repository, &tenant, listing).await;
            }
        }
    }
}

/// Reads a whole list in pages, and asserts that it is whole and in order.
async fn walk(repository: &Repository, tenant: &Tenant, mut listing: Listing) {
    let mut seen = BTreeSet::new();
    let mut last: Option<ListedBy> = None;
    let mut pages = 0;
    loop {
        let filter = InstanceFilter::default();
        let page = repository
            .list_instances(tenant, &filter, &listing)
            .await
            .unwrap();
        pages += 1;
        for server in &page.items {
            assert!(seen.insert(server.id.0), "shown twice");
        }
        let Some(next) = page.next else { break };
        if let Some(last) = &last {
            assert_eq!(
                key(last) < key(&next),
                !listing.descending,
                "{last:?}, {next:?}"
            );
        }
        last = Some(next.clone());
        listing.by = next;
    }
    assert_eq!(seen.len(), usize::try_from(SERVERS).unwrap());
    assert_eq!(
        pages,
        SERVERS / 200,
        "the last page says that it is the last"
    );
}

/// Returns what a place is ordered by.
fn key(by: &ListedBy) -> (Timestamp, String, uuid::Uuid) {
    match by.clone() {
        ListedBy::Created {
            after: Some((time, id)),
        } => (time, String::new(), id.0),
        ListedBy::Label {
            after: Some((text, id)),
        }
        | ListedBy::Region {
            after: Some((text, id)),
        } => (Timestamp::UNIX_EPOCH, text, id.0),
        other => panic!("no place: {other:?}"),
    }
}
