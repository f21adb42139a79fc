//! What the four pages have in common.

use maud::{Markup, html};
use roadstead_core::Price;

use super::chosen::Chosen;
use super::{DETAILS, IMAGE, PLACE, PLAN};
use crate::ui::{Summary, price, summary, wizard_steps};

/// What the summary says.
#[derive(Debug, Default)]
pub(super) struct So<'a> {
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) plan: Option<&'a str>,
    pub(super) image: Option<&'a str>,
    /// What the plan costs, once there is one.
    pub(super) price: Option<Option<&'a Price>>,
}

/// Shows where one is, and leads back.
pub(super) fn steps(here: usize, chosen: &Chosen) -> Markup {
    let [place, plan, image, details] = [PLACE, PLAN, IMAGE, DETAILS].map(|it| chosen.at(it));
    wizard_steps(
        here,
        &[
            ("Provider and region", Some(&place)),
            ("Plan", Some(&plan)),
            ("Image", Some(&image)),
            ("Details and review", Some(&details)),
        ],
    )
}

/// Puts the summary beside a part of a page, which renews itself with it.
pub(super) fn beside(so: &So<'_>, part: &Markup) -> Markup {
    let rows = [
        ("Provider", so.account),
        ("Region", so.region),
        ("Plan", so.plan),
        ("Image", so.image),
    ];
    html! {
        div.with-aside {
            div { (part) }
            (summary(&Summary {
                rows: &rows,
                price: so.price.flatten(),
                priced: so.price.is_some(),
            }))
        }
    }
}

/// Shows what it costs so far, and leads on.
pub(super) fn bar(so: &So<'_>, next: &str) -> Markup {
    html! {
        div.sticky {
            p.bar-price {
                @match so.price {
                    Some(known) => (price(known)),
                    None => span.unknown { "No plan chosen yet" },
                }
            }
            button.primary type="submit" formaction=(next) { "Continue" }
        }
    }
}
