//! Servers that carry our mark and that nobody here can vouch for, and what is decided about them.

use actix_web::web;
use maud::{Markup, html};
use roadstead_service::{
    Adoption, Doubt, Error, PageRequest, QuarantineDecision, QuarantineState, Quarantined,
    Registered,
};
use uuid::Uuid;

use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::pages::providers::import::{organization, organization_field, server_fields, tags};
use crate::route::{Route, Who};
use crate::ui::confirm::typed;
use crate::ui::{
    Column, Confirm, Page, ago, confirm, copyable, empty, field, pager, sentence, table,
};
use crate::visitor::{Operator, Visitor};

const COLUMNS: [Column<'static>; 4] = [
    Column::new("At the provider"),
    Column::new("Why nobody vouches for it"),
    Column::new("Seen").class("secondary"),
    Column::new("Decide"),
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/quarantine", Who::Operator, list),
        Route::page("/quarantine/{id}/adopt", Who::Operator, show_adopt),
        Route::action("/quarantine/{id}/adopt", Who::Operator, adopt),
        Route::page("/quarantine/{id}/release", Who::Operator, show_release),
        Route::action("/quarantine/{id}/release", Who::Operator, release),
        Route::page("/quarantine/{id}/delete", Who::Operator, show_delete),
        Route::action("/quarantine/{id}/delete", Who::Operator, delete),
    ]
}

async fn list(operator: Operator) -> Answer {
    let query = operator.query()?;
    let page = PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        ..PageRequest::default()
    };
    let (platform, grant) = (&operator.platform, &operator.grant);
    let found = platform.quarantine(grant, &page).await?;
    let accounts = platform.providers(grant).await?;
    let shown = Page::new(&operator, "Quarantine").above(super::attention::ways(&operator));
    if found.items.is_empty() {
        return Ok(shown.body(empty(
            "The quarantine is empty",
            html! { p { "Every server that carries our mark is in our books." } },
            Some(("/attention", "What waits for a decision")),
        )));
    }
    Ok(shown.body(html! {
        p.lead {
            "These servers carry our mark, and our books cannot vouch for them. None is deleted by \
             itself: it may be somebody’s."
        }
        (table("Servers in quarantine", &COLUMNS, html! {
            @for it in &found.items { (row(&operator, it, &accounts)) }
        }, "/quarantine", &query, ""))
        (pager("/quarantine", &query, found.next.as_deref()))
    }))
}

