//! One play: workers that crash and pause, a vendor that loses answers, and a clock that jumps.

mod call;
mod script;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use roadstead_core::{CreateGuarantee, Instance, after};
use roadstead_repository::{Change, Lifecycle, OperationKind, OperationState};
use roadstead_service::{Book, Call, Observed, Step, Target};

use crate::engine::Engine;
use crate::store::{Claim, Refused, Store};
use crate::vendor::{Dedup, Made, Vendor};

/// Virtual time, in milliseconds since the play began.
pub(crate) type Millis = u64;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;

/// Until when things go wrong.
const FAULTS_END: Millis = 25 * MINUTE;

/// How long after the faults everything must have ended.
pub(crate) const PATIENCE: Millis = 30 * MINUTE;

/// When the play ends: after the patience, and after what came late was swept.
const END: Millis = FAULTS_END + PATIENCE + 20 * MINUTE;

const BEGIN: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// Returns a moment of the play as a time.
pub(crate) fn at(time: Millis) -> Timestamp {
    after(BEGIN, span(time))
}

pub(crate) const fn span(time: Millis) -> Duration {
    Duration::from_millis(time)
}

pub(crate) fn millis(span: Duration) -> Millis {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// What happens next.
#[derive(Debug)]
pub(crate) enum Event {
    /// A member asks for something.
    Ask(usize, OperationKind),
    /// A worker looks for work.
    Wake(usize),
    /// A worker has learned something.
    Learn(usize, u64, Box<Observed>),
    /// A worker's call reaches the vendor.
    Arrive(usize, u64, Call),
    /// A worker's process is killed.
    Kill(usize, u64),
    /// A request that was on its way for long has its effect: on the server with this mark, or of
    /// this operation.
    LateCommit(usize),
    LateAct(usize),
    /// It is over.
    LateEnd(usize),
    /// The account is swept at its turn.
    SweepTurn,
    /// Everything is listed.
    Sweep,
    /// What was listed is compared with the books.
    SweepJudge(Vec<Instance>),
    /// A server that nobody wants is deleted.
    Delete(u64, usize),
    /// The operator puts the token right.
    Thaw,
    /// The token begins to open somebody else's account.
    Swap,
}

/// What a worker has in hand.
#[derive(Debug)]
struct Hand {
    claim: Claim,
    book: Book,
    server: usize,
    /// What the first observation is, once: the account may be frozen.
    token: u64,
}

/// A worker of a process.
#[derive(Debug, Default)]
struct Worker {
    hand: Option<Hand>,
}

/// What is counted and judged when all is over.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Breaches of what the rules promise, as they are found.
    pub(crate) violations: Vec<String>,
    /// Operations that the vendor has refused in its own words.
    pub(crate) refused: Vec<usize>,
    /// Operations whose request had its effect later than anybody could wait for it.
    pub(crate) late: BTreeSet<usize>,
    /// Operations whose server was changed under their hands by what another one had sent.
    pub(crate) disturbed: BTreeSet<usize>,
    /// How many requests of each operation had their effect.
    pub(crate) effects: BTreeMap<usize, u32>,
    /// Requests that made a server while there was one that the looks before must have shown.
    pub(crate) bought_twice: u64,
    /// Servers that were deleted at the vendor while they were bound and nobody had asked.
    pub(crate) wrongly_deleted: Vec<u64>,
}

/// A play.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) rng: Rng,
    pub(crate) now: Millis,
    queue: BTreeMap<(Millis, u64), Event>,
    counter: u64,
    pub(crate) vendor: Vendor,
    pub(crate) store: Store,
    workers: Vec<Worker>,
    pub(crate) audit: Audit,
    /// Why the account may not be used.
    frozen: bool,
    /// Whether the token opens somebody else's account.
    foreign: bool,
    sweeper: sweep::Sweeper,
    trace: bool,
}

impl World {
    /// Prepares a play.
    pub(crate) fn new(seed: u64, engine: Engine, trace: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let dedup = match rng.u8(0..5) {
            0..3 => Dedup::None,
            3 => Dedup::Name,
            _ => Dedup::Token,
        };
        let shows_work = rng.bool();
        let mut world = Self {
            engine,
            rng,
            now: 0,
            queue: BTreeMap::new(),
            counter: 0,
            vendor: Vendor::new(dedup, shows_work),
            store: Store::default(),
            workers: vec![Worker::default(), Worker::default()],
            audit: Audit::default(),
            frozen: false,
            foreign: false,
            sweeper: sweep::Sweeper::default(),
            trace,
        };
        world.write_script();
        world
    }

    /// Plays to the end.
    pub(crate) fn play(&mut self) {
        while let Some(((time, _), event)) = self.queue.pop_first() {
            if time > END {
                return;
            }
            self.now = time;
            if self.trace {
                let line = format!("{event:?}");
                self.say(&line);
            }
            self.handle(event);
        }
    }

