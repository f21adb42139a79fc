//! What is wrong with a form, before it.

use maud::{Markup, html};

use super::sentence;
use crate::form::{Mistakes, field_of};

/// Says what is wrong, with a link to each field that stands on the page. It has the focus.
pub(crate) fn error_summary(mistakes: &Mistakes, body: &str) -> Markup {
    html! {
        section.errors id="errors" tabindex="-1" autofocus aria-labelledby="errors-title" {
            h2 id="errors-title" { "There is a problem" }
            ul {
                @for mistake in &mistakes.fields {
                    @let id = format!("field-{}", field_of(&mistake.field));
                    li {
                        @if body.contains(&format!("id=\"{id}\"")) {
                            a href={ "#" (id) } { (sentence(&mistake.error)) }
                        } @else {
                            (sentence(&mistake.error)) " " code { (mistake.field) }
                        }
                    }
                }
                @if let Some(whole) = &mistakes.whole {
                    li {
                        (sentence(whole.message()))
                        @if whole.is_transient() { " Sending the form again may help." }
                        " " code { (whole.code().as_str()) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use roadstead_service::Error;

    use super::*;

    #[test]
    fn a_field_of_the_page_is_linked_and_another_is_named() {
        let mut mistakes = Mistakes::one("label", "is too long");
        mistakes.add("size", "is <unknown>");
        let shown = error_summary(&mistakes, r#"<input id="field-label">"#).0;
        assert!(
            shown.contains(r##"<a href="#field-label">Is too long.</a>"##),
            "{shown}"
        );
        assert!(
            shown.contains("Is &lt;unknown&gt;. <code>size</code>"),
            "{shown}"
        );
        assert!(shown.contains("autofocus"));
    }

    #[test]
    fn trying_again_is_offered_only_where_it_can_help() {
        let shown = |error| error_summary(&Mistakes::of(error).unwrap(), "").0;
        assert!(shown(Error::TooManyLogins).contains("may help"));
        assert!(!shown(Error::QuotaExceeded("no more".to_owned())).contains("may help"));
    }
}
