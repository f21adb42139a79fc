//! What an application asks for, as its own definitions tell.

use maud::{Markup, html};
use roadstead_core::{AppField, FieldKind, MarketplaceApp};
use serde_json::{Map, Value};

use crate::form::{Filled, Mistakes, Values};
use crate::ui::{Field, Text, check_group, field, id_of};

/// What stands in the place of a secret.
const SECRET: &str = "<secret>";

/// Returns the name under which an answer is sent: the use case's, in plain letters.
fn name_of(app: &MarketplaceApp, field: &str) -> String {
    let option = app.answers_in.as_deref().unwrap_or_default();
    format!("options.{}.{}", id_of(option), id_of(field))
}

/// Returns what stands in the fields at first.
pub(super) fn defaults(app: &MarketplaceApp) -> Vec<(String, String)> {
    let default = |it: &AppField| {
        let name = name_of(app, &it.name);
        let default = it.default.as_deref().unwrap_or_default();
        match it.kind {
            // A default that everybody knows is no secret, and counts anyway.
            FieldKind::Secret => Vec::new(),
            FieldKind::Many { .. } => {
                let parts = default.split(',').filter(|it| !it.is_empty());
                parts.map(|part| (name.clone(), part.to_owned())).collect()
            }
            _ => vec![(name, default.to_owned())],
        }
    };
    app.fields.iter().flat_map(default).collect()
}

/// Asks what the application asks for.
pub(super) fn fields(filled: &Filled, app: &MarketplaceApp) -> Markup {
    html! {
        @for section in app.fields.chunk_by(|one, other| one.section == other.section) {
            @if let Some(title) = section.first().and_then(|it| it.section.as_ref()) {
                h3 { (title) }
            }
            @for it in section { (asked(filled, app, it)) }
        }
    }
}

fn asked(filled: &Filled, app: &MarketplaceApp, it: &AppField) -> Markup {
    let name = name_of(app, &it.name);
    let example = it.example.as_ref().map(|it| format!("For example {it}"));
    let secret_default = it.default.as_ref().filter(|_| it.kind == FieldKind::Secret);
    let default = secret_default.map(|_| "The one that it brings along, if empty.".to_owned());
    let hint = example.or(default);
    let field = Field::new(&name, &it.label);
    let field = hint.as_deref().map_or(field, |it| field.hint(it));
    let field = if it.required { field } else { field.optional() };
    match &it.kind {
        FieldKind::Secret => field::secret(filled, field, "new-password"),
        FieldKind::One { choices } => {
            let none = (!it.required || it.default.is_none()).then_some(("", "Choose one"));
            let choices = choices.iter().map(|it| (&**it, &**it));
            field::select(filled, field, none.into_iter().chain(choices))
        }
        FieldKind::Many { choices } => {
            let items: Vec<_> = choices.iter().map(|it| (&**it, &**it, None)).collect();
            check_group(filled, &name, &it.label, hint.as_deref(), &items)
        }
        _ => field::text(filled, field, Text::default()),
    }
}

/// Reads the answers; what is left empty is none.
pub(super) fn read(app: &MarketplaceApp, values: &Values) -> Map<String, Value> {
    let answer = |it: &AppField| {
        let name = name_of(app, &it.name);
        let answer = match it.kind {
            FieldKind::Many { .. } => {
                let chosen = values.all(&name);
                (!chosen.is_empty()).then(|| chosen.into_iter().collect())
            }
            _ => Some(values.text(&name))
                .filter(|it| !it.is_empty())
                .map(Value::from),
        };
        Some((it.name.to_string(), answer?))
    };
    app.fields.iter().filter_map(answer).collect()
}

/// Puts what is wrong with an answer beside its field.
pub(super) fn place(app: &MarketplaceApp, mistakes: &mut Mistakes) {
    let Some(option) = &app.answers_in else {
        return;
    };
    let before = format!("options.{option}.");
    for mistake in &mut mistakes.fields {
        let name = mistake
            .field
            .strip_prefix(&before)
            .map(|it| name_of(app, it));
        if let Some(name) = name {
            mistake.field = name.into();
        }
    }
}

/// Takes the secrets out of options that are shown.
pub(super) fn hide(app: &MarketplaceApp, options: &mut Map<String, Value>) {
    let answers = app.answers_in.as_deref().and_then(|it| options.get_mut(it));
    let Some(Value::Object(answers)) = answers else {
        return;
    };
    for it in app.fields.iter().filter(|it| it.kind == FieldKind::Secret) {
        if let Some(answer) = answers.get_mut(&*it.name) {
            *answer = SECRET.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn app() -> MarketplaceApp {
        let field = |name: &str, kind: FieldKind, required, default: Option<&str>| AppField {
            name: name.into(),
            label: format!("<{name}>").into(),
            kind,
            required,
            default: default.map(Into::into),
            example: Some("me@example.com".into()),
            section: Some("Admin".into()),
        };
        let choices = || vec!["yes".into(), "no".into()];
        MarketplaceApp {
            answers_in: Some("data".into()),
            fields: vec![
                field("mail", FieldKind::Text, true, None),
                field("password", FieldKind::Secret, false, Some("hunter2")),
                field(
                    "ssh",
                    FieldKind::One { choices: choices() },
                    true,
                    Some("no"),
                ),
                field(
                    "parts",
                    FieldKind::Many { choices: choices() },
                    false,
                    Some("yes,no"),
                ),
                field("o dd\"", FieldKind::Text, false, None),
            ],
            ..MarketplaceApp::new("7", "Blog")
        }
    }

    fn begun() -> Values {
        let defaults = defaults(&app());
        Values::of(
            defaults
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }

    #[test]
    fn the_form_begins_with_the_defaults_and_reads_back_as_answers() {
        let expected = json!({ "ssh": "no", "parts": ["yes", "no"] });
        assert_eq!(Value::Object(read(&app(), &begun())), expected);
        let values = Values::of([
            ("options.data.mail", "a@b"),
            ("options.data.o~20dd~22", "x"),
        ]);
        assert_eq!(
            Value::Object(read(&app(), &values)),
            json!({ "mail": "a@b", "o dd\"": "x" })
        );
    }

    #[test]
    fn each_field_is_asked_for_as_it_is_defined() {
        let shown = fields(&Filled::again(begun(), Mistakes::default()), &app()).0;
        for part in [
            "<h3>Admin</h3>",
            r#"type="text" id="field-options.data.mail""#,
            r#"type="password" id="field-options.data.password""#,
            r#"<option value="no" selected>"#,
            r#"name="options.data.parts" value="yes" checked>"#,
            "&lt;mail&gt;",
            r#"id="field-options.data.o~20dd~22""#,
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        assert_eq!(shown.matches("<h3>").count(), 1, "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_is_wrong_finds_its_field_and_no_secret_is_shown() {
        let mut mistakes = Mistakes::one("options.data.o dd\"", "is wrong");
        place(&app(), &mut mistakes);
        assert_eq!(mistakes.of_field("options.data.o~20dd~22").count(), 1);
        let Value::Object(mut options) = json!({ "data": { "mail": "a", "password": "hunter2" } })
        else {
            unreachable!()
        };
        hide(&app(), &mut options);
        assert_eq!(
            Value::Object(options),
            json!({ "data": { "mail": "a", "password": SECRET } })
        );
    }
}
