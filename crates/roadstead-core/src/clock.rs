//! Time as an argument, so that rules about time can be tested without waiting.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;
use jiff::{SignedDuration, Timestamp};

/// Tells the time and waits.
#[async_trait]
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Returns the time now.
    fn now(&self) -> Timestamp;

    /// Waits for `duration`.
    async fn sleep(&self, duration: Duration);
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock(Mutex<Hands>);

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    sleepers: Vec<(Timestamp, oneshot::Sender<()>)>,
}

impl ManualClock {
    /// Makes a clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Hands {
            now,
            sleepers: Vec::new(),
        }))
    }

    /// Moves the clock on and wakes whoever has slept long enough.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.now = after(hands.now, by);
        let now = hands.now;
        for (_, wake) in hands.sleepers.extract_if(.., |(due, _)| *due <= now) {
            // A sleeper that was dropped has nobody to wake.
            let _ = wake.send(());
        }
    }

    /// Returns how many are asleep.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.sleepers.retain(|(_, wake)| !wake.is_canceled());
        hands.sleepers.len()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    async fn sleep(&self, duration: Duration) {
        let awake = {
            let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (wake, awake) = oneshot::channel();
            let due = after(hands.now, duration);
            hands.sleepers.push((due, wake));
            awake
        };
        // A clock that is gone wakes its sleepers.
        let _ = awake.await;
    }
}

/// Returns the time `wait` after `time`; the end of time instead of an overflow.
#[must_use]
pub fn after(time: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_moved_and_not_before() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let sleep = clock.sleep(Duration::from_secs(5));
        futures::pin_mut!(sleep);
        assert!(futures::poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_secs(4));
        assert!(futures::poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_secs(1));
        sleep.await;
        assert_eq!(clock.sleepers(), 0);
    }
}
