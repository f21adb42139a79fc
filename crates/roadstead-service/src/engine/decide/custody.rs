//! The rules of an import and a release: sent as often as it takes, and over when the server shows
//! it, in an account that was proved to be ours in the same pass.

use std::time::Duration;

use roadstead_core::{Code, Error, ErrorKind, Instance, Outcome};
use roadstead_repository::{
    AttemptOutcome, ErrorRecord, Lifecycle, OperationKind, OperationState, Parting,
};

use super::{Call, Observed, PATIENCE, Rules, Step, Tags, frozen, record};
use crate::engine::observe::observation;

/// What is said of a server that was let go.
const LET_GO: &str = "released: it stays at the provider, and nobody here touches it any more";

impl Rules<'_> {
    pub(super) fn custody(&self, observed: Observed) -> Step {
        match observed {
            Observed::Claimed => match self.book.state {
                OperationState::Leased => Step::Call(Call::Send),
                OperationState::Unknown => self.write(OperationState::Resolving, Duration::ZERO),
                _ => Step::Call(Call::Get),
            },
            Observed::Frozen(reason) if self.was_sent() => self.wait_frozen(reason),
            Observed::Frozen(reason) => self.give_up(frozen(reason)),
            Observed::Held(instance, tags) => self.held(&instance, tags),
            // What the vendor has taken, the server has to show.
            Observed::Tagged => {
                let mut change = self.change(OperationState::Waiting, Duration::ZERO);
                change.attempt = Some(AttemptOutcome::Committed);
                Step::Write(Box::new(change))
            }
            Observed::Unfit(why) => self.give_up(ErrorRecord {
                code: Code::InvalidAction.as_str().to_owned(),
                message: why.to_owned(),
                field: None,
            }),
            // With somebody else's token everything is absent.
            Observed::Absent => Step::Call(Call::ConfirmGone),
            Observed::Gone | Observed::Looked(_) => self.give_up(ErrorRecord {
                code: Code::InstanceNotFound.as_str().to_owned(),
                message: "the provider has this server no more".to_owned(),
                field: None,
            }),
            Observed::Blind(error) => self.custody_again(&error),
            Observed::Failed(error) => self.tagging_failed(&error),
            Observed::Created(..)
            | Observed::Accepted(_)
            | Observed::Asked(_)
            | Observed::Logged(_)
            | Observed::NotOurs
            | Observed::Seen(_)
            | Observed::Unprepared(_)
            | Observed::StaleKeys(_)
            | Observed::Finished(..) => self.confused(),
        }
    }

    fn held(&self, instance: &Instance, tags: Tags) -> Step {
        if tags.are_wanted_by(self.book.kind) {
            return self.handed_over(instance);
        }
        if self.is_overdue() {
            return self.give_up(ErrorRecord {
                code: Code::ApiError.as_str().to_owned(),
                message: format!(
                    "the provider did not show the change of its tags within {} minutes",
                    PATIENCE.as_secs() / 60
                ),
                field: None,
            });
        }
        match self.book.state {
            // Safe to repeat: a lost answer need not be waited for.
            OperationState::Resolving => {
                Step::Write(Box::new(self.change(OperationState::Ready, Duration::ZERO)))
            }
            _ if self.is_settled() => {
                Step::Write(Box::new(self.change(OperationState::Ready, Duration::ZERO)))
            }
            _ => self.write(self.handed_back(), self.clockwork.poll_open),
        }
    }

    fn handed_over(&self, instance: &Instance) -> Step {
        let mut change = self.change(OperationState::Succeeded, Duration::ZERO);
        change.attempt = (self.book.attempts > 0).then_some(AttemptOutcome::Committed);
        change.instance.observation = Some(observation(instance));
        if self.book.kind == OperationKind::Release {
            change.instance.lifecycle = Some(Lifecycle::Deleted);
            change.instance.problem = Some(Some(LET_GO.to_owned()));
            change.instance.parting = Some(Parting {
                remote: instance.id.clone(),
                name: instance.name.to_string(),
                tags: instance.tags.iter().map(ToString::to_string).collect(),
                created: instance.created,
            });
        } else {
            change.instance.lifecycle = Some(Lifecycle::Live);
            change.instance.problem = Some(None);
        }
        Step::Write(Box::new(change))
    }

    /// Ends it without success. What was to be imported is nobody's again; what was to be let go
    /// stays ours.
    pub(super) fn give_up(&self, error: ErrorRecord) -> Step {
        let mut change = self.change(OperationState::Failed, Duration::ZERO);
        if self.book.kind == OperationKind::Import {
            change.instance.lifecycle = Some(Lifecycle::Failed);
            change.instance.unbound = true;
            change.instance.problem = Some(Some(error.message.clone()));
        }
        change.error = Some(error);
        Step::Write(Box::new(change))
    }

    fn custody_again(&self, error: &Error) -> Step {
        let state = self.handed_back();
        let is_given_up = state == OperationState::Ready && self.is_given_up(error);
        if is_given_up || self.is_overdue() {
            return self.give_up(record(error));
        }
        let mut change = self.change(state, self.backoff(error));
        change.error = Some(record(error));
        Step::Write(Box::new(change))
    }

    fn tagging_failed(&self, error: &Error) -> Step {
        let (state, attempt) = match error.outcome {
            Outcome::Unknown => (OperationState::Unknown, AttemptOutcome::Unknown),
            Outcome::NotExecuted => (OperationState::Ready, AttemptOutcome::NotExecuted),
            Outcome::Rejected => (OperationState::Ready, AttemptOutcome::Rejected),
        };
        let is_busy = error.kind == ErrorKind::Busy && !self.is_given_up(error);
        let is_passing = error.outcome == Outcome::Unknown || is_busy || self.may_send_again(error);
        let step = if is_passing && !self.is_overdue() {
            let mut change = self.change(state, self.backoff(error));
            change.error = Some(record(error));
            Step::Write(Box::new(change))
        } else {
            self.give_up(record(error))
        };
        super::with_attempt(step, attempt)
    }
}
