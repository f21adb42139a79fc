//! The options that only this provider knows, as its descriptor's schema tells of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};
use roadstead_core::{Choice, ChoiceList, RegionId};
use serde_json::{Map, Value};

use crate::form::{Filled, Values};
use crate::soon::Soon;
use crate::ui::{Field, Text, field, id_of};

/// Says that an option is an application's to set.
const OF_APP: &str = "x-roadstead-app";

/// Names the list that an option is chosen from.
const CHOICES: &str = "x-roadstead-choices";

/// What stands for the provider's own way.
const AS_USUAL: &str = "As the provider does it";

/// What options can be chosen from.
pub(super) type Lists = BTreeMap<ChoiceList, Soon<Arc<[Choice]>>>;

/// Returns the lists that a schema names.
pub(super) fn lists(schema: &Value) -> Vec<ChoiceList> {
    let named = options(schema).filter_map(|(_, it)| list_of(it));
    named.collect()
}

/// Returns the options that a member sets.
fn options(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let all = properties(schema).into_iter().flatten();
    all.filter(|(_, it)| it.get(OF_APP).and_then(Value::as_bool) != Some(true))
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn list_of(schema: &Value) -> Option<ChoiceList> {
    ChoiceList::parse(schema.get(CHOICES)?.as_str()?)
}

fn name_of(option: &str) -> String {
    format!("options.{}", id_of(option))
}

/// How an option is asked for, and read again.
enum Kind<'a> {
    /// Chosen from a list at the provider.
    Listed(ChoiceList),
    /// One of some values.
    One(&'a [Value]),
    /// No, unless the box is checked.
    Check,
    /// Yes, no, or nothing of both.
    YesOrNo,
    /// A whole number.
    Number,
    /// Texts, one per line.
    Lines,
    /// Parts of its own.
    Parts(&'a Map<String, Value>),
    /// A text.
    Text,
    /// Anything else, as JSON.
    Json,
}

impl<'a> Kind<'a> {
    fn of(schema: &'a Value) -> Self {
        if let Some(list) = list_of(schema) {
            return Self::Listed(list);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return Self::One(values);
        }
        let default = schema.get("default").and_then(Value::as_bool);
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") if default == Some(false) => Self::Check,
            Some("boolean") => Self::YesOrNo,
            Some("integer") => Self::Number,
            Some("string") => Self::Text,
            Some("array") => Self::Lines,
            _ => properties(schema).map_or(Self::Json, Self::Parts),
        }
    }
}

/// Asks for the options.
pub(super) fn fields(filled: &Filled, schema: &Value, lists: &Lists, region: &RegionId) -> Markup {
    let form = Form {
        filled,
        lists,
        region,
    };
    html! { @for (option, it) in options(schema) { (form.option(&name_of(option), option, it)) } }
}

struct Form<'a> {
    filled: &'a Filled,
    lists: &'a Lists,
    region: &'a RegionId,
}

