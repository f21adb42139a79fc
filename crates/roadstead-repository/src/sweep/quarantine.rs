//! Quarantined servers, as operators see them.

use std::collections::HashMap;

use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, ProviderId, RemoteId};
use uuid::Uuid;

use crate::db::{Connection, Repository, run, written};
use crate::error::{Error, Result};
use crate::record::{DeleteOrder, Doubt, QuarantineState, Quarantined};
use crate::row;
use crate::schema::{quarantine, quarantine_deletes};
use crate::types::{Id, Time};

type Seen = (Option<Time>, Time, Time, Option<Time>);
type Line = (
    (Id, Id, String, String),
    serde_json::Value,
    Option<Id>,
    (String, String),
    Seen,
);

/// Selects what is known of a quarantined server. A macro, because its type has no short name.
macro_rules! line {
    () => {
        (
            (
                quarantine::id,
                quarantine::provider_id,
                quarantine::remote_id,
                quarantine::name,
            ),
            quarantine::tags,
            quarantine::instance_id,
            (quarantine::reason, quarantine::state),
            (
                quarantine::remote_created_at,
                quarantine::first_seen_at,
                quarantine::last_seen_at,
                quarantine::ended_at,
            ),
        )
    };
}

impl Repository {
    /// Returns the quarantined servers about which nobody has decided, those that were seen
    /// first before the others, from behind `after`. One that is to be deleted is among them until
    /// it is gone.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_quarantine(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Quarantined>> {
        let after = after.unwrap_or(Uuid::nil());
        let mut reader = self.db.reader().await?;
        let lines: Vec<Line> = run!(&mut reader, c => quarantine::table
            .filter(written::<Bool>("quarantine.state = 'open'"))
            .filter(quarantine::id.gt(Id(after)))
            .order(quarantine::id)
            .limit(i64::from(limit))
            .select(line!())
            .load(c).await)?;
        records(&mut reader, lines).await
    }

    /// Returns the quarantined servers of an account about which nobody has decided.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn quarantine_of(&self, provider: ProviderId) -> Result<Vec<Quarantined>> {
        let mut reader = self.db.reader().await?;
        let lines: Vec<Line> = run!(&mut reader, c => quarantine::table
            .filter(written::<Bool>("quarantine.state = 'open'"))
            .filter(quarantine::provider_id.eq(Id(provider.0)))
            .order(quarantine::id)
            .select(line!())
            .load(c).await)?;
        records(&mut reader, lines).await
    }
}

/// Returns a quarantined server, or one that was.
pub(crate) async fn quarantined(reader: &mut Connection, id: Id) -> Result<Option<Quarantined>> {
    let line: Option<Line> = run!(reader, c => quarantine::table.find(id)
        .select(line!()).first(c).await.optional())?;
    let records = records(reader, line.into_iter().collect()).await?;
    Ok(records.into_iter().next())
}

/// Adds the decisions to delete them.
async fn records(reader: &mut Connection, lines: Vec<Line>) -> Result<Vec<Quarantined>> {
    type Ordered = (Id, Time, Option<Time>, Option<String>);
    let ids: Vec<Id> = lines.iter().map(|it| it.0.0).collect();
    let ordered: Vec<Ordered> = run!(reader, c => quarantine_deletes::table
        .filter(quarantine_deletes::quarantine_id.eq_any(&ids))
        .select((
            quarantine_deletes::quarantine_id,
            quarantine_deletes::created_at,
            quarantine_deletes::sent_at,
            quarantine_deletes::refusal,
        ))
        .load(c).await)?;
    let order = |(id, created_at, sent_at, refusal): Ordered| {
        let order = DeleteOrder {
            created_at: created_at.0,
            sent_at: sent_at.map(|it| it.0),
            refusal,
        };
        (id.0, order)
    };
    let mut orders: HashMap<Uuid, DeleteOrder> = ordered.into_iter().map(order).collect();
    lines
        .into_iter()
        .map(|line| {
            let order = orders.remove(&line.0.0.0);
            record(line, order)
        })
        .collect()
}

fn record(
    (server, tags, instance, (doubt, state), seen): Line,
    order: Option<DeleteOrder>,
) -> Result<Quarantined> {
    let (id, provider, remote, name) = server;
    let (created, first_seen_at, last_seen_at, ended_at) = seen;
    Ok(Quarantined {
        id: id.0,
        provider: ProviderId(provider.0),
        remote: RemoteId::from(remote),
        name,
        tags: row::parse("quarantine.tags", tags)?,
        remote_created_at: created.map(|it| it.0),
        instance: instance.map(|it| InstanceId(it.0)),
        doubt: Doubt::from_word(&doubt).ok_or(Error::Corrupt {
            column: "quarantine.reason",
        })?,
        state: QuarantineState::from_word(&state).ok_or(Error::Corrupt {
            column: "quarantine.state",
        })?,
        first_seen_at: first_seen_at.0,
        last_seen_at: last_seen_at.0,
        ended_at: ended_at.map(|it| it.0),
        order,
    })
}
