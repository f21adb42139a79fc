//! What somebody looks for: their servers, and what can be bought.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use roadstead_core::Plan;
use roadstead_repository::{self as repository, Instance, SalePlan, SalePlanFilter, SalePlanOrder};
use tracing::instrument;

use crate::error::Result;
use crate::grant::{Grant, ReadInstances};
use crate::pages::PageRequest;
use crate::platform::Platform;
use crate::providers::usable;

/// How many of a kind are shown: who sees more than these types on.
const MOST: u32 = 8;

/// The longest text that is looked for, in characters.
const LONGEST: usize = 200;

/// How long a vendor may take whose plans are not kept.
const PATIENCE: Duration = Duration::from_millis(300);

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The organization's servers, the newest first.
    pub servers: Vec<Instance>,
    /// Plans on sale, in the operator's order.
    pub on_sale: Vec<SalePlan>,
    /// What the vendors of accounts sell of which no plan is on sale, in the operator's order.
    pub plans: Vec<FoundPlans>,
    /// The accounts of which nothing can be said.
    pub silent: Vec<Silent>,
}

/// What was found among the plans of an account's vendor.
#[derive(Debug)]
pub struct FoundPlans {
    /// The account.
    pub account: Arc<repository::Provider>,
    /// Its plans.
    pub plans: Vec<Plan>,
    /// How long ago the vendor was asked for them.
    pub age: Duration,
}

/// An account whose vendor did not say what it sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The operator's name for it.
    pub name: String,
    /// Why, as a clause.
    pub why: String,
}

impl Platform {
    /// Looks for servers by label, address or id, and for plans by name or id. A few of each are
    /// returned. Vendors are asked for plans only where none are kept, and not for long: who does
    /// not answer is named.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Unavailable`] when the database is away.
    #[instrument(level = "debug", skip_all)]
    pub async fn search(&self, grant: &Grant<ReadInstances>, text: &str) -> Result<Found> {
        let text: String = text.trim().chars().take(LONGEST).collect();
        if text.is_empty() {
            return Ok(Found::default());
        }
        let tenant = grant.tenant();
        let servers = self
            .repository
            .search_instances(&tenant, &text, MOST)
            .await?;
        let filter = SalePlanFilter {
            name: Some(text.clone()),
            ..SalePlanFilter::default()
        };
        let page = PageRequest {
            cursor: None,
            limit: MOST,
        };
        let on_sale = self.plans_on_sale(grant, filter, SalePlanOrder::default(), &page);
        let on_sale = on_sale.await?.items;
        let accounts = self.registry.active().await?;
        let asked = accounts.into_iter().map(|it| self.look(grant, it, &text));
        let mut found = Found {
            servers,
            on_sale,
            ..Found::default()
        };
        for looked in join_all(asked).await {
            match looked {
                Ok(plans) => found.plans.extend(plans),
                Err(silent) => found.silent.push(silent),
            }
        }
        Ok(found)
    }

    /// Looks among the plans of an account's vendor, where the operator sells none of them.
    async fn look(
        &self,
        grant: &Grant<ReadInstances>,
        record: repository::Provider,
        text: &str,
    ) -> std::result::Result<Option<FoundPlans>, Silent> {
        let record = Arc::new(record);
        let silent = |why: String| Silent {
            name: record.name.clone(),
            why,
        };
        let sold = SalePlanFilter {
            provider: Some(record.id),
            ..SalePlanFilter::default()
        };
        let one = PageRequest {
            cursor: None,
            limit: 1,
        };
        let sold = self.plans_on_sale(grant, sold, SalePlanOrder::default(), &one);
        let sold = sold.await.map_err(|error| silent(error.to_string()))?;
        if !sold.items.is_empty() {
            return Ok(None);
        }
        let account = self.registry.at_hand(Arc::clone(&record)).await;
        let account = account.map_err(|error| silent(error.to_string()))?;
        usable(&account).map_err(|error| silent(error.to_string()))?;
        let read = tokio::time::timeout(PATIENCE, account.catalogue.plans()).await;
        let read = read.map_err(|_elapsed| silent("it did not answer in time".to_owned()))?;
        let read = read.map_err(|error| silent(error.message.to_string()))?;
        let folded = text.to_lowercase();
        let is_meant = |it: &&Plan| {
            let of_id = it.id.as_str().to_lowercase().contains(&folded);
            of_id || it.label.to_lowercase().contains(&folded)
        };
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let plans: Vec<_> = read
            .value
            .iter()
            .filter(is_meant)
            .take(most)
            .cloned()
            .collect();
        Ok((!plans.is_empty()).then_some(FoundPlans {
            account: record,
            plans,
            age: read.age,
        }))
    }
}
