//! Another plan for a server: every plan with its price beside today's, then what changes.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::{Availability, Currency, MiB, Money, Price, State};
use roadstead_service::{
    Grant, ManageInstances, PageRequest, Platform, ReadInstances, ResizeServer, SalePlan,
    SalePlanFilter, SalePlanOrder,
};

use super::about::{About, server_id};
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::ui::money::words;
use crate::ui::{Column, Field, Tone, age, disk, field, memory, money, notice, sentence, table};
use crate::visitor::{Member, Visitor};

/// The field with the price that was shown, so that nobody pays another one unseen.
const SEEN: &str = "price_seen";

/// A plan that can be changed to, or not.
#[derive(Debug)]
struct Offer {
    /// The field under which it is sent: as the API calls it.
    field: &'static str,
    value: String,
    name: String,
    vcpus: u32,
    memory: MiB,
    disk: Option<MiB>,
    price: Option<Price>,
    /// Why it cannot be had.
    refusal: Option<&'static str>,
}

impl Offer {
    fn monthly(&self) -> Option<&Money> {
        self.price.as_ref()?.monthly.as_ref()
    }

    fn seen(&self) -> String {
        self.monthly().map(words).unwrap_or_default()
    }
}

/// What can be changed to, and how old that is where the vendor said it.
struct Offers {
    plans: Vec<Offer>,
    age: Option<std::time::Duration>,
}

pub(super) async fn show(member: Member<ManageInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    let query = member.query()?;
    let offers = offers(&member, &about).await?;
    match offers.plans.iter().find(|it| is_chosen(it, &query)) {
        Some(offer) => confirmation(&member, &about, offer, &Filled::default()),
        None => list(&member, &about, &offers, &query),
    }
}

pub(super) async fn act(
    Sent(member, form): Sent<Member<ManageInstances>>,
    id: web::Path<String>,
) -> Answer {
    let Form { values, .. } = form;
    let about = About::read(&member, &id).await?;
    let offers = offers(&member, &about).await?;
    let Some(offer) = offers.plans.iter().find(|it| is_chosen(it, &values)) else {
        let filled = Filled::again(values, Mistakes::one("type", "Choose a plan."));
        return list_again(&member, &about, &offers, &filled);
    };
    let mistakes = if values.text(SEEN) == offer.seen() {
        let request = request(offer, &values);
        let server = server_id(&id)?;
        match member
            .platform
            .resize_server(&member.grant, server, request)
            .await
        {
            Ok(_) => return member.done(Done::ActionAccepted, &about.path("")),
            Err(error) => Mistakes::of(error)?,
        }
    } else {
        Mistakes::one(
            "type",
            "Its price has changed since you saw it. Look at it again.",
        )
    };
    confirmation(&member, &about, offer, &Filled::again(values, mistakes))
}

fn request(offer: &Offer, values: &Values) -> ResizeServer {
    let sale = (offer.field == "plan_id").then(|| offer.value.parse().ok());
    ResizeServer {
        sale: sale.flatten(),
        plan: if offer.field == "type" {
            offer.value.clone()
        } else {
            String::new()
        },
        grow_disk: values.checked("grow_disk"),
    }
}

fn is_chosen(offer: &Offer, values: &Values) -> bool {
    values.text(offer.field) == offer.value && offer.refusal.is_none()
}

/// Reads what can be changed to: what the operator sells at the account, or, where nothing of it
/// is on sale, what the provider does.
async fn offers(member: &Member<ManageInstances>, about: &About) -> Result<Offers, Failure> {
    let grant = member.may::<ReadInstances>()?;
    let on_sale = on_sale(&member.platform, &grant, about).await?;
    if !on_sale.is_empty() {
        let plans = on_sale.iter().map(|it| of_sale(it, about)).collect();
        return Ok(Offers { plans, age: None });
    }
    let catalogue = member.platform.plans(&grant, &about.source()).await?;
    let region = &about.server.specification.region;
    let offered = catalogue.fetched.value.iter().filter_map(|plan| {
        let offering = plan.offering_in(region)?;
        let mut offer = Offer {
            field: "type",
            value: plan.id.to_string(),
            name: plan.label.to_string(),
            vcpus: plan.vcpus,
            memory: plan.memory,
            disk: plan.disk,
            price: offering.price.clone(),
            refusal: None,
        };
        let is_same = plan.id == about.server.specification.plan;
        offer.refusal = refusal(about, &offer, offering.availability, is_same);
        Some(offer)
    });
    Ok(Offers {
        plans: offered.collect(),
        age: Some(catalogue.fetched.age),
    })
}

