//! What the four pages have in common.

use maud::{Markup, html};
use roadstead_core::Price;

use super::chosen::Chosen;
use super::{DETAILS, IMAGE, PLACE, PLAN};
use crate::form::Values;
use crate::ui::{Summary, price, summary, wizard_steps};

/// How many things stand on a page of a list.
const PAGE: usize = 100;

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

/// Takes the part of a list that a page shows, and says where the next one begins.
pub(super) fn cut<T>(items: Vec<T>, query: &Values) -> (Vec<T>, Option<String>) {
    let begin = query.given("cursor").and_then(|it| it.parse().ok());
    let begin: usize = begin.filter(|it| *it < items.len()).unwrap_or(0);
    let end = begin.saturating_add(PAGE);
    let next = (end < items.len()).then(|| end.to_string());
    (items.into_iter().skip(begin).take(PAGE).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_into_pages_and_nonsense_is_the_first() {
        let of = |query: &str| {
            let items: Vec<usize> = (0..250).collect();
            let (items, next) = cut(items, &Values::of([("cursor", query)]));
            (items.first().copied(), items.len(), next)
        };
        assert_eq!(of(""), (Some(0), 100, Some("100".to_owned())));
        assert_eq!(of("100"), (Some(100), 100, Some("200".to_owned())));
        assert_eq!(of("200"), (Some(200), 50, None));
        for nonsense in ["250", "-1", "x", "99999999999999999999"] {
            assert_eq!(of(nonsense).0, Some(0), "{nonsense}");
        }
    }
}
