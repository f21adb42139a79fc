//! Hears what becomes of the calls for an account's catalogues: the log is told, and a token
//! that the vendor refuses freezes the account, though nobody waited for the call.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;
use roadstead_cache::{CatalogueKind, Renewal, Watch};
use roadstead_core::ErrorKind;
use roadstead_repository::{Provider, Verification};
use tracing::{debug, warn};

use super::books::Books;

/// Watches over the calls for one account's catalogues.
#[derive(Debug)]
pub(super) struct Guard {
    books: Arc<Books>,
    account: RwLock<Arc<Provider>>,
}

impl Guard {
    pub(super) fn new(books: Arc<Books>, account: Arc<Provider>) -> Self {
        Self {
            books,
            account: RwLock::new(account),
        }
    }

    /// Takes what is on record now: a note about the account is made only on the record that
    /// the call was made for.
    pub(super) fn is_now(&self, account: Arc<Provider>) {
        *self.account.write() = account;
    }

    fn account(&self) -> Arc<Provider> {
        Arc::clone(&self.account.read())
    }
}

#[async_trait]
impl Watch for Guard {
    async fn landed(&self, kind: CatalogueKind, renewal: Renewal<'_>) {
        let account = self.account();
        let (id, kind) = (account.id, kind.as_str());
        match renewal {
            Renewal::Renewed { items } => {
                debug!(provider.id = %id, catalogue.kind = kind, items, "renewed the {kind}");
            }
            Renewal::Doubted { kept } => warn!(
                provider.id = %id,
                catalogue.kind = kind,
                kept,
                "the provider shows no {kind} any more; kept what there was, and asking again"
            ),
            Renewal::Emptied { before } => warn!(
                provider.id = %id,
                catalogue.kind = kind,
                before,
                "the provider shows no {kind} any more, for the second time"
            ),
            Renewal::Failed(error) => {
                warn!(
                    provider.id = %id,
                    catalogue.kind = kind,
                    error = %error,
                    error.kind = ?error.kind,
                    error.cause = error.source.as_deref().map(tracing::field::display),
                    vendor.status = error.http,
                    vendor.request_id = error.vendor_request_id.as_deref(),
                    "could not renew the {kind}"
                );
                let frozen = matches!(account.verification, Verification::Refused { .. });
                if error.kind == ErrorKind::BadToken && !frozen {
                    self.books.freeze(&account, &error.message).await;
                }
            }
            other => debug!(provider.id = %id, catalogue.kind = kind, "{kind}: {other:?}"),
        }
    }
}
