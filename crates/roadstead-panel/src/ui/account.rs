//! How an account at a provider has been doing.

use std::borrow::Cow;
use std::time::Duration;

use maud::{Markup, html};
use roadstead_core::RateBucket;
use roadstead_service::{
    AccountHealth, CallClass, CatalogueKind, CircuitState, CircuitStatus, LastCall, Verification,
};

use super::age::words;
use super::{Column, ago, table, time};
use crate::form::Values;
use crate::visitor::Visitor;

/// Says what the provider last said to an account's token.
pub(crate) fn verification(visitor: &Visitor, verification: &Verification) -> Markup {
    html! {
        @match verification {
            Verification::Verified { at } => { "Token checked " (ago(visitor, *at)) },
            Verification::Unverified { reason: None } => "Token not checked yet",
            Verification::Unverified { reason: Some(why) } => { "Token not checked yet: " (why) },
            Verification::Refused { reason, at } => {
                "Token refused " (ago(visitor, *at)) ": " (reason)
            },
        }
    }
}

/// Says when the provider last answered, and how fast; or that it did not.
pub(crate) fn last_answer(visitor: &Visitor, last: Option<LastCall>) -> Markup {
    html! {
        @match last {
            None => span.unknown { "not asked yet" },
            Some(it) if is_answer(it.outcome) => {
                (ago(visitor, it.at)) ", in " (took(it.took))
                @if it.outcome != "ok" { " (" (spaced(it.outcome)) ")" }
            },
            Some(it) => { "none " (ago(visitor, it.at)) " (" (spaced(it.outcome)) ")" },
        }
    }
}

/// Returns whether a call that ended so was answered, be it by a refusal.
fn is_answer(outcome: &str) -> bool {
    !matches!(
        outcome,
        "timeout" | "transport" | "outcome_unknown" | "cut_off"
    )
}

/// Says which calls are held back, and until when.
pub(crate) fn circuits(visitor: &Visitor, circuits: &[CircuitStatus]) -> Markup {
    let shut = circuits
        .iter()
        .filter(|it| it.state != CircuitState::Closed);
    let mut shut = shut.peekable();
    html! {
        @if shut.peek().is_none() {
            "all are sent"
        } @else {
            ul.plain {
                @for it in shut {
                    li {
                        (class_word(it.class)) " held back after " (it.failures) " failures"
                        @match it.until {
                            Some(until) => { "; the next is tried at " (time(visitor, until)) },
                            None => "; one is being tried",
                        }
                    }
                }
            }
        }
    }
}

const fn class_word(class: CallClass) -> &'static str {
    match class {
        CallClass::Read => "reads",
        CallClass::Mutate => "changes",
        CallClass::Background => "reads that nobody waits for",
    }
}

/// Says how old what is kept of each catalogue is.
pub(crate) fn catalogue_ages(health: &AccountHealth) -> Markup {
    html! {
        ul.plain {
            @for (kind, age) in &health.catalogues {
                li { (super::age(catalogue_word(*kind), *age)) }
            }
        }
    }
}

/// Returns the name of a catalogue for people.
pub(crate) const fn catalogue_word(kind: CatalogueKind) -> &'static str {
    match kind {
        CatalogueKind::Plans => "Plans",
        CatalogueKind::Images => "Images",
        CatalogueKind::Regions => "Regions",
        CatalogueKind::Marketplace => "Applications",
    }
}

/// Says how many calls are left where they are scarcest.
pub(crate) fn calls_left(buckets: &[RateBucket]) -> Markup {
    html! {
        @match scarcest(buckets) {
            None => span.unknown { "not known" },
            Some((left, limit, window)) => { (left) " of " (limit) " in " (words(window)) },
        }
    }
}

/// Returns the part of a window's calls that is left, where that is the smallest.
fn scarcest(buckets: &[RateBucket]) -> Option<(u64, u64, Duration)> {
    let counted = buckets
        .iter()
        .filter_map(|it| Some((it.left?, it.limit?, it.window)));
    counted.min_by(|(left, limit, _), (other, others, _)| {
        let share = u128::from(*left) * u128::from(*others);
        share.cmp(&(u128::from(*other) * u128::from(*limit)))
    })
}

const BUCKETS: [Column<'static>; 4] = [
    Column::new("Calls"),
    Column::new("Left").class("number"),
    Column::new("More"),
    Column::new("Under way"),
];

/// Shows how many calls are left of all that the provider counts.
pub(crate) fn calls(visitor: &Visitor, buckets: &[RateBucket]) -> Markup {
    html! {
        @if buckets.is_empty() {
            p { "Nothing is known of a limit." }
        } @else {
            (table("Calls left", &BUCKETS, html! {
                @for it in buckets { (bucket(visitor, it)) }
            }, "", &Values::default(), ""))
        }
    }
}

fn bucket(visitor: &Visitor, it: &RateBucket) -> Markup {
    html! {
        tr {
            th scope="row" { (spaced(&it.name)) div.small { "in " (words(it.window)) } }
            td.number {
                @match (it.left, it.limit) {
                    (Some(left), Some(limit)) => { (left) " of " (limit) },
                    _ => span.unknown { "no limit known" },
                }
            }
            td {
                @match (it.closed_until, it.resets_at) {
                    (Some(until), _) => { "none before " (time(visitor, until)) },
                    (None, Some(at)) if at > visitor.now => { "at " (time(visitor, at)) },
                    _ => span.unknown { "as they come" },
                }
            }
            td { (it.in_flight) @if it.waiting > 0 { ", and " (it.waiting) " wait" } }
        }
    }
}

/// Says how long a call took.
pub(crate) fn took(length: Duration) -> String {
    match length.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

/// Makes words of a name for programs.
pub(crate) fn spaced(name: &str) -> Cow<'_, str> {
    if name.contains('_') {
        Cow::Owned(name.replace('_', " "))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use roadstead_core::{LimitSource, Reserve};

    use super::*;

    fn bucket(left: u64, limit: u64) -> RateBucket {
        RateBucket {
            name: "per_hour".into(),
            limit: Some(limit),
            limit_by: LimitSource::Stated,
            window: Duration::from_hours(1),
            left: Some(left),
            in_flight: 0,
            waiting: 0,
            reserve: Reserve::default(),
            resets_at: None,
            closed_until: None,
            as_of: None,
        }
    }

    #[test]
    fn the_scarcest_calls_are_said() {
        let mut unknown = bucket(0, 1);
        unknown.limit = None;
        let buckets = [bucket(100, 250), unknown, bucket(1500, 5000)];
        assert_eq!(calls_left(&buckets).0, "1500 of 5000 in 1 h");
        assert!(calls_left(&[]).0.contains("not known"));
    }

    #[test]
    fn a_refusal_is_an_answer_and_silence_is_none() {
        assert!(is_answer("ok") && is_answer("no_such_instance") && is_answer("server"));
        assert!(!is_answer("timeout") && !is_answer("transport"));
    }

    #[test]
    fn short_and_long_calls_are_said() {
        for (millis, said) in [
            (7, "7 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (12_345, "12.3 s"),
        ] {
            assert_eq!(took(Duration::from_millis(millis)), said);
        }
    }

    #[test]
    fn a_name_for_programs_becomes_words() {
        assert_eq!(spaced("per_hour"), "per hour");
    }
}
