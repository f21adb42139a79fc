//! How a provider account has been doing, for operators.

use jiff::Timestamp;
use roadstead_service::{AccountHealth, CircuitStatus, LastCall};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::words;

/// How an account has been doing, as the process that answers has seen it since it started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccountHealth")]
pub(crate) struct Health {
    /// Whether nothing is sent with the account's token; `verification` says why.
    #[schemars(example = false)]
    frozen: bool,
    /// Whether calls are sent, by class.
    circuits: Vec<Circuit>,
    /// The last call that the provider answered, or should have; `null` before the first.
    last_call: Option<Call>,
    /// How old what is kept of each catalogue is.
    catalogues: Vec<CatalogueAge>,
}

/// Whether a class of calls is sent. After five failures in a row none is for a while, which
/// doubles from one second to thirty as long as a try fails. A refusal is no failure.
#[derive(Debug, Serialize, JsonSchema)]
struct Circuit {
    /// `read`: reads that somebody waits for. `mutate`: whatever changes something. `background`:
    /// reads that nobody waits for.
    #[schemars(schema_with = "words::call_class")]
    class: &'static str,
    /// `closed`: they are sent. `open`: none is. `half_open`: one is, to try.
    #[schemars(schema_with = "words::circuit_state")]
    state: &'static str,
    /// How many have failed one after the other.
    #[schemars(example = 0)]
    failures: u32,
    /// When the next one is sent at the earliest, while it is `open`; else `null`.
    until: Option<Timestamp>,
}

/// A call to the provider.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LastCall")]
struct Call {
    /// When it ended.
    at: Timestamp,
    /// Which one it was, as the log calls it.
    #[schemars(example = &"list_instances")]
    call: &'static str,
    /// `ok`, `cut_off` where we gave it up, or how it failed.
    #[schemars(example = &"ok")]
    outcome: &'static str,
    /// How long it took, with its waits and repeats, in milliseconds.
    #[schemars(example = 184)]
    took_ms: u64,
}

/// The age of what is kept of a catalogue.
#[derive(Debug, Serialize, JsonSchema)]
struct CatalogueAge {
    /// Which catalogue.
    #[schemars(schema_with = "words::catalogue_kind")]
    kind: &'static str,
    /// How many seconds ago the provider was asked for it; `null` where nothing is kept.
    #[schemars(example = 321)]
    age_seconds: Option<u64>,
}

impl From<AccountHealth> for Health {
    fn from(it: AccountHealth) -> Self {
        Self {
            frozen: it.frozen,
            circuits: it.circuits.into_iter().map(Circuit::from).collect(),
            last_call: it.last_call.map(Call::from),
            catalogues: it
                .catalogues
                .into_iter()
                .map(|(kind, age)| CatalogueAge {
                    kind: kind.as_str(),
                    age_seconds: age.map(|it| it.as_secs()),
                })
                .collect(),
        }
    }
}

impl From<CircuitStatus> for Circuit {
    fn from(it: CircuitStatus) -> Self {
        Self {
            class: it.class.as_str(),
            state: it.state.as_str(),
            failures: it.failures,
            until: it.until,
        }
    }
}

impl From<LastCall> for Call {
    fn from(it: LastCall) -> Self {
        Self {
            at: it.at,
            call: it.call,
            outcome: it.outcome,
            took_ms: u64::try_from(it.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
