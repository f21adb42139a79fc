//! The operations engine: workers that carry committed intents to the vendors, and the
//! poller that keeps our books true, and the sweeper that compares them with everything there is.

mod decide;
mod keys;
#[cfg(feature = "crash-points")]
mod mutant;
mod observe;
mod perform;
mod poller;
mod sweeper;
#[cfg(feature = "test-support")]
mod turns;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{OperationId, crash_point};
use roadstead_repository::Claim;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{Instrument, debug, error, info, info_span, warn};
use uuid::Uuid;

pub use self::decide::{Book, Call, Clockwork, Observed, Step, Tags, Target, decide};
pub(crate) use self::observe::observation;
pub(crate) use self::perform::is_same;
pub use self::sweeper::{Absence, Judgment, Rule as SweepRule, Verdict, judge};
pub(crate) use self::sweeper::{Mark, hasten, marks};
use crate::{Platform, feed};

/// How many operations one worker carries at once.
const WIDTH: usize = 32;

/// How long a worker sleeps at most, so that what another process accepted is seen.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Wakes whoever waits for work when some arrives.
#[derive(Debug)]
pub(crate) struct Bell {
    work: Notify,
}

impl Bell {
    pub(crate) fn new() -> Self {
        Self {
            work: Notify::new(),
        }
    }

    /// Tells this process that there is work.
    pub(crate) fn ring(&self) {
        self.work.notify_one();
    }
}

/// The running engine of a process.
#[derive(Debug)]
pub struct Engine {
    platform: Arc<Platform>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Engine {
    /// Starts the reader of events, `workers` workers, one poller and one sweeper; with no
    /// workers only the reader.
    #[must_use]
    pub fn start(platform: &Arc<Platform>, workers: usize) -> Self {
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(feed::run(Arc::clone(platform), stop.subscribe()));
        for _ in 0..workers {
            let worker = Worker {
                platform: Arc::clone(platform),
                id: Uuid::now_v7(),
            };
            tasks.spawn(worker.run(stop.subscribe()));
        }
        if workers > 0 {
            tasks.spawn(poller::run(Arc::clone(platform), stop.subscribe()));
            tasks.spawn(sweeper::run(Arc::clone(platform), stop.subscribe()));
        }
        Self {
            platform: Arc::clone(platform),
            stop,
            tasks,
        }
    }

    /// Ends all streams of events, and opens no more. A server that is to stop does this first:
    /// its streams would not end by themselves.
    pub fn end_streams(&self) {
        self.platform.feed.close();
    }

    /// Finishes the calls under way, hands everything else back, and returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(panic) = ended {
                error!(error = %panic, "a worker ended badly");
            }
        }
    }
}

struct Worker {
    platform: Arc<Platform>,
    id: Uuid,
}

impl Worker {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        while !*stop.borrow() {
            let free = WIDTH.saturating_sub(running.len());
            let claimed = self.claim(free, &mut running).await;
            let sleep = if claimed > 0 {
                Duration::ZERO
            } else {
                self.until_next_due().await
            };
            tokio::select! {
                biased;
                _ = stop.changed() => {}
                Some(ended) = running.join_next(), if !running.is_empty() => report(ended),
                () = self.platform.bell.work.notified() => {}
                () = self.platform.clock.sleep(sleep), if free > 0 => {}
            }
        }
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
        if let Err(error) = self.platform.repository.release_leases(self.id).await {
            warn!(error = %error, "could not hand back leases; they expire by themselves");
        }
    }

    async fn claim(&self, free: usize, running: &mut JoinSet<OperationId>) -> usize {
        let Ok(limit) = u32::try_from(free) else {
            return 0;
        };
        if limit == 0 {
            return 0;
        }
        let lease = self.platform.clockwork.lease;
        match self.platform.repository.claim(self.id, lease, limit).await {
            Ok(claims) => {
                let count = claims.len();
                for claim in claims {
                    let span = info_span!(
                        "operation",
                        operation.id = %claim.operation.id,
                        operation.kind = claim.operation.kind.as_str(),
                        instance.id = %claim.instance.id,
                        // Of the request that asked for it, which was answered long ago.
                        request.id = claim.operation.request_id.as_deref(),
                    );
                    let carried = carry(Arc::clone(&self.platform), claim);
                    running.spawn(carried.instrument(span));
                }
                count
            }
            Err(error) => {
                // Nothing is sent while the database is away.
                warn!(error = %error, "could not claim operations");
                self.platform.clock.sleep(LONGEST_SLEEP).await;
                0
            }
        }
    }

    async fn until_next_due(&self) -> Duration {
        let due = self.platform.repository.next_due().await.ok().flatten();
        let now = self.platform.clock.now();
        due.map_or(LONGEST_SLEEP, |it: Timestamp| {
            Duration::try_from(it.duration_since(now)).unwrap_or(Duration::ZERO)
        })
        // Not zero: what is due and not claimed is held by somebody else.
        .clamp(Duration::from_millis(20), LONGEST_SLEEP)
    }
}

