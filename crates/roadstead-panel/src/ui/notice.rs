//! Something to know, before the rest of a page.

use maud::{Markup, html};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Good to know.
    Info,
    /// Done as asked.
    Ok,
    /// Something is not as it should be.
    Warn,
    /// Something cannot be undone, or has failed.
    Danger,
}

impl Tone {
    /// Every tone, for the style guide.
    #[cfg(debug_assertions)]
    pub(crate) const ALL: [Self; 4] = [Self::Info, Self::Ok, Self::Warn, Self::Danger];

    /// Returns its class.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Danger => "danger",
        }
    }
}

/// Says something to know.
pub(crate) fn notice(tone: Tone, title: &str, body: Markup) -> Markup {
    html! {
        div class={ "notice " (tone.as_str()) } {
            p.title { (title) }
            (body)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_no_markup() {
        let shown = notice(Tone::Warn, "<b>", html! {}).0;
        assert_eq!(
            shown,
            r#"<div class="notice warn"><p class="title">&lt;b&gt;</p></div>"#
        );
    }
}
