//! The simulator's time: the machine's clock plus what tests have advanced it by.

use std::ops::Add;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// A point in time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(i64);

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
        self.0.div_euclid(1_000_000)
    }

    /// Returns how long `self` is after `earlier`, or zero.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or_default()
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(micros(wait)))
    }
}

/// Tells the time and shortens the simulator's own waits.
#[derive(Debug)]
pub(crate) struct Clock {
    time_scale: f64,
    advanced: AtomicI64,
}

impl Clock {
    pub(crate) const fn new(time_scale: f64) -> Self {
        Self {
            time_scale,
            advanced: AtomicI64::new(0),
        }
    }

    /// Returns the present.
    pub(crate) fn now(&self) -> Instant {
        let real = Timestamp::now().as_microsecond();
        Instant(real.saturating_add(self.advanced.load(Ordering::Relaxed)))
    }

    /// Moves the simulator's time forward, states and rate limits alike.
    pub(crate) fn advance(&self, by: Duration) {
        self.advanced.fetch_add(micros(by), Ordering::Relaxed);
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
        let moment = Instant(1_600_000_000_123_456);
        assert_eq!(moment.rfc3339(), "2020-09-13T12:26:40.123456Z");
        assert_eq!(moment.seconds_text(), "2020-09-13T12:26:40Z");
        assert_eq!(moment.zoneless_text(), "2020-09-13T12:26:40");
        assert_eq!(moment.http_text(), "Sun, 13 Sep 2020 12:26:40 GMT");
    }
}
