//! The right to work on operations, and the record of what is sent.

use std::time::Duration;

use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, OptionalExtension, QueryDsl,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use roadstead_core::{LogPlace, crash_point};
use uuid::Uuid;

use crate::db::{Backend, Connection, Repository, detached, run};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::operations::{check_edge, movable};
use crate::record::{AttemptOutcome, Claim, OperationState, Request, SentAttempt};
use crate::row;
use crate::schema::{attempts, operations, vps_instances};
use crate::sealing::Keyring;
use crate::types::{Id, Time};

/// How long an operation rests whose secret cannot be opened: until a key file is put right.
const UNREADABLE_REST: Duration = Duration::from_secs(60);

impl Repository {
    /// Claims operations that are due and that nobody works on, the longest due first.
    ///
    /// A ready one becomes leased. One that was sent under a lease that ran out becomes unknown,
    /// and so does its attempt. A delete is claimed only when nothing else moves at its server.
    /// All times are the database's.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn claim(&self, worker: Uuid, lease: Duration, limit: u32) -> Result<Vec<Claim>> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = claim(&mut tx, &repository.keys, Id(worker), lease, limit).await;
            #[cfg(feature = "crash-points")]
            for claim in outcome.iter().flatten() {
                crash_point!(claim.operation.kind.as_str(), "claim_before");
            }
            let claims = tx.finish(outcome).await?;
            if !claims.is_empty() {
                repository.told();
            }
            Ok(claims)
        })
        .await
    }

    /// Hands back everything that a worker holds, when it shuts down. What it had not sent is
    /// ready again.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn release_leases(&self, worker: Uuid) -> Result<u32> {
        self.release_of(Some(worker)).await
    }

    async fn release_of(&self, worker: Option<Uuid>) -> Result<u32> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = release(&mut tx, worker.map(Id)).await;
            let released = tx.finish(outcome).await?;
            repository.told();
            Ok(released)
        })
        .await
    }

    /// Frees all leases of an embedded database, which one process alone works on: whoever held
    /// them is dead. What had not been sent is ready again. Elsewhere nothing is done, because
    /// another process may be at work. Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn take_back_leases(&self) -> Result<u32> {
        match self.backend() {
            Backend::Postgres => Ok(0),
            Backend::Sqlite => self.release_of(None).await,
        }
    }

    /// Puts an attempt on record: the operation becomes sent. Nothing may leave for the vendor
    /// before this has returned. An attempt that the vendor never worked on keeps its number. A
    /// reason for having waited is forgotten.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else has claimed the operation, or if less than `margin`
    /// of the lease is left; [`Error::IllegalEdge`] if the operation is not leased.
    pub async fn begin_attempt(
        &self,
        claim: &Claim,
        digest: &[u8],
        margin: Duration,
    ) -> Result<SentAttempt> {
        self.begin_logged_attempt(claim, digest, None, margin).await
    }

    /// The same, with where the vendor's own log of the server ends before the request. What
    /// comes into the log after it may be the request's.
    ///
    /// # Errors
    ///
    /// As [`Repository::begin_attempt`].
    pub async fn begin_logged_attempt(
        &self,
        claim: &Claim,
        digest: &[u8],
        log_place: Option<&LogPlace>,
        margin: Duration,
    ) -> Result<SentAttempt> {
        let repository = self.clone();
        let (digest, place) = (digest.to_vec(), log_place.map(|it| it.as_str().to_owned()));
        let (id, epoch) = (Id(claim.operation.id.0), claim.epoch);
        #[cfg(feature = "crash-points")]
        let kind = claim.operation.kind.as_str();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = begin_attempt(&mut tx, id, epoch, digest, place, margin).await;
            crash_point!(kind, "t2_before");
            let attempt = tx.finish(outcome).await?;
            crash_point!(kind, "t2_after");
            repository.told();
            Ok(attempt)
        })
        .await
    }
}

