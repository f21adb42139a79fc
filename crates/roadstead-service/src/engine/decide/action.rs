//! The rules of power actions: a desired state is read before and after; a reboot is sent at most once.

use std::time::Duration;

use roadstead_core::{Code, Error, ErrorKind, Instance, OperationStatus, Outcome, State};
use roadstead_repository::{AttemptOutcome, ErrorRecord, OperationKind, OperationState};

use super::{Call, Observed, PATIENCE, Rules, Step, frozen, percent, record};
use crate::engine::observe::observation;

impl Rules<'_> {
    pub(super) fn action(&self, observed: Observed) -> Step {
        match observed {
            Observed::Claimed => match self.book.state {
                OperationState::Unknown => self.write(OperationState::Resolving, Duration::ZERO),
                OperationState::Waiting if self.book.remote.is_some() => Step::Call(Call::Ask),
                _ => Step::Call(Call::Get),
            },
            Observed::Frozen(reason) => self.fail(frozen(reason)),
            Observed::Seen(instance) => self.action_seen(&instance),
            Observed::Accepted(operation) => {
                let mut change = self.change(OperationState::Waiting, self.clockwork.poll_open);
                change.attempt = Some(AttemptOutcome::Committed);
                change.progress = percent(&operation.status);
                change.remote = Some(operation);
                Step::Write(Box::new(change))
            }
            Observed::Asked(operation) => match &operation.status {
                // Of a reboot, the server's state tells nothing: it ran before.
                OperationStatus::Succeeded if self.book.kind == OperationKind::Reboot => {
                    self.write(OperationState::Succeeded, Duration::ZERO)
                }
                // The job is over; whether the server is where it should be, only the server says.
                OperationStatus::Succeeded => Step::Call(Call::Get),
                OperationStatus::Failed { code, message } => self.fail(ErrorRecord {
                    code: code.as_str().to_owned(),
                    message: message.to_string(),
                    field: None,
                }),
                running if !self.is_overdue() => {
                    let wait = operation.poll_after.min(self.clockwork.poll_open);
                    let mut change = self.change(OperationState::Waiting, wait);
                    change.progress = percent(running);
                    change.remote = Some(operation);
                    Step::Write(Box::new(change))
                }
                _ => self.fail(too_long(self.book.kind)),
            },
            Observed::Failed(error) => self.action_failed(&error),
            // With somebody else's token everything is absent.
            Observed::Absent => Step::Call(Call::ConfirmGone),
            Observed::Gone => self.fail(ErrorRecord {
                code: Code::InstanceNotFound.as_str().to_owned(),
                message: "the provider no longer has this server".to_owned(),
                field: None,
            }),
            Observed::Blind(error) if error.kind == ErrorKind::NoSuchResource => {
                Step::Call(Call::Get)
            }
            Observed::Blind(error) => self.again(&error),
            // Another one carries its mark: which is which, the sweeper finds out.
            Observed::Looked(_) if self.is_overdue() => self.fail(too_long(self.book.kind)),
            Observed::Looked(_) => self.write(self.handed_back(), self.clockwork.poll_open),
            Observed::Created(..)
            | Observed::NotOurs
            | Observed::Unprepared(_)
            | Observed::StaleKeys(_)
            | Observed::Finished(..) => self.confused(),
        }
    }

    fn action_seen(&self, instance: &Instance) -> Step {
        let state = instance.status.state;
        let at_target = match self.book.kind {
            OperationKind::Boot => state == State::Running,
            OperationKind::Shutdown | OperationKind::PowerOff => state == State::Stopped,
            // Running tells nothing of a reboot before it was sent.
            OperationKind::Reboot => {
                state == State::Running && self.book.state == OperationState::Waiting
            }
            OperationKind::Create | OperationKind::Delete => false,
        };
        let mut change = if at_target {
            self.change(OperationState::Succeeded, Duration::ZERO)
        } else {
            match self.book.state {
                OperationState::Leased if self.is_overdue() => {
                    return self.fail(too_long(self.book.kind));
                }
                OperationState::Leased if instance.status.busy => {
                    self.change(OperationState::Ready, self.clockwork.poll_open)
                }
                OperationState::Leased => return Step::Call(Call::Send),
                // At most once: whether a lost reboot happened cannot be read off the server.
                OperationState::Resolving if self.book.kind == OperationKind::Reboot => self
                    .attention(
                        "the provider's answer was lost; whether the server rebooted is unknown"
                            .to_owned(),
                    ),
                OperationState::Resolving if self.is_overdue() => {
                    return self.fail(too_long(self.book.kind));
                }
                OperationState::Resolving if instance.status.busy || !self.is_settled() => {
                    self.change(OperationState::Resolving, self.clockwork.poll_open)
                }
                OperationState::Resolving => self.change(OperationState::Ready, Duration::ZERO),
                _ if self.is_overdue() => return self.fail(too_long(self.book.kind)),
                _ => self.change(OperationState::Waiting, self.clockwork.poll_open),
            }
        };
        change.instance.observation = Some(observation(instance));
        Step::Write(Box::new(change))
    }

    fn action_failed(&self, error: &Error) -> Step {
        match error.outcome {
            Outcome::Unknown => {
                let mut change = self.change(OperationState::Unknown, Duration::ZERO);
                change.attempt = Some(AttemptOutcome::Unknown);
                Step::Write(Box::new(change))
            }
            outcome => {
                let attempt = match outcome {
                    Outcome::NotExecuted => AttemptOutcome::NotExecuted,
                    Outcome::Rejected | Outcome::Unknown => AttemptOutcome::Rejected,
                };
                let is_busy = error.kind == ErrorKind::Busy && !self.is_given_up(error);
                let not_executed = outcome == Outcome::NotExecuted && self.may_send_again(error);
                let state = if is_busy || not_executed {
                    OperationState::Ready
                } else {
                    OperationState::Failed
                };
                let mut change = self.change(state, self.backoff(error));
                change.attempt = Some(attempt);
                change.error = Some(record(error));
                Step::Write(Box::new(change))
            }
        }
    }
}

fn too_long(kind: OperationKind) -> ErrorRecord {
    let advice = match kind {
        OperationKind::Shutdown => "; its system may ignore it: try power-off",
        _ => "",
    };
    ErrorRecord {
        code: Code::ApiError.as_str().to_owned(),
        message: format!(
            "the server did not {} within {} minutes{advice}",
            kind.as_str().replace('_', " "),
            PATIENCE.as_secs() / 60
        ),
        field: None,
    }
}
