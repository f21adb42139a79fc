//! The first start: the operator's login, and the first account at a provider.

use maud::{Markup, html};
use roadstead_core::Support;
use roadstead_service::{Error, RegisterProvider, Verification};

use crate::cookie::Kept;
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::route::{Route, Who};
use crate::ui::{Card, Page, choice_cards, wizard_steps};
use crate::ui::{Field, Text, field};
use crate::visitor::{Anyone, Operator, Visitor};

const STEPS: [(&str, Option<&str>); 2] = [("Your login", None), ("First provider account", None)];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/setup", Who::Anyone, show_operator),
        Route::action("/setup", Who::Anyone, add_operator),
        Route::page("/setup/provider", Who::Operator, show_account),
        Route::action("/setup/provider", Who::Operator, add_account),
    ]
}

async fn show_operator(visitor: Anyone) -> Answer {
    if !visitor.platform.awaits_setup().await? {
        return Ok(visitor.go("/login"));
    }
    let filled = Filled::with([("organization", "Main")]);
    operator_page(&visitor, &filled)
}

async fn add_operator(Sent(visitor, form): Sent<Anyone>) -> Answer {
    let Form { values, .. } = form;
    match set_up(&visitor, &values).await {
        Ok(()) => Ok(visitor.go("/setup/provider")),
        // Somebody else was first, or this very form was sent twice.
        Err(Error::Conflict(_)) => Ok(visitor.go("/login")),
        Err(error) => operator_page(&visitor, &Filled::again(values, Mistakes::of(error)?)),
    }
}

async fn set_up(visitor: &Visitor, values: &Values) -> Result<(), Error> {
    let platform = &visitor.platform;
    let email = values.text("email");
    platform
        .set_up(
            &values.secret("code"),
            email.to_owned(),
            values.secret("password"),
            values.text("organization"),
        )
        .await?;
    let login = platform.login(email, values.secret("password")).await?;
    visitor.keep(Kept::session(visitor.transport, &login.token));
    Ok(())
}

fn operator_page(visitor: &Visitor, filled: &Filled) -> Answer {
    Ok(Page::new(visitor, "Set up Roadstead").form(filled).body(html! {
        (wizard_steps(1, &STEPS))
        p.lead { "Nobody can log in yet. You will run this installation." }
        form.stack method="post" action="/setup" {
            (field::text(
                filled,
                Field::new("code", "Code")
                    .hint("The server has printed it when it started, so that only who runs it can go on."),
                Text { autocomplete: "one-time-code", ..Text::default() },
            ))
            (field::text(filled, Field::new("email", "Your e-mail address"), Text {
                kind: "email",
                autocomplete: "username",
                ..Text::default()
            }))
            (field::secret(
                filled,
                Field::new("password", "A password").hint("At least 8 characters."),
                "new-password",
            ))
            (field::text(
                filled,
                Field::new("organization", "Your organization")
                    .hint("Servers belong to organizations. You can add more later."),
                Text { autocomplete: "organization", ..Text::default() },
            ))
            div.buttons { button.primary type="submit" { "Go on" } }
        }
    }))
}

async fn show_account(operator: Operator) -> Answer {
    account_page(&operator, &Filled::default())
}

async fn add_account(Sent(operator, form): Sent<Operator>) -> Answer {
    let Form { values, .. } = form;
    let request = registration(&values);
    match operator
        .platform
        .register_provider(&operator.grant, request)
        .await
    {
        Ok(registered) => operator.done(told(&registered.record.verification), "/"),
        Err(error) => account_page(&operator, &Filled::again(values, Mistakes::of(error)?)),
    }
}

fn account_page(visitor: &Visitor, filled: &Filled) -> Answer {
    Ok(Page::new(visitor, "First provider account")
        .form(filled)
        .body(html! {
            (wizard_steps(2, &STEPS))
            form.stack method="post" action="/setup/provider" {
                (field::key())
                (account_fields(visitor, filled))
                div.buttons {
                    button.primary type="submit" { "Test and add" }
                    a.button href="/" { "Later" }
                }
            }
        }))
}

/// Asks for an account at a provider.
pub(crate) fn account_fields(visitor: &Visitor, filled: &Filled) -> Markup {
    let descriptors: Vec<_> = visitor.platform.registry().descriptors().collect();
    let cards: Vec<_> = descriptors
        .iter()
        .map(|it| Card {
            value: it.kind.as_str(),
            title: &it.name,
            body: html! {},
            refusal: match &it.available {
                Support::Yes => None,
                Support::No { why } => Some(why.as_ref()),
            },
        })
        .collect();
    html! {
        (choice_cards(filled, "type", "Provider", &cards))
        (field::text(
            filled,
            Field::new("name", "Name").hint("What you call this account, such as Main account."),
            Text { longest: Some(100), ..Text::default() },
        ))
        (field::secret(
            filled,
            Field::new("token", "API token").hint(
                "Made in the provider’s own console. It is tested now, sealed, and never shown again.",
            ),
            "off",
        ))
    }
}

/// Reads the account that a form asks for.
pub(crate) fn registration(values: &Values) -> RegisterProvider {
    RegisterProvider {
        name: values.text("name").to_owned(),
        kind: values.text("type").to_owned(),
        token: values.text("token").trim().to_owned().into(),
        configuration: serde_json::Value::Null,
    }
}

/// Returns what to tell of an account that was added.
pub(crate) const fn told(verification: &Verification) -> Done {
    match verification {
        Verification::Verified { .. } => Done::AccountAdded,
        Verification::Unverified { .. } | Verification::Refused { .. } => Done::AccountUnverified,
    }
}
