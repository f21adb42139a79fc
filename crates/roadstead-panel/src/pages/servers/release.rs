//! A server is taken off our books, and left alive. For operators.

use actix_web::web;
use maud::html;
use roadstead_service::{Error, Instance, ReadInstances};

use super::about::{place, server_id};
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::ui::confirm::typed;
use crate::ui::{Confirm, Page, confirm};
use crate::visitor::{Operator, Visitor};

pub(super) async fn show(operator: Operator, id: web::Path<String>) -> Answer {
    let server = find(&operator, &id).await?;
    page(&operator, &server, &Filled::default())
}

pub(super) async fn act(Sent(operator, form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let server = find(&operator, &id).await?;
    let Form { values, .. } = form;
    let mut mistakes = typed(&values, &server.label);
    mistakes.join(operator.prove_fresh(&values).await?);
    if mistakes.is_empty() {
        match operator
            .platform
            .release_server(&operator.grant, server.id)
            .await
        {
            Ok(_) => return operator.done(Done::ReleaseAccepted, &place(server.id, "")),
            Err(error) => mistakes = Mistakes::of(error)?,
        }
    }
    page(&operator, &server, &Filled::again(values, mistakes))
}

/// Finds a server of the organization that is looked at.
async fn find(operator: &Operator, id: &str) -> Result<Instance, Failure> {
    let caller = operator.caller.clone().ok_or(Failure::LogIn)?;
    let organization = operator.membership().map(|it| it.organization.id);
    let organization = organization.ok_or(Error::NoSuchInstance)?;
    let grant = caller.grant::<ReadInstances>(Some(organization))?;
    Ok(operator.platform.server(&grant, server_id(id)?).await?)
}

fn page(visitor: &Visitor, server: &Instance, filled: &Filled) -> Answer {
    let home = place(server.id, "");
    let question = confirm(
        visitor,
        filled,
        Confirm {
            action: &place(server.id, "/release"),
            button: "Let the server go",
            consequences: vec![
                html! { "Our tags are taken off it. It stays at the provider as it is, and runs on." },
                html! { "Here it shows as deleted, and costs its organization nothing more. The provider bills it on." },
                html! { "Nobody here touches it any more. It can be imported again." },
            ],
            typed: Some(&server.label),
            fields: html! {},
            back: &home,
            keep: "Keep it",
        },
    );
    Ok(Page::new(visitor, format!("Let {} go?", server.label))
        .crumb("/", "Servers")
        .crumb(&home, &server.label)
        .form(filled)
        .body(question))
}
