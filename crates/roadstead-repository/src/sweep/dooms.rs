//! Servers at vendors that are to be deleted: they carry our mark, and nobody wants them.

use std::time::Duration;

use diesel::dsl::count_star;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use roadstead_core::{InstanceId, OrgId, ProviderId, RemoteId};

use super::lock;
use crate::apply::hold;
use crate::db::{Connection, Repository, detached, read, run};
use crate::error::{Error, Result};
use crate::operations::unfinished;
use crate::record::{DoomLeave, Lifecycle, QuarantineState, SweepClaim};
use crate::schema::{doom_sightings, dooms, imports, operations, quarantine, vps_instances};
use crate::types::{Id, Time};

/// A server at a vendor that is to be deleted once it was seen twice: it carries our mark, and
/// nobody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doom {
    /// At which vendor account.
    pub provider: ProviderId,
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Whose mark it carries.
    pub instance: InstanceId,
    /// That server's organization.
    pub organization: OrgId,
    /// Why it is to go.
    pub reason: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// What lets a sweep delete a doomed server.
#[derive(Clone, Copy, Debug)]
pub struct DoomRule {
    /// How many servers of the account may be deleted within `window`.
    pub most: u64,
    /// The time that one sweep stands for.
    pub window: Duration,
    /// What must be left of the claim.
    pub margin: Duration,
}

impl Repository {
    /// Returns the servers at vendors that are to be deleted, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn open_dooms(&self) -> Result<Vec<Doom>> {
        type Line = (Id, String, Id, Id, String, Time);
        let lines: Vec<Line> = read!(self.db, c => dooms::table
            .inner_join(vps_instances::table)
            .filter(dooms::done_at.is_null())
            .order(dooms::created_at)
            .select((
                dooms::provider_id,
                dooms::remote_id,
                dooms::instance_id,
                vps_instances::organization_id,
                dooms::reason,
                dooms::created_at,
            ))
            .load(c).await)?;
        let doom = |(provider, remote, instance, organization, reason, created_at): Line| Doom {
            provider: ProviderId(provider.0),
            remote: RemoteId::from(remote),
            instance: InstanceId(instance.0),
            organization: OrgId(organization.0),
            reason,
            created_at: created_at.0,
        };
        Ok(lines.into_iter().map(doom).collect())
    }

    /// Asks whether a doomed server may be deleted now, and puts the request on record if so.
    /// Nothing may leave for the vendor before this has returned.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else sweeps the account by now, or if less than the
    /// margin of the claim is left.
    pub async fn begin_doom(
        &self,
        claim: &SweepClaim,
        remote: &RemoteId,
        rule: DoomRule,
    ) -> Result<DoomLeave> {
        let (repository, claim, remote) = (self.clone(), claim.clone(), remote.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = begin(&mut tx, &claim, &remote, rule).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Records that a doomed server is gone. Safe to repeat.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] if somebody else sweeps the account by now.
    pub async fn finish_doom(&self, claim: &SweepClaim, remote: &RemoteId) -> Result<()> {
        let (repository, claim, remote) = (self.clone(), claim.clone(), remote.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = finish(&mut tx, &claim, &remote).await;
            tx.finish(outcome).await
        })
        .await
    }
}

/// Dooms a server that was seen once. One that is doomed already keeps what was seen of it; one
/// that was deleted and stands there again was not, and is seen anew.
pub(crate) async fn doom(
    tx: &mut Connection,
    provider: Id,
    remote: &RemoteId,
    instance: Id,
    reason: &str,
    now: Time,
) -> Result<()> {
    let found = dooms::table.find((provider, remote.as_str()));
    let before: Option<Option<Time>> = run!(tx, c => found.select(dooms::done_at)
        .first(c).await.optional())?;
    let Some(done_at) = before else {
        let values = (
            dooms::provider_id.eq(provider),
            dooms::remote_id.eq(remote.as_str()),
            dooms::instance_id.eq(instance),
            dooms::reason.eq(reason),
            dooms::created_at.eq(now),
        );
        run!(tx, c => diesel::insert_into(dooms::table).values(values)
            .on_conflict_do_nothing().execute(c).await)?;
        return see(tx, provider, remote, now).await;
    };
    if done_at.is_none() {
        return Ok(());
    }
    let again = (
        dooms::instance_id.eq(instance),
        dooms::reason.eq(reason),
        dooms::created_at.eq(now),
        dooms::done_at.eq(None::<Time>),
    );
    run!(tx, c => diesel::update(found).set(again).execute(c).await)?;
    run!(tx, c => diesel::delete(doom_sightings::table.find((provider, remote.as_str())))
        .execute(c).await)?;
    see(tx, provider, remote, now).await
}

async fn see(tx: &mut Connection, provider: Id, remote: &RemoteId, now: Time) -> Result<()> {
    let values = (
        doom_sightings::provider_id.eq(provider),
        doom_sightings::remote_id.eq(remote.as_str()),
        doom_sightings::first_at.eq(now),
    );
    run!(tx, c => diesel::insert_into(doom_sightings::table).values(values)
        .on_conflict_do_nothing().execute(c).await)?;
    Ok(())
}

