//! When a call may be made again: pauses and the retry quota.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Retries are paid in tenths: a call earns one tenth, a retry costs ten.
const PER_RETRY: u32 = 10;
const INITIAL: u32 = 10 * PER_RETRY;
const MOST: u32 = 50 * PER_RETRY;

/// Allows one retry for ten calls, and a few at the start, so that an outage does not
/// multiply our traffic.
#[derive(Debug)]
pub(crate) struct RetryQuota(Mutex<u32>);

impl RetryQuota {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(INITIAL))
    }

    pub(crate) fn earn(&self) {
        let mut balance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *balance = balance.saturating_add(1).min(MOST);
    }

    /// Returns whether a retry can be afforded, and pays for it.
    pub(crate) fn spend(&self) -> bool {
        let mut balance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rest) = balance.checked_sub(PER_RETRY) else {
            return false;
        };
        *balance = rest;
        true
    }
}

/// Growing waits with decorrelated jitter: each is drawn between the shortest and
/// three times the last.
#[derive(Debug)]
pub(crate) struct Pauses {
    min: Duration,
    max: Duration,
    last: Duration,
}

impl Pauses {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max,
            last: min,
        }
    }

    pub(crate) fn draw(&mut self) -> Duration {
        let upper = self.last.saturating_mul(3).min(self.max).max(self.min);
        self.last = self
            .min
            .saturating_add(part_of(upper.saturating_sub(self.min)));
        self.last
    }
}

/// Draws a part of a wait.
pub(crate) fn part_of(whole: Duration) -> Duration {
    let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(fastrand::u64(0..=micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_at_most_a_tenth_of_the_calls() {
        let quota = RetryQuota::new();
        let retries = (0..1000)
            .filter(|_| {
                quota.earn();
                quota.spend()
            })
            .count();
        assert!((100..=110).contains(&retries), "{retries}");
    }

    #[test]
    fn pauses_stay_within_their_bounds() {
        let (min, max) = (Duration::from_millis(100), Duration::from_secs(15));
        let mut pauses = Pauses::new(min, max);
        for _ in 0..1000 {
            let pause = pauses.draw();
            assert!(pause >= min && pause <= max, "{pause:?}");
        }
    }
}
