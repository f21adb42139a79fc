//! The sweeper in virtual time.

use std::collections::BTreeMap;

use roadstead_repository::Lifecycle;

use super::{Event, Millis, SECOND, World, millis};
use crate::vendor::Object;

/// What earlier sweeps have seen.
#[derive(Debug, Default)]
pub(super) struct Sweeper {
    /// Servers that are to go if they are seen again.
    sighted: BTreeMap<u64, Millis>,
}

impl World {
    pub(super) fn sweep_list(&mut self) {
        let next = self.now + millis(self.engine.clockwork.sweep);
        self.put(next, Event::SweepList);
        if !self.engine.sweeper || self.frozen || self.accident(150) || !self.is_same() {
            return;
        }
        let listed = if self.foreign {
            Vec::new()
        } else {
            self.vendor.listed(self.now).cloned().collect()
        };
        let time = self.now + self.rng.u64(1..2 * SECOND);
        // The process may be killed in between.
        if !self.accident(60) {
            self.put(time, Event::SweepJudge(listed));
        }
    }

    pub(super) fn sweep_judge(&mut self, listed: &[Object]) {
        for object in listed {
            let Some(server) = self.store.servers.get(object.mark) else {
                continue;
            };
            let is_bound = server.bound == Some(object.id);
            let is_over = matches!(server.lifecycle, Lifecycle::Failed | Lifecycle::Deleted);
            let other = server.bound.is_some_and(|it| it != object.id);
            let ours = server.attempts.iter();
            let ours = ours.copied().any(|it| object.created + 60 * SECOND >= it);
            let is_unwanted = is_over || other && !is_bound;
            if !is_unwanted || !ours {
                continue;
            }
            if self.sweeper.sighted.insert(object.id, self.now).is_some() {
                let time = self.now + self.rng.u64(1..SECOND);
                self.put(time, Event::Doom(object.id, object.mark));
            }
        }
    }
}