async fn on_sale(
    platform: &Platform,
    grant: &Grant<ReadInstances>,
    about: &About,
) -> Result<Vec<SalePlan>, Failure> {
    let filter = SalePlanFilter {
        provider: Some(about.server.provider),
        region: Some(about.server.specification.region.clone()),
        ..SalePlanFilter::default()
    };
    let mut page = PageRequest {
        cursor: None,
        limit: 200,
    };
    let mut plans = Vec::new();
    loop {
        let order = SalePlanOrder::Cheapest;
        let found = platform
            .plans_on_sale(grant, filter.clone(), order, &page)
            .await?;
        plans.extend(found.items);
        match found.next {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(plans),
        }
    }
}

fn of_sale(plan: &SalePlan, about: &About) -> Offer {
    let region = &about.server.specification.region;
    let prices = plan.prices_in(region);
    let offering = plan.sold_in().find(|it| &it.region == region);
    let mut offer = Offer {
        field: "plan_id",
        value: plan.id.to_string(),
        name: plan.name.clone(),
        vcpus: plan.hardware.vcpus,
        memory: plan.hardware.memory,
        disk: plan.hardware.disk,
        price: prices.and_then(|(_, price)| price.cloned()),
        refusal: None,
    };
    let availability = offering.map_or(Availability::Unknown, |it| it.availability);
    let is_same = plan.remote == about.server.specification.plan;
    offer.refusal = refusal(about, &offer, availability, is_same);
    offer
}

/// Says why a plan cannot be had, as far as that is known before it is asked for.
fn refusal(
    about: &About,
    offer: &Offer,
    availability: Availability,
    is_same: bool,
) -> Option<&'static str> {
    let shrinks = about.descriptor().is_some_and(|it| it.resize.shrinks_disk);
    let smaller = match (offer.disk, about.server.specification.disk) {
        (Some(disk), Some(had)) => disk < had,
        _ => false,
    };
    if is_same {
        return Some("it has this plan");
    }
    if smaller && !shrinks {
        return Some("its disk is smaller than the server’s");
    }
    match availability {
        Availability::SoldOut => Some("it is sold out here"),
        Availability::Retired => Some("it is no longer sold"),
        _ => None,
    }
}

fn list(visitor: &Visitor, about: &About, offers: &Offers, query: &Values) -> Answer {
    let filled = Filled::again(query.clone(), Mistakes::default());
    list_again(visitor, about, offers, &filled)
}

fn list_again(visitor: &Visitor, about: &About, offers: &Offers, filled: &Filled) -> Answer {
    let title = format!("Change the plan of {}", about.server.label);
    let path = about.path("/resize");
    let columns = [
        Column::new("Plan"),
        Column::new("vCPU").class("number"),
        Column::new("Memory").class("number"),
        Column::new("Disk").class("number"),
        Column::new("Per month").class("number"),
        Column::new("Difference").class("number"),
    ];
    let first = offers.plans.iter().position(|it| it.refusal.is_none());
    Ok(about.page(visitor, title).form(filled).body(html! {
        (before(about))
        @if first.is_none() {
            p { "There is no other plan that this server can be changed to." }
        } @else {
            form method="get" action=(path) {
                (table("Plans", &columns, html! {
                    @for (number, offer) in offers.plans.iter().enumerate() {
                        (row(about, offer, number, Some(number) == first))
                    }
                }, &path, &Values::default(), ""))
                div.sticky {
                    span.small {
                        @match offers.age {
                            Some(old) => (age("Plans and prices", Some(old))),
                            None => "Prices before tax.",
                        }
                    }
                    button.primary type="submit" { "Continue" }
                }
            }
        }
    }))
}

fn before(about: &About) -> Markup {
    let stop = about.descriptor().is_some_and(|it| it.resize.needs_stopped)
        && about.server.power != State::Stopped;
    html! {
        @if stop {
            (notice(Tone::Warn, "The server has to be shut down first", html! {
                p {
                    (about.provider_name()) " changes the plan of a stopped server only. "
                    a href=(about.path("/power/shutdown")) { "Shut it down" }
                    ", and come back."
                }
            }))
        }
        p {
            "Now: " (about.server.specification.plan) ", "
            (money(about.server.price.as_ref().and_then(|it| it.monthly.as_ref())))
            " per month."
        }
    }
}

