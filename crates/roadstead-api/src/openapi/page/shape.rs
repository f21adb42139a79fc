//! Schemas as people read them: fields, types and words.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::prose::prose;
use super::text;

/// Where a shape is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// As the body of a request: what must be there is said.
    Request,
    /// For itself, which may be an answer: what may be absent is said.
    Shape,
}

/// Returns the anchor of a shape.
pub(super) fn anchor(name: &str) -> String {
    format!("shape-{name}")
}

/// Shows the fields of an object, or the words of a text.
pub(super) fn fields(schema: &Value, role: Role) -> Markup {
    let properties = schema.get("properties").and_then(Value::as_object);
    let choices = schema.get("oneOf").and_then(Value::as_array);
    html! {
        @if let Some(properties) = properties {
            dl.fields {
                @for (name, field) in in_order(properties, schema) {
                    dt {
                        code { (name) } " " span.type { (type_of(field)) } " "
                        (presence(is_required(name, schema), role))
                    }
                    dd {
                        (prose(text(field, "/description")))
                        (bounds(Some(field)))
                    }
                }
            }
        }
        @if let Some(choices) = choices {
            @if choices.iter().all(|it| it.get("const").is_some()) {
                dl.fields {
                    @for choice in choices {
                        dt { code { (text(choice, "/const")) } }
                        dd { (prose(text(choice, "/description"))) }
                    }
                }
            } @else {
                p { "One of these:" }
                @for choice in choices {
                    (prose(text(choice, "/description")))
                    (fields(choice, role))
                }
            }
        }
    }
}

/// Puts first what a request must have.
fn in_order<'a>(
    properties: &'a Map<String, Value>,
    schema: &Value,
) -> Vec<(&'a String, &'a Value)> {
    let mut fields: Vec<_> = properties.iter().collect();
    fields.sort_by_key(|(name, _)| !is_required(name, schema));
    fields
}

fn is_required(name: &str, schema: &Value) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|it| it.iter().any(|it| it == name))
}

fn presence(required: bool, role: Role) -> Markup {
    html! {
        @match (required, role) {
            (true, Role::Request) => span.needed { "required" },
            (false, Role::Shape) => span.type { "may be absent" },
            _ => {},
        }
    }
}

/// Shows what a schema takes, in a few words.
pub(super) fn type_of(schema: &Value) -> Markup {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#" (anchor(name)) } { (name) } };
    }
    if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        let choices = choices.as_array().into_iter().flatten().enumerate();
        return html! {
            @for (index, choice) in choices { @if index > 0 { " or " } (type_of(choice)) }
        };
    }
    if let Some(only) = schema.get("const") {
        return html! { code { (only.to_string()) } };
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    html! {
        @for (index, kind) in kinds.into_iter().enumerate() {
            @if index > 0 { " or " }
            @match (kind, schema.get("items")) {
                ("array", Some(items)) => { "list of " (type_of(items)) },
                ("string", _) => (named(schema)),
                _ => (kind),
            }
        }
    }
}

/// Names a text by its format.
fn named(schema: &Value) -> &str {
    match text(schema, "/format") {
        "" => "text",
        "uuid" => "id",
        "date-time" => "time",
        "ip" => "IP address",
        other => other,
    }
}

/// Shows what narrows a type down: words, bounds, what it is when it is not given.
pub(super) fn bounds(schema: Option<&Value>) -> Markup {
    let schema = schema.unwrap_or(&Value::Null);
    let words = schema.get("enum").and_then(Value::as_array);
    let least = schema.get("minimum").filter(|it| it.as_u64() != Some(0));
    let default = schema.get("default").filter(|it| !it.is_null());
    html! {
        @if let Some(words) = words {
            p.words { @for word in words { code { (word.as_str().unwrap_or_default()) } " " } }
        }
        @match (least, schema.get("maximum")) {
            (Some(least), Some(most)) => p { (least) " to " (most) "." },
            (Some(least), None) => p { "At least " (least) "." },
            (None, Some(most)) => p { "At most " (most) "." },
            (None, None) => {},
        }
        @if let Some(default) = default { p { "Otherwise " code { (default) } "." } }
    }
}