impl Form<'_> {
    fn option(&self, name: &str, option: &str, schema: &Value) -> Markup {
        let said = |what: &str| schema.get(what).and_then(Value::as_str);
        let (title, hint) = (said("title").unwrap_or(option), said("description"));
        let asked = Field::new(name, title).optional();
        let asked = hint.map_or(asked, |it| asked.hint(it));
        let filled = self.filled;
        match Kind::of(schema) {
            Kind::Listed(list) => self.listed(asked, list),
            Kind::One(values) => select(filled, asked, values.iter().map(spelled)),
            Kind::Check => field::checkbox(filled, Field::new(name, hint.unwrap_or(title))),
            Kind::YesOrNo => field::select(
                filled,
                asked,
                [("", AS_USUAL), ("true", "Yes"), ("false", "No")],
            ),
            Kind::Number => {
                let number = Text {
                    kind: "number",
                    ..Text::default()
                };
                field::text(filled, asked, number)
            }
            Kind::Lines => field::lines(filled, asked, 2),
            Kind::Parts(parts) => self.parts(name, title, hint, parts),
            Kind::Text => field::text(filled, asked, Text::default()),
            Kind::Json => field::lines(filled, asked, 3),
        }
    }

    fn listed(&self, asked: Field<'_>, list: ChoiceList) -> Markup {
        let Some(choices) = self.lists.get(&list).and_then(Soon::here) else {
            // The list is a convenience: whoever knows the id can go on without it.
            return html! {
                (field::text(self.filled, asked, Text::default()))
                p.small { "The provider’s list is not here now; give the id, or leave it empty." }
            };
        };
        let here = |it: &&Choice| it.region.as_ref().is_none_or(|it| it == self.region);
        let choices: Vec<_> = choices
            .iter()
            .filter(here)
            .map(|it| {
                let summary = it.summary.iter().map(|it| format!(", {it}"));
                let label = std::iter::once(it.label.to_string()).chain(summary);
                (spelled(&it.value), label.collect::<String>())
            })
            .collect();
        let none = std::iter::once(("", "None"));
        let choices = choices.iter().map(|it| (it.0.as_str(), it.1.as_str()));
        field::select(self.filled, asked, none.chain(choices))
    }

    fn parts(
        &self,
        name: &str,
        title: &str,
        hint: Option<&str>,
        parts: &Map<String, Value>,
    ) -> Markup {
        let errors: Vec<_> = self.filled.mistakes.of_field(name).collect();
        let (hint_id, error_id) = (format!("field-{name}-hint"), format!("field-{name}-error"));
        let described: Vec<_> = [
            hint.map(|_| hint_id.as_str()),
            (!errors.is_empty()).then_some(error_id.as_str()),
        ]
        .into_iter()
        .flatten()
        .collect();
        html! {
            fieldset.field id={ "field-" (name) }
                aria-describedby=[(!described.is_empty()).then(|| described.join(" "))] {
                legend { (title) span.optional { " (optional)" } }
                @if let Some(hint) = hint { p.hint id=(hint_id) { (hint) } }
                @if !errors.is_empty() { p.error id=(error_id) { (errors.join(" ")) } }
                div.parts {
                    @for (part, it) in parts {
                        (self.option(&format!("{name}.{}", id_of(part)), part, it))
                    }
                }
            }
        }
    }
}

fn select(filled: &Filled, asked: Field<'_>, values: impl Iterator<Item = String>) -> Markup {
    let values: Vec<_> = values.collect();
    let usual = std::iter::once(("", AS_USUAL));
    let values = values.iter().map(|it| (it.as_str(), it.as_str()));
    field::select(filled, asked, usual.chain(values))
}

