//! Tables, with columns that can be sorted by.

use maud::{Markup, html};

use crate::form::Values;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    label: &'a str,
    sort: Option<&'a str>,
    class: Option<&'a str>,
}

impl<'a> Column<'a> {
    /// A column with a name.
    pub(crate) const fn new(label: &'a str) -> Self {
        Self {
            label,
            sort: None,
            class: None,
        }
    }

    /// Lets the list be sorted by it, under this word.
    pub(crate) const fn sorted_by(mut self, word: &'a str) -> Self {
        self.sort = Some(word);
        self
    }

    /// Gives its cells a class: `number`, or `secondary` for what small windows leave out.
    pub(crate) const fn class(mut self, class: &'a str) -> Self {
        self.class = Some(class);
        self
    }
}

/// Shows a table. `caption` names it for those who do not see it; `query` is the query of the
/// page, with the order under `sort`; `order` is the one that counts without it.
pub(crate) fn table(
    caption: &str,
    columns: &[Column<'_>],
    rows: Markup,
    path: &str,
    query: &Values,
    order: &str,
) -> Markup {
    html! {
        // Wider than a small window it scrolls, also by the keyboard.
        div.table role="group" aria-label=(caption) tabindex="0" {
            table {
                caption.hidden-text { (caption) }
                thead { tr {
                    @for column in columns { (sort_th(column, path, query, order)) }
                } }
                tbody { (rows) }
            }
        }
    }
}

/// Shows the head of a column: a link to the list in its order, or backwards.
fn sort_th(column: &Column<'_>, path: &str, query: &Values, order: &str) -> Markup {
    let sorted = query.given("sort").unwrap_or(order);
    html! {
        @match column.sort {
            None => th scope="col" class=[column.class] { (column.label) },
            Some(word) => {
                @let (upward, downward) = (sorted == word, sorted.strip_prefix('-') == Some(word));
                @let next = if upward { format!("-{word}") } else { word.to_owned() };
                @let direction = if upward { "ascending" } else if downward { "descending" } else { "none" };
                th scope="col" class=[column.class] aria-sort=(direction) {
                    a href={ (path) (query.with(&[("sort", &next), ("cursor", "")])) } { (column.label) }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(query: &str) -> String {
        let query = Values::parse(query.as_bytes()).unwrap();
        let columns = [
            Column::new("Label").sorted_by("label"),
            Column::new("Plan").class("secondary"),
        ];
        table("Servers", &columns, html! {}, "/", &query, "-created_at").0
    }

    #[test]
    fn a_second_click_sorts_backwards() {
        let shown = head("label=x&cursor=y");
        assert!(
            shown.contains(
                r#"<th scope="col" aria-sort="none"><a href="/?label=x&amp;sort=label">"#
            ),
            "{shown}"
        );
        let shown = head("sort=label");
        assert!(
            shown.contains(r#"aria-sort="ascending"><a href="/?sort=-label">"#),
            "{shown}"
        );
        let shown = head("sort=-label");
        assert!(
            shown.contains(r#"aria-sort="descending"><a href="/?sort=label">"#),
            "{shown}"
        );
        assert!(
            shown.contains(r#"<th scope="col" class="secondary">Plan</th>"#),
            "{shown}"
        );
    }
}
