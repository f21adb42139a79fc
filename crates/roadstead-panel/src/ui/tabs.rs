//! The pages about one thing.

use maud::{Markup, html};

/// Leads from one page about a thing to another.
pub(crate) fn tabs(label: &str, here: &str, pages: &[(&str, &str)]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            @for (href, name) in pages {
                a href=(href) aria-current=[(*href == here).then_some("page")] { (name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_at_hand_is_marked() {
        let shown = tabs("Server", "/a", &[("/a", "A"), ("/b", "B")]).0;
        assert!(shown.contains(r#"<a href="/a" aria-current="page">A</a><a href="/b">B</a>"#));
    }
}
