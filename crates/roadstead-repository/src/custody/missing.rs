//! Servers that their vendors have no more, and an operator's word that they are gone.

use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, RemoteId};
use uuid::Uuid;

use super::at_rest;
use crate::answers::once;
use crate::apply::hold;
use crate::db::{Connection, Repository, detached, read, run, written};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::record::{AuditEntry, Instance, Lifecycle};
use crate::schema::vps_instances;
use crate::types::Id;
use crate::{audit, instances, row};

impl Repository {
    /// Returns the missing servers of all organizations in the order in which they were made,
    /// from behind `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_missing(
        &self,
        after: Option<InstanceId>,
        limit: u32,
    ) -> Result<Vec<Instance>> {
        let after = after.map_or(Uuid::nil(), |it| it.0);
        let rows: Vec<row::Instance> = read!(self.db, c => vps_instances::table
            .filter(written::<Bool>("vps_instances.lifecycle = 'missing'"))
            .filter(vps_instances::id.gt(Id(after)))
            .order(vps_instances::id)
            .limit(i64::from(limit))
            .select(row::Instance::as_select()).load(c).await)?;
        rows.into_iter().map(row::Instance::into_record).collect()
    }

    /// Ends the record of a missing server of which the vendor has just said once more that there
    /// is none.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such server; [`Error::Changed`] if it is not missing, or
    /// bound to another id; [`Error::Busy`] while something is at work on it.
    pub async fn settle_missing(
        &self,
        instance: InstanceId,
        remote: &RemoteId,
        audit: AuditEntry,
    ) -> Result<Instance> {
        let (repository, remote) = (self.clone(), remote.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                settle(&mut tx, Id(instance.0), &remote, &audit)
            );
            let settled = tx.finish(outcome).await?;
            repository.told();
            Ok(settled)
        })
        .await
    }
}

async fn settle(
    tx: &mut Connection,
    id: Id,
    remote: &RemoteId,
    audit: &AuditEntry,
) -> Result<Instance> {
    let before = hold(tx, id).await.map_err(|error| match error {
        Error::NotFound { .. } => instances::missing(),
        other => other,
    })?;
    let is_same = before.remote_id.as_deref() == Some(remote.as_str());
    if before.lifecycle()? != Lifecycle::Missing || !is_same {
        return Err(Error::Changed { what: "server" });
    }
    at_rest(tx, id).await?;
    let now = tx.now().await?;
    let changes = (
        vps_instances::lifecycle.eq(Lifecycle::Deleted.as_str()),
        vps_instances::problem.eq(None::<String>),
        vps_instances::updated_at.eq(now),
    );
    let after: row::Instance = run!(tx, c => diesel::update(vps_instances::table.find(id))
        .set(changes).returning(row::Instance::as_returning()).get_result(c).await)?;
    audit::append(tx, audit, now).await?;
    let mut told = Told::default();
    told.instance(&after, now)?;
    told.write(tx).await?;
    after.into_record()
}
