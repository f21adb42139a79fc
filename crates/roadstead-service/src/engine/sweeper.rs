//! The sweeper: compares everything that an account has with our books, at its turn and under a
//! lease, and does what follows from it.

mod judge;
mod ordered;
mod pass;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use metrics::counter;
use roadstead_core::ProviderId;
use roadstead_repository::{SweepClaim, SweepEnd, SweepOutcome};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{Instrument, debug, error, info_span, warn};
use uuid::Uuid;

pub use self::judge::{Absence, Judgment, Rule, Verdict, judge};
pub(crate) use self::judge::{Mark, marks};
use self::pass::Pass;
use crate::Platform;
use crate::telemetry::{SWEEP_DELETIONS, SWEEPS};

/// How long the sweeper sleeps at most, so that what another process has hastened is seen.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// Sweeps every account at its turn until told to stop.
pub(super) async fn run(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    let worker = Uuid::now_v7();
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        let sleep = until_next(&platform).await;
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            Some(ended) = running.join_next(), if !running.is_empty() => {
                report(ended);
                continue;
            }
            () = platform.sweeps.work.notified() => {}
            () = platform.clock.sleep(sleep) => {}
        }
        let Clocks { lease, interval } = Clocks::of(&platform);
        match platform
            .repository
            .claim_sweeps(worker, lease, interval)
            .await
        {
            Ok(claims) => {
                for claim in claims {
                    let span = info_span!("sweep", provider.id = %claim.provider);
                    let (platform, stop) = (Arc::clone(&platform), stop.clone());
                    running.spawn(sweep(platform, claim, stop).instrument(span));
                }
            }
            Err(error) => {
                warn!(error = %error, "could not claim sweeps");
                platform.clock.sleep(LONGEST_SLEEP.min(interval)).await;
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        report(ended);
    }
    if let Err(error) = platform.repository.release_sweeps(worker).await {
        warn!(error = %error, "could not hand back sweeps; their leases expire by themselves");
    }
}

/// Has an account swept soon: something is to be seen there for the second time.
pub(crate) async fn hasten(platform: &Platform, provider: ProviderId) {
    let within = platform.clockwork.look_interval;
    if let Err(error) = platform.repository.hasten_sweep(provider, within).await {
        warn!(provider.id = %provider, error = %error, "could not hasten a sweep; it comes at its turn");
    }
    platform.sweeps.ring();
}

struct Clocks {
    lease: Duration,
    interval: Duration,
}

impl Clocks {
    fn of(platform: &Platform) -> Self {
        Self {
            lease: platform.clockwork.lease,
            interval: platform.clockwork.sweep,
        }
    }
}

async fn until_next(platform: &Platform) -> Duration {
    let due = match platform.repository.next_sweep().await {
        Ok(due) => due,
        Err(error) => {
            debug!(error = %error, "could not read when the next sweep is due");
            None
        }
    };
    let now = platform.clock.now();
    due.map_or(LONGEST_SLEEP, |it: Timestamp| {
        Duration::try_from(it.duration_since(now)).unwrap_or(Duration::ZERO)
    })
    // Not zero: what is due and not claimed is held by somebody else.
    .clamp(Duration::from_millis(20), LONGEST_SLEEP)
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(panic) = ended {
        // The lease expires, and the account is swept again.
        error!(error = %panic, "a sweep panicked");
    }
}

/// Sweeps one account, and says how that ended.
async fn sweep(platform: Arc<Platform>, claim: SweepClaim, stop: watch::Receiver<bool>) {
    let Some(end) = held(&platform, &claim, Pass::run(&platform, &claim, stop)).await else {
        return;
    };
    let kind = match platform.registry.account(claim.provider).await {
        Ok(account) => account.record.kind.to_string(),
        Err(_) => "unknown".to_owned(),
    };
    counter!(
        SWEEPS,
        "provider_kind" => kind.clone(),
        "provider_id" => claim.provider.to_string(),
        "outcome" => end.outcome.as_str(),
    )
    .increment(1);
    // They were counted one by one; this makes the series known where there were none.
    counter!(
        SWEEP_DELETIONS,
        "provider_kind" => kind,
        "provider_id" => claim.provider.to_string(),
    )
    .increment(0);
    match (end.outcome, end.reason.as_deref().unwrap_or_default()) {
        (SweepOutcome::Completed, _) => debug!(
            servers.seen = end.seen,
            servers.deleted = end.deleted,
            "swept the account"
        ),
        (SweepOutcome::Capped, reason) => error!(
            servers.seen = end.seen,
            servers.deleted = end.deleted,
            servers.held_back = end.held_back,
            "the sweep stopped: {reason}"
        ),
        (SweepOutcome::Frozen | SweepOutcome::Failed, reason) => {
            warn!(
                sweep.outcome = end.outcome.as_str(),
                "did not sweep the account: {reason}"
            );
        }
    }
    if let Err(error) = platform.repository.end_sweep(&claim, end).await {
        warn!(error = %error, "could not write how the sweep ended");
    }
}

/// Keeps the claim alive while the work goes on. Without it the work is given up at once:
/// somebody else may be at it.
async fn held(
    platform: &Platform,
    claim: &SweepClaim,
    work: impl Future<Output = SweepEnd>,
) -> Option<SweepEnd> {
    let lease = platform.clockwork.lease;
    let renewing = async {
        loop {
            platform.clock.sleep(lease / 5).await;
            if let Err(error) = platform.repository.renew_sweep(claim, lease).await {
                return error;
            }
        }
    };
    tokio::select! {
        biased;
        end = work => Some(end),
        error = renewing => {
            warn!(error = %error, "gave up a sweep");
            None
        }
    }
}
