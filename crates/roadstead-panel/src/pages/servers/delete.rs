//! Deleting a server.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::Scope;
use roadstead_service::{ManageInstances, OperationKind};

use super::about::{About, server_id};
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::ui::confirm::typed;
use crate::ui::money::words;
use crate::ui::{Confirm, confirm};
use crate::visitor::{Member, Visitor};

pub(super) async fn show(member: Member<ManageInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    page(&member, &about, &Filled::default())
}

pub(super) async fn act(
    Sent(member, form): Sent<Member<ManageInstances>>,
    id: web::Path<String>,
) -> Answer {
    let Form { values, .. } = form;
    let about = About::read(&member, &id).await?;
    let mut mistakes = typed(&values, &about.server.label);
    mistakes.join(member.prove_fresh(&values).await?);
    if mistakes.is_empty() {
        let server = server_id(&id)?;
        match member
            .platform
            .act(&member.grant, server, OperationKind::Delete)
            .await
        {
            Ok(_) => return member.done(Done::DeletionAccepted, &about.path("")),
            Err(error) => mistakes = Mistakes::of(error)?,
        }
    }
    page(&member, &about, &Filled::again(values, mistakes))
}

fn page(visitor: &Visitor, about: &About, filled: &Filled) -> Answer {
    let label = &about.server.label;
    let title = format!("Delete {label}?");
    Ok(about.page(visitor, title).form(filled).body(confirm(
        visitor,
        filled,
        Confirm {
            action: &about.path("/delete"),
            button: "Delete server",
            consequences: consequences(about),
            typed: Some(label),
            fields: html! {},
            back: &about.path(""),
            keep: "Keep it",
        },
    )))
}

fn consequences(about: &About) -> Vec<Markup> {
    let server = &about.server;
    let mut lines = vec![html! { "Its disk is erased at " (about.provider_name()) "." }];
    let public = server
        .addresses
        .iter()
        .filter(|it| it.scope == Scope::Public);
    let addresses: Vec<_> = public.map(|it| it.ip.to_string()).collect();
    match &*addresses {
        [] => {}
        [one] => lines.push(html! { (one) " is given back and may go to somebody else." }),
        several => lines.push(html! {
            (several.join(" and ")) " are given back and may go to somebody else."
        }),
    }
    let monthly = server.price.as_ref().and_then(|it| it.monthly.as_ref());
    lines.push(match monthly {
        Some(it) => {
            html! { "Once it is gone, it is billed no more; it costs " (words(it)) " per month." }
        }
        None => html! { "Once it is gone, it is billed no more." },
    });
    lines
}
