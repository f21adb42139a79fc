//! What a sweep has found, written in one transaction before anything is done about it.

use diesel::dsl::count_star;
use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, RemoteId};
use uuid::Uuid;

use super::{dooms, lock};
use crate::apply::hold;
use crate::custody::kept;
use crate::db::{Connection, Repository, detached, run, written};
use crate::error::Result;
use crate::events::Told;
use crate::record::{Lifecycle, Observation, QuarantineState, Suspect, SweepClaim, SweepFindings};
use crate::row;
use crate::schema::{absences, quarantine, vps_instances};
use crate::types::{Id, Time};

/// How many servers one statement names.
const AT_ONCE: usize = 500;

impl Repository {
    /// Writes what a sweep has found.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`](crate::Error::LeaseLost) if somebody else sweeps the account by now;
    /// then nothing is written.
    pub async fn record_sweep(&self, claim: &SweepClaim, findings: SweepFindings) -> Result<()> {
        let (repository, claim) = (self.clone(), claim.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = record(&mut tx, &claim, &findings).await;
            tx.finish(outcome).await?;
            if !findings.returned.is_empty() {
                repository.told();
            }
            Ok(())
        })
        .await
    }

    /// Records that the vendor has a quarantined server no more.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`](crate::Error::LeaseLost) if somebody else sweeps the account by now.
    pub async fn quarantine_gone(&self, claim: &SweepClaim, remote: &RemoteId) -> Result<()> {
        let (repository, claim, remote) = (self.clone(), claim.clone(), remote.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = async {
                let (now, _) = lock(&mut tx, &claim).await?;
                let provider = Id(claim.provider.0);
                close(&mut tx, provider, &remote, QuarantineState::Gone, now).await
            };
            let outcome = outcome.await;
            tx.finish(outcome).await
        })
        .await
    }
}

async fn record(tx: &mut Connection, claim: &SweepClaim, it: &SweepFindings) -> Result<()> {
    let (now, _) = lock(tx, claim).await?;
    let provider = Id(claim.provider.0);
    for unwanted in &it.unwanted {
        let instance = Id(unwanted.instance.0);
        dooms::doom(
            tx,
            provider,
            &unwanted.remote,
            instance,
            unwanted.reason,
            now,
        )
        .await?;
        if unwanted.is_seen_again {
            dooms::see_again(tx, provider, &unwanted.remote, now).await?;
        }
    }
    for remote in &it.spared {
        dooms::end(tx, provider, remote, now).await?;
    }
    for suspect in &it.suspects {
        suspect_one(tx, provider, suspect, now).await?;
    }
    for remote in &it.cleared {
        close(tx, provider, remote, QuarantineState::Cleared, now).await?;
    }
    let mut told = Told::default();
    for (instance, observation) in &it.returned {
        come_back(tx, Id(instance.0), observation, now, &mut told).await?;
    }
    told.write(tx).await?;
    note_absent(tx, provider, &it.absent, now).await
}

async fn suspect_one(tx: &mut Connection, provider: Id, it: &Suspect, now: Time) -> Result<()> {
    // Taken into our books since the sweep read them.
    let bound: i64 = run!(tx, c => vps_instances::table
        .filter(vps_instances::provider_id.eq(provider))
        .filter(vps_instances::remote_id.eq(Some(it.remote.as_str())))
        .filter(kept())
        .select(count_star()).first(c).await)?;
    if bound > 0 {
        return Ok(());
    }
    let tags = row::json("these tags", &it.tags)?;
    type Known = (Id, String, String, serde_json::Value, Option<Time>);
    let present: Option<Known> = run!(tx, c => quarantine::table
        .filter(quarantine::provider_id.eq(provider))
        .filter(quarantine::remote_id.eq(it.remote.as_str()))
        .select((
            quarantine::id,
            quarantine::state,
            quarantine::name,
            quarantine::tags,
            quarantine::remote_created_at,
        ))
        .first(c).await.optional())?;
    let created = it.created.map(Time::from);
    let seen = (
        quarantine::name.eq(&it.name),
        quarantine::tags.eq(tags.clone()),
        quarantine::remote_created_at.eq(created),
        quarantine::instance_id.eq(it.instance.map(|it| Id(it.0))),
        quarantine::reason.eq(it.doubt.as_str()),
        quarantine::last_seen_at.eq(now),
    );
    let Some((id, state, name, known_tags, known_created)) = present else {
        let new = (
            quarantine::id.eq(Id(Uuid::now_v7())),
            quarantine::provider_id.eq(provider),
            quarantine::remote_id.eq(it.remote.as_str()),
            quarantine::state.eq(QuarantineState::Open.as_str()),
            quarantine::first_seen_at.eq(now),
        );
        run!(tx, c => diesel::insert_into(quarantine::table).values((new, seen))
            .on_conflict_do_nothing().execute(c).await)?;
        return Ok(());
    };
    // What a person has let go since our books were read stays so. Everything else was believed
    // to be over, and is not.
    let is_same = name == it.name && known_tags == tags && known_created == created;
    let stays = state == QuarantineState::Released.as_str() && is_same;
    let open = (
        quarantine::state.eq(QuarantineState::Open.as_str()),
        quarantine::ended_at.eq(None::<Time>),
    );
    run!(tx, c => diesel::update(quarantine::table.find(id))
        .set((seen, (!stays).then_some(open))).execute(c).await)?;
    Ok(())
}

