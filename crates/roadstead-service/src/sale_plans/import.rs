//! A vendor's plans put on sale in one call, and brought up to date by the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use roadstead_cache::CatalogueKind;
use roadstead_core::{Arch, Error as ProviderError, ErrorKind, Markup, MiB, Plan, ProviderId};
use roadstead_repository::{Imported, OwnMarkups, PlanImport};

use super::{Faults, offer};
use crate::error::Result;
use crate::grant::OperatorGrant;
use crate::platform::Platform;
use crate::providers::usable;
use crate::registry::Account;

/// Which of a vendor's plans an import takes; what is absent or empty excludes none.
#[derive(Clone, Debug, Default)]
pub struct ImportFilter {
    /// Only these.
    pub plans: Vec<String>,
    /// Only those of these families.
    pub classes: Vec<String>,
    /// Only those with this architecture.
    pub arch: Option<Arch>,
    /// Only those with as many virtual processors or more.
    pub min_vcpus: Option<u32>,
    /// Only those with as many or fewer.
    pub max_vcpus: Option<u32>,
    /// Only those with as much memory or more.
    pub min_memory: Option<MiB>,
    /// Only those with as much or less.
    pub max_memory: Option<MiB>,
}

/// An import.
#[derive(Clone, Debug)]
pub struct ImportPlans {
    /// From which account.
    pub provider: ProviderId,
    /// What is added to the price of those that have no markup of their own.
    pub markup: Markup,
    /// Whether those that have one lose it.
    pub own_markups: OwnMarkups,
    /// Only plans that are sold in one of these, and new ones may be used in these alone; none
    /// named is all.
    pub regions: Vec<String>,
    /// Which plans.
    pub filter: ImportFilter,
}

impl ImportFilter {
    fn takes(&self, plan: &Plan) -> bool {
        let named = |list: &[String], it: &str| list.is_empty() || list.iter().any(|n| n == it);
        named(&self.plans, plan.id.as_str())
            && named(&self.classes, &plan.class)
            && self.arch.is_none_or(|it| plan.arch == it)
            && self.min_vcpus.is_none_or(|it| plan.vcpus >= it)
            && self.max_vcpus.is_none_or(|it| plan.vcpus <= it)
            && self.min_memory.is_none_or(|it| plan.memory >= it)
            && self.max_memory.is_none_or(|it| plan.memory <= it)
    }
}

impl Platform {
    /// Puts a vendor's plans on sale, brings those that are up to date, and takes off sale what
    /// the vendor no longer sells; all of it or nothing. What the operator changed stays: names,
    /// base prices, what is switched off, regions, images, the order, and markups unless asked.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Invalid`] with the wrong field, and when the markup does not fit a plan;
    /// [`crate::Error::NoSuchProvider`], [`crate::Error::ProviderInactive`],
    /// [`crate::Error::ProviderRefused`]; [`crate::Error::Provider`] when the vendor does not
    /// answer now: what is cached is not asked.
    pub async fn import_plans(
        &self,
        grant: &OperatorGrant,
        request: ImportPlans,
    ) -> Result<Imported> {
        let audit = grant.audit("plan.import", request.provider.to_string());
        if let Some(earlier) = self.repository.find_answer(&audit).await? {
            return Ok(earlier);
        }
        let account = self.registry.account(request.provider).await?;
        usable(&account)?;
        let plans = self.fresh_plans(&account).await?;
        let mut faults = Faults::default();
        let known = plans.iter().flat_map(|it| &it.offerings);
        let known: BTreeSet<_> = known.map(|it| &it.region).collect();
        let regions = faults.regions(request.regions, known.into_iter());
        let ids: Vec<_> = plans.iter().map(|it| it.id.as_str()).collect();
        let words = "the provider has no plan";
        faults.named("filter.types", words, &ids, &request.filter.plans);
        let classes: Vec<_> = plans.iter().map(|it| &*it.class).collect();
        let words = "the provider has no class";
        faults.named("filter.classes", words, &classes, &request.filter.classes);
        faults.none()?;

        let mut sold = Vec::with_capacity(plans.len());
        let mut offered = Vec::new();
        let mut seen = BTreeSet::new();
        let mut skipped = 0;
        for plan in plans.iter() {
            let chosen = request.filter.takes(plan);
            let offer = offer::offered(plan).filter(|it| seen.insert(it.remote.clone()));
            let Some(offer) = offer else {
                skipped += u64::from(chosen);
                continue;
            };
            sold.push(offer.remote.clone());
            let near = regions.is_empty()
                || offer
                    .offerings
                    .iter()
                    .any(|it| regions.contains(&it.region));
            if chosen && near {
                offered.push(offer);
            }
        }
        let import = PlanImport {
            offered,
            sold,
            markup: request.markup,
            own_markups: request.own_markups,
            regions,
            skipped,
        };
        let id = account.record.id;
        let imported = self.repository.import_sale_plans(id, import, audit).await?;
        if imported.added > 0 || imported.updated > 0 {
            // What is now on sale must not be missing from the catalogue that a purchase is
            // checked against.
            account.catalogue.clear(CatalogueKind::Plans);
        }
        Ok(imported)
    }

    /// Asks the vendor for its plans, whatever is cached: an hour's old prices are not to become
    /// ours today.
    async fn fresh_plans(&self, account: &Account) -> Result<Arc<[Plan]>> {
        let provider = account.catalogue.uncached();
        let plans = self
            .watch_token(account, provider.get_plans().await)
            .await?;
        if plans.is_empty() {
            // Taken at its word, it would take everything off sale.
            let kind = provider.descriptor().kind.clone();
            let message = "the provider lists no plan at all; nothing was changed";
            let error = ProviderError::new(kind, "list the plans", ErrorKind::Decode, message);
            return Err(error.into());
        }
        Ok(plans)
    }
}
