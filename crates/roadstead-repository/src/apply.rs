//! What a worker writes about an operation and its server.

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use roadstead_core::Code;

use crate::claim::{end_attempt, lock};
use crate::custody::let_go;
use crate::db::{Connection, Repository, detached, run};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::operations::check_edge;
use crate::record::{
    Change, Claim, ErrorRecord, InstanceChange, Lifecycle, Operation, OperationKind, OperationState,
};
use crate::row;
use crate::schema::{operations, vps_instances};
use crate::sweep::doom;
use crate::types::{Id, Time};

impl Repository {
    /// Writes a change and frees the lease, in one transaction.
    ///
    /// A delete or a release that succeeds also closes the operations of its server that wait for a
    /// person: there is nothing left to decide.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else has claimed the operation, [`Error::IllegalEdge`]
    /// if a state machine does not have the step, [`Error::Conflict`] if the server at the
    /// vendor is bound elsewhere.
    pub async fn apply(&self, claim: &Claim, change: &Change) -> Result<Operation> {
        let (repository, change) = (self.clone(), change.clone());
        let (id, epoch) = (Id(claim.operation.id.0), claim.epoch);
        #[cfg(feature = "crash-points")]
        let kind = claim.operation.kind.as_str();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = apply(&mut tx, id, epoch, &change).await;
            #[cfg(feature = "crash-points")]
            pass(kind, &change, ["t3_before", "count_before", "end_before"]);
            let (operation, wiped) = tx.finish(outcome).await?;
            #[cfg(feature = "crash-points")]
            pass(kind, &change, ["t3_after", "count_after", "end_after"]);
            repository.told();
            if wiped {
                repository.forget_log().await;
            }
            Ok(operation)
        })
        .await
    }

    /// Empties SQLite's log, in which the pages of a wiped secret would stay until it is written
    /// over. It is sealed there too, so that a failure can wait for the next wipe.
    pub(crate) async fn forget_log(&self) {
        let emptied = async {
            match self.db.writer().await? {
                Connection::Sqlite(mut object) => Ok(object
                    .batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    .await?),
                Connection::Postgres(_) => Ok(()),
            }
        };
        let emptied: Result<()> = emptied.await;
        if let Err(error) = emptied {
            tracing::debug!(error = %error, "could not empty the log");
        }
    }
}

/// Passes the crash points of what a write is: of an attempt's outcome, of a look that counts,
/// of an end.
#[cfg(feature = "crash-points")]
fn pass(kind: &str, change: &Change, [outcome, count, end]: [&str; 3]) {
    if change.attempt.is_some() {
        roadstead_core::crash_point!(kind, outcome);
    }
    if change.empty_looks > 0 {
        roadstead_core::crash_point!(kind, count);
    }
    if change.state.is_final() {
        roadstead_core::crash_point!(kind, end);
    }
}

/// Returns the operation, and whether a secret was wiped.
async fn apply(
    tx: &mut Connection,
    id: Id,
    epoch: i64,
    change: &Change,
) -> Result<(Operation, bool)> {
    let row = lock(tx, id, epoch).await?;
    let now = tx.now().await?;
    let before = row.state()?;
    check_edge(before, change.state)?;
    if matches!(change.state, OperationState::Leased | OperationState::Sent) {
        // Only `claim` and `begin_attempt` make these.
        let (from, to) = (before.as_str(), change.state.as_str());
        return Err(Error::IllegalEdge {
            machine: "an operation",
            from,
            to,
        });
    }
    if let Some(outcome) = change.attempt {
        end_attempt(tx, &row, outcome, now).await?;
    }
    let mut told = Told::default();
    change_instance(tx, &row, &change.instance, now, &mut told).await?;
    for remote in &change.doomed {
        let reason = "carries the mark of a server that is bound to another";
        doom(tx, row.provider_id, remote, row.instance_id, reason, now).await?;
    }
    let ends = change.state.is_final();
    let error = change
        .error
        .as_ref()
        .map(|it| row::json("this error", it))
        .transpose()?;
    let remote = change
        .remote
        .as_ref()
        .map(|it| row::json("this job", it))
        .transpose()?;
    let is_failing = change.state == OperationState::Ready && change.error.is_some();
    let failing_since = is_failing.then(|| row.failing_since.unwrap_or(now));
    let wipe = (
        operations::secret.eq(None::<Vec<u8>>),
        operations::secret_key.eq(None::<i64>),
    );
    let changes = (
        operations::state.eq(change.state.as_str()),
        operations::due_at.eq(if ends {
            row.due_at
        } else {
            now.after(change.due_in)
        }),
        operations::empty_looks.eq(row::stored::<i32, _>("so many looks", change.empty_looks)?),
        remote.map(|it| operations::remote.eq(Some(it))),
        operations::progress.eq(change.progress.map(i32::from)),
        operations::error.eq(error),
        operations::failing_since.eq(failing_since),
        (ends || change.wipe_secrets).then_some(wipe),
        operations::lease_until.eq(None::<Time>),
        operations::worker.eq(None::<Id>),
        operations::updated_at.eq(now),
        operations::finished_at.eq(ends.then_some(now)),
    );
    let after: row::Operation = run!(tx, c => diesel::update(operations::table.find(id))
        .set(changes).returning(row::Operation::as_returning()).get_result(c).await)?;
    let mut wiped = row.secret.is_some() && after.secret.is_none();
    let closing = match row.kind()? {
        OperationKind::Delete => Some("the server was deleted before this was decided"),
        OperationKind::Release => Some("the server was let go before this was decided"),
        _ => None,
    };
    if let Some(why) = closing.filter(|_| change.state == OperationState::Succeeded) {
        wiped |= close_undecided(tx, &row, why, now, &mut told).await?;
    }
    if after.looks_other_than(&row) {
        told.operation(&after, now)?;
    }
    told.write(tx).await?;
    Ok((after.into_record()?, wiped))
}

