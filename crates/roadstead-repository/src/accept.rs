//! Putting intents on record: what a member asks for, before any vendor hears of it.

use diesel::sql_types::{Bool, Jsonb, Text};
use diesel::{ExpressionMethods, IntoSql, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, OperationId, crash_point};
use serde_json::json;

use crate::db::{Connection, Repository, Write, detached, run, written};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::operations::unfinished;
use crate::record::{
    Accepted, AuditEntry, Lifecycle, NewInstance, NewOperation, OperationKind, OperationState,
    Terms,
};
use crate::schema::{audit_log, idempotency_keys, operations, vps_instances};
use crate::sealing::{Keyring, Sealed};
use crate::types::{DbUuid, Id, Time};
use crate::{Tenant, answers, audit, instances, plans, row};

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
                audit,
                terms: None,
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

    /// Returns what an earlier request with the same key was answered, if there was one. It is
    /// asked first, so that a repeat gets its answer whatever has changed since.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] if the key came with another request.
    pub async fn find_accepted(&self, audit: &AuditEntry) -> Result<Option<Accepted>> {
        let found = self.find_answer(audit).await?;
        Ok(found.map(again))
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
        audit: AuditEntry,
    ) -> Result<Accepted> {
        self.accept(tenant, instance, operation, None, audit).await
    }

    /// Puts a change of plan on record, in one transaction, with what the server costs once it is
    /// done. The line of the log says what it costs and is now, as `before`.
    ///
    /// # Errors
    ///
    /// As [`Repository::accept_action`]; [`Error::Changed`] if the plan on sale is not as the
    /// sale saw it.
    pub async fn accept_resize(
        &self,
        tenant: &Tenant,
        instance: InstanceId,
        operation: NewOperation,
        terms: Terms,
        audit: AuditEntry,
    ) -> Result<Accepted> {
        if operation.kind != OperationKind::Resize {
            return Err(Error::Invalid {
                what: "a new price with anything but `resize`",
            });
        }
        self.accept(tenant, instance, operation, Some(terms), audit)
            .await
    }

    async fn accept(
        &self,
        tenant: &Tenant,
        instance: InstanceId,
        operation: NewOperation,
        terms: Option<Terms>,
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
            let mut asked = Asked {
                tenant,
                operation,
                sealed,
                audit,
                terms,
            };
            let mut tx = repository.db.begin().await?;
            let outcome = act(&mut tx, &mut asked, Id(instance.0)).await;
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
    audit: AuditEntry,
    terms: Option<Terms>,
}

async fn create(tx: &mut Connection, asked: &Asked, new: &NewInstance) -> Result<Accepted> {
    if let Some(earlier) = answers::take(tx, &asked.audit).await? {
        return Ok(again(earlier));
    }
    let now = plans::hold(tx, Id(new.provider.0), new.sale.as_ref()).await?;
    let instance = row::Instance::new(asked.tenant.org, new, now)?;
    let operation = ready(asked, &instance, now);
    let mut told = Told::default();
    told.instance(&instance, now)?;
    told.operation(&operation, now)?;
    let accepted = accepted(instance.clone(), operation.clone(), false)?;
    write(tx, Some(&instance), &operation, asked, &told, &accepted).await?;
    Ok(accepted)
}

/// Writes what was accepted: a new server, the operation, the line of the log, the answer that a
/// repeat gets, and the events. On PostgreSQL they go in one flight.
async fn write(
    tx: &mut Connection,
    instance: Option<&row::Instance>,
    operation: &row::Operation,
    asked: &Asked,
    told: &Told,
    accepted: &Accepted,
) -> Result<()> {
    let organization = Id(asked.tenant.org.0);
    let keep = match &asked.audit.key {
        None => None,
        Some(key) => Some((key, row::json("this answer", accepted)?)),
    };
    let instance = instance.map(|it| diesel::insert_into(vps_instances::table).values(it));
    let line = audit::line(&asked.audit, operation.created_at);
    let line = diesel::insert_into(audit_log::table).values(&line);
    match tx {
        Connection::Postgres(object) => {
            let operation = diesel::insert_into(operations::table).values(operation);
            let mut writes: Vec<Write<'_>> = Vec::with_capacity(4);
            if let Some(instance) = &instance {
                writes.push(instance);
            }
            writes.push(&operation);
            writes.push(&line);
            // Written out, because no prepared statement with diesel's own update is kept.
            let keep = keep.map(|(key, answer)| {
                written::<Bool>("UPDATE idempotency_keys SET answer = ")
                    .bind(answer.into_sql::<Jsonb>(), " WHERE organization_id = ")
                    .bind(organization.into_sql::<DbUuid>(), " AND key = ")
                    .bind(key.key.as_str().into_sql::<Text>(), "")
            });
            if let Some(keep) = &keep {
                writes.push(keep);
            }
            told.write_after(object, &writes).await
        }
        Connection::Sqlite(object) => {
            if let Some(instance) = instance {
                instance.execute(&mut **object).await?;
            }
            let operation = diesel::insert_into(operations::table).values(operation);
            operation.execute(&mut **object).await?;
            line.execute(&mut **object).await?;
            if let Some((key, answer)) = keep {
                diesel::update(idempotency_keys::table.find((organization, &key.key)))
                    .set(idempotency_keys::answer.eq(Some(answer)))
                    .execute(&mut **object)
                    .await?;
            }
            told.write_lite(object).await
        }
    }
}

