//! Operations whose outcome nobody can prove, as a worker leaves them.

use std::time::Duration;

use roadstead_core::{InstanceId, OperationId, OrgId, ProviderId};
use roadstead_repository::{
    AuditEntry, Change, Claim, Doubt, ErrorRecord, InstanceChange, Lifecycle, NewOperation,
    OperationKind, OperationState, Request, Suspect, SweepClaim, SweepFindings, Tenant,
};
use serde_json::json;
use uuid::Uuid;

use crate::app::TestApp;

/// What is said of them.
pub(crate) const WHY: &str = "the provider's answer was lost";

/// Has the create of a server wait for a person.
pub(crate) async fn about_a_create(app: &TestApp, label: &str) -> OperationId {
    let id = app.create(label).await;
    let claim = claim(app, id).await;
    app.repository.apply(&claim, &in_doubt()).await.unwrap();
    claim.operation.id
}

/// Has something that was asked of a live server wait for a person.
pub(crate) async fn about(app: &TestApp, label: &str, kind: OperationKind) -> OperationId {
    let (id, org) = live(app, label, &format!("remote-of-{label}")).await;
    let tenant = Tenant { org };
    let operation = NewOperation {
        id: OperationId::fresh(),
        kind,
        request: Request {
            plain: json!({}),
            secret: None,
        },
    };
    let accepted = app
        .repository
        .accept_action(&tenant, id, operation, audit(org, id));
    accepted.await.unwrap();
    let claim = claim(app, id).await;
    app.repository.apply(&claim, &in_doubt()).await.unwrap();
    claim.operation.id
}

/// Makes a server that is bound to one at the vendor.
pub(crate) async fn live(app: &TestApp, label: &str, remote: &str) -> (InstanceId, OrgId) {
    let id = app.create(label).await;
    let created = claim(app, id).await;
    let mut live = change(OperationState::Succeeded);
    live.instance.lifecycle = Some(Lifecycle::Live);
    live.instance.remote = Some(remote.to_owned().into());
    app.repository.apply(&created, &live).await.unwrap();
    (id, created.operation.organization)
}

/// Has a live server be missing at the vendor.
pub(crate) async fn miss(app: &TestApp, account: ProviderId, label: &str) -> InstanceId {
    let remote = "4711";
    let (id, _) = live(app, label, remote).await;
    let claim = sweep(app, account).await;
    let findings = SweepFindings {
        absent: vec![id],
        ..SweepFindings::default()
    };
    app.repository.record_sweep(&claim, findings).await.unwrap();
    let remote = remote.to_owned().into();
    assert!(app.repository.miss(&claim, id, &remote).await.unwrap());
    id
}

/// Puts a server of an account into the quarantine.
pub(crate) async fn quarantine(
    app: &TestApp,
    account: ProviderId,
    remote: &str,
    name: &str,
) -> Uuid {
    let claim = sweep(app, account).await;
    let suspect = Suspect {
        remote: remote.to_owned().into(),
        name: name.to_owned(),
        tags: vec!["rs:d:somebody".to_owned()],
        created: None,
        instance: None,
        doubt: Doubt::Unknown,
    };
    let findings = SweepFindings {
        suspects: vec![suspect],
        ..SweepFindings::default()
    };
    app.repository.record_sweep(&claim, findings).await.unwrap();
    let all = app.repository.quarantine_of(account).await.unwrap();
    let mut all = all.into_iter();
    all.find(|it| it.remote.as_str() == remote).unwrap().id
}

async fn sweep(app: &TestApp, account: ProviderId) -> SweepClaim {
    let claims = app
        .repository
        .claim_sweeps(Uuid::now_v7(), Duration::ZERO, Duration::ZERO)
        .await;
    let mut claims = claims.unwrap().into_iter();
    claims.find(|it| it.provider == account).unwrap()
}

/// Returns how far the life of a server has come.
pub(crate) async fn lifecycle(app: &TestApp, operation: OperationId) -> Lifecycle {
    let operation = app.repository.find_operation(operation).await.unwrap();
    let operation = operation.unwrap();
    let tenant = Tenant {
        org: operation.organization,
    };
    let server = app.repository.get_instance(&tenant, operation.instance);
    server.await.unwrap().lifecycle
}

async fn claim(app: &TestApp, id: InstanceId) -> Claim {
    let lease = Duration::from_secs(30);
    let claims = app.repository.claim(Uuid::now_v7(), lease, 100).await;
    let mut claims = claims.unwrap().into_iter();
    claims.find(|it| it.instance.id == id).unwrap()
}

fn in_doubt() -> Change {
    let mut change = change(OperationState::Attention);
    change.error = Some(ErrorRecord {
        code: "UNKNOWN_ERROR".to_owned(),
        message: WHY.to_owned(),
        field: None,
    });
    change.instance.lifecycle = Some(Lifecycle::Attention);
    change.instance.problem = Some(Some(WHY.to_owned()));
    change
}

fn change(state: OperationState) -> Change {
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

fn audit(org: OrgId, id: InstanceId) -> AuditEntry {
    AuditEntry {
        organization: Some(org),
        user: None,
        action: "instance.action",
        subject: id.to_string(),
        request_id: None,
        details: json!({}),
        key: None,
    }
}
