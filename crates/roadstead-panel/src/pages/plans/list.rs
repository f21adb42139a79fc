//! All plans, on sale or not: filtered and sorted by the database, a page at a time.

use std::collections::BTreeMap;

use maud::{Markup, html};
use roadstead_core::{MiB, ProviderId};
use roadstead_service::{
    Accounts, Page as Slice, PageRequest, Registered, SalePlan, SalePlanFilter, SalePlanOrder,
};

use super::{added, state};
use crate::failure::Answer;
use crate::form::{Filled, Mistakes, Values};
use crate::ui::{
    Column, Field, Page, Text, disk, empty, field, filters, memory, money, pager, table,
};
use crate::visitor::Operator;

/// How many plans stand on a page.
const PAGE: u32 = 100;

/// The filters, by the names under which they are sent.
const FILTERS: [&str; 6] = ["name", "provider", "region", "active", "vcpus", "memory"];

/// The form that the buttons of the rows belong to.
pub(super) const SALE: &str = "sale";

const COLUMNS: [Column<'static>; 6] = [
    Column::new("Plan"),
    Column::new("Account").class("secondary"),
    Column::new("Base per month").class("number secondary"),
    Column::new("Added").class("number secondary"),
    Column::new("Per month").sorted_by("price").class("number"),
    Column::new("State"),
];

pub(super) async fn show(operator: Operator) -> Answer {
    let query = operator.query()?;
    let (platform, grant) = (&operator.platform, &operator.grant);
    let accounts = platform.providers(grant).await?;
    let sort = query.given("sort").and_then(SalePlanOrder::from_word);
    let page = PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        limit: PAGE,
    };
    let (filter, order) = (filter(&query), sort.unwrap_or_default());
    let plans = platform.sale_plans(grant, &filter, order, &page).await?;
    let shown = Page::new(&operator, "Plans on sale").actions(html! {
        a.button.primary href="/plans/import" { "Import plans" }
    });
    let filtered = FILTERS.iter().any(|it| query.given(it).is_some());
    if plans.items.is_empty() && !filtered && query.given("cursor").is_none() {
        return Ok(shown.body(nothing_yet(&accounts)));
    }
    Ok(shown.body(html! {
        (filter_fields(&query, &accounts))
        form id=(SALE) method="post" action="/plans/sale" {
            (field::key())
            input type="hidden" name="back" value=(operator.path);
        }
        section id="results" aria-label="Plans" { (listed(&query, &accounts, &plans)) }
    }))
}

/// Reads which plans are asked for; what makes no sense filters nothing.
fn filter(query: &Values) -> SalePlanFilter {
    SalePlanFilter {
        name: query.given("name").map(str::to_owned),
        provider: query.given("provider").and_then(|it| it.parse().ok()),
        region: query.given("region").map(Into::into),
        active: match query.text("active") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        min_vcpus: query.given("vcpus").and_then(|it| it.parse().ok()),
        min_memory: query
            .given("memory")
            .and_then(|it| it.parse::<u32>().ok())
            .map(|gib| MiB::from_gib(gib.into())),
        accounts: Accounts::All,
        ..SalePlanFilter::default()
    }
}

fn nothing_yet(accounts: &[Registered]) -> Markup {
    if accounts.is_empty() {
        return empty(
            "No plan yet",
            html! { p { "Plans come from an account at a provider. There is none yet." } },
            Some(("/providers/add", "Add an account")),
        );
    }
    empty(
        "No plan yet",
        html! {
            p {
                "Import the plans of an account and say what you add to their prices. Members then \
                 buy them from you."
            }
        },
        Some(("/plans/import", "Import plans")),
    )
}

fn filter_fields(query: &Values, accounts: &[Registered]) -> Markup {
    let filled = Filled::again(query.clone(), Mistakes::default());
    let accounts = names(accounts);
    let ids: Vec<_> = accounts
        .iter()
        .map(|(id, name)| (id.to_string(), *name))
        .collect();
    let any = || std::iter::once(("", "Any"));
    let search = Text {
        kind: "search",
        ..Text::default()
    };
    let number = Text {
        kind: "number",
        ..Text::default()
    };
    filters(
        "/plans",
        html! {
            (field::text(&filled, Field::new("name", "Name contains"), search))
            (field::select(
                &filled,
                Field::new("provider", "Account"),
                any().chain(ids.iter().map(|(id, name)| (id.as_str(), *name))),
            ))
            (field::text(&filled, Field::new("region", "Region"), search))
            (field::select(
                &filled,
                Field::new("active", "On sale"),
                any().chain([("yes", "Yes"), ("no", "No")]),
            ))
            (field::text(&filled, Field::new("vcpus", "vCPU at least"), number))
            (field::text(&filled, Field::new("memory", "GiB of memory at least"), number))
        },
        &[("sort", query.text("sort"))],
    )
}

fn names(accounts: &[Registered]) -> BTreeMap<ProviderId, &str> {
    let records = accounts.iter().map(|it| &it.record);
    records.map(|it| (it.id, it.name.as_str())).collect()
}

fn listed(query: &Values, accounts: &[Registered], plans: &Slice<SalePlan>) -> Markup {
    let names = names(accounts);
    let more = if plans.next.is_some() {
        " on this page; there are more"
    } else {
        ""
    };
    html! {
        p.count role="status" {
            (plans.items.len()) @if plans.items.len() == 1 { " plan" } @else { " plans" } (more)
        }
        @if plans.items.is_empty() {
            p { "No plan matches. " a href="/plans" { "Show all plans" } }
        } @else {
            (table(
                "Plans on sale",
                &COLUMNS,
                html! { @for it in &plans.items { (row(it, &names)) } },
                "/plans",
                query,
                SalePlanOrder::default().as_str(),
            ))
            (pager("/plans", query, plans.next.as_deref()))
        }
    }
}

fn row(plan: &SalePlan, names: &BTreeMap<ProviderId, &str>) -> Markup {
    let it = &plan.hardware;
    let account = names.get(&plan.provider).copied();
    let base = plan.base.as_ref();
    let price = plan.price.as_ref();
    html! {
        tr id={ "plan-" (plan.id) } {
            th scope="row" {
                a href={ "/plans/" (plan.id) } { (plan.name) }
                div.small {
                    (it.vcpus) " vCPU, " (memory(it.memory)) ", " (disk(it.disk)) " disk · "
                    code { (plan.remote) }
                }
            }
            td.secondary { (account.unwrap_or(plan.kind.as_str())) }
            td.number.secondary {
                (money(base.and_then(|it| it.monthly.as_ref())))
                @if plan.base_is_own() { div.small { "set by you" } }
            }
            td.number.secondary {
                (added(&plan.markup))
                @if plan.markup_is_own { div.small { "its own" } }
            }
            td.number {
                (money(price.and_then(|it| it.monthly.as_ref())))
                div.small { (money(price.and_then(|it| it.hourly.as_ref()))) " per hour" }
            }
            td { (sold(plan)) }
        }
    }
}

/// Says whether a plan is sold, with the button that changes it.
pub(super) fn sold(plan: &SalePlan) -> Markup {
    let (tone, word) = state(plan);
    html! {
        div.buttons {
            span class={ "badge " (tone) } { (word) }
            @if !plan.retired {
                @let (name, label) = if plan.active { ("stop", "Stop selling") } else { ("resume", "Sell") };
                button.small type="submit" form=(SALE) name=(name) value=(plan.id) {
                    (label) span.hidden-text { " " (plan.name) }
                }
            }
        }
    }
}
