//! Where to go after a log-in: to a page of the panel, and never anywhere else.

use url::{Url, form_urlencoded};

/// Returns the address of the log-in that leads back to a page.
pub(crate) fn login(back: &str) -> String {
    with_next("/login", back)
}

/// Returns an address with the page to go on to.
pub(crate) fn with_next(path: &str, next: &str) -> String {
    if next == "/" {
        return path.to_owned();
    }
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{path}?next={next}")
}

/// Returns where somebody is sent on to: path and query of the wish, if it is a page here.
pub(crate) fn safe(wish: Option<&str>) -> String {
    wish.and_then(own).unwrap_or_else(|| "/".to_owned())
}

/// Browsers drop tabs and line breaks, and take a backslash for a slash: `/\t/evil.example` and
/// `/\evil.example` lead away. So the wish is read as they read it, and must not move the host.
fn own(wish: &str) -> Option<String> {
    if !wish.starts_with('/') || wish.contains(|it: char| it.is_control() || it == '\\') {
        return None;
    }
    let here = Url::parse("http://panel.invalid/").ok()?;
    let there = here.join(wish).ok()?;
    if there.origin() != here.origin() || !there.username().is_empty() {
        return None;
    }
    let path = there.path();
    // `/.//evil.example` has become `//evil.example`.
    if path.starts_with("//") || path == "/login" || path == "/api" || path.starts_with("/api/") {
        return None;
    }
    Some(match there.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_panel_are_gone_to() {
        for page in ["/", "/servers/1", "/?status=running&label=a%2Fb"] {
            assert_eq!(safe(Some(page)), page);
        }
        assert_eq!(safe(Some("/compare#top")), "/compare");
        assert_eq!(safe(None), "/");
    }

    #[test]
    fn nobody_is_sent_away() {
        for away in [
            "",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/.//evil.example",
            "/x/..//evil.example",
            "javascript:alert(1)",
            "///evil.example",
            "evil.example",
            "/login?next=/login",
            "/api/vps",
        ] {
            assert_eq!(safe(Some(away)), "/", "{away:?}");
        }
    }

    #[test]
    fn the_page_survives_the_round_trip() {
        let login = login("/?label=a&b=c d");
        let query = login.split_once('?').unwrap().1;
        let (_, next) = form_urlencoded::parse(query.as_bytes()).next().unwrap();
        assert_eq!(next, "/?label=a&b=c d");
        assert_eq!(super::login("/"), "/login");
    }
}
