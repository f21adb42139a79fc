//! What can be changed about a server.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::Feature;
use roadstead_service::{InstancePatch, ManageInstances};

use super::about::{About, server_id};
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::ui::{Field, Text, field, sentence};
use crate::visitor::{Member, Visitor};

pub(super) async fn show(member: Member<ManageInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    let server = &about.server;
    let tags = server.tags.join(", ");
    let filled = Filled::with([
        ("label", server.label.as_str()),
        ("tags", &tags),
        ("notes", &server.notes),
    ]);
    page(&member, &about, &filled)
}

pub(super) async fn change(
    Sent(member, form): Sent<Member<ManageInstances>>,
    id: web::Path<String>,
) -> Answer {
    let Form { values, .. } = form;
    let tags = values.text("tags").split(',').map(str::trim);
    let patch = InstancePatch {
        label: Some(values.text("label").to_owned()),
        tags: Some(
            tags.filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        notes: Some(values.text("notes").to_owned()),
    };
    let server = server_id(&id)?;
    match member
        .platform
        .change_server(&member.grant, server, patch)
        .await
    {
        Ok(_) => member.done(
            Done::ServerChanged,
            &super::about::place(server, "/settings"),
        ),
        Err(error) => {
            let mistakes = Mistakes::of(error)?;
            let about = About::read(&member, &id).await?;
            page(&member, &about, &Filled::again(values, mistakes))
        }
    }
}

fn page(visitor: &Visitor, about: &About, filled: &Filled) -> Answer {
    let title = format!("Settings of {}", about.server.label);
    let rule = about
        .descriptor()
        .map(|it| sentence(&it.limits.name.sentence));
    let label = Field::new("label", "Label");
    let label = match &rule {
        Some(rule) => label.hint(rule),
        None => label,
    };
    Ok(about.page(visitor, title).form(filled).body(html! {
        form.stack method="post" action=(about.path("/settings")) {
            (field::key())
            (field::text(filled, label, Text::default()))
            (field::text(
                filled,
                Field::new("tags", "Tags").optional().hint("With commas between them."),
                Text::default(),
            ))
            (field::lines(filled, Field::new("notes", "Notes").optional(), 4))
            p.small { "These are kept here; the provider keeps the name that it was created with." }
            div.buttons { button.primary type="submit" { "Save" } }
        }
        (larger(visitor, about))
    }))
}

fn larger(visitor: &Visitor, about: &About) -> Markup {
    html! {
        section aria-labelledby="larger-title" {
            h2 id="larger-title" { "Larger changes" }
            div.panels {
                (change_of("Plan", "More or less of everything, at another price.",
                    about.refusal(Feature::Resize), &about.path("/resize"), "Change the plan…"))
                (change_of("Rebuild", "A fresh image on its disk. Everything on it is lost; the addresses stay.",
                    about.refusal(Feature::Rebuild), &about.path("/rebuild"), "Rebuild…"))
                (change_of("Delete", "The server and its disk are gone, and billed no more.",
                    None, &about.path("/delete"), "Delete…"))
                @if visitor.is_operator() {
                    (change_of("Let go", "It leaves our books, and runs on at the provider.",
                        None, &about.path("/release"), "Let it go…"))
                }
            }
        }
    }
}

fn change_of(title: &str, what: &str, refusal: Option<String>, href: &str, label: &str) -> Markup {
    html! {
        div.panel {
            h3 { (title) }
            p { (what) }
            @match refusal {
                Some(why) => p.small { "Not offered: " (sentence(&why)) },
                None => p { a.button href=(href) { (label) } },
            }
        }
    }
}
