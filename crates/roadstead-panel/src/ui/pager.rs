//! From one page of a list to the next.

use maud::{Markup, html};

use crate::form::Values;

/// How many things stand on a page of a list that is cut here.
const PAGE: usize = 100;

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

/// Takes the part of a list that a page shows, and says where the next one begins.
pub(crate) fn cut<T>(items: Vec<T>, query: &Values) -> (Vec<T>, Option<String>) {
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
