//! An account at which something is bought, and what it has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use maud::{Markup, html};
use roadstead_core::{
    Choice, ChoiceList, Descriptor, Image, MarketplaceApp, Money, Plan, Price, ProviderId, Region,
    RegionId,
};
use roadstead_service::{
    Catalogue, CatalogueSource, Grant, ManageInstances, OpenAccount, ReadInstances, SalePlan,
};

use crate::failure::Failure;
use crate::offer::{self, Offer, key};
use crate::soon::{Soon, soon};
use crate::ui::{Tone, age, notice};
use crate::visitor::Member;

/// An account at which something is bought.
pub(super) struct Shop<'a> {
    member: &'a Member<ManageInstances>,
    grant: Grant<ReadInstances>,
    source: CatalogueSource,
    /// The account.
    pub(super) account: OpenAccount,
}

/// What the cheapest month costs in each region.
pub(super) type Floors = BTreeMap<RegionId, Option<Money>>;

/// The plans of an account.
pub(super) struct Plans {
    /// The plans, as they are in the region.
    pub(super) offers: Vec<Offer>,
    /// Whether these are plans on sale, or the provider's own.
    pub(super) on_sale: bool,
    /// What the provider says of them by now.
    pub(super) now: Soon<Catalogue<Plan>>,
}

impl<'a> Shop<'a> {
    /// Takes an account.
    pub(super) fn at(
        member: &'a Member<ManageInstances>,
        account: OpenAccount,
    ) -> Result<Self, Failure> {
        let record = &account.account.record;
        Ok(Self {
            grant: member.may()?,
            source: CatalogueSource {
                kind: record.kind.as_str().to_owned(),
                provider: Some(record.id),
            },
            member,
            account,
        })
    }

    pub(super) const fn id(&self) -> ProviderId {
        self.account.account.record.id
    }

    pub(super) fn name(&self) -> &str {
        &self.account.account.record.name
    }

    pub(super) const fn descriptor(&self) -> &Descriptor {
        &self.account.account.descriptor
    }

    pub(super) async fn regions(&self) -> Result<Soon<Catalogue<Region>>, Failure> {
        soon(self.member.platform.regions(&self.grant, &self.source)).await
    }

    pub(super) async fn images(&self) -> Result<Soon<Catalogue<Image>>, Failure> {
        soon(self.member.platform.images(&self.grant, &self.source)).await
    }

    pub(super) async fn apps(&self) -> Result<Soon<Catalogue<MarketplaceApp>>, Failure> {
        soon(self.member.platform.marketplace(&self.grant, &self.source)).await
    }

    /// Returns the account's own scripts, or the one with an id.
    pub(super) async fn scripts(
        &self,
        id: Option<&str>,
    ) -> Result<Soon<Vec<MarketplaceApp>>, Failure> {
        let asked = self
            .member
            .platform
            .stack_scripts(&self.grant, &self.source, id);
        Ok(soon(asked).await?.map(|it| it.1))
    }

    /// Returns what an option can be chosen from.
    pub(super) async fn choices(&self, list: ChoiceList) -> Result<Soon<Arc<[Choice]>>, Failure> {
        let platform = &self.member.platform;
        soon(platform.choices(&self.member.grant, &self.source, list)).await
    }

    /// Returns the plans in a region: those on sale or, where none is, the provider's own.
    pub(super) async fn plans(&self, region: &RegionId) -> Result<Plans, Failure> {
        let (sale, now) = self.sold().await?;
        let said: &[Plan] = now.here().map_or(&[], |it| &it.fetched.value);
        let offers = if sale.is_empty() {
            let plans = said.iter();
            plans
                .map(|it| Offer::of_plan(self.id(), it, region))
                .collect()
        } else {
            sale.iter().map(|it| heeded(it, said, region)).collect()
        };
        Ok(Plans {
            offers,
            on_sale: !sale.is_empty(),
            now,
        })
    }

    /// Returns the regions in which something can be bought, with the lowest price of a month
    /// there; `None` where that is not known.
    pub(super) async fn floors(&self) -> Result<Option<Floors>, Failure> {
        let (sale, now) = self.sold().await?;
        if sale.is_empty() {
            let plans = now.here().map(|it| it.fetched.value.iter());
            return Ok(plans.map(|plans| {
                let sold = plans.flat_map(|plan| plan.offerings.iter());
                floors(sold.map(|it| (&it.region, it.price.as_ref())))
            }));
        }
        let sold = sale.iter().flat_map(|plan| {
            let regions = plan.sold_in().map(|it| &it.region);
            regions.map(|it| (it, plan.prices_in(it).and_then(|it| it.1)))
        });
        Ok(Some(floors(sold)))
    }

    /// Returns what is on sale, and what the provider sells by now.
    async fn sold(&self) -> Result<(Vec<SalePlan>, Soon<Catalogue<Plan>>), Failure> {
        let platform = &self.member.platform;
        let (sale, now) = futures::join!(
            offer::on_sale(platform, &self.grant, Some(self.id())),
            soon(platform.plans(&self.grant, &self.source)),
        );
        Ok((sale?, now?))
    }

    /// Says that the provider does not answer, if it does not: what is shown may be old, and
    /// nobody is kept from going on.
    pub(super) fn outage(&self, shown: Option<Duration>) -> Markup {
        html! {
            @if self.account.health.is_troubled() {
                (notice(Tone::Warn, &format!("{} is not answering", self.name()), html! {
                    p {
                        @if shown.is_some() { (age("This list is", shown)) ". " }
                        "You can go on: everything is checked again before anything is created."
                    }
                }))
            }
        }
    }
}

fn floors<'a>(sold: impl Iterator<Item = (&'a RegionId, Option<&'a Price>)>) -> Floors {
    let mut floors = Floors::new();
    for (region, price) in sold {
        let month = price.and_then(|it| it.monthly);
        let floor = floors.entry(region.clone()).or_default();
        let lower = |it: &Money| floor.is_none_or(|floor| key(*it) < key(floor));
        *floor = month.filter(lower).or(*floor);
    }
    floors
}

/// What a plan on sale is in a region, by what the provider says now, where that is known.
fn heeded(plan: &SalePlan, said: &[Plan], region: &RegionId) -> Offer {
    let mut offer = Offer::of_sale(plan, region);
    if !said.is_empty() {
        offer.heed(said, region);
    }
    offer
}

/// Finds the account with an id among those that are open.
pub(super) async fn open<'a>(
    member: &'a Member<ManageInstances>,
    id: Option<ProviderId>,
) -> Result<Option<Shop<'a>>, Failure> {
    let grant = member.may::<ReadInstances>()?;
    let accounts = member.platform.open_accounts(&grant).await?;
    let mut accounts = accounts.into_iter();
    match accounts.find(|it| Some(it.account.record.id) == id) {
        Some(account) => Shop::at(member, account).map(Some),
        None => Ok(None),
    }
}
