//! The plans of all accounts.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use maud::{Markup, html};
use roadstead_core::{Plan, ProviderId};
use roadstead_service::{Catalogue, CatalogueSource, OpenAccount, ReadInstances};

use crate::failure::Failure;
use crate::offer::{self, Offer, read_at};
use crate::soon::{Soon, not_here, soon};
use crate::visitor::{Member, Visitor};

/// The plans of all accounts, and what is not here of them.
pub(super) struct Market {
    accounts: Vec<OpenAccount>,
    /// The plans.
    pub(super) offers: Vec<Offer>,
    ages: BTreeMap<ProviderId, Duration>,
    /// Of accounts whose plans are not here.
    missing: Vec<(ProviderId, Soon<Catalogue<Plan>>)>,
    /// Whether what is missing can be bought by who looks.
    pub(super) may_change: bool,
}

impl Market {
    /// Reads the plans on sale, and asks the providers of those accounts where none is.
    pub(super) async fn open(member: &Member<ReadInstances>) -> Result<Self, Failure> {
        let platform = &member.platform;
        let accounts = platform.open_accounts(&member.grant).await?;
        let sale = offer::on_sale(platform, &member.grant, None).await?;
        let mut market = Self {
            offers: sale.iter().map(Offer::of_sale_anywhere).collect(),
            ages: BTreeMap::new(),
            missing: Vec::new(),
            may_change: member.may_change(),
            accounts,
        };
        for id in market.ids() {
            let of_it: Vec<_> = market
                .offers
                .iter()
                .filter(|it| it.account == id)
                .cloned()
                .collect();
            let read = read_at(&of_it).map(|it| member.now.duration_since(it));
            if let Some(age) = read.and_then(|it| it.try_into().ok()) {
                market.ages.insert(id, age);
            }
        }
        let sells_own = |it: &&OpenAccount| {
            let id = it.account.record.id;
            !market.offers.iter().any(|it| it.account == id)
        };
        let asked = market.accounts.iter().filter(sells_own).map(|it| {
            let record = &it.account.record;
            let source = CatalogueSource {
                kind: record.kind.as_str().to_owned(),
                provider: Some(record.id),
            };
            let id = record.id;
            async move {
                let plans = platform.plans(&member.grant, &source);
                Ok::<_, Failure>((id, soon(plans).await?))
            }
        });
        for (id, plans) in try_join_all(asked).await? {
            match plans {
                Soon::Here(plans) => {
                    let offers = plans.fetched.value.iter();
                    market
                        .offers
                        .extend(offers.map(|it| Offer::of_plan_anywhere(id, it)));
                    market.ages.insert(id, plans.fetched.age);
                }
                missing => market.missing.push((id, missing)),
            }
        }
        Ok(market)
    }

    /// Returns the accounts, in the operator's order.
    pub(super) fn ids(&self) -> impl Iterator<Item = ProviderId> + use<> {
        let ids: Vec<_> = self
            .accounts
            .iter()
            .map(|it| it.account.record.id)
            .collect();
        ids.into_iter()
    }

    /// Returns the accounts with their names.
    pub(super) fn accounts(&self) -> Vec<(String, &str)> {
        let records = self.accounts.iter().map(|it| &it.account.record);
        records
            .map(|it| (it.id.to_string(), it.name.as_str()))
            .collect()
    }

    pub(super) fn account(&self, id: ProviderId) -> Option<&OpenAccount> {
        self.accounts.iter().find(|it| it.account.record.id == id)
    }

    pub(super) fn name(&self, id: ProviderId) -> &str {
        self.account(id).map_or("", |it| &it.account.record.name)
    }

    /// Returns how old the prices of an account are.
    pub(super) fn age(&self, id: ProviderId) -> Option<Duration> {
        self.ages.get(&id).copied()
    }

    /// Returns the accounts whose providers do not answer, with the ages of their prices.
    pub(super) fn outages(&self) -> impl Iterator<Item = (&str, Option<Duration>)> {
        let troubled = self.accounts.iter().filter(|it| it.health.is_troubled());
        troubled.map(|it| {
            let record = &it.account.record;
            (record.name.as_str(), self.age(record.id))
        })
    }

    /// Returns whether a provider is still being asked.
    pub(super) fn is_awaited(&self) -> bool {
        self.missing.iter().any(|it| it.1.is_awaited())
    }

    /// Says what is not here.
    pub(super) fn missing(&self, visitor: &Visitor) -> Markup {
        html! {
            @for (id, plans) in &self.missing {
                (not_here(visitor, self.name(*id), "its plans", plans))
            }
        }
    }

    /// Returns an account that is asked for, or any, whose plans are not here.
    pub(super) fn first_missing(&self, asked: Option<&str>) -> Option<&Soon<Catalogue<Plan>>> {
        let is_asked = |id: ProviderId| asked.is_none_or(|it| it == id.to_string());
        let mut missing = self.missing.iter();
        missing.find(|it| is_asked(it.0)).map(|it| &it.1)
    }
}
