//! Reading operations, and the edges between their states.

use diesel::sql_types::{Bool, Nullable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use roadstead_core::{InstanceId, OperationId};

use crate::Tenant;
use crate::db::{Repository, Written, read, written};
use crate::error::{Error, Result};
use crate::record::{Operation, OperationSlice, OperationState};
use crate::row;
use crate::schema::operations;
use crate::types::{DbTime, Id, Time};

/// Operations that are not over, those that wait for a person among them. Written out, because a
/// bound value would hide from the databases that the partial indexes fit.
pub(crate) fn unfinished() -> Written<Bool> {
    written("operations.state NOT IN ('succeeded', 'failed')")
}

/// Operations that a worker may have to move. One that waits for a person does not move, and a
/// delete waits for everything else that moves at its server.
pub(crate) fn movable() -> Written<Bool> {
    written(
        "operations.state NOT IN ('succeeded', 'failed') AND operations.state <> 'attention' \
        AND (operations.kind <> 'delete' OR NOT EXISTS (\
            SELECT 1 FROM operations AS other \
            WHERE other.instance_id = operations.instance_id AND other.kind <> 'delete' \
            AND other.state NOT IN ('succeeded', 'failed') AND other.state <> 'attention'))",
    )
}

/// Refuses a step that the state machine does not have. The database refuses it as well.
pub(crate) fn check_edge(from: OperationState, to: OperationState) -> Result<()> {
    if from.may_become(to) {
        return Ok(());
    }
    Err(Error::IllegalEdge {
        machine: "an operation",
        from: from.as_str(),
        to: to.as_str(),
    })
}

impl Repository {
    /// Returns a page of a server's operations, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_operations(
        &self,
        tenant: &Tenant,
        instance: InstanceId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<OperationSlice> {
        let mut rows: Vec<row::Operation> = read!(self.db, c => {
            let mut query = operations::table
                .filter(operations::instance_id.eq(Id(instance.0)))
                .filter(operations::organization_id.eq(Id(tenant.org.0)))
                .order(operations::id.desc())
                .limit(i64::from(limit).saturating_add(1))
                .select(row::Operation::as_select())
                .into_boxed();
            if let Some(before) = before {
                query = query.filter(operations::id.lt(Id(before.0)));
            }
            query.load(c).await
        })?;
        // One more than asked for tells whether the list goes on.
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let goes_on = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| goes_on)
            .map(|it| OperationId(it.id.0));
        let items = rows.into_iter().map(row::Operation::into_record);
        Ok(OperationSlice {
            items: items.collect::<Result<_>>()?,
            next,
        })
    }

    /// Returns one of the tenant's operations.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, or if it is another tenant's.
    pub async fn get_operation(&self, tenant: &Tenant, id: OperationId) -> Result<Operation> {
        let row = read!(self.db, c => operations::table.find(Id(id.0))
            .filter(operations::organization_id.eq(Id(tenant.org.0)))
            .select(row::Operation::as_select()).first(c).await.optional())?;
        row.ok_or(Error::NotFound { what: "operation" })?
            .into_record()
    }

    /// Returns an operation of whichever organization, for operators.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_operation(&self, id: OperationId) -> Result<Option<Operation>> {
        let row: Option<row::Operation> = read!(self.db, c => operations::table.find(Id(id.0))
            .select(row::Operation::as_select()).first(c).await.optional())?;
        row.map(row::Operation::into_record).transpose()
    }

    /// Returns when the next operation may be claimed; it may be past. `None` when all is quiet.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        let earliest = written::<Nullable<DbTime>>(
            "MIN(CASE WHEN operations.lease_until > operations.due_at \
            THEN operations.lease_until ELSE operations.due_at END)",
        );
        let due: Option<Time> = read!(self.db, c => operations::table
            .filter(movable()).select(earliest).first(c).await)?;
        Ok(due.map(|it| it.0))
    }
}
