//! Any number of some things.

use maud::{Markup, html};

use super::id_of;
use crate::form::Filled;

/// One of the things: what is sent, its name, and what there is to say about it.
pub(crate) type Item<'a> = (&'a str, &'a str, Option<&'a str>);

/// Offers any number of some things.
pub(crate) fn check_group(
    filled: &Filled,
    name: &str,
    legend: &str,
    hint: Option<&str>,
    items: &[Item<'_>],
) -> Markup {
    let errors: Vec<_> = filled.mistakes.of_field(name).collect();
    let chosen = filled.values.all(name);
    let id = id_of(name);
    let (hint_id, error_id) = (format!("field-{id}-hint"), format!("field-{id}-error"));
    let described: Vec<_> = [
        hint.map(|_| hint_id.as_str()),
        (!errors.is_empty()).then_some(error_id.as_str()),
    ]
    .into_iter()
    .flatten()
    .collect();
    html! {
        fieldset.field id={ "field-" (id) }
            aria-describedby=[(!described.is_empty()).then(|| described.join(" "))] {
            legend { (legend) }
            @if let Some(hint) = hint { p.hint id=(hint_id) { (hint) } }
            @if !errors.is_empty() { p.error id=(error_id) { (errors.join(" ")) } }
            @for (value, title, note) in items {
                @let box_id = format!("field-{id}-{}", id_of(value));
                div.field.check {
                    input type="checkbox" id=(box_id) name=(name) value=(value)
                        checked[chosen.contains(value)];
                    label for=(box_id) {
                        (title)
                        @if let Some(note) = note { " " span.small { (note) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{Mistakes, Values};

    #[test]
    fn what_was_checked_stays_checked_beside_what_is_wrong() {
        let values = Values::of([("keys", "2"), ("keys", "3")]);
        let filled = Filled::again(values, Mistakes::one("keys[1]", "Is gone."));
        let items = [
            ("1", "one", None),
            ("2", "two", Some("SHA256:x")),
            ("3", "<3>", None),
        ];
        let shown = check_group(&filled, "keys", "Keys", None, &items).0;
        assert_eq!(shown.matches(" checked").count(), 2, "{shown}");
        assert!(
            shown.contains(r#"<p class="error" id="field-keys-error">Is gone.</p>"#),
            "{shown}"
        );
        assert!(shown.contains("&lt;3&gt;"), "{shown}");
    }
}
