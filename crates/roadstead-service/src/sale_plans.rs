//! Plans on sale: what the operator sells, for how much, and what members see of it.

mod import;
mod offer;

use std::sync::Arc;

use jiff::Timestamp;
use roadstead_core::{
    Currency, Image, ImageId, Markup, Money, Plan, PlanId, Price, PriceSource, ProviderId,
    RegionId, SalePlanId,
};
use roadstead_repository::{
    Accounts, BaseChange, NewSalePlan, OfferedPlan, SalePlan, SalePlanFilter, SalePlanMark,
    SalePlanOrder, SalePlanPatch,
};

pub use self::import::{ImportFilter, ImportPlans};
use crate::error::{Error, FieldError, Result};
use crate::grant::{Grant, OperatorGrant, ReadInstances};
use crate::pages::{self, Cursors, Page, PageRequest, Place};
use crate::platform::Platform;
use crate::registry::Account;

/// The most regions or images that a plan may name.
const MOST_NAMED: usize = 500;

/// The last place in the operator's order.
const LAST_POSITION: i64 = 1_000_000_000;

/// A base price as the operator sets it.
#[derive(Clone, Copy, Debug)]
pub struct BasePrice {
    /// Per started hour.
    pub hourly: Option<Money>,
    /// Per month.
    pub monthly: Option<Money>,
    /// Whether hours stop adding up at the monthly price.
    pub monthly_is_cap: bool,
}

/// A plan to be put on sale.
#[derive(Clone, Debug)]
pub struct SellPlan {
    /// At which account.
    pub provider: ProviderId,
    /// The vendor's plan.
    pub plan: String,
    /// Our name for it; the vendor's where absent.
    pub name: Option<String>,
    /// The operator's base price; the vendor's where absent.
    pub base: Option<BasePrice>,
    /// What is added.
    pub markup: Markup,
    /// The regions that it may be used in; none named is all.
    pub regions: Vec<String>,
    /// The images that it may be used with; none named is all.
    pub images: Vec<String>,
    /// Whether it is sold at once.
    pub active: bool,
    /// Place in the operator's order; the last where absent.
    pub position: Option<i64>,
}

/// A change to a plan on sale; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct SalePlanChange {
    /// Our name for it.
    pub name: Option<String>,
    /// The operator's base price, or `Some(None)` for the vendor's.
    pub base: Option<Option<BasePrice>>,
    /// What is added.
    pub markup: Option<Markup>,
    /// The regions that it may be used in; none named is all.
    pub regions: Option<Vec<String>>,
    /// The images that it may be used with; none named is all.
    pub images: Option<Vec<String>>,
    /// Whether it is sold.
    pub active: Option<bool>,
    /// Place in the operator's order.
    pub position: Option<i64>,
}

impl Platform {
    /// Returns a page of the plans that the caller's organization can buy: those that are on
    /// sale at active accounts. No vendor is asked.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this list in this
    /// order and region; [`Error::Unavailable`].
    pub async fn plans_on_sale(
        &self,
        _grant: &Grant<ReadInstances>,
        filter: SalePlanFilter,
        order: SalePlanOrder,
        page: &PageRequest,
    ) -> Result<Page<SalePlan>> {
        let filter = SalePlanFilter {
            active: Some(true),
            accounts: Accounts::Active,
            ..filter
        };
        self.page_of_plans(&filter, order, page).await
    }

    /// Returns a page of all plans, on sale or not.
    ///
    /// # Errors
    ///
    /// As [`Self::plans_on_sale`].
    pub async fn sale_plans(
        &self,
        _grant: &OperatorGrant,
        filter: &SalePlanFilter,
        order: SalePlanOrder,
        page: &PageRequest,
    ) -> Result<Page<SalePlan>> {
        self.page_of_plans(filter, order, page).await
    }

    async fn page_of_plans(
        &self,
        filter: &SalePlanFilter,
        order: SalePlanOrder,
        page: &PageRequest,
    ) -> Result<Page<SalePlan>> {
        let limit = page.checked_limit()?;
        let cursors = Cursors::of_plans(&self.repository, filter, order);
        let after = match &page.cursor {
            Some(cursor) => Some(mark(cursors.open(cursor)?)?),
            None => None,
        };
        let (items, next) = self
            .repository
            .list_sale_plans(filter, order, after, limit)
            .await?;
        Ok(Page {
            items,
            next: next.map(|it| cursors.seal(&it.key.to_be_bytes(), it.id.0)),
        })
    }

