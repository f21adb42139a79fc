//! The rate limits: fixed windows per class of operation and token.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Instant;
use crate::vendor::Call;

use super::refusal::Refusal;

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
                ["regions" | "tags"]
                | ["regions", "availability"]
                | ["linode", "types" | "kernels" | "instances"]
                | ["account", "events"]
                | ["profile", "sshkeys"],
            ) => Self::Collections,
            _ => Self::Others,
        }
    }

    /// Returns how many calls a window admits, and how long it is.
    const fn limit(self) -> (u64, Duration) {
        const MINUTE: Duration = Duration::from_secs(60);
        match self {
            Self::Create => (20, Duration::from_secs(15)),
            Self::Images => (20, MINUTE),
            Self::StackScripts => (60, MINUTE),
            Self::Stats => (50, MINUTE),
            Self::Collections => (200, MINUTE),
            Self::Others => (1600, MINUTE),
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
    /// Counts a call, or refuses it if it is one too many and that is enforced.
    pub(crate) fn admit(
        &mut self,
        call: &Call,
        path: &[&str],
        now: Instant,
        enforced: bool,
    ) -> Result<(), Refusal> {
        let class = Class::of(call, path);
        let (limit, length) = class.limit();
        let fresh = Window {
            began: now,
            calls: 0,
        };
        let window = self.windows.entry((caller(call), class)).or_insert(fresh);
        if now.since(window.began) >= length {
            *window = fresh;
        }
        if enforced && window.calls >= limit {
            return Err(Refusal::throttled());
        }
        window.calls = window.calls.saturating_add(1);
        Ok(())
    }

    /// Returns the headers that state the limit.
    pub(crate) fn headers(
        &self,
        call: &Call,
        path: &[&str],
        now: Instant,
    ) -> Vec<(String, String)> {
        let class = Class::of(call, path);
        let (limit, length) = class.limit();
        let window = self.window(call, class, now);
        let reset = (window.began + length).epoch_seconds().saturating_add(1);
        let remaining = limit.saturating_sub(window.calls);
        vec![
            ("x-ratelimit-limit".to_owned(), limit.to_string()),
            ("x-ratelimit-remaining".to_owned(), remaining.to_string()),
            ("x-ratelimit-reset".to_owned(), reset.to_string()),
        ]
    }

    /// Returns the seconds until the window ends.
    pub(crate) fn seconds_left(&self, call: &Call, path: &[&str], now: Instant) -> u64 {
        let class = Class::of(call, path);
        let (_, length) = class.limit();
        let passed = now.since(self.window(call, class, now).began);
        length.saturating_sub(passed).as_secs().saturating_add(1)
    }

    fn window(&self, call: &Call, class: Class, now: Instant) -> Window {
        let (_, length) = class.limit();
        let known = self.windows.get(&(caller(call), class)).copied();
        let fresh = Window {
            began: now,
            calls: 0,
        };
        known
            .filter(|it| now.since(it.began) < length)
            .unwrap_or(fresh)
    }
}

/// All who come without a token come from one address.
fn caller(call: &Call) -> String {
    call.bearer_digest().unwrap_or_default()
}