    pub(crate) const fn faults_end(&self) -> Millis {
        FAULTS_END
    }

    pub(crate) const fn guarantee(&self) -> CreateGuarantee {
        match self.vendor.dedup {
            Dedup::None => CreateGuarantee::LookupOnly,
            Dedup::Name => CreateGuarantee::UniqueName,
            Dedup::Token => CreateGuarantee::Token,
        }
    }

    pub(crate) fn put(&mut self, time: Millis, event: Event) {
        self.counter += 1;
        self.queue.insert((time, self.counter), event);
    }

    pub(crate) fn say(&self, line: &str) {
        if self.trace {
            #[expect(clippy::print_stdout, reason = "a replay is read by people")]
            {
                println!(
                    "{:>5}.{:03} s  {line}",
                    self.now / SECOND,
                    self.now % SECOND
                );
            }
        }
    }

    pub(crate) fn violation(&mut self, what: String) {
        self.say(&what);
        self.audit.violations.push(what);
    }

    pub(crate) fn is_faulty(&self) -> bool {
        self.now < FAULTS_END
    }

    /// Draws an accident that happens in so many of a thousand cases while things go wrong.
    pub(crate) fn accident(&mut self, of_a_thousand: u16) -> bool {
        self.is_faulty() && self.rng.u16(0..1000) < of_a_thousand
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Ask(_, OperationKind::Create) => {
                self.store.accept_create(self.now);
                self.wake_all();
            }
            Event::Ask(server, kind) => {
                if self
                    .store
                    .accept(server, kind, self.vendor.log_end(), self.now)
                {
                    self.wake_all();
                }
            }
            Event::Wake(worker) => self.wake(worker),
            Event::Learn(worker, token, observed) => self.learn(worker, token, *observed),
            Event::Arrive(worker, token, call) => self.arrive(worker, token, call),
            Event::Kill(worker, token) => {
                if self.hand(worker, token).is_some() {
                    self.kill(worker);
                }
            }
            Event::LateCommit(mark) => {
                let lag = self.lag();
                if let Made::Server(_) = self.vendor.create(mark, self.now, lag, None) {
                    self.vendor.came_late();
                }
            }
            Event::LateAct(operation) => self.late_act(operation),
            Event::LateEnd(operation) => self.disturb(operation),
            Event::SweepTurn => {
                let next = self.now + millis(self.engine.clockwork.sweep);
                self.put(next, Event::SweepTurn);
                self.sweep();
            }
            Event::Sweep => self.sweep(),
            Event::SweepJudge(listed) => self.sweep_judge(&listed),
            Event::Delete(id, server) => self.sweep_delete(id, server),
            Event::Swap => self.foreign = true,
            Event::Thaw => (self.foreign, self.frozen) = (false, false),
        }
    }

    fn wake_all(&mut self) {
        for worker in 0..self.workers.len() {
            self.put(self.now, Event::Wake(worker));
        }
    }

    fn hand(&self, worker: usize, token: u64) -> Option<&Hand> {
        let hand = self.workers.get(worker)?.hand.as_ref()?;
        (hand.token == token).then_some(hand)
    }

    fn drop_hand(&mut self, worker: usize) {
        if let Some(worker) = self.workers.get_mut(worker) {
            worker.hand = None;
        }
    }

    /// Kills a worker's process; it is started again after some seconds.
    fn kill(&mut self, worker: usize) {
        self.drop_hand(worker);
        let back = self.now + self.rng.u64(SECOND..20 * SECOND);
        self.put(back, Event::Wake(worker));
    }

    fn wake(&mut self, worker: usize) {
        if self.workers.get(worker).is_none_or(|it| it.hand.is_some()) {
            return;
        }
        let (guarantee, clockwork) = (self.guarantee(), self.engine.clockwork);
        let Some((claim, book)) = self.store.claim(self.now, &clockwork, guarantee) else {
            if let Some(due) = self.store.next_due() {
                let next = due.max(self.now + 20);
                self.put(next, Event::Wake(worker));
            }
            return;
        };
        self.counter += 1;
        let token = self.counter;
        let server = self.store.operations.get(claim.operation);
        let server = server.map(|it| it.server).unwrap_or_default();
        if let Some(worker) = self.workers.get_mut(worker) {
            worker.hand = Some(Hand {
                claim,
                book,
                server,
                token,
            });
        }
        let first = if self.frozen {
            self.audit.refused.push(claim.operation);
            Observed::Frozen("the token is refused".to_owned())
        } else {
            Observed::Claimed
        };
        self.later(worker, token, first);
    }

    /// Lets a worker learn something, unless its process dies or sleeps first.
    pub(crate) fn later(&mut self, worker: usize, token: u64, observed: Observed) {
        let time = self.moment(worker, token);
        self.put(time, Event::Learn(worker, token, Box::new(observed)));
    }

    /// Returns when a worker's next step comes: soon, or after it was stopped for a while. Its
    /// process may be killed before.
    fn moment(&mut self, worker: usize, token: u64) -> Millis {
        let mut time = self.now + self.rng.u64(1..400);
        if self.accident(15) {
            time += self.rng.u64(10 * SECOND..120 * SECOND);
        }
        if self.accident(60) {
            let death = self.rng.u64(self.now..=time);
            self.put(death, Event::Kill(worker, token));
        }
        time
    }

    fn learn(&mut self, worker: usize, token: u64, observed: Observed) {
        let Some(hand) = self.hand(worker, token) else {
            return;
        };
        let (claim, server) = (hand.claim, hand.server);
        let step = (self.engine.decide)(&hand.book, observed, at(self.now), &self.engine.clockwork);
        match step {
            Step::Call(call) => {
                self.say(&format!("operation {} calls {call:?}", claim.operation));
                if call == Call::Send {
                    let margin = self.engine.clockwork.send_margin;
                    let place = self.vendor.log_end();
                    match self.store.begin_attempt(claim, self.now, margin, place) {
                        Ok(()) => {}
                        Err(Refused::Edge(edge)) => {
                            return self.violation(format!("no such edge: {edge}"));
                        }
                        Err(_) => {
                            self.drop_hand(worker);
                            return self.put(self.now + 20, Event::Wake(worker));
                        }
                    }
                }
                let time = self.moment(worker, token);
                self.put(time, Event::Arrive(worker, token, call));
            }
            Step::Write(change) => {
                let state = change.state.as_str();
                self.say(&format!("operation {} becomes {state}", claim.operation));
                self.write(claim, server, &change);
                self.drop_hand(worker);
                self.wake_all();
            }
        }
    }

    fn write(&mut self, claim: Claim, server: usize, change: &Change) {
        match self.store.apply(claim, change, self.now) {
            Ok(()) => {
                if change.state == OperationState::Succeeded {
                    self.see_success(claim.operation);
                }
                let doomed = change.doomed.iter();
                let doomed: Vec<u64> = doomed.filter_map(|it| it.as_str().parse().ok()).collect();
                for id in doomed {
                    self.doom(id, server);
                }
            }
            // Another worker has it; the database is what holds.
            Err(Refused::LeaseLost) => {}
            // A delete was accepted meanwhile: the operation is taken up again with that in view.
            Err(Refused::Edge(edge)) if self.is_being_deleted(server) => self.say(&edge),
            Err(Refused::Edge(edge)) => self.violation(format!("no such edge: {edge}")),
            // The database refuses; the operation is taken up again.
            Err(Refused::Bound) => self.say("the server is bound elsewhere"),
        }
    }

    /// Sees whether a server is what its operation says that it has become.
    fn see_success(&mut self, number: usize) {
        let Some(operation) = self.store.operations.get(number) else {
            return;
        };
        let bound = self.store.servers.get(operation.server);
        let bound = bound.and_then(|it| it.bound);
        let Some(instance) = bound.and_then(|it| self.vendor.get(it, self.now)) else {
            return;
        };
        let is_so = match &operation.target {
            Some(Target::Plan(plan)) => instance.plan.as_ref() == Some(plan),
            Some(Target::Image(image)) => instance.image.as_ref() == Some(image),
            None => true,
        };
        if !is_so && !self.audit.disturbed.contains(&number) {
            let kind = operation.kind.as_str();
            self.violation(format!("{kind} {number} is done by the books only"));
        }
    }

    fn is_being_deleted(&self, server: usize) -> bool {
        let server = self.store.servers.get(server);
        server.is_some_and(|it| it.lifecycle == Lifecycle::Deleting)
    }

    /// Deletes a server at the vendor, and sees whether that was asked for.
    pub(crate) fn delete(&mut self, id: u64) -> bool {
        let owner = self.store.servers.iter().position(|it| {
            it.bound == Some(id) && matches!(it.lifecycle, Lifecycle::Live | Lifecycle::Attention)
        });
        let lag = self.lag();
        let was_there = self.vendor.delete(id, self.now, lag);
        let asked = owner.is_none_or(|server| {
            let mut operations = self.store.operations.iter();
            operations.any(|it| it.server == server && it.kind == OperationKind::Delete)
        });
        if was_there && !asked {
            self.audit.wrongly_deleted.push(id);
            self.violation(format!("server {id} was bound and nobody wanted it gone"));
        }
        was_there
    }

    /// Returns how many servers nobody vouches for.
    pub(crate) fn quarantined(&self) -> usize {
        self.sweeper.quarantined.len()
    }

    /// Draws how far the lists are behind.
    pub(crate) fn lag(&mut self) -> Millis {
        let most = if self.is_faulty() {
            crate::vendor::LIST_LAG
        } else {
            SECOND
        };
        match self.rng.u8(0..3) {
            0 => 0,
            1 => self.rng.u64(0..5 * SECOND).min(most),
            _ => self.rng.u64(0..most),
        }
    }
}
