//! What stands where nothing is yet.

use maud::{Markup, html};

/// Says that there is nothing, and what to do about it.
pub(crate) fn empty(title: &str, body: Markup, action: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            h2 { (title) }
            (body)
            @if let Some((href, label)) = action {
                p { a.button.primary href=(href) { (label) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_on() {
        let shown = empty(
            "No keys",
            html! { p { "None." } },
            Some(("/keys", "Add one")),
        )
        .0;
        assert!(shown.contains(r#"<a class="button primary" href="/keys">Add one</a>"#));
    }
}
