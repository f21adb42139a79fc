//! The request that a form asks for.

use std::time::Duration;

use roadstead_core::Secret;
use roadstead_service::CreateServer;
use serde_json::{Map, Value};

use super::{answers, options};
use crate::form::{Mistakes, Values};
use crate::offer::Ware;
use crate::pages::create::chosen::Chosen;
use crate::pages::create::image::Start;
use crate::pages::create::place::Place;

/// The most servers of one form.
pub(super) const MOST: usize = 10;

/// The longest notes, in characters.
const LONGEST_NOTES: usize = 10_000;

/// Returns the names of the servers that a form asks for.
pub(super) fn labels(values: &Values) -> Vec<String> {
    let more = values.text("more").lines().map(str::trim);
    let more = more.filter(|it| !it.is_empty());
    let first = std::iter::once(values.text("label").trim());
    first.chain(more).map(str::to_owned).collect()
}

/// Says what is wrong before anything is asked for.
pub(super) fn check(values: &Values) -> Mistakes {
    let mut mistakes = Mistakes::default();
    let labels = labels(values);
    if labels.len() > MOST {
        mistakes.add("more", format!("Create at most {MOST} servers at once."));
    }
    let mut seen = labels.iter().enumerate();
    if let Some((_, twice)) = seen.find(|(at, it)| labels.iter().take(*at).any(|seen| seen == *it))
    {
        mistakes.add("more", format!("`{twice}` is there twice."));
    }
    if values.text("notes").chars().count() > LONGEST_NOTES {
        let message = format!("Notes have at most {LONGEST_NOTES} characters.");
        mistakes.add("notes", message);
    }
    mistakes
}

/// Returns the request for one server.
pub(super) fn of(
    place: &Place<'_>,
    start: &Start,
    chosen: &Chosen,
    values: &Values,
    label: &str,
) -> CreateServer {
    let (sale, plan) = match &chosen.ware {
        Some(Ware::Sale(id)) => (Some(*id), String::new()),
        Some(Ware::Plan(plan)) => (None, plan.as_str().to_owned()),
        None => (None, String::new()),
    };
    let secret = |name: &str| {
        let given = Some(values.text(name)).filter(|it| !it.trim().is_empty());
        given.map(Secret::from)
    };
    let lines = values.text("public_keys").lines().map(str::trim);
    let keys = values.all("ssh_keys").into_iter().chain(lines);
    let tags = values
        .text("tags")
        .split(|it: char| it.is_whitespace() || it == ',');
    let own = |it: &&str| !it.is_empty();
    CreateServer {
        provider: Some(place.shop.id()),
        kind: None,
        label: label.to_owned(),
        sale,
        plan,
        region: place.region.as_str().to_owned(),
        image: start.image.as_str().to_owned(),
        root_password: secret("rootPassword"),
        ssh_keys: keys.filter(own).map(str::to_owned).collect(),
        user_data: secret("user_data"),
        backups: values.checked("backups"),
        ipv6: values.checked("ipv6"),
        private_network: values.checked("private_network"),
        tags: tags.filter(own).map(str::to_owned).collect(),
        market: None,
        options: options_of(place, start, values).map(Value::Object),
        wait: Duration::ZERO,
    }
}

/// Returns the options: the member's own, and what the application brings and is told.
pub(super) fn options_of(
    place: &Place<'_>,
    start: &Start,
    values: &Values,
) -> Option<Map<String, Value>> {
    let mut given = options::read(&place.shop.descriptor().options_schema, values);
    if let Some(app) = &start.app {
        given.extend(app.options.clone());
        let answers = answers::read(app, values);
        if let (Some(option), false) = (&app.answers_in, answers.is_empty()) {
            given.insert(option.to_string(), Value::Object(answers));
        }
    }
    (!given.is_empty()).then_some(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_server() {
        let values = Values::of([("label", " a "), ("more", "b\n\n c\n")]);
        assert_eq!(labels(&values), ["a", "b", "c"]);
        assert!(check(&values).is_empty());
        // The use case says what is wrong with an empty one.
        assert_eq!(labels(&Values::default()), [""]);
    }

    #[test]
    fn too_many_and_twice_the_same_are_refused() {
        let many = (0..10).map(|it| format!("s{it}\n")).collect::<String>();
        for (more, notes, field) in [
            (many.as_str(), "", "more"),
            ("a\nb", "", "more"),
            ("", &*"x".repeat(10_001), "notes"),
        ] {
            let values = Values::of([("label", "a"), ("more", more), ("notes", notes)]);
            assert_eq!(check(&values).of_field(field).count(), 1, "{field}");
        }
    }
}
