//! The filters of a list: a form that leads to an address, so that it can be shared.

use maud::{Markup, html};

/// Shows filters. Where the script runs, a change is applied at once to the part of the page with
/// the id `results`.
pub(crate) fn filters(path: &str, fields: Markup, kept: &[(&str, &str)]) -> Markup {
    html! {
        form.filters method="get" action=(path) role="search" aria-label="Filters" data-live="results" {
            @for (name, value) in kept {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
            (fields)
            div.buttons {
                button type="submit" { "Apply filters" }
                a href=(path) { "Clear" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_filtered_by_is_kept() {
        let shown = filters("/", html! {}, &[("sort", "label"), ("tag", "")]).0;
        assert!(shown.contains(r#"<input type="hidden" name="sort" value="label">"#));
        assert!(!shown.contains("tag"));
    }
}
