//! Servers of ours that their vendors have no more, though nobody here asked for that.

use diesel::dsl::count_star;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, RemoteId};

use super::lock;
use crate::apply::hold;
use crate::db::{Connection, Repository, detached, run};
use crate::error::Result;
use crate::events::Told;
use crate::operations::unfinished;
use crate::record::{Lifecycle, OperationState, SweepClaim};
use crate::row;
use crate::schema::{absences, operations, vps_instances};
use crate::types::Id;

const PROBLEM: &str = "the provider has this server no more, and nobody here asked for that";

impl Repository {
    /// Records that a server is missing, unless it has changed since the sweep read it. Returns
    /// whether it did.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`](crate::Error::LeaseLost) if somebody else sweeps the account by now.
    pub async fn miss(
        &self,
        claim: &SweepClaim,
        instance: InstanceId,
        remote: &RemoteId,
    ) -> Result<bool> {
        let (repository, claim, remote) = (self.clone(), claim.clone(), remote.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = miss(&mut tx, &claim, Id(instance.0), &remote).await;
            let missed = tx.finish(outcome).await?;
            if missed {
                repository.told();
            }
            Ok(missed)
        })
        .await
    }
}

async fn miss(tx: &mut Connection, claim: &SweepClaim, id: Id, remote: &RemoteId) -> Result<bool> {
    let (now, _) = lock(tx, claim).await?;
    let before = hold(tx, id).await?;
    let moving: i64 = run!(tx, c => operations::table
        .filter(operations::instance_id.eq(id))
        .filter(unfinished())
        .filter(operations::state.ne(OperationState::Attention.as_str()))
        .select(count_star()).first(c).await)?;
    let is_same = before.remote_id.as_deref() == Some(remote.as_str());
    if before.lifecycle()? != Lifecycle::Live || !is_same || moving > 0 {
        return Ok(false);
    }
    let changes = (
        vps_instances::lifecycle.eq(Lifecycle::Missing.as_str()),
        vps_instances::problem.eq(Some(PROBLEM)),
        vps_instances::updated_at.eq(now),
    );
    let after: row::Instance = run!(tx, c => diesel::update(vps_instances::table.find(id))
        .set(changes).returning(row::Instance::as_returning()).get_result(c).await)?;
    run!(tx, c => diesel::delete(absences::table.find(id)).execute(c).await)?;
    let mut told = Told::default();
    told.instance(&after, now)?;
    told.write(tx).await?;
    Ok(true)
}
