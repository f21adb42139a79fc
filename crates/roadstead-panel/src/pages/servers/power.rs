//! Switching a server on and off.

use actix_web::web;
use maud::{Markup, html};
use roadstead_service::{ManageInstances, OperationKind};

use super::about::{About, server_id, verb};
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::ui::{Confirm, confirm};
use crate::visitor::{Member, Visitor};

/// What can be done to the power of a server.
const ACTIONS: [OperationKind; 4] = [
    OperationKind::Boot,
    OperationKind::Shutdown,
    OperationKind::Reboot,
    OperationKind::PowerOff,
];

/// Returns the word of an action in addresses.
pub(super) const fn word(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::PowerOff => "power-off",
        other => other.as_str(),
    }
}

/// Reads the word of an action.
pub(super) fn action(text: &str) -> Option<OperationKind> {
    ACTIONS.into_iter().find(|it| word(*it) == text)
}

/// Says what an action does.
pub(super) const fn consequence(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Boot => "It is switched on.",
        OperationKind::Shutdown => {
            "Its system is asked to shut down. What runs on it stops; its disk and its addresses \
             stay."
        }
        OperationKind::Reboot => {
            "It is switched off and on again, and does not answer for a minute or two."
        }
        OperationKind::PowerOff => {
            "Its power is cut at once. What was not written to its disk is lost."
        }
        OperationKind::Create
        | OperationKind::Resize
        | OperationKind::Rebuild
        | OperationKind::Delete
        | OperationKind::Import
        | OperationKind::Release => "",
    }
}

type Path = web::Path<(String, String)>;

pub(super) async fn show(member: Member<ManageInstances>, path: Path) -> Answer {
    let (id, word) = path.into_inner();
    let kind = action(&word).ok_or_else(Failure::no_page)?;
    let about = About::read(&member, &id).await?;
    page(&member, &about, kind, &Filled::default())
}

pub(super) async fn act(Sent(member, form): Sent<Member<ManageInstances>>, path: Path) -> Answer {
    let Form { values, .. } = form;
    let (id, word) = path.into_inner();
    let kind = action(&word).ok_or_else(Failure::no_page)?;
    let server = server_id(&id)?;
    match member.platform.act(&member.grant, server, kind).await {
        Ok(_) => member.done(Done::ActionAccepted, &super::about::place(server, "")),
        Err(error) => {
            let mistakes = Mistakes::of(error)?;
            let about = About::read(&member, &id).await?;
            page(&member, &about, kind, &Filled::again(values, mistakes))
        }
    }
}

fn page(visitor: &Visitor, about: &About, kind: OperationKind, filled: &Filled) -> Answer {
    let title = format!("{} {}?", verb(kind), about.server.label);
    Ok(about.page(visitor, title).form(filled).body(confirm(
        visitor,
        filled,
        Confirm {
            action: &about.path(&format!("/power/{}", word(kind))),
            button: verb(kind),
            consequences: consequences(about, kind),
            typed: None,
            fields: html! {},
            back: &about.path(""),
            keep: "Not now",
        },
    )))
}

fn consequences(about: &About, kind: OperationKind) -> Vec<Markup> {
    use roadstead_core::Billed;
    let mut lines = vec![html! { (consequence(kind)) }];
    let stops = matches!(kind, OperationKind::Shutdown | OperationKind::PowerOff);
    if let (true, Some(descriptor)) = (stops, about.descriptor()) {
        let line = match descriptor.billed_when_stopped {
            Billed::Full => {
                "A stopped server costs as much as a running one: its resources are kept for you."
            }
            Billed::StorageOnly => {
                "While it is stopped, only its disks and reserved addresses are billed."
            }
            Billed::No => "While it is stopped, nothing is billed.",
            Billed::Unknown => "Whether a stopped server is billed, the provider does not say.",
        };
        lines.push(html! { (line) });
    }
    lines
}
