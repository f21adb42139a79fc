//! Something to copy.

use maud::{Markup, html};

/// Shows a text with a button that copies it. The button appears where the script runs; without
/// it, a click marks the whole text.
pub(crate) fn copyable(id: &str, what: &str, text: &str) -> Markup {
    html! {
        span.copyable {
            code id=(id) { (text) }
            button.small type="button" data-copy=(id) hidden {
                "Copy" span.hidden-text { " " (what) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_says_what_it_copies() {
        let shown = copyable("ip", "IPv4 address", "203.0.113.24").0;
        assert!(
            shown.contains(r#"<code id="ip">203.0.113.24</code>"#),
            "{shown}"
        );
        let button = r#"data-copy="ip" hidden>Copy<span class="hidden-text"> IPv4 address</span>"#;
        assert!(shown.contains(button), "{shown}");
    }
}
