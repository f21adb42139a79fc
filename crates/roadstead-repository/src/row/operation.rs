//! Rows of `operations` and `attempts`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use roadstead_core::{InstanceId, LogPlace, OperationId, OrgId, ProviderId};
use serde_json::Value;

use super::plan::read_terms;
use super::{number, parse, word};
use crate::error::Result;
use crate::record::{self, OperationKind, OperationState, Terms};
use crate::schema::{attempts, operations};
use crate::types::{Id, Time};

/// The member of a request that holds what the server costs once it is done.
pub(crate) const TERMS: &str = "terms";

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = operations, treat_none_as_default_value = false)]
pub(crate) struct Operation {
    pub(crate) id: Id,
    pub(crate) organization_id: Id,
    pub(crate) provider_id: Id,
    pub(crate) instance_id: Id,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) sent_at: Option<Time>,
    pub(crate) empty_looks: i32,
    pub(crate) remote: Option<Value>,
    pub(crate) progress: Option<i32>,
    pub(crate) error: Option<Value>,
    pub(crate) request: Value,
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) secret_key: Option<i64>,
    pub(crate) due_at: Time,
    pub(crate) lease_until: Option<Time>,
    pub(crate) worker: Option<Id>,
    pub(crate) epoch: i64,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) finished_at: Option<Time>,
    pub(crate) request_id: Option<String>,
    pub(crate) log_place: Option<String>,
    pub(crate) orphaned_attempts: i32,
    pub(crate) failing_since: Option<Time>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
pub(crate) struct Attempt {
    pub(crate) operation_id: Id,
    pub(crate) number: i32,
    pub(crate) sent_at: Time,
    pub(crate) digest: Vec<u8>,
    pub(crate) outcome: Option<String>,
    pub(crate) ended_at: Option<Time>,
}

impl Operation {
    /// Returns where the secret of an operation is sealed to.
    pub(crate) fn place(id: Id) -> String {
        format!("operations/{}/secret", id.0)
    }

    pub(crate) fn kind(&self) -> Result<OperationKind> {
        word("operations.kind", OperationKind::from_word(&self.kind))
    }

    pub(crate) fn state(&self) -> Result<OperationState> {
        word("operations.state", OperationState::from_word(&self.state))
    }

    /// Returns what its server costs once it has succeeded, where it was accepted with that.
    pub(crate) fn terms(&self) -> Result<Option<Terms>> {
        self.request
            .get(TERMS)
            .map(|it| read_terms(it.clone()))
            .transpose()
    }

    /// Returns whether members see something else than `before`.
    pub(crate) fn looks_other_than(&self, before: &Self) -> bool {
        self.state != before.state || self.progress != before.progress || self.error != before.error
    }

    pub(crate) fn into_record(self) -> Result<record::Operation> {
        Ok(record::Operation {
            id: OperationId(self.id.0),
            organization: OrgId(self.organization_id.0),
            provider: ProviderId(self.provider_id.0),
            instance: InstanceId(self.instance_id.0),
            kind: self.kind()?,
            state: self.state()?,
            attempts: number("operations.attempts", self.attempts)?,
            sent_at: self.sent_at.map(|it| it.0),
            empty_looks: number("operations.empty_looks", self.empty_looks)?,
            remote: self
                .remote
                .map(|it| parse("operations.remote", it))
                .transpose()?,
            progress: self
                .progress
                .map(|it| number("operations.progress", it))
                .transpose()?,
            error: self
                .error
                .map(|it| parse("operations.error", it))
                .transpose()?,
            due_at: self.due_at.0,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            finished_at: self.finished_at.map(|it| it.0),
            request_id: self.request_id,
            log_place: self.log_place.map(LogPlace::from),
            orphaned_attempts: number("operations.orphaned_attempts", self.orphaned_attempts)?,
            failing_since: self.failing_since.map(|it| it.0),
        })
    }
}
