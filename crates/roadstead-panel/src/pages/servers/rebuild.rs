//! A fresh image on a server's disk.

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::Image;
use roadstead_service::{ManageInstances, ReadInstances, RebuildServer, SshKey};

use super::about::{About, server_id};
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::pages::ssh_keys;
use crate::ui::confirm::typed;
use crate::ui::{Confirm, Field, confirm, field, sentence};
use crate::visitor::{Member, Visitor};

/// What a rebuild can be made from, and with.
struct Parts {
    images: Vec<Image>,
    keys: Vec<SshKey>,
}

pub(super) async fn show(member: Member<ManageInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    let parts = parts(&member, &about).await?;
    let image = about.server.specification.image.to_string();
    let filled = Filled::with([("image", image.as_str())]);
    page(&member, &about, &parts, &filled)
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
        let request = request(&values);
        match member
            .platform
            .rebuild_server(&member.grant, server, request)
            .await
        {
            Ok(_) => return member.done(Done::ActionAccepted, &about.path("")),
            Err(error) => mistakes = Mistakes::of(error)?,
        }
    }
    let parts = parts(&member, &about).await?;
    page(&member, &about, &parts, &Filled::again(values, mistakes))
}

fn request(values: &Values) -> RebuildServer {
    let secret = |name: &str| (!values.text(name).is_empty()).then(|| values.secret(name));
    let keys = values.all("ssh_keys").into_iter().map(str::to_owned);
    RebuildServer {
        image: values.text("image").to_owned(),
        root_password: secret("rootPassword"),
        ssh_keys: keys.collect(),
        user_data: secret("user_data"),
    }
}

async fn parts(member: &Member<ManageInstances>, about: &About) -> Result<Parts, Failure> {
    let grant = member.may::<ReadInstances>()?;
    let images = member.platform.images(&grant, &about.source()).await?;
    let region = &about.server.specification.region;
    let usable = images.fetched.value.iter().filter(|it| {
        let here = it.regions.as_ref().is_none_or(|all| all.contains(region));
        !it.deprecated && here
    });
    Ok(Parts {
        images: usable.cloned().collect(),
        keys: ssh_keys::keys(member).await?,
    })
}

fn page(visitor: &Visitor, about: &About, parts: &Parts, filled: &Filled) -> Answer {
    let label = &about.server.label;
    let title = format!("Rebuild {label}?");
    Ok(about.page(visitor, title).form(filled).body(confirm(
        visitor,
        filled,
        Confirm {
            action: &about.path("/rebuild"),
            button: "Rebuild server",
            consequences: vec![
                html! { "Everything on its disk is lost." },
                html! { "It does not answer for some minutes." },
                html! { "Its addresses, its plan and its price stay." },
            ],
            typed: Some(label),
            fields: fields(about, parts, filled),
            back: &about.path("/settings"),
            keep: "Keep it as it is",
        },
    )))
}

fn fields(about: &About, parts: &Parts, filled: &Filled) -> Markup {
    let rule = about.descriptor().map(|it| it.rebuild);
    let images: Vec<_> = parts
        .images
        .iter()
        .map(|it| (it.id.to_string(), it.label.to_string()))
        .collect();
    html! {
        (field::select(
            filled,
            Field::new("image", "Image"),
            images.iter().map(|(id, label)| (id.as_str(), label.as_str())),
        ))
        @if rule.is_some_and(|it| it.root_password) {
            (field::secret(
                filled,
                Field::new("rootPassword", "Root password").optional()
                    .hint("Sealed here, and forgotten once it is set."),
                "new-password",
            ))
        }
        @if rule.is_some_and(|it| it.ssh_keys) { (key_boxes(&parts.keys, filled)) }
        @if rule.is_some_and(|it| it.user_data) {
            (field::lines(
                filled,
                Field::new("user_data", "User data").optional().hint("Read by cloud-init."),
                6,
            ))
        }
    }
}

/// Offers the organization's keys.
fn key_boxes(keys: &[SshKey], filled: &Filled) -> Markup {
    let chosen = filled.values.all("ssh_keys");
    let errors: Vec<_> = filled.mistakes.of_field("ssh_keys").map(sentence).collect();
    let wrong = !errors.is_empty();
    html! {
        fieldset aria-describedby=[wrong.then_some("field-ssh_keys-error")] {
            legend { "SSH keys" }
            @if wrong { p.error id="field-ssh_keys-error" { (errors.join(" ")) } }
            @if keys.is_empty() {
                p.hint { "There are none yet. " a href="/ssh-keys" { "Add a key" } }
            }
            @for (number, key) in keys.iter().enumerate() {
                @let value = key.id.to_string();
                @let id = if number == 0 { "field-ssh_keys".to_owned() } else { format!("key-{number}") };
                div.field.check {
                    input type="checkbox" id=(id) name="ssh_keys" value=(value)
                        checked[chosen.contains(&value.as_str())];
                    label for=(id) { (key.name) }
                }
            }
        }
    }
}
