//! The accounts on record, as last seen: read anew once a second at most, and at once after a
//! change by this process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::RwLock;
use roadstead_core::{Clock, ProviderId};
use roadstead_repository::{Provider, Repository, Verification};
use tokio::sync::{Mutex, Notify};
use tracing::{error, warn};

use crate::error::Result;

/// How old a look may be. This long a change by another process can go unseen by those who
/// read catalogues; whoever changes something reads the database.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// The accounts on record.
pub(super) struct Books {
    pub(super) repository: Repository,
    pub(super) clock: Arc<dyn Clock>,
    look: RwLock<Option<Arc<Look>>>,
    /// Grows with each change, so that a look that began before it is not believed after it.
    changes: AtomicU64,
    /// Held while somebody looks; the others wait for what they see.
    looking: Mutex<()>,
    changed: Notify,
}

/// All accounts, as they were at a time.
pub(super) struct Look {
    accounts: Vec<Arc<Provider>>,
    at: Timestamp,
    changes: u64,
}

impl Look {
    pub(super) fn accounts(&self) -> &[Arc<Provider>] {
        &self.accounts
    }

    pub(super) fn find(&self, id: ProviderId) -> Option<&Arc<Provider>> {
        self.accounts.iter().find(|it| it.id == id)
    }
}

impl Books {
    pub(super) fn new(repository: Repository, clock: Arc<dyn Clock>) -> Self {
        Self {
            repository,
            clock,
            look: RwLock::default(),
            changes: AtomicU64::new(0),
            looking: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Returns all accounts as they were at most a second ago, in the operator's order, and
    /// whether this call has read them.
    pub(super) async fn look(&self) -> Result<(Arc<Look>, bool)> {
        if let Some(look) = self.fresh() {
            return Ok((look, false));
        }
        let _turn = self.looking.lock().await;
        if let Some(look) = self.fresh() {
            return Ok((look, false));
        }
        let changes = self.changes.load(Ordering::SeqCst);
        let at = self.clock.now();
        let accounts = self.repository.list_providers().await?;
        let look = Arc::new(Look {
            accounts: accounts.into_iter().map(Arc::new).collect(),
            at,
            changes,
        });
        *self.look.write() = Some(Arc::clone(&look));
        Ok((look, true))
    }

    fn fresh(&self) -> Option<Arc<Look>> {
        let look = self.look.read();
        let look = look.as_ref()?;
        let age = self.clock.now().duration_since(look.at);
        // A clock that was set back tells no age.
        let fresh = Duration::try_from(age).is_ok_and(|it| it < FRESH_FOR);
        let unchanged = look.changes == self.changes.load(Ordering::SeqCst);
        (fresh && unchanged).then(|| Arc::clone(look))
    }

    /// Has the accounts read anew by whoever asks next: one of them was changed.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
    }

    /// Waits until an account is changed by this process, or seen to have been by another.
    pub(super) async fn until_changed(&self) {
        self.changed.notified().await;
    }

    /// Notes that the vendor refuses an account's token. Nothing is sent with it until it
    /// changes.
    pub(super) async fn freeze(&self, account: &Provider, reason: &str) {
        let verification = Verification::Refused {
            reason: reason.to_owned(),
            at: self.clock.now(),
        };
        // A token that was changed meanwhile is not to blame for what the old one met: then
        // nothing is written.
        let noted = self
            .repository
            .set_verification(account, &verification, None)
            .await;
        self.changed();
        match noted {
            Ok(true) => {
                warn!(provider.id = %account.id, reason, "froze the provider account");
            }
            Ok(false) => {}
            Err(error) => {
                error!(provider.id = %account.id, error = %error, "could not note the refusal");
            }
        }
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books").finish_non_exhaustive()
    }
}