/// Spells a value as it stands in a form.
fn spelled(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads the options that a form gives. What does not fit is passed on as it is: the provider's
/// crate says what is wrong with it, on the field.
pub(super) fn read(schema: &Value, values: &Values) -> Map<String, Value> {
    let given = |(option, schema): (&String, &Value)| {
        let value = option_of(&name_of(option), schema, values)?;
        Some((option.clone(), value))
    };
    options(schema).filter_map(given).collect()
}

fn option_of(name: &str, schema: &Value, values: &Values) -> Option<Value> {
    let text = values.given(name);
    match Kind::of(schema) {
        Kind::Check => values.checked(name).then_some(Value::Bool(true)),
        Kind::Lines => {
            let lines = text?.lines().map(str::trim).filter(|it| !it.is_empty());
            Some(lines.collect())
        }
        Kind::Parts(parts) => {
            let part = |(part, schema): (&String, &Value)| {
                let value = option_of(&format!("{name}.{}", id_of(part)), schema, values)?;
                Some((part.clone(), value))
            };
            let parts: Map<_, _> = parts.iter().filter_map(part).collect();
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
        Kind::Text => text.map(Value::from),
        Kind::Listed(_) | Kind::One(_) if is_text(schema) => text.map(Value::from),
        Kind::Listed(_) | Kind::One(_) | Kind::YesOrNo | Kind::Number | Kind::Json => {
            text.map(|it| serde_json::from_str(it).unwrap_or_else(|_no_json| it.into()))
        }
    }
}

fn is_text(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("string")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({ "properties": {
            "agent": { "title": "Agent", "type": "boolean", "default": false },
            "console": { "title": "Console", "type": "boolean" },
            "wall": { "title": "Wall", "type": "integer", "x-roadstead-choices": "firewalls" },
            "net": { "title": "Net", "type": "string", "x-roadstead-choices": "networks" },
            "when": { "title": "When", "type": "object", "properties": {
                "day": { "title": "Day", "type": "string", "enum": ["SUN", "MON"] },
                "hour": { "title": "Hour", "type": "integer", "enum": [0, 4] }
            } },
            "swap": { "title": "Swap", "description": "In MB.", "type": "integer" },
            "users": { "title": "Users", "type": "array", "items": { "type": "string" } },
            "script": { "title": "Script", "type": "integer", "x-roadstead-app": true },
            "odd": { "title": "Odd" }
        } })
    }

    #[test]
    fn what_is_given_is_read_by_its_type_and_what_is_not_is_left_out() {
        let none = Values::of([("options.swap", ""), ("options.when.day", " ")]);
        assert!(read(&schema(), &none).is_empty());
        let values = Values::of([
            ("options.agent", "on"),
            ("options.console", "false"),
            ("options.wall", "45001"),
            ("options.net", "7"),
            ("options.when.hour", "4"),
            ("options.swap", "256"),
            ("options.users", "ada\n\n eve \n"),
            ("options.script", "9"),
            ("options.odd", r#"{"a": 1}"#),
        ]);
        let expected = json!({
            "agent": true, "console": false, "wall": 45001, "net": "7", "when": { "hour": 4 },
            "swap": 256, "users": ["ada", "eve"], "odd": { "a": 1 },
        });
        assert_eq!(Value::Object(read(&schema(), &values)), expected);
        let wrong = Values::of([("options.swap", "much"), ("options.when.day", "SUNDAY")]);
        let expected = json!({ "swap": "much", "when": { "day": "SUNDAY" } });
        assert_eq!(Value::Object(read(&schema(), &wrong)), expected);
    }

    fn shown(lists: &Lists) -> String {
        let filled = Filled::with([("options.wall", "45001"), ("options.when.day", "MON")]);
        fields(&filled, &schema(), lists, &"nyc3".into()).0
    }

    #[test]
    fn each_option_is_asked_for_as_its_schema_says() {
        let choice = |value: Value, region: Option<&str>| Choice {
            value,
            label: "<web>".into(),
            region: region.map(Into::into),
            summary: Some("10.0.0.0/8".into()),
        };
        let walls: Arc<[Choice]> = [choice(json!(45001), None)].into();
        let nets: Arc<[Choice]> = [
            choice(json!("a"), Some("nyc3")),
            choice(json!("b"), Some("fra1")),
        ]
        .into();
        let lists = Lists::from([
            (ChoiceList::Firewalls, Soon::Here(walls)),
            (ChoiceList::Networks, Soon::Here(nets)),
        ]);
        let shown = shown(&lists);
        for part in [
            r#"type="checkbox" id="field-options.agent""#,
            r#"<option value="45001" selected>&lt;web&gt;, 10.0.0.0/8</option>"#,
            r#"<option value="a">"#,
            r#"id="field-options.when""#,
            r#"<option value="MON" selected>MON</option>"#,
            r#"<option value="0">0</option>"#,
            r#"type="number" id="field-options.swap""#,
            r#"<textarea id="field-options.users""#,
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        assert!(!shown.contains(r#"value="b""#), "another region's: {shown}");
        assert!(
            !shown.contains("options.script"),
            "an application's: {shown}"
        );
    }

    #[test]
    fn without_the_list_an_id_can_be_typed() {
        let shown = shown(&Lists::from([(ChoiceList::Firewalls, Soon::Later)]));
        assert!(
            shown.contains(r#"<input type="text" id="field-options.wall""#),
            "{shown}"
        );
        assert!(shown.contains("list is not here now"), "{shown}");
    }
}
