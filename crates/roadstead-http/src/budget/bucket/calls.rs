//! The calls of the last window, oldest first.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::after;

/// Calls closer together than this part of a window are kept as one entry.
const GRAINS: u32 = 1000;

/// The calls of the last window.
#[derive(Debug, Default)]
pub(super) struct Calls {
    entries: VecDeque<Entry>,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    first: Timestamp,
    /// All of them are forgotten with the last.
    last: Timestamp,
    count: u64,
}

impl Calls {
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Adds calls that are the latest so far.
    pub(super) fn add(&mut self, at: Timestamp, count: u64, window: Duration) {
        if count == 0 {
            return;
        }
        self.count = self.count.saturating_add(count);
        match self.entries.back_mut() {
            Some(entry) if at < after(entry.first, window / GRAINS) => {
                entry.last = entry.last.max(at);
                entry.count = entry.count.saturating_add(count);
            }
            _ => self.entries.push_back(Entry {
                first: at,
                last: at,
                count,
            }),
        }
    }

    /// Adds calls of any time.
    pub(super) fn insert(&mut self, calls: &[(Timestamp, u64)]) {
        for (at, count) in calls.iter().filter(|(_, count)| *count > 0) {
            self.count = self.count.saturating_add(*count);
            let entry = Entry {
                first: *at,
                last: *at,
                count: *count,
            };
            let place = self.entries.partition_point(|it| it.last <= *at);
            self.entries.insert(place, entry);
        }
    }

    /// Forgets what is older than a window.
    pub(super) fn forget(&mut self, window: Duration, now: Timestamp) {
        while let Some(entry) = self.entries.front()
            && after(entry.last, window) <= now
        {
            self.count = self.count.saturating_sub(entry.count);
            self.entries.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.count = 0;
    }

    /// Returns when so many will be forgotten; `None` when there are not so many.
    pub(super) fn gone_at(&self, count: u64, window: Duration) -> Option<Timestamp> {
        let mut gone: u64 = 0;
        for entry in &self.entries {
            gone = gone.saturating_add(entry.count);
            if gone >= count {
                return Some(after(entry.last, window));
            }
        }
        None
    }
}
