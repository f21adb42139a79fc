//! Plans as they can be bought: what is on sale in our books or, at an account where nothing is,
//! what its provider sells.

mod filter;
mod order;

use std::fmt;

use jiff::Timestamp;
use roadstead_core::{
    Arch, Availability, Currency, GbPerMonth, ImageId, MiB, Money, Plan, PlanId, Price, ProviderId,
    RegionId, SalePlanId,
};
use roadstead_service::{
    Error, Grant, PageRequest, Platform, ReadInstances, SalePlan, SalePlanFilter, SalePlanOrder,
};
use rust_decimal::Decimal;

pub(crate) use self::filter::{ARCHES, Filter};
pub(crate) use self::order::{CHEAPEST_FIRST, sort};

/// How many plans are read at a time.
const AT_A_TIME: u32 = 200;

/// The places of a price per processor or per GiB.
const PLACES: u32 = 4;

/// How an id of ours is spelled.
const LENGTH_OF_ID: usize = 36;

/// What is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ware {
    /// A plan on sale.
    Sale(SalePlanId),
    /// A provider's plan, at its own price.
    Plan(PlanId),
}

impl Ware {
    /// Reads what stands in an address.
    pub(crate) fn read(text: &str) -> Self {
        let own = (text.len() == LENGTH_OF_ID).then(|| text.parse().ok());
        own.flatten()
            .map_or_else(|| Self::Plan(text.into()), Self::Sale)
    }
}

impl fmt::Display for Ware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sale(id) => id.fmt(f),
            Self::Plan(id) => f.write_str(id.as_str()),
        }
    }
}

/// A plan that can be bought, or why it cannot.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// At which account.
    pub(crate) account: ProviderId,
    /// What is bought.
    pub(crate) ware: Ware,
    /// Its name for people.
    pub(crate) name: String,
    /// The provider's id of the plan.
    pub(crate) plan: PlanId,
    /// The provider's family of plans.
    pub(crate) class: String,
    /// Processor architecture.
    pub(crate) arch: Arch,
    /// Virtual processors.
    pub(crate) vcpus: u32,
    /// Whether they are not shared.
    pub(crate) dedicated: bool,
    /// Memory.
    pub(crate) memory: MiB,
    /// Local disk; `None` where it is bought apart.
    pub(crate) disk: Option<MiB>,
    /// Graphics processors.
    pub(crate) gpus: u32,
    /// Outgoing transfer included each month.
    pub(crate) transfer: Option<GbPerMonth>,
    /// What it costs; `None` is unknown.
    pub(crate) price: Option<Price>,
    /// The images that it may be used with; none named is all.
    pub(crate) images: Vec<ImageId>,
    /// Why it cannot be bought, where it cannot.
    pub(crate) refusal: Option<String>,
}

impl Offer {
    /// What a plan on sale is in a region.
    pub(crate) fn of_sale(plan: &SalePlan, region: &RegionId) -> Self {
        let offering = plan.sold_in().find(|it| it.region == *region);
        let prices = plan.prices_in(region);
        let refusal = match (offering, prices) {
            (None, _) | (_, None) => Some(format!("it is not sold in `{region}`")),
            (Some(it), _) if it.availability == Availability::SoldOut => {
                Some(format!("it is sold out in `{region}`"))
            }
            // Nobody is to learn a price afterwards.
            (_, Some((Some(_), Some(_)))) => None,
            (_, Some(_)) => Some(format!("it has no price in `{region}` yet")),
        };
        let price = prices.and_then(|it| it.1);
        Self::made(plan, price.cloned(), refusal)
    }

    /// What a plan on sale is where it is cheapest.
    pub(crate) fn of_sale_anywhere(plan: &SalePlan) -> Self {
        let prices = plan
            .sold_in()
            .filter(|it| it.availability != Availability::SoldOut)
            .filter_map(|it| plan.prices_in(&it.region)?.1);
        let price = cheapest(prices).cloned();
        let refusal = price
            .is_none()
            .then(|| "it cannot be had anywhere now".to_owned());
        Self::made(plan, price, refusal)
    }

    fn made(plan: &SalePlan, price: Option<Price>, refusal: Option<String>) -> Self {
        let it = &plan.hardware;
        Self {
            account: plan.provider,
            ware: Ware::Sale(plan.id),
            name: plan.name.clone(),
            plan: plan.remote.clone(),
            class: it.class.clone(),
            arch: it.arch,
            vcpus: it.vcpus,
            dedicated: it.dedicated_cpu,
            memory: it.memory,
            disk: it.disk,
            gpus: it.gpus,
            transfer: it.transfer,
            price,
            images: plan.images.clone(),
            refusal,
        }
    }

    /// What a provider's plan is in a region.
    pub(crate) fn of_plan(account: ProviderId, plan: &Plan, region: &RegionId) -> Self {
        let price = plan.offering_in(region).and_then(|it| it.price.clone());
        let refusal = refused_in(plan, region);
        Self::of_provider(account, plan, price, refusal)
    }

