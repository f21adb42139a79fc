//! The rules of durable operations as one pure function: what is on record and what was
//! just observed, to the next call or the next write.

mod action;
mod create;
mod custody;
mod delete;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{
    Code, CreateGuarantee, Error, ErrorKind, ImageId, Instance, LoggedOperation, OperationStatus,
    PlanId, RemoteId, RemoteOperation, Retry, after,
};
use roadstead_repository::{
    AttemptOutcome, Change, ErrorRecord, InstanceChange, Lifecycle, OperationKind, OperationState,
};

use crate::feed::EventClockwork;
use crate::health::CircuitPolicy;

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
    /// How long a server that the vendor has confirmed may stay invisible before the create
    /// counts as refused after all.
    pub rejected_after: Duration,
    /// How often an open operation is looked at.
    pub poll_open: Duration,
    /// How often a quiet account is read.
    pub poll_idle: Duration,
    /// How often everything that carries our mark at an account is compared with our books.
    pub sweep: Duration,
    /// How long an unreachable vendor is tried before a request fails.
    pub give_up: Duration,
    /// When a provider that fails is left alone, and for how long.
    pub circuit: CircuitPolicy,
    /// The clockwork of the event streams.
    pub events: EventClockwork,
}

impl Default for Clockwork {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            send_margin: Duration::from_secs(17),
            settle_window: Duration::from_secs(180),
            look_interval: Duration::from_secs(5),
            rejected_after: Duration::from_secs(60),
            poll_open: Duration::from_secs(3),
            poll_idle: Duration::from_secs(60),
            sweep: Duration::from_secs(300),
            give_up: Duration::from_secs(300),
            circuit: CircuitPolicy::default(),
            events: EventClockwork::default(),
        }
    }
}

impl Clockwork {
    /// Sets the lease. What must be left of it for a call keeps its share.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self {
            lease,
            send_margin: lease * 17 / 30,
            ..self
        }
    }

    /// Sets the settle window. The waits between looks at what was lost keep their shares.
    #[must_use]
    pub fn with_settle_window(self, settle_window: Duration) -> Self {
        Self {
            settle_window,
            look_interval: settle_window / 36,
            rejected_after: settle_window / 3,
            ..self
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
    /// How many of them ended with the worker that sent them.
    pub orphaned: u32,
    /// When the last one was put on record.
    pub sent_at: Option<Timestamp>,
    /// Complete empty looks in a row since.
    pub empty_looks: u32,
    /// The vendor's job.
    pub remote: Option<RemoteOperation>,
    /// In `resolving`: the vendor's refusal of a later attempt. Elsewhere: why it waits.
    pub error: Option<ErrorRecord>,
    /// Since when every try to reach the vendor has failed.
    pub failing_since: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// How far the server's life has come.
    pub lifecycle: Lifecycle,
    /// The server's id at the vendor.
    pub bound: Option<RemoteId>,
    /// How safe it is to send a creating request twice.
    pub guarantee: CreateGuarantee,
    /// Whether a created server needs something else once it runs.
    pub unfinished: bool,
    /// What a server becomes by a resize or a rebuild.
    pub target: Option<Target>,
    /// Whether it was accepted before this process began. Our books may have been restored since
    /// to what they were, so that what was sent is not in them.
    pub inherited: bool,
}

/// What a server is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One of this plan.
    Plan(PlanId),
    /// One from this image.
    Image(ImageId),
}

/// Which of our two tags a server carries, and no other server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Both.
    Both,
    /// Something in between.
    Some,
    /// Neither.
    Neither,
}

