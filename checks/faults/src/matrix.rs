//! The lines of the fault matrix, and how each is brought about.

use std::fmt;
use std::time::Duration;

use roadstead_harness::Vendor;
use serde_json::{Value, json};

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A server is made.
    Create,
    /// A server is deleted.
    Delete,
    /// A server is given another plan.
    Resize,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Create, Self::Delete, Self::Resize];

    /// Returns its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Resize => "resize",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a line is brought about.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The changing call of every operation is spoiled by a preset of the simulator.
    Aimed {
        /// Its name.
        preset: &'static str,
        /// Its figures.
        members: Value,
    },
    /// The answer of every creating call is lost, and the call has a further effect.
    Lost(Value),
    /// The answer of every changing call is lost, and meanwhile lists lie.
    Lists(&'static str),
    /// The token of the account is in trouble, until an operator enters it again.
    Account(&'static str),
    /// The provider's clock is wrong all the time.
    Clock(&'static str),
    /// The provider does not listen for a time.
    Refused,
    /// The program is pointed elsewhere for a time.
    Endpoint(Endpoint),
    /// The first creating call has its effect while the second is on its way.
    LabelRace,
}

/// A wrong address of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// TLS is spoken to a port that does not.
    Tls,
    /// A name that does not exist.
    Dns,
}

/// A line of the matrix.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is called.
    pub name: String,
    /// How it is brought about.
    pub fault: Fault,
    /// The kinds of operations for which it has a meaning.
    pub kinds: Vec<Kind>,
    /// The providers for which it has.
    pub vendors: Vec<Vendor>,
    /// Whether a second server may come into being where nothing prevents one, if it goes again.
    pub extras: bool,
    /// How long the fault lasts, or until when its effects are sure to have come.
    pub hold: Duration,
}

/// By how much the simulators' own waits are divided.
const TIME_SCALE: u64 = 50;

/// Later than this, in milliseconds before division, is later than the settle window of 3 s.
const WINDOW_MS: u64 = 150_000;

impl Line {
    fn new(name: impl Into<String>, fault: Fault) -> Self {
        Self {
            name: name.into(),
            fault,
            kinds: Kind::ALL.to_vec(),
            vendors: Vendor::ALL.to_vec(),
            extras: false,
            hold: Duration::ZERO,
        }
    }

    fn aimed(preset: &'static str, members: Value) -> Self {
        Self::new(preset, Fault::Aimed { preset, members })
    }

    /// Returns the line for some kinds of operations only.
    #[must_use]
    pub fn of(mut self, kinds: &[Kind]) -> Self {
        self.kinds.retain(|it| kinds.contains(it));
        self
    }

