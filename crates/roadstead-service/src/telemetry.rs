//! The series of this crate: what they are called, what they mean, and those that are read
//! when somebody looks.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use roadstead_cache::CatalogueKind;
use roadstead_repository::{OperationState, Tally, Verification};
use tracing::warn;

use crate::health::CircuitState;
use crate::platform::Platform;

pub(crate) const PROVIDER_CALLS: &str = "roadstead_provider_calls_total";
pub(crate) const PROVIDER_CALL_SECONDS: &str = "roadstead_provider_call_duration_seconds";
const BUDGET_LEFT: &str = "roadstead_provider_budget_left";
const BUDGET_LIMIT: &str = "roadstead_provider_budget_limit";
const CIRCUIT_OPEN: &str = "roadstead_provider_circuit_open";
const FROZEN: &str = "roadstead_provider_frozen";
const CACHE_AGE: &str = "roadstead_cache_age_seconds";
const CACHE_REQUESTS: &str = "roadstead_cache_requests_total";
const CACHE_RENEWALS: &str = "roadstead_cache_renewals_total";
const OPERATIONS: &str = "roadstead_operations";
const OLDEST: &str = "roadstead_operations_oldest_age_seconds";
pub(crate) const SWEEPS: &str = "roadstead_sweeps_total";
pub(crate) const SWEEP_DELETIONS: &str = "roadstead_sweep_deletions_total";
const MISSING: &str = "roadstead_servers_missing";
const QUARANTINED: &str = "roadstead_servers_quarantined";
const DOOMED: &str = "roadstead_servers_doomed";
const ATTENTION: &str = "roadstead_servers_attention";
const DATABASE_UP: &str = "roadstead_database_up";
const CONNECTIONS_MAX: &str = "roadstead_database_connections_max";
const CONNECTIONS_OPEN: &str = "roadstead_database_connections_open";
const CONNECTIONS_IN_USE: &str = "roadstead_database_connections_in_use";
const CONNECTIONS_WAITING: &str = "roadstead_database_connections_waiting";

/// How long the database may take to be counted in before it counts as away.
const PATIENCE: Duration = Duration::from_secs(3);

/// Describes the series of this crate to the recorder of this process.
pub fn describe() {
    describe_counter!(PROVIDER_CALLS, Unit::Count, "Calls to providers.");
    describe_histogram!(
        PROVIDER_CALL_SECONDS,
        Unit::Seconds,
        "How long calls to providers take, with their waits and repeats."
    );
    describe_gauge!(BUDGET_LEFT, "Calls left in a provider's window.");
    describe_gauge!(BUDGET_LIMIT, "Calls that a provider's window allows.");
    describe_gauge!(
        CIRCUIT_OPEN,
        "Whether a provider is left alone, because calls of a class failed again and again."
    );
    describe_gauge!(
        FROZEN,
        "Whether nothing is sent with an account's token, because the provider refuses it or it \
         opens another account."
    );
    describe_gauge!(
        CACHE_AGE,
        Unit::Seconds,
        "Age of what is kept of a catalogue."
    );
    describe_counter!(CACHE_REQUESTS, Unit::Count, "Requests for a catalogue.");
    describe_counter!(
        CACHE_RENEWALS,
        Unit::Count,
        "Calls to a provider for a catalogue."
    );
    describe_gauge!(OPERATIONS, "Operations that are not over.");
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "How long ago the oldest operation that is not over was accepted."
    );
    describe_gauge!(ATTENTION, "Servers about which a person must decide.");
    describe_counter!(
        SWEEPS,
        Unit::Count,
        "Sweeps of accounts, by how they ended."
    );
    describe_counter!(
        SWEEP_DELETIONS,
        Unit::Count,
        "Servers that a sweep has asked the provider to delete."
    );
    describe_gauge!(
        MISSING,
        "Servers that their provider has no more, though nobody asked for it."
    );
    describe_gauge!(
        QUARANTINED,
        "Servers at providers that carry our mark and that nobody can vouch for."
    );
    describe_gauge!(
        DOOMED,
        "Servers at providers that are to be deleted, or will be when they are seen again."
    );
    describe_gauge!(DATABASE_UP, "Whether the database answered at this scrape.");
    describe_gauge!(
        CONNECTIONS_MAX,
        "Most connections to the database at a time."
    );
    describe_gauge!(CONNECTIONS_OPEN, "Open connections to the database.");
    describe_gauge!(
        CONNECTIONS_IN_USE,
        "Connections to the database that are in use."
    );
    describe_gauge!(
        CONNECTIONS_WAITING,
        "Callers that wait for a connection to the database."
    );
}

