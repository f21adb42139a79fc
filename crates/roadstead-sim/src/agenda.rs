//! What will happen to a server, and when.

use std::collections::VecDeque;

use crate::clock::Instant;

/// Planned changes, soonest first.
#[derive(Debug)]
pub(crate) struct Agenda<C> {
    changes: VecDeque<(Instant, C)>,
}

impl<C> Agenda<C> {
    pub(crate) const fn new() -> Self {
        Self {
            changes: VecDeque::new(),
        }
    }

    /// Plans a change, after those that are planned for the same moment.
    pub(crate) fn plan(&mut self, at: Instant, change: C) {
        let place = self.changes.partition_point(|(other, _)| *other <= at);
        self.changes.insert(place, (at, change));
    }

    /// Takes the next change whose time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, C)> {
        self.changes.pop_front_if(|(at, _)| *at <= now)
    }

    /// Forgets what was planned.
    pub(crate) fn clear(&mut self) {
        self.changes.clear();
    }
}