impl Tags {
    /// Returns whether an import, or a release, is over with these.
    pub(super) fn are_wanted_by(self, kind: OperationKind) -> bool {
        match kind {
            OperationKind::Release => self == Self::Neither,
            _ => self == Self::Both,
        }
    }
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
    /// What must stand at the vendor before the request could not be brought there. The request
    /// was not sent.
    Unprepared(Error),
    /// The request was refused, and may have been because what was brought to the vendor before
    /// is there no more. It has to be brought there anew.
    StaleKeys(Error),
    /// A complete look for our mark.
    Looked(Vec<Instance>),
    /// The server as it is now.
    Seen(Box<Instance>),
    /// The server as it is now, and why what it needed could not be set, if it could not.
    Finished(Box<Instance>, Option<Error>),
    /// The vendor's job as it is now.
    Asked(RemoteOperation),
    /// What the vendor's own log tells that is not older than the request.
    Logged(Vec<LoggedOperation>),
    /// The vendor says that there is no such server.
    Absent,
    /// The same, with the account proved to be ours and no server by our mark.
    Gone,
    /// The server does not carry our mark, or is another one than was imported.
    NotOurs,
    /// The server as it is now, in an account that was just proved to be ours, and which of our
    /// tags it carries.
    Held(Box<Instance>, Tags),
    /// The vendor took a change of our tags.
    Tagged,
    /// The server is not what was to be imported or let go, and why, as a clause.
    Unfit(&'static str),
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
    /// Set what the creating request could not carry, and read the server.
    Finish,
    /// Read the vendor's job.
    Ask,
    /// Look for the request in the vendor's own log of the server.
    Log,
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
        | OperationKind::Reboot
        | OperationKind::Resize
        | OperationKind::Rebuild => rules.action(observed),
        OperationKind::Import | OperationKind::Release => rules.custody(observed),
    }
}

struct Rules<'a> {
    book: &'a Book,
    now: Timestamp,
    clockwork: &'a Clockwork,
}

