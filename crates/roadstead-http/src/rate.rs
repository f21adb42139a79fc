//! What vendors say in headers about waiting and about calls left.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use roadstead_core::after;

use crate::RetryAfter;

/// The longest wait that a vendor's header may ask for.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// The headers in which a vendor says how many calls are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateHeaders {
    /// How many calls are allowed.
    pub limit: &'static str,
    /// How many of them are left.
    pub remaining: &'static str,
    /// When there will be more, in seconds since 1970.
    pub reset: &'static str,
}

/// How many calls are left, as an answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// How many calls are allowed.
    pub(crate) limit: Option<u64>,
    /// How many of them are left.
    pub(crate) remaining: Option<u64>,
    /// When there will be more, by the vendor's clock.
    pub(crate) reset: Option<Timestamp>,
    /// The same by our clock.
    pub(crate) refill: Option<Timestamp>,
}

impl RateHeaders {
    /// Reads the headers of an answer; `None` when it has none of them.
    pub(crate) fn read(
        &self,
        headers: &HeaderMap,
        wait: RetryAfter,
        now: Timestamp,
    ) -> Option<RateLimit> {
        let number = |name| text(headers, name)?.trim().parse::<u64>().ok();
        let limit = number(self.limit);
        let remaining = number(self.remaining);
        let reset = number(self.reset)
            .and_then(|it| i64::try_from(it).ok())
            .and_then(|it| Timestamp::from_second(it).ok());
        if limit.is_none() && remaining.is_none() && reset.is_none() {
            return None;
        }
        // Where it stands on every answer it tells when the window ends, in nobody's clock.
        let left = match wait {
            RetryAfter::Always => None,
            RetryAfter::WhenThrottled => {
                text(headers, RETRY_AFTER.as_str()).and_then(|it| retry_after(it, now))
            }
        };
        Some(RateLimit {
            limit,
            remaining,
            reset,
            refill: left.or_else(|| Some(ours(reset?, headers, now))),
        })
    }
}

/// Returns a time of the vendor's clock by ours. Theirs is told by every answer's `Date`.
fn ours(time: Timestamp, headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let theirs =
        text(headers, DATE.as_str()).and_then(|it| DateTimeParser::new().parse_timestamp(it).ok());
    let Some(theirs) = theirs else {
        return time;
    };
    // It is told in whole seconds: no difference can be seen that is smaller.
    if (0.0..=1.0).contains(&now.duration_since(theirs).as_secs_f64()) {
        return time;
    }
    now.checked_add(time.duration_since(theirs)).unwrap_or(time)
}

/// Returns the time until which the vendor asks us to wait: by `Retry-After`, else by
/// the time at which its budget refills. At most an hour from now, never in the past.
pub(crate) fn wait_until(
    headers: &HeaderMap,
    said: Option<&RateLimit>,
    now: Timestamp,
) -> Option<Timestamp> {
    let asked = text(headers, RETRY_AFTER.as_str()).and_then(|it| retry_after(it, now));
    let asked = asked.or_else(|| said.and_then(|it| it.refill))?;
    Some(asked.clamp(now, after(now, WAIT_MAX)))
}

/// Reads a `Retry-After`, which holds seconds or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let whole = value.split_once('.').map_or(value, |(whole, _)| whole);
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()) {
        if whole.starts_with('-') {
            return Some(now);
        }
        // More digits than fit ask for more than the longest wait.
        let seconds = digits.parse().unwrap_or(u64::MAX);
        return Some(after(now, Duration::from_secs(seconds)));
    }
    DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(value)
        .ok()
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns how long it is from `now` to `then`; zero when that is past.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn wait(value: &str) -> Option<u64> {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).unwrap())]);
        wait_until(&headers, None, now).map(|it| until(now, it).as_secs())
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_and_is_bounded() {
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("1.5"), Some(1));
        assert_eq!(wait("-7"), Some(0));
        assert_eq!(wait("99999999999999999999999999"), Some(3600));
        assert_eq!(wait("Thu, 01 Jan 2026 00:00:30 GMT"), Some(30));
        assert_eq!(wait("Mon, 01 Jan 2001 00:00:30 GMT"), Some(0));
        assert_eq!(wait("Fri, 01 Jan 2100 00:00:00 GMT"), Some(3600));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait(""), None);
    }

    #[test]
    fn the_refill_time_serves_where_retry_after_is_absent() {
        let now = Timestamp::from_second(1_000).unwrap();
        let names = RateHeaders {
            limit: "x-limit",
            remaining: "x-left",
            reset: "x-reset",
        };
        let mut headers = HeaderMap::new();
        assert_eq!(names.read(&headers, RetryAfter::Always, now), None);
        headers.insert("x-left", HeaderValue::from_static("0"));
        headers.insert("x-reset", HeaderValue::from_static("1012"));
        let budget = names.read(&headers, RetryAfter::Always, now).unwrap();
        assert_eq!((budget.limit, budget.remaining), (None, Some(0)));
        let then = wait_until(&headers, Some(&budget), now).unwrap();
        assert_eq!(until(now, then), Duration::from_secs(12));
        // A vendor's clock may be an hour ahead of ours.
        headers.insert(
            DATE,
            HeaderValue::from_static("Thu, 01 Jan 1970 01:16:40 GMT"),
        );
        headers.insert("x-reset", HeaderValue::from_static("4612"));
        let budget = names.read(&headers, RetryAfter::Always, now).unwrap();
        assert_eq!(budget.refill, Some(then));
        // Where it stands on every answer, `Retry-After` tells the same without a clock.
        headers.insert(RETRY_AFTER, HeaderValue::from_static("9"));
        let budget = names
            .read(&headers, RetryAfter::WhenThrottled, now)
            .unwrap();
        assert_eq!(until(now, budget.refill.unwrap()), Duration::from_secs(9));
        headers.insert("x-reset", HeaderValue::from_static("never"));
        assert_eq!(
            names.read(&headers, RetryAfter::Always, now).unwrap().reset,
            None
        );
    }
}
