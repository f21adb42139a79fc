//! StackScripts to applications, their fields included.

use roadstead_core::{AppField, FieldKind, ImageId, MarketplaceApp};
use serde_json::{Map, json};

use crate::wire;

/// Who publishes Linode's own applications.
const PUBLISHERS: [&str; 2] = ["linode", "linode-stackscripts"];

/// Stands for every image.
const ANY_IMAGE: &str = "any/all";

/// The longest summary, which authors write at any length.
const SUMMARY_MAX: usize = 2_000;

/// Returns `None` for what somebody else published under a label like the vendor's.
pub(crate) fn app(it: wire::StackScript) -> Option<MarketplaceApp> {
    if !PUBLISHERS.contains(&it.username.as_deref()?) {
        return None;
    }
    let mut app = script(it);
    let short = app.label.strip_suffix("One-Click").unwrap_or(&app.label);
    let short = short.trim_end_matches([' ', '-']);
    if !short.is_empty() {
        app.label = short.into();
    }
    Some(app)
}

/// Returns a StackScript as an application.
pub(crate) fn script(it: wire::StackScript) -> MarketplaceApp {
    let id: Box<str> = it.id.to_string().into();
    let label = it.label.filter(|it| !it.trim().is_empty());
    let summary = it.description.filter(|it| !it.trim().is_empty());
    let images = it.images.unwrap_or_default();
    // A script that names no image has lost its images: it works upon none.
    let any = images.iter().any(|it| **it == *ANY_IMAGE);
    MarketplaceApp {
        label: label.unwrap_or_else(|| id.clone()),
        summary: summary.map(|it| it.chars().take(SUMMARY_MAX).collect::<String>().into()),
        publisher: it.username,
        image: None,
        images: (!any).then(|| images.into_iter().map(ImageId).collect()),
        options: Map::from_iter([("stackscript_id".to_owned(), json!(it.id))]),
        answers_in: Some("stackscript_data".into()),
        fields: fields(it.user_defined_fields.unwrap_or_default()),
        id,
    }
}

fn fields(all: Vec<wire::UserDefinedField>) -> Vec<AppField> {
    let mut section: Option<Box<str>> = None;
    let mut fields = Vec::with_capacity(all.len());
    for it in all {
        let label = it.label.filter(|it| !it.trim().is_empty());
        if it.header.is_some_and(|it| it.eq_ignore_ascii_case("yes")) {
            section = label;
            continue;
        }
        fields.push(AppField {
            label: label.unwrap_or_else(|| it.name.clone()),
            kind: kind(&it.name, it.oneof.as_deref(), it.manyof.as_deref()),
            required: it.default.is_none(),
            default: it.default.filter(|it| !it.is_empty()),
            example: it.example.filter(|it| !it.is_empty()),
            section: section.clone(),
            name: it.name,
        });
    }
    fields
}

/// The vendor tells a password by its name, and so does its own panel.
fn kind(name: &str, one: Option<&str>, many: Option<&str>) -> FieldKind {
    let choices = |joined: &str| {
        joined
            .split(',')
            .filter(|it| !it.is_empty())
            .map(Into::into)
            .collect()
    };
    match (one, many) {
        (Some(one), _) if !one.is_empty() => FieldKind::One {
            choices: choices(one),
        },
        (_, Some(many)) if !many.is_empty() => FieldKind::Many {
            choices: choices(many),
        },
        _ if name.to_lowercase().contains("password") => FieldKind::Secret,
        _ => FieldKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> wire::StackScript {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn fields_are_told_apart_by_their_choices_and_their_names() {
        let app = script(read(json!({
            "id": 7, "label": "own", "username": "me", "images": ["linode/debian12"],
            "user_defined_fields": [
                { "name": "mail", "label": "Mail", "example": "a@b.example" },
                { "name": "h1", "label": "Security", "header": "Yes", "default": "Yes" },
                { "name": "db_Password", "label": "Password" },
                { "name": "ssh", "label": "SSH?", "oneof": "Yes,No", "default": "No" },
                { "name": "parts", "label": "", "manyOf": "a, b,c", "default": "" },
                { "name": "odd", "oneof": "", "manyof": null, "header": "No" },
            ],
        })));
        let shown: Vec<_> = app
            .fields
            .iter()
            .map(|it| (&*it.name, &*it.label, it.required, it.section.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("mail", "Mail", true, None),
                ("db_Password", "Password", true, Some("Security")),
                ("ssh", "SSH?", false, Some("Security")),
                ("parts", "parts", false, Some("Security")),
                ("odd", "odd", true, Some("Security")),
            ]
        );
        let texts = |it: &[&str]| it.iter().map(|it| (*it).into()).collect::<Vec<_>>();
        assert_eq!(app.fields[1].kind, FieldKind::Secret);
        let choices = texts(&["Yes", "No"]);
        assert_eq!(app.fields[2].kind, FieldKind::One { choices });
        // The vendor takes a choice as its author wrote it, spaces included.
        let choices = texts(&["a", " b", "c"]);
        assert_eq!(app.fields[3].kind, FieldKind::Many { choices });
        assert_eq!(app.fields[3].default, None);
        assert_eq!(app.fields[4].kind, FieldKind::Text);
    }

    #[test]
    fn a_script_for_any_image_names_none() {
        let images =
            |given: serde_json::Value| script(read(json!({ "id": 7, "images": given }))).images;
        assert_eq!(images(json!(["linode/debian12", "any/all"])), None);
        assert_eq!(
            images(json!(["linode/debian12"])),
            Some(vec!["linode/debian12".into()])
        );
        assert_eq!(images(json!(null)), Some(Vec::new()));
    }

    #[test]
    fn a_script_says_how_it_is_started() {
        let app = script(read(json!({ "id": 7, "description": " " })));
        assert_eq!((&*app.label, app.summary), ("7", None));
        assert_eq!(
            app.options,
            *json!({ "stackscript_id": 7 }).as_object().unwrap()
        );
        assert_eq!(app.answers_in.as_deref(), Some("stackscript_data"));
    }

    #[test]
    fn an_application_is_the_vendors_own_and_has_a_short_name() {
        let from = |username: &str, label: &str| {
            app(read(
                json!({ "id": 7, "username": username, "label": label }),
            ))
            .map(|it| String::from(it.label))
        };
        assert_eq!(
            from("linode", "WordPress One-Click").as_deref(),
            Some("WordPress")
        );
        assert_eq!(from("linode", "One-Click").as_deref(), Some("One-Click"));
        assert_eq!(from("somebody", "WordPress One-Click"), None);
    }
}
