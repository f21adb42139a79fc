//! A circuit: shut after failures in a row, tried by one call at a time, open again after one
//! that went well.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::after;

/// When a provider that fails is left alone, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CircuitPolicy {
    /// After how many failures in a row.
    pub failures: u32,
    /// For how long at first. It doubles with each try that fails.
    pub pause: Duration,
    /// For how long at most.
    pub longest_pause: Duration,
    /// How long a call that its caller gave up must have taken to count as a failure.
    pub silent: Duration,
}

impl Default for CircuitPolicy {
    fn default() -> Self {
        Self {
            failures: 5,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            silent: Duration::from_secs(10),
        }
    }
}

/// Whether calls are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// They are.
    Closed,
    /// None is.
    Open,
    /// One is, to try.
    HalfOpen,
}

impl CircuitState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Returns the word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// How long anybody is told to wait who comes while another one tries.
const BESIDE_A_TRY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Circuit {
    failures: u32,
    /// Counts how often it opened or closed: what a call that is older than that finds out is
    /// old news.
    turns: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Timestamp,
    pause: Duration,
    tried: bool,
}

/// A call that was let through, and when.
#[derive(Debug)]
pub(super) struct Turn {
    number: u64,
    tries: bool,
}

/// What a call is told.
#[derive(Debug)]
pub(super) enum Gate {
    Open(Turn),
    Shut { until: Timestamp, failures: u32 },
}

impl Circuit {
    pub(super) fn enter(&mut self, now: Timestamp) -> Gate {
        let number = self.turns;
        let Some(open) = &mut self.open else {
            return Gate::Open(Turn {
                number,
                tries: false,
            });
        };
        let until = if now < open.until {
            open.until
        } else {
            after(now, BESIDE_A_TRY)
        };
        if now < open.until || open.tried {
            return Gate::Shut {
                until,
                failures: self.failures,
            };
        }
        open.tried = true;
        Gate::Open(Turn {
            number,
            tries: true,
        })
    }

    /// Notes that the provider works. Returns whether the circuit closed by it.
    pub(super) const fn succeed(&mut self, turn: Turn) -> bool {
        if turn.number != self.turns {
            return false;
        }
        self.failures = 0;
        if self.open.take().is_some() {
            self.turns += 1;
            return true;
        }
        false
    }

    /// Notes that the provider does not. Returns until when the circuit is open, if it opened by
    /// it, or stays open longer.
    pub(super) fn fail(
        &mut self,
        turn: Turn,
        now: Timestamp,
        policy: &CircuitPolicy,
    ) -> Option<Timestamp> {
        if turn.number != self.turns {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        let pause = match &self.open {
            Some(open) => open.pause.saturating_mul(2).min(policy.longest_pause),
            None if self.failures >= policy.failures => policy.pause,
            None => return None,
        };
        self.turns += 1;
        let until = after(now, pause);
        self.open = Some(Open {
            until,
            pause,
            tried: false,
        });
        Some(until)
    }

    /// Notes that a call told nothing. Where it was to try, another one may.
    pub(super) const fn pass_by(&mut self, turn: Turn) {
        if turn.tries
            && turn.number == self.turns
            && let Some(open) = &mut self.open
        {
            open.tried = false;
        }
    }

    pub(super) fn state(&self, now: Timestamp) -> CircuitState {
        match &self.open {
            None => CircuitState::Closed,
            Some(open) if now < open.until => CircuitState::Open,
            Some(_) => CircuitState::HalfOpen,
        }
    }

    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.open.as_ref().map(|it| it.until).filter(|it| now < *it)
    }
}

#[cfg(test)]
mod tests;