    /// Returns one plan, on sale or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn sale_plan(&self, _grant: &OperatorGrant, id: SalePlanId) -> Result<SalePlan> {
        let found = self.repository.find_sale_plan(id).await?;
        found.ok_or(Error::NotFound(NOUN))
    }

    /// Puts a vendor's plan on sale. What its servers have, and where it is offered, is what the
    /// catalogue says now; an import brings it up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every wrong field; [`Error::NoSuchProvider`];
    /// [`Error::Conflict`] when the plan is on sale already; [`Error::Provider`] when the
    /// vendor's catalogue cannot be read.
    pub async fn sell_plan(&self, grant: &OperatorGrant, request: SellPlan) -> Result<SalePlan> {
        let id = SalePlanId::fresh();
        let audit = grant.audit("plan.create", id.to_string());
        if let Some(earlier) = self.repository.find_answer(&audit).await? {
            return Ok(earlier);
        }
        let mut faults = Faults::default();
        let name = request.name.as_deref();
        let name = name.map(|it| faults.name(it));
        faults.position(request.position);
        let account = self.registry.account(request.provider).await?;
        let plan = PlanId::from(request.plan.as_str());
        let offered = self.offered(&account, &plan).await?;
        if offered.is_none() {
            let message = format!(
                "{} does not sell a plan `{plan}`",
                account.provider.descriptor().name
            );
            faults.add("type", message);
        }
        let regions = offered.as_ref().map(|it| {
            let known = it.offerings.iter().map(|it| &it.region);
            faults.regions(request.regions, known)
        });
        let images = self.known_images(&account, &request.images).await?;
        let images = faults.images(request.images, &images);
        let base = request.base.map(|it| {
            let theirs = offered.as_ref().and_then(currency_of_offer);
            faults.base(&it, theirs, self.clock.now())
        });
        let (Some(offered), Some(regions)) = (offered, regions) else {
            return Err(Error::Invalid(faults.0));
        };
        faults.none()?;
        let new = NewSalePlan {
            id,
            provider: account.record.id,
            offered,
            name,
            base,
            markup: request.markup,
            regions,
            images,
            active: request.active,
            position: request.position,
        };
        Ok(self.repository.create_sale_plan(new, audit).await?)
    }

    /// Changes a plan on sale. Servers that were sold under it keep their price.
    ///
    /// # Errors
    ///
    /// As [`Self::sell_plan`]; [`Error::NotFound`]; [`Error::Conflict`] when it is to be sold
    /// although the vendor has ceased to.
    pub async fn change_sale_plan(
        &self,
        grant: &OperatorGrant,
        id: SalePlanId,
        change: SalePlanChange,
    ) -> Result<SalePlan> {
        let audit = grant.audit("plan.update", id.to_string());
        if let Some(earlier) = self.repository.find_answer(&audit).await? {
            return Ok(earlier);
        }
        let known = self.sale_plan(grant, id).await?;
        let mut faults = Faults::default();
        let name = change.name.as_deref().map(|it| faults.name(it));
        faults.position(change.position);
        let regions = change.regions.map(|it| {
            let known = known.offerings.iter().map(|it| &it.region);
            faults.regions(it, known)
        });
        let images = match change.images {
            None => None,
            Some(images) => {
                let account = self.registry.account(known.provider).await?;
                let all = self.known_images(&account, &images).await?;
                Some(faults.images(images, &all))
            }
        };
        let base = match change.base {
            None => None,
            Some(Some(base)) => {
                let theirs = currency_of_plan(&known);
                let base = faults.base(&base, theirs, self.clock.now());
                Some(BaseChange::Operator(base))
            }
            Some(None) => {
                let account = self.registry.account(known.provider).await?;
                let offered = self.offered(&account, &known.remote).await?;
                if offered.is_none() {
                    let message = "the provider no longer sells this plan, and names no price";
                    faults.add("base_price", message);
                }
                offered.map(|it| BaseChange::Provider(Box::new(it)))
            }
        };
        faults.none()?;
        let patch = SalePlanPatch {
            name,
            base,
            markup: change.markup,
            regions,
            images,
            active: change.active,
            position: change.position,
        };
        Ok(self.repository.update_sale_plan(id, patch, audit).await?)
    }

    /// Deletes a plan on sale.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Conflict`] with their number while it has servers: it can
    /// be switched off instead.
    pub async fn delete_sale_plan(&self, grant: &OperatorGrant, id: SalePlanId) -> Result<()> {
        let audit = grant.audit("plan.delete", id.to_string());
        Ok(self.repository.delete_sale_plan(id, audit).await?)
    }

    /// Returns a vendor's plan as it is offered now; `None` where it is not sold.
    async fn offered(&self, account: &Account, plan: &PlanId) -> Result<Option<OfferedPlan>> {
        let plans: Arc<[Plan]> = self
            .watch_token(account, account.provider.get_plans().await)
            .await?;
        let found = plans.iter().find(|it| &it.id == plan);
        Ok(found.and_then(offer::offered))
    }

    /// Returns the vendor's images, if it matters which ones there are.
    async fn known_images(&self, account: &Account, named: &[String]) -> Result<Arc<[Image]>> {
        if named.is_empty() {
            return Ok(Arc::new([]));
        }
        self.watch_token(account, account.provider.get_images().await)
            .await
    }
}

