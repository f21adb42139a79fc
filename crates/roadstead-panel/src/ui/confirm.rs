//! The page before something that matters: what will happen, and the button that does it.

use maud::{Markup, html};

use super::field::{self, Field, Text};
use super::{Tone, fresh, notice};
use crate::form::{Filled, Mistakes, Values};
use crate::visitor::Visitor;

/// The field for the label that has to be typed.
const TYPED: &str = "typed";

/// Something that is asked once more.
#[derive(Debug)]
pub(crate) struct Confirm<'a> {
    /// Where it is sent.
    pub(crate) action: &'a str,
    /// What stands on the button.
    pub(crate) button: &'a str,
    /// What will happen, one sentence each.
    pub(crate) consequences: Vec<Markup>,
    /// The label to type, where what happens cannot be undone. The password is asked for, too,
    /// if the login is no longer fresh.
    pub(crate) typed: Option<&'a str>,
    /// More fields of the form.
    pub(crate) fields: Markup,
    /// Where to go instead.
    pub(crate) back: &'a str,
    /// What stands on the way back.
    pub(crate) keep: &'a str,
}

/// Checks that what had to be typed was typed.
pub(crate) fn typed(values: &Values, expected: &str) -> Mistakes {
    if values.text(TYPED).trim() == expected.trim() {
        return Mistakes::default();
    }
    Mistakes::one(
        TYPED,
        format!("Type {expected}, exactly as it stands here."),
    )
}

/// Shows what is asked once more.
pub(crate) fn confirm(visitor: &Visitor, filled: &Filled, it: Confirm<'_>) -> Markup {
    let (tone, title) = match it.typed {
        Some(_) => (Tone::Danger, "This cannot be undone"),
        None => (Tone::Info, "What will happen"),
    };
    html! {
        (notice(tone, title, html! {
            ul { @for line in &it.consequences { li { (line) } } }
        }))
        form.stack method="post" action=(it.action) {
            (field::key())
            (it.fields)
            @if let Some(label) = it.typed {
                (field::text(filled, Field::new(TYPED, &format!("Type {label} to confirm")), Text {
                    autocomplete: "off",
                    ..Text::default()
                }))
                (fresh(visitor, filled))
            }
            div.buttons {
                button class=(if it.typed.is_some() { "danger" } else { "primary" }) type="submit" {
                    (it.button)
                }
                a.button href=(it.back) { (it.keep) }
            }
        }
    }
}
