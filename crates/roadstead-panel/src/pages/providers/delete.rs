//! An account is forgotten.

use actix_web::web;
use maud::html;
use roadstead_service::ProviderRecord;

use super::find;
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::ui::confirm::typed;
use crate::ui::{Confirm, Page, confirm};
use crate::visitor::{Operator, Visitor};

pub(super) async fn show(operator: Operator, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    page(&operator, &record, &Filled::default())
}

pub(super) async fn delete(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let record = find(&operator, &id).await?.record;
    let Form { values, .. } = form;
    let mut mistakes = typed(&values, &record.name);
    mistakes.join(operator.prove_fresh(&values).await?);
    if mistakes.is_empty() {
        match operator
            .platform
            .delete_provider(&operator.grant, record.id)
            .await
        {
            Ok(()) => return operator.done(Done::AccountDeleted, "/providers"),
            Err(error) => mistakes = Mistakes::of(error)?,
        }
    }
    page(&operator, &record, &Filled::again(values, mistakes))
}

fn page(visitor: &Visitor, record: &ProviderRecord, filled: &Filled) -> Answer {
    let place = format!("/providers/{}", record.id);
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &format!("{place}/delete"),
            button: "Delete account",
            consequences: vec![
                html! { "Its token is forgotten, and its plans are no longer on sale." },
                html! { "It must have no servers to look after: delete those first." },
                html! { "Nothing is changed at the provider. There you can revoke the token." },
            ],
            typed: Some(&record.name),
            fields: html! {},
            back: &place,
            keep: "Keep it",
        },
    );
    Ok(Page::new(visitor, format!("Delete {}?", record.name))
        .crumb("/providers", "Provider accounts")
        .crumb(&place, &record.name)
        .form(filled)
        .body(question))
}
