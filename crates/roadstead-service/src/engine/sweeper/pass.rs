//! One sweep of one account: whose it is, what it has, what our books say, and what follows.

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use metrics::counter;
use roadstead_core::{
    Action, Error, ErrorKind, Instance, InstanceQuery, Lane, Provider, ProviderExt, RemoteId,
    crash_point,
};
use roadstead_repository::{
    DoomLeave, DoomRule, Suspect, SweepBooks, SweepClaim, SweepEnd, SweepFindings, SweepOutcome,
    Unwanted, Verification,
};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::judge::{Absence, Judgment, Rule, Verdict, judge, judge_one, marks};
use crate::Platform;
use crate::engine::{Clockwork, observation};
use crate::providers::FOREIGN;
use crate::registry::Account;
use crate::telemetry::SWEEP_DELETIONS;

/// The fewest servers that one sweep may delete or believe gone, however small the account is.
const FEWEST: u64 = 3;

/// How many servers a sweep reads one by one at most.
const READS: usize = 50;

/// Why a sweep could not go on.
pub(super) enum Stop {
    /// The account is frozen.
    Frozen(String),
    /// Something could not be read or written. Nothing follows from that.
    Failed(String),
}

impl From<crate::Error> for Stop {
    fn from(error: crate::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<roadstead_repository::Error> for Stop {
    fn from(error: roadstead_repository::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A sweep that is under way.
pub(super) struct Pass<'a> {
    pub(super) platform: &'a Platform,
    pub(super) claim: &'a SweepClaim,
    account: Account,
    provider: Arc<dyn Provider>,
    stop: watch::Receiver<bool>,
    end: SweepEnd,
}

/// What became of a server that nobody wants.
enum Deletion {
    /// The vendor was asked to delete it; whether it did shows later.
    Asked,
    /// The vendor says that there is none.
    Gone,
    /// Somebody wants it after all, or it is not as it was listed.
    Spared,
    /// So many were deleted already that somebody should look first.
    Capped,
}

/// An account as it was read in this pass.
pub(super) struct Seen {
    pub(super) listed: Vec<Instance>,
    pub(super) books: SweepBooks,
}

impl<'a> Pass<'a> {
    /// Sweeps an account, and returns how that ended.
    pub(super) async fn run(
        platform: &'a Platform,
        claim: &'a SweepClaim,
        stop: watch::Receiver<bool>,
    ) -> SweepEnd {
        let mut end = SweepEnd {
            outcome: SweepOutcome::Completed,
            reason: None,
            seen: 0,
            deleted: 0,
            held_back: 0,
            next_in: platform.clockwork.sweep,
        };
        let account = match Self::account(platform, claim).await {
            Ok(account) => account,
            Err(stop) => {
                stopped(&mut end, stop);
                return end;
            }
        };
        let mut pass = Self {
            provider: account.provider.in_lane(Lane::Background),
            platform,
            claim,
            account,
            stop,
            end,
        };
        if let Err(stop) = pass.sweep().await {
            stopped(&mut pass.end, stop);
        }
        pass.end
    }

    async fn account(platform: &Platform, claim: &SweepClaim) -> Result<Account, Stop> {
        let account = platform.registry.account(claim.provider).await?;
        let (account, doubt) = platform.verified(account).await?;
        if let Verification::Refused { reason, .. } = &account.record.verification {
            return Err(Stop::Frozen(reason.clone()));
        }
        match doubt {
            Some(reason) => Err(Stop::Failed(reason)),
            None => Ok(account),
        }
    }

    async fn sweep(&mut self) -> Result<(), Stop> {
        // With somebody else's token nothing that follows would mean anything.
        self.prove_whose().await?;
        let listed = self.list().await?;
        crash_point!("sweep.listed");
        self.end.seen = u64::try_from(listed.len()).unwrap_or(u64::MAX);
        // In this order: a server that our books do not know now was not merely too young.
        let repository = &self.platform.repository;
        let books = repository
            .sweep_books(self.claim.provider, &marks(&listed))
            .await?;
        let seen = Seen { listed, books };
        let judgment = judge(&seen.listed, &seen.books, &self.rule());
        let findings = findings(&seen, &judgment);
        let dooms = !findings.unwanted.is_empty();
        if dooms {
            crash_point!("sweep.doom_before");
        }
        repository.record_sweep(self.claim, findings).await?;
        if dooms {
            crash_point!("sweep.doom_after");
        }
        self.delete(&seen, &judgment).await?;
        self.carry_out(&seen).await?;
        self.miss(&seen, &judgment.absent).await?;
        self.forget(&seen, &judgment).await
    }

    pub(super) fn rule(&self) -> Rule<'a> {
        Rule {
            deployment: &self.platform.deployment,
            provider: self.claim.provider,
            gap: self.platform.clockwork.look_interval,
            rest: self.platform.clockwork.lease,
        }
    }

    fn most(seen: &Seen) -> u64 {
        FEWEST.max(seen.books.live / 20)
    }

    /// Proves that the token opens the account that it was registered for, and sees all of it.
    pub(super) async fn prove_whose(&self) -> Result<(), Stop> {
        #[cfg(feature = "crash-points")]
        if roadstead_core::crash::is_mutant(roadstead_core::crash::Mutant::IgnoresFingerprints) {
            return Ok(());
        }
        let found = match self.provider.validate_credentials().await {
            Ok(found) => found,
            Err(error) => return Err(self.refused(&error).await),
        };
        let Some(known) = &self.account.record.fingerprint else {
            return Err(Stop::Failed(
                "it is not known whose account this is".to_owned(),
            ));
        };
        if **known != *found.fingerprint {
            self.platform.freeze(&self.account, FOREIGN).await;
            return Err(Stop::Frozen(FOREIGN.to_owned()));
        }
        if !found.missing_scopes.is_empty() {
            let reason = format!(
                "its token lacks the scopes {}",
                found.missing_scopes.join(", ")
            );
            self.platform.freeze(&self.account, &reason).await;
            return Err(Stop::Frozen(reason));
        }
        Ok(())
    }

    /// Lists everything that the account has: a server whose tags are late still has its name.
    async fn list(&mut self) -> Result<Vec<Instance>, Stop> {
        let provider = Arc::clone(&self.provider);
        let listing = provider.instances(InstanceQuery::default()).try_collect();
        let listed: Result<Vec<Instance>, Error> = tokio::select! {
            biased;
            _ = self.stop.changed() => {
                return Err(Stop::Failed("this process is stopping".to_owned()));
            }
            listed = listing => listed,
        };
        match listed {
            Ok(listed) => Ok(listed),
            Err(error) => Err(self.refused(&error).await),
        }
    }

    /// Takes a failed read for what it is: no absence.
    async fn refused(&self, error: &Error) -> Stop {
        warn!(
            error = %error,
            error.kind = error.kind.as_str(),
            error.cause = error.source.as_deref().map(tracing::field::display),
            vendor.status = error.http,
            vendor.request_id = error.vendor_request_id.as_deref(),
            "a call of the sweep failed"
        );
        match error.kind {
            ErrorKind::BadToken | ErrorKind::Forbidden => {
                self.platform.freeze(&self.account, &error.message).await;
                Stop::Frozen(error.message.to_string())
            }
            _ => Stop::Failed(error.to_string()),
        }
    }

    /// Reads one server; `None` if the vendor itself says that there is none.
    pub(super) async fn get(&self, remote: &RemoteId) -> Result<Option<Instance>, Stop> {
        match self.provider.get_instance(remote).await {
            Ok(instance) => Ok(Some(instance)),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => Ok(None),
            Err(error) => Err(self.refused(&error).await),
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Deletes what nobody wants and was seen twice, and settles what is gone.
    async fn delete(&mut self, seen: &Seen, judgment: &Judgment) -> Result<(), Stop> {
        let verdicts: HashMap<_, _> = judgment.verdicts.iter().map(|(id, it)| (id, it)).collect();
        let mut is_capped = false;
        let mut is_pending = false;
        let mut gone = Vec::new();
        for doom in &seen.books.doomed {
            if self.is_stopping() {
                return Ok(());
            }
            match verdicts.get(&doom.remote) {
                Some(Verdict::Unwanted { again: true, .. }) if is_capped => self.hold_back(),
                Some(Verdict::Unwanted { again: true, .. }) => {
                    is_pending = true;
                    match self.delete_one(seen, &doom.remote).await? {
                        Deletion::Gone => gone.push(&doom.remote),
                        Deletion::Capped => {
                            is_capped = true;
                            self.hold_back();
                        }
                        Deletion::Asked | Deletion::Spared => {}
                    }
                }
                // Spared, or seen for the first time.
                Some(_) => {}
                None if self.get(&doom.remote).await?.is_none() => gone.push(&doom.remote),
                None => {}
            }
        }
        if !gone.is_empty() {
            // After the answers that said so: the token may have changed hands since the list.
            self.prove_whose().await?;
        }
        for remote in gone {
            self.platform
                .repository
                .finish_doom(self.claim, remote)
                .await?;
            crash_point!("sweep.delete_written");
            info!(remote.id = %remote, "an unwanted server is gone");
        }
        if is_capped {
            let most = Self::most(seen);
            self.capped(format!(
                "{} more servers are to be deleted than the {most} that one sweep may delete",
                self.end.held_back
            ));
        }
        if self.end.outcome == SweepOutcome::Failed {
            let Clockwork {
                sweep,
                look_interval,
                ..
            } = self.platform.clockwork;
            self.end.next_in = (sweep / 10).max(look_interval).min(sweep);
        } else if is_pending {
            self.look_again_soon();
        }
        Ok(())
    }

    /// Has the account swept again soon, to see whether what is to go is gone.
    pub(super) fn look_again_soon(&mut self) {
        let Clockwork {
            sweep,
            look_interval,
            ..
        } = self.platform.clockwork;
        let soon = (sweep / 60).max(look_interval).min(sweep);
        self.end.next_in = self.end.next_in.min(soon);
    }

    /// Deletes one server, after reading it once more by itself.
    async fn delete_one(&mut self, seen: &Seen, remote: &RemoteId) -> Result<Deletion, Stop> {
        let Some(fresh) = self.get(remote).await? else {
            return Ok(Deletion::Gone);
        };
        let verdict = judge_one(&fresh, &seen.listed, &seen.books, &self.rule());
        let Verdict::Unwanted {
            instance,
            reason,
            again: true,
        } = verdict
        else {
            return Ok(Deletion::Spared);
        };
        let margin = self.platform.clockwork.send_margin;
        let rule = DoomRule {
            most: Self::most(seen),
            window: self.platform.clockwork.sweep,
            margin,
        };
        let repository = &self.platform.repository;
        match repository.begin_doom(self.claim, remote, rule).await? {
            DoomLeave::Granted => {}
            DoomLeave::Capped => return Ok(Deletion::Capped),
            DoomLeave::Refused => return Ok(Deletion::Spared),
        }
        if self.ask_to_delete(remote).await? {
            info!(instance.id = %instance, remote.id = %remote, "deleted a server that {reason}");
        }
        Ok(Deletion::Asked)
    }

    /// Asks the vendor to delete a server, once that is on record. Returns whether it took that.
    pub(super) async fn ask_to_delete(&mut self, remote: &RemoteId) -> Result<bool, Stop> {
        crash_point!("sweep.delete_before");
        let patience = self.platform.clockwork.send_margin * 9 / 10;
        let deleting = self.provider.perform_action(remote, &Action::Delete);
        match tokio::time::timeout(patience, deleting).await {
            Ok(Ok(_)) => {
                crash_point!("sweep.delete_after");
                self.end.deleted = self.end.deleted.saturating_add(1);
                counter!(
                    SWEEP_DELETIONS,
                    "provider_kind" => self.account.record.kind.to_string(),
                    "provider_id" => self.claim.provider.to_string(),
                )
                .increment(1);
                return Ok(true);
            }
            Ok(Err(error)) => {
                self.failed(format!("a server could not be deleted: {error}"));
                if let Stop::Frozen(reason) = self.refused(&error).await {
                    return Err(Stop::Frozen(reason));
                }
            }
            Err(_elapsed) => self.failed("a server could not be deleted in time".to_owned()),
        }
        Ok(false)
    }

    /// Believes that servers are gone which were absent twice and which the vendor denies.
    async fn miss(&mut self, seen: &Seen, absent: &[Absence]) -> Result<(), Stop> {
        let mut gone = Vec::new();
        for absence in absent.iter().filter(|it| it.again).take(READS) {
            if self.is_stopping() {
                return Ok(());
            }
            if self.get(&absence.remote).await?.is_none() {
                gone.push(absence);
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        // Once more, after the last of these answers.
        self.prove_whose().await?;
        let most = Self::most(seen);
        let believed = usize::try_from(most).unwrap_or(usize::MAX);
        for absence in gone.iter().take(believed) {
            let repository = &self.platform.repository;
            if repository
                .miss(self.claim, absence.instance, &absence.remote)
                .await?
            {
                error!(
                    instance.id = %absence.instance,
                    remote.id = %absence.remote,
                    "a server is missing at its provider"
                );
            }
        }
        let doubted = gone.len().saturating_sub(believed);
        if doubted > 0 {
            for _ in 0..doubted {
                self.hold_back();
            }
            self.capped(format!(
                "{doubted} more servers are gone than the {most} that one sweep believes"
            ));
        }
        Ok(())
    }

    /// Settles what was quarantined and is gone.
    async fn forget(&mut self, seen: &Seen, judgment: &Judgment) -> Result<(), Stop> {
        let is_listed = |it: &RemoteId| judgment.verdicts.iter().any(|(id, _)| id == it);
        // What became of those that were to be deleted is written already.
        let is_ordered = |it: &RemoteId| seen.books.ordered.iter().any(|order| order.remote == *it);
        let quarantined = seen.books.quarantined.iter();
        let unseen = quarantined.filter(|it| !is_listed(it) && !is_ordered(it));
        let mut gone = Vec::new();
        for remote in unseen.take(READS) {
            if self.is_stopping() {
                return Ok(());
            }
            if self.get(remote).await?.is_none() {
                gone.push(remote);
            }
        }
        if !gone.is_empty() {
            self.prove_whose().await?;
        }
        for remote in gone {
            let repository = &self.platform.repository;
            repository.quarantine_gone(self.claim, remote).await?;
        }
        Ok(())
    }

    fn hold_back(&mut self) {
        self.end.held_back = self.end.held_back.saturating_add(1);
    }

    fn capped(&mut self, reason: String) {
        self.end.outcome = SweepOutcome::Capped;
        self.end.reason = Some(reason);
    }

    fn failed(&mut self, reason: String) {
        self.end.outcome = SweepOutcome::Failed;
        self.end.reason = Some(reason);
    }
}

fn stopped(end: &mut SweepEnd, stop: Stop) {
    let (outcome, reason) = match stop {
        Stop::Frozen(reason) => (SweepOutcome::Frozen, reason),
        Stop::Failed(reason) => (SweepOutcome::Failed, reason),
    };
    end.outcome = outcome;
    end.reason = Some(reason);
}

/// Returns what is to be written of a judgment.
fn findings(seen: &Seen, judgment: &Judgment) -> SweepFindings {
    let by_id: HashMap<_, _> = seen.listed.iter().map(|it| (&it.id, it)).collect();
    let doomed = |it: &RemoteId| seen.books.doomed.iter().any(|doom| doom.remote == *it);
    let quarantined = |it: &RemoteId| seen.books.quarantined.contains(it);
    let mut findings = SweepFindings::default();
    for (remote, verdict) in &judgment.verdicts {
        let Some(instance) = by_id.get(remote) else {
            continue;
        };
        match verdict {
            Verdict::Unwanted {
                instance,
                reason,
                again,
            } => findings.unwanted.push(Unwanted {
                remote: remote.clone(),
                instance: *instance,
                reason,
                is_seen_again: *again,
            }),
            Verdict::Suspect {
                instance: named,
                doubt,
            } => findings.suspects.push(Suspect {
                remote: remote.clone(),
                name: instance.name.to_string(),
                tags: instance.tags.iter().map(ToString::to_string).collect(),
                created: instance.created,
                instance: *named,
                doubt: *doubt,
            }),
            Verdict::Returned(ours) => findings.returned.push((*ours, observation(instance))),
            Verdict::Foreign | Verdict::Bound | Verdict::Released | Verdict::Leave => {}
        }
        // What waits to be understood keeps what was seen of it.
        let is_settled = !matches!(verdict, Verdict::Leave);
        if is_settled && doomed(remote) && !matches!(verdict, Verdict::Unwanted { .. }) {
            findings.spared.push(remote.clone());
        }
        if is_settled && quarantined(remote) && !matches!(verdict, Verdict::Suspect { .. }) {
            findings.cleared.push(remote.clone());
        }
    }
    findings.absent = judgment.absent.iter().map(|it| it.instance).collect();
    findings
}
