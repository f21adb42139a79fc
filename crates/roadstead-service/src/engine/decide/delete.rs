//! The rules of a delete: never without our mark, never believed without proof, never given up.

use std::time::Duration;

use roadstead_core::{Instance, Outcome, State};
use roadstead_repository::{AttemptOutcome, Lifecycle, OperationState};

use super::{Call, Observed, Rules, Step, record};

impl Rules<'_> {
    pub(super) fn delete(&self, observed: Observed) -> Step {
        match observed {
            Observed::Frozen(reason) => self.wait_frozen(reason),
            Observed::Blind(error) => self.again(&error),
            // It was asked for while the create was open, or while a person was to decide.
            _ if matches!(self.book.lifecycle, Lifecycle::Live | Lifecycle::Attention) => {
                let mut change = self.change(self.handed_back(), Duration::ZERO);
                change.instance.lifecycle = Some(Lifecycle::Deleting);
                Step::Write(Box::new(change))
            }
            Observed::Claimed => match (self.book.state, &self.book.bound) {
                (OperationState::Unknown, _) => {
                    self.write(OperationState::Resolving, Duration::ZERO)
                }
                // The create has ended before this began, and left nothing.
                (_, None) => self.deleted(),
                (_, Some(_)) => Step::Call(Call::Get),
            },
            Observed::Seen(instance) => self.delete_seen(&instance),
            Observed::Absent => Step::Call(Call::ConfirmGone),
            Observed::Gone => self.deleted(),
            Observed::NotOurs => Step::Write(Box::new(
                self.attention(
                    "the server at the provider does not carry our mark, so it was not deleted"
                        .to_owned(),
                ),
            )),
            Observed::Accepted(operation) => {
                let mut change = self.change(OperationState::Waiting, self.clockwork.poll_open);
                change.attempt = Some(AttemptOutcome::Committed);
                change.remote = Some(operation);
                Step::Write(Box::new(change))
            }
            // Deleting is safe to repeat: whatever went wrong, look again and send again.
            Observed::Failed(error) => {
                let (state, attempt) = match error.outcome {
                    Outcome::Unknown => (OperationState::Unknown, AttemptOutcome::Unknown),
                    Outcome::NotExecuted => (OperationState::Ready, AttemptOutcome::NotExecuted),
                    Outcome::Rejected => (OperationState::Ready, AttemptOutcome::Rejected),
                };
                let mut change = self.change(state, self.backoff(&error));
                change.attempt = Some(attempt);
                change.error = Some(record(&error));
                Step::Write(Box::new(change))
            }
            // The bound one is gone; what else carries its mark was never wanted.
            Observed::Looked(others) => {
                let mut change = self.change(self.handed_back(), self.clockwork.poll_open);
                change.doomed = others.into_iter().map(|it| it.id).collect();
                Step::Write(Box::new(change))
            }
            Observed::Created(..)
            | Observed::Asked(_)
            | Observed::Logged(_)
            | Observed::Held(..)
            | Observed::Tagged
            | Observed::Unfit(_)
            | Observed::Unprepared(_)
            | Observed::StaleKeys(_)
            | Observed::Finished(..) => self.confused(),
        }
    }

    fn delete_seen(&self, instance: &Instance) -> Step {
        if self.book.state == OperationState::Leased {
            return Step::Call(Call::Send);
        }
        // Still there: either the vendor is at it, or the request never arrived.
        let state = if self.is_settled() && instance.status.state != State::Deleting {
            OperationState::Ready
        } else {
            self.book.state
        };
        self.write(state, self.clockwork.poll_open)
    }

    fn deleted(&self) -> Step {
        let mut change = self.change(OperationState::Succeeded, Duration::ZERO);
        change.instance.lifecycle = Some(Lifecycle::Deleted);
        Step::Write(Box::new(change))
    }
}
