//! The public keys that vendor accounts keep for us: taken hold of by creates, and removed when
//! nobody wants them any more.

use std::time::Duration;

use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::ProviderId;

use crate::claim::lock;
use crate::db::{Connection, Repository, Written, detached, read, run, write, written};
use crate::error::{Error, Result};
use crate::record::{Claim, NewPlacement, Placement};
use crate::row;
use crate::schema::{ssh_key_placements, ssh_key_uses};
use crate::types::{Id, Time};

/// After so many failures in a row the rest between two tries grows no longer.
const LONGEST_REST: i32 = 6;

/// Placements of keys that no organization has and no open operation needs.
///
/// This is what marks them for removal. A mark of its own would have to be set wherever a key is
/// deleted or an operation ends, and would be wrong as soon as one of these places forgot it.
fn unwanted() -> Written<Bool> {
    written(
        "NOT EXISTS (\
            SELECT 1 FROM ssh_keys WHERE ssh_keys.fingerprint = ssh_key_placements.fingerprint) \
        AND NOT EXISTS (\
            SELECT 1 FROM ssh_key_uses \
            JOIN operations ON operations.id = ssh_key_uses.operation_id \
            WHERE ssh_key_uses.provider_id = ssh_key_placements.provider_id \
            AND ssh_key_uses.fingerprint = ssh_key_placements.fingerprint \
            AND operations.state NOT IN ('succeeded', 'failed'))",
    )
}

impl Repository {
    /// Takes hold of a key at the account of a claimed operation: until that ends, the key is
    /// not removed there. Returns where it is; where its id is not known, the vendor may be
    /// asked to take it from this commit on.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else has claimed the operation.
    pub async fn hold_placement(&self, claim: &Claim, new: NewPlacement) -> Result<Placement> {
        let repository = self.clone();
        let (id, epoch) = (Id(claim.operation.id.0), claim.epoch);
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = hold(&mut tx, id, epoch, &new).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Records the vendor's id of a key. What is on record already stays.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn record_placement(&self, placement: &Placement, remote_id: &str) -> Result<()> {
        let found = ssh_key_placements::table
            .find((Id(placement.provider.0), &placement.fingerprint))
            .filter(ssh_key_placements::remote_id.is_null());
        write!(self.db, c => diesel::update(found)
            .set(ssh_key_placements::remote_id.eq(Some(remote_id))).execute(c).await)?;
        Ok(())
    }

    /// Forgets the vendor's id of a key, which the vendor no longer knows.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn forget_placement(&self, placement: &Placement) -> Result<()> {
        let stale = ssh_key_placements::table
            .find((Id(placement.provider.0), &placement.fingerprint))
            .filter(ssh_key_placements::remote_id.eq(placement.remote_id.as_deref()));
        write!(self.db, c => diesel::update(stale)
            .set(ssh_key_placements::remote_id.eq(None::<String>)).execute(c).await)?;
        Ok(())
    }

    /// Takes up keys at an account that nobody wants any more, to be removed there, the longest
    /// due first. One that is not finished is due again after `rest`, and later each time. One that
    /// the vendor was asked to take less than `settle` ago is left alone: it may still come.
    ///
    /// From here on the vendor's id is forgotten, so that a create which wants the key meanwhile
    /// asks for it anew.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn claim_unwanted_placements(
        &self,
        provider: ProviderId,
        settle: Duration,
        rest: Duration,
        limit: u32,
    ) -> Result<Vec<Placement>> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = claim_unwanted(&mut tx, Id(provider.0), settle, rest, limit).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Forgets a key that is gone at the vendor, or was never ours there, unless a create has
    /// taken hold of it meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn finish_removal(&self, placement: &Placement) -> Result<()> {
        let mine = ssh_key_placements::table
            .find((Id(placement.provider.0), &placement.fingerprint))
            .filter(ssh_key_placements::epoch.eq(placement.epoch))
            .filter(unwanted());
        write!(self.db, c => diesel::delete(mine).execute(c).await)?;
        Ok(())
    }

    /// Returns all keys that a vendor account keeps for us, or may keep.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_placements(&self, provider: ProviderId) -> Result<Vec<Placement>> {
        let rows: Vec<row::Placement> = read!(self.db, c => ssh_key_placements::table
            .filter(ssh_key_placements::provider_id.eq(Id(provider.0)))
            .order(ssh_key_placements::fingerprint)
            .select(row::Placement::as_select()).load(c).await)?;
        Ok(rows.into_iter().map(row::Placement::into_record).collect())
    }
}

