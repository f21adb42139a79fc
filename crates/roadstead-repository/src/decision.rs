//! What a person decides about an operation that waits for one.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{Code, OperationId};

use crate::answers::once;
use crate::apply::hold;
use crate::db::{Connection, Repository, detached, read, run};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::operations::unfinished;
use crate::record::{
    AuditEntry, ErrorRecord, Lifecycle, OpenFilter, Operation, OperationKind, OperationState,
};
use crate::schema::{operations, vps_instances};
use crate::types::{Id, Time};
use crate::{audit, row};

/// What a person decides about an operation that waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Look at the vendor again.
    Retry,
    /// It was done as asked.
    Done,
    /// It was not done; the server stays as it is.
    Failed,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 3] = [Self::Retry, Self::Done, Self::Failed];

    /// Returns the word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Reads the word used in JSON.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

impl Repository {
    /// Returns the operations of all organizations that are not over and that a filter asks for,
    /// the oldest first, from behind `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_open_operations(
        &self,
        filter: &OpenFilter,
        after: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>> {
        let after = after.map_or(uuid::Uuid::nil(), |it| it.0);
        let rows: Vec<row::Operation> = read!(self.db, c => {
            let mut query = operations::table
                .filter(unfinished())
                .filter(operations::state.eq(filter.state.as_str()))
                .filter(operations::id.gt(Id(after)))
                .order(operations::id)
                .limit(i64::from(limit))
                .select(row::Operation::as_select())
                .into_boxed();
            if let Some(provider) = filter.provider {
                query = query.filter(operations::provider_id.eq(Id(provider.0)));
            }
            if let Some(organization) = filter.organization {
                query = query.filter(operations::organization_id.eq(Id(organization.0)));
            }
            query.load(c).await
        })?;
        rows.into_iter().map(row::Operation::into_record).collect()
    }

    /// Does what a person has decided about an operation, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such operation; [`Error::Changed`] if it does not wait
    /// for a person; [`Error::Conflict`] if another one is at work on the server.
    pub async fn decide_operation(
        &self,
        id: OperationId,
        decision: Decision,
        audit: AuditEntry,
    ) -> Result<Operation> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, decide(&mut tx, Id(id.0), decision, &audit));
            let (operation, wiped) = tx.finish(outcome).await?;
            repository.told();
            if wiped {
                repository.forget_log().await;
            }
            Ok(operation)
        })
        .await
    }
}

async fn decide(
    tx: &mut Connection,
    id: Id,
    decision: Decision,
    audit: &AuditEntry,
) -> Result<(Operation, bool)> {
    let found = operations::table.find(id);
    let row: Option<row::Operation> = match tx {
        Connection::Postgres(object) => {
            let locked = found.select(row::Operation::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => found
            .select(row::Operation::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    let row = row.ok_or(Error::NotFound { what: "operation" })?;
    if row.state()? != OperationState::Attention {
        return Err(Error::Changed { what: "operation" });
    }
    let now = tx.now().await?;
    let kind = row.kind()?;
    let instance = hold(tx, row.instance_id).await?;
    let is_bound = instance.remote_id.is_some();
    let state = match decision {
        // A bound create is looked at by its id, as is everything that is sent to a server.
        Decision::Retry if kind == OperationKind::Create && is_bound => OperationState::Waiting,
        Decision::Retry => OperationState::Resolving,
        Decision::Done => OperationState::Succeeded,
        Decision::Failed => OperationState::Failed,
    };
    let ends = state.is_final();
    let error = ErrorRecord {
        code: Code::UnknownError.as_str().to_owned(),
        message: "an operator has decided that it was not done".to_owned(),
        field: None,
    };
    let error = (state == OperationState::Failed)
        .then(|| row::json("this error", &error))
        .transpose()?;
    let wipe = (
        operations::secret.eq(None::<Vec<u8>>),
        operations::secret_key.eq(None::<i64>),
    );
    let changes = (
        operations::state.eq(state.as_str()),
        operations::due_at.eq(now),
        operations::empty_looks.eq(0),
        operations::error.eq(error),
        ends.then_some(wipe),
        operations::lease_until.eq(None::<Time>),
        operations::worker.eq(None::<Id>),
        operations::updated_at.eq(now),
        operations::finished_at.eq(ends.then_some(now)),
    );
    let after: row::Operation = run!(tx, c => diesel::update(operations::table.find(id))
        .set(changes).returning(row::Operation::as_returning()).get_result(c).await)
    .map_err(Error::taken("another operation is at work on the server"))?;
    let mut told = Told::default();
    told.operation(&after, now)?;
    move_server(tx, &instance, kind, decision, now, &mut told).await?;
    audit::append(tx, audit, now).await?;
    told.write(tx).await?;
    let wiped = row.secret.is_some() && after.secret.is_none();
    Ok((after.into_record()?, wiped))
}

/// Takes the server along, by the edges that its life has.
async fn move_server(
    tx: &mut Connection,
    instance: &row::Instance,
    kind: OperationKind,
    decision: Decision,
    now: Time,
    told: &mut Told,
) -> Result<()> {
    let is_bound = instance.remote_id.is_some();
    let kept = if is_bound {
        Lifecycle::Live
    } else {
        Lifecycle::Failed
    };
    let is_delete = kind == OperationKind::Delete;
    let steps: Vec<Lifecycle> = match (instance.lifecycle()?, decision) {
        (Lifecycle::Deleting, Decision::Done) if is_delete => vec![Lifecycle::Deleted],
        (Lifecycle::Attention, Decision::Done) if is_delete => {
            vec![Lifecycle::Deleting, Lifecycle::Deleted]
        }
        (Lifecycle::Deleting, Decision::Failed) if is_delete => {
            vec![Lifecycle::Attention, kept]
        }
        (Lifecycle::Attention, Decision::Retry) if is_delete => vec![Lifecycle::Deleting],
        (Lifecycle::Attention, Decision::Retry) if !is_bound => vec![],
        (Lifecycle::Attention, _) => vec![kept],
        _ => vec![],
    };
    let mut after = None;
    for step in steps {
        let changes = (
            vps_instances::lifecycle.eq(step.as_str()),
            vps_instances::problem.eq(None::<String>),
            vps_instances::updated_at.eq(now),
        );
        let row: row::Instance = run!(tx, c => diesel::update(vps_instances::table.find(instance.id))
            .set(changes).returning(row::Instance::as_returning()).get_result(c).await)?;
        after = Some(row);
    }
    match after {
        Some(after) => told.instance(&after, now),
        None => Ok(()),
    }
}
