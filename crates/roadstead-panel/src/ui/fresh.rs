//! The password once more, before what cannot be undone.

use maud::{Markup, html};

use super::field::{self, Field};
use crate::form::Filled;
use crate::visitor::{PASSWORD, Visitor};

/// Asks for the password where the login is no longer fresh; see [`Visitor::prove_fresh`].
pub(crate) fn fresh(visitor: &Visitor, filled: &Filled) -> Markup {
    html! {
        @if !visitor.is_fresh() {
            (field::secret(
                filled,
                Field::new(PASSWORD, "Your password").hint("You logged in a while ago."),
                "current-password",
            ))
        }
    }
}
