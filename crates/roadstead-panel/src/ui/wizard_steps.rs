//! Where one is in a row of pages.

use maud::{Markup, html};

/// Shows the steps; those before the one at hand can be gone back to, where they have an address.
pub(crate) fn wizard_steps(here: usize, steps: &[(&str, Option<&str>)]) -> Markup {
    html! {
        nav.steps aria-label="Steps" {
            ol {
                @for (number, (label, href)) in (1..).zip(steps) {
                    @let class = if number < here { Some("done") } else { None };
                    li class=[class] aria-current=[(number == here).then_some("step")] {
                        span { (number) ". " }
                        @match href {
                            Some(href) if number < here => a href=(href) { (label) },
                            _ => (label),
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_can_go_back_and_not_ahead() {
        let steps = [
            ("One", Some("/1")),
            ("Two", Some("/2")),
            ("Three", Some("/3")),
        ];
        let shown = wizard_steps(2, &steps).0;
        assert!(shown.contains(r#"<a href="/1">One</a>"#), "{shown}");
        assert!(
            shown.contains(r#"aria-current="step"><span>2. </span>Two"#),
            "{shown}"
        );
        assert!(!shown.contains("/3"), "{shown}");
    }
}
