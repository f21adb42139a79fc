//! Whose a server at a vendor is: taken into our books, let go, or decided about by an operator.

mod import;
mod missing;
mod quarantine;
mod release;

use std::collections::BTreeSet;

use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, ProviderId, RemoteId};

pub use self::quarantine::CustodyDecision;
pub(crate) use self::release::let_go;
use crate::accept::busy;
use crate::db::{Connection, Repository, Written, read, run, written};
use crate::error::Result;
use crate::operations::unfinished;
use crate::record::{Import, Instance, OperationState};
use crate::row;
use crate::schema::{imports, operations, quarantine as suspects, vps_instances};
use crate::types::{Id, Time};

/// Servers that stand in our books as there.
pub(crate) fn kept() -> Written<Bool> {
    written("vps_instances.lifecycle NOT IN ('deleted', 'failed')")
}

impl Repository {
    /// Returns a server of whichever organization. For operators and the engine.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn find_instance(&self, id: InstanceId) -> Result<Option<Instance>> {
        let row = read!(self.db, c => vps_instances::table.find(Id(id.0))
            .select(row::Instance::as_select()).first(c).await.optional())?;
        row.map(row::Instance::into_record).transpose()
    }

    /// Returns by what an imported server is known; `None` of one that we made ourselves.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn find_import(&self, id: InstanceId) -> Result<Option<Import>> {
        let line: Option<(String, Option<Time>, String)> = read!(self.db, c => imports::table
            .find(Id(id.0))
            .select((imports::remote_id, imports::remote_created_at, imports::fingerprint))
            .first(c).await.optional())?;
        Ok(line.map(|(remote, created, fingerprint)| Import {
            remote: RemoteId::from(remote),
            remote_created_at: created.map(|it| it.0),
            fingerprint,
        }))
    }

    /// Returns which of these servers at a vendor account are none of a server's whose mark they
    /// carry: they are bound to others, or a person has let them go.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn spoken_for(
        &self,
        provider: ProviderId,
        instance: InstanceId,
        remotes: &[RemoteId],
    ) -> Result<BTreeSet<RemoteId>> {
        let provider = Id(provider.0);
        let asked: Vec<&str> = remotes.iter().map(RemoteId::as_str).collect();
        let mut reader = self.db.reader().await?;
        let bound: Vec<Option<String>> = run!(&mut reader, c => vps_instances::table
            .filter(vps_instances::provider_id.eq(provider))
            .filter(vps_instances::remote_id.eq_any(&asked))
            .filter(vps_instances::id.ne(Id(instance.0)))
            .filter(kept())
            .select(vps_instances::remote_id).load(c).await)?;
        let released: Vec<String> = run!(&mut reader, c => suspects::table
            .filter(suspects::provider_id.eq(provider))
            .filter(suspects::remote_id.eq_any(&asked))
            .filter(suspects::state.eq("released"))
            .select(suspects::remote_id).load(c).await)?;
        let bound = bound.into_iter().flatten();
        Ok(bound.chain(released).map(RemoteId::from).collect())
    }
}

/// Refuses a server that something is at work on.
async fn at_rest(tx: &mut Connection, instance: Id) -> Result<()> {
    match moving(tx, instance).await?.into_iter().next() {
        Some(moving) => Err(busy(&moving)?),
        None => Ok(()),
    }
}

/// Returns what moves at a server, the oldest first; what waits for a person does not.
async fn moving(tx: &mut Connection, instance: Id) -> Result<Vec<row::Operation>> {
    Ok(run!(tx, c => operations::table
        .filter(operations::instance_id.eq(instance))
        .filter(unfinished())
        .filter(operations::state.ne(OperationState::Attention.as_str()))
        .order(operations::id)
        .select(row::Operation::as_select()).load(c).await)?)
}
