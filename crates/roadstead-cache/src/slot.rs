//! One kept answer, with at most one call under way to renew it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use parking_lot::Mutex;
use roadstead_core::{Clock, Error, ErrorKind, Provider, Result};
use tracing::Instrument;

use crate::beside::Beside;
use crate::place::{Answer, Fetched, Place, Status, Taken};
use crate::policy::{CachePolicy, CatalogueKind};
use crate::watch::{Renewal, Watch};

/// Asks a provider for a list.
pub(crate) type Fetch<T> = fn(Arc<dyn Provider>) -> BoxFuture<'static, Result<Arc<[T]>>>;

/// Where answers come from, and by which rules they are kept.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: CachePolicy,
    /// For calls that somebody waits for.
    pub(crate) inner: Arc<dyn Provider>,
    /// For calls that nobody waits for.
    pub(crate) background: Arc<dyn Provider>,
    pub(crate) watch: Arc<dyn Watch>,
}

/// One kept answer.
pub(crate) struct Slot<T> {
    kind: CatalogueKind,
    fetch: Fetch<T>,
    state: Arc<Mutex<State<T>>>,
}

struct State<T> {
    place: Place<T>,
    flight: Option<Flight<T>>,
    /// The number of the last flight, so that one which was let go by `clear`
    /// cannot put an answer from before the clearing back.
    flights: u64,
}

type Landed<T> = Result<Answer<T>, Arc<Error>>;
type Awaited<T> = Shared<BoxFuture<'static, Landed<T>>>;

/// A call under way, which any number of callers await.
struct Flight<T> {
    number: u64,
    answer: Awaited<T>,
}

