//! What can be done to the rows that are checked.

use maud::{Markup, html};

/// Offers actions for the checked boxes of a table. It belongs to the form with this id, which
/// goes to a page that lists what would change before anything does.
pub(crate) fn bulk_bar(form: &str, actions: &[(&str, &str)]) -> Markup {
    html! {
        div.bulk-bar role="group" aria-label="With the checked servers" {
            span { "With the checked:" }
            @for (value, label) in actions {
                button.small type="submit" form=(form) name="action" value=(value) { (label) "…" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_is_a_button_of_the_form() {
        let bar = bulk_bar("bulk", &[("reboot", "Reboot")]).0;
        let button = r#"<button class="small" type="submit" form="bulk" name="action" value="reboot">Reboot…</button>"#;
        assert!(bar.contains(button), "{bar}");
    }
}