fn row(about: &About, offer: &Offer, number: usize, first: bool) -> Markup {
    let id = if first {
        format!("field-{}", offer.field)
    } else {
        format!("plan-{number}")
    };
    html! {
        tr {
            th scope="row" {
                div.row-name {
                    input type="radio" id=(id) name=(offer.field) value=(offer.value)
                        disabled[offer.refusal.is_some()];
                    label for=(id) {
                        (offer.name)
                        @if let Some(why) = offer.refusal {
                            div.why { "Cannot be chosen: " (why) }
                        }
                    }
                }
            }
            td.number { (offer.vcpus) }
            td.number { (memory(offer.memory)) }
            td.number { (disk(offer.disk)) }
            td.number { (money(offer.monthly())) }
            td.number { (difference(about, offer)) }
        }
    }
}

/// Says how much more or less a plan costs than what the server costs now.
fn difference(about: &About, offer: &Offer) -> Markup {
    let now = about.server.price.as_ref().and_then(|it| it.monthly);
    let (Some(now), Some(then)) = (now, offer.monthly()) else {
        return html! { span.unknown { "not known" } };
    };
    html! { (signed(now, *then).unwrap_or_else(|| "another currency".to_owned())) }
}

fn signed(now: Money, then: Money) -> Option<String> {
    if now.currency != then.currency {
        return None;
    }
    let amount = then.amount.checked_sub(now.amount)?;
    let by = |currency: Currency, amount| words(&Money { amount, currency });
    Some(if amount.is_sign_negative() && !amount.is_zero() {
        format!("−{}", by(now.currency, amount.abs()))
    } else if amount.is_zero() {
        "the same".to_owned()
    } else {
        format!("+{}", by(now.currency, amount))
    })
}

fn confirmation(visitor: &Visitor, about: &About, offer: &Offer, filled: &Filled) -> Answer {
    let title = format!("Change the plan of {}", about.server.label);
    let it = &about.server.specification;
    let columns = [
        Column::new("Part"),
        Column::new("Now").class("number"),
        Column::new("Then").class("number"),
    ];
    let monthly = about
        .server
        .price
        .as_ref()
        .and_then(|it| it.monthly.as_ref());
    let path = about.path("/resize");
    let grows = match (offer.disk, it.disk) {
        (Some(then), Some(now)) => then > now,
        _ => false,
    };
    let button = match offer.monthly() {
        Some(price) => format!("Change the plan · {}/mo", words(price)),
        None => "Change the plan".to_owned(),
    };
    Ok(about.page(visitor, title).form(filled).body(html! {
        (before(about))
        (table("What changes", &columns, html! {
            tr { th scope="row" { "Plan" } td.number { (it.plan) } td.number { (offer.name) } }
            tr { th scope="row" { "vCPU" } td.number { (it.vcpus) } td.number { (offer.vcpus) } }
            tr {
                th scope="row" { "Memory" }
                td.number { (memory(it.memory)) } td.number { (memory(offer.memory)) }
            }
            tr {
                th scope="row" { "Disk" }
                td.number { (disk(it.disk)) } td.number { (disk(offer.disk)) }
            }
            tr {
                th scope="row" { "Per month" }
                td.number { (money(monthly)) }
                td.number { (money(offer.monthly())) div.small { (difference(about, offer)) } }
            }
        }, &path, &Values::default(), ""))
        form.stack method="post" action=(path) {
            (field::key())
            input type="hidden" id={ "field-" (offer.field) } name=(offer.field) value=(offer.value);
            input type="hidden" name=(SEEN) value=(offer.seen());
            @for mistake in filled.mistakes.of_field(offer.field) {
                p.error { (sentence(mistake)) }
            }
            @if grows {
                (field::checkbox(filled, Field::new("grow_disk", "Grow the disk, too")
                    .hint("At most providers a disk that has grown cannot shrink again, so that smaller plans are out of reach.")))
            }
            p.small { "The new price counts from when the provider has changed the plan." }
            div.buttons {
                button.primary type="submit" { (button) }
                a.button href=(path) { "Choose another plan" }
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_a_sign() {
        let usd = |text: &str| Money::usd(text.parse().unwrap());
        for (now, then, said) in [
            ("5", "12", "+$7.00"),
            ("12", "5", "−$7.00"),
            ("5", "5.00", "the same"),
            ("0.1", "0.3", "+$0.20"),
        ] {
            assert_eq!(signed(usd(now), usd(then)).unwrap(), said);
        }
        let euro = Money {
            currency: Currency::Eur,
            ..usd("5")
        };
        assert_eq!(signed(usd("5"), euro), None);
    }
}
