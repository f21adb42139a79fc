//! A vendor's plan as it can be put on sale: what cannot be kept or told is left out.

use std::cmp::Reverse;
use std::collections::HashMap;

use roadstead_core::{Availability, Market, Money, Offering, Plan, Price, RegionId};
use roadstead_repository::{Hardware, OfferedIn, OfferedPlan, OfferedPrice};

/// The longest name of a plan, in characters.
pub(super) const LONGEST_NAME: usize = 100;

/// The longest id of a plan or region of a vendor, in bytes.
const LONGEST_ID: usize = 255;

/// Returns what a vendor offers of a plan; `None` where it sells it nowhere on demand, and where
/// what it says cannot be kept.
pub(super) fn offered(plan: &Plan) -> Option<OfferedPlan> {
    let id = plan.id.as_str();
    if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
        return None;
    }
    // The database counts in signed numbers.
    let kept = |it: u64| i64::try_from(it).is_ok();
    if !kept(plan.memory.0) || plan.disk.is_some_and(|it| !kept(it.0)) {
        return None;
    }
    let mut sold: Vec<(&RegionId, Availability, Option<Price>)> = Vec::new();
    for it in &plan.offerings {
        let known = sold.iter().any(|(region, ..)| **region == it.region);
        if is_sold(it) && !known {
            let price = it.price.as_ref().and_then(exact);
            sold.push((&it.region, it.availability, price));
        }
    }
    if sold.is_empty() {
        return None;
    }
    let base = general(sold.iter().filter_map(|it| it.2.as_ref()));
    let offering = |(region, availability, price): (&RegionId, Availability, Option<Price>)| {
        let price = match price {
            None => OfferedPrice::Unknown,
            Some(price) if base.as_ref().is_some_and(|it| key(it) == key(&price)) => {
                OfferedPrice::General
            }
            Some(price) => OfferedPrice::Apart(price),
        };
        OfferedIn {
            region: region.clone(),
            availability,
            price,
        }
    };
    let offerings = sold.into_iter().map(offering).collect();
    Some(OfferedPlan {
        remote: plan.id.clone(),
        label: visible(&plan.label).unwrap_or_else(|| id.chars().take(LONGEST_NAME).collect()),
        hardware: Hardware {
            class: visible(&plan.class).unwrap_or_default(),
            arch: plan.arch,
            vcpus: plan.vcpus,
            dedicated_cpu: plan.dedicated_cpu,
            memory: plan.memory,
            disk: plan.disk,
            gpus: plan.gpus,
            transfer: plan.transfer,
            network_out: plan.network_out,
        },
        base,
        offerings,
    })
}

/// Regions become keys of JSON that queries look into, so they keep to plain characters.
fn is_sold(it: &Offering) -> bool {
    let region = it.region.as_str();
    it.market == Market::OnDemand
        && it.availability != Availability::Retired
        && (1..=LONGEST_ID).contains(&region.len())
        && region
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"-_.:/".contains(&it))
}

/// Returns the parts of a price that can be kept exactly; `None` where there is none. An amount
/// that cannot is unknown: rounded, it would be another one.
fn exact(price: &Price) -> Option<Price> {
    let part = |it: Option<Money>| it.filter(|it| it.nanos().is_some_and(|it| it >= 0));
    let (hourly, monthly) = (part(price.hourly), part(price.monthly));
    let currencies = [hourly, monthly].map(|it| it.map(|it| it.currency));
    match currencies {
        [None, None] => None,
        [Some(one), Some(other)] if one != other => None,
        _ => Some(Price {
            hourly,
            monthly,
            ..price.clone()
        }),
    }
}

/// Returns what most regions cost; of those that are as many, the cheapest.
fn general<'a>(prices: impl Iterator<Item = &'a Price>) -> Option<Price> {
    let mut seen: HashMap<_, (usize, &Price)> = HashMap::new();
    for price in prices {
        seen.entry(key(price)).or_insert((0, price)).0 += 1;
    }
    let amount = |it: Option<Money>| it.map(|it| (it.currency, it.amount));
    seen.into_values()
        .min_by_key(|(count, it)| {
            let amounts = (amount(it.monthly), amount(it.hourly));
            (Reverse(*count), amounts, it.monthly_is_cap)
        })
        .map(|(_, price)| price.clone())
}

fn key(price: &Price) -> (Option<Money>, Option<Money>, bool) {
    (price.hourly, price.monthly, price.monthly_is_cap)
}

/// Returns a text that a person can read on one line, if anything of it is left.
fn visible(text: &str) -> Option<String> {
    let shown: String = text
        .chars()
        .filter(|it| !it.is_control())
        .take(LONGEST_NAME)
        .collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests;
