//! The books in virtual time: a naive model of what the repository promises.

use std::time::Duration;

use roadstead_core::{CreateGuarantee, RemoteOperation};
use roadstead_repository::{
    AttemptOutcome, Change, ErrorRecord, Lifecycle, OperationKind, OperationState,
};
use roadstead_service::{Book, Clockwork, Target};

use crate::world::{Millis, at, millis};

/// A row of a server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) bound: Option<u64>,
    /// Whether it is deleted because somebody asked for it.
    pub(crate) was_deleted: bool,
    /// When it last changed.
    pub(crate) updated: Millis,
    /// When creating attempts were put on record.
    pub(crate) attempts: Vec<Millis>,
}

/// A row of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) server: usize,
    pub(crate) kind: OperationKind,
    pub(crate) target: Option<Target>,
    pub(crate) state: OperationState,
    pub(crate) attempts: u32,
    /// How many of them ended with their worker.
    pub(crate) orphaned: u32,
    /// Since when every try has failed.
    pub(crate) failing_since: Option<Millis>,
    pub(crate) last_outcome: Option<AttemptOutcome>,
    pub(crate) sent_at: Option<Millis>,
    /// How many jobs stood in the vendor's log before the last attempt.
    pub(crate) log_place: usize,
    pub(crate) empty_looks: u32,
    pub(crate) remote: Option<RemoteOperation>,
    pub(crate) error: Option<ErrorRecord>,
    pub(crate) created_at: Millis,
    pub(crate) due: Millis,
    pub(crate) lease_until: Option<Millis>,
    pub(crate) epoch: i64,
    pub(crate) settled_at: Option<Millis>,
}

/// A right to work on an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) operation: usize,
    pub(crate) epoch: i64,
}

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Somebody else has claimed it, or too little of the lease is left.
    LeaseLost,
    /// A state machine does not have the step.
    Edge(String),
    /// The server at the vendor is bound elsewhere.
    Bound,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) servers: Vec<Server>,
    pub(crate) operations: Vec<Operation>,
}

impl Store {
    /// Accepts a new server, and returns its number.
    pub(crate) fn accept_create(&mut self, now: Millis) -> usize {
        self.servers.push(Server {
            lifecycle: Lifecycle::Pending,
            bound: None,
            was_deleted: false,
            updated: now,
            attempts: Vec::new(),
        });
        let server = self.servers.len() - 1;
        self.push(server, OperationKind::Create, now);
        server
    }

    /// Accepts an action as the repository does; returns whether it was. What stands before this
    /// place of the vendor's log is older than it.
    pub(crate) fn accept(
        &mut self,
        number: usize,
        kind: OperationKind,
        log_place: usize,
        now: Millis,
    ) -> bool {
        let mut active = self
            .operations
            .iter()
            .filter(|it| it.server == number && !it.state.is_settled());
        let is_delete = kind == OperationKind::Delete;
        let refused = active.any(|it| !is_delete || it.kind == OperationKind::Delete);
        let undecided = self.operations.iter();
        let undecided = undecided
            .filter(|it| it.server == number)
            .any(|it| !it.state.is_final());
        let Some(server) = self.servers.get_mut(number) else {
            return false;
        };
        if refused || server.lifecycle == Lifecycle::Deleted {
            return false;
        }
        if !is_delete {
            if server.lifecycle != Lifecycle::Live {
                return false;
            }
        } else if server.lifecycle == Lifecycle::Failed && server.bound.is_none() && !undecided {
            // The delete is on record, and done.
            (server.lifecycle, server.was_deleted) = (Lifecycle::Deleted, true);
            server.updated = now;
            return false;
        } else if server.lifecycle.may_become(Lifecycle::Deleting) {
            server.lifecycle = Lifecycle::Deleting;
        }
        self.push(number, kind, now);
        if let Some(operation) = self.operations.last_mut() {
            operation.log_place = log_place;
        }
        true
    }

    fn push(&mut self, server: usize, kind: OperationKind, now: Millis) {
        self.operations.push(Operation {
            server,
            kind,
            target: target(kind, self.operations.len()),
            state: OperationState::Ready,
            attempts: 0,
            orphaned: 0,
            failing_since: None,
            last_outcome: None,
            sent_at: None,
            log_place: 0,
            empty_looks: 0,
            remote: None,
            error: None,
            created_at: now,
            due: now,
            lease_until: None,
            epoch: 0,
            settled_at: None,
        });
    }

