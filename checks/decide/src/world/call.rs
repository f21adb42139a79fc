//! What the vendor makes of a call, and what of its answer comes back.

use roadstead_core::{
    Error, ErrorKind, OperationStatus, Outcome, RemoteId, RemoteOperation, Retry,
};
use roadstead_repository::OperationKind;
use roadstead_service::{Call, Observed};

use super::{Event, Millis, SECOND, World, at, span};
use crate::store::Claim;
use crate::vendor::{Made, remote};

/// What befalls a changing request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    LostAfter,
    LostBefore,
    /// The answer is lost, and the effect comes later.
    Late(Millis),
    /// The vendor executes it twice, and the answer is lost.
    Twice,
    NotExecuted,
    Rejected,
    /// Accepted, and dropped by the vendor soon after.
    Dropped(Millis),
}

impl World {
    pub(super) fn arrive(&mut self, worker: usize, token: u64, call: Call) {
        // A call whose worker was killed before it left has no effect.
        let Some(hand) = self.hand(worker, token) else {
            return;
        };
        let (claim, server) = (hand.claim, hand.server);
        let operation = claim.operation;
        let kind = hand.book.kind;
        let bound = hand.book.bound.as_ref().and_then(number);
        let job = hand.book.remote.as_ref().map(|it| it.id.clone());
        let observed = match call {
            Call::Send if kind == OperationKind::Create => self.create(claim, server),
            Call::Send => self.act(operation, kind, bound),
            Call::Look => self.look(server),
            Call::Get | Call::Finish => self.get(bound),
            Call::Ask if self.accident(150) => Observed::Blind(self.hiccup()),
            Call::Ask => {
                let job = job.and_then(|it| it.as_str().parse().ok());
                match job.and_then(|it| self.vendor.job(it, self.now)) {
                    Some(job) => Observed::Asked(job),
                    None => self.get(bound),
                }
            }
            Call::Log => self.log(operation, bound),
            Call::ConfirmGone => self.confirm_gone(server, bound),
        };
        self.later(worker, token, observed);
    }

    fn fate(&mut self, creates: bool) -> Fate {
        if !self.is_faulty() {
            return Fate::Answered;
        }
        match self.rng.u8(0..100) {
            52..64 => Fate::LostAfter,
            64..76 => Fate::LostBefore,
            76..80 if creates => Fate::Late(self.rng.u64(SECOND..900 * SECOND)),
            80..83 if creates => Fate::Twice,
            83..86 if creates => Fate::Dropped(self.rng.u64(SECOND..15 * SECOND)),
            86..94 => Fate::NotExecuted,
            94..97 => Fate::Rejected,
            _ => Fate::Answered,
        }
    }

    fn create(&mut self, claim: Claim, mark: usize) -> Observed {
        let operation = claim.operation;
        if self.foreign {
            self.frozen = true;
            return self.refuse(operation, ErrorKind::BadToken);
        }
        let fate = self.fate(true);
        let lag = self.lag();
        self.say(&format!("the vendor gets a create: {fate:?}"));
        let before = self.vendor.objects.len();
        let observed = self.create_by_fate(fate, operation, mark, lag);
        self.account_for(claim, mark, before);
        observed
    }

    /// Sees whether a request has made a server beside one that a look must have shown. What a
    /// worker sends that was stopped past its lease, no look can tell.
    fn account_for(&mut self, claim: Claim, mark: usize, before: usize) {
        if self.vendor.objects.len() == before {
            return;
        }
        let epoch = self
            .store
            .operations
            .get(claim.operation)
            .map(|it| it.epoch);
        if epoch != Some(claim.epoch) {
            return self.vendor.came_late();
        }
        let earlier = self.vendor.objects.iter().take(before);
        let twin = earlier
            .filter(|it| it.mark == mark && !it.late && it.is_alive(self.now))
            .map(|it| it.id)
            .next();
        if let Some(twin) = twin {
            self.audit.bought_twice += 1;
            self.violation(format!("server {mark} was bought again beside {twin}"));
        }
    }

    fn create_by_fate(
        &mut self,
        fate: Fate,
        operation: usize,
        mark: usize,
        lag: Millis,
    ) -> Observed {
        match fate {
            Fate::Answered => match self.vendor.create(mark, self.now, lag, None) {
                Made::Server(id) => self.created(id),
                Made::NameTaken => self.refuse(operation, ErrorKind::Conflict),
            },
            Fate::Dropped(after) => match self.vendor.create(mark, self.now, lag, Some(after)) {
                Made::Server(id) => {
                    if self.vendor.object(id).is_some_and(|it| it.dropped) {
                        self.audit.refused.push(operation);
                    }
                    self.created(id)
                }
                Made::NameTaken => self.refuse(operation, ErrorKind::Conflict),
            },
            Fate::LostAfter | Fate::Twice => {
                self.vendor.create(mark, self.now, lag, None);
                if fate == Fate::Twice {
                    self.vendor.create(mark, self.now, lag, None);
                }
                self.lose()
            }
            Fate::LostBefore => self.lose(),
            Fate::Late(by) => {
                self.put(self.now + by, Event::LateCommit(mark));
                self.lose()
            }
            Fate::NotExecuted => self.turned_away(),
            Fate::Rejected => self.refuse(operation, ErrorKind::NoCapacity),
        }
    }

    fn created(&self, id: u64) -> Observed {
        match self.vendor.get(id, self.now) {
            Some(instance) => Observed::Created(Box::new(instance), None),
            None => Observed::Failed(error(ErrorKind::Timeout)),
        }
    }

