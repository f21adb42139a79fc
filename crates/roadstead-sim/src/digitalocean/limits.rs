//! The rate limits: sliding logs of an hour and a minute per token.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Instant;
use crate::vendor::Call;

use super::refusal::Refusal;

const PER_HOUR: usize = 5000;
const PER_MINUTE: usize = 250;
const KEY_LISTS_PER_MINUTE: usize = 10;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// The calls of the last hour, by token.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    all: HashMap<String, VecDeque<Instant>>,
    key_lists: HashMap<String, VecDeque<Instant>>,
}

impl Limits {
    /// Refuses a call that would be one too many.
    pub(crate) fn admit(&mut self, digest: &str, call: &Call, now: Instant) -> Result<(), Refusal> {
        if lists_keys(call) {
            let log = self.key_lists.entry(digest.to_owned()).or_default();
            refuse_burst(log, KEY_LISTS_PER_MINUTE, now)?;
        }
        let log = self.all.entry(digest.to_owned()).or_default();
        refuse_burst(log, PER_MINUTE, now)?;
        forget(log, now);
        if log.len() >= PER_HOUR {
            return Err(Refusal::throttled(None));
        }
        Ok(())
    }

    /// Remembers a call.
    pub(crate) fn count(&mut self, digest: &str, call: &Call, now: Instant) {
        if lists_keys(call) {
            let log = self.key_lists.entry(digest.to_owned()).or_default();
            forget(log, now);
            log.push_back(now);
        }
        let log = self.all.entry(digest.to_owned()).or_default();
        forget(log, now);
        log.push_back(now);
    }

    /// Returns the headers that every answer carries.
    pub(crate) fn headers(&mut self, digest: &str, now: Instant) -> Vec<(String, String)> {
        let mut used = 0;
        let mut reset = now + HOUR;
        if let Some(log) = self.all.get_mut(digest) {
            forget(log, now);
            used = log.len();
            if let Some(oldest) = log.front() {
                reset = *oldest + HOUR;
            }
        }
        let remaining = PER_HOUR.saturating_sub(used);
        vec![
            ("ratelimit-limit".to_owned(), PER_HOUR.to_string()),
            ("ratelimit-remaining".to_owned(), remaining.to_string()),
            (
                "ratelimit-reset".to_owned(),
                reset.epoch_seconds().to_string(),
            ),
        ]
    }
}

fn lists_keys(call: &Call) -> bool {
    call.method == "GET" && call.path == "/v2/account/keys"
}

fn forget(log: &mut VecDeque<Instant>, now: Instant) {
    while log.front().is_some_and(|oldest| now.since(*oldest) >= HOUR) {
        log.pop_front();
    }
}

/// Refuses if the last minute is full, and says when its oldest call leaves.
fn refuse_burst(log: &VecDeque<Instant>, limit: usize, now: Instant) -> Result<(), Refusal> {
    let Some(oldest) = log.iter().rev().nth(limit.saturating_sub(1)) else {
        return Ok(());
    };
    let age = now.since(*oldest);
    if age >= MINUTE {
        return Ok(());
    }
    let seconds = MINUTE.saturating_sub(age).as_secs().saturating_add(1);
    Err(Refusal::throttled(Some(seconds)))
}