/// Records that a doomed server was seen for the second time.
pub(super) async fn see_again(
    tx: &mut Connection,
    provider: Id,
    remote: &RemoteId,
    now: Time,
) -> Result<()> {
    let found = doom_sightings::table.find((provider, remote.as_str()));
    run!(tx, c => diesel::update(found).filter(doom_sightings::second_at.is_null())
        .set(doom_sightings::second_at.eq(Some(now))).execute(c).await)?;
    Ok(())
}

/// Takes a doom back because a person wants the server.
///
/// # Errors
///
/// [`Error::Conflict`] if the vendor was asked to delete it.
pub(crate) async fn take_back(
    tx: &mut Connection,
    provider: Id,
    remote: &RemoteId,
    now: Time,
) -> Result<()> {
    let key = (provider, remote.as_str());
    let open: Option<Id> = run!(tx, c => dooms::table.find(key)
        .filter(dooms::done_at.is_null())
        .select(dooms::instance_id).first(c).await.optional())?;
    let sent: Option<Option<Time>> = run!(tx, c => doom_sightings::table.find(key)
        .select(doom_sightings::sent_at).first(c).await.optional())?;
    if open.is_some() && sent.flatten().is_some() {
        return Err(Error::Conflict {
            what: "the provider was asked to delete this server, which nobody wanted",
        });
    }
    end(tx, provider, remote, now).await
}

/// Takes a doom back, or records that it is done.
pub(super) async fn end(
    tx: &mut Connection,
    provider: Id,
    remote: &RemoteId,
    now: Time,
) -> Result<()> {
    let found = dooms::table.find((provider, remote.as_str()));
    run!(tx, c => diesel::update(found).filter(dooms::done_at.is_null())
        .set(dooms::done_at.eq(Some(now))).execute(c).await)?;
    Ok(())
}

async fn finish(tx: &mut Connection, claim: &SweepClaim, remote: &RemoteId) -> Result<()> {
    let (now, _) = lock(tx, claim).await?;
    end(tx, Id(claim.provider.0), remote, now).await
}

async fn begin(
    tx: &mut Connection,
    claim: &SweepClaim,
    remote: &RemoteId,
    rule: DoomRule,
) -> Result<DoomLeave> {
    let (now, until) = lock(tx, claim).await?;
    if until <= now.after(rule.margin) {
        return Err(Error::LeaseLost);
    }
    let provider = Id(claim.provider.0);
    let doom: Option<(Id, Option<Time>)> = run!(tx, c => dooms::table
        .find((provider, remote.as_str()))
        .select((dooms::instance_id, dooms::done_at)).first(c).await.optional())?;
    let seen: Option<(Option<Time>, Option<Time>)> = run!(tx, c => doom_sightings::table
        .find((provider, remote.as_str()))
        .select((doom_sightings::second_at, doom_sightings::sent_at))
        .first(c).await.optional())?;
    let (Some((instance, None)), Some((Some(_), sent_at))) = (doom, seen) else {
        return Ok(DoomLeave::Refused);
    };
    // Held, so that nobody binds the server between this look and the commit.
    let instance = hold(tx, instance).await?;
    let lifecycle = instance.lifecycle()?;
    let is_bound = instance.remote_id.as_deref() == Some(remote.as_str());
    let is_wanted = match lifecycle {
        Lifecycle::Failed | Lifecycle::Deleted => false,
        Lifecycle::Live | Lifecycle::Deleting => is_bound,
        Lifecycle::Pending | Lifecycle::Resolving | Lifecycle::Missing | Lifecycle::Attention => {
            true
        }
    };
    let creating: i64 = run!(tx, c => operations::table
        .filter(operations::instance_id.eq(instance.id))
        .filter(operations::kind.eq("create"))
        .filter(unfinished())
        .select(count_star()).first(c).await)?;
    // Two of our servers cannot share an id at one account, but one could have been taken over.
    let bound: i64 = run!(tx, c => vps_instances::table
        .filter(vps_instances::provider_id.eq(provider))
        .filter(vps_instances::remote_id.eq(Some(remote.as_str())))
        .filter(vps_instances::id.ne(instance.id))
        .select(count_star()).first(c).await)?;
    let released: i64 = run!(tx, c => quarantine::table
        .filter(quarantine::provider_id.eq(provider))
        .filter(quarantine::remote_id.eq(remote.as_str()))
        .filter(quarantine::state.eq(QuarantineState::Released.as_str()))
        .select(count_star()).first(c).await)?;
    let imported: i64 = run!(tx, c => imports::table
        .filter(imports::provider_id.eq(provider))
        .filter(imports::remote_id.eq(remote.as_str()))
        .select(count_star()).first(c).await)?;
    let is_a_persons = released > 0 || imported > 0;
    if is_wanted || creating > 0 || bound > 0 || is_a_persons {
        return Ok(DoomLeave::Refused);
    }
    // A request that is repeated was counted when it was first sent.
    if sent_at.is_none() {
        let sent: i64 = run!(tx, c => doom_sightings::table
            .filter(doom_sightings::provider_id.eq(provider))
            .filter(doom_sightings::sent_at.gt(now.before(rule.window)))
            .select(count_star()).first(c).await)?;
        if sent.unsigned_abs() >= rule.most {
            return Ok(DoomLeave::Capped);
        }
    }
    run!(tx, c => diesel::update(doom_sightings::table.find((provider, remote.as_str())))
        .set(doom_sightings::sent_at.eq(Some(now))).execute(c).await)?;
    Ok(DoomLeave::Granted)
}
