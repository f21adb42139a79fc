//! How old something is that was not just asked for.

use std::time::Duration;

use maud::{Markup, html};

/// Says how old something is: "Prices 38 min old".
pub(crate) fn age(what: &str, age: Option<Duration>) -> Markup {
    html! {
        span.age {
            (what) " "
            @match age {
                Some(age) => { (words(age)) " old" }
                None => "not asked yet"
            }
        }
    }
}

/// Says a length of time in its largest unit.
pub(crate) fn words(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_is_said() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (2_280, "38 min"),
            (3_600, "1 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn what_was_never_asked_has_no_age() {
        assert_eq!(
            age("Prices", Some(Duration::from_mins(38))).0,
            r#"<span class="age">Prices 38 min old</span>"#
        );
        assert_eq!(
            age("Prices", None).0,
            r#"<span class="age">Prices not asked yet</span>"#
        );
    }
}
