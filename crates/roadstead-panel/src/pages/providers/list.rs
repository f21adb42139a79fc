//! All accounts, in the order in which they are tried.

use maud::{Markup, html};
use roadstead_core::ProviderId;

use super::Seen;
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Sent, Values};
use crate::ui::account::{calls_left, catalogue_ages, last_answer, verification};
use crate::ui::{Column, Health, Page, Tone, ago, empty, field, health_badge, notice, table};
use crate::visitor::{Operator, Visitor};

/// The form that the buttons of the order belong to.
const ORDER: &str = "order";

const COLUMNS: [Column<'static>; 6] = [
    Column::new("Account"),
    Column::new("State"),
    Column::new("Calls left").class("secondary"),
    Column::new("Last sync").class("secondary"),
    Column::new("Kept").class("secondary"),
    Column::new("Order"),
];

pub(super) async fn show(operator: Operator) -> Answer {
    let all = Seen::all(&operator.platform, &operator.grant).await?;
    let mut page = Page::new(&operator, "Provider accounts").actions(html! {
        a.button.primary href="/providers/add" { "Add an account" }
    });
    for seen in &all {
        page = page.above(trouble(&operator, seen));
    }
    if all.is_empty() {
        return Ok(page.body(empty(
            "No account yet",
            html! { p { "Servers are created with an account of yours at a provider." } },
            Some(("/providers/add", "Add the first one")),
        )));
    }
    let live = operator.preferences.live;
    Ok(page.body(html! {
        p { "Where a provider has several accounts, the first that is switched on is taken." }
        form id=(ORDER) method="post" action="/providers/order" { (field::key()) }
        section id="accounts" aria-label="Accounts"
            data-refresh=[live.then_some("16")] data-src=[live.then_some("/providers")] {
            (table(
                "Provider accounts",
                &COLUMNS,
                html! {
                    @for (place, seen) in (1..).zip(&all) { (row(&operator, seen, place, all.len())) }
                },
                "/providers",
                &Values::default(),
                "",
            ))
        }
    }))
}

/// Says what is wrong with an account, if anything is.
pub(super) fn trouble(visitor: &Visitor, seen: &Seen) -> Markup {
    let record = &seen.account.record;
    let last = last_answer(visitor, seen.health.last_call);
    match seen.health() {
        Health::Answers | Health::Off | Health::Unknown => html! {},
        Health::Troubled => notice(
            Tone::Warn,
            &format!("{} is not answering", record.name),
            html! {
                p {
                    "Last answer: " (last) ". What is kept of its catalogues is shown with its age; "
                    "servers are shown as they were last seen."
                }
            },
        ),
        Health::Refused => notice(
            Tone::Danger,
            &format!("{} is frozen", record.name),
            html! {
                p {
                    (verification(visitor, &record.verification)) ". Nothing is sent with it until "
                    a href={ "/providers/" (record.id) "/token" } { "it gets a good token" } "."
                }
            },
        ),
    }
}

fn row(visitor: &Visitor, seen: &Seen, place: usize, count: usize) -> Markup {
    let record = &seen.account.record;
    html! {
        tr id={ "account-" (record.id) } {
            th scope="row" {
                a href={ "/providers/" (record.id) } { (record.name) }
                div.small { (seen.account.descriptor.name) }
            }
            td {
                (health_badge(seen.health()))
                div.small { (verification(visitor, &record.verification)) }
            }
            td.secondary { (calls_left(&seen.budget)) }
            td.secondary {
                @match seen.sweep.as_ref().and_then(|it| it.completed_at) {
                    Some(at) => (ago(visitor, at)),
                    None => span.unknown { "never" },
                }
            }
            td.secondary { (catalogue_ages(&seen.health)) }
            td {
                div.buttons {
                    (mover("up", "Up", &record.name, record.id, place > 1))
                    (mover("down", "Down", &record.name, record.id, place < count))
                }
            }
        }
    }
}

fn mover(way: &str, word: &str, name: &str, id: ProviderId, possible: bool) -> Markup {
    html! {
        button.small type="submit" form=(ORDER) name=(way) value=(id) disabled[!possible] {
            (word) span.hidden-text { ": " (name) }
        }
    }
}

/// Moves an account one place. Which order that makes is told by how the accounts stand now.
pub(super) async fn order(Sent(operator, form): Sent<Operator>) -> Answer {
    let (up, down) = (form.values.given("up"), form.values.given("down"));
    let moved: Option<ProviderId> = up.or(down).and_then(|it| it.parse().ok());
    let all = operator.platform.providers(&operator.grant).await?;
    let mut order: Vec<_> = all.iter().map(|it| it.record.id).collect();
    let from = order.iter().position(|it| Some(*it) == moved);
    let to = from.and_then(|it| match up {
        Some(_) => it.checked_sub(1),
        None => Some(it + 1).filter(|it| *it < order.len()),
    });
    if let (Some(from), Some(to)) = (from, to) {
        order.swap(from, to);
        let way = format!("{} {}", up.unwrap_or_default(), down.unwrap_or_default());
        let grant = operator.again()?.under_key(form.key_of(&way));
        operator.platform.reorder_providers(&grant, &order).await?;
    }
    operator.done(Done::AccountsOrdered, "/providers")
}
