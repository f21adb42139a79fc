//! What an operator decides about a quarantined server, and the carrying out of a deletion.

use std::time::Duration;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use roadstead_core::RemoteId;
use uuid::Uuid;

use super::kept;
use crate::answers::once;
use crate::audit;
use crate::db::{Connection, Repository, detached, run};
use crate::error::{Error, Result};
use crate::record::{AuditEntry, NewImport, QuarantineState, Quarantined, SweepClaim};
use crate::schema::{quarantine, quarantine_deletes, vps_instances};
use crate::sweep::{lock, quarantined, take_back};
use crate::types::{Id, Time};

const WHAT: &str = "quarantined server";

const BEING_DELETED: &str =
    "an operator has decided to delete this server, and the provider was asked to";

/// What an operator decides about a quarantined server, beside taking it into an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustodyDecision {
    /// It is left alone.
    Release,
    /// It is deleted at the vendor.
    Delete {
        /// Its name there, as the operator has typed it.
        name: String,
    },
}

impl Repository {
    /// Returns a quarantined server, or one that was.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_quarantined(&self, id: Uuid) -> Result<Option<Quarantined>> {
        let mut reader = self.db.reader().await?;
        quarantined(&mut reader, Id(id)).await
    }

    /// Does what an operator has decided about a quarantined server, in one transaction. A
    /// deletion is put on record here, and carried out under the lease of a sweep.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none; [`Error::Changed`] if it was decided about, or if its
    /// name is another one; [`Error::Conflict`] if it is being deleted.
    pub async fn decide_quarantined(
        &self,
        id: Uuid,
        decision: CustodyDecision,
        audit: AuditEntry,
    ) -> Result<Quarantined> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, decide(&mut tx, Id(id), &decision, &audit));
            tx.finish(outcome).await
        })
        .await
    }

    /// Asks whether a server that was to be deleted may be deleted now, and puts the request on
    /// record if so. Nothing may leave for the vendor before this has returned.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else sweeps the account by now, or if less than the margin
    /// of the claim is left.
    pub async fn begin_ordered_delete(
        &self,
        claim: &SweepClaim,
        id: Uuid,
        margin: Duration,
    ) -> Result<bool> {
        let (repository, claim) = (self.clone(), claim.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = begin(&mut tx, &claim, Id(id), margin).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Records what became of a decision to delete a server: it is gone, or it must not be
    /// deleted, and why.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else sweeps the account by now.
    pub async fn end_ordered_delete(
        &self,
        claim: &SweepClaim,
        id: Uuid,
        refusal: Option<String>,
    ) -> Result<()> {
        let (repository, claim) = (self.clone(), claim.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = end(&mut tx, &claim, Id(id), refusal.as_deref()).await;
            tx.finish(outcome).await
        })
        .await
    }
}

/// Returns the state of an entry and holds it until the end of the transaction.
async fn held(tx: &mut Connection, id: Id) -> Result<(Id, String, String, String)> {
    let found = quarantine::table.find(id).select((
        quarantine::provider_id,
        quarantine::remote_id,
        quarantine::name,
        quarantine::state,
    ));
    let line = match tx {
        Connection::Postgres(object) => found.for_update().first(&mut **object).await.optional()?,
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => found.first(&mut **object).await.optional()?,
    };
    line.ok_or(Error::NotFound { what: WHAT })
}

async fn decide(
    tx: &mut Connection,
    id: Id,
    decision: &CustodyDecision,
    audit: &AuditEntry,
) -> Result<Quarantined> {
    let (provider, remote, name, state) = held(tx, id).await?;
    if state != QuarantineState::Open.as_str() {
        return Err(Error::Changed { what: WHAT });
    }
    let now = tx.now().await?;
    let is_new = match decision {
        CustodyDecision::Release => {
            forget_order(tx, id).await?;
            take_back(tx, provider, &RemoteId::from(remote), now).await?;
            settle(tx, id, QuarantineState::Released, now).await?;
            true
        }
        CustodyDecision::Delete { name: typed } if *typed == name => order(tx, id, now).await?,
        CustodyDecision::Delete { .. } => return Err(Error::Changed { what: WHAT }),
    };
    if is_new {
        audit::append(tx, audit, now).await?;
    }
    quarantined(tx, id)
        .await?
        .ok_or(Error::NotFound { what: WHAT })
}

/// Forgets a decision to delete a server, as long as nothing was sent.
async fn forget_order(tx: &mut Connection, id: Id) -> Result<()> {
    let sent: Option<Option<Time>> = run!(tx, c => quarantine_deletes::table.find(id)
        .filter(quarantine_deletes::refusal.is_null())
        .select(quarantine_deletes::sent_at).first(c).await.optional())?;
    if sent.flatten().is_some() {
        return Err(Error::Conflict {
            what: BEING_DELETED,
        });
    }
    run!(tx, c => diesel::delete(quarantine_deletes::table.find(id)).execute(c).await)?;
    Ok(())
}

