//! A further account.

use maud::html;

use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::pages::setup::{account_fields, registration, told};
use crate::ui::{Page, field};
use crate::visitor::{Operator, Visitor};

pub(super) async fn show(operator: Operator) -> Answer {
    page(&operator, &Filled::default())
}

pub(super) async fn add(Sent(operator, form): Sent<Operator>) -> Answer {
    let Form { values, .. } = form;
    let request = registration(&values);
    match operator
        .platform
        .register_provider(&operator.grant, request)
        .await
    {
        Ok(registered) => {
            let record = &registered.record;
            operator.done(
                told(&record.verification),
                &format!("/providers/{}", record.id),
            )
        }
        Err(error) => page(&operator, &Filled::again(values, Mistakes::of(error)?)),
    }
}

fn page(visitor: &Visitor, filled: &Filled) -> Answer {
    Ok(Page::new(visitor, "Add an account")
        .crumb("/providers", "Provider accounts")
        .form(filled)
        .body(html! {
            form.stack method="post" action="/providers/add" {
                (field::key())
                (account_fields(visitor, filled))
                div.buttons {
                    button.primary type="submit" { "Test and add" }
                    a.button href="/providers" { "Not now" }
                }
            }
        }))
}
