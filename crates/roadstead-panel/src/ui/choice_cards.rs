//! One of several, as cards.

use maud::{Markup, html};

use super::sentence;
use crate::form::Filled;

/// One of several things to choose.
#[derive(Debug)]
pub(crate) struct Card<'a> {
    /// What is sent.
    pub(crate) value: &'a str,
    /// Its name.
    pub(crate) title: &'a str,
    /// What it is.
    pub(crate) body: Markup,
    /// Why it cannot be chosen, where it cannot.
    pub(crate) refusal: Option<&'a str>,
}

/// Offers one of several things. What cannot be chosen says why, as clearly as the rest.
pub(crate) fn choice_cards(
    filled: &Filled,
    name: &str,
    legend: &str,
    cards: &[Card<'_>],
) -> Markup {
    let errors: Vec<_> = filled.mistakes.of_field(name).map(sentence).collect();
    let chosen = filled.values.text(name);
    let error_id = format!("field-{name}-error");
    let first = cards.iter().position(|it| it.refusal.is_none());
    html! {
        fieldset.choices aria-describedby=[(!errors.is_empty()).then_some(&error_id)] {
            legend { (legend) }
            @if !errors.is_empty() {
                p.error id=(error_id) { (errors.join(" ")) }
            }
            div.cards {
                @for (number, card) in cards.iter().enumerate() {
                    @let id = if Some(number) == first {
                        format!("field-{name}")
                    } else {
                        format!("field-{name}-{number}")
                    };
                    label.card for=(id) {
                        input type="radio" id=(id) name=(name) value=(card.value)
                            aria-invalid=[(!errors.is_empty()).then_some("true")]
                            checked[card.value == chosen && card.refusal.is_none()]
                            disabled[card.refusal.is_some()];
                        span.card-text {
                            strong { (card.title) }
                            " " (card.body)
                            @if let Some(why) = card.refusal {
                                " " span.why { "Cannot be chosen: " (why) }
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
    use maud::PreEscaped;

    use super::*;

    fn card<'a>(value: &'a str, refusal: Option<&'a str>) -> Card<'a> {
        Card {
            value,
            title: value,
            body: PreEscaped(String::new()),
            refusal,
        }
    }

    #[test]
    fn what_cannot_be_chosen_says_why() {
        let filled = Filled::with([("place", "b")]);
        let cards = [card("a", Some("it is <closed>")), card("b", None)];
        let shown = choice_cards(&filled, "place", "Where?", &cards).0;
        assert!(
            shown.contains("Cannot be chosen: it is &lt;closed&gt;"),
            "{shown}"
        );
        assert!(shown.contains(r#"value="a" disabled"#), "{shown}");
        // The first that can be chosen is where a mistake leads to.
        assert!(
            shown.contains(r#"id="field-place" name="place" value="b" checked"#),
            "{shown}"
        );
    }
}