    /// When something can be claimed.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        let times = self.operations.iter().enumerate();
        times
            .filter(|(number, _)| self.is_movable(*number))
            .map(|(_, it)| it.due.max(it.lease_until.unwrap_or_default()))
            .min()
    }

    fn is_movable(&self, number: usize) -> bool {
        let Some(operation) = self.operations.get(number) else {
            return false;
        };
        if operation.state.is_settled() {
            return false;
        }
        operation.kind != OperationKind::Delete
            || !self.operations.iter().any(|it| {
                it.server == operation.server
                    && it.kind != OperationKind::Delete
                    && !it.state.is_settled()
            })
    }

    pub(crate) fn claim(
        &mut self,
        now: Millis,
        clockwork: &Clockwork,
        guarantee: CreateGuarantee,
    ) -> Option<(Claim, Book)> {
        let free = |it: &Operation| it.due <= now && it.lease_until.is_none_or(|end| end <= now);
        let number = (0..self.operations.len())
            .filter(|it| self.is_movable(*it))
            .filter(|it| self.operations.get(*it).is_some_and(free))
            .min_by_key(|it| self.operations.get(*it).map(|it| it.due))?;
        let operation = self.operations.get_mut(number)?;
        match operation.state {
            OperationState::Ready => operation.state = OperationState::Leased,
            OperationState::Sent => {
                operation.state = OperationState::Unknown;
                operation.orphaned += 1;
                operation.last_outcome = Some(AttemptOutcome::Unknown);
            }
            _ => {}
        }
        operation.lease_until = Some(now + millis(clockwork.lease));
        operation.epoch += 1;
        let claim = Claim {
            operation: number,
            epoch: operation.epoch,
        };
        let server = self.servers.get(operation.server)?;
        let book = Book {
            kind: operation.kind,
            state: operation.state,
            attempts: operation.attempts,
            orphaned: operation.orphaned,
            sent_at: operation.sent_at.map(at),
            empty_looks: operation.empty_looks,
            remote: operation.remote.clone(),
            error: operation.error.clone(),
            failing_since: operation.failing_since.map(at),
            created_at: at(operation.created_at),
            lifecycle: server.lifecycle,
            bound: server.bound.map(crate::vendor::remote),
            guarantee,
            unfinished: false,
            target: operation.target.clone(),
            inherited: false,
        };
        Some((claim, book))
    }

    fn held(&mut self, claim: Claim) -> Result<&mut Operation, Refused> {
        let operation = self.operations.get_mut(claim.operation);
        operation
            .filter(|it| it.epoch == claim.epoch)
            .ok_or(Refused::LeaseLost)
    }

    /// Puts an attempt on record, as the repository does before bytes may leave.
    pub(crate) fn begin_attempt(
        &mut self,
        claim: Claim,
        now: Millis,
        margin: Duration,
        log_place: usize,
    ) -> Result<(), Refused> {
        let operation = self.held(claim)?;
        if operation
            .lease_until
            .is_none_or(|it| it <= now + millis(margin))
        {
            return Err(Refused::LeaseLost);
        }
        if operation.state == OperationState::Sent
            || !operation.state.may_become(OperationState::Sent)
        {
            let from = operation.state.as_str();
            return Err(Refused::Edge(format!("operation {from} to sent")));
        }
        if operation.last_outcome != Some(AttemptOutcome::NotExecuted) {
            operation.attempts += 1;
        }
        operation.last_outcome = None;
        operation.state = OperationState::Sent;
        operation.sent_at = Some(now);
        operation.log_place = log_place;
        operation.empty_looks = 0;
        operation.error = None;
        let (server, kind) = (operation.server, operation.kind);
        if kind == OperationKind::Create
            && let Some(server) = self.servers.get_mut(server)
        {
            server.attempts.push(now);
        }
        Ok(())
    }

    /// Writes a change, as the repository does.
    pub(crate) fn apply(
        &mut self,
        claim: Claim,
        change: &Change,
        now: Millis,
    ) -> Result<(), Refused> {
        let operation = self.held(claim)?;
        let (from, to) = (operation.state, change.state);
        let is_a_workers = !matches!(to, OperationState::Leased | OperationState::Sent);
        if !from.may_become(to) || !is_a_workers {
            let (from, to) = (from.as_str(), to.as_str());
            return Err(Refused::Edge(format!("operation {from} to {to}")));
        }
        let (server, kind) = (operation.server, operation.kind);
        self.change_server(server, change, now)?;
        let operation = self.held(claim)?;
        if let Some(outcome) = change.attempt
            && matches!(operation.last_outcome, None | Some(AttemptOutcome::Unknown))
        {
            operation.last_outcome = Some(outcome);
        }
        operation.state = to;
        operation.due = now + millis(change.due_in);
        operation.empty_looks = change.empty_looks;
        if change.remote.is_some() {
            operation.remote.clone_from(&change.remote);
        }
        operation.error.clone_from(&change.error);
        let is_failing = to == OperationState::Ready && change.error.is_some();
        operation.failing_since = is_failing.then(|| operation.failing_since.unwrap_or(now));
        operation.lease_until = None;
        if to.is_settled() {
            operation.settled_at = Some(now);
        }
        if to == OperationState::Succeeded && kind == OperationKind::Delete {
            let undecided = self.operations.iter_mut().filter(|it| it.server == server);
            for it in undecided.filter(|it| it.state == OperationState::Attention) {
                it.state = OperationState::Failed;
            }
        }
        Ok(())
    }

    fn change_server(
        &mut self,
        number: usize,
        change: &Change,
        now: Millis,
    ) -> Result<(), Refused> {
        let remote = change.instance.remote.as_ref();
        let remote: Option<u64> = remote.and_then(|it| it.as_str().parse().ok());
        let taken = remote.is_some_and(|id| {
            let others = self.servers.iter().enumerate();
            others
                .filter(|(it, _)| *it != number)
                .any(|(_, it)| it.bound == Some(id))
        });
        let Some(server) = self.servers.get_mut(number) else {
            return Ok(());
        };
        if let Some(next) = change.instance.lifecycle {
            if !server.lifecycle.may_become(next) {
                let (from, to) = (server.lifecycle.as_str(), next.as_str());
                return Err(Refused::Edge(format!("lifecycle {from} to {to}")));
            }
            server.lifecycle = next;
            server.was_deleted |= next == Lifecycle::Deleted;
            server.updated = now;
        }
        if let Some(id) = remote {
            if taken || server.bound.is_some_and(|it| it != id) {
                return Err(Refused::Bound);
            }
            server.bound = Some(id);
        }
        Ok(())
    }
}

/// Returns what an operation makes of its server: what no other operation does, so that the server
/// tells whose effect it shows.
fn target(kind: OperationKind, number: usize) -> Option<Target> {
    match kind {
        OperationKind::Resize => Some(Target::Plan(format!("p{number}").as_str().into())),
        OperationKind::Rebuild => Some(Target::Image(format!("i{number}").as_str().into())),
        _ => None,
    }
}