/// Puts a decision to delete a server on record. Returns whether it was not there already.
async fn order(tx: &mut Connection, id: Id, now: Time) -> Result<bool> {
    let standing: Option<Id> = run!(tx, c => quarantine_deletes::table.find(id)
        .filter(quarantine_deletes::refusal.is_null())
        .select(quarantine_deletes::quarantine_id).first(c).await.optional())?;
    if standing.is_some() {
        return Ok(false);
    }
    run!(tx, c => diesel::delete(quarantine_deletes::table.find(id)).execute(c).await)?;
    let (name, created): (String, Option<Time>) = run!(tx, c => quarantine::table.find(id)
        .select((quarantine::name, quarantine::remote_created_at)).first(c).await)?;
    let values = (
        quarantine_deletes::quarantine_id.eq(id),
        quarantine_deletes::name.eq(name),
        quarantine_deletes::remote_created_at.eq(created),
        quarantine_deletes::created_at.eq(now),
    );
    run!(tx, c => diesel::insert_into(quarantine_deletes::table).values(values)
        .execute(c).await)?;
    Ok(true)
}

async fn settle(tx: &mut Connection, id: Id, state: QuarantineState, now: Time) -> Result<()> {
    let changes = (
        quarantine::state.eq(state.as_str()),
        quarantine::ended_at.eq(Some(now)),
    );
    run!(tx, c => diesel::update(quarantine::table.find(id)).set(changes).execute(c).await)?;
    Ok(())
}

/// Notes that a server is imported, whether it was shown in the quarantine or let go before.
pub(super) async fn import(tx: &mut Connection, import: &NewImport, now: Time) -> Result<()> {
    let known: Option<Id> = run!(tx, c => quarantine::table
        .filter(quarantine::provider_id.eq(Id(import.provider.0)))
        .filter(quarantine::remote_id.eq(import.remote.as_str()))
        .select(quarantine::id).first(c).await.optional())?;
    let changed = Error::Changed { what: WHAT };
    let Some(id) = known else {
        return match import.quarantined {
            Some(_) => Err(changed),
            None => Ok(()),
        };
    };
    let (_, _, _, state) = held(tx, id).await?;
    let is_open = state == QuarantineState::Open.as_str();
    if import
        .quarantined
        .is_some_and(|it| Id(it) != id || !is_open)
    {
        return Err(changed);
    }
    if is_open || state == QuarantineState::Released.as_str() {
        forget_order(tx, id).await?;
        settle(tx, id, QuarantineState::Imported, now).await?;
    }
    Ok(())
}

async fn begin(tx: &mut Connection, claim: &SweepClaim, id: Id, margin: Duration) -> Result<bool> {
    let (now, until) = lock(tx, claim).await?;
    if until <= now.after(margin) {
        return Err(Error::LeaseLost);
    }
    let (provider, remote, _, state) = held(tx, id).await?;
    let standing: Option<Id> = run!(tx, c => quarantine_deletes::table.find(id)
        .filter(quarantine_deletes::refusal.is_null())
        .select(quarantine_deletes::quarantine_id).first(c).await.optional())?;
    let bound: Vec<Id> = run!(tx, c => vps_instances::table
        .filter(vps_instances::provider_id.eq(provider))
        .filter(vps_instances::remote_id.eq(Some(&remote)))
        .filter(kept())
        .select(vps_instances::id).load(c).await)?;
    if state != QuarantineState::Open.as_str() || standing.is_none() || !bound.is_empty() {
        return Ok(false);
    }
    run!(tx, c => diesel::update(quarantine_deletes::table.find(id))
        .set(quarantine_deletes::sent_at.eq(Some(now))).execute(c).await)?;
    Ok(true)
}

async fn end(tx: &mut Connection, claim: &SweepClaim, id: Id, refusal: Option<&str>) -> Result<()> {
    let (now, _) = lock(tx, claim).await?;
    let (_, _, _, state) = held(tx, id).await?;
    if state != QuarantineState::Open.as_str() {
        return Ok(());
    }
    match refusal {
        None => settle(tx, id, QuarantineState::Deleted, now).await,
        Some(refusal) => {
            run!(tx, c => diesel::update(quarantine_deletes::table.find(id))
                .set(quarantine_deletes::refusal.eq(Some(refusal))).execute(c).await)?;
            Ok(())
        }
    }
}