fn report(ended: Result<OperationId, tokio::task::JoinError>) {
    match ended {
        Ok(id) => debug!(operation.id = %id, "let go"),
        // The lease expires, and another worker takes the operation up.
        Err(panic) => error!(error = %panic, "carrying an operation panicked"),
    }
}

/// Carries one claimed operation as far as it goes now: calls until the rules say to write.
async fn carry(platform: Arc<Platform>, claim: Claim) -> OperationId {
    let id = claim.operation.id;
    let taken_up = platform.clock.now();
    #[cfg(feature = "crash-points")]
    let (kind, mut steps) = (claim.operation.kind.as_str(), None);
    crash_point!(kind, "claimed");
    let hand = match perform::Hand::take(&platform, &claim).await {
        Ok(hand) => hand,
        Err(error) => {
            warn!(error = %error, "could not take up the operation");
            return id;
        }
    };
    let mut observed = hand.first_observation();
    loop {
        let now = platform.now_at(&claim, taken_up);
        let step = decide(&hand.book(), observed, now, &platform.clockwork);
        #[cfg(feature = "crash-points")]
        let step = mutant::instead_of(step, &hand.book(), &claim);
        match step {
            Step::Call(call) => {
                #[cfg(feature = "crash-points")]
                let [before, after, _] = *steps.insert(points(call));
                crash_point!(kind, before);
                let performed = hand.perform(call).await;
                crash_point!(kind, after);
                match performed {
                    Ok(next) => observed = next,
                    Err(error) => {
                        warn!(error = %error, "gave the operation back");
                        return id;
                    }
                }
            }
            Step::Write(change) => {
                let state = change.state;
                let doomed = !change.doomed.is_empty();
                match platform.repository.apply(&claim, &change).await {
                    Ok(_) => info!(
                        operation.state = state.as_str(),
                        "operation `{id}` is {}",
                        state.as_str()
                    ),
                    Err(error) => {
                        warn!(error = %error, "could not write the operation");
                    }
                }
                #[cfg(feature = "crash-points")]
                if let Some([_, _, written]) = steps {
                    crash_point!(kind, written);
                }
                if doomed {
                    sweeper::hasten(&platform, claim.operation.provider).await;
                }
                if !state.is_final() && change.due_in.is_zero() {
                    platform.bell.ring();
                }
                return id;
            }
        }
    }
}

/// Returns the crash points before a call, after it, and after the write that follows it.
#[cfg(feature = "crash-points")]
const fn points(call: Call) -> [&'static str; 3] {
    match call {
        Call::Send => ["send_before", "send_after", "send_written"],
        Call::Look => ["look_before", "look_after", "look_written"],
        Call::Get => ["get_before", "get_after", "get_written"],
        Call::Finish => ["finish_before", "finish_after", "finish_written"],
        Call::Ask => ["ask_before", "ask_after", "ask_written"],
        Call::Log => ["log_before", "log_after", "log_written"],
        Call::ConfirmGone => ["confirm_before", "confirm_after", "confirm_written"],
    }
}
