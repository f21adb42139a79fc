//! The place of one kept answer, with at most one call under way to renew it.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use parking_lot::Mutex;
use roadstead_core::{Clock, Error, ErrorKind, ProviderKind, Result};

/// A value and how long ago the vendor was asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched<T> {
    /// The value.
    pub value: T,
    /// How long ago the vendor was asked. Counted from the question, not from the
    /// answer, so that a slow vendor's answer never seems younger than it is.
    pub age: Duration,
    /// Whether it is served although its time is over.
    pub stale: bool,
}

/// The place of one kept answer.
pub(crate) struct Slot<T>(Arc<Mutex<Place<T>>>);

struct Place<T> {
    kept: Option<Kept<T>>,
    flight: Option<Flight<T>>,
    /// The number of the last flight, so that one which was let go by `clear`
    /// cannot put an answer from before the clearing back.
    flights: u64,
}

#[derive(Clone)]
struct Kept<T> {
    value: T,
    fetched_at: Timestamp,
}

type Answer<T> = Result<Kept<T>, Arc<Error>>;
type Awaited<T> = BoxFuture<'static, Answer<T>>;

/// A call under way, which any number of callers await.
struct Flight<T> {
    number: u64,
    answer: Shared<Awaited<T>>,
}

/// What a slot needs to know of the one who asks.
pub(crate) struct Terms<'a> {
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) fresh_for: Duration,
    pub(crate) provider: &'a ProviderKind,
    /// As in [`roadstead_core::Error`], for the one error that is our own.
    pub(crate) operation: &'static str,
}

impl<T: Clone + Send + Sync + 'static> Slot<T> {
    pub(crate) fn empty() -> Self {
        Self(Arc::new(Mutex::new(Place {
            kept: None,
            flight: None,
            flights: 0,
        })))
    }

    /// Returns the kept value while it is fresh, and otherwise the answer of the one
    /// call to `fetch` that all who ask meanwhile share.
    pub(crate) async fn get<F>(
        &self,
        terms: &Terms<'_>,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Fetched<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let answer = {
            let mut place = self.0.lock();
            // Looked at under the same lock that starts flights, so that nobody who saw
            // an old value starts a second one after the first has landed.
            if let Some(kept) = &place.kept {
                let age = age(kept.fetched_at, terms.clock.as_ref());
                if age < terms.fresh_for {
                    return Ok(Fetched {
                        value: kept.value.clone(),
                        age,
                        stale: false,
                    });
                }
            }
            match &place.flight {
                Some(flight) => flight.answer.clone(),
                None => self.take_off(&mut place, terms, fetch()),
            }
        };
        match answer.await {
            Ok(kept) => {
                let age = age(kept.fetched_at, terms.clock.as_ref());
                Ok(Fetched {
                    value: kept.value,
                    age,
                    stale: false,
                })
            }
            Err(error) => Err(error.duplicate()),
        }
    }

    /// Starts a call on a task of its own, so that a caller who goes away cancels
    /// nobody else.
    fn take_off<F>(&self, place: &mut Place<T>, terms: &Terms<'_>, fetch: F) -> Shared<Awaited<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        place.flights += 1;
        let landing = Landing {
            place: Arc::clone(&self.0),
            number: place.flights,
        };
        let clock = Arc::clone(terms.clock);
        let (provider, operation) = (terms.provider.clone(), terms.operation);
        // The task is spawned at the first poll, after the lock is released: a runtime
        // that is shutting down drops the task at once, and the landing needs the lock.
        let answer = async move {
            let task = tokio::spawn(async move {
                let fetched_at = clock.now();
                let answer = match fetch.await {
                    Ok(value) => Ok(Kept { value, fetched_at }),
                    Err(error) => Err(Arc::new(error)),
                };
                landing.land(&answer);
                answer
            });
            match task.await {
                Ok(answer) => answer,
                Err(broken) => {
                    let message = "the call broke off in this program";
                    let error = Error::new(provider, operation, ErrorKind::Server, message);
                    Err(Arc::new(error.with_source(broken)))
                }
            }
        };
        let answer = answer.boxed().shared();
        place.flight = Some(Flight {
            number: place.flights,
            answer: answer.clone(),
        });
        answer
    }

    /// Forgets the value. A call under way still answers those who wait for it, but
    /// what it brings is not kept.
    pub(crate) fn clear(&self) {
        let mut place = self.0.lock();
        place.kept = None;
        place.flight = None;
    }

    /// Returns how long ago the vendor was asked for the kept value, fresh or not.
    pub(crate) fn age(&self, clock: &dyn Clock) -> Option<Duration> {
        let fetched_at = self.0.lock().kept.as_ref()?.fetched_at;
        Some(age(fetched_at, clock))
    }
}

/// Ends a flight however it ends: a call that panics leaves no flight behind that
/// everyone would join forever.
struct Landing<T> {
    place: Arc<Mutex<Place<T>>>,
    number: u64,
}

impl<T: Clone> Landing<T> {
    fn land(self, answer: &Answer<T>) {
        if let Ok(kept) = answer {
            let mut place = self.place.lock();
            if place
                .flight
                .as_ref()
                .is_some_and(|it| it.number == self.number)
            {
                place.kept = Some(kept.clone());
                place.flight = None;
            }
        }
    }
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut place = self.place.lock();
        if place
            .flight
            .as_ref()
            .is_some_and(|it| it.number == self.number)
        {
            place.flight = None;
        }
    }
}

fn age(fetched_at: Timestamp, clock: &dyn Clock) -> Duration {
    // A clock that was set back makes nothing younger than new.
    Duration::try_from(clock.now().duration_since(fetched_at)).unwrap_or(Duration::ZERO)
}
