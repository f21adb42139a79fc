//! What is counted for the metrics.

use std::time::Duration;

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use roadstead_repository::{Lifecycle, OperationKind, OperationState, Tally};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, NO_MARGIN, TEMPLATE, change, execute, literal, migrated, pg};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn an_empty_installation_has_nothing_under_way(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let tally = fleet.repository.tally().await.unwrap();
        assert_eq!(tally, Tally { operations: Vec::new(), attention: 0, missing: 0, quarantined: 0, doomed: 0 });
    }

    async fn what_is_not_over_is_counted_by_state_with_the_age_of_the_oldest(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        // Over, so it does not count.
        fleet.accept().await;
        fleet.bind("r1").await;
        let stuck = fleet.accept_with("stuck", None, None).await.unwrap();
        let claim = fleet.claim().await;
        let mut attention = change(OperationState::Attention);
        attention.instance.lifecycle = Some(Lifecycle::Attention);
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        fleet.repository.apply(&claim, &attention).await.unwrap();
        let old = fleet.accept_with("old", None, None).await.unwrap();
        fleet.accept_with("new", None, None).await.unwrap();
        let id = literal(database, old.operation.id.0);
        let hour_ago = match database {
            Scratch::Postgres(_) => "created_at - INTERVAL '1 hour'",
            Scratch::Sqlite(_) => "created_at - 3600000000",
        };
        execute(database, &format!("UPDATE operations SET created_at = {hour_ago} WHERE id = {id}"))
            .await.unwrap();

        let tally = fleet.repository.tally().await.unwrap();
        assert_eq!(tally.attention, 1);
        let counts: Vec<_> = tally.operations.iter().map(|it| (it.state, it.count)).collect();
        assert_eq!(counts.len(), 2, "{tally:?}");
        assert!(counts.contains(&(OperationState::Ready, 2)), "{tally:?}");
        assert!(counts.contains(&(OperationState::Attention, 1)), "{tally:?}");
        let oldest = |state| tally.operations.iter().find(|it| it.state == state).unwrap().oldest;
        let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
        let ready = oldest(OperationState::Ready);
        assert!(ready >= hour && ready < hour + minute, "{ready:?}");
        assert!(oldest(OperationState::Attention) < minute);

        // A person's server that is deleted is decided.
        fleet.act(stuck.instance.id, OperationKind::Delete).await.unwrap();
        assert_eq!(fleet.repository.tally().await.unwrap().attention, 0);
    }

    async fn counting_reads_only_what_is_not_over(database: &Scratch) {
        let queries = [
            ("SELECT state, COUNT(*), MIN(operations.created_at) FROM operations \
              WHERE operations.state NOT IN ('succeeded', 'failed') GROUP BY state",
             "operations_due"),
            ("SELECT COUNT(*) FROM vps_instances \
              WHERE vps_instances.lifecycle = 'attention'", "vps_instances_attention"),
        ];
        for (query, index) in queries {
            let plan = plan(database, query).await;
            assert!(plan.contains(index), "{plan}");
        }
    }

    async fn the_pools_tell_who_holds_connections(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let pools = fleet.repository.pools();
        let names: Vec<_> = pools.iter().map(|it| it.name).collect();
        match database {
            Scratch::Sqlite(_) => assert_eq!(names, ["writer", "readers"]),
            Scratch::Postgres(_) => assert_eq!(names, ["all"]),
        }
        for pool in pools {
            assert!(pool.max > 0 && pool.open <= pool.max, "{pool:?}");
            assert_eq!((pool.in_use, pool.waiting), (0, 0), "{pool:?}");
        }
    }
}

/// Returns how a database would go about a query.
async fn plan(database: &Scratch, query: &str) -> String {
    match database {
        Scratch::Sqlite(file) => {
            let mut connection =
                SqliteConnection::establish(file.path().to_str().unwrap()).unwrap();
            let steps = diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}"));
            let steps: Vec<Step> = steps.load(&mut connection).unwrap();
            steps.into_iter().map(|it| it.detail).collect()
        }
        Scratch::Postgres(it) => {
            let client = pg(it.url()).await;
            // The tables are too small for an index to pay.
            client
                .batch_execute("SET enable_seqscan = off")
                .await
                .unwrap();
            let steps = client
                .query(&format!("EXPLAIN {query}"), &[])
                .await
                .unwrap();
            steps.iter().map(|it| it.get::<_, String>(0)).collect()
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}
