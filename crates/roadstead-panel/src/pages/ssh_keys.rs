//! The SSH keys of an organization.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::SshKeyId;
use roadstead_service::{AddSshKey, Error, ManageKeys, PageRequest, Permission, ReadKeys, SshKey};

use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::route::{Route, Who};
use crate::ui::{Column, Confirm, Field, Page, Text, confirm, empty, field, table, time};
use crate::visitor::{Member, Visitor};

const PATH: &str = "/ssh-keys";

/// As many as an organization may have stand on one page.
const PAGE: u32 = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page(PATH, Who::Viewer, show),
        Route::action(PATH, Who::Member, add),
        Route::page("/ssh-keys/{id}/delete", Who::Member, show_delete),
        Route::action("/ssh-keys/{id}/delete", Who::Member, delete),
    ]
}

async fn show(member: Member<ReadKeys>) -> Answer {
    let keys = keys(&member).await?;
    page(&member, &keys, &Filled::default())
}

async fn add(Sent(member, form): Sent<Member<ManageKeys>>) -> Answer {
    let Form { values, .. } = form;
    let add = AddSshKey {
        name: values.text("name").to_owned(),
        public_key: values.text("public_key").trim().to_owned(),
    };
    match member.platform.add_ssh_key(&member.grant, add).await {
        Ok(_) => member.done(Done::KeyAdded, PATH),
        Err(error) => {
            let mistakes = Mistakes::of(error)?;
            let keys = keys(&member).await?;
            page(&member, &keys, &Filled::again(values, mistakes))
        }
    }
}

/// Reads every key of the organization.
pub(crate) async fn keys<P: Permission>(member: &Member<P>) -> Result<Vec<SshKey>, Failure> {
    let grant = member.may::<ReadKeys>()?;
    let all = PageRequest {
        cursor: None,
        limit: PAGE,
    };
    Ok(member.platform.ssh_keys(&grant, &all).await?.items)
}

fn page(visitor: &Visitor, keys: &[SshKey], filled: &Filled) -> Answer {
    Ok(Page::new(visitor, "SSH keys").form(filled).body(html! {
        @if keys.is_empty() {
            (empty("No keys yet", html! {
                p { "With a key you log in to new servers without a password." }
            }, None))
        } @else {
            (listed(visitor, keys))
        }
        @if visitor.may_change() {
            section aria-labelledby="add-title" {
                h2 id="add-title" { "Add a key" }
                form.stack method="post" action=(PATH) {
                    (field::key())
                    (field::text(
                        filled,
                        Field::new("name", "Name").hint("Such as the machine that it is on."),
                        Text { longest: Some(100), ..Text::default() },
                    ))
                    (field::lines(
                        filled,
                        Field::new("public_key", "Public key")
                            .hint("The line of the .pub file. It begins with ssh-ed25519 or ssh-rsa."),
                        3,
                    ))
                    div.buttons { button.primary type="submit" { "Add key" } }
                }
            }
        }
    }))
}

fn listed(visitor: &Visitor, keys: &[SshKey]) -> Markup {
    let mut columns = vec![
        Column::new("Name"),
        Column::new("Fingerprint"),
        Column::new("Added").class("secondary"),
    ];
    if visitor.may_change() {
        columns.push(Column::new("Remove").class("number"));
    }
    let rows = html! {
        @for key in keys {
            tr {
                th scope="row" { (key.name) div.small { (key.kind) " " (key.comment) } }
                td { code { (key.fingerprint) } }
                td.secondary { (time(visitor, key.created_at)) }
                @if visitor.may_change() {
                    td.number {
                        a href={ (PATH) "/" (key.id) "/delete" } {
                            "Remove" span.hidden-text { " " (key.name) } "…"
                        }
                    }
                }
            }
        }
    };
    table("SSH keys", &columns, rows, PATH, &Values::default(), "")
}

async fn find(member: &Member<ManageKeys>, id: &str) -> Result<SshKey, Failure> {
    // What is no id cannot be anybody's key.
    let id: Option<SshKeyId> = id.parse().ok();
    let keys = keys(member).await?;
    let key = keys.into_iter().find(|it| Some(it.id) == id);
    Ok(key.ok_or(Error::NotFound("SSH key"))?)
}

async fn show_delete(member: Member<ManageKeys>, id: web::Path<String>) -> Answer {
    let key = find(&member, &id).await?;
    delete_page(&member, &key, &Filled::default())
}

async fn delete(Sent(member, form): Sent<Member<ManageKeys>>, id: web::Path<String>) -> Answer {
    let Form { values, .. } = form;
    let given: SshKeyId = id.parse().map_err(|_text| Error::NotFound("SSH key"))?;
    match member.platform.delete_ssh_key(&member.grant, given).await {
        Ok(()) => member.done(Done::KeyRemoved, PATH),
        Err(error) => {
            let mistakes = Mistakes::of(error)?;
            let key = find(&member, &id).await?;
            delete_page(&member, &key, &Filled::again(values, mistakes))
        }
    }
}

fn delete_page(visitor: &Visitor, key: &SshKey, filled: &Filled) -> Answer {
    let title = format!("Remove the key {}?", key.name);
    Ok(Page::new(visitor, title)
        .crumb(PATH, "SSH keys")
        .form(filled)
        .body(confirm(
            visitor,
            filled,
            Confirm {
                action: &format!("{PATH}/{}/delete", key.id),
                button: "Remove key",
                consequences: vec![
                    html! { "New servers cannot be made with it any more." },
                    html! { "Servers that were made with it keep it: remove it there yourself." },
                ],
                typed: None,
                fields: html! {},
                back: PATH,
                keep: "Keep it",
            },
        )))
}
