//! How an account's provider has been doing, as this process has seen it, and what is not sent
//! to it for that reason.

mod circuit;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use roadstead_core::{Clock, Error, ErrorKind, Outcome, ProviderKind, Result, Retry};
use tracing::{info, warn};

use self::circuit::{Circuit, Gate, Turn};
pub use self::circuit::{CircuitPolicy, CircuitState};

/// Which calls fail together. A provider that takes no changes may still be read, and what
/// nobody waits for must not use up the patience of those who do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallClass {
    /// Reads that somebody waits for.
    Read,
    /// Whatever changes something.
    Mutate,
    /// Reads that nobody waits for.
    Background,
}

impl CallClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Read, Self::Mutate, Self::Background];

    /// Returns the word used in JSON, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Mutate => "mutate",
            Self::Background => "background",
        }
    }
}

/// The last call that the vendor answered or failed to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCall {
    /// When it ended.
    pub at: Timestamp,
    /// Which method of the provider it was.
    pub call: &'static str,
    /// `ok`, or the kind of the failure.
    pub outcome: &'static str,
    /// How long it took, with its waits and repeats.
    pub took: Duration,
}

/// One class of calls, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitStatus {
    /// Which calls.
    pub class: CallClass,
    /// Whether they are sent.
    pub state: CircuitState,
    /// How many have failed one after the other.
    pub failures: u32,
    /// When the next one is sent at the earliest, where none is now.
    pub until: Option<Timestamp>,
}

/// How an account's provider has been doing in this process.
pub struct Health {
    clock: Arc<dyn Clock>,
    policy: CircuitPolicy,
    account: Box<str>,
    circuits: [Mutex<Circuit>; 3],
    last: Mutex<Option<LastCall>>,
}

impl Health {
    /// Begins with what nothing is known of.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, policy: CircuitPolicy, account: impl Into<Box<str>>) -> Self {
        Self {
            clock,
            policy,
            account: account.into(),
            circuits: Default::default(),
            last: Mutex::default(),
        }
    }

    /// Returns the last call, if there was one.
    #[must_use]
    pub fn last_call(&self) -> Option<LastCall> {
        *self.last.lock()
    }

    /// Returns how each class of calls stands.
    #[must_use]
    pub fn circuits(&self) -> [CircuitStatus; 3] {
        let now = self.clock.now();
        CallClass::ALL.map(|class| {
            let circuit = self.circuit(class).lock();
            CircuitStatus {
                class,
                state: circuit.state(now),
                failures: circuit.failures(),
                until: circuit.until(now),
            }
        })
    }

    /// Lets a call through, if its class is.
    ///
    /// # Errors
    ///
    /// `Transport`, not executed, with the time to come back.
    pub(crate) fn enter(
        &self,
        class: CallClass,
        call: &'static str,
        kind: &ProviderKind,
    ) -> Result<Pass<'_>> {
        let began = self.clock.now();
        match self.circuit(class).lock().enter(began) {
            Gate::Open(turn) => Ok(Pass {
                health: self,
                class,
                call,
                began,
                turn: Some(turn),
            }),
            Gate::Shut { until, failures } => Err(shut(kind, until, failures)),
        }
    }

    fn circuit(&self, class: CallClass) -> &Mutex<Circuit> {
        let [read, mutate, background] = &self.circuits;
        match class {
            CallClass::Read => read,
            CallClass::Mutate => mutate,
            CallClass::Background => background,
        }
    }

    fn settle(&self, class: CallClass, turn: Turn, verdict: Verdict, now: Timestamp) {
        let mut circuit = self.circuit(class).lock();
        match verdict {
            Verdict::Alive => {
                if circuit.succeed(turn) {
                    info!(
                        provider.id = &*self.account,
                        circuit.class = class.as_str(),
                        "the provider answers again; its calls are sent again"
                    );
                }
            }
            Verdict::Failing => {
                if let Some(until) = circuit.fail(turn, now, &self.policy) {
                    warn!(
                        provider.id = &*self.account,
                        circuit.class = class.as_str(),
                        circuit.failures = circuit.failures(),
                        circuit.until = %until,
                        "the provider fails again and again; nothing of this class is sent for now"
                    );
                }
            }
            Verdict::Nothing => circuit.pass_by(turn),
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("account", &self.account)
            .field("circuits", &self.circuits)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// What an answer says about the provider, not about the request.
#[derive(Clone, Copy)]
enum Verdict {
    Alive,
    Failing,
    /// Nobody was asked, or the answer came from nobody who could tell.
    Nothing,
}

fn judge(error: &Error) -> Verdict {
    match (error.kind, error.http) {
        (ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::OutcomeUnknown, _)
        // A web page with a good status comes from something before the provider.
        | (ErrorKind::Server | ErrorKind::Maintenance, None | Some(..300 | 500..))
        | (_, Some(408)) => Verdict::Failing,
        // Refused, but by a provider that works: also where it asks us to wait.
        (_, Some(_)) => Verdict::Alive,
        (_, None) => Verdict::Nothing,
    }
}

fn shut(kind: &ProviderKind, until: Timestamp, failures: u32) -> Error {
    let message = format!("it failed {failures} times in a row, so it is left alone for a while");
    Error::new(kind.clone(), "take the call", ErrorKind::Transport, message)
        .with_outcome(Outcome::NotExecuted)
        .with_retry(Retry::At(until))
        .with_attempts(0)
}

/// A call that was let through. One that its caller gives up half-way says nothing, unless it
/// had taken so long that the provider counts as silent.
#[must_use]
pub(crate) struct Pass<'a> {
    health: &'a Health,
    class: CallClass,
    call: &'static str,
    began: Timestamp,
    turn: Option<Turn>,
}

impl Pass<'_> {
    /// Notes what the call came to.
    pub(crate) fn ended<T>(mut self, answer: &Result<T>) {
        match answer {
            Ok(_) => self.end(Verdict::Alive, "ok"),
            Err(error) => self.end(judge(error), error.kind.as_str()),
        }
    }

    fn end(&mut self, verdict: Verdict, outcome: &'static str) {
        let Some(turn) = self.turn.take() else {
            return;
        };
        let now = self.health.clock.now();
        let took = now.duration_since(self.began);
        let took = Duration::try_from(took).unwrap_or(Duration::ZERO);
        self.health.settle(self.class, turn, verdict, now);
        if !matches!(verdict, Verdict::Nothing) {
            *self.health.last.lock() = Some(LastCall {
                at: now,
                call: self.call,
                outcome,
                took,
            });
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let took = self.health.clock.now().duration_since(self.began);
        let is_silent = Duration::try_from(took).is_ok_and(|it| it >= self.health.policy.silent);
        let verdict = if is_silent {
            Verdict::Failing
        } else {
            Verdict::Nothing
        };
        self.end(verdict, "cut_off");
    }
}

#[cfg(test)]
mod tests;
