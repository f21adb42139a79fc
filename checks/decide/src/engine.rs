//! What is played: the rules, or rules that are known to be wrong.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_repository::{Change, InstanceChange, OperationState};
use roadstead_service::{Book, Clockwork, Observed, Step, decide};

/// The rules, and what stands around them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Engine {
    pub(crate) decide: fn(&Book, Observed, Timestamp, &Clockwork) -> Step,
    pub(crate) clockwork: Clockwork,
    /// Whether everything marked is compared with the books now and then.
    pub(crate) sweeper: bool,
    /// Whether the account is identified before an absence is believed.
    pub(crate) fingerprint: bool,
}

/// Which rules are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rules {
    /// The engine's own.
    #[default]
    Real,
    /// Fails everything.
    FailAll,
    /// Gives everything to a person.
    ParkAll,
    /// Believes an absence at once.
    NoSettleWindow,
    /// Never sweeps.
    NoSweeper,
    /// Never asks whose account it is.
    NoFingerprint,
    /// Finds nothing in the vendor's own log.
    BlindToTheLog,
    /// Sends what may be sent at most once again, when its answer was lost.
    SendsAgain,
    /// Believes that what the vendor has taken is done.
    BelievesAcceptance,
}

impl Rules {
    pub(crate) fn engine(self) -> Engine {
        let real = Engine {
            decide,
            clockwork: Clockwork::default(),
            sweeper: true,
            fingerprint: true,
        };
        match self {
            Self::Real => real,
            Self::FailAll => Engine {
                decide: |_, _, _, _| end(OperationState::Failed),
                ..real
            },
            Self::ParkAll => Engine {
                decide: |_, _, _, _| end(OperationState::Attention),
                ..real
            },
            Self::NoSettleWindow => Engine {
                clockwork: Clockwork {
                    settle_window: Duration::ZERO,
                    ..real.clockwork
                },
                ..real
            },
            Self::NoSweeper => Engine {
                sweeper: false,
                ..real
            },
            Self::NoFingerprint => Engine {
                fingerprint: false,
                ..real
            },
            Self::BlindToTheLog => Engine {
                decide: |book, observed, now, clockwork| match observed {
                    Observed::Logged(_) => decide(book, Observed::Logged(vec![]), now, clockwork),
                    observed => decide(book, observed, now, clockwork),
                },
                ..real
            },
            Self::SendsAgain => Engine {
                decide: send_again,
                ..real
            },
            Self::BelievesAcceptance => Engine {
                decide: |book, observed, now, clockwork| match observed {
                    Observed::Accepted(_) => end(OperationState::Succeeded),
                    observed => decide(book, observed, now, clockwork),
                },
                ..real
            },
        }
    }
}

/// The rules, but for what they leave to a person because it may have been done.
fn send_again(book: &Book, observed: Observed, now: Timestamp, clockwork: &Clockwork) -> Step {
    match decide(book, observed, now, clockwork) {
        Step::Write(mut change)
            if change.state == OperationState::Attention
                && book.state == OperationState::Resolving =>
        {
            change.state = OperationState::Ready;
            Step::Write(change)
        }
        step => step,
    }
}

fn end(state: OperationState) -> Step {
    Step::Write(Box::new(Change {
        state,
        due_in: Duration::ZERO,
        attempt: None,
        empty_looks: 0,
        remote: None,
        progress: None,
        error: None,
        instance: InstanceChange::default(),
        doomed: Vec::new(),
        wipe_secrets: false,
    }))
}
