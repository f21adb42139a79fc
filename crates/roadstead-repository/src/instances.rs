//! Reading servers, and what members change about them.

mod list;
mod search;

use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::InstanceId;

use crate::answers::once;
use crate::db::{Connection, Repository, Written, detached, read, run, written};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::record::{AuditEntry, Instance, InstancePatch};
use crate::schema::vps_instances;
use crate::types::{Id, Time};
use crate::{Tenant, audit, row};

pub(crate) const fn missing() -> Error {
    Error::NotFound { what: "instance" }
}

/// Servers that are not deleted. Written out, because a bound value would hide from the
/// databases that the partial indexes of pages fit.
fn kept() -> Written<Bool> {
    written("vps_instances.lifecycle <> 'deleted'")
}

impl Repository {
    /// Returns one of the tenant's servers; a deleted one too, so that its end can be told from
    /// its absence.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, or if it is another tenant's: the two look alike on
    /// purpose.
    pub async fn get_instance(&self, tenant: &Tenant, id: InstanceId) -> Result<Instance> {
        let row = read!(self.db, c => vps_instances::table.find(Id(id.0))
            .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
            .select(row::Instance::as_select()).first(c).await.optional())?;
        row.ok_or_else(missing)?.into_record()
    }

    /// Returns the labels of those of the tenant's servers that have these ids, deleted ones too.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn instance_labels(
        &self,
        tenant: &Tenant,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, String)>> {
        let ids: Vec<Id> = ids.iter().map(|it| Id(it.0)).collect();
        let found: Vec<(Id, String)> = read!(self.db, c => vps_instances::table
            .filter(vps_instances::id.eq_any(&ids))
            .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
            .select((vps_instances::id, vps_instances::label)).load(c).await)?;
        let own = |(id, label): (Id, String)| (InstanceId(id.0), label);
        Ok(found.into_iter().map(own).collect())
    }

    /// Changes what members say about a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, if it is another tenant's, or if it is deleted.
    pub async fn update_instance(
        &self,
        tenant: &Tenant,
        id: InstanceId,
        patch: InstancePatch,
        audit: AuditEntry,
    ) -> Result<Instance> {
        let (repository, tenant) = (self.clone(), *tenant);
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                update(&mut tx, &tenant, Id(id.0), &patch, &audit)
            );
            let instance = tx.finish(outcome).await?;
            repository.told();
            Ok(instance)
        })
        .await
    }
}

/// Returns one of the tenant's servers and holds it for a change until the end of the
/// transaction.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, or if it is another tenant's.
pub(crate) async fn lock(tx: &mut Connection, tenant: &Tenant, id: Id) -> Result<row::Instance> {
    let theirs = vps_instances::table
        .find(id)
        .filter(vps_instances::organization_id.eq(Id(tenant.org.0)));
    let row = match tx {
        Connection::Postgres(object) => {
            let locked = theirs.select(row::Instance::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => theirs
            .select(row::Instance::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    row.ok_or_else(missing)
}

async fn update(
    tx: &mut Connection,
    tenant: &Tenant,
    id: Id,
    patch: &InstancePatch,
    audit: &AuditEntry,
) -> Result<Instance> {
    let now = Time::now();
    let tags = patch
        .tags
        .as_ref()
        .map(|it| row::json("these tags", it))
        .transpose()?;
    let changes = (
        patch.label.as_ref().map(|it| vps_instances::label.eq(it)),
        patch
            .label
            .as_ref()
            .map(|it| vps_instances::label_folded.eq(it.to_lowercase())),
        tags.map(|it| vps_instances::tags.eq(it)),
        patch.notes.as_ref().map(|it| vps_instances::notes.eq(it)),
        vps_instances::updated_at.eq(now),
    );
    let row = run!(tx, c => diesel::update(vps_instances::table.find(id))
        .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
        .filter(kept()).set(changes)
        .returning(row::Instance::as_returning()).get_result(c).await.optional())?;
    let row = row.ok_or_else(missing)?;
    audit::append(tx, audit, now).await?;
    let mut told = Told::default();
    told.instance(&row, now)?;
    told.write(tx).await?;
    row.into_record()
}
