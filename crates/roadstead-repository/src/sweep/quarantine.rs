//! Quarantined servers, as operators see them.

use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, ProviderId, RemoteId};
use uuid::Uuid;

use crate::db::{Repository, read, written};
use crate::error::{Error, Result};
use crate::record::{Doubt, QuarantineState, Quarantined};
use crate::row;
use crate::schema::quarantine;
use crate::types::{Id, Time};

type Seen = (Option<Time>, Time, Time, Option<Time>);
type Line = (
    (Id, Id, String, String),
    serde_json::Value,
    Option<Id>,
    (String, String),
    Seen,
);

impl Repository {
    /// Returns the quarantined servers about which nobody has decided, those that were seen
    /// first before the others, from behind `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_quarantine(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Quarantined>> {
        let after = after.map_or(Uuid::nil(), |it| it);
        let lines: Vec<Line> = read!(self.db, c => quarantine::table
            .filter(written::<Bool>("quarantine.state = 'open'"))
            .filter(quarantine::id.gt(Id(after)))
            .order(quarantine::id)
            .limit(i64::from(limit))
            .select((
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
            ))
            .load(c).await)?;
        lines.into_iter().map(record).collect()
    }
}

fn record((server, tags, instance, (doubt, state), seen): Line) -> Result<Quarantined> {
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
    })
}
