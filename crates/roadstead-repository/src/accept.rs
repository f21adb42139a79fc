//! Putting intents on record: what a member asks for, before any vendor hears of it.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, OperationId, crash_point};

use crate::db::{Connection, Repository, Write, detached, read, run};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::operations::unfinished;
use crate::record::{
    Accepted, AuditEntry, IdempotencyKey, Lifecycle, NewInstance, NewOperation, OperationKind,
    OperationState,
};
use crate::schema::{audit_log, idempotency_keys, operations, vps_instances};
use crate::sealing::{Keyring, Sealed};
use crate::types::{Id, Time};
use crate::{Tenant, audit, instances, plans, row};

impl Repository {
    /// Puts a new server on record with the operation that creates it, in one transaction. A
    /// repeated key gives back what it put on record before.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] if the key came with another request, [`Error::NotFound`] if there
    /// is no such provider account, [`Error::Changed`] if the plan on sale is not as the sale
    /// saw it.
    pub async fn accept_create(
        &self,
        tenant: &Tenant,
        instance: NewInstance,
        operation: NewOperation,
        key: Option<IdempotencyKey>,
        audit: AuditEntry,
    ) -> Result<Accepted> {
        if operation.kind != OperationKind::Create {
            return Err(Error::Invalid {
                what: "a new server with anything but `create`",
            });
        }
        let (repository, tenant) = (self.clone(), *tenant);
        detached(async move {
            let sealed = seal(&repository.keys, &operation)?;
            let asked = Asked {
                tenant,
                operation,
                sealed,
                key,
                audit,
            };
            let mut tx = repository.db.begin().await?;
            let outcome = create(&mut tx, &asked, &instance).await;
            crash_point!("create", "t1_before");
            let accepted = tx.finish(outcome).await?;
            crash_point!("create", "t1_after");
            repository.told();
            Ok(accepted)
        })
        .await
    }

    /// Returns what an earlier request with the same key has put on record, if there was one. It
    /// is asked first, so that a repeat gets its answer whatever has changed since.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] if the key came with another request.
    pub async fn find_accepted(
        &self,
        tenant: &Tenant,
        key: &IdempotencyKey,
    ) -> Result<Option<Accepted>> {
        let organization = Id(tenant.org.0);
        let found: Option<(Vec<u8>, Option<Id>)> = read!(self.db, c => idempotency_keys::table
            .find((organization, &key.key))
            .select((idempotency_keys::hash, idempotency_keys::operation_id))
            .first(c).await.optional())?;
        let Some((hash, operation)) = found else {
            return Ok(None);
        };
        let operation = operation
            .filter(|_| hash == key.hash)
            .ok_or(Error::KeyReused)?;
        let operation = self.get_operation(tenant, OperationId(operation.0)).await?;
        let instance = self.get_instance(tenant, operation.instance).await?;
        Ok(Some(Accepted {
            instance,
            operation,
            replayed: true,
        }))
    }

    /// Puts an operation on a server on record, in one transaction. A repeated key, and a second
    /// delete, give back what is on record already.
    ///
    /// A delete is accepted while something else is at work on the server; it is not claimed
    /// before that has ended. A server that failed before the vendor gave it an id, and about
    /// which nothing is undecided, has nothing there: its delete is done at once.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such server, if it is another tenant's, or if it is
    /// deleted; [`Error::Busy`] while something else is at work on it; [`Error::WrongState`] if
    /// it is not live; [`Error::KeyReused`] if the key came with another request.
    pub async fn accept_action(
        &self,
        tenant: &Tenant,
        instance: InstanceId,
        operation: NewOperation,
        key: Option<IdempotencyKey>,
        audit: AuditEntry,
    ) -> Result<Accepted> {
        if operation.kind == OperationKind::Create {
            return Err(Error::Invalid {
                what: "`create` as an action on a server",
            });
        }
        let (repository, tenant) = (self.clone(), *tenant);
        detached(async move {
            let sealed = seal(&repository.keys, &operation)?;
            let asked = Asked {
                tenant,
                operation,
                sealed,
                key,
                audit,
            };
            let mut tx = repository.db.begin().await?;
            let outcome = act(&mut tx, &asked, Id(instance.0)).await;
            crash_point!(asked.operation.kind.as_str(), "t1_before");
            let accepted = tx.finish(outcome).await?;
            crash_point!(asked.operation.kind.as_str(), "t1_after");
            repository.told();
            Ok(accepted)
        })
        .await
    }
}

