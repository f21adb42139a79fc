//! The calls that the rules ask for, and what they show.

mod custody;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use roadstead_core::{
    Action, ActionKind, CreateKey, Error, ErrorKind, Instance, Lane, LogPlace, Outcome, Provider,
    RemoteId, Result as CallResult, Since,
};
use roadstead_repository::{self as repository, Claim, Import, OperationKind, Verification};
use tokio::time::Instant;
use tracing::warn;

use super::decide::{Book, Call, Observed, Target};
use super::keys;
use crate::instances::frozen::FrozenRequest;
use crate::instances::frozen_action;
use crate::providers::FOREIGN;
use crate::registry::Account;
use crate::{Platform, catalogue};

/// What the clocks of a log and of the answers that it comes with may be apart.
const SECONDS: Duration = Duration::from_secs(2);

/// A claimed operation with everything its calls need.
pub(super) struct Hand<'a> {
    platform: &'a Platform,
    claim: &'a Claim,
    account: Account,
    /// Why it is not known whose account this is, if it is not.
    doubt: Option<String>,
    /// What is to be done to a server that there is.
    action: Option<Action>,
    /// By what the server is known, if we have not made it ourselves.
    import: Option<Import>,
    taken_up: Instant,
}

impl<'a> Hand<'a> {
    /// Takes the operation's account at hand.
    pub(super) async fn take(
        platform: &'a Platform,
        claim: &'a Claim,
    ) -> Result<Self, crate::Error> {
        let taken_up = Instant::now();
        let action = frozen_action::open(claim.operation.kind, &claim.request)?;
        let account = platform.registry.account(claim.operation.provider).await?;
        let (account, doubt) = platform.verified(account).await?;
        let import = match claim.operation.kind {
            OperationKind::Delete
            | OperationKind::Rebuild
            | OperationKind::Import
            | OperationKind::Release => {
                let repository = &platform.repository;
                repository.find_import(claim.instance.id).await?
            }
            _ => None,
        };
        Ok(Self {
            platform,
            claim,
            account,
            doubt,
            action,
            import,
            taken_up,
        })
    }

    pub(super) fn first_observation(&self) -> Observed {
        if let Some(reason) = &self.doubt {
            let kind = self.account.record.kind.clone();
            let reason = reason.clone();
            return Observed::Blind(Error::new(
                kind,
                "check the account",
                ErrorKind::Transport,
                reason,
            ));
        }
        match &self.account.record.verification {
            Verification::Refused { reason, .. } => Observed::Frozen(reason.clone()),
            Verification::Unverified { .. } | Verification::Verified { .. } => Observed::Claimed,
        }
    }

    pub(super) fn book(&self) -> Book {
        let operation = &self.claim.operation;
        Book {
            kind: operation.kind,
            state: operation.state,
            attempts: operation.attempts,
            orphaned: operation.orphaned_attempts,
            sent_at: operation.sent_at,
            empty_looks: operation.empty_looks,
            remote: operation.remote.clone(),
            error: operation.error.clone(),
            failing_since: operation.failing_since,
            created_at: operation.created_at,
            lifecycle: self.claim.instance.lifecycle,
            bound: self.claim.instance.remote.clone(),
            guarantee: self.provider().descriptor().create_guarantee,
            unfinished: FrozenRequest::afterwards(&self.claim.request).is_some(),
            target: match &self.action {
                Some(Action::Resize { plan, .. }) => Some(Target::Plan(plan.clone())),
                Some(Action::Rebuild { image, .. }) => Some(Target::Image(image.clone())),
                _ => None,
            },
            inherited: operation.created_at < self.platform.opened_at,
        }
    }

    pub(super) fn provider(&self) -> &Arc<dyn Provider> {
        &self.account.provider
    }

    pub(super) fn key(&self) -> CreateKey {
        mark(&self.platform.deployment, &self.claim.instance)
    }

