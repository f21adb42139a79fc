//! The rules of one kept answer: when it is served, renewed, doubted and given up. They take
//! the time and touch nothing else.

use std::borrow::Cow;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{Error, ErrorKind, Retry, after};

use crate::beside::Beside;
use crate::policy::{CachePolicy, CatalogueKind};

/// The longest that a vendor's own wish to be left alone is heeded.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// A list and how long ago the vendor was asked for it.
#[derive(Debug)]
pub struct Fetched<T> {
    /// The list.
    pub value: Arc<[T]>,
    /// How long ago the vendor was asked. Counted from the question, not from the
    /// answer, so that a slow vendor's answer never seems younger than it is.
    pub age: Duration,
    /// Whether it is served although its time is over, or the vendor has since contradicted it.
    pub stale: bool,
    /// For what is made from the list and as good as it.
    pub beside: Beside,
}

impl<T> Clone for Fetched<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            age: self.age,
            stale: self.stale,
            beside: self.beside.clone(),
        }
    }
}

/// How the last call for a catalogue failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exact class.
    pub kind: ErrorKind,
    /// Our sentence, safe to show an operator.
    pub message: Cow<'static, str>,
    /// When it was learned.
    pub at: Timestamp,
    /// How many calls have failed in a row, with this one.
    pub in_a_row: u32,
    /// Until when the vendor is left alone, unless somebody waits who can be served nothing.
    pub not_before: Timestamp,
}

/// What there is to know of one kept answer.
#[derive(Clone, Debug)]
pub struct Status {
    /// How long ago the vendor was asked for what is kept; `None` when nothing is.
    pub age: Option<Duration>,
    /// How many items are kept.
    pub items: Option<usize>,
    /// Whether who asks now is told that the answer is stale.
    pub stale: bool,
    /// Whether a call is under way.
    pub refreshing: bool,
    /// How the last call failed, if it did.
    pub failure: Option<Failure>,
    /// What has happened so far.
    pub counts: Counts,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests served from memory with a fresh answer.
    pub fresh: u64,
    /// Requests served from memory with a stale one.
    pub stale: u64,
    /// Requests that waited for a call.
    pub waited: u64,
    /// Calls that brought a new answer.
    pub renewed: u64,
    /// Calls that failed.
    pub failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.fresh += other.fresh;
        self.stale += other.stale;
        self.waited += other.waited;
        self.renewed += other.renewed;
        self.failed += other.failed;
    }
}

/// The place of one kept answer.
#[derive(Debug)]
pub(crate) struct Place<T> {
    kept: Option<Kept<T>>,
    failure: Option<Failure>,
    /// Whether the last call brought an empty list that was not believed.
    emptied: bool,
    /// Whether it is to be there before anybody asks.
    wanted: bool,
    pub(crate) counts: Counts,
}

#[derive(Debug)]
struct Kept<T> {
    answer: Answer<T>,
    /// Whether anybody has been served it.
    used: bool,
    /// Whether the vendor has contradicted it.
    doubted: bool,
}

/// What a call brought.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: Arc<[T]>,
    pub(crate) beside: Beside,
    pub(crate) fetched_at: Timestamp,
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            beside: self.beside.clone(),
            fetched_at: self.fetched_at,
        }
    }
}

impl<T> Answer<T> {
    pub(crate) fn served(&self, now: Timestamp, stale: bool) -> Fetched<T> {
        Fetched {
            value: Arc::clone(&self.value),
            age: age(self.fetched_at, now),
            stale,
            beside: self.beside.clone(),
        }
    }
}

/// How a place took what a call brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Renewed { items: usize },
    Doubted { kept: usize },
    Emptied { before: usize },
}

impl<T> Place<T> {
    pub(crate) fn empty() -> Self {
        Self {
            kept: None,
            failure: None,
            emptied: false,
            wanted: false,
            counts: Counts::default(),
        }
    }

    /// Returns what is kept, unless it is too old to be shown.
    pub(crate) fn serve(
        &mut self,
        now: Timestamp,
        kind: CatalogueKind,
        policy: &CachePolicy,
    ) -> Option<Fetched<T>> {
        self.drop_if_old(now, policy);
        let kept = self.kept.as_mut()?;
        kept.used = true;
        let stale = kept.is_stale(now, kind, policy);
        let counted = if stale {
            &mut self.counts.stale
        } else {
            &mut self.counts.fresh
        };
        *counted += 1;
        Some(kept.answer.served(now, stale))
    }

    /// Returns whether what is kept should be renewed in the background: it is in use, and
    /// nearly over or doubted; or it was to be there, and is not. Not during a pause.
    pub(crate) fn is_due(&self, now: Timestamp, kind: CatalogueKind, policy: &CachePolicy) -> bool {
        if self.failure.as_ref().is_some_and(|it| it.pauses(now)) {
            return false;
        }
        match &self.kept {
            Some(kept) => {
                let nearly_over = age(kept.answer.fetched_at, now) >= policy.renew_after(kind);
                kept.used && (nearly_over || kept.doubted)
            }
            None => self.wanted,
        }
    }

