//! Servers that somebody else made: what an account has of them, and taking one into our books.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::{OrgId, RemoteId};
use roadstead_service::{Error, ImportServer, Importable, ProviderRecord};

use super::find;
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::ui::{
    Column, Field, Page, Text, Tone, ago, empty, field, notice, sentence, status_badge, table,
};
use crate::visitor::{Operator, Visitor};

const COLUMNS: [Column<'static>; 4] = [
    Column::new("Server"),
    Column::new("State"),
    Column::new("Addresses").class("secondary"),
    Column::new("Import"),
];

/// The field with the server's id at the provider.
const REMOTE: &str = "remote_id";

/// Lists what can be imported. The provider is asked each time, and one that does not answer is
/// named.
pub(super) async fn show(operator: Operator, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    let place = format!("/providers/{}", record.id);
    let page = Page::new(&operator, format!("Import servers of {}", record.name))
        .crumb("/providers", "Provider accounts")
        .crumb(&place, &record.name);
    let found = operator.platform.importable(&operator.grant, record.id);
    let found = match found.await {
        Ok(found) => found,
        Err(error) => return refused(page, &record, &place, error),
    };
    if found.is_empty() {
        return Ok(page.body(empty(
            "Nothing to import",
            html! { p { "The provider has no server of this account that is not in our books." } },
            Some((&place, "Back to the account")),
        )));
    }
    Ok(page.body(html! {
        p.lead {
            "The provider has these, and our books do not. Importing one puts our tags on it; its \
             name, and everything on it, stay as they are."
        }
        (table("Servers to import", &COLUMNS, html! {
            @for it in &found { (row(&operator, &record, it)) }
        }, "", &Values::default(), ""))
    }))
}

/// Says on the page why the provider could not be asked.
fn refused(page: Page<'_>, record: &ProviderRecord, place: &str, error: Error) -> Answer {
    match error {
        Error::Provider(_) | Error::ProviderRefused(_) | Error::Conflict(_) => {}
        other => return Err(Failure::from(other)),
    }
    let title = format!("{} could not be asked", record.name);
    Ok(page.body(html! {
        (notice(Tone::Warn, &title, html! { p { (sentence(&error.to_string())) } }))
        div.buttons {
            a.button.primary href={ (place) "/import" } { "Ask again" }
            a.button href=(place) { "Back to the account" }
        }
    }))
}

fn row(visitor: &Visitor, record: &ProviderRecord, it: &Importable) -> Markup {
    let server = &it.server;
    let query = Values::default().with(&[(REMOTE, server.id.as_str()), ("label", &server.name)]);
    html! {
        tr {
            th scope="row" {
                (server.name)
                div.small {
                    code { (server.id) } ", " (server.region)
                    @if let Some(plan) = &server.plan { ", " (plan) }
                    @if let Some(at) = server.created { ", made " (ago(visitor, at)) }
                }
            }
            td {
                (status_badge(server.status.state.as_str()))
                @if let Some(entry) = &it.quarantined {
                    div.small { a href={ "/quarantine#quarantined-" (entry.id) } { "In quarantine" } }
                }
            }
            td.secondary {
                @for address in &server.addresses { div { (address.ip) } }
            }
            td {
                @match &it.refusal {
                    Some(why) => span.small { "Not now: " (sentence(why)) },
                    None => a href={ "/providers/" (record.id) "/import/server" (query) } {
                        "Import" span.hidden-text { " " (server.name) }
                    },
                }
            }
        }
    }
}

pub(super) async fn ask(operator: Operator, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    let query = operator.query()?;
    page(
        &operator,
        &record,
        &Filled::again(query, Mistakes::default()),
    )
    .await
}

pub(super) async fn import(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    let Form { values, .. } = form;
    let Some(organization) = organization(&values) else {
        let mistakes = Mistakes::one("organization_id", "Choose an organization.");
        return page(&operator, &record, &Filled::again(values, mistakes)).await;
    };
    let request = ImportServer {
        remote: RemoteId::from(values.text(REMOTE)),
        organization,
        label: values.text("label").trim().to_owned(),
        tags: tags(&values),
    };
    let imported = operator
        .platform
        .import_server(&operator.grant, record.id, request)
        .await;
    match imported {
        Ok(_) => operator.done(
            Done::ServerImported,
            &format!("/providers/{}/import", record.id),
        ),
        Err(error) => {
            let filled = Filled::again(values, Mistakes::of(error)?);
            page(&operator, &record, &filled).await
        }
    }
}

async fn page(operator: &Operator, record: &ProviderRecord, filled: &Filled) -> Answer {
    let place = format!("/providers/{}", record.id);
    let list = format!("{place}/import");
    let organizations = organization_field(
        operator,
        filled,
        "Its members see the server, and can delete it.",
    );
    let organizations = organizations.await?;
    Ok(Page::new(operator, format!("Import a server of {}", record.name))
        .crumb("/providers", "Provider accounts")
        .crumb(&place, &record.name)
        .crumb(&list, "Import servers")
        .form(filled)
        .body(html! {
            p {
                "The server with the id " code { (filled.values.text(REMOTE)) } " comes into our books \
                 with the provider’s own plan, sizes and present price."
            }
            form.stack method="post" action={ (list) "/server" } {
                (field::key())
                input type="hidden" name=(REMOTE) value=(filled.values.text(REMOTE));
                (organizations)
                (server_fields(filled))
                div.buttons {
                    button.primary type="submit" { "Import server" }
                    a.button href=(list) { "Not now" }
                }
            }
        }))
}

/// Asks whose a server becomes.
pub(crate) async fn organization_field(
    operator: &Operator,
    filled: &Filled,
    hint: &str,
) -> Result<Markup, Failure> {
    let all = operator.platform.organizations(&operator.grant).await?;
    let ids: Vec<_> = all.iter().map(|it| it.id.to_string()).collect();
    let names = all.iter().map(|it| it.name.as_str());
    let options = ids.iter().map(String::as_str).zip(names);
    Ok(field::select(
        filled,
        Field::new("organization_id", "Organization").hint(hint),
        std::iter::once(("", "Choose one")).chain(options),
    ))
}

/// Asks what a server is called here.
pub(crate) fn server_fields(filled: &Filled) -> Markup {
    html! {
        (field::text(
            filled,
            Field::new("label", "Label").hint("What members see. The provider keeps its own name."),
            Text::default(),
        ))
        (field::text(
            filled,
            Field::new("tags", "Tags").optional().hint("With commas between them."),
            Text::default(),
        ))
    }
}

/// Reads whose a server becomes.
pub(crate) fn organization(values: &Values) -> Option<OrgId> {
    values.given("organization_id")?.parse().ok()
}

/// Reads the tags.
pub(crate) fn tags(values: &Values) -> Vec<String> {
    let tags = values.text("tags").split(',').map(str::trim);
    tags.filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}
