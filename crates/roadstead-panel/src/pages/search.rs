//! The search: servers, plans and pages. The palette shows the same form and the same hits.

use maud::{Markup, html};
use roadstead_core::{Plan, ProviderId};
use roadstead_service::{Found, FoundPlans, Instance, ReadInstances, SalePlan, Silent};

use crate::failure::Answer;
use crate::form::{Filled, Mistakes, Values};
use crate::route::{Route, Who};
use crate::ui::nav::{has_page, places};
use crate::ui::{
    Field, Page, Text, Tone, age, disk, field, memory, money, notice, sentence, status_badge,
};
use crate::visitor::{Member, Visitor};

const PATH: &str = "/search";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::page(PATH, Who::Viewer, show)]
}

async fn show(member: Member<ReadInstances>) -> Answer {
    let query = member.query()?;
    let text = query.given("q").unwrap_or_default();
    let found = member.platform.search(&member.grant, text).await?;
    let filled = Filled::again(query.clone(), Mistakes::default());
    let search = Text {
        kind: "search",
        ..Text::default()
    };
    Ok(Page::new(&member, "Search").body(html! {
        form.search method="get" action=(PATH) role="search" data-live="hits" {
            (field::text(
                &filled,
                Field::new("q", "Look for").hint("A server’s label, address or id, a plan, a page."),
                search,
            ))
            button type="submit" { "Search" }
        }
        div id="hits" { (hits(&member, &query, &found)) }
    }))
}

fn hits(visitor: &Visitor, query: &Values, found: &Found) -> Markup {
    let text = query.given("q").unwrap_or_default();
    let pages: Vec<_> = pages(visitor, text).collect();
    let plans: usize = found.plans.iter().map(|it| it.plans.len()).sum();
    let count = found.servers.len() + found.on_sale.len() + plans + pages.len();
    html! {
        p.count role="status" {
            @if text.is_empty() {
                "Type to search, or go to a page."
            } @else if count == 0 {
                "Nothing was found."
            } @else {
                (count) @if count == 1 { " hit" } @else { " hits" }
            }
        }
        @for silent in &found.silent { (left_out(silent)) }
        @if !found.servers.is_empty() {
            (group("Servers", html! { @for it in &found.servers { (server(it)) } }))
        }
        @if !found.on_sale.is_empty() {
            (group("Plans on sale", html! {
                @for it in &found.on_sale { (on_sale(visitor, it)) }
            }))
        }
        @for it in &found.plans { (plans_of(visitor, it)) }
        @if !pages.is_empty() {
            (group("Pages", html! {
                @for (path, name) in &pages { li { a href=(path) { (name) } } }
            }))
        }
    }
}

fn group(title: &str, items: Markup) -> Markup {
    html! { section.hits { h2 { (title) } ul.plain { (items) } } }
}

fn left_out(silent: &Silent) -> Markup {
    notice(
        Tone::Warn,
        &format!("{} did not say what it sells", silent.name),
        html! { p { (sentence(&silent.why)) " Its plans are not among what was found." } },
    )
}

fn server(it: &Instance) -> Markup {
    let place = format!("/servers/{}", it.id);
    html! {
        li {
            @if has_page("/servers/{id}") { a href=(place) { (it.label) } } @else { (it.label) }
            " " (status_badge(it.public_status()))
            div.small {
                (it.specification.region) ", " (it.specification.plan)
                @for address in &it.addresses { ", " (address.ip) }
            }
        }
    }
}

fn on_sale(visitor: &Visitor, it: &SalePlan) -> Markup {
    let monthly = it.price.as_ref().and_then(|it| it.monthly.as_ref());
    html! {
        li {
            (named(visitor, it.provider, &it.id.to_string(), &it.name))
            @if visitor.is_operator() {
                " · " a href={ "/plans/" (it.id) } { "Change" span.hidden-text { " " (it.name) } }
            }
            div.small {
                (it.hardware.vcpus) " vCPU, " (memory(it.hardware.memory)) ", "
                (disk(it.hardware.disk)) " disk, " (money(monthly)) " per month"
            }
        }
    }
}

fn plans_of(visitor: &Visitor, it: &FoundPlans) -> Markup {
    let title = format!("Plans of {}", it.account.name);
    let items = html! { @for plan in &it.plans { (plan_of(visitor, it, plan)) } };
    html! {
        section.hits {
            h2 { (title) }
            ul.plain { (items) }
            p.small { (age("Plans", Some(it.age))) }
        }
    }
}

fn plan_of(visitor: &Visitor, of: &FoundPlans, plan: &Plan) -> Markup {
    html! {
        li {
            (named(visitor, of.account.id, plan.id.as_str(), &plan.label)) " " code { (plan.id) }
            div.small {
                (plan.vcpus) " vCPU, " (memory(plan.memory)) ", " (disk(plan.disk)) " disk"
            }
        }
    }
}

/// Names a plan; for whom a server can be created, it leads there.
fn named(visitor: &Visitor, account: ProviderId, plan: &str, name: &str) -> Markup {
    let account = account.to_string();
    let query = Values::of([("account", account.as_str()), ("plan", plan)]).with(&[]);
    html! {
        @if visitor.may_change() { a href={ "/create" (query) } { (name) } } @else { (name) }
    }
}

/// Finds the pages whose names contain a text.
fn pages<'a>(
    visitor: &'a Visitor,
    text: &str,
) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    let text = text.to_lowercase();
    places(visitor).filter(move |(_, name)| name.to_lowercase().contains(&text))
}
