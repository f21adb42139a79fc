//! Sweeps: who compares an account with our books, when that is due, and how it ended.

mod books;
mod dooms;
mod findings;
mod missing;
mod quarantine;

use std::time::Duration;

use diesel::dsl::{AsExprOf, count_star};
use diesel::expression::AsExpression;
use diesel::sql_types::{Bool, Nullable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use roadstead_core::ProviderId;
use uuid::Uuid;

use crate::db::{Bound, Connection, Repository, Written, detached, run, written};
use crate::error::{Error, Result};
use crate::record::{Sweep, SweepClaim, SweepEnd, SweepOutcome};
use crate::schema::{
    dooms as doomed, quarantine as suspects, service_providers, sweeps, vps_instances,
};
use crate::types::{DbTime, Id, Time};

pub use self::dooms::{Doom, DoomRule};
pub(crate) use self::dooms::{doom, take_back};
pub(crate) use self::quarantine::quarantined;

/// Accounts that are on record. Those that are not are never swept.
fn kept() -> Written<Bool> {
    written(
        "EXISTS (SELECT 1 FROM service_providers WHERE service_providers.id = sweeps.provider_id \
        AND service_providers.deleted_at IS NULL)",
    )
}

/// Sweeps that nobody is at.
fn free(now: Time) -> Bound<Written<Bool>, AsExprOf<Time, DbTime>> {
    let now = AsExpression::<DbTime>::as_expression(now);
    written("(sweeps.lease_until IS NULL OR sweeps.lease_until <= ").bind(now, ")")
}

impl Repository {
    /// Returns when the next sweep may begin; it may be past. `None` without an account.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn next_sweep(&self) -> Result<Option<Timestamp>> {
        // An account that was never swept has no row yet.
        let waiting = written::<Bool>(
            "service_providers.deleted_at IS NULL AND NOT EXISTS (\
            SELECT 1 FROM sweeps WHERE sweeps.provider_id = service_providers.id)",
        );
        let mut reader = self.db.reader().await?;
        let new: i64 = run!(&mut reader, c => service_providers::table
            .filter(waiting).select(count_star()).first(c).await)?;
        if new > 0 {
            return Ok(Some(Timestamp::MIN));
        }
        let earliest = written::<Nullable<DbTime>>(
            "MIN(CASE WHEN sweeps.lease_until > sweeps.due_at \
            THEN sweeps.lease_until ELSE sweeps.due_at END)",
        );
        let due: Option<Time> = run!(&mut reader, c => sweeps::table
            .filter(kept()).select(earliest).first(c).await)?;
        Ok(due.map(|it| it.0))
    }

    /// Claims the accounts whose sweeps are due and that nobody sweeps. Each is next due an
    /// `interval` later, whatever becomes of this one.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn claim_sweeps(
        &self,
        worker: Uuid,
        lease: Duration,
        interval: Duration,
    ) -> Result<Vec<SweepClaim>> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = claim(&mut tx, Id(worker), lease, interval).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Lengthens the right to sweep an account.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else sweeps it by now.
    pub async fn renew_sweep(&self, claim: &SweepClaim, lease: Duration) -> Result<()> {
        let (repository, claim) = (self.clone(), claim.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = renew(&mut tx, &claim, lease).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Records how a sweep ended, and lets the account go.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else sweeps it by now.
    pub async fn end_sweep(&self, claim: &SweepClaim, end: SweepEnd) -> Result<()> {
        let (repository, claim) = (self.clone(), claim.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = finish(&mut tx, &claim, &end).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Hands back the accounts that a worker sweeps, when it shuts down: they are due at once.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn release_sweeps(&self, worker: Uuid) -> Result<()> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = release(&mut tx, Id(worker)).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Has an account swept in this time at the latest.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn hasten_sweep(&self, provider: ProviderId, within: Duration) -> Result<()> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = hasten(&mut tx, Id(provider.0), within).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Returns what is known of an account's sweeps; `None` before the first was due.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_sweep(&self, provider: ProviderId) -> Result<Option<Sweep>> {
        let id = Id(provider.0);
        let mut reader = self.db.reader().await?;
        let row: Option<Row> = run!(&mut reader, c => sweeps::table.find(id)
            .select((
                (
                    sweeps::started_at,
                    sweeps::ended_at,
                    sweeps::completed_at,
                    sweeps::due_at,
                ),
                sweeps::outcome,
                sweeps::reason,
                (sweeps::seen, sweeps::deleted, sweeps::held_back),
            )).first(c).await.optional())?;
        let Some(row) = row else {
            return Ok(None);
        };
        let doomed: i64 = run!(&mut reader, c => doomed::table
            .filter(doomed::provider_id.eq(id)).filter(doomed::done_at.is_null())
            .select(count_star()).first(c).await)?;
        let quarantined: i64 = run!(&mut reader, c => suspects::table
            .filter(suspects::provider_id.eq(id)).filter(suspects::state.eq("open"))
            .select(count_star()).first(c).await)?;
        let missing: i64 = run!(&mut reader, c => vps_instances::table
            .filter(vps_instances::provider_id.eq(id))
            .filter(written::<Bool>("vps_instances.lifecycle = 'missing'"))
            .select(count_star()).first(c).await)?;
        let (times, outcome, reason, (seen, deleted, held_back)) = row;
        let (started_at, ended_at, completed_at, due_at) = times;
        let outcome = outcome.map(|it| {
            SweepOutcome::from_word(&it).ok_or(Error::Corrupt {
                column: "sweeps.outcome",
            })
        });
        Ok(Some(Sweep {
            provider,
            outcome: outcome.transpose()?,
            reason,
            started_at: started_at.map(|it| it.0),
            ended_at: ended_at.map(|it| it.0),
            completed_at: completed_at.map(|it| it.0),
            due_at: due_at.0,
            seen: seen.unsigned_abs(),
            deleted: deleted.unsigned_abs(),
            held_back: held_back.unsigned_abs(),
            doomed: doomed.unsigned_abs(),
            quarantined: quarantined.unsigned_abs(),
            missing: missing.unsigned_abs(),
        }))
    }
}

type Times = (Option<Time>, Option<Time>, Option<Time>, Time);
type Row = (Times, Option<String>, Option<String>, (i64, i64, i64));

/// Holds a sweep that is still claimed under this epoch until the end of the transaction.
/// Returns the database's time, and when the claim ends.
///
/// # Errors
///
/// [`Error::LeaseLost`] if it is claimed under another.
pub(crate) async fn lock(tx: &mut Connection, claim: &SweepClaim) -> Result<(Time, Time)> {
    let mine = sweeps::table
        .find(Id(claim.provider.0))
        .filter(sweeps::epoch.eq(claim.epoch))
        .select(sweeps::lease_until);
    let until: Option<Option<Time>> = match tx {
        Connection::Postgres(object) => mine.for_update().first(&mut **object).await.optional()?,
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => mine.first(&mut **object).await.optional()?,
    };
    let until = until.flatten().ok_or(Error::LeaseLost)?;
    // Read after the lock: waiting for it costs lease.
    Ok((tx.now().await?, until))
}

async fn claim(
    tx: &mut Connection,
    worker: Id,
    lease: Duration,
    interval: Duration,
) -> Result<Vec<SweepClaim>> {
    let now = tx.now().await?;
    let new: Vec<Id> = run!(tx, c => service_providers::table
        .filter(service_providers::deleted_at.is_null())
        .filter(written::<Bool>("NOT EXISTS (\
            SELECT 1 FROM sweeps WHERE sweeps.provider_id = service_providers.id)"))
        .select(service_providers::id).load(c).await)?;
    for id in new {
        let values = (
            sweeps::provider_id.eq(id),
            sweeps::epoch.eq(0),
            // It has just been registered, and nothing was asked of it yet.
            sweeps::due_at.eq(now.after(interval)),
            sweeps::seen.eq(0),
            sweeps::deleted.eq(0),
            sweeps::held_back.eq(0),
        );
        run!(tx, c => diesel::insert_into(sweeps::table).values(values)
            .on_conflict_do_nothing().execute(c).await)?;
    }
    let due = sweeps::table
        .filter(sweeps::due_at.le(now))
        .filter(free(now))
        .filter(kept())
        .order(sweeps::due_at)
        .select(sweeps::provider_id);
    let ids: Vec<Id> = match tx {
        Connection::Postgres(object) => due.for_update().skip_locked().load(&mut **object).await?,
        Connection::Sqlite(object) => due.load(&mut **object).await?,
    };
    let mut claims = Vec::with_capacity(ids.len());
    for id in ids {
        let changes = (
            sweeps::worker.eq(Some(worker)),
            sweeps::lease_until.eq(Some(now.after(lease))),
            sweeps::epoch.eq(sweeps::epoch + 1),
            sweeps::due_at.eq(now.after(interval)),
            sweeps::started_at.eq(Some(now)),
        );
        let epoch: i64 = run!(tx, c => diesel::update(sweeps::table.find(id)).set(changes)
            .returning(sweeps::epoch).get_result(c).await)?;
        claims.push(SweepClaim {
            provider: ProviderId(id.0),
            epoch,
            now: now.0,
        });
    }
    Ok(claims)
}

async fn renew(tx: &mut Connection, claim: &SweepClaim, lease: Duration) -> Result<()> {
    let (now, _) = lock(tx, claim).await?;
    let changes = sweeps::lease_until.eq(Some(now.after(lease)));
    run!(tx, c => diesel::update(sweeps::table.find(Id(claim.provider.0)))
        .set(changes).execute(c).await)?;
    Ok(())
}

async fn finish(tx: &mut Connection, claim: &SweepClaim, end: &SweepEnd) -> Result<()> {
    let (now, _) = lock(tx, claim).await?;
    let id = Id(claim.provider.0);
    let completed = match end.outcome {
        SweepOutcome::Completed | SweepOutcome::Capped => Some(now),
        SweepOutcome::Frozen | SweepOutcome::Failed => None,
    };
    let count = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let changes = (
        sweeps::worker.eq(None::<Id>),
        sweeps::lease_until.eq(None::<Time>),
        sweeps::ended_at.eq(Some(now)),
        completed.map(|it| sweeps::completed_at.eq(Some(it))),
        sweeps::outcome.eq(Some(end.outcome.as_str())),
        sweeps::reason.eq(end.reason.as_deref()),
        sweeps::seen.eq(count(end.seen)),
        sweeps::deleted.eq(count(end.deleted)),
        sweeps::held_back.eq(count(end.held_back)),
    );
    run!(tx, c => diesel::update(sweeps::table.find(id)).set(changes).execute(c).await)?;
    hasten(tx, id, end.next_in).await
}

async fn release(tx: &mut Connection, worker: Id) -> Result<()> {
    let now = tx.now().await?;
    let changes = (
        sweeps::worker.eq(None::<Id>),
        sweeps::lease_until.eq(None::<Time>),
        sweeps::due_at.eq(now),
    );
    run!(tx, c => diesel::update(sweeps::table.filter(sweeps::worker.eq(Some(worker))))
        .set(changes).execute(c).await)?;
    Ok(())
}

async fn hasten(tx: &mut Connection, id: Id, within: Duration) -> Result<()> {
    let at = tx.now().await?.after(within);
    run!(tx, c => diesel::update(sweeps::table.find(id)).filter(sweeps::due_at.gt(at))
        .set(sweeps::due_at.eq(at)).execute(c).await)?;
    Ok(())
}