fn row(visitor: &Visitor, it: &Quarantined, accounts: &[Registered]) -> Markup {
    let account = accounts.iter().find(|of| of.record.id == it.provider);
    let place = format!("/quarantine/{}", it.id);
    html! {
        tr id={ "quarantined-" (it.id) } {
            th scope="row" {
                (it.name)
                div.small {
                    @if let Some(account) = account { "at " (account.record.name) ", " }
                    (copyable(&format!("remote-{}", it.id), "id", it.remote.as_str()))
                }
            }
            td {
                (doubt(it.doubt))
                @if let Some(order) = &it.order {
                    div.small {
                        @match &order.refusal {
                            Some(why) => { "Not deleted: " (sentence(why)) },
                            None => { "To be deleted, decided " (ago(visitor, order.created_at)) "." },
                        }
                    }
                }
            }
            td.secondary {
                "first " (ago(visitor, it.first_seen_at))
                div.small { "last " (ago(visitor, it.last_seen_at)) }
            }
            td {
                ul.plain {
                    @for (word, label) in [("adopt", "Adopt"), ("release", "Let go"), ("delete", "Delete…")] {
                        li {
                            a href={ (place) "/" (word) } {
                                (label) span.hidden-text { ": " (it.name) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Says why nobody can vouch for a server.
pub(super) const fn doubt(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Unknown => {
            "Our books have no such server: they are older than it, or another installation made it."
        }
        Doubt::Unnamed => "It carries our mark, and names no server.",
        Doubt::Ambiguous => "Its name and its tags name different servers.",
        Doubt::OtherAccount => "The server that it names is at another account.",
        Doubt::OtherDeployment => "It carries the mark of another installation, too.",
        Doubt::Unasked => "Nothing was ever sent to make the server that it names.",
        Doubt::Undated => "The provider does not say when it was made.",
        Doubt::Older => "It was made before it was asked for.",
        Doubt::Later => "It was made long after it was asked for, as a copy is.",
        Doubt::Missing => "The server that it names is missing.",
        Doubt::Dismissed => "A person took the server that it names off our books.",
    }
}

/// Finds what an address names. What is no id cannot be anything in the quarantine.
async fn find(operator: &Operator, id: &str) -> Result<Quarantined, Failure> {
    let id: Uuid = id
        .parse()
        .map_err(|_text| Error::NotFound("quarantined server"))?;
    Ok(operator.platform.quarantined(&operator.grant, id).await?)
}

/// Does what was decided, or says what is wrong with it.
async fn decide(
    operator: &Operator,
    it: &Quarantined,
    decision: QuarantineDecision,
    done: Done,
) -> Result<Answer, Mistakes> {
    let decided = operator
        .platform
        .decide_quarantined(&operator.grant, it.id, decision)
        .await;
    match decided {
        Ok(_) => Ok(operator.done(done, "/quarantine")),
        Err(error) => match Mistakes::of(error) {
            Ok(mistakes) => Err(mistakes),
            Err(failure) => Ok(Err(failure)),
        },
    }
}

/// Begins a page about a quarantined server.
fn page<'a>(visitor: &'a Visitor, title: String, filled: &'a Filled) -> Page<'a> {
    Page::new(visitor, title)
        .crumb("/quarantine", "Quarantine")
        .form(filled)
}

fn about(visitor: &Visitor, it: &Quarantined) -> Markup {
    html! {
        section.panel {
            h2 { "What is known of it" }
            dl.facts {
                div { dt { "Id at the provider" } dd { (copyable("remote", "id", it.remote.as_str())) } }
                div { dt { "Tags there" } dd { (it.tags.join(", ")) } }
                div {
                    dt { "Made" }
                    dd {
                        @match it.remote_created_at {
                            Some(at) => (ago(visitor, at)),
                            None => span.unknown { "the provider does not say" },
                        }
                    }
                }
                div { dt { "First seen" } dd { (ago(visitor, it.first_seen_at)) } }
                div { dt { "Why it is here" } dd { (doubt(it.doubt)) } }
                @if it.state != QuarantineState::Open {
                    div { dt { "State" } dd { (it.state.as_str()) } }
                }
            }
        }
    }
}

async fn show_adopt(operator: Operator, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    adopt_page(&operator, &it, &Filled::with([("label", it.name.as_str())])).await
}

async fn adopt(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    let Form { values, .. } = form;
    let adoption = Adoption {
        organization: organization(&values),
        label: values.given("label").map(str::to_owned),
        tags: tags(&values),
    };
    let decision = QuarantineDecision::Adopt(adoption);
    match decide(&operator, &it, decision, Done::ServerAdopted).await {
        Ok(answer) => answer,
        Err(mistakes) => adopt_page(&operator, &it, &Filled::again(values, mistakes)).await,
    }
}

async fn adopt_page(operator: &Operator, it: &Quarantined, filled: &Filled) -> Answer {
    let place = format!("/quarantine/{}/adopt", it.id);
    let organizations = organization_field(
        operator,
        filled,
        "Needed unless it goes back into the server that it was.",
    );
    let organizations = organizations.await?;
    Ok(page(operator, format!("Adopt {}?", it.name), filled).body(html! {
        (about(operator, it))
        p {
            "It comes into our books: back into the server whose mark it carries, if that one has \
             failed or was deleted; else as a new one of an organization, at the provider’s present \
             price. Our tags are put on it. Its name there, and everything on it, stay as they are."
        }
        form.stack method="post" action=(place) {
            (field::key())
            (organizations)
            (server_fields(filled))
            div.buttons {
                button.primary type="submit" { "Adopt server" }
                a.button href="/quarantine" { "Decide later" }
            }
        }
    }))
}

async fn show_release(operator: Operator, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    release_page(&operator, &it, &Filled::default())
}

async fn release(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    let decision = QuarantineDecision::Release;
    match decide(&operator, &it, decision, Done::ServerLeftAlone).await {
        Ok(answer) => answer,
        Err(mistakes) => release_page(&operator, &it, &Filled::again(form.values, mistakes)),
    }
}

fn release_page(visitor: &Visitor, it: &Quarantined, filled: &Filled) -> Answer {
    let place = format!("/quarantine/{}/release", it.id);
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &place,
            button: "Let it go",
            consequences: vec![
                html! { "It is left alone, and stays at the provider as it is. It goes on to cost what it costs there." },
                html! { "It is not shown here again unless its mark changes. It can still be imported." },
            ],
            typed: None,
            fields: html! {},
            back: "/quarantine",
            keep: "Decide later",
        },
    );
    Ok(
        page(visitor, format!("Let {} go?", it.name), filled).body(html! {
            (about(visitor, it))
            (question)
        }),
    )
}

async fn show_delete(operator: Operator, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    delete_page(&operator, &it, &Filled::default())
}

async fn delete(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let it = find(&operator, &id).await?;
    let Form { values, .. } = form;
    let mut mistakes = typed(&values, &it.name);
    mistakes.join(operator.prove_fresh(&values).await?);
    if mistakes.is_empty() {
        let decision = QuarantineDecision::Delete {
            name: it.name.clone(),
        };
        match decide(&operator, &it, decision, Done::ServerCondemned).await {
            Ok(answer) => return answer,
            Err(wrong) => mistakes = wrong,
        }
    }
    delete_page(&operator, &it, &Filled::again(values, mistakes))
}

fn delete_page(visitor: &Visitor, it: &Quarantined, filled: &Filled) -> Answer {
    let place = format!("/quarantine/{}/delete", it.id);
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &place,
            button: "Delete server",
            consequences: vec![
                html! { "It is deleted at the provider, and everything on it is lost." },
                html! { "If it is a paying member’s after all, they lose it." },
                html! { "The next sweep does it, once it has seen the server again with this very name." },
            ],
            typed: Some(&it.name),
            fields: html! {},
            back: "/quarantine",
            keep: "Keep it",
        },
    );
    Ok(
        page(visitor, format!("Delete {}?", it.name), filled).body(html! {
            (about(visitor, it))
            (question)
        }),
    )
}
