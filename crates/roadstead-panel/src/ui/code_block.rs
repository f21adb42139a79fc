//! Several lines to copy.

use maud::{Markup, html};

/// Shows lines with a button that copies them. The button appears where the script runs.
pub(crate) fn code_block(id: &str, what: &str, text: &str) -> Markup {
    html! {
        div.code-block {
            button.small type="button" data-copy=(id) hidden {
                "Copy" span.hidden-text { " " (what) }
            }
            // Who has no mouse scrolls a long line with the keys.
            pre tabindex="0" role="region" aria-label=(what) { code id=(id) { (text) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_as_they_are_and_are_no_markup() {
        let shown = code_block("curl", "curl command", "curl \\\n  -d '<b>'").0;
        assert!(
            shown.contains("<code id=\"curl\">curl \\\n  -d '&lt;b&gt;'</code>"),
            "{shown}"
        );
        assert!(
            shown
                .contains(r#"data-copy="curl" hidden>Copy<span class="hidden-text"> curl command"#)
        );
    }
}