    /// Makes one call.
    ///
    /// # Errors
    ///
    /// Only our own failures: the lease is lost, the database is away. What the vendor
    /// does is an observation.
    pub(super) async fn perform(&self, call: Call) -> Result<Observed, crate::Error> {
        let observed = match call {
            Call::Send => self.send().await?,
            Call::Look => self.patiently(self.look()).await,
            Call::Get => self.patiently(self.get()).await,
            Call::Finish => self.patiently(self.finish()).await,
            Call::Ask => self.patiently(self.ask()).await,
            Call::Log => self.patiently(self.log()).await,
            Call::ConfirmGone => self.patiently(self.confirm_gone()).await,
        };
        if let Observed::Failed(error)
        | Observed::Blind(error)
        | Observed::Unprepared(error)
        | Observed::StaleKeys(error)
        | Observed::Finished(_, Some(error)) = &observed
        {
            self.note_failure(error).await;
        }
        Ok(observed)
    }

    /// Gives up a read before the lease ends: what it shows could not be written any more.
    async fn patiently(&self, read: impl Future<Output = Observed>) -> Observed {
        let patience = self.platform.clockwork.lease / 2;
        tokio::time::timeout(patience, read)
            .await
            .unwrap_or_else(|_elapsed| {
                Observed::Blind(Error::new(
                    self.account.record.kind.clone(),
                    "look at the instance",
                    ErrorKind::Timeout,
                    format!("it did not answer within {} s", patience.as_secs()),
                ))
            })
    }

    async fn look(&self) -> Observed {
        match self.find().await {
            Ok(found) => Observed::Looked(found),
            Err(error) => Observed::Blind(error),
        }
    }

    /// Looks for our mark. That there is nothing counts only where the account is ours.
    async fn find(&self) -> CallResult<Vec<Instance>> {
        let found = self.marked().await?;
        if found.is_empty() {
            self.prove_account().await?;
        }
        Ok(found)
    }

    /// Returns what carries our mark and is nobody else's: a server that was imported keeps its
    /// name, which may be the mark of another one.
    async fn marked(&self) -> CallResult<Vec<Instance>> {
        let mut found = self.provider().find_created(&self.key()).await?;
        if found.is_empty() {
            return Ok(found);
        }
        let ids: Vec<RemoteId> = found.iter().map(|it| it.id.clone()).collect();
        let (provider, instance) = (self.claim.operation.provider, self.claim.instance.id);
        let repository = &self.platform.repository;
        let spoken_for = repository.spoken_for(provider, instance, &ids).await;
        let spoken_for = spoken_for.map_err(|error| {
            let doubt = self.doubt("our own books cannot be read now");
            doubt.with_source(error)
        })?;
        found.retain(|it| !spoken_for.contains(&it.id));
        Ok(found)
    }

    pub(super) async fn prove_account(&self) -> CallResult<()> {
        if is_same(self.platform, &self.account).await? {
            return Ok(());
        }
        Err(self.doubt("the account is another one, or unknown"))
    }

    fn doubt(&self, message: &'static str) -> Error {
        let kind = self.account.record.kind.clone();
        let operation = "prove that the instance is gone";
        Error::new(kind, operation, ErrorKind::Busy, message)
    }

    async fn send(&self) -> Result<Observed, crate::Error> {
        match &self.action {
            None if self.claim.operation.kind.is_of_custody() => self.send_tags().await,
            None => self.send_create().await,
            Some(action) => self.send_action(action).await,
        }
    }

    async fn send_create(&self) -> Result<Observed, crate::Error> {
        let frozen = FrozenRequest::open(&self.claim.request)?;
        let own = frozen.own_keys().to_vec();
        let mut request = frozen.into_request(self.key());
        let provider = self.provider().in_lane(Lane::Mutate);
        let placing = keys::place(self.platform, self.claim, &*provider, &own, &mut request);
        let placed = match placing.await {
            Ok(placed) => placed,
            Err(keys::Failure::Vendor(error)) => return Ok(Observed::Unprepared(error)),
            Err(keys::Failure::Own(error)) => return Err(error),
        };
        self.begin_attempt(None).await?;
        let sending = provider.create_instance(&request);
        Ok(
            match self.within_margin("create the instance", sending).await {
                Ok(created) => Observed::Created(Box::new(created.instance), created.operation),
                Err(error) if keys::may_be_stale(&error, &placed) => {
                    keys::forget(self.platform, &placed).await?;
                    Observed::StaleKeys(error)
                }
                Err(error) => {
                    catalogue::doubt(&self.account.catalogue, &error);
                    Observed::Failed(error)
                }
            },
        )
    }

