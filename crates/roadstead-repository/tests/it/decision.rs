//! What a person decides about an operation that waits for one.

use roadstead_repository::{Decision, Error, Lifecycle, OpenFilter, OperationKind, OperationState};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, NO_MARGIN, TEMPLATE, audit, change, migrated};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_decision_ends_what_waits_for_one_and_nothing_else(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        for (decision, state) in [
            (Decision::Done, OperationState::Succeeded),
            (Decision::Failed, OperationState::Failed),
            (Decision::Retry, OperationState::Resolving),
        ] {
            let id = fleet.live(decision.as_str()).await;
            let operation = fleet.act(id, OperationKind::Reboot).await.unwrap().operation;
            let early = repository.decide_operation(operation.id, decision, audit()).await;
            assert!(matches!(early, Err(Error::Changed { .. })), "{early:?}");
            let claim = fleet.claim().await;
            repository.begin_attempt(&claim, b"digest", NO_MARGIN).await.unwrap();
            let mut doubt = change(OperationState::Attention);
            doubt.instance.lifecycle = Some(Lifecycle::Attention);
            repository.apply(&claim, &doubt).await.unwrap();
            let list = async |after| {
                repository.list_open_operations(&OpenFilter::default(), after, 10).await.unwrap()
            };
            let waiting = list(None).await;
            assert_eq!(waiting.iter().map(|it| it.id).collect::<Vec<_>>(), [operation.id]);
            assert!(list(Some(operation.id)).await.is_empty());
            let decided = repository.decide_operation(operation.id, decision, audit()).await.unwrap();
            assert_eq!(decided.state, state);
            let server = repository.get_instance(&fleet.tenant, id).await.unwrap();
            assert_eq!(server.lifecycle, Lifecycle::Live);
            assert!(list(None).await.is_empty());
        }
    }
}
