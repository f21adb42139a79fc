//! Keeps the catalogues of all accounts warm, in the background.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use roadstead_core::ProviderId;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::{debug, error, warn};

use crate::Platform;

/// How many accounts are tended at once.
const WIDTH: usize = 4;

/// How often it is looked whether something is due. Much less than what is left of any
/// catalogue's time when it is to be renewed.
const INTERVAL: Duration = Duration::from_secs(15);

/// Renews what is in use before its time is over, and reads the catalogues at the start and
/// after an account was added or got another token. One for each process that answers
/// requests; nothing waits for it.
#[derive(Debug)]
pub struct Keeper {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Keeper {
    /// Starts it.
    #[must_use]
    pub fn start(platform: &Arc<Platform>) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self {
            stop,
            task: tokio::spawn(run(Arc::clone(platform), stopped)),
        }
    }

    /// Stops it. Calls under way are left to themselves.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(panic) = self.task.await {
            error!(error = %panic, "the keeper of the catalogues ended badly");
        }
    }
}

async fn run(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    let mut tending = Tending::default();
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            () = tending.begin(&platform) => {}
        }
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            Some(ended) = tending.tasks.join_next_with_id(), if !tending.tasks.is_empty() => {
                tending.end(ended);
            }
            () = platform.registry.until_changed() => {}
            () = platform.clock.sleep(INTERVAL) => {}
        }
    }
}

/// The accounts that are being tended.
#[derive(Default)]
struct Tending {
    tasks: JoinSet<()>,
    accounts: HashMap<Id, ProviderId>,
}

impl Tending {
    /// Begins to tend what is due, within the width.
    async fn begin(&mut self, platform: &Platform) {
        let accounts = match platform.registry.renewable().await {
            Ok(accounts) => accounts,
            Err(error) => {
                warn!(error = %error, "could not read the provider accounts");
                return;
            }
        };
        for record in accounts {
            if self.tasks.len() >= WIDTH {
                return;
            }
            let id = record.id;
            if self.accounts.values().any(|it| *it == id) {
                continue;
            }
            let catalogue = match platform.registry.at_hand(record).await {
                Ok(account) => account.catalogue,
                Err(error) => {
                    debug!(provider.id = %id, error = %error, "left an account's catalogues alone");
                    continue;
                }
            };
            if catalogue.wants_tending() {
                let task = self.tasks.spawn(async move { catalogue.tend().await });
                self.accounts.insert(task.id(), id);
            }
        }
    }

    fn end(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match ended {
            Ok((task, ())) => task,
            Err(panic) => {
                error!(error = %panic, "tending an account's catalogues panicked");
                panic.id()
            }
        };
        self.accounts.remove(&task);
    }
}
