//! What is left of the calls that a provider takes, for operators.

use std::borrow::Cow;

use jiff::Timestamp;
use roadstead_core::{LimitSource, RateBucket};
use schemars::JsonSchema;
use serde::Serialize;

/// Calls that the provider counts together. All numbers without a unit in their names are calls.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BudgetBucket")]
pub(crate) struct BudgetBucket {
    /// Which calls; unique within an account.
    #[schemars(with = "String", example = &"per_hour")]
    name: Cow<'static, str>,
    /// How many a window allows; `null` where neither the provider's documentation nor an
    /// answer tells.
    #[schemars(example = 5000)]
    limit: Option<u64>,
    /// Whether the provider's own answers gave the limit. Else it is the documented one.
    #[schemars(example = true)]
    limit_is_stated: bool,
    /// How long a window is, in seconds.
    #[schemars(example = 3600)]
    window_seconds: u64,
    /// How many are left now, those under way counted as made; `null` without a limit.
    #[schemars(example = 4211)]
    left: Option<u64>,
    /// How many are under way.
    #[schemars(example = 3)]
    in_flight: u64,
    /// How many wait for their turn.
    #[schemars(example = 0)]
    waiting: u64,
    /// At how many left somebody stops, so that the more urgent can still go on.
    stops_at: StopsAt,
    /// When more will be left; `null` while none was made.
    resets_at: Option<Timestamp>,
    /// Until when nothing is sent, where the provider has asked for that; else `null`.
    closed_until: Option<Timestamp>,
    /// When the provider spoke of these calls last; `null` before its first word, and where its
    /// answers never speak of them.
    stated_at: Option<Timestamp>,
}

/// At how many calls left somebody stops.
#[derive(Debug, Serialize, JsonSchema)]
struct StopsAt {
    /// Polls, sweeps, renewing what is cached.
    #[schemars(example = 2000)]
    background: u64,
    /// What somebody waits for.
    #[schemars(example = 1000)]
    people: u64,
    /// Changes too: what is left then is never used.
    #[schemars(example = 250)]
    changes: u64,
}

impl From<RateBucket> for BudgetBucket {
    fn from(it: RateBucket) -> Self {
        Self {
            name: it.name,
            limit: it.limit,
            limit_is_stated: it.limit_by == LimitSource::Stated,
            window_seconds: it.window.as_secs(),
            left: it.left,
            in_flight: it.in_flight,
            waiting: it.waiting,
            stops_at: StopsAt {
                background: it.reserve.background,
                people: it.reserve.people,
                changes: it.reserve.mutate,
            },
            resets_at: it.resets_at,
            closed_until: it.closed_until,
            stated_at: it.as_of,
        }
    }
}