    fn lasting(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// Returns whether a cell of the line has a meaning.
    #[must_use]
    pub fn has(&self, vendor: Vendor, kind: Kind) -> bool {
        let names_nothing = |preset: &str| {
            let answers_an_id = match kind {
                Kind::Create => true,
                Kind::Delete => false,
                Kind::Resize => vendor == Vendor::DigitalOcean,
            };
            preset == "missing-id" && !answers_an_id
        };
        let without_an_id =
            matches!(self.fault, Fault::Aimed { preset, .. } if names_nothing(preset));
        self.vendors.contains(&vendor) && self.kinds.contains(&kind) && !without_an_id
    }

    /// Returns whether a second server may come into being, or a server may be given the same
    /// plan twice: where the provider does not tell a request from its repetition, and it is
    /// executed later than anybody waits for it.
    #[must_use]
    pub fn may_repeat(&self, vendor: Vendor, kind: Kind) -> bool {
        self.extras && kind != Kind::Delete && vendor == Vendor::DigitalOcean
    }
}

/// Returns the matrix, line by line.
#[must_use]
pub fn lines() -> Vec<Line> {
    let mut lines = vec![
        Line::new("refused", Fault::Refused).lasting(Duration::from_secs(3)),
        Line::new("dns", Fault::Endpoint(Endpoint::Dns)).lasting(Duration::from_secs(3)),
        Line::new("tls", Fault::Endpoint(Endpoint::Tls)).lasting(Duration::from_secs(3)),
        Line::aimed("timeout-before", json!({})),
        Line::aimed("timeout-after", json!({})),
    ];
    for seconds in [1, 30, 120] {
        lines.push(late(seconds));
    }
    // Apart, because the looks for what is lost and the sweep share what a provider allows in a
    // minute, which is as short as ever.
    for seconds in [300, 900] {
        lines.push(late(seconds).of(&[Kind::Create]));
        let others = late(seconds).of(&[Kind::Delete, Kind::Resize]);
        lines.push(Line {
            name: format!("{}, to a server", others.name),
            ..others
        });
    }
    for preset in [
        "reset-before",
        "reset-after",
        "500-before",
        "500-after",
        "502-before",
        "502-after",
        "503-before",
        "503-after",
        "504-before",
        "504-after",
        "408-before",
        "408-after",
        "truncated-json",
        "half-json",
        "html-200-before",
        "html-200-after",
        "html-400-before",
        "html-400-after",
        "html-502-before",
        "html-502-after",
        "wrong-type",
        "missing-id",
        "slow-body",
        "huge-body",
        "gzip-bomb",
    ] {
        lines.push(Line::aimed(preset, json!({})));
    }
    for preset in ["duplicate-first", "duplicate-second"] {
        lines.push(Line {
            extras: true,
            ..Line::aimed(preset, json!({}))
        });
    }
    lines.extend([
        Line::aimed("429-seconds", json!({ "seconds": 2, "count": 2 })),
        Line::aimed("429-date", json!({ "seconds": 3, "count": 2 })),
        // Where no time is named, one provider means its window of an hour.
        Line::aimed("429-absent", json!({})).lasting(Duration::from_secs(5)),
        Line::aimed("429-huge", json!({})).lasting(Duration::from_secs(5)),
        Line::aimed("429-negative", json!({ "count": 2 })),
        Line::new("stale-list", Fault::Lists("stale-list")).lasting(Duration::from_secs(8)),
        Line::new("torn-page", Fault::Lists("torn-page")).lasting(Duration::from_secs(8)),
        Line::new("page-2-500", Fault::Lists("page-2-500")).lasting(Duration::from_secs(8)),
        Line::new("unlisted", Fault::Lost(json!({ "unlisted_ms": 120_000 }))).of(&[Kind::Create]),
        Line::new("late-tags", Fault::Lost(json!({ "tags_late_ms": 120_000 }))).of(&[Kind::Create]),
        Line::new("no-tags", Fault::Lost(json!({ "untagged": true }))).of(&[Kind::Create]),
        Line {
            vendors: vec![Vendor::Linode],
            ..Line::new("label-race", Fault::LabelRace).of(&[Kind::Create])
        },
        Line::aimed("accepted-then-gone", json!({})).of(&[Kind::Create]),
        Line::aimed("accepted-then-failed", json!({})).of(&[Kind::Delete, Kind::Resize]),
        Line::aimed("401", json!({})).lasting(Duration::from_secs(3)),
        Line::aimed("403", json!({})).lasting(Duration::from_secs(3)),
        Line::new("token-revoked", Fault::Account("token-revoked")).lasting(Duration::from_secs(6)),
        Line::new("token-forbidden", Fault::Account("token-forbidden"))
            .lasting(Duration::from_secs(6)),
        Line::new("narrowed-scope", Fault::Account("narrowed-scope"))
            .lasting(Duration::from_secs(6)),
        Line::new("foreign-token", Fault::Account("foreign-token")).lasting(Duration::from_secs(6)),
        Line::new("clock-ahead", Fault::Clock("clock-ahead")),
        Line::new("clock-behind", Fault::Clock("clock-behind")),
        Line::aimed("redirect", json!({})),
    ]);
    lines
}

/// The lines that are not played here, and why.
pub(crate) const ELSEWHERE: [(&str, &str); 3] = [
    (
        "database",
        "connections cut, pool exhausted, restart: in the tests of the server and of the repository",
    ),
    ("Redis", "not built yet"),
    ("two workers, one paused", "in `cargo xtask crash` (C12)"),
];

fn late(seconds: u64) -> Line {
    let ms = seconds.saturating_mul(1000);
    let real = Duration::from_millis(ms / TIME_SCALE);
    Line {
        name: format!("late-commit +{seconds} s"),
        extras: ms > WINDOW_MS,
        hold: real.saturating_add(Duration::from_secs(1)),
        ..Line::aimed("late-commit", json!({ "ms": ms }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_of_the_simulator_is_in_the_matrix() {
        let lines = lines();
        let is_played = |preset: &str| {
            lines.iter().any(|line| match &line.fault {
                Fault::Aimed { preset: it, .. }
                | Fault::Lists(it)
                | Fault::Account(it)
                | Fault::Clock(it) => *it == preset,
                _ => line.name == preset,
            })
        };
        for preset in roadstead_sim::presets() {
            assert!(is_played(preset.name), "{} is not played", preset.name);
        }
    }

    #[test]
    fn no_two_lines_have_one_name() {
        let mut names: Vec<String> = lines().into_iter().map(|it| it.name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
