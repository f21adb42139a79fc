//! The rules of durable operations as one pure function: what is on record and what was
//! just observed, to the next call or the next write.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{
    Code, CreateGuarantee, Error, ErrorKind, Instance, OperationStatus, Outcome, RemoteId,
    RemoteOperation, Retry, State, after,
};
use roadstead_repository::{
    AttemptOutcome, Change, ErrorRecord, InstanceChange, Lifecycle, OperationKind, OperationState,
};

use super::observe::observation;

/// How many times a creating request is sent at most.
const CREATE_ATTEMPTS: u32 = 3;

/// Complete empty looks before a lost create counts as absent, where only looking tells.
const EMPTY_LOOKS: u32 = 2;

/// How long a server that the vendor has confirmed may stay invisible before the create
/// counts as refused after all.
const REJECTED_AFTER: Duration = Duration::from_secs(60);

/// How long a vendor may take to do what it has accepted before a person is asked.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The longest a vendor can make us wait by `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The clockwork of the engine. Tests and demonstrations shorten it.
#[derive(Clone, Copy, Debug)]
pub struct Clockwork {
    /// How long a worker holds an operation.
    pub lease: Duration,
    /// What must be left of the lease for a call to be sent: its timeout and a margin.
    pub send_margin: Duration,
    /// How long after a lost answer a server may still appear, where only looking tells.
    pub settle_window: Duration,
    /// The least wait between two looks that count.
    pub look_interval: Duration,
    /// How often an open operation is looked at.
    pub poll_open: Duration,
    /// How often a quiet account is read.
    pub poll_idle: Duration,
    /// How long an unreachable vendor is tried before a request fails.
    pub give_up: Duration,
}

impl Default for Clockwork {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            send_margin: Duration::from_secs(17),
            settle_window: Duration::from_secs(180),
            look_interval: Duration::from_secs(5),
            poll_open: Duration::from_secs(3),
            poll_idle: Duration::from_secs(60),
            give_up: Duration::from_secs(300),
        }
    }
}

/// What is on record about an operation when it is decided upon.
#[derive(Clone, Debug)]
pub struct Book {
    /// What it does.
    pub kind: OperationKind,
    /// How far it is.
    pub state: OperationState,
    /// Attempts on record.
    pub attempts: u32,
    /// When the last one was put on record.
    pub sent_at: Option<Timestamp>,
    /// Complete empty looks in a row since.
    pub empty_looks: u32,
    /// The vendor's job.
    pub remote: Option<RemoteOperation>,
    /// In `resolving`: the vendor's refusal of a later attempt. Elsewhere: why it waits.
    pub error: Option<ErrorRecord>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// How far the server's life has come.
    pub lifecycle: Lifecycle,
    /// The server's id at the vendor.
    pub bound: Option<RemoteId>,
    /// How safe it is to send a creating request twice.
    pub guarantee: CreateGuarantee,
}

/// What was just learned.
#[derive(Debug)]
pub enum Observed {
    /// The operation was claimed; nothing else yet.
    Claimed,
    /// The account may not be used; the reason is for the operator and the member.
    Frozen(String),
    /// The vendor took the create.
    Created(Box<Instance>, Option<RemoteOperation>),
    /// The vendor took the action.
    Accepted(RemoteOperation),
    /// The request failed.
    Failed(Error),
    /// A complete look for our mark.
    Looked(Vec<Instance>),
    /// The server as it is now.
    Seen(Box<Instance>),
    /// The vendor's job as it is now.
    Asked(RemoteOperation),
    /// The vendor says that there is no such server.
    Absent,
    /// The same, with the account proved to be ours and no server by our mark.
    Gone,
    /// The server does not carry our mark.
    NotOurs,
    /// Looking, reading or asking failed: nothing is known.
    Blind(Error),
}

/// A call to the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Send the request, after putting an attempt on record.
    Send,
    /// Look for our mark, by name and by tag.
    Look,
    /// Read the server.
    Get,
    /// Read the vendor's job.
    Ask,
    /// Prove that the account is ours and that nothing carries our mark.
    ConfirmGone,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Call the vendor and decide again.
    Call(Call),
    /// Write this and let go.
    Write(Box<Change>),
}

/// Decides what to do next about an operation. Pure: no clock, no store, no vendor.
#[must_use]
pub fn decide(book: &Book, observed: Observed, now: Timestamp, clockwork: &Clockwork) -> Step {
    let rules = Rules {
        book,
        now,
        clockwork,
    };
    match book.kind {
        OperationKind::Create => rules.create(observed),
        OperationKind::Delete => rules.delete(observed),
        OperationKind::Boot
        | OperationKind::Shutdown
        | OperationKind::PowerOff
        | OperationKind::Reboot => rules.action(observed),
    }
}

struct Rules<'a> {
    book: &'a Book,
    now: Timestamp,
    clockwork: &'a Clockwork,
}

