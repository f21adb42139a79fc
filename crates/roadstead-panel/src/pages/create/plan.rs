//! Second: which plan.

use std::collections::BTreeSet;

use maud::{Markup, html};
use roadstead_core::Billed;
use roadstead_service::ManageInstances;

use super::chosen::Chosen;
use super::frame::{So, bar, beside, steps};
use super::place::{self, Place};
use super::shop::Plans;
use super::{IMAGE, PLAN};
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Mistakes, Values};
use crate::offer::{ARCHES, CHEAPEST_FIRST, Filter, Offer, Ware, read_at, sort};
use crate::soon::not_here;
use crate::ui::{Field, Page, Text, age, cut, field, pager, plan_table};
use crate::visitor::{Member, Visitor};

/// Returns the plan that was chosen, or what is wrong with it; `None` where the provider's own
/// plan is meant and nobody knows it now. A create is checked again.
pub(super) async fn checked(
    place: &Place<'_>,
    chosen: &Chosen,
) -> Result<Result<Option<Offer>, Mistakes>, Failure> {
    let wrong = |why: String| Ok(Err(Mistakes::one("plan", why)));
    let Some(ware) = &chosen.ware else {
        return wrong("Choose a plan.".to_owned());
    };
    let plans = place.shop.plans(&place.region).await?;
    let known = plans.now.here().is_some() || plans.on_sale;
    let mut offers = plans.offers.into_iter();
    match offers.find(|it| it.ware == *ware) {
        Some(Offer {
            refusal: Some(why),
            name,
            ..
        }) => wrong(format!("Choose another plan than {name}: {why}.")),
        Some(offer) => Ok(Ok(Some(offer))),
        None if !known && matches!(ware, Ware::Plan(_)) => Ok(Ok(None)),
        None => wrong("This plan is not on sale here; choose another.".to_owned()),
    }
}

pub(super) async fn show(member: Member<ManageInstances>) -> Answer {
    let query = member.query()?;
    let chosen = Chosen::read(&query);
    match place::checked(&member, &chosen).await? {
        Ok(place) => page(&member, &place, &chosen, query, Mistakes::default()).await,
        Err(mistakes) => place::page(&member, chosen, mistakes).await,
    }
}

pub(super) async fn page(
    visitor: &Visitor,
    place: &Place<'_>,
    chosen: &Chosen,
    query: Values,
    mistakes: Mistakes,
) -> Answer {
    let plans = place.shop.plans(&place.region).await?;
    let classes: BTreeSet<_> = plans.offers.iter().map(|it| it.class.clone()).collect();
    let filled = Filled::again(query, mistakes);
    let age = plans.now.here().map(|it| it.fetched.age);
    let renewed = visitor.preferences.live && plans.offers.is_empty() && plans.now.is_awaited();
    let page = Page::new(visitor, "Choose a plan")
        .form(&filled)
        .above(place.shop.outage(age));
    let results = results(visitor, place, chosen, &filled, plans);
    Ok(page.body(html! {
        (steps(2, chosen))
        form method="get" action=(PLAN) data-live="results" {
            (chosen.hidden(&["plan"]))
            @if let Some(sort) = filled.values.given("sort") {
                input type="hidden" name="sort" value=(sort);
            }
            (filters(&filled, &classes, chosen))
            div id="results"
                data-refresh=[renewed.then_some("2")] data-src=[renewed.then_some(&visitor.path)] {
                (results)
            }
        }
    }))
}

fn filters(filled: &Filled, classes: &BTreeSet<String>, chosen: &Chosen) -> Markup {
    let search = Text {
        kind: "search",
        ..Text::default()
    };
    let number = Text {
        kind: "number",
        ..Text::default()
    };
    let classes = classes.iter().filter(|it| !it.is_empty());
    let any = || std::iter::once(("", "Any"));
    let arches = ARCHES.iter().map(|it| (it.1, it.2));
    html! {
        div.filters role="search" aria-label="Filters" {
            (field::text(filled, Field::new("name", "Name contains"), search))
            (field::select(
                filled,
                Field::new("class", "Class"),
                any().chain(classes.map(|it| (it.as_str(), it.as_str()))),
            ))
            (field::select(filled, Field::new("arch", "Processor"), any().chain(arches)))
            (field::text(filled, Field::new("vcpus", "vCPUs at least"), number))
            (field::text(filled, Field::new("memory", "Memory at least (GiB)"), Text::default()))
            (field::text(filled, Field::new("price", "Price at most (a month)"), Text::default()))
            (field::checkbox(filled, Field::new("available", "Only what can be had")))
            div.buttons {
                button type="submit" { "Apply filters" }
                a href=(chosen.at(PLAN)) { "Clear" }
            }
        }
    }
}

fn results(
    visitor: &Visitor,
    place: &Place<'_>,
    chosen: &Chosen,
    filled: &Filled,
    plans: Plans,
) -> Markup {
    let query = &filled.values;
    let Plans {
        offers,
        on_sale,
        now,
    } = plans;
    let all = offers.len();
    let prices = read_at(&offers).and_then(|it| visitor.now.duration_since(it).try_into().ok());
    let stock = now.here().map(|it| it.fetched.age);
    let filter = Filter::read(query);
    let is_chosen = |it: &Offer| Some(&it.ware) == chosen.ware.as_ref();
    let mut found: Vec<_> = offers
        .iter()
        .filter(|it| filter.takes(it))
        .cloned()
        .collect();
    let count = found.len();
    sort(&mut found, query.given("sort").unwrap_or(CHEAPEST_FIRST));
    let (mut shown, next) = cut(found, query);
    let choice = offers
        .into_iter()
        .find(|it| is_chosen(it) && it.refusal.is_none());
    // What was chosen stays in sight whatever is filtered.
    if let Some(choice) = choice.clone().filter(|_| !shown.iter().any(is_chosen)) {
        shown.insert(0, choice);
    }
    let so = So {
        account: Some(place.shop.name()),
        region: Some(place.label()),
        plan: choice.as_ref().map(|it| it.name.as_str()),
        image: None,
        price: choice.as_ref().map(|it| it.price.as_ref()),
    };
    let part = html! {
        @if all == 0 {
            (not_here(visitor, place.shop.name(), "its plans", &now))
            @if now.here().is_some() { p { (place.shop.name()) " sells no plans now." } }
        } @else {
            p.count role="status" { (count) " of " (all) " plans" }
            @if shown.is_empty() {
                p { "No plan matches. " a href=(chosen.at(PLAN)) { "Show all plans" } }
            } @else {
                (plan_table(filled, &shown, PLAN, query))
                (pager(PLAN, query, next.as_deref()))
            }
            p.small {
                (age("Prices", prices))
                @if on_sale { ", " (age("stock", stock)) }
                ". "
                @if choice.as_ref().and_then(|it| it.price.as_ref()).is_some_and(|it| it.monthly_is_cap) {
                    "Hours stop adding up at the price of a month. "
                }
                (billing(place))
            }
        }
        (bar(&so, IMAGE))
    };
    beside(&so, &part)
}

/// Says what a server costs that is switched off, which surprises people.
pub(super) fn billing(place: &Place<'_>) -> &'static str {
    match place.shop.descriptor().billed_when_stopped {
        Billed::Full => "A server that is switched off costs the same.",
        Billed::StorageOnly => {
            "Of a server that is switched off, disks and addresses are paid for."
        }
        Billed::No => "A server that is switched off costs nothing.",
        Billed::Unknown => "",
    }
}
