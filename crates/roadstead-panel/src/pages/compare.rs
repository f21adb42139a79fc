//! All plans of all providers side by side.

mod csv;
mod market;
mod pins;

use std::collections::BTreeSet;

use maud::{Markup, html};
use roadstead_service::ReadInstances;

use self::market::Market;
use self::pins::Pins;
use crate::failure::Answer;
use crate::form::{Filled, Mistakes, Values};
use crate::offer::{ARCHES, CHEAPEST_FIRST, Filter, Offer, sort};
use crate::route::{Route, Who};
use crate::ui::{
    Bar, Column, Field, PLAN_COLUMNS, Page, Text, Tone, age, bars, cut, field, filters, id_of,
    notice, pager, plan_cells, plan_kind, table,
};
use crate::visitor::Member;

/// Where it lies.
const PATH: &str = "/compare";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page(PATH, Who::Viewer, show),
        Route::file("/compare.csv", Who::Viewer, csv::download),
    ]
}

async fn show(member: Member<ReadInstances>) -> Answer {
    let query = member.query()?;
    let market = Market::open(&member).await?;
    let filled = Filled::again(query, Mistakes::default());
    let renewed = member.preferences.live && market.is_awaited();
    let mut page = Page::new(&member, "Compare plans");
    for (name, kept) in market.outages() {
        let title = format!("{name} is not answering");
        page = page.above(notice(
            Tone::Warn,
            &title,
            html! {
                p { (age("Its plans are", kept)) ". Everything else works as usual." }
            },
        ));
    }
    Ok(page.body(html! {
        (filter_fields(&filled, &market))
        div id="results"
            data-refresh=[renewed.then_some("2")] data-src=[renewed.then_some(&member.path)] {
            (market.missing(&member))
            (results(&filled.values, &market))
        }
    }))
}

/// Returns the plans that are looked for, in the order that is asked for.
fn found(query: &Values, market: &Market) -> Vec<Offer> {
    let filter = Filter::read(query);
    let account = query.given("account");
    let mut found: Vec<_> = market
        .offers
        .iter()
        .filter(|it| account.is_none_or(|account| it.account.to_string() == account))
        .filter(|it| filter.takes(it))
        .cloned()
        .collect();
    let word = query.given("sort").unwrap_or(CHEAPEST_FIRST);
    sort(&mut found, word);
    // What an account is called is not the plan's to know.
    let by = |it: &Offer| (it.refusal.is_some(), market.name(it.account).to_owned());
    match word {
        "provider" => found.sort_by_key(by),
        "-provider" => found.sort_by(|one, other| {
            let ((one_refused, one), (other_refused, other)) = (by(one), by(other));
            (one_refused, other).cmp(&(other_refused, one))
        }),
        _ => {}
    }
    found
}

fn filter_fields(filled: &Filled, market: &Market) -> Markup {
    let search = Text {
        kind: "search",
        ..Text::default()
    };
    let number = Text {
        kind: "number",
        ..Text::default()
    };
    let any = || std::iter::once(("", "Any"));
    let accounts = market.accounts();
    let classes: BTreeSet<_> = market.offers.iter().map(|it| it.class.as_str()).collect();
    let classes = classes.into_iter().filter(|it| !it.is_empty());
    let currencies: BTreeSet<_> = market.offers.iter().filter_map(Offer::currency).collect();
    let codes = currencies.iter().map(|it| (it.as_str(), it.as_str()));
    let values = &filled.values;
    let pins = Pins::read(values);
    let kept = std::iter::once(("sort", values.text("sort")));
    let kept: Vec<_> = kept.chain(pins.iter().map(|it| ("pin", it))).collect();
    filters(
        PATH,
        html! {
            (field::text(filled, Field::new("name", "Name contains"), search))
            (field::select(
                filled,
                Field::new("account", "Provider"),
                any().chain(accounts.iter().map(|it| (it.0.as_str(), it.1))),
            ))
            (field::select(
                filled,
                Field::new("class", "Class"),
                any().chain(classes.map(|it| (it, it))),
            ))
            (field::select(
                filled,
                Field::new("arch", "Processor"),
                any().chain(ARCHES.iter().map(|it| (it.1, it.2))),
            ))
            (field::text(filled, Field::new("vcpus", "vCPUs at least"), number))
            (field::text(filled, Field::new("memory", "Memory at least (GiB)"), Text::default()))
            (field::text(filled, Field::new("disk", "Disk at least (GiB)"), Text::default()))
            (field::text(filled, Field::new("price", "Price at most (a month)"), Text::default()))
            @if currencies.len() > 1 {
                (field::select(filled, Field::new("currency", "Currency"), any().chain(codes)))
            }
            (field::checkbox(filled, Field::new("available", "Only what can be had")))
        },
        &kept,
    )
}

fn results(query: &Values, market: &Market) -> Markup {
    let found = found(query, market);
    let pins = Pins::read(query);
    let pinned = pins.of(&market.offers);
    let count = format!("{} of {} plans", found.len(), market.offers.len());
    let cheapest = cheapest(&found, market);
    let (shown, next) = cut(found, query);
    let csv = format!("/compare.csv{}", query.with(&[("cursor", ""), ("pin", "")]));
    let columns: Vec<_> = [
        Column::new("Plan").sorted_by("name"),
        Column::new("Provider")
            .sorted_by("provider")
            .class("secondary"),
    ]
    .into_iter()
    .chain(PLAN_COLUMNS)
    .chain([Column::new("What to do")])
    .collect();
    html! {
        (pins::side_by_side(query, market, &pinned))
        @if !cheapest.is_empty() { (bars("Cheapest match at each provider, per month", &cheapest)) }
        p.count role="status" { (count) }
        @if shown.is_empty() {
            p { "No plan matches. " a href=(PATH) { "Show all plans" } }
        } @else {
            (table(
                "Plans",
                &columns,
                html! { @for it in &shown { (row(query, market, &pins, it)) } },
                PATH,
                query,
                CHEAPEST_FIRST,
            ))
            (pager(PATH, query, next.as_deref()))
            p.small {
                "Prices are those of the cheapest region of each plan. "
                a href=(csv) download="plans.csv" { "Download as CSV" }
            }
        }
    }
}

/// Returns the cheapest plan of each account, the cheapest account first.
fn cheapest<'a>(found: &[Offer], market: &'a Market) -> Vec<Bar<'a>> {
    let of_account = |id| {
        let open = found
            .iter()
            .filter(|it| it.account == id && it.refusal.is_none());
        let priced = open.filter_map(|it| Some((it.monthly()?, it)));
        priced.min_by_key(|(month, _)| (month.currency, month.amount))
    };
    let mut best: Vec<_> = market
        .ids()
        .filter_map(|id| Some((of_account(id)?, id)))
        .collect();
    best.sort_by_key(|((month, _), _)| (month.currency, month.amount));
    best.into_iter()
        .map(|((month, offer), id)| Bar {
            label: market.name(id),
            note: html! { (offer.name) ", " (age("prices", market.age(id))) },
            amount: Some(month),
        })
        .collect()
}

fn row(query: &Values, market: &Market, pins: &Pins, offer: &Offer) -> Markup {
    html! {
        tr id={ "plan-" (id_of(&pins::key(offer))) } {
            th scope="row" {
                (offer.name)
                div.small { (plan_kind(offer)) }
                @if let Some(why) = &offer.refusal { div.why { "Cannot be had: " (why) } }
            }
            td.secondary { (market.name(offer.account)) }
            (plan_cells(offer))
            td { (pins::actions(query, market, pins, offer)) }
        }
    }
}