impl Rules<'_> {
    fn create(&self, observed: Observed) -> Step {
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

    fn action(&self, observed: Observed) -> Step {
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
            Observed::Absent | Observed::Gone => self.fail(ErrorRecord {
                code: Code::InstanceNotFound.as_str().to_owned(),
                message: "the provider no longer has this server".to_owned(),
                field: None,
            }),
            Observed::Blind(error) if error.kind == ErrorKind::NoSuchResource => {
                Step::Call(Call::Get)
            }
            Observed::Blind(error) => self.again(&error),
            Observed::Created(..) | Observed::Looked(_) | Observed::NotOurs => self.confused(),
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
                let transient = matches!(
                    error.kind,
                    ErrorKind::Busy | ErrorKind::Throttled | ErrorKind::Transport
                );
                let state = if transient && !self.is_given_up() {
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

    fn delete(&self, observed: Observed) -> Step {
        match observed {
            // It was asked for while the create was open, and begins now.
            Observed::Claimed if self.book.lifecycle == Lifecycle::Live => {
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
            Observed::Frozen(reason) => self.wait_frozen(reason),
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
            Observed::Blind(error) => self.again(&error),
            Observed::Created(..) | Observed::Looked(_) | Observed::Asked(_) => self.confused(),
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

    // What a create, an action and a delete share.

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

    fn fail_create(&self, error: ErrorRecord) -> Step {
        let mut change = self.change(OperationState::Failed, Duration::ZERO);
        // One that is being deleted goes that way to its end.
        if self.book.lifecycle != Lifecycle::Deleting {
            change.instance.lifecycle = Some(Lifecycle::Failed);
        }
        change.instance.problem = Some(Some(error.message.clone()));
        change.error = Some(error);
        Step::Write(Box::new(change))
    }

    fn fail(&self, error: ErrorRecord) -> Step {
        let mut change = self.change(OperationState::Failed, Duration::ZERO);
        change.error = Some(error);
        Step::Write(Box::new(change))
    }

    fn attention(&self, problem: String) -> Change {
        let mut change = self.change(OperationState::Attention, Duration::ZERO);
        if self.book.kind != OperationKind::Reboot && self.book.lifecycle != Lifecycle::Deleting {
            change.instance.lifecycle = Some(Lifecycle::Attention);
        }
        change.instance.problem = Some(Some(problem.clone()));
        change.error = Some(ErrorRecord {
            code: Code::UnknownError.as_str().to_owned(),
            message: problem,
            field: None,
        });
        change
    }

    /// Keeps everything as it is and looks again later.
    fn again(&self, error: &Error) -> Step {
        let state = self.handed_back();
        let mut change = self.change(state, self.backoff(error));
        change.empty_looks = self.book.empty_looks;
        change.error.clone_from(&self.book.error);
        if state == OperationState::Ready {
            change.error = Some(record(error));
            if self.is_given_up() && self.book.kind != OperationKind::Delete && !self.may_exist() {
                return match self.book.kind {
                    OperationKind::Create => self.fail_create(record(error)),
                    _ => self.fail(record(error)),
                };
            }
        }
        Step::Write(Box::new(change))
    }

    fn wait_frozen(&self, reason: String) -> Step {
        let state = self.handed_back();
        let mut change = self.change(state, self.clockwork.poll_idle);
        change.empty_looks = self.book.empty_looks;
        change.error = match state {
            // Here an error is the vendor's refusal, and keeps its meaning.
            OperationState::Resolving => self.book.error.clone(),
            _ => Some(frozen(reason)),
        };
        Step::Write(Box::new(change))
    }

    /// An observation that the call cannot have made: keep everything, look again.
    fn confused(&self) -> Step {
        self.write(self.handed_back(), self.clockwork.poll_open)
    }

    /// Returns the present state without the lease.
    const fn handed_back(&self) -> OperationState {
        match self.book.state {
            OperationState::Leased => OperationState::Ready,
            state => state,
        }
    }

    fn write(&self, state: OperationState, due_in: Duration) -> Step {
        let mut change = self.change(state, due_in);
        change.empty_looks = self.book.empty_looks;
        change.error.clone_from(&self.book.error);
        Step::Write(Box::new(change))
    }

    fn change(&self, state: OperationState, due_in: Duration) -> Change {
        Change {
            state,
            due_in,
            attempt: None,
            empty_looks: 0,
            remote: None,
            progress: None,
            error: None,
            instance: InstanceChange::default(),
            doomed: Vec::new(),
            wipe_secrets: false,
        }
    }

    /// Returns whether an attempt whose outcome nobody knows may have left a server behind.
    fn may_exist(&self) -> bool {
        self.book.lifecycle == Lifecycle::Resolving
            || self.book.state == OperationState::Resolving
            || self.book.bound.is_some()
    }

    fn is_old(&self) -> bool {
        self.now > after(self.book.created_at, self.clockwork.lease)
    }

    fn is_given_up(&self) -> bool {
        self.now > after(self.book.created_at, self.clockwork.give_up)
    }

    fn is_overdue(&self) -> bool {
        self.now > after(self.book.created_at, PATIENCE)
    }

    /// Returns whether an action that was sent should have shown by now.
    fn is_settled(&self) -> bool {
        let sent = self.book.sent_at.unwrap_or(self.book.created_at);
        self.now >= after(sent, self.clockwork.lease)
    }

    fn backoff(&self, error: &Error) -> Duration {
        let wait = match error.retry {
            Retry::At(time) => {
                Duration::try_from(time.duration_since(self.now)).unwrap_or(Duration::ZERO)
            }
            Retry::Never | Retry::Backoff | Retry::AfterReconcile => self
                .clockwork
                .poll_open
                .saturating_mul(self.book.attempts.clamp(1, 10)),
        };
        wait.clamp(self.clockwork.poll_open, LONGEST_WAIT)
    }
}

fn frozen(reason: String) -> ErrorRecord {
    ErrorRecord {
        code: Code::InvalidCredentials.as_str().to_owned(),
        message: reason,
        field: None,
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

fn record(error: &Error) -> ErrorRecord {
    ErrorRecord {
        code: error.code().as_str().to_owned(),
        message: error.to_string(),
        field: error.field.as_deref().map(str::to_owned),
    }
}

fn percent(status: &OperationStatus) -> Option<u8> {
    match status {
        OperationStatus::Running { percent } => *percent,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
