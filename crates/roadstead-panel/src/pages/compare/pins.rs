//! Up to four plans that stay side by side, by the address of the page.

use maud::{Markup, html};
use url::form_urlencoded;

use super::PATH;
use super::market::Market;
use crate::form::Values;
use crate::offer::{Offer, Ware};
use crate::ui::nav::has_page;
use crate::ui::plan_table::transfer;
use crate::ui::{disk, memory, money, plan_kind};

/// How many stay side by side.
const MOST: usize = 4;

/// The plans that were pinned.
pub(super) struct Pins(Vec<String>);

impl Pins {
    pub(super) fn read(query: &Values) -> Self {
        let mut pins: Vec<String> = Vec::new();
        for pin in query.all("pin") {
            if !pin.is_empty() && pins.len() < MOST && !pins.iter().any(|it| it == pin) {
                pins.push(pin.to_owned());
            }
        }
        Self(pins)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns the plans, in the order in which they were pinned.
    pub(super) fn of<'a>(&self, offers: &'a [Offer]) -> Vec<&'a Offer> {
        let find = |pin: &String| offers.iter().find(|it| key(it) == *pin);
        self.0.iter().filter_map(find).collect()
    }

    fn has(&self, key: &str) -> bool {
        self.iter().any(|it| it == key)
    }

    /// Returns the address of the page with one more pinned, or one less.
    fn toggled(&self, query: &Values, key: &str) -> String {
        let mut pins: Vec<_> = self.iter().filter(|it| *it != key).collect();
        if !self.has(key) {
            pins.push(key);
        }
        let mut address = form_urlencoded::Serializer::new(String::new());
        address.extend_pairs(pins.into_iter().map(|it| ("pin", it)));
        let (rest, pins) = (query.with(&[("pin", "")]), address.finish());
        match (rest.is_empty(), pins.is_empty()) {
            (_, true) => format!("{PATH}{rest}"),
            (true, false) => format!("{PATH}?{pins}"),
            (false, false) => format!("{PATH}{rest}&{pins}"),
        }
    }
}

/// Returns what a plan is called in an address. A provider's own plan is one only at an account.
pub(super) fn key(offer: &Offer) -> String {
    match &offer.ware {
        Ware::Sale(id) => id.to_string(),
        Ware::Plan(plan) => format!("{}/{plan}", offer.account),
    }
}

/// Leads on from a plan.
pub(super) fn actions(query: &Values, market: &Market, pins: &Pins, offer: &Offer) -> Markup {
    let key = key(offer);
    let pinned = pins.has(&key);
    let named = || html! { span.hidden-text { " " (offer.name) } };
    html! {
        div.row-actions {
            @if pinned || pins.0.len() < MOST {
                a href=(pins.toggled(query, &key)) {
                    @if pinned { "Unpin" } @else { "Pin" } (named())
                }
            }
            @if market.may_change && offer.refusal.is_none() && has_page("/create") {
                a href=(create(offer)) { "Create" (named()) }
            }
        }
    }
}

/// Returns where a server of a plan is created.
fn create(offer: &Offer) -> String {
    let (account, plan) = (offer.account.to_string(), offer.ware.to_string());
    let query = Values::of([("account", account.as_str()), ("plan", &plan)]).with(&[]);
    format!("/create{query}")
}

type Line = (&'static str, fn(&Offer) -> Markup);

const LINES: [Line; 9] = [
    ("Per month", |it| money(it.monthly().as_ref())),
    ("Per hour", |it| money(it.hourly().as_ref())),
    ("vCPU", |it| html! { (it.vcpus) }),
    ("Memory", |it| html! { (memory(it.memory)) }),
    ("Disk", |it| html! { (disk(it.disk)) }),
    ("Transfer", |it| html! { (transfer(it.transfer)) }),
    ("Per vCPU", |it| money(it.per_vcpu().as_ref())),
    ("Per GiB", |it| money(it.per_gib().as_ref())),
    ("Kind", |it| html! { (plan_kind(it)) }),
];

/// Shows the pinned plans.
pub(super) fn side_by_side(query: &Values, market: &Market, pinned: &[&Offer]) -> Markup {
    let pins = Pins::read(query);
    html! {
        @if !pinned.is_empty() {
            section aria-labelledby="pinned" {
                h2 id="pinned" { "Side by side" }
                div.table {
                    table {
                        caption.hidden-text { "Pinned plans" }
                        thead { tr {
                            th scope="col" { "Plan" }
                            @for it in pinned {
                                th scope="col" {
                                    (it.name) div.small { (market.name(it.account)) }
                                }
                            }
                        } }
                        tbody {
                            @for (name, shown) in LINES {
                                tr {
                                    th scope="row" { (name) }
                                    @for it in pinned { td { (shown(it)) } }
                                }
                            }
                            tr {
                                th scope="row" { "What to do" }
                                @for it in pinned { td { (actions(query, market, &pins, it)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_four_are_pinned_and_each_once() {
        let query = Values::of(["a", "b", "a", "", "c", "d", "e"].map(|it| ("pin", it)));
        let pins = Pins::read(&query);
        assert_eq!(pins.iter().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(pins.toggled(&query, "b"), "/compare?pin=a&pin=c&pin=d");
        let query = Values::of([("sort", "name"), ("pin", "x y")]);
        let pins = Pins::read(&query);
        assert_eq!(
            pins.toggled(&query, "z"),
            "/compare?sort=name&pin=x+y&pin=z"
        );
        assert_eq!(pins.toggled(&query, "x y"), "/compare?sort=name");
    }
}
