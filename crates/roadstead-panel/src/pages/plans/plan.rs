//! One plan: its prices, what is added, whether it is sold.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::{Arch, Availability, SalePlanId};
use roadstead_service::{Error, SaleOffering, SalePlan, SalePlanChange};

use super::list::{SALE, sold};
use super::{added, find, markup};
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::next;
use crate::ui::{
    Column, Confirm, Field, Page, Text, Tone, confirm, disk, field, memory, money, notice, price,
    table, time,
};
use crate::visitor::{Operator, Visitor};

const REGIONS: [Column<'static>; 3] = [
    Column::new("Region"),
    Column::new("Base per month").class("number"),
    Column::new("Per month").class("number"),
];

pub(super) async fn show(operator: Operator, id: web::Path<String>) -> Answer {
    let plan = find(&operator, &id).await?;
    let mut pairs = markup::filled(&plan.markup);
    pairs.push(("name", plan.name.clone()));
    if let Some(base) = plan.base.as_ref().and_then(|it| it.monthly.or(it.hourly)) {
        // Of two fields of a name the first counts, so that the markup's own currency does.
        pairs.push(("currency", base.currency.as_str().to_owned()));
    }
    let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
    page(&operator, &plan, &Filled::with(pairs)).await
}

pub(super) async fn change(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let plan = find(&operator, &id).await?;
    let Form { values, .. } = form;
    let added = match markup::read(&values) {
        Ok(added) => added,
        Err(mistakes) => return page(&operator, &plan, &Filled::again(values, mistakes)).await,
    };
    let change = SalePlanChange {
        name: Some(values.text("name").to_owned()),
        // The same again would make it the plan's own, which imports leave.
        markup: Some(added).filter(|it| *it != plan.markup),
        ..SalePlanChange::default()
    };
    match operator
        .platform
        .change_sale_plan(&operator.grant, plan.id, change)
        .await
    {
        Ok(plan) => operator.done(Done::PlanChanged, &format!("/plans/{}", plan.id)),
        Err(error) => {
            let filled = Filled::again(values, Mistakes::of(error)?);
            page(&operator, &plan, &filled).await
        }
    }
}

async fn page(operator: &Operator, plan: &SalePlan, filled: &Filled) -> Answer {
    let account = operator.platform.provider(&operator.grant, plan.provider);
    let account = account.await?.record;
    let place = format!("/plans/{}", plan.id);
    let mut page = Page::new(operator, plan.name.as_str())
        .crumb("/plans", "Plans on sale")
        .actions(html! { a.button.danger-quiet href={ (place) "/delete" } { "Delete…" } })
        .form(filled);
    if plan.retired {
        page = page.above(notice(
            Tone::Warn,
            "The provider no longer sells this plan",
            html! {
                p { "It is off sale until an import finds it again. Servers of it run on." }
            },
        ));
    }
    Ok(page.body(html! {
        div.panels {
            section.panel {
                h2 { "Price" }
                p { (price(plan.price.as_ref())) }
                dl.facts {
                    div { dt { "Base" } dd { (base(plan)) } }
                    div {
                        dt { "Added" }
                        dd { (added(&plan.markup)) @if plan.markup_is_own { " (its own)" } }
                    }
                    @if let Some(it) = &plan.base {
                        div { dt { "Prices as of" } dd { (time(operator, it.as_of)) } }
                    }
                }
                form id=(SALE) method="post" action="/plans/sale" {
                    (field::key())
                    input type="hidden" name="back" value=(place);
                }
                (sold(plan))
            }
            section.panel {
                h2 { "What it is" }
                dl.facts {
                    div { dt { "Account" } dd { a href={ "/providers/" (account.id) } { (account.name) } } }
                    div { dt { "At the provider" } dd { (plan.remote_label) " " code { (plan.remote) } } }
                    (hardware(plan))
                }
            }
        }
        section {
            h2 { "Name and price" }
            form.stack method="post" action=(place) {
                (field::key())
                (field::text(
                    filled,
                    Field::new("name", "Name").hint("What members see."),
                    Text { longest: Some(100), ..Text::default() },
                ))
                (markup::fields(filled))
                p.hint {
                    "A changed markup becomes the plan’s own, which imports leave. Servers that were \
                     sold keep their price."
                }
                div.buttons { button.primary type="submit" { "Change plan" } }
            }
        }
        section { h2 { "Where it is sold" } (regions(plan)) }
    }))
}