impl<T: Send + Sync + 'static> Slot<T> {
    pub(crate) fn empty(kind: CatalogueKind, fetch: Fetch<T>) -> Self {
        let state = State {
            place: Place::empty(),
            flight: None,
            flights: 0,
        };
        Self {
            kind,
            fetch,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Returns what is kept, and has it renewed in the background where that is due. Where
    /// nothing is, returns the answer of the one call that all who ask meanwhile share.
    pub(crate) async fn get(&self, source: &Source) -> Result<Fetched<T>> {
        let policy = &source.policy;
        let (served, flight) = {
            let mut state = self.state.lock();
            // One look at the time for all, and under the lock that starts flights: nobody
            // who saw an old value starts a second one after the first has landed.
            let now = source.clock.now();
            match state.place.serve(now, self.kind, policy) {
                Some(served) => {
                    if !self.is_due(&state, now, policy) {
                        return Ok(served);
                    }
                    let flight = self.take_off(&mut state, source, &source.background);
                    (Some(served), flight)
                }
                None => {
                    state.place.counts.waited += 1;
                    let flight = match &state.flight {
                        Some(flight) => flight.answer.clone(),
                        None => self.take_off(&mut state, source, &source.inner),
                    };
                    (None, flight)
                }
            }
        };
        if let Some(served) = served {
            // The first look at it sends it on its way.
            drop(flight.now_or_never());
            return Ok(served);
        }
        match flight.await {
            Ok(answer) => Ok(answer.served(source.clock.now(), false)),
            Err(error) => Err(error.duplicate()),
        }
    }

    /// Wants something to be there before anybody asks.
    pub(crate) fn want(&self) {
        self.state.lock().place.want();
    }

    /// Returns whether [`Self::tend`] would ask the vendor now.
    pub(crate) fn wants_tending(&self, source: &Source) -> bool {
        let state = self.state.lock();
        self.is_due(&state, source.clock.now(), &source.policy)
    }

    /// Renews what is kept where that is due, and forgets what is too old to be shown.
    ///
    /// # Errors
    ///
    /// How the call failed, if one was made; it is noted in the place and told to the watch.
    pub(crate) async fn tend(&self, source: &Source) -> Result<(), Arc<Error>> {
        let flight = {
            let mut state = self.state.lock();
            let now = source.clock.now();
            state.place.drop_if_old(now, &source.policy);
            if !self.is_due(&state, now, &source.policy) {
                return Ok(());
            }
            self.take_off(&mut state, source, &source.background)
        };
        flight.await.map(drop)
    }

    fn is_due(&self, state: &State<T>, now: Timestamp, policy: &CachePolicy) -> bool {
        state.flight.is_none() && state.place.is_due(now, self.kind, policy)
    }

    /// Starts a call on a task of its own, so that a caller who goes away cancels
    /// nobody else. It leaves at the first look at what this returns.
    fn take_off(
        &self,
        state: &mut State<T>,
        source: &Source,
        provider: &Arc<dyn Provider>,
    ) -> Awaited<T> {
        state.flights += 1;
        let kind = self.kind;
        let landing = Landing {
            state: Arc::clone(&self.state),
            number: state.flights,
        };
        let (clock, watch) = (Arc::clone(&source.clock), Arc::clone(&source.watch));
        let (fetch, policy) = (self.fetch, source.policy);
        let provider = Arc::clone(provider);
        let vendor = provider.descriptor().kind.clone();
        let broken = move |cause: Option<tokio::task::JoinError>| {
            let message = "the call broke off in this program";
            let error = Error::new(vendor, kind.operation(), ErrorKind::Server, message);
            match cause {
                Some(cause) => error.with_source(cause),
                None => error,
            }
        };
        // The task is spawned at the first poll, after the lock is released: a runtime
        // that is shutting down drops the task at once, and the landing needs the lock.
        let answer = async move {
            let panicked = broken.clone();
            let flight = async move {
                let fetched_at = clock.now();
                // A panic is a failed call like any other, with a pause after it.
                let fetched = AssertUnwindSafe(fetch(provider)).catch_unwind().await;
                let landed = match fetched.unwrap_or_else(|_reported| Err(panicked(None))) {
                    Ok(value) => Ok(Answer {
                        value,
                        beside: Beside::default(),
                        fetched_at,
                    }),
                    Err(error) => Err(Arc::new(error)),
                };
                let taken = landing.land(&landed, clock.now(), &policy);
                let renewal = match (&landed, taken) {
                    (Err(error), _) => Some(Renewal::Failed(error)),
                    (Ok(_), Some(Taken::Renewed { items })) => Some(Renewal::Renewed { items }),
                    (Ok(_), Some(Taken::Doubted { kept })) => Some(Renewal::Doubted { kept }),
                    (Ok(_), Some(Taken::Emptied { before })) => Some(Renewal::Emptied { before }),
                    (Ok(_), None) => None,
                };
                if let Some(renewal) = renewal {
                    watch.landed(kind, renewal).await;
                }
                landed
            };
            // The log of the call names the request that waits for it first.
            let task = tokio::spawn(flight.in_current_span());
            task.await
                .unwrap_or_else(|cause| Err(Arc::new(broken(Some(cause)))))
        };
        let answer = answer.boxed().shared();
        state.flight = Some(Flight {
            number: state.flights,
            answer: answer.clone(),
        });
        answer
    }

    /// Casts doubt on what is kept.
    pub(crate) fn doubt(&self, source: &Source) {
        let now = source.clock.now();
        self.state.lock().place.doubt(now, &source.policy);
    }

    /// Forgets the value. A call under way still answers those who wait for it, but
    /// what it brings is not kept.
    pub(crate) fn clear(&self) {
        let mut state = self.state.lock();
        state.place.clear();
        state.flight = None;
    }

    /// Counts on from what another one has counted.
    pub(crate) fn count_on_from(&self, before: &Self) {
        let counts = before.state.lock().place.counts;
        self.state.lock().place.counts += counts;
    }

    pub(crate) fn status(&self, source: &Source) -> Status {
        let state = self.state.lock();
        let refreshing = state.flight.is_some();
        let now = source.clock.now();
        state
            .place
            .status(now, self.kind, &source.policy, refreshing)
    }
}

/// Ends a flight however it ends: a runtime that shuts down in the middle of one leaves no
/// flight behind that everyone would join forever.
struct Landing<T> {
    state: Arc<Mutex<State<T>>>,
    number: u64,
}

impl<T> Landing<T> {
    /// Puts what the call brought in its place; `None` where it failed or was let go.
    fn land(self, landed: &Landed<T>, now: Timestamp, policy: &CachePolicy) -> Option<Taken> {
        let mut state = self.state.lock();
        if !state.awaits(self.number) {
            return None;
        }
        state.flight = None;
        match landed {
            Ok(answer) => Some(state.place.take(answer.clone(), now, policy)),
            Err(error) => {
                state.place.fail(error, now, policy);
                None
            }
        }
    }
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if state.awaits(self.number) {
            state.flight = None;
        }
    }
}

impl<T> State<T> {
    fn awaits(&self, number: u64) -> bool {
        self.flight.as_ref().is_some_and(|it| it.number == number)
    }
}
