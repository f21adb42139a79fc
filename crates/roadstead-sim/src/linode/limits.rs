//! The rate limits: fixed windows per class of operation and token.

use std::collections::HashMap;

use crate::clock::Instant;
use crate::limits::{Limit, LimitBook};
use crate::vendor::Call;

use super::refusal::Refusal;

/// The vendor's limits, by class.
pub(crate) const LIMITS: [(&str, Limit); 6] = [
    (Class::Create.name(), Limit::new(20, 15)),
    (Class::Images.name(), Limit::new(20, 60)),
    (Class::StackScripts.name(), Limit::new(60, 60)),
    (Class::Stats.name(), Limit::new(50, 60)),
    (Class::Collections.name(), Limit::new(200, 60)),
    (Class::Others.name(), Limit::new(1600, 60)),
];

/// Operations that share one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Create,
    Images,
    StackScripts,
    Stats,
    Collections,
    Others,
}

impl Class {
    fn of(call: &Call, path: &[&str]) -> Self {
        match (call.method.as_str(), path) {
            ("POST", ["linode", "instances"] | ["linode", "instances", _, "clone"]) => Self::Create,
            ("GET", ["images"]) => Self::Images,
            ("GET", ["linode", "stackscripts"]) => Self::StackScripts,
            ("GET", ["linode", "instances", _, "stats", ..]) => Self::Stats,
            (
                "GET",
                ["regions" | "tags" | "volumes" | "vpcs" | "vlans"]
                | ["regions", "availability"]
                | ["linode", "types" | "kernels" | "instances"]
                | [
                    "linode",
                    "instances",
                    _,
                    "disks" | "configs" | "volumes" | "firewalls",
                ]
                | ["networking", "firewalls" | "ips"]
                | ["placement", "groups"]
                | ["vpcs", _, "subnets"]
                | ["account", "events" | "users"]
                | ["profile", "sshkeys" | "tokens"],
            ) => Self::Collections,
            _ => Self::Others,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Images => "images",
            Self::StackScripts => "stackscripts",
            Self::Stats => "stats",
            Self::Collections => "collections",
            Self::Others => "others",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    calls: u64,
}

/// The present windows.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    windows: HashMap<(String, Class), Window>,
}

impl Limits {
    /// Counts a call, or refuses it if it is one too many.
    pub(crate) fn admit(
        &mut self,
        book: &LimitBook,
        call: &Call,
        path: &[&str],
        now: Instant,
    ) -> Result<(), Refusal> {
        let class = Class::of(call, path);
        let limit = book.get(class.name());
        let fresh = Window {
            began: now,
            calls: 0,
        };
        let window = self.windows.entry((caller(call), class)).or_insert(fresh);
        if now.since(window.began) >= limit.window() {
            *window = fresh;
        }
        if window.calls >= limit.calls {
            return Err(Refusal::throttled());
        }
        window.calls = window.calls.saturating_add(1);
        Ok(())
    }

    /// Returns the headers that state the limit.
    pub(crate) fn headers(
        &self,
        book: &LimitBook,
        call: &Call,
        path: &[&str],
        now: Instant,
    ) -> Vec<(String, String)> {
        let class = Class::of(call, path);
        let limit = book.get(class.name());
        let window = self.window(call, class, limit, now);
        let reset = (window.began + limit.window())
            .epoch_seconds()
            .saturating_add(1);
        let remaining = limit.calls.saturating_sub(window.calls);
        vec![
            ("x-ratelimit-limit".to_owned(), limit.calls.to_string()),
            ("x-ratelimit-remaining".to_owned(), remaining.to_string()),
            ("x-ratelimit-reset".to_owned(), reset.to_string()),
        ]
    }

    /// Returns the seconds until the window ends.
    pub(crate) fn seconds_left(
        &self,
        book: &LimitBook,
        call: &Call,
        path: &[&str],
        now: Instant,
    ) -> u64 {
        let class = Class::of(call, path);
        let limit = book.get(class.name());
        let passed = now.since(self.window(call, class, limit, now).began);
        let left = limit.window().saturating_sub(passed);
        left.as_secs().saturating_add(1)
    }

    fn window(&self, call: &Call, class: Class, limit: Limit, now: Instant) -> Window {
        let known = self.windows.get(&(caller(call), class)).copied();
        let fresh = Window {
            began: now,
            calls: 0,
        };
        known
            .filter(|it| now.since(it.began) < limit.window())
            .unwrap_or(fresh)
    }
}

/// All who come without a token come from one address.
fn caller(call: &Call) -> String {
    call.bearer_digest().unwrap_or_default()
}
