//! Letting a server go: asked for by an operator, and written once the vendor has shown it.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, crash_point};
use uuid::Uuid;

use super::moving;
use crate::accept::{accepted, again, busy, unsealed};
use crate::db::{Connection, Repository, detached, run};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::record::{
    Accepted, AuditEntry, Doubt, Lifecycle, NewOperation, OperationKind, Parting, QuarantineState,
};
use crate::schema::{absences, operations, quarantine, vps_instances};
use crate::types::{Id, Time};
use crate::{answers, audit, instances, row};

impl Repository {
    /// Puts the release of a server on record, in one transaction. A second one gives back what
    /// is on record already.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such server, or if it is deleted or let go already;
    /// [`Error::Busy`] while something else is at work on it; [`Error::WrongState`] if it is not
    /// live; [`Error::KeyReused`] if the key came with another request.
    pub async fn accept_release(
        &self,
        instance: InstanceId,
        operation: NewOperation,
        audit: AuditEntry,
    ) -> Result<Accepted> {
        if operation.kind != OperationKind::Release {
            return Err(Error::Invalid {
                what: "a release with anything but `release`",
            });
        }
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = accept(&mut tx, Id(instance.0), &operation, &audit).await;
            crash_point!("release", "t1_before");
            let accepted = tx.finish(outcome).await?;
            crash_point!("release", "t1_after");
            repository.told();
            Ok(accepted)
        })
        .await
    }
}

async fn accept(
    tx: &mut Connection,
    id: Id,
    operation: &NewOperation,
    audit: &AuditEntry,
) -> Result<Accepted> {
    if let Some(earlier) = answers::take(tx, audit).await? {
        return Ok(again(earlier));
    }
    let now = tx.now().await?;
    let instance = find(tx, id).await?;
    let lifecycle = instance.lifecycle()?;
    if lifecycle == Lifecycle::Deleted {
        return Err(instances::missing());
    }
    let moving = moving(tx, id).await?;
    let release = OperationKind::Release.as_str();
    if let Some(earlier) = moving.iter().find(|it| it.kind == release) {
        let accepted = accepted(instance, earlier.clone(), true)?;
        answers::keep(tx, audit, &accepted).await?;
        return Ok(accepted);
    }
    if let [moving, ..] = moving.as_slice() {
        return Err(busy(moving)?);
    }
    if lifecycle != Lifecycle::Live || instance.remote_id.is_none() {
        return Err(Error::WrongState { lifecycle });
    }
    let operation = unsealed(operation, audit, &instance, now);
    run!(tx, c => diesel::insert_into(operations::table).values(&operation).execute(c).await)?;
    audit::append(tx, audit, now).await?;
    let mut told = Told::default();
    told.operation(&operation, now)?;
    told.write(tx).await?;
    let accepted = accepted(instance, operation, false)?;
    answers::keep(tx, audit, &accepted).await?;
    Ok(accepted)
}

/// Returns a server of whichever organization and holds it until the end of the transaction.
async fn find(tx: &mut Connection, id: Id) -> Result<row::Instance> {
    let found = vps_instances::table.find(id);
    let row = match tx {
        Connection::Postgres(object) => {
            let locked = found.select(row::Instance::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => found
            .select(row::Instance::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    row.ok_or_else(instances::missing)
}

/// Notes that a server was let go, so that nobody here touches it again, whatever it is called.
/// Its life ends by the way that a delete takes, of which it is the last step that is left.
pub(crate) async fn let_go(
    tx: &mut Connection,
    instance: &row::Instance,
    parting: &Parting,
    now: Time,
) -> Result<()> {
    run!(tx, c => diesel::update(vps_instances::table.find(instance.id))
        .set(vps_instances::lifecycle.eq(Lifecycle::Deleting.as_str())).execute(c).await)?;
    run!(tx, c => diesel::delete(absences::table.find(instance.id)).execute(c).await)?;
    let remote = parting.remote.as_str();
    let of_it = quarantine::table
        .filter(quarantine::provider_id.eq(instance.provider_id))
        .filter(quarantine::remote_id.eq(remote));
    let known: Option<Id> = run!(tx, c => of_it.select(quarantine::id).first(c).await.optional())?;
    let seen = (
        quarantine::name.eq(&parting.name),
        quarantine::tags.eq(row::json("these tags", &parting.tags)?),
        quarantine::remote_created_at.eq(parting.created.map(Time::from)),
        quarantine::instance_id.eq(Some(instance.id)),
        quarantine::reason.eq(Doubt::Dismissed.as_str()),
        quarantine::state.eq(QuarantineState::Released.as_str()),
        quarantine::last_seen_at.eq(now),
        quarantine::ended_at.eq(Some(now)),
    );
    if let Some(id) = known {
        run!(tx, c => diesel::update(quarantine::table.find(id)).set(seen).execute(c).await)?;
        return Ok(());
    }
    let new = (
        quarantine::id.eq(Id(Uuid::now_v7())),
        quarantine::provider_id.eq(instance.provider_id),
        quarantine::remote_id.eq(remote),
        quarantine::first_seen_at.eq(now),
    );
    run!(tx, c => diesel::insert_into(quarantine::table).values((new, seen)).execute(c).await)?;
    Ok(())
}
