//! What the vendor makes of a call, and what of its answer comes back.

use roadstead_core::{
    ActionKind, Error, ErrorKind, OperationStatus, Outcome, RemoteId, RemoteOperation, Retry, State,
};
use roadstead_repository::OperationKind;
use roadstead_service::{Call, Observed, Target};

use super::{Event, Millis, SECOND, World, at, span};
use crate::store::{Claim, Operation};
use crate::vendor::{Begun, JOB, Made, Work, remote};

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

    fn fate(&mut self, kind: OperationKind) -> Fate {
        if !self.is_faulty() {
            return Fate::Answered;
        }
        let creates = kind == OperationKind::Create;
        match (self.rng.u8(0..100), latest(kind)) {
            (52..64, _) => Fate::LostAfter,
            (64..76, _) => Fate::LostBefore,
            (76..80, Some(latest)) => Fate::Late(self.rng.u64(SECOND..latest)),
            (80..83, _) if creates => Fate::Twice,
            (83..86, _) if creates => Fate::Dropped(self.rng.u64(SECOND..15 * SECOND)),
            (86..94, _) => Fate::NotExecuted,
            (94..97, _) => Fate::Rejected,
            _ => Fate::Answered,
        }
    }

    fn create(&mut self, claim: Claim, mark: usize) -> Observed {
        let operation = claim.operation;
        if self.foreign {
            self.frozen = true;
            return self.refuse(operation, ErrorKind::BadToken);
        }
        let fate = self.fate(OperationKind::Create);
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
        let fate = self.fate(kind);
        self.say(&format!("the vendor gets a {}: {fate:?}", kind.as_str()));
        let is_lost = match fate {
            Fate::LostAfter => true,
            Fate::LostBefore => return self.lose(),
            Fate::Late(by) => {
                self.put(self.now + by, Event::LateAct(operation));
                return self.lose();
            }
            Fate::NotExecuted => return self.turned_away(),
            Fate::Rejected => return self.refuse(operation, ErrorKind::Invalid),
            Fate::Answered | Fate::Twice | Fate::Dropped(_) => false,
        };
        let done = if kind == OperationKind::Delete {
            match self.delete(id) {
                true => Begun::Job(deleting(id)),
                false => Begun::Absent,
            }
        } else {
            let fails = self.accident(20);
            if fails {
                self.audit.refused.push(operation);
            }
            self.begin(operation, id, fails)
        };
        if is_lost {
            return self.lose();
        }
        match done {
            Begun::Job(job) => Observed::Accepted(job),
            Begun::Busy => self.refuse(operation, ErrorKind::Busy),
            Begun::Absent => {
                self.audit.refused.push(operation);
                Observed::Absent
            }
        }
    }

    /// Has the vendor begin what an operation asks for.
    fn begin(&mut self, operation: usize, id: u64, fails: bool) -> Begun {
        let Some(work) = self.store.operations.get(operation).map(work) else {
            return Begun::Absent;
        };
        let lasts = match work.1 {
            Work::Power(_) => JOB,
            Work::Plan(_) | Work::Image(_) => self.rng.u64(JOB..600 * SECOND),
        };
        let begun = self.vendor.act(id, work, (self.now, lasts), fails);
        if let Begun::Job(_) = begun {
            *self.audit.effects.entry(operation).or_default() += 1;
            if self.audit.late.contains(&operation) {
                self.put(self.now + lasts, Event::LateEnd(operation));
            }
        }
        begun
    }

    /// Has a request its effect long after it was sent, whatever is asked of the server by now.
    pub(super) fn late_act(&mut self, operation: usize) {
        let server = self.store.operations.get(operation).map(|it| it.server);
        let server = server.and_then(|it| self.store.servers.get(it));
        if let Some(id) = server.and_then(|it| it.bound) {
            self.audit.late.insert(operation);
            self.begin(operation, id, false);
            self.disturb(operation);
        }
    }

    /// Notes whose server is changed now by what another operation had sent.
    pub(super) fn disturb(&mut self, operation: usize) {
        let server = self.store.operations.get(operation).map(|it| it.server);
        let others = self.store.operations.iter().enumerate();
        let others = others
            .filter(|(number, it)| *number != operation && Some(it.server) == server)
            .filter(|(_, it)| !it.state.is_settled())
            .map(|(number, _)| number);
        self.audit.disturbed.extend(others);
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

/// Returns how long a request of a kind may be on its way; `None` for one that has its effect at
/// once or never. Of a resize it is less than the settle window: it is sent again behind it.
const fn latest(kind: OperationKind) -> Option<Millis> {
    match kind {
        OperationKind::Create | OperationKind::Reboot | OperationKind::Rebuild => {
            Some(900 * SECOND)
        }
        OperationKind::Resize => Some(150 * SECOND),
        OperationKind::Boot
        | OperationKind::Shutdown
        | OperationKind::PowerOff
        | OperationKind::Delete
        | OperationKind::Import
        | OperationKind::Release => None,
    }
}

/// Returns what an operation is called at the vendor, and what it makes of its server.
fn work(operation: &Operation) -> (ActionKind, Work) {
    let power = |kind, state| (kind, Work::Power(state));
    match (operation.kind, &operation.target) {
        (_, Some(Target::Plan(plan))) => (ActionKind::Resize, Work::Plan(plan.clone())),
        (_, Some(Target::Image(image))) => (ActionKind::Rebuild, Work::Image(image.clone())),
        (OperationKind::Shutdown, _) => power(ActionKind::Shutdown, State::Stopped),
        (OperationKind::PowerOff, _) => power(ActionKind::PowerOff, State::Stopped),
        (OperationKind::Reboot, _) => power(ActionKind::Reboot, State::Running),
        _ => power(ActionKind::Boot, State::Running),
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
