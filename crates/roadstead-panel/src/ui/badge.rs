//! Small signs with a word: what a server is doing, and how a provider is.

use maud::{Markup, html};
use roadstead_service::{AccountHealth, Verification};

/// Shows the public status of a server.
pub(crate) fn status_badge(status: &str) -> Markup {
    let (tone, word) = shown(status);
    html! { span class={ "badge " (tone) } { (word) } }
}

/// Returns whether a status will soon be another one by itself.
pub(crate) fn is_passing(status: &str) -> bool {
    shown(status).0 == "busy"
}

/// Returns the word for people.
pub(crate) fn status_word(status: &str) -> &str {
    shown(status).1
}

fn shown(status: &str) -> (&'static str, &str) {
    match status {
        "provisioning" => ("busy", "Being created"),
        "starting" => ("busy", "Starting"),
        "running" => ("ok", "Running"),
        "stopping" => ("busy", "Stopping"),
        "stopped" => ("quiet", "Stopped"),
        "rebooting" => ("busy", "Rebooting"),
        "rebuilding" => ("busy", "Rebuilding"),
        "resizing" => ("busy", "Resizing"),
        "migrating" => ("busy", "Moving"),
        "suspended" => ("warn", "Suspended"),
        "deleting" => ("busy", "Being deleted"),
        "deleted" => ("quiet", "Deleted"),
        "error" => ("danger", "Broken"),
        "failed" => ("danger", "Failed"),
        "missing" => ("danger", "Missing"),
        "attention" => ("warn", "Needs attention"),
        "unknown" => ("warn", "Unknown"),
        other => ("quiet", other),
    }
}

/// How a provider account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answers.
    Answers,
    /// It fails again and again.
    Troubled,
    /// It refuses the account's token.
    Refused,
    /// The operator has switched it off.
    Off,
    /// It was not asked yet.
    Unknown,
}

impl Health {
    /// Every state, for the style guide.
    #[cfg(debug_assertions)]
    pub(crate) const ALL: [Self; 5] = [
        Self::Answers,
        Self::Troubled,
        Self::Refused,
        Self::Off,
        Self::Unknown,
    ];

    /// Judges by what is on record and by what this process has seen.
    pub(crate) fn of(active: bool, verification: &Verification, seen: &AccountHealth) -> Self {
        if !active {
            return Self::Off;
        }
        if matches!(verification, Verification::Refused { .. }) {
            return Self::Refused;
        }
        if seen.is_troubled() {
            return Self::Troubled;
        }
        match seen.last_call {
            Some(_) => Self::Answers,
            None => Self::Unknown,
        }
    }
}

/// Shows how a provider account is.
pub(crate) fn health_badge(health: Health) -> Markup {
    let (tone, word) = match health {
        Health::Answers => ("ok", "Answers"),
        Health::Troubled => ("warn", "Not answering"),
        Health::Refused => ("danger", "Token refused"),
        Health::Off => ("quiet", "Switched off"),
        Health::Unknown => ("quiet", "Not asked yet"),
    };
    html! { span class={ "badge " (tone) } { (word) } }
}

#[cfg(test)]
mod tests {
    use roadstead_core::State;
    use roadstead_service::Lifecycle;

    use super::*;

    #[test]
    fn every_status_has_a_word_of_its_own() {
        let states = State::ALL.map(State::as_str).into_iter();
        let lives = Lifecycle::ALL
            .map(|it| it.shown(State::Running))
            .into_iter();
        for status in states.chain(lives) {
            assert_ne!(status_word(status), status);
        }
    }

    #[test]
    fn a_strange_word_is_shown_and_is_no_markup() {
        assert_eq!(
            status_badge("<b>").0,
            r#"<span class="badge quiet">&lt;b&gt;</span>"#
        );
    }

    #[test]
    fn a_refused_token_counts_before_anything_that_was_seen() {
        let refused = Verification::Refused {
            reason: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let seen = AccountHealth::default();
        assert_eq!(Health::of(true, &refused, &seen), Health::Refused);
        assert_eq!(Health::of(false, &refused, &seen), Health::Off);
        let unverified = Verification::Unverified { reason: None };
        assert_eq!(Health::of(true, &unverified, &seen), Health::Unknown);
    }
}
