//! OAuth scopes: what a token may do, and what this crate needs.

/// What this crate needs, as Linode spells it.
const NEEDED: [&str; 5] = [
    "account:read_only",
    "events:read_only",
    "images:read_only",
    "linodes:read_write",
    "stackscripts:read_only",
];

/// Returns the needed scopes that a token lacks. `own` is the header `X-OAuth-Scopes`; without
/// it nothing is known to be missing.
pub(crate) fn missing(own: Option<&str>) -> Vec<Box<str>> {
    let Some(own) = known(own) else {
        return Vec::new();
    };
    NEEDED
        .into_iter()
        .filter(|it| !covers(own, it))
        .map(Into::into)
        .collect()
}

/// Returns what the header `X-OAuth-Scopes` says; `None` when it says that it does not know.
pub(crate) fn known(header: Option<&str>) -> Option<&str> {
    header.filter(|it| it.trim() != "unknown")
}

/// Returns whether a token with the scopes `own` may do what `needed` allows.
pub(crate) fn covers(own: &str, needed: &str) -> bool {
    let (area, access) = needed.split_once(':').unwrap_or((needed, ""));
    words(own).any(|it| match it.split_once(':') {
        None => it == "*",
        Some((of, kind)) => of == area && (kind == access || kind == "*" || kind == "read_write"),
    })
}

/// Returns the scope to name for a refusal: what the vendor says it would have accepted, if
/// that is one scope, and else what we know that the call needs.
pub(crate) fn accepted<'a>(header: Option<&'a str>, known: &'a str) -> &'a str {
    let Some(header) = header else {
        return known;
    };
    let mut named = words(header).filter(|it| is_scope(it));
    match (named.next(), named.next()) {
        (Some(only), None) => only,
        _ => known,
    }
}

fn words(header: &str) -> impl Iterator<Item = &str> {
    header
        .split([' ', ','])
        .map(str::trim)
        .filter(|it| !it.is_empty())
}

/// A header may hold anything, and what is named is shown.
fn is_scope(word: &str) -> bool {
    let letters =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    word.len() <= 64
        && word
            .split_once(':')
            .is_some_and(|(area, access)| letters(area) && letters(access))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_covers_reading_and_a_star_covers_all() {
        assert!(covers("*", "linodes:read_write"));
        assert!(covers("linodes:read_write", "linodes:read_only"));
        assert!(covers("images:read_only,linodes:*", "linodes:read_write"));
        assert!(!covers("linodes:read_only", "linodes:read_write"));
        assert!(!covers("", "linodes:read_only"));
    }

    #[test]
    fn what_a_token_lacks_is_named_and_silence_is_no_lack() {
        assert!(missing(None).is_empty());
        assert!(missing(Some("unknown")).is_empty());
        assert!(missing(Some("*")).is_empty());
        let reader = "account:read_only events:read_only images:read_only linodes:read_only";
        assert_eq!(
            missing(Some(reader)),
            ["linodes:read_write".into(), "stackscripts:read_only".into()]
        );
    }

    #[test]
    fn only_a_scope_is_taken_from_the_header() {
        let known = "linodes:read_only";
        assert_eq!(accepted(None, known), known);
        assert_eq!(
            accepted(Some("linodes:read_write"), known),
            "linodes:read_write"
        );
        for odd in ["", "*", "hunter2", "a:b c:d", "<b>:x"] {
            assert_eq!(accepted(Some(odd), known), known, "{odd}");
        }
    }
}
