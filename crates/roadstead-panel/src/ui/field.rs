//! One field of a form: its name, its hint, what is wrong with it, and where it is typed.

use maud::{Markup, html};
use uuid::Uuid;

use super::sentence;
use crate::form::{Filled, KEY};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    name: &'a str,
    label: &'a str,
    hint: Option<&'a str>,
    optional: bool,
}

impl<'a> Field<'a> {
    /// A field by the name under which it is sent and the one for people.
    pub(crate) const fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            hint: None,
            optional: false,
        }
    }

    /// Says what to know about it.
    pub(crate) const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Says that it may stay empty.
    pub(crate) const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

/// What a control needs to belong to its field.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    /// Its id.
    pub(crate) id: String,
    /// The name under which it is sent.
    pub(crate) name: &'a str,
    /// The ids of hint and mistake.
    pub(crate) described_by: Option<String>,
    /// `true` where something is wrong.
    pub(crate) invalid: Option<&'static str>,
    /// What stands in it.
    pub(crate) value: &'a str,
}

/// Shows a field around its control.
pub(crate) fn field<'a>(
    filled: &'a Filled,
    field: Field<'a>,
    control: impl FnOnce(Control<'a>) -> Markup,
) -> Markup {
    let id = format!("field-{}", field.name);
    let errors: Vec<_> = filled.mistakes.of_field(field.name).map(sentence).collect();
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described: Vec<_> = [
        field.hint.map(|_| hint_id.as_str()),
        (!errors.is_empty()).then_some(error_id.as_str()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let control = control(Control {
        id: id.clone(),
        name: field.name,
        described_by: (!described.is_empty()).then(|| described.join(" ")),
        invalid: (!errors.is_empty()).then_some("true"),
        value: filled.values.text(field.name),
    });
    html! {
        div.field {
            label for=(id) {
                (field.label)
                @if field.optional { span.optional { " (optional)" } }
            }
            @if let Some(hint) = field.hint { p.hint id=(hint_id) { (hint) } }
            @if !errors.is_empty() {
                p.error id=(error_id) { (errors.join(" ")) }
            }
            (control)
        }
    }
}

/// How a line of text is typed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// `text`, `email`, `search` or `number`; see [`secret`] for passwords.
    pub(crate) kind: &'a str,
    /// What the browser may fill in.
    pub(crate) autocomplete: &'a str,
    /// The longest text.
    pub(crate) longest: Option<u32>,
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self {
            kind: "text",
            autocomplete: "off",
            longest: None,
        }
    }
}

/// Asks for a line of text.
pub(crate) fn text(filled: &Filled, what: Field<'_>, how: Text<'_>) -> Markup {
    field(filled, what, |it| {
        html! {
            input type=(how.kind) id=(it.id) name=(it.name) value=(it.value)
                autocomplete=(how.autocomplete) maxlength=[how.longest]
                spellcheck="false" autocapitalize="none"
                aria-describedby=[it.described_by] aria-invalid=[it.invalid];
        }
    })
}

/// Asks for a secret, which is never shown again.
pub(crate) fn secret(filled: &Filled, what: Field<'_>, autocomplete: &str) -> Markup {
    field(filled, what, |it| {
        html! {
            input type="password" id=(it.id) name=(it.name) autocomplete=(autocomplete)
                aria-describedby=[it.described_by] aria-invalid=[it.invalid];
        }
    })
}

/// Asks for several lines of text.
pub(crate) fn lines(filled: &Filled, what: Field<'_>, rows: u8) -> Markup {
    field(filled, what, |it| {
        html! {
            // A browser drops the first line break, so that one of ours must come before it.
            textarea id=(it.id) name=(it.name) rows=(rows) spellcheck="false"
                aria-describedby=[it.described_by] aria-invalid=[it.invalid] {
                "\n" (it.value)
            }
        }
    })
}

