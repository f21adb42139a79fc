//! The little of CommonMark that our texts use: paragraphs, lists, and code within a line.

use maud::{Markup, html};

/// Shows a text.
pub(super) fn prose(text: &str) -> Markup {
    let blocks = text.split("\n\n").map(str::trim);
    html! {
        @for block in blocks.filter(|it| !it.is_empty()) {
            @if block.starts_with("- ") {
                ul { @for item in items(block) { li { (line(&item)) } } }
            } @else {
                p { (line(block)) }
            }
        }
    }
}

/// Splits a list into its items, whose lines may go on indented.
fn items(block: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("- "), items.last_mut()) {
            (None, Some(item)) => {
                item.push(' ');
                item.push_str(line.trim());
            }
            (start, _) => items.push(start.unwrap_or(line).to_owned()),
        }
    }
    items
}

/// Shows a line with what stands between backticks as code.
pub(super) fn line(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_and_code_are_told_apart_and_nothing_else_is_markup() {
        let text = "One\nline with `code`.\n\n- first\n  goes on\n- `second`\n\n<b>&";
        let shown = "<p>One\nline with <code>code</code>.</p>\
                     <ul><li>first goes on</li><li><code>second</code></li></ul>\
                     <p>&lt;b&gt;&amp;</p>";
        assert_eq!(prose(text).into_string(), shown);
        assert_eq!(prose("").into_string(), "");
    }
}
