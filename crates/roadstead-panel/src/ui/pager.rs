//! From one page of a list to the next.

use maud::{Markup, html};

use crate::form::Values;

/// Leads to the next page of a list, and back to its beginning. What came before is where the
/// browser's own Back leads.
pub(crate) fn pager(path: &str, query: &Values, next: Option<&str>) -> Markup {
    let is_first = query.given("cursor").is_none();
    html! {
        @if next.is_some() || !is_first {
            nav.pager aria-label="Pages" {
                @if !is_first {
                    a.button href={ (path) (query.with(&[("cursor", "")])) } { "First page" }
                }
                @if let Some(next) = next {
                    a.button href={ (path) (query.with(&[("cursor", next)])) } rel="next" { "Next page" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_one_page_has_none() {
        assert_eq!(pager("/", &Values::default(), None).0, "");
    }

    #[test]
    fn filters_are_kept_from_page_to_page() {
        let query = Values::of([("label", "a b"), ("cursor", "one")]);
        let shown = pager("/", &query, Some("two")).0;
        assert!(
            shown.contains(r#"href="/?label=a+b&amp;cursor=two""#),
            "{shown}"
        );
        assert!(shown.contains(r#"href="/?label=a+b""#), "{shown}");
    }
}
