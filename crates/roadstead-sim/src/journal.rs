//! The journal: every call that reached the simulator, without its token.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

/// The oldest entries make room when there are more.
const CAPACITY: usize = 50_000;

/// One call, as the simulator saw it.
#[derive(Debug, Clone, Serialize)]
pub struct JournalEntry {
    /// The order of arrival, from 1.
    pub sequence: u64,
    /// When it arrived, RFC 3339.
    pub time: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without the question mark.
    pub query: String,
    /// The SHA-256 of the token in hexadecimal, if one was sent.
    pub token_sha256: Option<String>,
    /// The body as JSON, as text if it was none, or `None` if it was empty.
    pub body: Option<Value>,
    /// The status sent, `None` while the call runs or if nothing was sent.
    pub status: Option<u16>,
    /// Whether the call changed something at the vendor.
    pub committed: bool,
    /// When it first did so, RFC 3339: later than `time` where a fault held it back.
    pub committed_at: Option<String>,
    /// The servers that it made, changed or deleted, one for each time it was executed.
    pub objects: Vec<Touched>,
    /// The fault that was applied: its id and its effect.
    pub fault: Option<String>,
    /// The server that the call made or touched.
    pub resource_id: Option<String>,
}

/// A server that a call has made, changed or deleted.
#[derive(Debug, Clone, Serialize)]
pub struct Touched {
    /// The vendor's id.
    pub id: String,
    /// The name at the vendor.
    pub name: String,
    /// The tags as they were visible just afterwards.
    pub tags: Vec<String>,
    /// What was done to it.
    pub what: Touch,
}

/// What a call did to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Touch {
    /// It was made.
    Created,
    /// It was changed.
    Changed,
    /// Its deletion was accepted.
    Deleted,
}

/// The entries of one simulator.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    entries: VecDeque<JournalEntry>,
}

impl Journal {
    /// Numbers an entry, adds it and returns its number.
    pub(crate) fn open(&self, mut entry: JournalEntry) -> u64 {
        let mut inner = self.inner.lock();
        inner.last = inner.last.saturating_add(1);
        entry.sequence = inner.last;
        if inner.entries.len() >= CAPACITY {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
        inner.last
    }

    /// Changes an entry that is still there.
    pub(crate) fn amend(&self, sequence: u64, change: impl FnOnce(&mut JournalEntry)) {
        let mut inner = self.inner.lock();
        if let Some(entry) = inner
            .entries
            .iter_mut()
            .rev()
            .find(|it| it.sequence == sequence)
        {
            change(entry);
        }
    }

    /// Returns the entries after a sequence number, oldest first.
    pub(crate) fn after(&self, sequence: u64) -> Vec<JournalEntry> {
        self.inner
            .lock()
            .entries
            .iter()
            .filter(|it| it.sequence > sequence)
            .cloned()
            .collect()
    }

    /// Forgets the entries; numbers go on.
    pub(crate) fn clear(&self) {
        self.inner.lock().entries.clear();
    }
}
