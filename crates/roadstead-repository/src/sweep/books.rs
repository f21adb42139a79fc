//! What our books say about an account, read once its list is complete.

use std::collections::BTreeSet;

use diesel::dsl::count_star;
use diesel::sql_types::Bool;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, ProviderId, RemoteId};

use crate::db::{Connection, Repository, Written, run, written};
use crate::error::{Error, Result};
use crate::record::{
    AttemptOutcome, BoundServer, CreateAttempt, DoomSighting, Lifecycle, MarkedServer,
    OrderedDelete, Parting, SweepBooks,
};
use crate::row;
use crate::schema::{
    absences, attempts, doom_sightings, dooms, imports, operations, quarantine, quarantine_deletes,
    vps_instances,
};
use crate::types::{Id, Time};

/// How many servers one statement names.
const AT_ONCE: usize = 200;

/// By how many bound servers, the youngest, the vendor's clock is told.
const CLOCKS: usize = 16;

fn busy() -> Written<Bool> {
    written(
        "EXISTS (SELECT 1 FROM operations WHERE operations.instance_id = vps_instances.id \
        AND operations.state NOT IN ('succeeded', 'failed', 'attention'))",
    )
}

fn being_created() -> Written<Bool> {
    written(
        "EXISTS (SELECT 1 FROM operations WHERE operations.instance_id = vps_instances.id \
        AND operations.kind = 'create' AND operations.state NOT IN ('succeeded', 'failed'))",
    )
}

fn was_deleted() -> Written<Bool> {
    written(
        "EXISTS (SELECT 1 FROM operations WHERE operations.instance_id = vps_instances.id \
        AND operations.kind = 'delete' AND operations.state = 'succeeded')",
    )
}

impl Repository {
    /// Returns what our books say of servers that marks name, at whichever account.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn marked_servers(&self, marks: &BTreeSet<InstanceId>) -> Result<Vec<MarkedServer>> {
        marked(&mut self.db.reader().await?, marks).await
    }

    /// Returns what a sweep compares with the complete list of an account. `marks` are the
    /// servers of ours that the list names.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn sweep_books(
        &self,
        provider: ProviderId,
        marks: &BTreeSet<InstanceId>,
    ) -> Result<SweepBooks> {
        let id = Id(provider.0);
        let mut reader = self.db.reader().await?;
        let now = reader.now().await?;
        let bound = bound(&mut reader, id).await?;
        let marked = marked(&mut reader, marks).await?;
        let mut asked: Vec<Id> = marked.iter().map(|it| Id(it.instance.0)).collect();
        // Ids are made in the order of time, and the rows come in theirs.
        asked.extend(bound.iter().rev().take(CLOCKS).map(|it| Id(it.instance.0)));
        let live: i64 = run!(&mut reader, c => vps_instances::table
            .filter(vps_instances::provider_id.eq(id))
            .filter(written::<Bool>("vps_instances.lifecycle = 'live'"))
            .select(count_star()).first(c).await)?;
        let absent: Vec<(Id, Time)> = run!(&mut reader, c => absences::table
            .filter(absences::provider_id.eq(id))
            .select((absences::instance_id, absences::first_at)).load(c).await)?;
        let quarantined: Vec<String> = run!(&mut reader, c => quarantine::table
            .filter(quarantine::provider_id.eq(id)).filter(quarantine::state.eq("open"))
            .select(quarantine::remote_id).load(c).await)?;
        let released = released(&mut reader, id).await?;
        let imported: Vec<String> = run!(&mut reader, c => imports::table
            .filter(imports::provider_id.eq(id))
            .select(imports::remote_id).load(c).await)?;
        let ordered = ordered(&mut reader, id).await?;
        Ok(SweepBooks {
            attempts: attempts(&mut reader, &asked).await?,
            doomed: doomed(&mut reader, id).await?,
            bound,
            marked,
            absent: absent
                .into_iter()
                .map(|(id, at)| (InstanceId(id.0), at.0))
                .collect(),
            quarantined: quarantined.into_iter().map(RemoteId::from).collect(),
            released,
            imported: imported.into_iter().map(RemoteId::from).collect(),
            ordered,
            live: live.unsigned_abs(),
            now: now.0,
        })
    }
}

async fn released(reader: &mut Connection, provider: Id) -> Result<Vec<Parting>> {
    type Line = (String, String, serde_json::Value, Option<Time>);
    let lines: Vec<Line> = run!(reader, c => quarantine::table
        .filter(quarantine::provider_id.eq(provider)).filter(quarantine::state.eq("released"))
        .select((
            quarantine::remote_id,
            quarantine::name,
            quarantine::tags,
            quarantine::remote_created_at,
        ))
        .load(c).await)?;
    let parting = |(remote, name, tags, created): Line| {
        Ok(Parting {
            remote: RemoteId::from(remote),
            name,
            tags: row::parse("quarantine.tags", tags)?,
            created: created.map(|it| it.0),
        })
    };
    lines.into_iter().map(parting).collect()
}