async fn change_instance(
    tx: &mut Connection,
    operation: &row::Operation,
    change: &InstanceChange,
    now: Time,
    told: &mut Told,
) -> Result<()> {
    let InstanceChange {
        lifecycle,
        remote,
        unbound,
        parting,
        observation,
        problem,
        image,
        takes_terms,
    } = change;
    let terms = if *takes_terms {
        operation.terms()?
    } else {
        None
    };
    let is_quiet = lifecycle.is_none() && remote.is_none() && observation.is_none();
    if is_quiet && !*unbound && problem.is_none() && image.is_none() && terms.is_none() {
        return Ok(());
    }
    let instance = hold(tx, operation.instance_id).await?;
    if let Some(parting) = parting {
        let_go(tx, &instance, parting, now).await?;
    }
    if let Some(next) = *lifecycle {
        let before = if parting.is_some() {
            Lifecycle::Deleting
        } else {
            instance.lifecycle()?
        };
        if !before.may_become(next) {
            let (from, to) = (before.as_str(), next.as_str());
            return Err(Error::IllegalEdge {
                machine: "a lifecycle",
                from,
                to,
            });
        }
    }
    const BOUND: &str = "the server at the vendor is bound elsewhere";
    if let (Some(bound), Some(remote)) = (&instance.remote_id, remote)
        && bound != remote.as_str()
    {
        return Err(Error::Conflict { what: BOUND });
    }
    let observed = observation.as_ref().map(row::observed).transpose()?;
    let changes = (
        lifecycle.map(|it| vps_instances::lifecycle.eq(it.as_str())),
        remote
            .as_ref()
            .map(|it| Some(it.as_str()))
            .or(unbound.then_some(None))
            .map(|it| vps_instances::remote_id.eq(it)),
        problem
            .as_ref()
            .map(|it| vps_instances::problem.eq(it.as_deref())),
        observed
            .as_ref()
            .map(|_| vps_instances::observed_at.eq(Some(now))),
        image
            .as_ref()
            .map(|it| vps_instances::image_id.eq(it.as_str())),
        terms.as_ref().map(row::priced).transpose()?,
        vps_instances::updated_at.eq(now),
        observed,
    );
    let after: row::Instance = run!(tx, c => diesel::update(vps_instances::table.find(instance.id))
        .set(changes).returning(row::Instance::as_returning()).get_result(c).await)
    .map_err(Error::taken(BOUND))?;
    if after.looks_other_than(&instance)? {
        told.instance(&after, now)?;
    }
    Ok(())
}

/// Holds a server for a change until the end of the transaction.
pub(crate) async fn hold(tx: &mut Connection, id: Id) -> Result<row::Instance> {
    let found = vps_instances::table.find(id);
    Ok(match tx {
        Connection::Postgres(object) => {
            let locked = found.select(row::Instance::as_select()).for_update();
            locked.first(&mut **object).await?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => {
            found
                .select(row::Instance::as_select())
                .first(&mut **object)
                .await?
        }
    })
}

/// Ends what waits for a person at a server that is gone. Returns whether there was anything.
async fn close_undecided(
    tx: &mut Connection,
    delete: &row::Operation,
    why: &str,
    now: Time,
    told: &mut Told,
) -> Result<bool> {
    let error = ErrorRecord {
        code: Code::UnknownError.as_str().to_owned(),
        message: why.to_owned(),
        field: None,
    };
    let changes = (
        operations::state.eq(OperationState::Failed.as_str()),
        operations::error.eq(Some(row::json("this error", &error)?)),
        operations::secret.eq(None::<Vec<u8>>),
        operations::secret_key.eq(None::<i64>),
        operations::lease_until.eq(None::<Time>),
        operations::worker.eq(None::<Id>),
        operations::updated_at.eq(now),
        operations::finished_at.eq(Some(now)),
    );
    let closed: Vec<row::Operation> = run!(tx, c => diesel::update(operations::table)
        .filter(operations::instance_id.eq(delete.instance_id))
        .filter(operations::id.ne(delete.id))
        .filter(operations::state.eq(OperationState::Attention.as_str()))
        .set(changes).returning(row::Operation::as_returning()).get_results(c).await)?;
    for operation in &closed {
        told.operation(operation, now)?;
    }
    Ok(!closed.is_empty())
}
