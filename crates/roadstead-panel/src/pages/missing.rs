//! Servers of ours that their providers have no more, though nobody here asked for that.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::InstanceId;
use roadstead_service::{Error, Instance, MissingDecision, Organization, PageRequest, Registered};

use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::route::{Route, Who};
use crate::ui::confirm::typed;
use crate::ui::{Column, Confirm, Page, ago, confirm, copyable, empty, money, pager, table};
use crate::visitor::{Operator, Visitor};

const COLUMNS: [Column<'static>; 4] = [
    Column::new("Server"),
    Column::new("At the provider").class("secondary"),
    Column::new("Last seen there"),
    Column::new("Decide"),
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/missing", Who::Operator, list),
        Route::page("/missing/{id}", Who::Operator, ask),
        Route::action("/missing/{id}", Who::Operator, decide),
    ]
}

async fn list(operator: Operator) -> Answer {
    let query = operator.query()?;
    let page = PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        ..PageRequest::default()
    };
    let (platform, grant) = (&operator.platform, &operator.grant);
    let found = platform.missing_servers(grant, &page).await?;
    let accounts = platform.providers(grant).await?;
    let organizations = platform.organizations(grant).await?;
    let shown = Page::new(&operator, "Missing servers").above(super::attention::ways(&operator));
    if found.items.is_empty() {
        return Ok(shown.body(empty(
            "No server is missing",
            html! { p { "The providers have every server that is in our books." } },
            Some(("/attention", "What waits for a decision")),
        )));
    }
    Ok(shown.body(html! {
        p.lead {
            "Somebody deleted these at their providers, and nobody here asked for that. They are not \
             made again. One that the provider shows again is live again by itself."
        }
        (table("Missing servers", &COLUMNS, html! {
            @for it in &found.items { (row(&operator, it, &accounts, &organizations)) }
        }, "/missing", &query, ""))
        (pager("/missing", &query, found.next.as_deref()))
    }))
}

fn row(
    visitor: &Visitor,
    it: &Instance,
    accounts: &[Registered],
    organizations: &[Organization],
) -> Markup {
    let account = accounts.iter().find(|of| of.record.id == it.provider);
    let organization = organizations.iter().find(|of| of.id == it.organization);
    html! {
        tr id={ "missing-" (it.id) } {
            th scope="row" {
                (it.label)
                div.small {
                    @if let Some(it) = organization { "of " (it.name) ", " }
                    @if let Some(it) = account { "at " (it.record.name) }
                }
            }
            td.secondary {
                @match &it.remote {
                    Some(remote) => (copyable(&format!("remote-{}", it.id), "id", remote.as_str())),
                    None => span.unknown { "not known" },
                }
            }
            td {
                @match it.observed_at {
                    Some(at) => (ago(visitor, at)),
                    None => span.unknown { "never" },
                }
            }
            td {
                a href={ "/missing/" (it.id) } {
                    "It is gone" span.hidden-text { ": " (it.label) }
                }
            }
        }
    }
}

/// Finds the missing server that an address names, page after page: there are few.
async fn find(operator: &Operator, id: &str) -> Result<Instance, Failure> {
    let id: InstanceId = id.parse().map_err(|_text| Error::NoSuchInstance)?;
    let mut page = PageRequest {
        cursor: None,
        limit: 200,
    };
    loop {
        let found = operator
            .platform
            .missing_servers(&operator.grant, &page)
            .await?;
        if let Some(it) = found.items.into_iter().find(|it| it.id == id) {
            return Ok(it);
        }
        if found.next.is_none() {
            return Err(Error::NotFound("missing server").into());
        }
        page.cursor = found.next;
    }
}

async fn ask(operator: Operator, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    page(&operator, &it, &Filled::default())
}

async fn decide(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    let Form { values, .. } = form;
    let mut mistakes = typed(&values, &it.label);
    mistakes.join(operator.prove_fresh(&values).await?);
    if mistakes.is_empty() {
        let gone = MissingDecision::Gone;
        let decided = operator
            .platform
            .decide_missing(&operator.grant, it.id, gone);
        match decided.await {
            Ok(_) => return operator.done(Done::ServerGone, "/missing"),
            Err(error) => mistakes = Mistakes::of(error)?,
        }
    }
    page(&operator, &it, &Filled::again(values, mistakes))
}

fn page(visitor: &Visitor, it: &Instance, filled: &Filled) -> Answer {
    let monthly = it.price.as_ref().and_then(|it| it.monthly.as_ref());
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &format!("/missing/{}", it.id),
            button: "It is gone",
            consequences: vec![
                html! { "The provider is asked once more, and must say that it has no such server." },
                html! { "Its record ends. It costs its organization nothing more; it cost " (money(monthly)) " per month." },
                html! { "Nothing is made again." },
            ],
            typed: Some(&it.label),
            fields: html! {},
            back: "/missing",
            keep: "Decide later",
        },
    );
    Ok(Page::new(visitor, format!("Is {} gone?", it.label))
        .crumb("/missing", "Missing servers")
        .form(filled)
        .body(question))
}
