//! One of many, in groups.

use maud::{Markup, html};

use super::id_of;
use crate::form::Filled;

/// Some of the things to choose from.
#[derive(Debug)]
pub(crate) struct Group {
    /// What they have in common.
    pub(crate) title: String,
    /// The things.
    pub(crate) choices: Vec<Choice>,
}

/// One of the things.
#[derive(Debug)]
pub(crate) struct Choice {
    /// What is sent.
    pub(crate) value: String,
    /// Its name.
    pub(crate) title: String,
    /// What there is to say about it.
    pub(crate) note: Markup,
    /// Why it cannot be chosen, where it cannot.
    pub(crate) refusal: Option<String>,
}

/// Offers one of many things. What cannot be chosen says why, as clearly as the rest. Each has an
/// id of its own, so that a list that renews itself keeps what was chosen.
pub(crate) fn choice_groups(filled: &Filled, name: &str, legend: &str, groups: &[Group]) -> Markup {
    let errors: Vec<_> = filled.mistakes.of_field(name).collect();
    let chosen = filled.values.text(name);
    let error_id = format!("field-{name}-error");
    html! {
        fieldset.choices id={ "field-" (name) }
            aria-describedby=[(!errors.is_empty()).then_some(&error_id)] {
            legend { (legend) }
            @if !errors.is_empty() { p.error id=(error_id) { (errors.join(" ")) } }
            @for group in groups {
                @if !group.title.is_empty() { h2.group { (group.title) } }
                ul.choice-list {
                    @for choice in &group.choices {
                        @let id = format!("field-{name}-{}", id_of(&choice.value));
                        li id={ (id) "-row" } {
                            label.choice for=(id) {
                                input type="radio" id=(id) name=(name) value=(choice.value)
                                    aria-invalid=[(!errors.is_empty()).then_some("true")]
                                    checked[choice.value == chosen && choice.refusal.is_none()]
                                    disabled[choice.refusal.is_some()];
                                span.card-text {
                                    strong { (choice.title) }
                                    " " span.small { (choice.note) }
                                    @if let Some(why) = &choice.refusal {
                                        " " span.why { "Cannot be chosen: " (why) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_an_id_that_follows_from_its_value_and_a_reason_where_it_is_refused() {
        let choice = |value: &str, refusal: Option<&str>| Choice {
            value: value.to_owned(),
            title: format!("<{value}>"),
            note: html! {},
            refusal: refusal.map(str::to_owned),
        };
        let groups = [Group {
            title: "Europe".to_owned(),
            choices: vec![choice("a b", None), choice("c", Some("it is <full>"))],
        }];
        let filled = Filled::with([("region", "a b")]);
        let shown = choice_groups(&filled, "region", "Region", &groups).0;
        for part in [
            r#"<fieldset class="choices" id="field-region">"#,
            r#"<input type="radio" id="field-region-a~20b" name="region" value="a b" checked>"#,
            r#"value="c" disabled>"#,
            "<strong>&lt;a b&gt;</strong>",
            "Cannot be chosen: it is &lt;full&gt;",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
}