    fn refuse(&mut self, operation: usize, kind: ErrorKind) -> Observed {
        self.audit.refused.push(operation);
        Observed::Failed(error(kind))
    }

    fn lose(&mut self) -> Observed {
        let kinds = [ErrorKind::Timeout, ErrorKind::Server, ErrorKind::Decode];
        let kind = self.rng.choice(kinds).unwrap_or(ErrorKind::Timeout);
        Observed::Failed(error(kind))
    }

    fn turned_away(&mut self) -> Observed {
        if self.rng.bool() {
            let until = at(self.now + self.rng.u64(SECOND..60 * SECOND));
            let error = error(ErrorKind::Throttled).with_retry(Retry::At(until));
            return Observed::Failed(error);
        }
        Observed::Failed(error(ErrorKind::Transport).with_outcome(Outcome::NotExecuted))
    }

    fn act(&mut self, operation: usize, kind: OperationKind, bound: Option<u64>) -> Observed {
        if self.foreign {
            self.frozen = true;
            return self.refuse(operation, ErrorKind::BadToken);
        }
        let Some(id) = bound else {
            return Observed::Absent;
        };
        let fate = self.fate(false);
        self.say(&format!("the vendor gets a {}: {fate:?}", kind.as_str()));
        let is_lost = match fate {
            Fate::LostAfter => true,
            Fate::LostBefore => return self.lose(),
            Fate::NotExecuted => return self.turned_away(),
            Fate::Rejected => return self.refuse(operation, ErrorKind::Invalid),
            Fate::Answered | Fate::Late(_) | Fate::Twice | Fate::Dropped(_) => false,
        };
        let done = if kind == OperationKind::Delete {
            self.delete(id).then(|| deleting(id))
        } else {
            let fails = self.accident(20);
            let job = self.vendor.act(id, Self::wanted(kind), self.now, fails);
            if job.is_some() {
                *self.audit.effects.entry(operation).or_default() += 1;
            }
            if fails {
                self.audit.refused.push(operation);
            }
            job
        };
        if is_lost {
            return self.lose();
        }
        match done {
            Some(job) => Observed::Accepted(job),
            None => {
                self.audit.refused.push(operation);
                Observed::Absent
            }
        }
    }

    fn look(&mut self, server: usize) -> Observed {
        if self.accident(150) {
            return Observed::Blind(self.hiccup());
        }
        let found = self.marked(server);
        if found.is_empty() && !self.is_same() {
            return Observed::Blind(error(ErrorKind::Busy));
        }
        Observed::Looked(found)
    }

    /// Returns what the lists show by a mark; with somebody else's token they show nothing.
    fn marked(&self, server: usize) -> Vec<roadstead_core::Instance> {
        if self.foreign {
            return vec![];
        }
        self.vendor.look(server, self.now)
    }

    fn get(&mut self, bound: Option<u64>) -> Observed {
        if self.accident(150) {
            return Observed::Blind(self.hiccup());
        }
        let seen = bound
            .filter(|_| !self.foreign)
            .and_then(|it| self.vendor.get(it, self.now));
        match seen {
            Some(instance) => Observed::Seen(Box::new(instance)),
            None => Observed::Absent,
        }
    }

    /// Reads the vendor's own log behind the place where it ended before the request. What is not
    /// in it counts only where the account is ours.
    fn log(&mut self, operation: usize, bound: Option<u64>) -> Observed {
        if self.accident(150) {
            return Observed::Blind(self.hiccup());
        }
        let place = self.store.operations.get(operation);
        let (Some(id), Some(place)) = (bound, place.map(|it| it.log_place)) else {
            return Observed::Absent;
        };
        let entries = if self.foreign {
            Vec::new()
        } else {
            self.vendor.log(id, place, self.now)
        };
        if entries.is_empty() && !self.is_same() {
            return Observed::Blind(error(ErrorKind::Busy));
        }
        Observed::Logged(entries)
    }

    fn confirm_gone(&mut self, server: usize, bound: Option<u64>) -> Observed {
        if self.accident(150) {
            return Observed::Blind(self.hiccup());
        }
        if !self.is_same() {
            return Observed::Blind(error(ErrorKind::Busy));
        }
        let left = self.marked(server);
        let bound = bound.map(remote);
        if left.iter().any(|it| Some(&it.id) == bound.as_ref()) {
            return Observed::Blind(error(ErrorKind::Busy));
        }
        if left.is_empty() {
            Observed::Gone
        } else {
            Observed::Looked(left)
        }
    }

    /// Returns whether the token opens our account, as far as the engine asks; freezes the
    /// account if it does not.
    pub(super) fn is_same(&mut self) -> bool {
        if !self.engine.fingerprint {
            return true;
        }
        self.frozen |= self.foreign;
        !self.foreign
    }

    fn hiccup(&mut self) -> Error {
        let kinds = [ErrorKind::Timeout, ErrorKind::Server, ErrorKind::Throttled];
        error(self.rng.choice(kinds).unwrap_or(ErrorKind::Timeout))
    }
}

/// A delete has no job of its own.
fn deleting(id: u64) -> RemoteOperation {
    RemoteOperation {
        id: "delete".to_owned().into(),
        instance: Some(remote(id)),
        status: OperationStatus::Succeeded,
        poll_after: span(2 * SECOND),
    }
}

fn number(remote: &RemoteId) -> Option<u64> {
    remote.as_str().parse().ok()
}

fn error(kind: ErrorKind) -> Error {
    Error::new("model".into(), "call the vendor", kind, "it failed")
}
