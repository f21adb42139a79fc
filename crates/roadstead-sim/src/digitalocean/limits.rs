//! The rate limits: sliding logs of an hour and a minute per token.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Instant;
use crate::limits::{Limit, LimitBook};
use crate::vendor::Call;

use super::refusal::Refusal;

/// The vendor's limits. Only the first is stated on every answer.
pub(crate) const LIMITS: [(&str, Limit); 3] = [
    (HOUR, Limit::new(5000, 3600)),
    (BURST, Limit::new(250, 60)),
    (KEY_LISTS, Limit::new(10, 60)),
];
const HOUR: &str = "hour";
const BURST: &str = "burst";
const KEY_LISTS: &str = "key_lists";

type Log = VecDeque<Instant>;

/// The calls of the last hour, by token.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    all: HashMap<String, Log>,
    key_lists: HashMap<String, Log>,
}

impl Limits {
    /// Counts a call, or refuses one that would be one too many.
    pub(crate) fn admit(
        &mut self,
        book: &LimitBook,
        digest: &str,
        call: &Call,
        now: Instant,
    ) -> Result<(), Refusal> {
        let hour = book.get(HOUR);
        let lists_keys = call.method == "GET" && call.path == "/v2/account/keys";
        let key_lists = self.key_lists.entry(digest.to_owned()).or_default();
        if lists_keys {
            refuse_burst(key_lists, book.get(KEY_LISTS), now)?;
        }
        let all = self.all.entry(digest.to_owned()).or_default();
        refuse_burst(all, book.get(BURST), now)?;
        forget(all, hour.window(), now);
        if count(all) >= hour.calls {
            return Err(Refusal::throttled(None));
        }
        all.push_back(now);
        if lists_keys {
            forget(key_lists, hour.window(), now);
            key_lists.push_back(now);
        }
        Ok(())
    }

    /// Returns the headers that every answer carries.
    pub(crate) fn headers(
        &mut self,
        book: &LimitBook,
        digest: &str,
        now: Instant,
    ) -> Vec<(String, String)> {
        let hour = book.get(HOUR);
        let mut used = 0;
        let mut reset = now + hour.window();
        if let Some(log) = self.all.get_mut(digest) {
            forget(log, hour.window(), now);
            used = count(log);
            if let Some(oldest) = log.front() {
                reset = *oldest + hour.window();
            }
        }
        let remaining = hour.calls.saturating_sub(used);
        vec![
            ("ratelimit-limit".to_owned(), hour.calls.to_string()),
            ("ratelimit-remaining".to_owned(), remaining.to_string()),
            (
                "ratelimit-reset".to_owned(),
                reset.epoch_seconds().to_string(),
            ),
        ]
    }
}

fn count(log: &Log) -> u64 {
    u64::try_from(log.len()).unwrap_or(u64::MAX)
}

fn forget(log: &mut Log, window: Duration, now: Instant) {
    while log
        .front()
        .is_some_and(|oldest| now.since(*oldest) >= window)
    {
        log.pop_front();
    }
}

/// Refuses if the last window is full, and says when its oldest call leaves.
fn refuse_burst(log: &Log, limit: Limit, now: Instant) -> Result<(), Refusal> {
    let calls = usize::try_from(limit.calls).unwrap_or(usize::MAX);
    let leaves = match calls.checked_sub(1) {
        // Nothing is admitted at all.
        None => now + limit.window(),
        Some(before) => match log.iter().rev().nth(before) {
            Some(oldest) => *oldest + limit.window(),
            None => return Ok(()),
        },
    };
    if leaves <= now {
        return Ok(());
    }
    let seconds = leaves.since(now).as_secs().saturating_add(1);
    Err(Refusal::throttled(Some(seconds)))
}
