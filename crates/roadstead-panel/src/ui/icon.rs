//! Small drawings. They say nothing that words beside them do not say.

use maud::{Markup, PreEscaped, html};

/// The mark of the product, as the icon of its pages: a ship at anchor.
pub(crate) const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' \
    viewBox='0 0 16 16'%3E%3Cpath d='M8 1v9M8 2l4 6H8M2 11h12l-2 4H4z' fill='%230b57c9' \
    stroke='%230b57c9'/%3E%3C/svg%3E";

/// The mark of the product.
pub(crate) fn ship() -> Markup {
    drawing("M8 1v9M8 2l4 6H8M2 11h12l-2 4H4z")
}

fn drawing(path: &str) -> Markup {
    html! {
        svg.icon viewBox="0 0 16 16" aria-hidden="true" focusable="false" {
            path d=(PreEscaped(path));
        }
    }
}
