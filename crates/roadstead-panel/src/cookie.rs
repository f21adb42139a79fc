//! The cookies: who is logged in, and what somebody likes.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use jiff::tz::TimeZone;
use roadstead_core::{OrgId, Secret};

use crate::Transport;

/// What somebody likes is kept for a year.
const KEPT: Duration = Duration::days(365);

/// The cookies of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The token of the session.
    Session,
    /// Which organization is looked at.
    Organization,
    /// How the pages look.
    Theme,
    /// In which time zone times are shown.
    Zone,
    /// Whether pages renew themselves.
    Live,
    /// What was just done, told once.
    Done,
}

impl Kept {
    /// Returns its name. A browser takes a `__Host-` cookie from https only, for this host alone.
    pub(crate) const fn name(self, transport: Transport) -> &'static str {
        match (self, transport) {
            (Self::Session, Transport::Https) => "__Host-roadstead_session",
            (Self::Session, Transport::Loopback) => "roadstead_session",
            (Self::Organization, _) => "roadstead_organization",
            (Self::Theme, _) => "roadstead_theme",
            (Self::Zone, _) => "roadstead_zone",
            (Self::Live, _) => "roadstead_live",
            (Self::Done, _) => "roadstead_done",
        }
    }

    /// Reads it.
    pub(crate) fn read(self, request: &HttpRequest, transport: Transport) -> Option<String> {
        let cookie = request.cookie(self.name(transport))?;
        Some(cookie.value().to_owned())
    }

    /// Makes it.
    pub(crate) fn make(self, transport: Transport, value: String) -> Cookie<'static> {
        let mut cookie = Cookie::new(self.name(transport), value);
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_secure(transport == Transport::Https);
        cookie.set_same_site(SameSite::Lax);
        match self {
            // Until the browser is closed; the session itself ends sooner or later on our side.
            Self::Session | Self::Done => {}
            Self::Organization | Self::Theme | Self::Zone | Self::Live => {
                cookie.set_max_age(KEPT);
            }
        }
        cookie
    }

    /// Makes the cookie of a session.
    pub(crate) fn session(transport: Transport, token: &Secret<String>) -> Cookie<'static> {
        Self::Session.make(transport, token.expose().clone())
    }

    /// Has the browser forget it.
    pub(crate) fn forget(self, transport: Transport) -> Cookie<'static> {
        let mut cookie = self.make(transport, String::new());
        cookie.make_removal();
        cookie
    }
}

/// How the pages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the browser says.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Every theme.
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// Returns the word in the cookie.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the word in the cookie.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// What somebody likes.
#[derive(Clone, Debug)]
pub(crate) struct Preferences {
    /// How the pages look.
    pub(crate) theme: Theme,
    /// In which time zone times are shown.
    pub(crate) zone: TimeZone,
    /// Whether pages renew themselves.
    pub(crate) live: bool,
    /// Which organization is looked at, if one was chosen.
    pub(crate) organization: Option<OrgId>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::Auto,
            zone: TimeZone::UTC,
            live: true,
            organization: None,
        }
    }
}

impl Preferences {
    /// Reads them; what makes no sense counts as not said.
    pub(crate) fn read(request: &HttpRequest, transport: Transport) -> Self {
        let word = |kept: Kept| kept.read(request, transport);
        Self {
            theme: word(Kept::Theme)
                .and_then(|it| Theme::from_word(&it))
                .unwrap_or_default(),
            zone: word(Kept::Zone)
                .and_then(|it| zone(&it))
                .unwrap_or(TimeZone::UTC),
            live: word(Kept::Live).as_deref() != Some("off"),
            organization: word(Kept::Organization).and_then(|it| it.parse().ok()),
        }
    }
}

/// Reads the IANA name of a time zone.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_the_session_is_bound_to_the_host() {
        let cookie = Kept::session(Transport::Https, &Secret::from("rs_x"));
        assert_eq!(
            cookie.to_string(),
            "__Host-roadstead_session=rs_x; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
    }

    #[test]
    fn on_loopback_it_is_neither_prefixed_nor_secure() {
        let cookie = Kept::session(Transport::Loopback, &Secret::from("rs_x"));
        assert_eq!(
            cookie.to_string(),
            "roadstead_session=rs_x; HttpOnly; SameSite=Lax; Path=/"
        );
    }

    #[test]
    fn a_forgotten_cookie_is_forgotten_where_it_was_set() {
        let cookie = Kept::Session.forget(Transport::Https).to_string();
        assert!(cookie.starts_with("__Host-roadstead_session=;"), "{cookie}");
        for part in ["Max-Age=0", "Path=/", "Secure"] {
            assert!(cookie.contains(part), "{cookie}");
        }
    }
}
