//! The rules of what is done to a server that there is: a desired state is read before and after,
//! a lost answer is looked for in the vendor's own log, and what cannot be read off a server is
//! sent at most once.

use std::time::Duration;

use roadstead_core::{
    ActionKind, Code, Error, ErrorKind, Instance, LoggedOperation, OperationStatus, Outcome, State,
    after,
};
use roadstead_repository::{AttemptOutcome, Change, ErrorRecord, OperationKind, OperationState};

use super::{Call, Observed, PATIENCE, Rules, Step, Target, frozen, percent, record};
use crate::engine::observe::observation;

/// Complete looks into the vendor's log, with nothing found, before a lost request counts as one
/// that never arrived.
const EMPTY_LOOKS: u32 = 2;

impl Rules<'_> {
    pub(super) fn action(&self, observed: Observed) -> Step {
        match observed {
            Observed::Claimed => match self.book.state {
                OperationState::Unknown => self.resolve(self.book.error.clone()),
                OperationState::Waiting if self.book.remote.is_some() => Step::Call(Call::Ask),
                _ => Step::Call(Call::Get),
            },
            // What was sent goes on at the vendor, whoever may look at it; the rest waits until
            // the token is put right.
            Observed::Frozen(reason) if self.was_sent() || !self.is_overdue() => {
                self.wait_frozen(reason)
            }
            Observed::Frozen(reason) => self.fail(frozen(reason)),
            Observed::Seen(instance) => self.action_seen(&instance),
            Observed::Logged(entries) => self.action_logged(entries),
            Observed::Accepted(operation) => {
                let mut change = self.change(OperationState::Waiting, self.clockwork.poll_open);
                change.attempt = Some(AttemptOutcome::Committed);
                change.progress = percent(&operation.status);
                change.remote = Some(operation);
                // The vendor has what was secret about it.
                change.wipe_secrets = true;
                Step::Write(Box::new(change))
            }
            Observed::Asked(operation) => match &operation.status {
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
                // A log that never tells the end does not undo what the server shows.
                _ if !self.is_at_most_once() => Step::Call(Call::Get),
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
            Observed::Blind(error)
                if error.kind == ErrorKind::NoSuchResource
                    && self.book.state == OperationState::Waiting =>
            {
                Step::Call(Call::Get)
            }
            Observed::Blind(error) if self.is_overdue() && self.is_undecided() => {
                self.undecided(&error.to_string())
            }
            Observed::Blind(error) | Observed::Unprepared(error) => self.again(&error),
            // Another one carries its mark: which is which, the sweeper finds out.
            Observed::Looked(_) if self.is_overdue() => self.fail(too_long(self.book.kind)),
            Observed::Looked(_) => self.write(self.handed_back(), self.clockwork.poll_open),
            Observed::NotOurs => self.fail(ErrorRecord {
                code: Code::InvalidAction.as_str().to_owned(),
                message: "the server at the provider is not the one that was imported, so nothing \
                    was done to it"
                    .to_owned(),
                field: None,
            }),
            Observed::Created(..)
            | Observed::Held(..)
            | Observed::Tagged
            | Observed::Unfit(_)
            | Observed::StaleKeys(_)
            | Observed::Finished(..) => self.confused(),
        }
    }

    fn action_seen(&self, instance: &Instance) -> Step {
        if self.is_at_target(instance) {
            return self.action_done(instance);
        }
        let change = match self.book.state {
            OperationState::Leased if self.is_overdue() => {
                return self.fail(too_long(self.book.kind));
            }
            OperationState::Leased if instance.status.busy => {
                let mut change = self.change(OperationState::Ready, self.clockwork.poll_open);
                change.error.clone_from(&self.book.error);
                change
            }
            // A refusal may be the answer to a request that was delivered twice; and what is sent
            // at most once may have been sent before our books were restored.
            OperationState::Leased
                if self.book.attempts > 0 || self.is_at_most_once() && self.is_old() =>
            {
                return Step::Call(Call::Log);
            }
            OperationState::Leased => return Step::Call(Call::Send),
            // What it is at may be what was asked for.
            OperationState::Resolving if instance.status.busy && !self.is_overdue() => {
                let mut change = self.change(OperationState::Resolving, self.clockwork.poll_open);
                change.error.clone_from(&self.book.error);
                change
            }
            OperationState::Resolving => return Step::Call(Call::Log),
            _ if self.is_overdue() && self.book.kind == OperationKind::Rebuild => {
                return self
                    .undecided("the provider says that it is done, and shows another image");
            }
            _ if self.is_overdue() => return self.fail(too_long(self.book.kind)),
            _ => self.change(OperationState::Waiting, self.clockwork.poll_open),
        };
        Step::Write(Box::new(self.with_observation(change, instance)))
    }

    fn action_done(&self, instance: &Instance) -> Step {
        let mut change = self.change(OperationState::Succeeded, Duration::ZERO);
        match &self.book.target {
            Some(Target::Plan(_)) => change.instance.takes_terms = true,
            Some(Target::Image(image)) => change.instance.image = Some(image.clone()),
            None => {}
        }
        change.instance.observation = Some(observation(instance));
        Step::Write(Box::new(change))
    }

    /// Returns whether the server is as it was asked for. Of what is sent at most once nothing can
    /// be told before the vendor has taken it.
    fn is_at_target(&self, instance: &Instance) -> bool {
        let state = instance.status.state;
        let is_taken = self.book.state == OperationState::Waiting;
        match (self.book.kind, &self.book.target) {
            (OperationKind::Boot, _) => state == State::Running,
            (OperationKind::Shutdown | OperationKind::PowerOff, _) => state == State::Stopped,
            // Running tells nothing before the vendor took it. Where it has stopped since,
            // something else has switched it off.
            (OperationKind::Reboot, _) => {
                let is_off = state == State::Stopped && !instance.status.busy && self.is_settled();
                is_taken && (state == State::Running || is_off)
            }
            (OperationKind::Resize, Some(Target::Plan(plan))) => {
                let is_at_rest = matches!(state, State::Running | State::Stopped);
                is_at_rest && !instance.status.busy && instance.plan.as_ref() == Some(plan)
            }
            (OperationKind::Rebuild, Some(Target::Image(image))) => {
                let is_up = state == State::Running
                    // Some vendors do not start a server that was stopped.
                    || state == State::Stopped && !instance.status.busy && self.is_settled();
                is_taken && is_up && instance.image.as_ref().is_none_or(|it| it == image)
            }
            (OperationKind::Resize | OperationKind::Rebuild, _)
            | (OperationKind::Create | OperationKind::Delete, _)
            | (OperationKind::Import | OperationKind::Release, _) => false,
        }
    }

    /// Adds what the vendor says of the server. A plan on the way to its price is not shown before.
    fn with_observation(&self, mut change: Change, instance: &Instance) -> Change {
        let is_ahead = matches!(
            &self.book.target,
            Some(Target::Plan(plan)) if instance.plan.as_ref() == Some(plan)
        );
        if !is_ahead {
            change.instance.observation = Some(observation(instance));
        }
        change
    }

    /// Attaches to what the vendor's log tells, or acts on its silence.
    fn action_logged(&self, entries: Vec<LoggedOperation>) -> Step {
        let kind = asked(self.book.kind);
        let is_failed =
            |it: &LoggedOperation| matches!(it.operation.status, OperationStatus::Failed { .. });
        let mut found: Vec<_> = entries.into_iter().filter(|it| it.kind == kind).collect();
        // Of a request that was delivered twice, one may have been refused.
        let at = found.iter().rposition(|it| !is_failed(it));
        let at = at.or_else(|| found.len().checked_sub(1));
        let Some(found) = at.map(|it| found.swap_remove(it).operation) else {
            return match self.book.state {
                OperationState::Leased => Step::Call(Call::Send),
                OperationState::Resolving => self.action_not_logged(),
                _ => self.confused(),
            };
        };
        let mut change = self.change(OperationState::Waiting, Duration::ZERO);
        change.attempt = Some(AttemptOutcome::Committed);
        change.progress = percent(&found.status);
        change.remote = Some(found);
        change.wipe_secrets = true;
        Step::Write(Box::new(change))
    }

    fn action_not_logged(&self) -> Step {
        let sent = self.book.sent_at.unwrap_or(self.book.created_at);
        let window = match self.book.kind {
            // Sent again too early they do no harm: the state is read first.
            OperationKind::Boot | OperationKind::Shutdown | OperationKind::PowerOff => {
                self.clockwork.lease
            }
            _ => self.clockwork.settle_window,
        };
        let looks = if self.now >= after(sent, window) {
            self.book.empty_looks.saturating_add(1)
        } else {
            0
        };
        if looks < EMPTY_LOOKS {
            let mut change = self.change(OperationState::Resolving, self.clockwork.look_interval);
            change.empty_looks = looks;
            change.error.clone_from(&self.book.error);
            return Step::Write(Box::new(change));
        }
        if self.is_at_most_once() {
            return self.undecided("the provider's log does not have it");
        }
        if let Some(refusal) = self.book.error.clone() {
            return self.fail(refusal);
        }
        if self.is_overdue() {
            return self.fail(too_long(self.book.kind));
        }
        Step::Write(Box::new(self.change(OperationState::Ready, Duration::ZERO)))
    }

    fn action_failed(&self, error: &Error) -> Step {
        let attempt = match error.outcome {
            Outcome::Unknown => {
                let mut change = self.change(OperationState::Unknown, Duration::ZERO);
                change.attempt = Some(AttemptOutcome::Unknown);
                return Step::Write(Box::new(change));
            }
            Outcome::NotExecuted => AttemptOutcome::NotExecuted,
            Outcome::Rejected => AttemptOutcome::Rejected,
        };
        let is_busy = error.kind == ErrorKind::Busy && !self.is_given_up(error);
        let not_executed = attempt == AttemptOutcome::NotExecuted && self.may_send_again(error);
        let mut change = if is_busy || not_executed {
            self.change(OperationState::Ready, self.backoff(error))
        } else if self.book.attempts > 0 && !self.is_at_most_once() {
            // It may be refused because an earlier attempt has done it.
            self.change(OperationState::Resolving, Duration::ZERO)
        } else {
            self.change(OperationState::Failed, Duration::ZERO)
        };
        change.attempt = Some(attempt);
        change.error = Some(record(error));
        Step::Write(Box::new(change))
    }

    /// Gives to a person what nothing can tell any more. The server itself goes on: whatever
    /// became of this, it can be worked on.
    fn undecided(&self, why: &str) -> Step {
        let what = match self.book.kind {
            OperationKind::Reboot => "rebooted",
            OperationKind::Rebuild => "was rebuilt",
            OperationKind::Resize => "was resized",
            _ => "changed",
        };
        let problem =
            format!("the provider's answer was lost; whether the server {what} is unknown: {why}");
        let mut change = self.attention(problem);
        change.wipe_secrets = true;
        if self.book.attempts > 0 && self.book.remote.is_none() {
            change.attempt = Some(AttemptOutcome::Unknown);
        }
        Step::Write(Box::new(change))
    }

    /// Returns whether only a person can tell what became of it, once nothing else can.
    fn is_undecided(&self) -> bool {
        let matters = self.is_at_most_once() || self.book.kind == OperationKind::Resize;
        matters && self.was_sent()
    }

    const fn is_at_most_once(&self) -> bool {
        matches!(
            self.book.kind,
            OperationKind::Reboot | OperationKind::Rebuild
        )
    }

    /// Returns whether the vendor may be at it.
    pub(super) const fn was_sent(&self) -> bool {
        matches!(
            self.book.state,
            OperationState::Sent
                | OperationState::Unknown
                | OperationState::Resolving
                | OperationState::Waiting
        )
    }
}

/// Returns what a vendor's log calls it; a create is found by its mark, and a delete by absence.
const fn asked(kind: OperationKind) -> Option<ActionKind> {
    Some(match kind {
        OperationKind::Boot => ActionKind::Boot,
        OperationKind::Shutdown => ActionKind::Shutdown,
        OperationKind::PowerOff => ActionKind::PowerOff,
        OperationKind::Reboot => ActionKind::Reboot,
        OperationKind::Resize => ActionKind::Resize,
        OperationKind::Rebuild => ActionKind::Rebuild,
        OperationKind::Create
        | OperationKind::Delete
        | OperationKind::Import
        | OperationKind::Release => return None,
    })
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