async fn ordered(reader: &mut Connection, provider: Id) -> Result<Vec<OrderedDelete>> {
    type Line = (Id, String, String, Option<Time>);
    let lines: Vec<Line> = run!(reader, c => quarantine::table
        .inner_join(quarantine_deletes::table)
        .filter(quarantine::provider_id.eq(provider)).filter(quarantine::state.eq("open"))
        .filter(quarantine_deletes::refusal.is_null())
        .order(quarantine_deletes::created_at)
        .select((
            quarantine::id,
            quarantine::remote_id,
            quarantine_deletes::name,
            quarantine_deletes::remote_created_at,
        ))
        .load(c).await)?;
    let order = |(id, remote, name, created): Line| OrderedDelete {
        quarantined: id.0,
        remote: RemoteId::from(remote),
        name,
        created: created.map(|it| it.0),
    };
    Ok(lines.into_iter().map(order).collect())
}

fn lifecycle(word: &str) -> Result<Lifecycle> {
    Lifecycle::from_word(word).ok_or(Error::Corrupt {
        column: "vps_instances.lifecycle",
    })
}

async fn bound(reader: &mut Connection, provider: Id) -> Result<Vec<BoundServer>> {
    type Line = (Id, Option<String>, String, bool);
    let lines: Vec<Line> = run!(reader, c => vps_instances::table
        .filter(vps_instances::provider_id.eq(provider))
        .filter(vps_instances::remote_id.is_not_null())
        .filter(written::<Bool>("vps_instances.lifecycle NOT IN ('deleted', 'failed')"))
        .order(vps_instances::id)
        .select((
            vps_instances::id,
            vps_instances::remote_id,
            vps_instances::lifecycle,
            busy(),
        ))
        .load(c).await)?;
    let server = |(id, remote, word, is_busy): Line| {
        Ok(BoundServer {
            instance: InstanceId(id.0),
            remote: RemoteId::from(remote.unwrap_or_default()),
            lifecycle: lifecycle(&word)?,
            is_busy,
        })
    };
    lines.into_iter().map(server).collect()
}

async fn marked(
    reader: &mut Connection,
    marks: &BTreeSet<InstanceId>,
) -> Result<Vec<MarkedServer>> {
    type Line = (Id, Id, Option<String>, String, String, bool, bool, Time);
    let marks: Vec<Id> = marks.iter().map(|it| Id(it.0)).collect();
    let mut servers = Vec::with_capacity(marks.len());
    for chunk in marks.chunks(AT_ONCE) {
        let lines: Vec<Line> = run!(reader, c => vps_instances::table
            .filter(vps_instances::id.eq_any(chunk))
            .select((
                vps_instances::id,
                vps_instances::provider_id,
                vps_instances::remote_id,
                vps_instances::remote_name,
                vps_instances::lifecycle,
                being_created(),
                was_deleted(),
                vps_instances::updated_at,
            ))
            .load(c).await)?;
        for (id, provider, remote, remote_name, word, is_being_created, was_deleted, at) in lines {
            servers.push(MarkedServer {
                instance: InstanceId(id.0),
                provider: ProviderId(provider.0),
                remote: remote.map(RemoteId::from),
                remote_name,
                lifecycle: lifecycle(&word)?,
                is_being_created,
                was_deleted,
                updated_at: at.0,
            });
        }
    }
    Ok(servers)
}

async fn attempts(reader: &mut Connection, servers: &[Id]) -> Result<Vec<CreateAttempt>> {
    type Line = (Id, Time, Option<String>, Option<Time>);
    let mut found = Vec::new();
    for chunk in servers.chunks(AT_ONCE) {
        let lines: Vec<Line> = run!(reader, c => attempts::table
            .inner_join(operations::table.on(operations::id.eq(attempts::operation_id)))
            .filter(operations::instance_id.eq_any(chunk))
            .filter(operations::kind.eq("create"))
            .order((attempts::operation_id, attempts::number))
            .select((
                operations::instance_id,
                attempts::sent_at,
                attempts::outcome,
                attempts::ended_at,
            ))
            .load(c).await)?;
        let attempt = |(instance, sent_at, outcome, ended_at): Line| {
            let committed = outcome.as_deref() == Some(AttemptOutcome::Committed.as_str());
            CreateAttempt {
                instance: InstanceId(instance.0),
                sent_at: sent_at.0,
                answered_at: ended_at.filter(|_| committed).map(|it| it.0),
            }
        };
        found.extend(lines.into_iter().map(attempt));
    }
    // One that is asked for twice is there twice.
    found.sort_by_key(|it| (it.instance, it.sent_at));
    found.dedup();
    Ok(found)
}

async fn doomed(reader: &mut Connection, provider: Id) -> Result<Vec<DoomSighting>> {
    type Line = (String, Id, Time, Option<Time>, Option<Time>);
    let same = doom_sightings::provider_id
        .eq(dooms::provider_id)
        .and(doom_sightings::remote_id.eq(dooms::remote_id));
    let lines: Vec<Line> = run!(reader, c => dooms::table
        .inner_join(doom_sightings::table.on(same))
        .filter(dooms::provider_id.eq(provider))
        .filter(dooms::done_at.is_null())
        .order(dooms::created_at)
        .select((
            dooms::remote_id,
            dooms::instance_id,
            doom_sightings::first_at,
            doom_sightings::second_at,
            doom_sightings::sent_at,
        ))
        .load(c).await)?;
    let sighting = |(remote, instance, first_at, second_at, sent_at): Line| DoomSighting {
        remote: RemoteId::from(remote),
        instance: InstanceId(instance.0),
        first_at: first_at.0,
        second_at: second_at.map(|it| it.0),
        sent_at: sent_at.map(|it| it.0),
    };
    Ok(lines.into_iter().map(sighting).collect())
}