/// Asks for one of a list of words, each with its name for people.
pub(crate) fn select<'a>(
    filled: &Filled,
    what: Field<'_>,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Markup {
    field(filled, what, |it| {
        html! {
            select id=(it.id) name=(it.name)
                aria-describedby=[it.described_by] aria-invalid=[it.invalid] {
                @for (value, label) in options {
                    option value=(value) selected[value == it.value] { (label) }
                }
            }
        }
    })
}

/// Asks yes or no; the box is sent as `on` where it is checked.
pub(crate) fn checkbox(filled: &Filled, what: Field<'_>) -> Markup {
    let id = format!("field-{}", what.name);
    let errors: Vec<_> = filled.mistakes.of_field(what.name).map(sentence).collect();
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described: Vec<_> = [
        what.hint.map(|_| hint_id.as_str()),
        (!errors.is_empty()).then_some(error_id.as_str()),
    ]
    .into_iter()
    .flatten()
    .collect();
    html! {
        div.field.check {
            input type="checkbox" id=(id) name=(what.name) value="on"
                checked[filled.values.checked(what.name)]
                aria-describedby=[(!described.is_empty()).then(|| described.join(" "))]
                aria-invalid=[(!errors.is_empty()).then_some("true")];
            label for=(id) { (what.label) }
            @if let Some(hint) = what.hint { p.hint id=(hint_id) { (hint) } }
            @if !errors.is_empty() { p.error id=(error_id) { (errors.join(" ")) } }
        }
    }
}

/// The key under which the form is done once, however often it is sent.
pub(crate) fn key() -> Markup {
    html! { input type="hidden" name=(KEY) value=(Uuid::now_v7()); }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{Mistakes, Values};

    #[test]
    fn a_mistake_stands_beside_its_field_and_the_value_stays() {
        let values = Values::of([("label", "x\"><script>")]);
        let filled = Filled::again(values, Mistakes::one("label", "Too short."));
        let what = Field::new("label", "Label").hint("3 to 64 letters.");
        let shown = text(&filled, what, Text::default()).0;
        for part in [
            r#"<label for="field-label">Label</label>"#,
            r#"<p class="hint" id="field-label-hint">3 to 64 letters.</p>"#,
            r#"<p class="error" id="field-label-error">Too short.</p>"#,
            r#"aria-describedby="field-label-hint field-label-error" aria-invalid="true""#,
            r#"value="x&quot;&gt;&lt;script&gt;""#,
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }

    #[test]
    fn a_field_without_hint_and_mistake_is_described_by_nothing() {
        let filled = Filled::default();
        let shown = text(&filled, Field::new("a", "A").optional(), Text::default()).0;
        assert!(!shown.contains("aria-"), "{shown}");
        assert!(shown.contains(r#"<span class="optional"> (optional)</span>"#));
    }

    #[test]
    fn a_secret_is_never_shown_again() {
        let filled = Filled::with([("password", "hunter2")]);
        let shown = secret(&filled, Field::new("password", "P"), "off").0;
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_text_keeps_its_first_line_break() {
        let filled = Filled::with([("notes", "\n#!")]);
        let shown = lines(&filled, Field::new("notes", "Notes"), 3).0;
        assert!(shown.contains(">\n\n#!</textarea>"), "{shown}");
    }

    #[test]
    fn the_chosen_word_is_selected_and_the_box_is_checked() {
        let filled = Filled::with([("theme", "dark"), ("live", "on")]);
        let options = [("auto", "Auto"), ("dark", "Dark")];
        let shown = select(&filled, Field::new("theme", "Theme"), options).0;
        assert!(
            shown.contains(r#"<option value="dark" selected>"#),
            "{shown}"
        );
        let shown = checkbox(&filled, Field::new("live", "Live")).0;
        assert!(shown.contains(r#"value="on" checked"#), "{shown}");
    }

    #[test]
    fn each_form_has_a_key_of_its_own() {
        assert_ne!(key().0, key().0);
    }
}
