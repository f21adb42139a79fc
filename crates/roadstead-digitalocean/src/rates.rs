//! Which calls DigitalOcean counts together.
//!
//! The numbers are those of its documentation in 2026. Every answer states the hour's; of the
//! burst limit only a refusal tells.

use std::borrow::Cow;
use std::time::Duration;

use roadstead_http::{BucketRule, Counting, Hears, Method, RateTable};

/// The bucket of the burst limit.
pub(crate) const BURST: &str = "per_minute";

/// Returns which calls DigitalOcean counts together.
pub(crate) const fn rates() -> RateTable {
    const MINUTE: Duration = Duration::from_mins(1);
    const BUCKETS: &[BucketRule] = &[
        BucketRule {
            changes: false,
            ..rule("key_lists", 10, MINUTE, Hears::Nothing)
        },
        rule(BURST, 250, MINUTE, Hears::Alongside),
        rule("per_hour", 5000, Duration::from_hours(1), Hears::Headers),
    ];
    RateTable {
        buckets: Cow::Borrowed(BUCKETS),
        route,
    }
}

const fn rule(name: &'static str, limit: u64, window: Duration, hears: Hears) -> BucketRule {
    BucketRule {
        name,
        limit: Some(limit),
        window,
        counting: Counting::Sliding,
        hears,
        changes: true,
    }
}

fn route(method: &Method, template: &str) -> &'static [&'static str] {
    match (method.as_str(), template) {
        ("GET", "/v2/account/keys") => &["key_lists", BURST, "per_hour"],
        _ => &[BURST, "per_hour"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_counts_in_the_minute_and_in_the_hour() {
        let droplets = route(&Method::POST, "/v2/droplets");
        assert_eq!(droplets, ["per_minute", "per_hour"]);
        assert_eq!(route(&Method::GET, "/v2/account/keys")[0], "key_lists");
        assert_eq!(route(&Method::POST, "/v2/account/keys"), droplets);
        assert_eq!(route(&Method::GET, "/v2/account/keys/{id}"), droplets);
        assert_eq!(route(&Method::POST, "/v2/tags"), droplets);
        assert_eq!(route(&Method::DELETE, "/v2/tags/{tag}/resources"), droplets);
        let rates = rates();
        for name in route(&Method::GET, "/v2/account/keys") {
            assert!(rates.buckets.iter().any(|it| it.name == *name), "{name}");
        }
    }
}