    async fn send_action(&self, action: &Action) -> Result<Observed, crate::Error> {
        let Some(remote) = &self.claim.instance.remote else {
            return Ok(Observed::Absent);
        };
        let provider = self.provider().in_lane(Lane::Mutate);
        let destroys = match action.kind() {
            ActionKind::Delete => true,
            // Ours it is; but is it the one that was imported?
            ActionKind::Rebuild => self.import.is_some(),
            _ => false,
        };
        if destroys {
            match self.read(&*provider, remote).await {
                Observed::Seen(instance) if self.is_ours(&instance) => {}
                Observed::Seen(_) => return Ok(Observed::NotOurs),
                otherwise => return Ok(otherwise),
            }
        }
        let place = match self.end_of_log(&*provider, remote, action).await {
            Ok(place) => place,
            Err(error) if error.kind == ErrorKind::NoSuchInstance => return Ok(Observed::Absent),
            Err(error) => return Ok(Observed::Unprepared(error)),
        };
        self.begin_attempt(place.as_ref()).await?;
        let sending = provider.perform_action(remote, action);
        Ok(
            match self.within_margin("change the instance", sending).await {
                Ok(operation) => Observed::Accepted(operation),
                Err(error) if error.kind == ErrorKind::NoSuchInstance => Observed::Absent,
                Err(error) => Observed::Failed(error),
            },
        )
    }

