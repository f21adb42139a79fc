//! How much is under way and how busy the connections are: counted for the metrics.

use std::time::Duration;

use diesel::dsl::{count_star, sql};
use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::db::{Repository, run};
use crate::error::{Error, Result};
use crate::operations::unfinished;
use crate::record::OperationState;
use crate::schema::{dooms, operations, quarantine, vps_instances};
use crate::types::{DbTime, Time};

/// What is under way in the whole installation, whichever process asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The operations that are not over, by state; a state that none is in is left out.
    pub operations: Vec<OpenOperations>,
    /// Servers about which a person must decide.
    pub attention: u64,
    /// Servers that their vendor has no more, though nobody asked for that.
    pub missing: u64,
    /// Servers at vendors that carry our mark and that nobody can vouch for.
    pub quarantined: u64,
    /// Servers at vendors that are to be deleted, or will be when they are seen again.
    pub doomed: u64,
}

/// The operations in one state that are not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOperations {
    /// The state.
    pub state: OperationState,
    /// How many.
    pub count: u64,
    /// How long ago the oldest of them was accepted.
    pub oldest: Duration,
}

/// A set of connections to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What it is for: `all` on PostgreSQL, `writer` and `readers` on SQLite.
    pub name: &'static str,
    /// Most connections at a time.
    pub max: usize,
    /// Connections that are open.
    pub open: usize,
    /// Those of them that a statement or a transaction has now.
    pub in_use: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

impl Repository {
    /// Counts what is under way. Reads only what is not over, however much has been done.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn tally(&self) -> Result<Tally> {
        let mut reader = self.db.reader().await?;
        let now = reader.now().await?;
        let lines: Vec<(String, i64, Time)> = run!(&mut reader, c => operations::table
            .filter(unfinished())
            .group_by(operations::state)
            .select((operations::state, count_star(), sql::<DbTime>("MIN(operations.created_at)")))
            .load(c).await)?;
        // Written out, because a bound value would hide from the databases that the partial
        // index fits.
        let decided_by_people = sql::<Bool>("vps_instances.lifecycle = 'attention'");
        let attention: i64 = run!(&mut reader, c => vps_instances::table
            .filter(decided_by_people).select(count_star()).first(c).await)?;
        let missing = sql::<Bool>("vps_instances.lifecycle = 'missing'");
        let missing: i64 = run!(&mut reader, c => vps_instances::table
            .filter(missing).select(count_star()).first(c).await)?;
        let undecided = sql::<Bool>("quarantine.state = 'open'");
        let quarantined: i64 = run!(&mut reader, c => quarantine::table
            .filter(undecided).select(count_star()).first(c).await)?;
        let doomed: i64 = run!(&mut reader, c => dooms::table
            .filter(dooms::done_at.is_null()).select(count_star()).first(c).await)?;
        let open = |(state, count, oldest): (String, i64, Time)| {
            Ok(OpenOperations {
                state: OperationState::from_word(&state).ok_or(Error::Corrupt {
                    column: "operations.state",
                })?,
                count: u64::try_from(count).unwrap_or_default(),
                // Another machine's clock may be a little ahead.
                oldest: Duration::try_from(now.0.duration_since(oldest.0)).unwrap_or_default(),
            })
        };
        Ok(Tally {
            operations: lines.into_iter().map(open).collect::<Result<_>>()?,
            attention: u64::try_from(attention).unwrap_or_default(),
            missing: u64::try_from(missing).unwrap_or_default(),
            quarantined: u64::try_from(quarantined).unwrap_or_default(),
            doomed: u64::try_from(doomed).unwrap_or_default(),
        })
    }

    /// Returns how busy the connections to the database are. Asks nobody.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        self.db.pools()
    }
}
