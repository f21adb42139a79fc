//! What an operator decides about servers that nobody can vouch for, and about missing ones.

use roadstead_core::{Action, CreateKey, InstanceId};
use roadstead_repository::Backend;
use roadstead_service::{
    Accepted, Adoption, Decided, Error, Lifecycle, MissingDecision, OpenFilter, OperationKind,
    OperationState, PageRequest, QuarantineDecision, QuarantineState, Quarantined,
};
use uuid::Uuid;

use crate::custody::{field, living, name_of, tags_of};
use crate::stage::{Stage, at_each_vendor, swept};
use crate::sweep::{QUARANTINE, SWEEPS, deletes, deployment, make};

at_each_vendor! {
    staged(swept);

    async fn after_a_restored_backup_younger_servers_are_adopted(stage: &Stage) {
        let kept = stage.running("web").await;
        let lost = stage.running("lost").await;
        stage.halt().await;
        forget(stage, lost.id).await;
        let mark = stage.mark();
        stage.start(1);
        let entry = entry(stage).await;
        assert_eq!((&entry.remote, entry.instance), (lost.remote.as_ref().unwrap(), Some(lost.id)));
        let both = async || stage.living().len() == 2 && stage.changes(mark).is_empty();
        stage.stays("nothing is deleted", SWEEPS, both).await;

        let nobodys = decide(stage, entry.id, adopt(None)).await.unwrap_err();
        assert_eq!(field(&nobodys), "organization_id");
        let organization = Some(stage.organization());
        let Ok(Decided::Adopted(adopted)) = decide(stage, entry.id, adopt(organization)).await else {
            panic!("it is not adopted");
        };
        stage.succeeds(adopted.operation.id).await;
        assert!(entries(stage).await.is_empty());
        let server = stage.server(adopted.instance.id).await;
        assert_eq!((server.lifecycle, &server.remote), (Lifecycle::Live, &lost.remote));
        let there = living(stage, &entry.remote);
        // Its name keeps the mark of a server that there is no more; its tags do not.
        assert_eq!(name_of(&there), lost.remote_name);
        assert_eq!(server.label, lost.remote_name);
        let key = CreateKey::new(&deployment(stage).await, server.id.0, "");
        assert!(tags_of(&there).contains(&key.instance_tag()));
        assert_eq!(tags_of(&there).iter().filter(|it| it.starts_with("rs:i:")).count(), 1);
        let again = decide(stage, entry.id, adopt(organization)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        stage.agrees().await;
        let delete = stage.act(server.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        stage.is_the_only_one(kept.id).await;
        assert_eq!(stage.rows.lines(QUARANTINE).await, ["unknown imported"]);
    }

    async fn one_that_failed_or_was_dismissed_is_taken_back(stage: &Stage) {
        for end in ["'failed'", "'deleted'"] {
            let server = stage.running("web").await;
            stage.halt().await;
            // As an operator decides about an operation, though the server is there.
            stage.rows.execute("DELETE FROM attempts").await;
            if end == "'deleted'" {
                stage.rows.execute("UPDATE vps_instances SET lifecycle = 'deleting' \
                    WHERE lifecycle = 'live'").await;
            }
            stage.rows.execute(&format!("UPDATE vps_instances SET lifecycle = {end} \
                WHERE lifecycle IN ('live', 'deleting')")).await;
            stage.start(1);
            let entry = entry(stage).await;
            assert_eq!(entry.instance, Some(server.id));
            let elsewhere = stage.stranger().session.memberships[0].organization.id;
            // Another organization would get a server of its own.
            assert_ne!(elsewhere, stage.organization());
            let Ok(Decided::Adopted(adopted)) = decide(stage, entry.id, adopt(None)).await else {
                panic!("it is not taken back");
            };
            let Accepted { instance, operation, .. } = *adopted;
            assert_eq!((instance.id, instance.lifecycle), (server.id, Lifecycle::Attention));
            stage.succeeds(operation.id).await;
            stage.is_the_only_one(server.id).await;
            let back = stage.server(server.id).await;
            assert_eq!((back.label.as_str(), back.problem), ("web", None));
            assert_eq!(back.price, server.price);
            let delete = stage.act(server.id, OperationKind::Delete).await;
            stage.succeeds(delete.id).await;
        }
    }

    async fn one_that_is_let_go_is_shown_again_only_when_its_mark_changes(stage: &Stage) {
        let ours = deployment(stage).await;
        let id = Uuid::now_v7();
        let remote = make(stage, id, &ours, "made-by-hand").await;
        let entry = entry(stage).await;
        let mark = stage.mark();
        let Ok(Decided::Settled(settled)) = decide(stage, entry.id, QuarantineDecision::Release).await
        else {
            panic!("it is not let go");
        };
        assert_eq!(settled.state, QuarantineState::Released);
        for decision in [QuarantineDecision::Release, QuarantineDecision::Delete { name: entry.name.clone() }] {
            let again = decide(stage, entry.id, decision).await;
            assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        }
        let alone = async || entries(stage).await.is_empty() && stage.changes(mark).is_empty();
        stage.stays("it is left alone", SWEEPS, alone).await;
        // Another mark than the one that was decided about.
        let key = CreateKey { id: Uuid::now_v7(), deployment: ours.into(), name: "".into() };
        stage.direct().mark_instance(&remote, &key).await.unwrap();
        let shown = stage.until("it is shown again", async || entries(stage).await.pop()).await;
        assert_eq!(shown.id, entry.id);
        assert_eq!(deletes(stage, mark), 0);
    }

    async fn one_is_deleted_when_its_name_is_typed(stage: &Stage) {
        let kept = stage.running("web").await;
        let name = "made-by-hand";
        let remote = make(stage, Uuid::now_v7(), &deployment(stage).await, name).await;
        let entry = entry(stage).await;
        let mark = stage.mark();
        for wrong in ["", "Made-by-hand", "web", "made-by-hand "] {
            let decision = QuarantineDecision::Delete { name: wrong.to_owned() };
            assert_eq!(field(&decide(stage, entry.id, decision).await.unwrap_err()), "name");
        }
        assert!(stage.changes(mark).is_empty());
        let delete = || QuarantineDecision::Delete { name: name.to_owned() };
        let Ok(Decided::Settled(settled)) = decide(stage, entry.id, delete()).await else {
            panic!("it is not accepted");
        };
        assert_eq!(settled.state, QuarantineState::Open);
        assert!(settled.order.is_some());
        stage.until("it is gone", async || {
            let found = stage.platform.quarantined(&stage.operator(), entry.id).await.unwrap();
            (found.state == QuarantineState::Deleted).then_some(())
        }).await;
        assert!(entries(stage).await.is_empty());
        let paths: Vec<_> = stage.changes(mark).into_iter().map(|it| (it.method, it.path)).collect();
        let path = format!("{}/{remote}", stage.vendor.path);
        assert!(paths.iter().all(|it| *it == ("DELETE".to_owned(), path.clone())), "{paths:?}");
        assert!(!paths.is_empty());
        stage.is_the_only_one(kept.id).await;
        let log = "SELECT action AS line FROM audit_log WHERE action = 'quarantine.delete'";
        assert_eq!(stage.rows.lines(log).await.len(), 1);
    }

    async fn one_that_has_changed_since_the_decision_is_not_deleted(stage: &Stage) {
        let remote = make(stage, Uuid::now_v7(), &deployment(stage).await, "made-by-hand").await;
        let entry = entry(stage).await;
        stage.halt().await;
        let decision = QuarantineDecision::Delete { name: "made-by-hand".to_owned() };
        decide(stage, entry.id, decision).await.unwrap();
        let rename = Action::Rename { name: "precious".into() };
        stage.direct().perform_action(&remote, &rename).await.unwrap();
        stage.until("it is renamed", async || {
            (name_of(&living(stage, &remote)) == "precious").then_some(())
        }).await;
        let mark = stage.mark();
        stage.start(1);
        let order = stage.until("that is noticed", async || {
            let entry = entries(stage).await.pop()?;
            entry.order.filter(|it| it.refusal.is_some())
        }).await;
        assert!(order.refusal.unwrap().contains("another name"));
        assert_eq!(order.sent_at, None);
        assert_eq!(deletes(stage, mark), 0);
        // It can be decided about anew.
        let decision = QuarantineDecision::Delete { name: "precious".to_owned() };
        decide(stage, entry.id, decision).await.unwrap();
        stage.until("it is gone", async || stage.living().is_empty().then_some(())).await;
    }

    async fn a_missing_server_is_gone_only_by_the_providers_own_word(stage: &Stage) {
        let server = stage.running("web").await;
        let gone = server.remote.clone().unwrap();
        stage.direct().perform_action(&gone, &Action::Delete).await.unwrap();
        let [missing] = stage.until("it is missing", async || {
            <[_; 1]>::try_from(missing(stage).await).ok()
        }).await;
        assert_eq!((missing.id, missing.organization), (server.id, stage.organization()));
        let ended = settle(stage, server.id).await.unwrap();
        assert_eq!(ended.lifecycle, Lifecycle::Deleted);
        assert!(stage.servers().await.is_empty());
        let again = settle(stage, server.id).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let absent = settle(stage, InstanceId(Uuid::now_v7())).await;
        assert!(matches!(absent, Err(Error::NoSuchInstance)), "{absent:?}");

        // One that is there after all.
        let there = stage.running("other").await;
        stage.halt().await;
        stage.rows.execute("UPDATE vps_instances SET lifecycle = 'missing' WHERE lifecycle = 'live'").await;
        let mark = stage.mark();
        let refused = settle(stage, there.id).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        stage.start(1);
        stage.is_the_only_one(there.id).await;
        assert!(stage.changes(mark).is_empty());
        let refused = settle(stage, there.id).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }

    async fn with_somebody_elses_token_nothing_is_gone(stage: &Stage) {
        let server = stage.running("web").await;
        stage.halt().await;
        stage.rows.execute("UPDATE vps_instances SET lifecycle = 'missing'").await;
        stage.sim().set_token(roadstead_sim::TOKEN_FULL, Some("other"), roadstead_sim::Scopes::Full);
        let refused = settle(stage, server.id).await;
        assert!(matches!(refused, Err(Error::ProviderRefused(_))), "{refused:?}");
        assert_eq!(stage.server(server.id).await.lifecycle, Lifecycle::Missing);
    }

    async fn open_operations_are_listed_by_their_state(stage: &Stage) {
        stage.halt().await;
        let accepted = stage.create("web").await;
        let listed = async |state| {
            let filter = OpenFilter { state, ..OpenFilter::default() };
            let page = PageRequest::default();
            stage.platform.open_operations(&stage.operator(), &filter, &page).await
        };
        let ready = listed(OperationState::Ready).await.unwrap().items;
        assert_eq!(ready.iter().map(|it| it.id).collect::<Vec<_>>(), [accepted.operation.id]);
        assert!(listed(OperationState::Attention).await.unwrap().items.is_empty());
        assert_eq!(field(&listed(OperationState::Failed).await.unwrap_err()), "state");
        let nobodys = OpenFilter {
            state: OperationState::Ready,
            organization: Some(roadstead_core::OrgId(Uuid::now_v7())),
            ..OpenFilter::default()
        };
        let page = PageRequest::default();
        let none = stage.platform.open_operations(&stage.operator(), &nobodys, &page).await;
        assert!(none.unwrap().items.is_empty());
    }

    async fn two_decisions_at_a_time_are_one(stage: &Stage) {
        make(stage, Uuid::now_v7(), &deployment(stage).await, "made-by-hand").await;
        let entry = entry(stage).await;
        let organization = Some(stage.organization());
        let (one, other, third) = tokio::join!(
            decide(stage, entry.id, adopt(organization)),
            decide(stage, entry.id, QuarantineDecision::Release),
            decide(stage, entry.id, adopt(organization)),
        );
        let good = [&one, &other, &third].into_iter().filter(|it| it.is_ok()).count();
        assert_eq!(good, 1, "{one:?} {other:?} {third:?}");
        let nobodys = decide(stage, Uuid::now_v7(), QuarantineDecision::Release).await;
        assert!(matches!(nobodys, Err(Error::NotFound(_))), "{nobodys:?}");
    }
}

fn adopt(organization: Option<roadstead_core::OrgId>) -> QuarantineDecision {
    QuarantineDecision::Adopt(Adoption {
        organization,
        ..Adoption::default()
    })
}

async fn decide(stage: &Stage, id: Uuid, decision: QuarantineDecision) -> Result<Decided, Error> {
    stage
        .platform
        .decide_quarantined(&stage.operator(), id, decision)
        .await
}

async fn settle(stage: &Stage, id: InstanceId) -> Result<roadstead_service::Instance, Error> {
    stage
        .platform
        .decide_missing(&stage.operator(), id, MissingDecision::Gone)
        .await
}

async fn missing(stage: &Stage) -> Vec<roadstead_service::Instance> {
    let page = PageRequest::default();
    let operator = stage.operator();
    let listed = stage.platform.missing_servers(&operator, &page);
    listed.await.unwrap().items
}

async fn entries(stage: &Stage) -> Vec<Quarantined> {
    let page = PageRequest::default();
    let operator = stage.operator();
    let listed = stage.platform.quarantine(&operator, &page);
    listed.await.unwrap().items
}

/// Waits until something is in the quarantine.
async fn entry(stage: &Stage) -> Quarantined {
    stage
        .until("something is quarantined", async || {
            entries(stage).await.pop()
        })
        .await
}

/// Makes our books older than a server.
async fn forget(stage: &Stage, id: InstanceId) {
    let uuid = id.0.simple().to_string();
    let id = if stage.repository.backend() == Backend::Sqlite {
        format!("x'{uuid}'")
    } else {
        format!("'{uuid}'")
    };
    let of = format!("(SELECT id FROM operations WHERE instance_id = {id})");
    for statement in [
        format!("DELETE FROM attempts WHERE operation_id IN {of}"),
        format!("DELETE FROM operations WHERE instance_id = {id}"),
        format!("DELETE FROM absences WHERE instance_id = {id}"),
        format!("DELETE FROM vps_instances WHERE id = {id}"),
    ] {
        stage.rows.execute(&statement).await;
    }
}