    /// Takes what a call brought.
    pub(crate) fn take(
        &mut self,
        answer: Answer<T>,
        now: Timestamp,
        policy: &CachePolicy,
    ) -> Taken {
        self.drop_if_old(now, policy);
        let items = answer.value.len();
        let before = self.kept.as_ref().map_or(0, |it| it.answer.value.len());
        let emptied = items == 0 && before > 0;
        if emptied && !self.emptied {
            self.emptied = true;
            let message = "it showed an empty list where there was a full one";
            self.note(ErrorKind::Decode, message.into(), now, None, policy);
            return Taken::Doubted { kept: before };
        }
        self.kept = Some(Kept {
            answer,
            used: false,
            doubted: false,
        });
        self.failure = None;
        self.emptied = false;
        self.wanted = false;
        self.counts.renewed += 1;
        if emptied {
            Taken::Emptied { before }
        } else {
            Taken::Renewed { items }
        }
    }

    /// Notes that a call has failed; what is kept stays.
    pub(crate) fn fail(&mut self, error: &Error, now: Timestamp, policy: &CachePolicy) {
        let wish = match error.retry {
            Retry::At(time) => Some(time.min(after(now, LONGEST_WISH))),
            Retry::Never | Retry::Backoff | Retry::AfterReconcile => None,
        };
        // What the vendor does not offer need not be there.
        self.wanted &= error.kind != ErrorKind::Unsupported;
        self.emptied = false;
        self.note(error.kind, error.message.clone(), now, wish, policy);
    }

    fn note(
        &mut self,
        kind: ErrorKind,
        message: Cow<'static, str>,
        at: Timestamp,
        wish: Option<Timestamp>,
        policy: &CachePolicy,
    ) {
        let before = self.failure.as_ref().map_or(0, |it| it.in_a_row);
        let in_a_row = before.saturating_add(1);
        let pause_ends = after(at, policy.pause_after(in_a_row));
        self.counts.failed += 1;
        self.failure = Some(Failure {
            kind,
            message,
            at,
            in_a_row,
            not_before: wish.map_or(pause_ends, |it| it.max(pause_ends)),
        });
    }

    /// Casts doubt on what is kept, unless the vendor has only just said it.
    pub(crate) fn doubt(&mut self, now: Timestamp, policy: &CachePolicy) {
        if let Some(kept) = &mut self.kept
            && age(kept.answer.fetched_at, now) >= policy.trust
        {
            kept.doubted = true;
        }
    }

    /// Wants something to be there before anybody asks, unless it is.
    pub(crate) fn want(&mut self) {
        self.wanted |= self.kept.is_none();
    }

    /// Forgets what is kept, and the failures: who clears wants the vendor to be asked.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            counts: self.counts,
            ..Self::empty()
        };
    }

    /// Forgets what is too old to be shown.
    pub(crate) fn drop_if_old(&mut self, now: Timestamp, policy: &CachePolicy) {
        self.kept
            .take_if(|it| age(it.answer.fetched_at, now) >= policy.keep);
    }

    pub(crate) fn status(
        &self,
        now: Timestamp,
        kind: CatalogueKind,
        policy: &CachePolicy,
        refreshing: bool,
    ) -> Status {
        let kept = self.kept.as_ref();
        Status {
            age: kept.map(|it| age(it.answer.fetched_at, now)),
            items: kept.map(|it| it.answer.value.len()),
            stale: kept.is_some_and(|it| it.is_stale(now, kind, policy)),
            refreshing,
            failure: self.failure.clone(),
            counts: self.counts,
        }
    }
}

impl<T> Kept<T> {
    fn is_stale(&self, now: Timestamp, kind: CatalogueKind, policy: &CachePolicy) -> bool {
        self.doubted || age(self.answer.fetched_at, now) >= policy.fresh_for(kind)
    }
}

impl Failure {
    fn pauses(&self, now: Timestamp) -> bool {
        // A clock that was set back must not make the pause longer.
        (self.at..self.not_before).contains(&now)
    }
}

fn age(fetched_at: Timestamp, now: Timestamp) -> Duration {
    // A clock that was set back makes nothing younger than new.
    Duration::try_from(now.duration_since(fetched_at)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use roadstead_core::ProviderKind;

    use super::*;

    const KIND: CatalogueKind = CatalogueKind::Plans;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_pause_longer_and_nothing_younger_than_new() {
        let policy = CachePolicy::default();
        let mut place = Place::empty();
        let answer = Answer {
            value: Arc::from([1_u8]),
            beside: Beside::default(),
            fetched_at: at(10_000),
        };
        place.take(answer, at(10_000), &policy);
        place.serve(at(10_000), KIND, &policy);
        let vendor = ProviderKind::from("any");
        let error = Error::new(vendor, "list", ErrorKind::Server, "down");
        place.fail(&error, at(20_000), &policy);
        assert!(!place.is_due(at(20_009), KIND, &policy));
        assert!(place.is_due(at(20_010), KIND, &policy));
        assert!(place.is_due(at(19_999), KIND, &policy));
        assert!(!place.is_due(at(5_000), KIND, &policy));
        let served = place.serve(at(5_000), KIND, &policy).unwrap();
        assert_eq!((served.age, served.stale), (Duration::ZERO, false));
    }

    #[test]
    fn a_vendors_wish_for_a_pause_is_heeded_for_an_hour_at_most() {
        let policy = CachePolicy::default();
        let mut place = Place::<u8>::empty();
        let error = Error::new("any".into(), "list", ErrorKind::Throttled, "slow down");
        place.want();
        place.fail(&error.with_retry(Retry::At(at(1_000_000))), at(0), &policy);
        assert!(!place.is_due(at(3_599), KIND, &policy));
        assert!(place.is_due(at(3_600), KIND, &policy));
    }
}