impl Platform {
    /// Sets the gauges that are read when somebody looks: what is under way, the ages of the
    /// catalogues, what is left of the budgets, the connections. One that cannot be read is not
    /// a number, so that nobody takes an old value for a new one.
    pub async fn sample(&self) {
        for pool in self.repository.pools() {
            set(CONNECTIONS_MAX, pool.name, pool.max);
            set(CONNECTIONS_OPEN, pool.name, pool.open);
            set(CONNECTIONS_IN_USE, pool.name, pool.in_use);
            set(CONNECTIONS_WAITING, pool.name, pool.waiting);
        }
        self.sample_accounts().await;
        let tally = match tokio::time::timeout(PATIENCE, self.repository.tally()).await {
            Ok(Ok(tally)) => Some(tally),
            Ok(Err(error)) => {
                warn!(error = %error, "could not count what is under way");
                None
            }
            Err(_elapsed) => {
                warn!("could not count what is under way in time");
                None
            }
        };
        gauge!(DATABASE_UP).set(if tally.is_some() { 1.0 } else { 0.0 });
        sample_operations(tally.as_ref());
    }

    async fn sample_accounts(&self) {
        for account in self.registry.in_use().await {
            let kind = account.record.kind.to_string();
            let id = account.record.id.to_string();
            let frozen = matches!(account.record.verification, Verification::Refused { .. });
            gauge!(FROZEN, "provider_kind" => kind.clone(), "provider_id" => id.clone())
                .set(if frozen { 1.0 } else { 0.0 });
            for circuit in account.health.circuits() {
                let closed = circuit.state == CircuitState::Closed;
                gauge!(
                    CIRCUIT_OPEN,
                    "provider_kind" => kind.clone(),
                    "provider_id" => id.clone(),
                    "class" => circuit.class.as_str(),
                )
                .set(if closed { 0.0 } else { 1.0 });
            }
            for catalogue in CatalogueKind::ALL {
                let status = account.catalogue.status(catalogue);
                gauge!(
                    CACHE_AGE,
                    "provider_kind" => kind.clone(),
                    "provider_id" => id.clone(),
                    "catalogue" => catalogue.as_str(),
                )
                .set(status.age.map_or(f64::NAN, |it| it.as_secs_f64()));
                let counts = status.counts;
                for (name, outcome, count) in [
                    (CACHE_REQUESTS, "fresh", counts.fresh),
                    (CACHE_REQUESTS, "stale", counts.stale),
                    (CACHE_REQUESTS, "waited", counts.waited),
                    (CACHE_RENEWALS, "renewed", counts.renewed),
                    (CACHE_RENEWALS, "failed", counts.failed),
                ] {
                    counter!(
                        name,
                        "provider_kind" => kind.clone(),
                        "provider_id" => id.clone(),
                        "catalogue" => catalogue.as_str(),
                        "outcome" => outcome,
                    )
                    .absolute(count);
                }
            }
            for bucket in account.provider.budget() {
                for (name, value) in [(BUDGET_LEFT, bucket.left), (BUDGET_LIMIT, bucket.limit)] {
                    gauge!(
                        name,
                        "provider_kind" => kind.clone(),
                        "provider_id" => id.clone(),
                        "bucket" => bucket.name.to_string(),
                    )
                    .set(value.map_or(f64::NAN, number));
                }
            }
        }
    }
}

fn sample_operations(tally: Option<&Tally>) {
    for state in OperationState::ALL {
        if state.is_final() {
            continue;
        }
        let (count, oldest) = match tally {
            None => (f64::NAN, f64::NAN),
            Some(tally) => {
                let open = tally.operations.iter().find(|it| it.state == state);
                open.map_or((0.0, 0.0), |it| (number(it.count), it.oldest.as_secs_f64()))
            }
        };
        gauge!(OPERATIONS, "state" => state.as_str()).set(count);
        gauge!(OLDEST, "state" => state.as_str()).set(oldest);
    }
    let set = |name, count: fn(&Tally) -> u64| {
        gauge!(name).set(tally.map_or(f64::NAN, |it| number(count(it))));
    };
    set(ATTENTION, |it| it.attention);
    set(MISSING, |it| it.missing);
    set(QUARANTINED, |it| it.quarantined);
    set(DOOMED, |it| it.doomed);
}

fn set(name: &'static str, pool: &'static str, value: usize) {
    gauge!(name, "pool" => pool).set(number(u64::try_from(value).unwrap_or(u64::MAX)));
}

/// Above 2^53 a gauge is inexact, which is no matter here.
#[expect(
    clippy::as_conversions,
    reason = "no lossless conversion exists, and none is needed"
)]
const fn number(count: u64) -> f64 {
    count as f64
}
