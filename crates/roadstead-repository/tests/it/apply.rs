//! What a worker writes: all of it or nothing, and only along the edges.

use std::time::Duration;

use roadstead_core::{OperationStatus, RemoteId, RemoteOperation, State};
use roadstead_repository::{Error, ErrorRecord, Lifecycle, OperationKind, OperationState};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{
    Fleet, NO_MARGIN, TEMPLATE, bound, change, execute, literal, migrated, observation,
};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_change_reads_back_as_it_was_written(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        let claim = fleet.claim().await;
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        let mut first = change(OperationState::Waiting);
        first.due_in = Duration::from_secs(60);
        first.instance = bound("r1");
        first.progress = Some(30);
        first.remote = Some(RemoteOperation {
            id: "job".into(),
            instance: Some("r1".into()),
            status: OperationStatus::Running { percent: Some(30) },
            poll_after: Duration::from_millis(1500),
        });
        first.error = Some(ErrorRecord {
            code: "RATE_LIMITED".to_owned(),
            message: "it \"waits\"".to_owned(),
            field: None,
        });
        first.instance.problem = Some(Some("slow".to_owned()));
        let operation = fleet.repository.apply(&claim, &first).await.unwrap();
        assert_eq!(operation, fleet.repository.get_operation(&fleet.tenant, operation.id).await.unwrap());
        assert_eq!(operation.state, OperationState::Waiting);
        assert_eq!((&operation.remote, &operation.error), (&first.remote, &first.error));
        assert_eq!(operation.progress, Some(30));
        assert!(operation.due_at > claim.now && operation.finished_at.is_none());
        let instance = fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
        assert_eq!(instance.remote, Some(RemoteId::from("r1")));
        assert_eq!((instance.lifecycle, instance.power), (Lifecycle::Live, State::Running));
        assert_eq!(instance.power_raw.as_deref(), Some("RUNNING"));
        assert_eq!(instance.addresses, observation(State::Running).addresses);
        assert_eq!(instance.specification.disk, None);
        assert_eq!(instance.problem.as_deref(), Some("slow"));
        assert!(instance.observed_at.is_some());
    }

    async fn an_edge_that_a_machine_does_not_have_is_refused_whole(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = fleet.accept().await.instance.id;
        let claim = fleet.claim().await;
        for state in [OperationState::Sent, OperationState::Leased, OperationState::Unknown] {
            let outcome = fleet.repository.apply(&claim, &change(state)).await;
            assert!(matches!(outcome, Err(Error::IllegalEdge { .. })), "{state:?}: {outcome:?}");
        }
        let mut impossible = change(OperationState::Succeeded);
        impossible.instance.lifecycle = Some(Lifecycle::Deleted);
        impossible.doomed = vec!["r9".into()];
        let outcome = fleet.repository.apply(&claim, &impossible).await;
        assert!(matches!(outcome, Err(Error::IllegalEdge { .. })), "{outcome:?}");
        assert_eq!(fleet.repository.open_dooms().await.unwrap(), []);
        let instance = fleet.repository.get_instance(&fleet.tenant, id).await.unwrap();
        assert_eq!(instance.lifecycle, Lifecycle::Pending);
    }

    async fn the_database_has_the_same_edges_as_the_lifecycle(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = literal(database, fleet.accept().await.instance.id.0);
        let table = "vps_instances";
        let guard = guard(database, table, "vps_instances_edge");
        for from in Lifecycle::ALL {
            for to in Lifecycle::ALL {
                execute(database, &format!("{} UPDATE {table} SET lifecycle = '{}' WHERE id = {id}; {}",
                    guard.0, from.as_str(), guard.1)).await.unwrap();
                let moved = execute(database, &format!(
                    "UPDATE {table} SET lifecycle = '{}' WHERE id = {id}", to.as_str())).await;
                assert_eq!(moved.is_ok(), from.may_become(to), "{from:?} to {to:?}: {moved:?}");
            }
        }
    }

    async fn the_database_has_the_same_edges_as_the_operation(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let id = literal(database, fleet.accept().await.operation.id.0);
        let table = "operations";
        let guard = guard(database, table, "operations_edge");
        let set = |state: OperationState| {
            let ended = if state.is_final() { "created_at" } else { "NULL" };
            format!("UPDATE {table} SET state = '{}', finished_at = {ended} WHERE id = {id}",
                state.as_str())
        };
        for from in OperationState::ALL {
            for to in OperationState::ALL {
                let first = format!("{} {}; {}", guard.0, set(from), guard.1);
                execute(database, &first).await.unwrap();
                let moved = execute(database, &set(to)).await;
                assert_eq!(moved.is_ok(), from.may_become(to), "{from:?} to {to:?}: {moved:?}");
            }
        }
    }

    async fn two_servers_of_ours_are_never_bound_to_one_at_the_vendor(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let first = fleet.live("r1").await;
        fleet.accept().await;
        let claim = fleet.claim().await;
        fleet.repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
        let mut taken = change(OperationState::Succeeded);
        taken.instance = bound("r1");
        let outcome = fleet.repository.apply(&claim, &taken).await;
        assert!(matches!(outcome, Err(Error::Conflict { .. })), "{outcome:?}");
        taken.instance = bound("r2");
        taken.doomed = vec!["r3".into(), "r4".into(), "r3".into()];
        fleet.repository.apply(&claim, &taken).await.unwrap();

        let dooms = fleet.repository.open_dooms().await.unwrap();
        assert_eq!(dooms.len(), 2);
        assert!(dooms.iter().all(|it| it.instance == claim.instance.id));
        let sweep = fleet.sweep().await;
        fleet.repository.finish_doom(&sweep, &"r3".into()).await.unwrap();
        fleet.repository.finish_doom(&sweep, &"r3".into()).await.unwrap();
        let left = fleet.repository.open_dooms().await.unwrap();
        assert_eq!(left.iter().map(|it| it.remote.as_str()).collect::<Vec<_>>(), ["r4"]);

        fleet.act(first, OperationKind::Reboot).await.unwrap();
        let claim = fleet.claim().await;
        let mut rebound = change(OperationState::Succeeded);
        rebound.instance = bound("r5");
        let outcome = fleet.repository.apply(&claim, &rebound).await;
        assert!(matches!(outcome, Err(Error::Conflict { .. })), "{outcome:?}");
    }
}

/// Returns the statements that lift the database's own check and put it back.
fn guard(database: &Scratch, table: &str, trigger: &str) -> (String, String) {
    match database {
        Scratch::Postgres(_) => (
            format!("ALTER TABLE {table} DISABLE TRIGGER {trigger};"),
            format!("ALTER TABLE {table} ENABLE TRIGGER {trigger};"),
        ),
        Scratch::Sqlite(_) => {
            let up = include_str!("../../../../migrations/sqlite/2026-11-22-000001_init/up.sql");
            let start = up.find(&format!("CREATE TRIGGER {trigger}")).unwrap();
            let end = start + up[start..].find("END;").unwrap() + 4;
            (
                format!("DROP TRIGGER {trigger};"),
                up[start..end].to_owned(),
            )
        }
    }
}
