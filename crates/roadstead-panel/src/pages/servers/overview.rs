//! A server at a glance: what it is doing, how to reach it, what it costs.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use maud::{Markup, html};
use roadstead_core::Scope;
use roadstead_service::{Lifecycle, Operation, PageRequest, ReadInstances};

use super::about::{About, verb};
use super::list::main_address;
use super::power;
use super::progress::{self, is_open};
use crate::failure::{Answer, Failure};
use crate::ui::badge::is_passing;
use crate::ui::{
    Tone, ago, copyable, disk, health_badge, memory, notice, price, sentence, status_badge, time,
};
use crate::visitor::{Member, Visitor};

/// How many operations stand on the page.
const LATEST: u32 = 5;

pub(super) async fn show(member: Member<ReadInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    let operations = latest(&member, &about).await?;
    Ok(about.page(&member, about.server.label.clone()).body(html! {
        @if let Some(account) = about.account.as_ref().filter(|it| it.health.is_troubled()) {
            (notice(
                Tone::Warn,
                &format!("{} is not answering", account.account.record.name),
                html! { p { "This is how the server was last seen." } },
            ))
        }
        (changing(&member, &about, &operations))
    }))
}

/// The part of the page that renews itself.
pub(super) async fn live(member: Member<ReadInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    let operations = latest(&member, &about).await?;
    let part = changing(&member, &about, &operations);
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .body(part.into_string()))
}

async fn latest(member: &Member<ReadInstances>, about: &About) -> Result<Vec<Operation>, Failure> {
    let page = PageRequest {
        cursor: None,
        limit: LATEST,
    };
    let id = about.server.id;
    let operations = member.platform.operations(&member.grant, id, &page).await?;
    Ok(operations.items)
}

fn changing(visitor: &Visitor, about: &About, operations: &[Operation]) -> Markup {
    let server = &about.server;
    let open = operations.iter().find(|it| is_open(it));
    let busy = open.is_some() || is_passing(server.public_status());
    let over = server.lifecycle == Lifecycle::Deleted;
    let live = visitor.preferences.live && !over;
    html! {
        div id="live"
            data-refresh=[live.then_some(if busy { "2" } else { "10" })]
            data-src=[live.then(|| about.path("/live"))] {
            div.panels {
                (status(visitor, about, operations, open))
                (access(about))
                (made_of(visitor, about))
                (what_it_costs(about))
            }
            (progress::latest(visitor, about, operations))
        }
    }
}

fn status(
    visitor: &Visitor,
    about: &About,
    operations: &[Operation],
    open: Option<&Operation>,
) -> Markup {
    let server = &about.server;
    html! {
        section.panel aria-labelledby="status-title" {
            div.panel-head {
                h2 id="status-title" { "Status" }
                (status_badge(server.public_status()))
            }
            @if let Some(problem) = &server.problem {
                (notice(Tone::Danger, &sentence(problem), html! {}))
            }
            @match open.or_else(|| operations.first().filter(|_| server.problem.is_some())) {
                Some(operation) => (progress::steps(visitor, about, operation)),
                None => p.small {
                    @match server.observed_at {
                        Some(seen) => { "Last seen at the provider " (ago(visitor, seen)) "." },
                        None => "Not seen at the provider yet.",
                    }
                },
            }
            // Said once for each step, as long as its words stay the same.
            p.hidden-text id="said" role="status" { (progress::said(about, open)) }
            @if visitor.may_change() && open.is_none() {
                div.buttons {
                    @for kind in about.power_actions() {
                        a.button href=(about.path(&format!("/power/{}", power::word(kind)))) {
                            (verb(kind)) "…"
                        }
                    }
                }
            }
        }
    }
}

fn access(about: &About) -> Markup {
    let server = &about.server;
    let mut addresses: Vec<_> = server.addresses.iter().collect();
    addresses.sort_by_key(|it| (it.scope != Scope::Public, it.ip));
    html! {
        section.panel aria-labelledby="access-title" {
            h2 id="access-title" { "Access" }
            @match main_address(server) {
                None => p.unknown { "It has no address yet." },
                Some(main) => {
                    p { (copyable("ssh", "command", &format!("ssh root@{}", main.ip))) }
                    dl.facts {
                        @for (number, address) in addresses.iter().enumerate() {
                            @let family = if address.ip.is_ipv4() { "IPv4" } else { "IPv6" };
                            @let scope = match address.scope {
                                Scope::Public => "public",
                                Scope::Private => "private",
                            };
                            div {
                                dt { (family) ", " (scope) }
                                dd {
                                    (copyable(
                                        &format!("address-{number}"),
                                        &format!("{scope} {family} address"),
                                        &address.ip.to_string(),
                                    ))
                                }
                            }
                        }
                    }
                },
            }
        }
    }
}

fn made_of(visitor: &Visitor, about: &About) -> Markup {
    let server = &about.server;
    let it = &server.specification;
    html! {
        section.panel aria-labelledby="server-title" {
            h2 id="server-title" { "Server" }
            dl.facts {
                div {
                    dt { "Provider" }
                    dd {
                        (about.account_name())
                        @if let Some(health) = about.health() { " " (health_badge(health)) }
                    }
                }
                div { dt { "Region" } dd { (it.region) } }
                div { dt { "Plan" } dd { (it.plan) } }
                div { dt { "Image" } dd { (it.image) } }
                div { dt { "vCPU" } dd { (it.vcpus) } }
                div { dt { "Memory" } dd { (memory(it.memory)) } }
                div { dt { "Disk" } dd { (disk(it.disk)) } }
                div { dt { "Created" } dd { (time(visitor, server.created_at)) } }
                @if let Some(remote) = &server.remote {
                    div { dt { "Id at the provider" } dd { code { (remote) } } }
                }
                div { dt { "Id" } dd { (copyable("id", "id", &server.id.to_string())) } }
            }
            @if !server.tags.is_empty() {
                ul.tags aria-label="Tags" { @for tag in &server.tags { li { (tag) } } }
            }
            @if !server.notes.is_empty() {
                h3 { "Notes" }
                p.notes { (server.notes) }
            }
        }
    }
}

fn what_it_costs(about: &About) -> Markup {
    html! {
        section.panel aria-labelledby="price-title" {
            h2 id="price-title" { "Price" }
            p { (price(about.server.price.as_ref())) }
            @if let Some(sale) = &about.server.sale {
                p.small { "By the plan “" (sale.name) "”." }
            }
            p.small { "As agreed when it was created, or when its plan was last changed." }
        }
    }
}