async fn act(tx: &mut Connection, asked: &mut Asked, id: Id) -> Result<Accepted> {
    if let Some(earlier) = answers::take(tx, &asked.audit).await? {
        return Ok(again(earlier));
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
    keep_terms(asked, &instance)?;
    // One that waits for a person holds up no other.
    let attention = OperationState::Attention.as_str();
    let mut active = unfinished.iter().filter(|it| it.state != attention);

    let mut operation = ready(asked, &instance, now);
    if asked.operation.kind == OperationKind::Delete {
        let delete = OperationKind::Delete.as_str();
        if let Some(earlier) = active.clone().find(|it| it.kind == delete) {
            let accepted = accepted(instance, earlier.clone(), true)?;
            answers::keep(tx, &asked.audit, &accepted).await?;
            return Ok(accepted);
        }
        // Whose it is comes first: what is let go must not be deleted.
        for moving in active {
            if moving.kind()?.is_of_custody() {
                return Err(busy(moving)?);
            }
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
        if let Some(moving) = active.next() {
            return Err(busy(moving)?);
        }
        if lifecycle != Lifecycle::Live {
            return Err(Error::WrongState { lifecycle });
        }
        if let Some(sale) = asked.terms.as_ref().and_then(|it| it.sale.as_ref()) {
            plans::hold(tx, instance.provider_id, Some(sale)).await?;
        }
    }
    told.operation(&operation, now)?;
    let accepted = accepted(instance, operation.clone(), false)?;
    write(tx, None, &operation, asked, &told, &accepted).await?;
    Ok(accepted)
}

/// Returns why nothing else can be done while an operation is at work.
pub(crate) fn busy(moving: &row::Operation) -> Result<Error> {
    Ok(Error::Busy {
        operation: OperationId(moving.id.0),
        kind: moving.kind()?,
    })
}

/// Keeps what a server is to cost with the operation, and what it costs now in the log.
fn keep_terms(asked: &mut Asked, instance: &row::Instance) -> Result<()> {
    let Some(terms) = &asked.terms else {
        return Ok(());
    };
    let before = instance.clone().into_record()?;
    let was = Terms {
        price: before.price,
        sale: before.sale,
    };
    let after = row::terms(terms)?;
    if let Some(plain) = asked.operation.request.plain.as_object_mut() {
        plain.insert(row::TERMS.to_owned(), after.clone());
    }
    if let Some(details) = asked.audit.details.as_object_mut() {
        let before = json!({
            "plan": before.specification.plan,
            "terms": row::terms(&was)?,
        });
        details.insert("before".to_owned(), before);
        details.insert("terms".to_owned(), after);
    }
    Ok(())
}

/// Marks what an earlier request has put on record.
pub(crate) fn again(earlier: Accepted) -> Accepted {
    Accepted {
        replayed: true,
        ..earlier
    }
}

pub(crate) fn accepted(
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
    let mut ready = unsealed(&asked.operation, &asked.audit, instance, now);
    ready.secret = asked.sealed.as_ref().map(|it| it.bytes.clone());
    ready.secret_key = asked.sealed.as_ref().map(|it| it.key);
    ready
}

/// Makes an operation that has no secret.
pub(crate) fn unsealed(
    new: &NewOperation,
    audit: &AuditEntry,
    instance: &row::Instance,
    now: Time,
) -> row::Operation {
    row::Operation {
        id: Id(new.id.0),
        organization_id: instance.organization_id,
        provider_id: instance.provider_id,
        instance_id: instance.id,
        kind: new.kind.as_str().to_owned(),
        state: OperationState::Ready.as_str().to_owned(),
        attempts: 0,
        sent_at: None,
        empty_looks: 0,
        remote: None,
        progress: None,
        error: None,
        request: new.request.plain.clone(),
        secret: None,
        secret_key: None,
        due_at: now,
        lease_until: None,
        worker: None,
        epoch: 0,
        created_at: now,
        updated_at: now,
        finished_at: None,
        request_id: audit.request_id.clone(),
        log_place: None,
        orphaned_attempts: 0,
        failing_since: None,
    }
}
