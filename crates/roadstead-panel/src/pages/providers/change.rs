//! What is changed about an account: its name, its token, whether it is used.

use actix_web::web;
use maud::html;
use roadstead_service::{ProviderChange, ProviderRecord, Verification};

use super::find;
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::ui::{Confirm, Field, Page, Text, confirm, field, fresh};
use crate::visitor::{Operator, Visitor};

pub(super) async fn show_name(operator: Operator, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    name_page(
        &operator,
        &record,
        &Filled::with([("name", record.name.as_str())]),
    )
}

pub(super) async fn rename(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    let Form { values, .. } = form;
    let change = ProviderChange {
        name: Some(values.text("name").to_owned()),
        ..ProviderChange::default()
    };
    let renamed = operator
        .platform
        .change_provider(&operator.grant, record.id, change);
    match renamed.await {
        Ok(_) => operator.done(Done::AccountRenamed, &format!("/providers/{}", record.id)),
        Err(error) => name_page(
            &operator,
            &record,
            &Filled::again(values, Mistakes::of(error)?),
        ),
    }
}

fn name_page(visitor: &Visitor, record: &ProviderRecord, filled: &Filled) -> Answer {
    let place = format!("/providers/{}", record.id);
    Ok(Page::new(visitor, format!("Rename {}", record.name))
        .crumb("/providers", "Provider accounts")
        .crumb(&place, &record.name)
        .form(filled)
        .body(html! {
            form.stack method="post" action={ (place) "/rename" } {
                (field::key())
                (field::text(
                    filled,
                    Field::new("name", "Name").hint("Members see it, too."),
                    Text { longest: Some(100), ..Text::default() },
                ))
                div.buttons {
                    button.primary type="submit" { "Rename" }
                    a.button href=(place) { "Keep the name" }
                }
            }
        }))
}

pub(super) async fn show_token(operator: Operator, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    token_page(&operator, &record, &Filled::default())
}

pub(super) async fn replace_token(
    Sent(operator, form): Sent<Operator>,
    id: web::Path<String>,
) -> Answer {
    let record = find(&operator, &id).await?.record;
    let Form { values, .. } = form;
    let unproved = operator.prove_fresh(&values).await?;
    if !unproved.is_empty() {
        return token_page(&operator, &record, &Filled::again(values, unproved));
    }
    let change = ProviderChange {
        token: Some(values.text("token").trim().to_owned().into()),
        ..ProviderChange::default()
    };
    let changed = operator
        .platform
        .change_provider(&operator.grant, record.id, change);
    match changed.await {
        Ok(changed) => {
            let done = match changed.record.verification {
                Verification::Verified { .. } => Done::TokenChanged,
                Verification::Unverified { .. } | Verification::Refused { .. } => {
                    Done::TokenUnanswered
                }
            };
            operator.done(done, &format!("/providers/{}", record.id))
        }
        Err(error) => token_page(
            &operator,
            &record,
            &Filled::again(values, Mistakes::of(error)?),
        ),
    }
}

fn token_page(visitor: &Visitor, record: &ProviderRecord, filled: &Filled) -> Answer {
    let place = format!("/providers/{}", record.id);
    Ok(
        Page::new(visitor, format!("Change the token of {}", record.name))
            .crumb("/providers", "Provider accounts")
            .crumb(&place, &record.name)
            .form(filled)
            .body(html! {
                form.stack method="post" action={ (place) "/token" } {
                    (field::key())
                    (field::secret(
                        filled,
                        Field::new("token", "New API token").hint(
                            "Of the same account at the provider. It is tested before it takes the \
                             place of the old one, sealed, and never shown again.",
                        ),
                        "off",
                    ))
                    (fresh(visitor, filled))
                    div.buttons {
                        button.primary type="submit" { "Test and change" }
                        a.button href=(place) { "Keep the old one" }
                    }
                }
            }),
    )
}

pub(super) async fn show_off(operator: Operator, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    off_page(&operator, &record, &Filled::default())
}

pub(super) async fn switch_off(
    Sent(operator, form): Sent<Operator>,
    id: web::Path<String>,
) -> Answer {
    let record = find(&operator, &id).await?.record;
    let change = ProviderChange {
        active: Some(false),
        ..ProviderChange::default()
    };
    let changed = operator
        .platform
        .change_provider(&operator.grant, record.id, change);
    match changed.await {
        Ok(_) => operator.done(Done::AccountOff, &format!("/providers/{}", record.id)),
        Err(error) => off_page(
            &operator,
            &record,
            &Filled::again(form.values, Mistakes::of(error)?),
        ),
    }
}

fn off_page(visitor: &Visitor, record: &ProviderRecord, filled: &Filled) -> Answer {
    let place = format!("/providers/{}", record.id);
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &format!("{place}/off"),
            button: "Switch off",
            consequences: vec![
                html! { "No server can be created with it, and its plans cannot be bought." },
                html! { "Its servers run on, and cost what they cost. They can still be deleted, and nothing else." },
                html! { "What is kept of its catalogues is forgotten. You can switch it on again at any time." },
            ],
            typed: None,
            fields: html! {},
            back: &place,
            keep: "Keep it on",
        },
    );
    Ok(Page::new(visitor, format!("Switch off {}?", record.name))
        .crumb("/providers", "Provider accounts")
        .crumb(&place, &record.name)
        .form(filled)
        .body(question))
}
