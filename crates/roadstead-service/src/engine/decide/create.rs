//! The rules of a create: sent at most once, looked for until it is known, bound once.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{
    Code, CreateGuarantee, Error, ErrorKind, Instance, Outcome, RemoteId, Retry, State, after,
};
use roadstead_repository::{
    AttemptOutcome, Change, ErrorRecord, InstanceChange, Lifecycle, OperationState,
};

use super::{Call, Observed, Rules, Step, frozen, percent, record, with_attempt};
use crate::engine::observe::observation;

/// How many creating requests the vendor may leave without an answer.
const UNANSWERED: u32 = 3;

/// How many times a creating request is sent at most, whoever's fault it is that nobody has its
/// answer.
const CREATE_ATTEMPTS: u32 = 10;

/// Complete empty looks before a lost create counts as absent, where only looking tells.
const EMPTY_LOOKS: u32 = 2;

impl Rules<'_> {
    pub(super) fn create(&self, observed: Observed) -> Step {
        match observed {
            Observed::Claimed => match self.book.state {
                OperationState::Unknown => self.resolve(self.book.error.clone()),
                OperationState::Resolving => Step::Call(Call::Look),
                OperationState::Waiting => Step::Call(Call::Get),
                _ if self.is_old() || self.book.attempts > 0 => Step::Call(Call::Look),
                _ => Step::Call(Call::Send),
            },
            // A token is put right within minutes, and nobody has to ask anew.
            Observed::Frozen(reason) if self.may_exist() || !self.is_overdue() => {
                self.wait_frozen(reason)
            }
            Observed::Frozen(reason) => self.fail_create(frozen(reason)),
            Observed::Created(instance, operation) => {
                let mut change = self.bound(&instance, AttemptOutcome::Committed);
                change.remote = operation;
                Step::Write(Box::new(change))
            }
            Observed::Failed(error) => self.create_failed(&error),
            Observed::Unprepared(error) if self.may_send_again(&error) => self.again_later(&error),
            Observed::Unprepared(error) => self.ended(&error),
            Observed::StaleKeys(_) if self.unanswered().saturating_add(1) < UNANSWERED => {
                let mut change = self.change(OperationState::Ready, Duration::ZERO);
                change.attempt = Some(AttemptOutcome::Rejected);
                Step::Write(Box::new(change))
            }
            Observed::StaleKeys(error) => self.refused(AttemptOutcome::Rejected, &error),
            Observed::Looked(found) => self.create_looked(found),
            Observed::Seen(instance) => self.create_seen(&instance),
            Observed::Finished(instance, error) => self.create_finished(&instance, error.as_ref()),
            Observed::Absent => self.create_absent(),
            // A failure to look tells nothing: ask again.
            Observed::Blind(error) => self.again(&error),
            Observed::Gone => self.create_gone(),
            Observed::Accepted(_)
            | Observed::Asked(_)
            | Observed::Logged(_)
            | Observed::Held(..)
            | Observed::Tagged
            | Observed::Unfit(_)
            | Observed::NotOurs => self.confused(),
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
                if self.may_send_again(error) {
                    let step = self.again_later(error);
                    return with_attempt(step, AttemptOutcome::NotExecuted);
                }
                self.refused(AttemptOutcome::NotExecuted, error)
            }
            Outcome::Rejected => self.refused(AttemptOutcome::Rejected, error),
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
            // The bound one is gone; what else carries its mark was never wanted.
            if self
                .book
                .bound
                .as_ref()
                .is_some_and(|it| *it != instance.id)
            {
                let doomed = std::iter::once(instance).chain(found).map(|it| it.id);
                return with_doomed(self.create_gone(), doomed.collect());
            }
            let mut change = self.bound(&instance, AttemptOutcome::Committed);
            change.attempt = None;
            change.doomed = found.map(|it| it.id).collect();
            return Step::Write(Box::new(change));
        }
        if self.book.state != OperationState::Resolving {
            return Step::Call(Call::Send);
        }
        // Where the vendor itself refuses a second server, one look is enough to ask again. To
        // end the create takes more everywhere: lists lag.
        let asks_again = self.book.guarantee != CreateGuarantee::LookupOnly
            && self.book.error.is_none()
            && !self.is_tried();
        let (settled, needed) = if asks_again {
            (true, 1)
        } else {
            let sent = self.book.sent_at.unwrap_or(self.book.created_at);
            let settled = self.now >= after(sent, self.clockwork.settle_window);
            (settled, EMPTY_LOOKS)
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
        if self.is_tried() {
            return self.fail_create(ErrorRecord {
                code: Code::UnknownError.as_str().to_owned(),
                message: format!(
                    "no answer came to any of {} requests, and the provider made no server",
                    self.book.attempts
                ),
                field: None,
            });
        }
        let mut change = self.change(OperationState::Ready, Duration::ZERO);
        // Asking again is no proof of absence: what was lost stays lost until then.
        if !asks_again {
            change.instance.lifecycle = Some(Lifecycle::Pending);
        }
        Step::Write(Box::new(change))
    }

    /// Returns how many requests the vendor left without an answer, as far as anybody knows. What
    /// became of one whose worker died is not the vendor's fault.
    fn unanswered(&self) -> u32 {
        self.book.attempts.saturating_sub(self.book.orphaned)
    }

    fn is_tried(&self) -> bool {
        self.unanswered() >= UNANSWERED || self.book.attempts >= CREATE_ATTEMPTS
    }

    fn create_seen(&self, instance: &Instance) -> Step {
        let is_wanted = self.book.lifecycle != Lifecycle::Deleting;
        let mut change = match instance.status.state {
            State::Running if self.book.unfinished && is_wanted => {
                return Step::Call(Call::Finish);
            }
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

    /// The server is there and paid for: what it lacks is a problem to show, never a failure of
    /// the create, after which somebody would make a second one.
    fn create_finished(&self, instance: &Instance, error: Option<&Error>) -> Step {
        let is_passing = |it: &&Error| it.retry != Retry::Never && !self.is_overdue();
        let mut change = if let Some(error) = error.filter(is_passing) {
            self.change(OperationState::Waiting, self.backoff(error))
        } else {
            self.change(OperationState::Succeeded, Duration::ZERO)
        };
        change.instance.observation = Some(observation(instance));
        if change.state == OperationState::Succeeded
            && let Some(error) = error
        {
            let problem = format!("the server runs, but not all of it is set: {error}");
            change.instance.problem = Some(Some(problem));
        }
        Step::Write(Box::new(change))
    }

    fn create_absent(&self) -> Step {
        let sent = self.book.sent_at.unwrap_or(self.book.created_at);
        if self.now < after(sent, self.clockwork.rejected_after) {
            return self.write(OperationState::Waiting, self.clockwork.poll_open);
        }
        Step::Call(Call::ConfirmGone)
    }

    /// Accepted and then dropped is a refusal that came late. It is believed when it was proved
    /// twice, some time apart.
    fn create_gone(&self) -> Step {
        if self.book.empty_looks == 0 {
            let mut change = self.change(OperationState::Waiting, self.clockwork.rejected_after);
            change.empty_looks = 1;
            return Step::Write(Box::new(change));
        }
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
            // One that is being deleted goes that way to its end.
            lifecycle: (self.book.lifecycle != Lifecycle::Deleting).then_some(Lifecycle::Live),
            remote: Some(instance.id.clone()),
            observation: Some(observation(instance)),
            ..InstanceChange::default()
        };
        change
    }

    /// Waits before the request is sent after all.
    fn again_later(&self, error: &Error) -> Step {
        let mut change = self.change(OperationState::Ready, self.backoff(error));
        change.error = Some(record(error));
        Step::Write(Box::new(change))
    }

    fn refused(&self, attempt: AttemptOutcome, error: &Error) -> Step {
        with_attempt(self.ended(error), attempt)
    }

    /// Ends a create that was refused. A name that is taken may be taken by our own earlier
    /// request, and so may the last place of a quota: what an earlier attempt may have left
    /// must be found before this one's refusal counts.
    fn ended(&self, error: &Error) -> Step {
        if error.kind == ErrorKind::Conflict || self.may_exist() {
            self.resolve(Some(record(error)))
        } else {
            self.fail_create(record(error))
        }
    }
}

/// Adds the servers that are to go.
fn with_doomed(step: Step, doomed: Vec<RemoteId>) -> Step {
    match step {
        Step::Write(mut change) => {
            change.doomed = doomed;
            Step::Write(change)
        }
        call @ Step::Call(_) => call,
    }
}