struct Asked {
    tenant: Tenant,
    operation: NewOperation,
    sealed: Option<Sealed>,
    key: Option<IdempotencyKey>,
    audit: AuditEntry,
}

async fn create(tx: &mut Connection, asked: &Asked, new: &NewInstance) -> Result<Accepted> {
    if let Some(earlier) = take_key(tx, asked).await? {
        return replay(tx, &asked.tenant, earlier).await;
    }
    let now = plans::hold(tx, new).await?;
    let instance = row::Instance::new(asked.tenant.org, new, now)?;
    let operation = ready(asked, &instance, now);
    let mut told = Told::default();
    told.instance(&instance, now)?;
    told.operation(&operation, now)?;
    write(tx, Some(&instance), &operation, asked, &told).await?;
    accepted(instance, operation, false)
}

/// Writes what was accepted: a new server, the operation, the line of the log, and the events.
/// On PostgreSQL they go in one flight.
async fn write(
    tx: &mut Connection,
    instance: Option<&row::Instance>,
    operation: &row::Operation,
    asked: &Asked,
    told: &Told,
) -> Result<()> {
    let instance = instance.map(|it| diesel::insert_into(vps_instances::table).values(it));
    let line = audit::line(&asked.audit, operation.created_at);
    let line = diesel::insert_into(audit_log::table).values(&line);
    match tx {
        Connection::Postgres(object) => {
            let operation = diesel::insert_into(operations::table).values(operation);
            let mut writes: Vec<Write<'_>> = Vec::with_capacity(3);
            if let Some(instance) = &instance {
                writes.push(instance);
            }
            writes.push(&operation);
            writes.push(&line);
            told.write_after(object, &writes).await
        }
        Connection::Sqlite(object) => {
            if let Some(instance) = instance {
                instance.execute(&mut **object).await?;
            }
            let operation = diesel::insert_into(operations::table).values(operation);
            operation.execute(&mut **object).await?;
            line.execute(&mut **object).await?;
            told.write_lite(object).await
        }
    }
}

async fn act(tx: &mut Connection, asked: &Asked, id: Id) -> Result<Accepted> {
    if let Some(earlier) = take_key(tx, asked).await? {
        return replay(tx, &asked.tenant, earlier).await;
    }
    let now = tx.now().await?;
    let mut told = Told::default();
    let mut instance = instances::lock(tx, &asked.tenant, id).await?;
    let lifecycle = instance.lifecycle()?;
    if lifecycle == Lifecycle::Deleted {
        return Err(instances::missing());
    }
    let unfinished: Vec<row::Operation> = run!(tx, c => operations::table
        .filter(operations::instance_id.eq(id)).filter(unfinished())
        .order(operations::id).select(row::Operation::as_select()).load(c).await)?;
    // One that waits for a person holds up no other.
    let attention = OperationState::Attention.as_str();
    let mut active = unfinished.iter().filter(|it| it.state != attention);

    let mut operation = ready(asked, &instance, now);
    if asked.operation.kind == OperationKind::Delete {
        let delete = OperationKind::Delete.as_str();
        if let Some(earlier) = active.find(|it| it.kind == delete) {
            point_key(tx, asked, earlier.id).await?;
            return accepted(instance, earlier.clone(), true);
        }
        let nothing_there =
            lifecycle == Lifecycle::Failed && instance.remote_id.is_none() && unfinished.is_empty();
        let next = if nothing_there {
            OperationState::Succeeded
                .as_str()
                .clone_into(&mut operation.state);
            (operation.secret, operation.secret_key) = (None, None);
            operation.finished_at = Some(now);
            Lifecycle::Deleted
        } else if lifecycle.may_become(Lifecycle::Deleting) {
            Lifecycle::Deleting
        } else {
            // Pending and resolving: the create ends first. Missing and failed: there may be
            // nothing left to delete, and the worker says so once the vendor has proved it.
            lifecycle
        };
        if next != lifecycle {
            let before = instance;
            instance = run!(tx, c => diesel::update(vps_instances::table.find(id))
                .set((vps_instances::lifecycle.eq(next.as_str()), vps_instances::updated_at.eq(now)))
                .returning(row::Instance::as_returning()).get_result(c).await)?;
            if instance.looks_other_than(&before)? {
                told.instance(&instance, now)?;
            }
        }
    } else {
        if let Some(busy) = active.next() {
            return Err(Error::Busy {
                operation: OperationId(busy.id.0),
                kind: busy.kind()?,
            });
        }
        if lifecycle != Lifecycle::Live {
            return Err(Error::WrongState { lifecycle });
        }
    }
    told.operation(&operation, now)?;
    write(tx, None, &operation, asked, &told).await?;
    accepted(instance, operation, false)
}

