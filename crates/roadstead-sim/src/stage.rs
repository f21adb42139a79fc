//! What all vendors stand on: settings, time, chance, tokens, journal and faults.

use crate::clock::Clock;
use crate::config::SimulatorConfig;
use crate::draw::Draw;
use crate::elsewhere::Elsewhere;
use crate::faults::Faults;
use crate::gate::Gate;
use crate::journal::Journal;
use crate::limits::LimitBook;
use crate::tokens::Tokens;

/// The shared parts of one running simulator.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) config: SimulatorConfig,
    pub(crate) clock: Clock,
    pub(crate) draw: Draw,
    pub(crate) tokens: Tokens,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) limits: LimitBook,
    pub(crate) gate: Gate,
    pub(crate) elsewhere: Elsewhere,
}

impl Stage {
    pub(crate) fn new(config: SimulatorConfig) -> Self {
        Self {
            clock: Clock::new(config.time_scale),
            draw: Draw::new(config.seed),
            tokens: Tokens::new(),
            journal: Journal::default(),
            faults: Faults::default(),
            gate: Gate::default(),
            elsewhere: Elsewhere::default(),
            limits: LimitBook::new(config.enforce_limits),
            config,
        }
    }
}
