//! Putting imports on record: a server is bound before any vendor hears of it.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, crash_point};

use super::{at_rest, quarantine};
use crate::accept::{accepted, again, unsealed};
use crate::apply::hold;
use crate::db::{Connection, Repository, detached, run};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::record::{
    Accepted, AuditEntry, Becomes, Lifecycle, NewImport, NewOperation, OperationKind,
};
use crate::schema::{imports, operations, organizations, vps_instances};
use crate::types::{Id, Time};
use crate::{answers, audit, instances, providers, row, sweep};

const RETURNS: &str = "an operator takes this server back; the operation at work says how far";

const TAKEN: &str = "another request imports this server; look at what became of it";

impl Repository {
    /// Puts the import of a server on record, in one transaction: with the server bound already,
    /// so that nobody else binds it and no sweep doubts it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such account, organization or server of ours;
    /// [`Error::Bound`] if a server of ours is bound to it; [`Error::Changed`] if its entry in
    /// the quarantine was decided about; [`Error::Busy`] while something is at work on the server
    /// that it becomes; [`Error::WrongState`] if that one is neither failed nor deleted;
    /// [`Error::Conflict`] if it is being deleted, or if somebody else imports it now.
    pub async fn accept_import(
        &self,
        import: NewImport,
        operation: NewOperation,
        audit: AuditEntry,
    ) -> Result<Accepted> {
        if operation.kind != OperationKind::Import {
            return Err(Error::Invalid {
                what: "an import with anything but `import`",
            });
        }
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = accept(&mut tx, &import, &operation, &audit).await;
            crash_point!("import", "t1_before");
            let accepted = tx.finish(outcome).await?;
            crash_point!("import", "t1_after");
            repository.told();
            Ok(accepted)
        })
        .await
    }
}

async fn accept(
    tx: &mut Connection,
    import: &NewImport,
    operation: &NewOperation,
    audit: &AuditEntry,
) -> Result<Accepted> {
    if let Some(earlier) = answers::take(tx, audit).await? {
        return Ok(again(earlier));
    }
    let provider = Id(import.provider.0);
    let now = providers::hold(tx, provider).await?;
    let mut told = Told::default();
    // In this order, as whoever lets a server go: the server first, then its entry.
    take_from_former(tx, import, now).await?;
    let instance = match &import.becomes {
        Becomes::New(organization, new) => {
            let there: Option<Id> = run!(tx, c => organizations::table.find(Id(organization.0))
                .select(organizations::id).first(c).await.optional())?;
            there.ok_or(Error::NotFound {
                what: "organization",
            })?;
            let mut row = row::Instance::new(*organization, new, now)?;
            row.remote_id = Some(import.remote.as_str().to_owned());
            run!(tx, c => diesel::insert_into(vps_instances::table).values(&row).execute(c).await)
                .map_err(Error::taken(TAKEN))?;
            row
        }
        Becomes::Again(id) => take_back(tx, import, *id, now).await?,
    };
    told.instance(&instance, now)?;
    quarantine::import(tx, import, now).await?;
    sweep::take_back(tx, provider, &import.remote, now).await?;
    keep(tx, import, instance.id, now).await?;
    let operation = unsealed(operation, audit, &instance, now);
    run!(tx, c => diesel::insert_into(operations::table).values(&operation).execute(c).await)?;
    told.operation(&operation, now)?;
    audit::append(tx, audit, now).await?;
    let accepted = accepted(instance, operation, false)?;
    answers::keep(tx, audit, &accepted).await?;
    told.write(tx).await?;
    Ok(accepted)
}

/// Takes the vendor's id from a server that was bound to it once and is over.
async fn take_from_former(tx: &mut Connection, import: &NewImport, now: Time) -> Result<()> {
    let bound = vps_instances::table
        .filter(vps_instances::provider_id.eq(Id(import.provider.0)))
        .filter(vps_instances::remote_id.eq(Some(import.remote.as_str())));
    let former: Option<row::Instance> = match tx {
        Connection::Postgres(object) => {
            let locked = bound.select(row::Instance::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => bound
            .select(row::Instance::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    let Some(former) = former else {
        return Ok(());
    };
    if !matches!(former.lifecycle()?, Lifecycle::Failed | Lifecycle::Deleted) {
        return Err(Error::Bound {
            instance: InstanceId(former.id.0),
        });
    }
    at_rest(tx, former.id).await?;
    let changes = (
        vps_instances::remote_id.eq(None::<String>),
        vps_instances::updated_at.eq(now),
    );
    run!(tx, c => diesel::update(vps_instances::table.find(former.id))
        .set(changes).execute(c).await)?;
    Ok(())
}

/// Takes back a server that had failed or was deleted. It waits in `attention`, where no sweep
/// touches it, until the operation is over.
async fn take_back(
    tx: &mut Connection,
    import: &NewImport,
    id: InstanceId,
    now: Time,
) -> Result<row::Instance> {
    let before = hold(tx, Id(id.0)).await.map_err(|error| match error {
        Error::NotFound { .. } => instances::missing(),
        other => other,
    })?;
    let lifecycle = before.lifecycle()?;
    let is_over = matches!(lifecycle, Lifecycle::Failed | Lifecycle::Deleted);
    if !is_over || before.provider_id != Id(import.provider.0) {
        return Err(Error::WrongState { lifecycle });
    }
    at_rest(tx, before.id).await?;
    let changes = (
        vps_instances::lifecycle.eq(Lifecycle::Attention.as_str()),
        vps_instances::remote_id.eq(Some(import.remote.as_str())),
        vps_instances::problem.eq(Some(RETURNS)),
        vps_instances::updated_at.eq(now),
    );
    run!(tx, c => diesel::update(vps_instances::table.find(before.id)).set(changes)
        .returning(row::Instance::as_returning()).get_result(c).await)
    .map_err(Error::taken(TAKEN))
}

/// Keeps by what the server is known.
async fn keep(tx: &mut Connection, import: &NewImport, instance: Id, now: Time) -> Result<()> {
    run!(tx, c => diesel::delete(imports::table.find(instance)).execute(c).await)?;
    let values = (
        imports::instance_id.eq(instance),
        imports::provider_id.eq(Id(import.provider.0)),
        imports::remote_id.eq(import.remote.as_str()),
        imports::remote_created_at.eq(import.remote_created_at.map(Time::from)),
        imports::fingerprint.eq(&import.fingerprint),
        imports::created_at.eq(now),
    );
    run!(tx, c => diesel::insert_into(imports::table).values(values).execute(c).await)?;
    Ok(())
}
