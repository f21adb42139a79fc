//! Which calls Linode counts together.
//!
//! The numbers are those of its page on rate limits in 2026; every answer states the account's.

use std::borrow::Cow;
use std::time::Duration;

use roadstead_http::{BucketRule, Counting, Hears, Method, RateTable};

const MINUTE: Duration = Duration::from_mins(1);

/// What is read at an address that names no single thing and is no list.
const SINGLES: [&str; 2] = ["/v4/account", "/v4/profile"];

/// Returns which calls Linode counts together.
pub(crate) const fn rates() -> RateTable {
    const BUCKETS: &[BucketRule] = &[
        rule("create", 20, Duration::from_secs(15), true),
        rule("images", 20, MINUTE, false),
        rule("stackscripts", 60, MINUTE, false),
        rule("stats", 50, MINUTE, false),
        rule("collections", 200, MINUTE, false),
        rule("other", 1600, MINUTE, true),
    ];
    RateTable {
        buckets: Cow::Borrowed(BUCKETS),
        route,
    }
}

const fn rule(name: &'static str, limit: u64, window: Duration, changes: bool) -> BucketRule {
    BucketRule {
        name,
        limit: Some(limit),
        window,
        counting: Counting::Fixed,
        hears: Hears::Headers,
        changes,
    }
}

fn route(method: &Method, template: &str) -> &'static [&'static str] {
    match (method.as_str(), template) {
        ("POST", "/v4/linode/instances" | "/v4/linode/instances/{id}/clone") => &["create"],
        ("GET", "/v4/images") => &["images"],
        ("GET", "/v4/linode/stackscripts") => &["stackscripts"],
        ("GET", it) if it.contains("/stats") => &["stats"],
        ("GET", it) if it.ends_with('}') || SINGLES.contains(&it) => &["other"],
        ("GET", _) => &["collections"],
        _ => &["other"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_counts_where_the_documentation_says() {
        for (method, template, bucket) in [
            (Method::POST, "/v4/linode/instances", "create"),
            (Method::GET, "/v4/linode/instances", "collections"),
            (Method::GET, "/v4/linode/instances/{id}", "other"),
            (
                Method::GET,
                "/v4/linode/instances/{id}/disks",
                "collections",
            ),
            (Method::POST, "/v4/linode/instances/{id}/{action}", "other"),
            (Method::DELETE, "/v4/linode/instances/{id}", "other"),
            (Method::PUT, "/v4/linode/instances/{id}", "other"),
            (Method::GET, "/v4/linode/types", "collections"),
            (Method::GET, "/v4/regions/availability", "collections"),
            (Method::GET, "/v4/account/events", "collections"),
            (Method::GET, "/v4/profile/sshkeys", "collections"),
            (Method::POST, "/v4/profile/sshkeys", "other"),
            (Method::GET, "/v4/account", "other"),
            (Method::GET, "/v4/images", "images"),
            (Method::GET, "/v4/linode/stackscripts", "stackscripts"),
            (Method::GET, "/v4/linode/instances/{id}/stats", "stats"),
        ] {
            assert_eq!(route(&method, template), [bucket], "{method} {template}");
            assert!(rates().buckets.iter().any(|it| it.name == bucket));
        }
    }
}