    /// Returns where the vendor's own log of the server ends before a request. What it holds
    /// afterwards beyond that place is told from what was there before by no clock, neither ours
    /// nor the vendor's. `None` where it is of no use, or may not be read.
    async fn end_of_log(
        &self,
        provider: &dyn Provider,
        remote: &RemoteId,
        action: &Action,
    ) -> CallResult<Option<LogPlace>> {
        if action.kind() == ActionKind::Delete {
            return Ok(None);
        }
        let clockwork = &self.platform.clockwork;
        let patience = clockwork.lease.saturating_sub(clockwork.send_margin) * 3 / 4;
        let reading = provider.recent_operations(remote, &Since::Now);
        let read = tokio::time::timeout(patience, reading).await;
        match read.unwrap_or_else(|_elapsed| {
            let kind = self.account.record.kind.clone();
            let message = "the log did not come in time";
            let error = Error::new(kind, "read the log", ErrorKind::Timeout, message);
            Err(error.with_outcome(Outcome::NotExecuted))
        }) {
            Ok(log) => Ok(Some(log.end)),
            Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Unsupported) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives up a request before the margin of the lease is used up. Nothing of it leaves later;
    /// what became of it is looked for.
    pub(super) async fn within_margin<T>(
        &self,
        operation: &'static str,
        sending: impl Future<Output = CallResult<T>>,
    ) -> CallResult<T> {
        let patience = self.platform.clockwork.send_margin * 9 / 10;
        tokio::time::timeout(patience, sending)
            .await
            .unwrap_or_else(|_elapsed| {
                let kind = self.account.record.kind.clone();
                let message = "it did not answer in time";
                Err(Error::new(kind, operation, ErrorKind::Timeout, message))
            })
    }

    /// Puts an attempt on record. From this commit on bytes may leave; a crash after it is
    /// looked into.
    pub(super) async fn begin_attempt(&self, place: Option<&LogPlace>) -> Result<(), crate::Error> {
        let plain = self.claim.request.plain.to_string();
        let digest = digest::digest(&digest::SHA256, plain.as_bytes());
        let margin = self.platform.clockwork.send_margin;
        let repository = &self.platform.repository;
        repository
            .begin_logged_attempt(self.claim, digest.as_ref(), place, margin)
            .await?;
        Ok(())
    }

    async fn get(&self) -> Observed {
        let Some(remote) = &self.claim.instance.remote else {
            return Observed::Absent;
        };
        match self.read(&**self.provider(), remote).await {
            Observed::Seen(instance) if self.claim.operation.kind.is_of_custody() => {
                self.weigh(instance).await
            }
            read => read,
        }
    }

    pub(super) async fn read(&self, provider: &dyn Provider, remote: &RemoteId) -> Observed {
        match provider.get_instance(remote).await {
            Ok(instance) => Observed::Seen(Box::new(instance)),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => Observed::Absent,
            Err(error) => Observed::Blind(error),
        }
    }

    /// Sets what the creating request could not carry. It can be set any number of times, so a
    /// lost answer is followed by another attempt.
    async fn finish(&self) -> Observed {
        let afterwards = FrozenRequest::afterwards(&self.claim.request);
        let after_create = self.provider().extensions().after_create;
        let error = if let (Some(plan), Some(after_create), Some(remote)) =
            (afterwards, after_create, &self.claim.instance.remote)
        {
            after_create.finish(remote, plan).await.err()
        } else {
            None
        };
        match self.get().await {
            Observed::Seen(instance) => Observed::Finished(instance, error),
            otherwise => otherwise,
        }
    }

    async fn ask(&self) -> Observed {
        let Some(operation) = &self.claim.operation.remote else {
            return self.get().await;
        };
        match self.provider().get_operation(&operation.id).await {
            Ok(operation) => Observed::Asked(operation),
            Err(error) => Observed::Blind(error),
        }
    }

    /// Looks for the request in the vendor's own log of the server.
    async fn log(&self) -> Observed {
        let operation = &self.claim.operation;
        let Some(remote) = &self.claim.instance.remote else {
            return Observed::Absent;
        };
        let since = match &operation.log_place {
            Some(place) => Since::Place(place.clone()),
            None => {
                let at = operation.sent_at.unwrap_or(operation.created_at);
                let age = Duration::try_from(self.claim.now.duration_since(at));
                // The vendor stamps its answers with whole seconds.
                Since::Ago(age.unwrap_or_default() + self.taken_up.elapsed() + SECONDS)
            }
        };
        match self.provider().recent_operations(remote, &since).await {
            Ok(log) if log.entries.is_empty() => match self.prove_account().await {
                Ok(()) => Observed::Logged(log.entries),
                Err(error) => Observed::Blind(error),
            },
            Ok(log) => Observed::Logged(log.entries),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => Observed::Absent,
            Err(error) => Observed::Blind(error),
        }
    }

    /// Proves an absence: with somebody else's token everything is absent.
    async fn confirm_gone(&self) -> Observed {
        match self.what_is_left().await {
            Ok(left) if left.is_empty() => Observed::Gone,
            Ok(left) => Observed::Looked(left),
            Err(error) => Observed::Blind(error),
        }
    }

    /// Returns what still carries the mark of a server that the vendor says it does not have.
    async fn what_is_left(&self) -> CallResult<Vec<Instance>> {
        self.prove_account().await?;
        let left = self.marked().await?;
        let bound = self.claim.instance.remote.as_ref();
        if left.iter().any(|it| Some(&it.id) == bound) {
            return Err(self.doubt("it is still listed"));
        }
        Ok(left)
    }

    /// Logs a vendor's failure with its cause, and freezes the account whose token is refused.
    async fn note_failure(&self, failure: &Error) {
        warn!(
            provider.id = %self.account.record.id,
            error = %failure,
            error.kind = failure.kind.as_str(),
            error.cause = failure.source.as_deref().map(tracing::field::display),
            vendor.status = failure.http,
            vendor.request_id = failure.vendor_request_id.as_deref(),
            "a provider call failed"
        );
        if failure.kind == ErrorKind::BadToken {
            self.freeze(&failure.message).await;
        }
    }

    async fn freeze(&self, reason: &str) {
        self.platform.freeze(&self.account, reason).await;
    }
}

/// Returns the mark of a server of ours.
pub(super) fn mark(deployment: &str, instance: &repository::Instance) -> CreateKey {
    CreateKey {
        id: instance.id.0,
        deployment: deployment.into(),
        name: instance.remote_name.as_str().into(),
    }
}

/// Returns whether the token still opens the account that it was registered for; freezes the
/// account if not. With somebody else's token everything is absent.
pub(crate) async fn is_same(platform: &Platform, account: &Account) -> CallResult<bool> {
    #[cfg(feature = "crash-points")]
    if roadstead_core::crash::is_mutant(roadstead_core::crash::Mutant::IgnoresFingerprints) {
        return Ok(true);
    }
    let found = account.provider.validate_credentials().await?;
    let Some(known) = &account.record.fingerprint else {
        return Ok(false);
    };
    if **known != *found.fingerprint {
        platform.freeze(account, FOREIGN).await;
        return Ok(false);
    }
    Ok(true)
}