fn base(plan: &SalePlan) -> Markup {
    let monthly = plan.base.as_ref().and_then(|it| it.monthly.as_ref());
    let hourly = plan.base.as_ref().and_then(|it| it.hourly.as_ref());
    html! {
        (money(monthly)) " per month, " (money(hourly)) " per hour"
        @if plan.base_is_own() { " (set by you)" }
    }
}

fn hardware(plan: &SalePlan) -> Markup {
    let it = &plan.hardware;
    html! {
        div { dt { "Family" } dd { (it.class) } }
        div {
            dt { "Processors" }
            dd { (it.vcpus) " vCPU" @if it.dedicated_cpu { ", not shared" } ", " (arch(it.arch)) }
        }
        div { dt { "Memory" } dd { (memory(it.memory)) } }
        div { dt { "Disk" } dd { (disk(it.disk)) } }
        @if it.gpus > 0 { div { dt { "Graphics processors" } dd { (it.gpus) } } }
        @if let Some(transfer) = it.transfer {
            div { dt { "Transfer" } dd { (transfer.0) " GB per month" } }
        }
        @if !plan.images.is_empty() {
            div { dt { "Only with images" } dd { (plan.images.len()) } }
        }
    }
}

const fn arch(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "x86-64",
        Arch::Aarch64 => "ARM",
        _ => "of another kind",
    }
}

fn regions(plan: &SalePlan) -> Markup {
    let rows = html! {
        @for it in plan.sold_in() {
            @let prices = plan.prices_in(&it.region);
            tr {
                th scope="row" { (it.region) (sold_out(it)) }
                td.number { (money(prices.and_then(|it| it.0).and_then(|it| it.monthly.as_ref()))) }
                td.number { (money(prices.and_then(|it| it.1).and_then(|it| it.monthly.as_ref()))) }
            }
        }
    };
    html! {
        @if plan.sold_in().next().is_none() {
            p { "Nowhere: the provider offers it in none of the regions that it may be used in." }
        } @else {
            (table("Regions", &REGIONS, rows, "", &Values::default(), ""))
        }
    }
}

fn sold_out(offering: &SaleOffering) -> Markup {
    html! {
        @if offering.availability == Availability::SoldOut {
            div.small { "sold out when the provider was last asked" }
        }
    }
}

/// Puts a plan on sale, or takes it off.
pub(super) async fn sell(Sent(operator, form): Sent<Operator>) -> Answer {
    let values = &form.values;
    let active = values.given("stop").is_none();
    let id = values.given("stop").or_else(|| values.given("resume"));
    let id: SalePlanId = id
        .and_then(|it| it.parse().ok())
        .ok_or(Error::NotFound("plan on sale"))?;
    let change = SalePlanChange {
        active: Some(active),
        ..SalePlanChange::default()
    };
    let grant = operator
        .again()?
        .under_key(form.key_of(&format!("{id} {active}")));
    operator
        .platform
        .change_sale_plan(&grant, id, change)
        .await?;
    let done = if active {
        Done::PlanOnSale
    } else {
        Done::PlanOffSale
    };
    operator.done(done, &next::safe(values.given("back")))
}

pub(super) async fn show_delete(operator: Operator, id: web::Path<String>) -> Answer {
    let plan = find(&operator, &id).await?;
    delete_page(&operator, &plan, &Filled::default())
}

pub(super) async fn delete(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let plan = find(&operator, &id).await?;
    match operator
        .platform
        .delete_sale_plan(&operator.grant, plan.id)
        .await
    {
        Ok(()) => operator.done(Done::PlanDeleted, "/plans"),
        Err(error) => delete_page(
            &operator,
            &plan,
            &Filled::again(form.values, Mistakes::of(error)?),
        ),
    }
}

fn delete_page(visitor: &Visitor, plan: &SalePlan, filled: &Filled) -> Answer {
    let place = format!("/plans/{}", plan.id);
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &format!("{place}/delete"),
            button: "Delete plan",
            consequences: vec![
                html! { "Nobody can buy it any more. Its name and its own markup are forgotten." },
                html! { "It must have no servers. While it has, you can stop selling it instead." },
                html! { "The next import adds it again, as a new plan." },
            ],
            typed: None,
            fields: html! {},
            back: &place,
            keep: "Keep it",
        },
    );
    Ok(Page::new(visitor, format!("Delete {}?", plan.name))
        .crumb("/plans", "Plans on sale")
        .crumb(&place, &plan.name)
        .form(filled)
        .body(question))
}
