//! Logging in and out.

use maud::html;
use roadstead_service::Error;

use crate::cookie::Kept;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::next;
use crate::route::{Route, Who};
use crate::ui::Page;
use crate::ui::{Field, Text, field};
use crate::visitor::{Anyone, Visitor};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/login", Who::Anyone, show),
        Route::action("/login", Who::Anyone, log_in),
        Route::action("/logout", Who::Anyone, log_out),
    ]
}

async fn show(visitor: Anyone) -> Answer {
    let query = visitor.query()?;
    if visitor.caller.is_some() {
        return Ok(visitor.go(&next::safe(query.given("next"))));
    }
    if visitor.platform.awaits_setup().await? {
        return Ok(visitor.go("/setup"));
    }
    page(&visitor, &Filled::again(query, Mistakes::default()))
}

async fn log_in(Sent(visitor, form): Sent<Anyone>) -> Answer {
    let Form { values, .. } = form;
    let login = visitor
        .platform
        .login(values.text("email"), values.secret("password"))
        .await;
    match login {
        Ok(login) => {
            visitor.keep(Kept::session(visitor.transport, &login.token));
            Ok(visitor.go(&next::safe(values.given("next"))))
        }
        Err(error) => page(&visitor, &Filled::again(values, mistakes(error)?)),
    }
}

/// Which of the two is wrong is not said.
fn mistakes(error: Error) -> Result<Mistakes, Failure> {
    match error {
        Error::WrongPassword => Ok(Mistakes::one("password", error.to_string())),
        other => Mistakes::of(other),
    }
}

fn page(visitor: &Visitor, filled: &Filled) -> Answer {
    let next = filled.values.given("next");
    Ok(Page::new(visitor, "Log in").form(filled).body(html! {
        form.stack method="post" action="/login" {
            (field::key())
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            (field::text(filled, Field::new("email", "E-mail address"), Text {
                kind: "email",
                autocomplete: "username",
                ..Text::default()
            }))
            (field::secret(filled, Field::new("password", "Password"), "current-password"))
            div.buttons { button.primary type="submit" { "Log in" } }
        }
        p.small {
            "Whoever runs this installation adds people with " code { "roadstead user create" } "."
        }
    }))
}

async fn log_out(Sent(visitor, _form): Sent<Anyone>) -> Answer {
    if let Some(caller) = &visitor.caller {
        visitor.platform.logout(caller).await?;
    }
    visitor.forget(Kept::Session);
    Ok(visitor.go("/login"))
}
