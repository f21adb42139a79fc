//! Named places at which a build for tests can be made to die, and rules that it can be made to
//! break, so that the checks of durability have something to find.
//!
//! All of it exists only with the feature `crash-points`, which no build for use has.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What an operation passes on its way, each for every kind of operation: `create.t2_after`.
const STEPS: [&str; 30] = [
    // The acceptance: everything written, the COMMIT not sent; the COMMIT answered.
    "t1_before",
    "t1_after",
    // The claim, likewise.
    "claim_before",
    "claimed",
    // The attempt on record, likewise.
    "t2_before",
    "t2_after",
    // The write that says what became of an attempt, likewise.
    "t3_before",
    "t3_after",
    // The write of a look that counts as empty, likewise.
    "count_before",
    "count_after",
    // The write that ends the operation, likewise.
    "end_before",
    "end_after",
    // Each call: decided on; answered, before anything is written; written.
    "send_before",
    "send_after",
    "send_written",
    "look_before",
    "look_after",
    "look_written",
    "get_before",
    "get_after",
    "get_written",
    "finish_before",
    "finish_after",
    "finish_written",
    "ask_before",
    "ask_after",
    "ask_written",
    "confirm_before",
    "confirm_after",
    "confirm_written",
];

/// What the sweeper passes.
const SWEEP: [&str; 6] = [
    // Everything is listed; our books are not read.
    "sweep.listed",
    // A server is to be doomed: before, and once it is on record.
    "sweep.doom_before",
    "sweep.doom_after",
    // A doomed server is about to be deleted; the vendor took it; it is on record.
    "sweep.delete_before",
    "sweep.delete_after",
    "sweep.delete_written",
];

/// Where to die, at which pass, and how.
#[derive(Debug)]
pub struct CrashAt {
    name: String,
    pass: u32,
    pause: Option<Duration>,
}

impl FromStr for CrashAt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "must be a crash point such as `create.t2_after`, the number of the \
            pass after a colon where it is not the first, and `:pause=MILLISECONDS` to wait \
            there instead of dying";
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let is_step = |(kind, step): (&str, &str)| {
            let word = |it: char| it.is_ascii_lowercase() || it == '_';
            !kind.is_empty() && kind.chars().all(word) && STEPS.contains(&step)
        };
        if !SWEEP.contains(&name) && !name.split_once('.').is_some_and(is_step) {
            return Err(RULE);
        }
        let (mut pass, mut pause) = (1, None);
        for part in parts {
            match part.strip_prefix("pause=") {
                Some(millis) => {
                    let millis = millis.parse().map_err(|_error| RULE)?;
                    pause = Some(Duration::from_millis(millis));
                }
                None => pass = part.parse().map_err(|_error| RULE)?,
            }
        }
        if pass == 0 {
            return Err(RULE);
        }
        Ok(Self {
            name: name.to_owned(),
            pass,
            pause,
        })
    }
}

struct Armed {
    at: CrashAt,
    passed: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Makes this process die at a point. Of several calls the first counts.
pub fn arm(at: CrashAt) {
    ARMED.get_or_init(|| Armed {
        at,
        passed: AtomicU32::new(0),
    });
}

/// Passes a point by its whole name.
pub fn pass(name: &str) {
    if let Some(armed) = ARMED.get()
        && armed.at.name == name
    {
        armed.reach();
    }
}

/// Passes a point of an operation.
pub fn pass_step(kind: &str, step: &str) {
    if let Some(armed) = ARMED.get()
        && armed.at.name.split_once('.') == Some((kind, step))
    {
        armed.reach();
    }
}

impl Armed {
    fn reach(&self) {
        let passed = self.passed.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if passed != self.at.pass {
            return;
        }
        eprintln!("crash point `{}` reached, pass {passed}", self.at.name);
        match self.at.pause {
            // The whole thread: whoever stops the process now finds it exactly here.
            Some(pause) => std::thread::sleep(pause),
            // As by SIGKILL: nothing is flushed, nothing is dropped, no other thread goes on.
            None => std::process::abort(),
        }
    }
}

/// A rule that is broken on purpose, to see that a check notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The engine fails every operation.
    FailsEverything,
    /// The engine leaves every operation to a person.
    ParksEverything,
    /// Nobody asks whose account a token opens before an absence is believed.
    IgnoresFingerprints,
}

impl Mutant {
    const ALL: [Self; 3] = [
        Self::FailsEverything,
        Self::ParksEverything,
        Self::IgnoresFingerprints,
    ];

    /// Returns its word in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailsEverything => "fails_everything",
            Self::ParksEverything => "parks_everything",
            Self::IgnoresFingerprints => "ignores_fingerprints",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mutant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or("must be `fails_everything`, `parks_everything` or `ignores_fingerprints`")
    }
}

static MUTANT: OnceLock<Mutant> = OnceLock::new();

/// Breaks a rule in this process. Of several calls the first counts.
pub fn mutate(mutant: Mutant) {
    MUTANT.get_or_init(|| mutant);
}

/// Returns whether a rule is broken in this process.
#[must_use]
pub fn is_mutant(mutant: Mutant) -> bool {
    MUTANT.get() == Some(&mutant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_a_name_that_is_known_and_a_pass() {
        let at: CrashAt = "create.t2_after".parse().unwrap();
        assert_eq!((at.pass, at.pause), (1, None));
        let at: CrashAt = "power_off.send_before:3:pause=250".parse().unwrap();
        assert_eq!((at.pass, at.pause), (3, Some(Duration::from_millis(250))));
        assert!("sweep.listed:2".parse::<CrashAt>().is_ok());
        for wrong in [
            "",
            "create",
            "create.t4_after",
            ".t2_after",
            "Create.t2_after",
            "sweep.t9",
            "create.t2_after:0",
            "create.t2_after:x",
            "create.t2_after:pause=soon",
        ] {
            assert!(wrong.parse::<CrashAt>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_armed_is_passed() {
        pass("sweep.listed");
        pass_step("create", "t2_after");
        assert!(!is_mutant(Mutant::FailsEverything));
    }

    #[test]
    fn every_mutant_has_its_word() {
        for mutant in Mutant::ALL {
            assert_eq!(mutant.as_str().parse(), Ok(mutant));
        }
        assert!("none".parse::<Mutant>().is_err());
    }
}
