//! What members ask for in a play, and what befalls the account.

use roadstead_repository::OperationKind;

use super::{Event, FAULTS_END, MINUTE, SECOND, World, millis};

/// What is asked of a server that there is.
const ACTIONS: [OperationKind; 6] = [
    OperationKind::Boot,
    OperationKind::Shutdown,
    OperationKind::PowerOff,
    OperationKind::Reboot,
    OperationKind::Resize,
    OperationKind::Rebuild,
];

impl World {
    pub(super) fn write_script(&mut self) {
        for _ in 0..self.rng.usize(1..=3) {
            let begin = self.rng.u64(0..5 * MINUTE);
            self.put(begin, Event::Ask(usize::MAX, OperationKind::Create));
        }
        for _ in 0..self.rng.usize(0..=9) {
            let time = self.rng.u64(MINUTE..FAULTS_END);
            let server = self.rng.usize(0..3);
            let kind = self.rng.choice(ACTIONS).unwrap_or(OperationKind::Boot);
            self.put(time, Event::Ask(server, kind));
        }
        for server in 0..3 {
            if self.rng.u8(0..10) < 4 {
                let time = self.rng.u64(0..FAULTS_END);
                self.put(time, Event::Ask(server, OperationKind::Delete));
            }
        }
        if self.rng.u8(0..10) < 2 {
            let time = self.rng.u64(0..FAULTS_END);
            let end = time + self.rng.u64(30 * SECOND..5 * MINUTE);
            self.put(time, Event::Swap);
            self.put(end, Event::Thaw);
        }
        let sweep = self.rng.u64(0..millis(self.engine.clockwork.sweep));
        self.put(sweep, Event::SweepTurn);
        for worker in 0..self.workers.len() {
            self.put(0, Event::Wake(worker));
        }
    }
}
