//! What has been chosen so far, and what it costs.

use maud::{Markup, html};
use roadstead_core::Price;

use super::price;

/// What has been chosen.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    /// Each thing with what was chosen, if anything was.
    pub(crate) rows: &'a [(&'a str, Option<&'a str>)],
    /// What it costs; `None` before that can be said.
    pub(crate) price: Option<&'a Price>,
    /// Whether the price can be said.
    pub(crate) priced: bool,
}

/// Shows what has been chosen.
pub(crate) fn summary(it: &Summary<'_>) -> Markup {
    html! {
        aside.summary aria-labelledby="summary-title" {
            h2 id="summary-title" { "Summary" }
            dl.facts {
                @for (what, chosen) in it.rows {
                    div {
                        dt { (what) }
                        dd {
                            @match chosen {
                                Some(chosen) => (chosen),
                                None => span.unknown { "Not chosen" },
                            }
                        }
                    }
                }
            }
            @if it.priced { p { (price(it.price)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_chosen_says_so() {
        let shown = summary(&Summary {
            rows: &[("Region", Some("nyc3")), ("Image", None)],
            price: None,
            priced: false,
        });
        assert!(
            shown.0.contains("<dt>Region</dt><dd>nyc3</dd>"),
            "{}",
            shown.0
        );
        assert!(shown.0.contains("Not chosen"));
        assert!(!shown.0.contains("price"));
    }
}