/// Returns an operation that is still claimed under this epoch, held for a change until the end
/// of the transaction.
///
/// # Errors
///
/// [`Error::LeaseLost`] if it is claimed under another.
pub(crate) async fn lock(tx: &mut Connection, id: Id, epoch: i64) -> Result<row::Operation> {
    let mine = operations::table
        .find(id)
        .filter(operations::epoch.eq(epoch));
    let row = match tx {
        Connection::Postgres(object) => {
            let locked = mine.select(row::Operation::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => mine
            .select(row::Operation::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    row.ok_or(Error::LeaseLost)
}

async fn claim(
    tx: &mut Connection,
    keys: &Keyring,
    worker: Id,
    lease: Duration,
    limit: u32,
) -> Result<Vec<Claim>> {
    let now = tx.now().await?;
    let due = operations::table
        .filter(movable())
        .filter(operations::due_at.le(now))
        .filter(
            operations::lease_until
                .is_null()
                .or(operations::lease_until.le(now)),
        )
        .order((operations::due_at, operations::id))
        .limit(i64::from(limit));
    // PostgreSQL may claim more than the limit when the rows are chosen inside the update, whose
    // planner is free to choose again: they are chosen and locked first.
    let rows: Vec<row::Operation> = match tx {
        Connection::Postgres(object) => {
            let locked = due
                .select(row::Operation::as_select())
                .for_update()
                .skip_locked();
            locked.load(&mut **object).await?
        }
        Connection::Sqlite(object) => {
            due.select(row::Operation::as_select())
                .load(&mut **object)
                .await?
        }
    };
    let mut claims = Vec::with_capacity(rows.len());
    let mut told = Told::default();
    for row in rows {
        claims.extend(claim_one(tx, keys, row, worker, lease, now, &mut told).await?);
    }
    told.write(tx).await?;
    Ok(claims)
}

/// Frees the leases of a worker, or of all.
async fn release(tx: &mut Connection, worker: Option<Id>) -> Result<u32> {
    let now = tx.now().await?;
    let everybody = worker.is_none().into_sql::<Bool>();
    let mine = operations::worker
        .is_not_null()
        .and(operations::worker.eq(worker).or(everybody));
    let unsent = operations::state.eq(OperationState::Leased.as_str());
    let again: Vec<row::Operation> = run!(tx, c => diesel::update(operations::table)
        .filter(mine.and(unsent))
        .set(operations::state.eq(OperationState::Ready.as_str()))
        .returning(row::Operation::as_returning()).get_results(c).await)?;
    let none = (
        operations::lease_until.eq(None::<Time>),
        operations::worker.eq(None::<Id>),
    );
    let released = run!(tx, c => diesel::update(operations::table.filter(mine))
        .set(none).execute(c).await)?;
    let mut told = Told::default();
    for operation in &again {
        told.operation(operation, now)?;
    }
    told.write(tx).await?;
    Ok(u32::try_from(released).unwrap_or(u32::MAX))
}

async fn claim_one(
    tx: &mut Connection,
    keys: &Keyring,
    row: row::Operation,
    worker: Id,
    lease: Duration,
    now: Time,
    told: &mut Told,
) -> Result<Option<Claim>> {
    let id = row.id;
    let opened = row
        .secret
        .as_deref()
        .map(|it| keys.open(it, &row::Operation::place(id)));
    let secret = match opened.transpose() {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(operation.id = %id.0, error = %error, "an operation's secret cannot be opened");
            let later = operations::due_at.eq(now.after(UNREADABLE_REST));
            run!(tx, c => diesel::update(operations::table.find(id))
                .set(later).execute(c).await)?;
            return Ok(None);
        }
    };
    let before = row.state()?;
    let state = match before {
        OperationState::Ready => OperationState::Leased,
        OperationState::Sent => OperationState::Unknown,
        OperationState::Leased
        | OperationState::Unknown
        | OperationState::Resolving
        | OperationState::Waiting
        | OperationState::Succeeded
        | OperationState::Failed
        | OperationState::Attention => before,
    };
    if before == OperationState::Sent {
        end_attempt(tx, &row, AttemptOutcome::Unknown, now).await?;
    }
    let lease_until = now.after(lease);
    let changes = (
        operations::state.eq(state.as_str()),
        operations::lease_until.eq(Some(lease_until)),
        operations::worker.eq(Some(worker)),
        operations::epoch.eq(operations::epoch + 1),
        operations::orphaned_attempts
            .eq(operations::orphaned_attempts + i32::from(before == OperationState::Sent)),
        // Being looked at again is no change that anybody wants to hear of.
        operations::updated_at.eq(if state == before { row.updated_at } else { now }),
    );
    let after: row::Operation = run!(tx, c => diesel::update(operations::table.find(id))
        .set(changes).returning(row::Operation::as_returning()).get_result(c).await)?;
    if after.looks_other_than(&row) {
        told.operation(&after, now)?;
    }
    let row = after;
    let instance = run!(tx, c => vps_instances::table.find(row.instance_id)
        .select(row::Instance::as_select()).first(c).await)?;
    Ok(Some(Claim {
        instance: instance.into_record()?,
        request: Request {
            plain: row.request.clone(),
            secret,
        },
        epoch: row.epoch,
        operation: row.into_record()?,
        lease_until: lease_until.0,
        now: now.0,
    }))
}

async fn begin_attempt(
    tx: &mut Connection,
    id: Id,
    epoch: i64,
    digest: Vec<u8>,
    place: Option<String>,
    margin: Duration,
) -> Result<SentAttempt> {
    let row = lock(tx, id, epoch).await?;
    // Read after the lock: waiting for it costs lease.
    let now = tx.now().await?;
    if row.lease_until.is_none_or(|it| it <= now.after(margin)) {
        return Err(Error::LeaseLost);
    }
    let state = row.state()?;
    check_edge(state, OperationState::Sent)?;
    if state == OperationState::Sent {
        let word = state.as_str();
        return Err(Error::IllegalEdge {
            machine: "an operation",
            from: word,
            to: word,
        });
    }
    let last: Option<Option<String>> = run!(tx, c => attempts::table.find((id, row.attempts))
        .select(attempts::outcome).first(c).await.optional())?;
    let unused = last.flatten().as_deref() == Some(AttemptOutcome::NotExecuted.as_str());
    let number = if unused {
        row.attempts
    } else {
        row.attempts.saturating_add(1)
    };
    let attempt = row::Attempt {
        operation_id: id,
        number,
        sent_at: now,
        digest,
        outcome: None,
        ended_at: None,
    };
    if unused {
        let again = (
            attempts::sent_at.eq(now),
            attempts::digest.eq(&attempt.digest),
            attempts::outcome.eq(None::<String>),
            attempts::ended_at.eq(None::<Time>),
        );
        run!(tx, c => diesel::update(attempts::table.find((id, number))).set(again)
            .execute(c).await)?;
    } else {
        run!(tx, c => diesel::insert_into(attempts::table).values(&attempt).execute(c).await)?;
    }
    let changes = (
        operations::state.eq(OperationState::Sent.as_str()),
        operations::attempts.eq(number),
        operations::sent_at.eq(Some(now)),
        operations::empty_looks.eq(0),
        operations::log_place.eq(place),
        // From here on an error is the vendor's; why it had to wait before is no longer true.
        operations::error.eq(None::<serde_json::Value>),
        operations::updated_at.eq(now),
    );
    let after: row::Operation = run!(tx, c => diesel::update(operations::table.find(id))
        .set(changes).returning(row::Operation::as_returning()).get_result(c).await)?;
    let mut told = Told::default();
    told.operation(&after, now)?;
    told.write(tx).await?;
    Ok(SentAttempt {
        number: row::stored("such an attempt", number)?,
        sent_at: now.0,
    })
}

/// Records what became of the last attempt, unless that is known.
pub(crate) async fn end_attempt(
    tx: &mut Connection,
    operation: &row::Operation,
    outcome: AttemptOutcome,
    now: Time,
) -> Result<()> {
    let unknown = attempts::outcome.eq(Some(AttemptOutcome::Unknown.as_str()));
    let changes = (
        attempts::outcome.eq(Some(outcome.as_str())),
        attempts::ended_at.eq(Some(now)),
    );
    run!(tx, c => diesel::update(attempts::table.find((operation.id, operation.attempts)))
        .filter(attempts::outcome.is_null().or(unknown))
        .set(changes).execute(c).await)?;
    Ok(())
}
