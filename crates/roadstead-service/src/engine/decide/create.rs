//! The rules of a create: sent at most once, looked for until it is known, bound once.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{Code, CreateGuarantee, Error, ErrorKind, Instance, Outcome, State, after};
use roadstead_repository::{
    AttemptOutcome, Change, ErrorRecord, InstanceChange, Lifecycle, OperationState,
};

use super::{Call, Observed, Rules, Step, frozen, percent, record};
use crate::engine::observe::observation;

/// How many times a creating request is sent at most.
const CREATE_ATTEMPTS: u32 = 3;

/// Complete empty looks before a lost create counts as absent, where only looking tells.
const EMPTY_LOOKS: u32 = 2;

/// How long a server that the vendor has confirmed may stay invisible before the create
/// counts as refused after all.
const REJECTED_AFTER: Duration = Duration::from_secs(60);

impl Rules<'_> {
    pub(super) fn create(&self, observed: Observed) -> Step {
        match observed {
            Observed::Claimed => match self.book.state {
                OperationState::Unknown => self.write(OperationState::Resolving, Duration::ZERO),
                OperationState::Resolving => Step::Call(Call::Look),
                OperationState::Waiting => Step::Call(Call::Get),
                _ if self.is_old() || self.book.attempts > 0 => Step::Call(Call::Look),
                _ => Step::Call(Call::Send),
            },
            Observed::Frozen(reason) if self.may_exist() => self.wait_frozen(reason),
            Observed::Frozen(reason) => self.fail_create(frozen(reason)),
            Observed::Created(instance, operation) => {
                let mut change = self.bound(&instance, AttemptOutcome::Committed);
                change.remote = operation;
                Step::Write(Box::new(change))
            }
            Observed::Failed(error) => self.create_failed(&error),
            Observed::Looked(found) => self.create_looked(found),
            Observed::Seen(instance) => self.create_seen(&instance),
            Observed::Absent => self.create_absent(),
            // A failure to look tells nothing: ask again.
            Observed::Blind(error) => self.again(&error),
            Observed::Accepted(_) | Observed::Asked(_) | Observed::Gone | Observed::NotOurs => {
                self.confused()
            }
        }
    }

    fn create_failed(&self, error: &Error) -> Step {
        match error.outcome {
            Outcome::Unknown => {
                let mut change = self.change(OperationState::Unknown, Duration::ZERO);
                change.attempt = Some(AttemptOutcome::Unknown);
                change.empty_looks = 0;
                change.instance.lifecycle = Some(Lifecycle::Resolving);
                Step::Write(Box::new(change))
            }
            Outcome::NotExecuted => {
                let keeps_trying = match error.kind {
                    ErrorKind::Throttled | ErrorKind::Transport => !self.is_given_up(),
                    _ => false,
                };
                if keeps_trying || self.may_exist() {
                    let mut change = self.change(OperationState::Ready, self.backoff(error));
                    change.attempt = Some(AttemptOutcome::NotExecuted);
                    change.error = Some(record(error));
                    return Step::Write(Box::new(change));
                }
                self.refused(AttemptOutcome::NotExecuted, record(error))
            }
            // A name that is taken may be taken by our own earlier request; and an earlier
            // attempt whose answer was lost must be found before this one's refusal counts.
            Outcome::Rejected if error.kind == ErrorKind::Conflict || self.may_exist() => {
                let mut change = self.change(OperationState::Unknown, Duration::ZERO);
                change.attempt = Some(AttemptOutcome::Rejected);
                change.error = Some(record(error));
                change.instance.lifecycle = Some(Lifecycle::Resolving);
                Step::Write(Box::new(change))
            }
            Outcome::Rejected => self.refused(AttemptOutcome::Rejected, record(error)),
        }
    }

    fn create_looked(&self, found: Vec<Instance>) -> Step {
        let mut found = found;
        found.sort_by(|left, right| {
            let age = |it: &Instance| it.created.unwrap_or(Timestamp::MAX);
            age(left)
                .cmp(&age(right))
                .then_with(|| left.id.cmp(&right.id))
        });
        let mut found = found.into_iter();
        if let Some(instance) = found.next() {
            let mut change = self.bound(&instance, AttemptOutcome::Committed);
            change.attempt = None;
            change.doomed = found.map(|it| it.id).collect();
            return Step::Write(Box::new(change));
        }
        if self.book.state != OperationState::Resolving {
            return Step::Call(Call::Send);
        }
        let settled = match self.book.guarantee {
            CreateGuarantee::Token | CreateGuarantee::UniqueName => true,
            CreateGuarantee::LookupOnly => {
                let sent = self.book.sent_at.unwrap_or(self.book.created_at);
                self.now >= after(sent, self.clockwork.settle_window)
            }
        };
        let needed = match self.book.guarantee {
            CreateGuarantee::Token | CreateGuarantee::UniqueName => 1,
            CreateGuarantee::LookupOnly => EMPTY_LOOKS,
        };
        let looks = if settled {
            self.book.empty_looks.saturating_add(1)
        } else {
            0
        };
        if looks < needed {
            let mut change = self.change(OperationState::Resolving, self.clockwork.look_interval);
            change.empty_looks = looks;
            change.error.clone_from(&self.book.error);
            return Step::Write(Box::new(change));
        }
        if let Some(refusal) = self.book.error.clone() {
            return self.fail_create(refusal);
        }
        if self.book.attempts >= CREATE_ATTEMPTS {
            return self.fail_create(ErrorRecord {
                code: Code::UnknownError.as_str().to_owned(),
                message: format!(
                    "the provider answered none of {CREATE_ATTEMPTS} requests and made no server"
                ),
                field: None,
            });
        }
        let mut change = self.change(OperationState::Ready, Duration::ZERO);
        change.instance.lifecycle = Some(Lifecycle::Pending);
        Step::Write(Box::new(change))
    }

    fn create_seen(&self, instance: &Instance) -> Step {
        let mut change = match instance.status.state {
            State::Running => self.change(OperationState::Succeeded, Duration::ZERO),
            State::Error => {
                let mut change = self.change(OperationState::Failed, Duration::ZERO);
                change.error = Some(ErrorRecord {
                    code: Code::ApiError.as_str().to_owned(),
                    message: "the provider reports that the server is broken".to_owned(),
                    field: None,
                });
                change
            }
            _ if self.is_overdue() => self.attention(format!(
                "the server is `{}` instead of running; look at it at the provider",
                instance.status.state.as_str()
            )),
            _ => self.change(OperationState::Waiting, self.clockwork.poll_open),
        };
        change.progress = self.book.remote.as_ref().and_then(|it| percent(&it.status));
        change.instance.observation = Some(observation(instance));
        Step::Write(Box::new(change))
    }

    fn create_absent(&self) -> Step {
        let sent = self.book.sent_at.unwrap_or(self.book.created_at);
        if self.now < after(sent, REJECTED_AFTER) {
            return self.write(OperationState::Waiting, self.clockwork.poll_open);
        }
        // Accepted and then dropped: a refusal that came late.
        self.fail_create(ErrorRecord {
            code: Code::InsufficientResources.as_str().to_owned(),
            message: "the provider accepted the server and then gave it up".to_owned(),
            field: None,
        })
    }

    fn bound(&self, instance: &Instance, attempt: AttemptOutcome) -> Change {
        let mut change = self.change(OperationState::Waiting, self.clockwork.poll_open);
        change.attempt = Some(attempt);
        change.wipe_secrets = true;
        change.instance = InstanceChange {
            lifecycle: Some(Lifecycle::Live),
            remote: Some(instance.id.clone()),
            observation: Some(observation(instance)),
            problem: None,
        };
        change
    }

    fn refused(&self, attempt: AttemptOutcome, error: ErrorRecord) -> Step {
        let Step::Write(mut change) = self.fail_create(error) else {
            return self.confused();
        };
        change.attempt = Some(attempt);
        Step::Write(change)
    }
}
