//! Keeps our books true: few lists per account instead of a call per server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use roadstead_core::{ErrorKind, InstanceQuery, Lane, ProviderExt, RemoteId};
use roadstead_repository::Verification;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::{keys, observation};
use crate::Platform;
use crate::feed::EventClockwork;
use crate::registry::Account;

/// How many old events go in one statement, and how many such statements in one round.
const FORGOTTEN_AT_ONCE: u32 = 1000;
const FORGETS: usize = 20;

/// How long the key of a request, and its answer, are kept.
const KEYS_KEPT: Duration = Duration::from_secs(48 * 3600);

/// How many old keys are forgotten in one round.
const KEYS_FORGOTTEN: u32 = 1000;

/// Reads every account at its turn until told to stop.
pub(super) async fn run(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            () = platform.clock.sleep(platform.clockwork.poll_idle) => {}
        }
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            () = round(&platform) => {}
        }
    }
}

pub(super) async fn round(platform: &Arc<Platform>) {
    forget_events(platform).await;
    forget_keys(platform).await;
    let accounts = match platform.repository.list_providers().await {
        Ok(accounts) => accounts,
        Err(error) => {
            warn!(error = %error, "could not read the provider accounts");
            return;
        }
    };
    // Side by side: a vendor that hangs delays nobody else's servers.
    let reads = accounts.into_iter().map(async |record| {
        let id = record.id;
        let read = async {
            let account = platform.registry.account(id).await?;
            if let Verification::Refused { .. } = account.record.verification {
                return Ok(());
            }
            keys::remove_unwanted(platform, &account).await;
            read(platform, &account).await
        };
        if let Err(error) = read.await {
            warn!(provider.id = %id, error = %error, "could not read the account's servers");
        }
    });
    futures::future::join_all(reads).await;
}

/// Forgets old events, a bounded number in a round.
async fn forget_events(platform: &Platform) {
    let EventClockwork {
        keep, keep_most, ..
    } = platform.clockwork.events;
    for _ in 0..FORGETS {
        let forgotten = platform
            .repository
            .trim_events(keep, keep_most, FORGOTTEN_AT_ONCE);
        match forgotten.await {
            Ok(FORGOTTEN_AT_ONCE) => {}
            Ok(_) => return,
            Err(error) => {
                warn!(error = %error, "could not forget old events");
                return;
            }
        }
    }
}

/// Forgets old keys of requests, a bounded number in a round.
async fn forget_keys(platform: &Platform) {
    let purged = platform
        .repository
        .purge_idempotency_keys(KEYS_KEPT, KEYS_FORGOTTEN);
    match purged.await {
        Ok(0) => {}
        Ok(purged) => debug!(keys.purged = purged, "forgot old idempotency keys"),
        Err(error) => warn!(error = %error, "could not forget old idempotency keys"),
    }
}

async fn read(platform: &Platform, account: &Account) -> Result<(), crate::Error> {
    let watched = platform.repository.watched(account.record.id).await?;
    if watched.is_empty() {
        return Ok(());
    }
    let query = InstanceQuery {
        tag: Some(format!("rs:d:{}", platform.deployment).into()),
        ..InstanceQuery::default()
    };
    let asked = Instant::now();
    let seen: Vec<_> = match account
        .provider
        .in_lane(Lane::Background)
        .instances(query)
        .try_collect()
        .await
    {
        Ok(seen) => seen,
        Err(error) => {
            if error.kind == ErrorKind::BadToken {
                platform.freeze(account, &error.message).await;
            }
            return Err(error.into());
        }
    };
    let seen: HashMap<RemoteId, _> = seen.into_iter().map(|it| (it.id.clone(), it)).collect();
    let observations: Vec<_> = watched
        .iter()
        .filter_map(|it| Some((it.id, observation(seen.get(it.remote.as_ref()?)?))))
        .collect();
    // A server that is absent from one list is not believed to be gone.
    let absent = watched.len().saturating_sub(observations.len());
    let changed = platform
        .repository
        .observe(&observations, asked.elapsed())
        .await?;
    debug!(
        provider.id = %account.record.id,
        servers.watched = watched.len(),
        servers.absent = absent,
        servers.changed = changed,
        "read the account's servers"
    );
    Ok(())
}
