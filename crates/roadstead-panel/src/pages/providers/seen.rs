//! An account with all that this process knows of it.

use roadstead_core::RateBucket;
use roadstead_service::{AccountHealth, Error, OperatorGrant, Platform, Registered, Result, Sweep};

use crate::ui::Health;

/// An account with all that this process knows of it. No provider is asked.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The account.
    pub(crate) account: Registered,
    /// How it has been doing.
    pub(crate) health: AccountHealth,
    /// How many calls are left.
    pub(crate) budget: Vec<RateBucket>,
    /// How it was last compared with our books.
    pub(crate) sweep: Option<Sweep>,
}

impl Seen {
    /// Looks at an account.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`]; [`Error::Unavailable`].
    pub(crate) async fn of(
        platform: &Platform,
        grant: &OperatorGrant,
        account: Registered,
    ) -> Result<Self> {
        let id = account.record.id;
        let budget = match platform.provider_budget(grant, id).await {
            // One without a token was never asked anything.
            Err(Error::Provider(_)) => Vec::new(),
            known => known?,
        };
        Ok(Self {
            health: platform.account_health(grant, id).await?,
            sweep: platform.account_sweep(grant, id).await?,
            account,
            budget,
        })
    }

    /// Looks at all accounts, in the operator's order.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub(crate) async fn all(platform: &Platform, grant: &OperatorGrant) -> Result<Vec<Self>> {
        let accounts = platform.providers(grant).await?;
        let mut all = Vec::with_capacity(accounts.len());
        for account in accounts {
            match Self::of(platform, grant, account).await {
                // Deleted a moment ago.
                Err(Error::NoSuchProvider) => {}
                seen => all.push(seen?),
            }
        }
        Ok(all)
    }

    /// Judges how it is.
    pub(crate) fn health(&self) -> Health {
        let record = &self.account.record;
        Health::of(record.active, &record.verification, &self.health)
    }
}
