//! How many calls an account may make, shared by all who make them.

mod bucket;
mod state;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use roadstead_core::{Clock, Lane, RateBucket, after};
use tokio::sync::oneshot;

pub(crate) use self::state::Throttle;
use self::state::{Route, State};
pub use self::table::{BucketRule, Counting, Hears, RateTable};
use crate::HttpConfig;
use crate::rate::{RateLimit, until};

/// Who was not let go in time is told to come back after this at the earliest.
const COME_BACK: Duration = Duration::from_secs(1);

/// The budgets of all accounts of a process. Clients of one token that are made with clones of
/// this share one budget, also when they are made anew.
#[derive(Clone, Default)]
pub struct Budgets(Arc<Accounts>);

#[derive(Default)]
struct Accounts {
    hasher: RandomState,
    /// By a hash of address and token.
    known: Mutex<HashMap<u64, Arc<Budget>>>,
}

impl Budgets {
    /// Returns the budget of an account, made by the table of its first client.
    pub(crate) fn of(&self, config: &HttpConfig, clock: &Arc<dyn Clock>) -> Arc<Budget> {
        let secrets = config.authorize.secrets();
        let secrets: Vec<&str> = secrets.iter().map(|it| it.expose().as_str()).collect();
        let key = self.0.hasher.hash_one((config.base_url.as_str(), secrets));
        let mut known = lock(&self.0.known);
        if let Some(budget) = known.get(&key) {
            return Arc::clone(budget);
        }
        // What nobody holds is kept as long as the vendor still counts its calls.
        known.retain(|_, it| Arc::strong_count(it) > 1 || !it.is_idle());
        let budget = Arc::new(Budget::new(&config.rates, Arc::clone(clock)));
        known.insert(key, Arc::clone(&budget));
        budget
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").finish_non_exhaustive()
    }
}

/// The budget of one account.
#[derive(Debug)]
pub(crate) struct Budget {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Budget {
    pub(crate) fn new(table: &RateTable, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State::new(table)),
        }
    }

    pub(crate) fn report(&self) -> Vec<RateBucket> {
        lock(&self.state).report(self.clock.now())
    }

    fn is_idle(&self) -> bool {
        lock(&self.state).is_idle(self.clock.now())
    }

    /// Waits for its turn, and returns the permit for one call; or at once the time to come
    /// back, if that is after `latest`.
    pub(crate) async fn reserve(
        self: &Arc<Self>,
        (method, template): (&Method, &str),
        lane: Lane,
        latest: Timestamp,
    ) -> Result<Permit, Timestamp> {
        let mut ticket = {
            let mut state = lock(&self.state);
            let route = state.route(method, template);
            let (id, go) = state.arrive(lane, route.clone());
            Ticket {
                budget: Arc::clone(self),
                id,
                route,
                go,
                is_used: false,
            }
        };
        loop {
            let nap = {
                let mut state = lock(&self.state);
                let now = self.clock.now();
                state.advance(now);
                let Some(opens) = state.opens_at(ticket.id, now) else {
                    return Ok(ticket.into_permit());
                };
                if opens > latest || now >= latest {
                    let then = opens.max(after(now, COME_BACK));
                    state.postpone(ticket.id, then, now);
                    ticket.is_used = true;
                    return Err(then);
                }
                // What is open already waits for a call under way, whose end wakes us.
                let next = if opens > now { opens } else { latest };
                until(now, next)
            };
            tokio::select! {
                biased;
                _ = &mut ticket.go => return Ok(ticket.into_permit()),
                () = self.clock.sleep(nap) => {}
            }
        }
    }
}

/// A place in the queue.
struct Ticket {
    budget: Arc<Budget>,
    id: u64,
    route: Route,
    go: oneshot::Receiver<()>,
    is_used: bool,
}

impl Ticket {
    fn into_permit(mut self) -> Permit {
        self.is_used = true;
        Permit {
            budget: Arc::clone(&self.budget),
            route: std::mem::take(&mut self.route),
            has_left: false,
            is_settled: false,
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.is_used {
            return;
        }
        let mut state = lock(&self.budget.state);
        if !state.leave(self.id) {
            state.give_back(&self.route);
            state.advance(self.budget.clock.now());
        }
    }
}

/// One call that may leave. Dropped before it has left it is given back; dropped afterwards it
/// counts as made, since the vendor may have counted it.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<Budget>,
    route: Route,
    has_left: bool,
    is_settled: bool,
}

impl Permit {
    /// Notes that bytes are about to leave.
    pub(crate) const fn leave(&mut self) {
        self.has_left = true;
    }

    /// Notes that nothing has left after all.
    pub(crate) const fn stay(&mut self) {
        self.has_left = false;
    }

    /// Counts the call with what its answer says.
    pub(crate) fn answer(
        mut self,
        said: Option<&RateLimit>,
        throttle: Option<Throttle>,
        now: Timestamp,
    ) {
        self.is_settled = true;
        let mut state = lock(&self.budget.state);
        state.answer(&self.route, said, throttle, now);
        state.advance(now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let mut state = lock(&self.budget.state);
        let now = self.budget.clock.now();
        if self.has_left {
            state.lose(&self.route, now);
        } else {
            state.give_back(&self.route);
        }
        state.advance(now);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
