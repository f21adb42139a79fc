//! Times in the visitor's zone.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use super::age::words;
use crate::visitor::Visitor;

/// Says when that was: "25 Nov 2026, 14:03 UTC".
pub(crate) fn time(visitor: &Visitor, time: Timestamp) -> Markup {
    let there = time.to_zoned(visitor.preferences.zone.clone());
    let said = there.strftime("%-d %b %Y, %H:%M %Z").to_string();
    html! { time datetime=(time) { (said) } }
}

/// Says how long ago that was.
pub(crate) fn ago(visitor: &Visitor, time: Timestamp) -> Markup {
    let length = visitor.now.duration_since(time);
    let length = Duration::try_from(length).unwrap_or_default();
    html! {
        time datetime=(time) {
            @if length < Duration::from_secs(2) { "just now" } @else { (words(length)) " ago" }
        }
    }
}