/// Puts the key on record, or returns the operation that it already stands for. Of two requests
/// at a time the second waits here until the first has ended.
async fn take_key(tx: &mut Connection, asked: &Asked) -> Result<Option<Id>> {
    let Some(key) = &asked.key else {
        return Ok(None);
    };
    let organization = Id(asked.tenant.org.0);
    let values = (
        idempotency_keys::organization_id.eq(organization),
        idempotency_keys::key.eq(&key.key),
        idempotency_keys::hash.eq(&key.hash),
        idempotency_keys::operation_id.eq(Some(Id(asked.operation.id.0))),
        // It says when the key may be forgotten, which no clock need be exact for.
        idempotency_keys::created_at.eq(Time::now()),
    );
    let inserted = run!(tx, c => diesel::insert_into(idempotency_keys::table).values(values)
        .on_conflict((idempotency_keys::organization_id, idempotency_keys::key)).do_nothing()
        .execute(c).await)?;
    if inserted > 0 {
        return Ok(None);
    }
    let (hash, earlier): (Vec<u8>, Option<Id>) = run!(tx, c => idempotency_keys::table
        .find((organization, &key.key))
        .select((idempotency_keys::hash, idempotency_keys::operation_id)).first(c).await)?;
    match earlier {
        Some(earlier) if hash == key.hash => Ok(Some(earlier)),
        // Without an operation it stands for an answer to something else.
        _ => Err(Error::KeyReused),
    }
}

/// Makes the key stand for an operation that was on record before it.
async fn point_key(tx: &mut Connection, asked: &Asked, operation: Id) -> Result<()> {
    let Some(key) = &asked.key else { return Ok(()) };
    let found = idempotency_keys::table.find((Id(asked.tenant.org.0), &key.key));
    run!(tx, c => diesel::update(found)
        .set(idempotency_keys::operation_id.eq(Some(operation))).execute(c).await)?;
    Ok(())
}

async fn replay(tx: &mut Connection, tenant: &Tenant, operation: Id) -> Result<Accepted> {
    let organization = Id(tenant.org.0);
    let operation: row::Operation = run!(tx, c => operations::table.find(operation)
        .filter(operations::organization_id.eq(organization))
        .select(row::Operation::as_select()).first(c).await)?;
    let instance = run!(tx, c => vps_instances::table.find(operation.instance_id)
        .filter(vps_instances::organization_id.eq(organization))
        .select(row::Instance::as_select()).first(c).await.optional())?;
    accepted(instance.ok_or_else(instances::missing)?, operation, true)
}

fn accepted(
    instance: row::Instance,
    operation: row::Operation,
    replayed: bool,
) -> Result<Accepted> {
    Ok(Accepted {
        instance: instance.into_record()?,
        operation: operation.into_record()?,
        replayed,
    })
}

fn seal(keys: &Keyring, operation: &NewOperation) -> Result<Option<Sealed>> {
    let place = row::Operation::place(Id(operation.id.0));
    operation
        .request
        .secret
        .as_ref()
        .map(|it| keys.seal(it, &place))
        .transpose()
}

fn ready(asked: &Asked, instance: &row::Instance, now: Time) -> row::Operation {
    row::Operation {
        id: Id(asked.operation.id.0),
        organization_id: instance.organization_id,
        provider_id: instance.provider_id,
        instance_id: instance.id,
        kind: asked.operation.kind.as_str().to_owned(),
        state: OperationState::Ready.as_str().to_owned(),
        attempts: 0,
        sent_at: None,
        empty_looks: 0,
        remote: None,
        progress: None,
        error: None,
        request: asked.operation.request.plain.clone(),
        secret: asked.sealed.as_ref().map(|it| it.bytes.clone()),
        secret_key: asked.sealed.as_ref().map(|it| it.key),
        due_at: now,
        lease_until: None,
        worker: None,
        epoch: 0,
        created_at: now,
        updated_at: now,
        finished_at: None,
        request_id: asked.audit.request_id.clone(),
    }
}