/// What a create, an action and a delete share.
impl Rules<'_> {
    pub(super) fn fail_create(&self, error: ErrorRecord) -> Step {
        let mut change = self.change(OperationState::Failed, Duration::ZERO);
        // One that is being deleted goes that way to its end.
        if self.book.lifecycle != Lifecycle::Deleting {
            change.instance.lifecycle = Some(Lifecycle::Failed);
        }
        change.instance.problem = Some(Some(error.message.clone()));
        change.error = Some(error);
        Step::Write(Box::new(change))
    }

    pub(super) fn fail(&self, error: ErrorRecord) -> Step {
        let mut change = self.change(OperationState::Failed, Duration::ZERO);
        change.error = Some(error);
        Step::Write(Box::new(change))
    }

    pub(super) fn attention(&self, problem: String) -> Change {
        let mut change = self.change(OperationState::Attention, Duration::ZERO);
        let is_of_life = matches!(
            self.book.kind,
            OperationKind::Create | OperationKind::Delete
        );
        // What was done to a server that is there does not keep it from anything else.
        if is_of_life && self.book.lifecycle != Lifecycle::Deleting {
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
    pub(super) fn again(&self, error: &Error) -> Step {
        let state = self.handed_back();
        let mut change = self.change(state, self.backoff(error));
        change.empty_looks = self.book.empty_looks;
        change.error.clone_from(&self.book.error);
        let is_action = !matches!(
            self.book.kind,
            OperationKind::Create | OperationKind::Delete
        );
        if is_action && self.is_overdue() {
            return self.fail(record(error));
        }
        if state == OperationState::Ready {
            change.error = Some(record(error));
            if self.is_given_up(error) {
                match self.book.kind {
                    OperationKind::Create if self.may_exist() => {
                        return self.resolve(Some(record(error)));
                    }
                    OperationKind::Create => return self.fail_create(record(error)),
                    OperationKind::Delete => {}
                    OperationKind::Boot
                    | OperationKind::Shutdown
                    | OperationKind::PowerOff
                    | OperationKind::Reboot
                    | OperationKind::Resize
                    | OperationKind::Rebuild => return self.fail(record(error)),
                    OperationKind::Import | OperationKind::Release => {
                        return self.give_up(record(error));
                    }
                }
            }
        }
        Step::Write(Box::new(change))
    }

    /// Looks for what a create may have left. With a refusal, that ends the create when nothing
    /// is found.
    pub(super) fn resolve(&self, refusal: Option<ErrorRecord>) -> Step {
        let mut change = self.change(OperationState::Resolving, Duration::ZERO);
        change.error = refusal;
        if self.book.lifecycle == Lifecycle::Pending {
            change.instance.lifecycle = Some(Lifecycle::Resolving);
        }
        Step::Write(Box::new(change))
    }

    pub(super) fn wait_frozen(&self, reason: String) -> Step {
        let state = self.handed_back();
        let mut change = self.change(state, self.clockwork.poll_idle);
        change.empty_looks = self.book.empty_looks;
        change.error = match state {
            // Here an error is the vendor's refusal, and keeps its meaning.
            OperationState::Unknown | OperationState::Resolving => self.book.error.clone(),
            _ => Some(frozen(reason)),
        };
        Step::Write(Box::new(change))
    }

    /// An observation that the call cannot have made: keep everything, look again.
    pub(super) fn confused(&self) -> Step {
        self.write(self.handed_back(), self.clockwork.poll_open)
    }

    /// Returns the present state without the lease.
    pub(super) const fn handed_back(&self) -> OperationState {
        match self.book.state {
            OperationState::Leased => OperationState::Ready,
            state => state,
        }
    }

    pub(super) fn write(&self, state: OperationState, due_in: Duration) -> Step {
        let mut change = self.change(state, due_in);
        change.empty_looks = self.book.empty_looks;
        change.error.clone_from(&self.book.error);
        Step::Write(Box::new(change))
    }

    pub(super) fn change(&self, state: OperationState, due_in: Duration) -> Change {
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
    pub(super) fn may_exist(&self) -> bool {
        let is_open = match self.book.state {
            OperationState::Sent | OperationState::Unknown | OperationState::Resolving => true,
            OperationState::Ready
            | OperationState::Leased
            | OperationState::Waiting
            | OperationState::Succeeded
            | OperationState::Failed
            | OperationState::Attention => false,
        };
        is_open || self.book.lifecycle == Lifecycle::Resolving || self.book.bound.is_some()
    }

    pub(super) fn is_old(&self) -> bool {
        self.book.inherited || self.now > after(self.book.created_at, self.clockwork.lease)
    }

    /// Returns whether it was tried for long enough: one failure after another, so that time in
    /// which nobody tried does not count. A vendor that takes no more calls before a certain time
    /// is there: whoever queues for it is kept as long as what it works on.
    pub(super) fn is_given_up(&self, error: &Error) -> bool {
        let is_queued = matches!(
            (error.kind, error.retry),
            (ErrorKind::Throttled, Retry::At(_))
        );
        let is_tried = |since| self.now > after(since, self.clockwork.give_up);
        self.is_overdue() || !is_queued && self.book.failing_since.is_some_and(is_tried)
    }

    pub(super) fn is_overdue(&self) -> bool {
        self.now > after(self.book.created_at, PATIENCE)
    }

    /// Returns whether a request that was not executed may be sent again.
    pub(super) fn may_send_again(&self, error: &Error) -> bool {
        let passes = matches!(
            error.kind,
            ErrorKind::Throttled
                | ErrorKind::Transport
                | ErrorKind::Server
                | ErrorKind::Timeout
                | ErrorKind::Maintenance
                | ErrorKind::Decode
        );
        passes && !self.is_given_up(error)
    }

    /// Returns whether an action that was sent should have shown by now.
    pub(super) fn is_settled(&self) -> bool {
        let sent = self.book.sent_at.unwrap_or(self.book.created_at);
        self.now >= after(sent, self.clockwork.lease)
    }

    pub(super) fn backoff(&self, error: &Error) -> Duration {
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

pub(super) fn frozen(reason: String) -> ErrorRecord {
    ErrorRecord {
        code: Code::InvalidCredentials.as_str().to_owned(),
        message: reason,
        field: None,
    }
}

pub(super) fn record(error: &Error) -> ErrorRecord {
    ErrorRecord {
        code: error.code().as_str().to_owned(),
        message: error.to_string(),
        field: error.field.as_deref().map(str::to_owned),
    }
}

pub(super) fn percent(status: &OperationStatus) -> Option<u8> {
    match status {
        OperationStatus::Running { percent } => *percent,
        _ => None,
    }
}

/// Adds what became of the attempt.
pub(super) fn with_attempt(step: Step, attempt: AttemptOutcome) -> Step {
    match step {
        Step::Write(mut change) => {
            change.attempt = Some(attempt);
            Step::Write(change)
        }
        call @ Step::Call(_) => call,
    }
}
