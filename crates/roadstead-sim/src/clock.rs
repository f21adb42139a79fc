//! The simulator's time: the machine's clock plus what tests have advanced it by.

use std::cmp::Ordering;
use std::ops::Add;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// A point in time. What is compared is when it was; what is printed is what the
/// vendor's clock, which may go wrong, showed then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant {
    /// In microseconds since 1970.
    micros: i64,
    /// How far ahead of that the vendor's clock is.
    skew: i64,
}

impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for Instant {}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.micros.cmp(&other.micros)
    }
}

impl Instant {
    /// Returns the RFC 3339 text with microseconds.
    pub(crate) fn rfc3339(self) -> String {
        self.timestamp().to_string()
    }

    /// Returns the RFC 3339 text in whole seconds, as most vendors print it.
    pub(crate) fn seconds_text(self) -> String {
        Timestamp::from_second(self.epoch_seconds())
            .unwrap_or_default()
            .to_string()
    }

    /// Returns the time in UTC in whole seconds without saying that it is UTC.
    pub(crate) fn zoneless_text(self) -> String {
        let mut text = self.seconds_text();
        text.truncate(text.trim_end_matches('Z').len());
        text
    }

    /// Returns the text of an HTTP `Date`.
    pub(crate) fn http_text(self) -> String {
        let printer = DateTimePrinter::new();
        let text = printer.timestamp_to_rfc9110_string(&self.timestamp());
        text.unwrap_or_default()
    }

    /// Returns the whole seconds since 1970.
    pub(crate) fn epoch_seconds(self) -> i64 {
        self.shown().div_euclid(1_000_000)
    }

    /// Returns how long `self` is after `earlier`, or zero.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let micros = self.micros.saturating_sub(earlier.micros);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Returns the point in time that is so long before.
    pub(crate) fn before(self, wait: Duration) -> Self {
        Self {
            micros: self.micros.saturating_sub(micros(wait)),
            ..self
        }
    }

    /// Returns the RFC 3339 text of when it was, whatever the vendor's clock showed.
    pub(crate) fn true_text(self) -> String {
        Self { skew: 0, ..self }.rfc3339()
    }

    const fn shown(self) -> i64 {
        self.micros.saturating_add(self.skew)
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.shown()).unwrap_or_default()
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self {
            micros: self.micros.saturating_add(micros(wait)),
            ..self
        }
    }
}

/// Tells the time and shortens the simulator's own waits.
#[derive(Debug)]
pub(crate) struct Clock {
    time_scale: f64,
    advanced: AtomicI64,
    skew: AtomicI64,
}

impl Clock {
    pub(crate) const fn new(time_scale: f64) -> Self {
        Self {
            time_scale,
            advanced: AtomicI64::new(0),
            skew: AtomicI64::new(0),
        }
    }

    /// Returns the present.
    pub(crate) fn now(&self) -> Instant {
        let real = Timestamp::now().as_microsecond();
        Instant {
            micros: real.saturating_add(self.advanced.load(Relaxed)),
            skew: self.skew.load(Relaxed),
        }
    }

    /// Moves the simulator's time forward, states and rate limits alike.
    pub(crate) fn advance(&self, by: Duration) {
        self.advanced.fetch_add(micros(by), Relaxed);
    }

    /// Lets the vendor's clock show so many milliseconds too much from now on, or too
    /// little. Nothing happens earlier or later for it.
    pub(crate) fn set_skew(&self, ms: i64) {
        self.skew.store(ms.saturating_mul(1000), Relaxed);
    }

    /// Divides a wait of the simulator's own by the time scale.
    pub(crate) fn scaled(&self, wait: Duration) -> Duration {
        Duration::try_from_secs_f64(wait.as_secs_f64() / self.time_scale).unwrap_or(Duration::MAX)
    }
}

fn micros(wait: Duration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_divided_by_the_scale_and_the_clock_can_be_advanced() {
        let clock = Clock::new(10.0);
        assert_eq!(
            clock.scaled(Duration::from_secs(30)),
            Duration::from_secs(3)
        );
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now().since(before) >= Duration::from_secs(3600));
    }

    #[test]
    fn texts_are_rfc_3339() {
        let moment = Instant {
            micros: 1_600_000_000_123_456,
            skew: 0,
        };
        assert_eq!(moment.rfc3339(), "2020-09-13T12:26:40.123456Z");
        assert_eq!(moment.seconds_text(), "2020-09-13T12:26:40Z");
        assert_eq!(moment.zoneless_text(), "2020-09-13T12:26:40");
        assert_eq!(moment.http_text(), "Sun, 13 Sep 2020 12:26:40 GMT");
    }

    #[test]
    fn a_clock_that_goes_wrong_shows_another_time_and_changes_no_order() {
        let clock = Clock::new(1.0);
        let right = clock.now();
        clock.set_skew(-3_600_000);
        let wrong = clock.now();
        assert!(wrong >= right && wrong.since(right) < Duration::from_secs(60));
        let behind = right.epoch_seconds() - wrong.epoch_seconds();
        assert!((3540..=3600).contains(&behind), "{behind}");
        assert!(right.true_text() <= wrong.true_text());
        assert_eq!(
            right.before(Duration::from_secs(5)).since(right),
            Duration::ZERO
        );
    }
}