/// Forgets what a vendor account keeps for us. Without its token nobody could remove it there.
pub(crate) async fn forget_all(tx: &mut Connection, provider: Id) -> Result<()> {
    let theirs = ssh_key_placements::table.filter(ssh_key_placements::provider_id.eq(provider));
    run!(tx, c => diesel::delete(theirs).execute(c).await)?;
    Ok(())
}

async fn hold(tx: &mut Connection, id: Id, epoch: i64, new: &NewPlacement) -> Result<Placement> {
    let operation = lock(tx, id, epoch).await?;
    let now = tx.now().await?;
    let placement = take_hold(tx, operation.provider_id, new, now).await?;
    // Those of operations that are over say nothing any more.
    let over = || {
        written::<Bool>(
            "EXISTS (SELECT 1 FROM operations WHERE operations.id = ssh_key_uses.operation_id \
            AND operations.state IN ('succeeded', 'failed'))",
        )
    };
    run!(tx, c => diesel::delete(ssh_key_uses::table
        .filter(ssh_key_uses::provider_id.eq(operation.provider_id))
        .filter(ssh_key_uses::fingerprint.eq(&new.fingerprint))
        .filter(over())).execute(c).await)?;
    let values = (
        ssh_key_uses::operation_id.eq(id),
        ssh_key_uses::provider_id.eq(operation.provider_id),
        ssh_key_uses::fingerprint.eq(&new.fingerprint),
    );
    run!(tx, c => diesel::insert_into(ssh_key_uses::table).values(values)
        .on_conflict_do_nothing().execute(c).await)?;
    Ok(placement.into_record())
}

/// Finds or makes the row of a placement and holds it until the end of the transaction. The new
/// epoch keeps a removal under way from forgetting it.
async fn take_hold(
    tx: &mut Connection,
    provider: Id,
    new: &NewPlacement,
    now: Time,
) -> Result<row::Placement> {
    let fresh = row::Placement::new(provider, new, now);
    let found = ssh_key_placements::table.find((provider, &new.fingerprint));
    let held = (
        ssh_key_placements::epoch.eq(ssh_key_placements::epoch + 1),
        ssh_key_placements::due_at.eq(now),
        ssh_key_placements::failures.eq(0),
    );
    // A removal that ends between the two statements takes the row away: once more, then.
    for _ in 0..10 {
        run!(tx, c => diesel::insert_into(ssh_key_placements::table).values(&fresh)
            .on_conflict_do_nothing().execute(c).await)?;
        let row: Option<row::Placement> = run!(tx, c => diesel::update(found).set(held)
            .returning(row::Placement::as_returning()).get_result(c).await.optional())?;
        match row {
            Some(row) if row.remote_id.is_some() => return Ok(row),
            Some(row) => {
                run!(tx, c => diesel::update(found).set(ssh_key_placements::asked_at.eq(now))
                    .execute(c).await)?;
                return Ok(row);
            }
            None => {}
        }
    }
    Err(Error::Unavailable("a placement came and went".into()))
}

async fn claim_unwanted(
    tx: &mut Connection,
    provider: Id,
    settle: Duration,
    rest: Duration,
    limit: u32,
) -> Result<Vec<Placement>> {
    let now = tx.now().await?;
    let settled = now.0.checked_sub(settle).unwrap_or(jiff::Timestamp::MIN);
    let due = ssh_key_placements::table
        .filter(ssh_key_placements::provider_id.eq(provider))
        .filter(ssh_key_placements::due_at.le(now))
        .filter(ssh_key_placements::asked_at.le(Time::from(settled)))
        .filter(unwanted())
        .order((ssh_key_placements::due_at, ssh_key_placements::fingerprint))
        .limit(i64::from(limit));
    let rows: Vec<row::Placement> = match tx {
        Connection::Postgres(object) => {
            let locked = due
                .select(row::Placement::as_select())
                .for_update()
                .skip_locked();
            locked.load(&mut **object).await?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => {
            due.select(row::Placement::as_select())
                .load(&mut **object)
                .await?
        }
    };
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let failures = row.failures.saturating_add(1).min(LONGEST_REST);
        let rest = rest.saturating_mul(1 << failures.saturating_sub(1).clamp(0, LONGEST_REST));
        let changes = (
            ssh_key_placements::epoch.eq(ssh_key_placements::epoch + 1),
            ssh_key_placements::remote_id.eq(None::<String>),
            ssh_key_placements::failures.eq(failures),
            ssh_key_placements::due_at.eq(now.after(rest)),
        );
        let found = ssh_key_placements::table.find((row.provider_id, &row.fingerprint));
        let row: row::Placement = run!(tx, c => diesel::update(found).set(changes)
            .returning(row::Placement::as_returning()).get_result(c).await)?;
        claimed.push(row.into_record());
    }
    Ok(claimed)
}