    /// What a provider's plan is where it is cheapest.
    pub(crate) fn of_plan_anywhere(account: ProviderId, plan: &Plan) -> Self {
        let regions = plan.offerings.iter().map(|it| &it.region);
        let mut open = regions
            .filter(|it| refused_in(plan, it).is_none())
            .peekable();
        let refusal = open
            .peek()
            .is_none()
            .then(|| "it cannot be had anywhere now".to_owned());
        let prices = open.filter_map(|it| plan.offering_in(it)?.price.as_ref());
        let price = cheapest(prices).cloned();
        Self::of_provider(account, plan, price, refusal)
    }

    fn of_provider(
        account: ProviderId,
        plan: &Plan,
        price: Option<Price>,
        refusal: Option<String>,
    ) -> Self {
        Self {
            account,
            ware: Ware::Plan(plan.id.clone()),
            name: plan.label.to_string(),
            plan: plan.id.clone(),
            class: plan.class.to_string(),
            arch: plan.arch,
            vcpus: plan.vcpus,
            dedicated: plan.dedicated_cpu,
            memory: plan.memory,
            disk: plan.disk,
            gpus: plan.gpus,
            transfer: plan.transfer,
            price,
            images: Vec::new(),
            refusal,
        }
    }

    /// Takes what the provider says by now of a plan that is on sale: our books know only what it
    /// said when they were last brought up to date.
    pub(crate) fn heed(&mut self, plans: &[Plan], region: &RegionId) {
        if self.refusal.is_some() {
            return;
        }
        self.refusal = match plans.iter().find(|it| it.id == self.plan) {
            Some(plan) => refused_in(plan, region),
            None => Some("the provider no longer sells it".to_owned()),
        };
    }

    /// Returns what a month costs.
    pub(crate) fn monthly(&self) -> Option<Money> {
        self.price.as_ref()?.monthly
    }

    /// Returns what an hour costs.
    pub(crate) fn hourly(&self) -> Option<Money> {
        self.price.as_ref()?.hourly
    }

    /// Returns in which currency it is paid.
    pub(crate) fn currency(&self) -> Option<Currency> {
        self.monthly().or(self.hourly()).map(|it| it.currency)
    }

    /// Returns what a month costs per virtual processor.
    pub(crate) fn per_vcpu(&self) -> Option<Money> {
        divided(self.monthly()?, self.vcpus.into())
    }

    /// Returns what a month costs per GiB of memory.
    pub(crate) fn per_gib(&self) -> Option<Money> {
        let gib = Decimal::from(self.memory.0).checked_div(Decimal::from(1024))?;
        divided(self.monthly()?, gib)
    }
}

fn divided(money: Money, by: Decimal) -> Option<Money> {
    let amount = money.amount.checked_div(by)?.round_dp(PLACES);
    Some(Money { amount, ..money })
}

/// Returns the price with the lowest month, or hour where no month is known.
fn cheapest<'a>(prices: impl Iterator<Item = &'a Price>) -> Option<&'a Price> {
    prices.min_by_key(|it| {
        let month = it.monthly.map(key);
        (month.is_none(), month, it.hourly.map(key))
    })
}

pub(crate) fn key(money: Money) -> (Currency, Decimal) {
    (money.currency, money.amount)
}

fn refused_in(plan: &Plan, region: &RegionId) -> Option<String> {
    let Some(offering) = plan.offering_in(region) else {
        return Some(format!("it is not sold in `{region}`"));
    };
    match offering.availability {
        Availability::SoldOut => Some(format!("it is sold out in `{region}`")),
        Availability::Retired => Some(format!("it is no longer sold in `{region}`")),
        _ => None,
    }
}

/// Returns all plans that are on sale, at one account or at every one. No provider is asked.
pub(crate) async fn on_sale(
    platform: &Platform,
    grant: &Grant<ReadInstances>,
    account: Option<ProviderId>,
) -> Result<Vec<SalePlan>, Error> {
    let filter = SalePlanFilter {
        provider: account,
        ..SalePlanFilter::default()
    };
    let order = SalePlanOrder::Position;
    let mut plans = Vec::new();
    let mut page = PageRequest {
        cursor: None,
        limit: AT_A_TIME,
    };
    loop {
        let found = platform
            .plans_on_sale(grant, filter.clone(), order, &page)
            .await?;
        plans.extend(found.items);
        page.cursor = found.next;
        if page.cursor.is_none() {
            return Ok(plans);
        }
    }
}

/// Returns when the oldest of the prices was read.
pub(crate) fn read_at(offers: &[Offer]) -> Option<Timestamp> {
    let prices = offers.iter().filter_map(|it| it.price.as_ref());
    prices.map(|it| it.as_of).min()
}

/// Returns the word for an architecture.
pub(crate) fn arch_word(arch: Arch) -> &'static str {
    let known = ARCHES.iter().find(|it| it.0 == arch);
    known.map_or("other", |it| it.2)
}

#[cfg(test)]
pub(crate) mod tests;