/// Records what has become of a quarantined server about which nobody had decided.
pub(crate) async fn close(
    tx: &mut Connection,
    provider: Id,
    remote: &RemoteId,
    state: QuarantineState,
    now: Time,
) -> Result<()> {
    let changes = (
        quarantine::state.eq(state.as_str()),
        quarantine::ended_at.eq(Some(now)),
    );
    run!(tx, c => diesel::update(quarantine::table)
        .filter(quarantine::provider_id.eq(provider))
        .filter(quarantine::remote_id.eq(remote.as_str()))
        .filter(quarantine::state.eq(QuarantineState::Open.as_str()))
        .set(changes).execute(c).await)?;
    Ok(())
}

async fn come_back(
    tx: &mut Connection,
    id: Id,
    observation: &Observation,
    now: Time,
    told: &mut Told,
) -> Result<()> {
    let before = hold(tx, id).await?;
    if before.lifecycle()? != Lifecycle::Missing {
        return Ok(());
    }
    let changes = (
        vps_instances::lifecycle.eq(Lifecycle::Live.as_str()),
        vps_instances::problem.eq(None::<String>),
        vps_instances::observed_at.eq(Some(now)),
        vps_instances::updated_at.eq(now),
        row::observed(observation)?,
    );
    let after: row::Instance = run!(tx, c => diesel::update(vps_instances::table.find(id))
        .set(changes).returning(row::Instance::as_returning()).get_result(c).await)?;
    told.instance(&after, now)
}

/// Keeps since when each server is absent; one that was seen is forgotten.
async fn note_absent(
    tx: &mut Connection,
    provider: Id,
    absent: &[InstanceId],
    now: Time,
) -> Result<()> {
    let known: Vec<Id> = run!(tx, c => absences::table
        .filter(absences::provider_id.eq(provider))
        .select(absences::instance_id).load(c).await)?;
    let absent: std::collections::BTreeSet<InstanceId> = absent.iter().copied().collect();
    let seen: Vec<Id> = known
        .iter()
        .filter(|it| !absent.contains(&InstanceId(it.0)))
        .copied()
        .collect();
    for chunk in seen.chunks(AT_ONCE) {
        run!(tx, c => diesel::delete(absences::table)
            .filter(absences::instance_id.eq_any(chunk)).execute(c).await)?;
    }
    let new: Vec<_> = absent
        .iter()
        .filter(|it| !known.contains(&Id(it.0)))
        .collect();
    for chunk in new.chunks(AT_ONCE) {
        let ids: Vec<Id> = chunk.iter().map(|it| Id(it.0)).collect();
        // Only those that are still as the sweep saw them.
        let live: Vec<Id> = run!(tx, c => vps_instances::table
            .filter(vps_instances::id.eq_any(&ids))
            .filter(written::<Bool>("vps_instances.lifecycle = 'live'"))
            .select(vps_instances::id).load(c).await)?;
        for id in live {
            let values = (
                absences::instance_id.eq(id),
                absences::provider_id.eq(provider),
                absences::first_at.eq(now),
            );
            run!(tx, c => diesel::insert_into(absences::table).values(values)
                .on_conflict_do_nothing().execute(c).await)?;
        }
    }
    Ok(())
}