fn mark((key, id): Place) -> Result<SalePlanMark> {
    let key = key.as_slice().try_into().map_err(|_bad| pages::refused())?;
    Ok(SalePlanMark {
        key: i64::from_be_bytes(key),
        id: SalePlanId(id),
    })
}

/// What a plan on sale is called where there is none.
pub(crate) const NOUN: &str = "plan on sale";

fn currency_of_offer(offered: &OfferedPlan) -> Option<Currency> {
    let parts = offered.base.as_ref()?;
    parts.hourly.or(parts.monthly).map(|it| it.currency)
}

/// Returns the currency in which the vendor asks for a plan, where it is known.
fn currency_of_plan(plan: &SalePlan) -> Option<Currency> {
    let general = plan.base.as_ref().filter(|_| !plan.base_is_own());
    let aparts = plan.offerings.iter().filter_map(|it| it.apart.as_ref());
    let mut prices = general
        .into_iter()
        .chain(aparts.filter_map(|it| it.base.as_ref()));
    prices.find_map(|it| it.hourly.or(it.monthly).map(|it| it.currency))
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &'static str, error: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            error: error.into(),
        });
    }

    fn none(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }

    fn name(&mut self, name: &str) -> String {
        let name = name.trim();
        let length = name.chars().count();
        if length == 0 || length > offer::LONGEST_NAME || name.chars().any(char::is_control) {
            let message = format!("a name has 1 to {} visible characters", offer::LONGEST_NAME);
            self.add("name", message);
        }
        name.to_owned()
    }

    fn position(&mut self, position: Option<i64>) {
        if position.is_some_and(|it| !(0..=LAST_POSITION).contains(&it)) {
            self.add("position", format!("must be between 0 and {LAST_POSITION}"));
        }
    }

    fn regions<'a>(
        &mut self,
        named: Vec<String>,
        known: impl Iterator<Item = &'a RegionId>,
    ) -> Vec<RegionId> {
        let known: Vec<_> = known.map(RegionId::as_str).collect();
        let words = "the plan is not offered in";
        self.named("regions", words, &known, &named);
        unique(named).into_iter().map(RegionId::from).collect()
    }

    fn images(&mut self, named: Vec<String>, known: &[Image]) -> Vec<ImageId> {
        let known: Vec<_> = known.iter().map(|it| it.id.as_str()).collect();
        self.named("images", "the provider has no image", &known, &named);
        unique(named).into_iter().map(ImageId::from).collect()
    }

    fn named(&mut self, field: &'static str, words: &str, known: &[&str], named: &[String]) {
        if named.len() > MOST_NAMED {
            self.add(field, format!("at most {MOST_NAMED}"));
        } else if let Some(wrong) = named.iter().find(|it| !known.contains(&it.as_str())) {
            self.add(field, format!("{words} `{}`", wrong.escape_debug()));
        }
    }

    /// Returns the operator's base price.
    fn base(&mut self, base: &BasePrice, theirs: Option<Currency>, now: Timestamp) -> Price {
        let currencies = [base.hourly, base.monthly].map(|it| it.map(|it| it.currency));
        let ours = currencies.iter().flatten().next().copied();
        match (ours, theirs) {
            (None, _) => self.add("base_price", "give `hourly`, `monthly` or both"),
            (Some(ours), _) if currencies.iter().flatten().any(|it| *it != ours) => {
                self.add("base_price", "both amounts must be in one currency");
            }
            (Some(ours), Some(theirs)) if ours != theirs => {
                let message = format!("the provider's prices are in {}", theirs.as_str());
                self.add("base_price", message);
            }
            (Some(_), _) => {}
        }
        Price {
            hourly: base.hourly,
            monthly: base.monthly,
            monthly_is_cap: base.monthly_is_cap,
            source: PriceSource::Operator,
            as_of: now,
        }
    }
}

/// Leaves out what is named again.
fn unique(named: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(named.len());
    for it in named {
        if !kept.contains(&it) {
            kept.push(it);
        }
    }
    kept
}
