//! How many calls a provider takes, and who goes first when they run short.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whose work a call is. When calls run short, those of the lower lanes stop first.
///
/// Whatever changes something goes in [`Self::Mutate`] by itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Nobody waits for it: polls, sweeps, renewing what is cached.
    Background,
    /// Somebody waits for it.
    #[default]
    People,
    /// A change, and the reads without which it cannot be made.
    Mutate,
}

impl Lane {
    /// Every lane, from the one that stops first.
    pub const ALL: [Self; 3] = [Self::Background, Self::People, Self::Mutate];
}

/// What is left of the calls that a vendor counts together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateBucket {
    /// Which calls: unique within an account.
    pub name: Cow<'static, str>,
    /// How many calls a window allows; `None` where neither the vendor's documentation nor an
    /// answer tells.
    pub limit: Option<u64>,
    /// Who says so.
    pub limit_by: LimitSource,
    /// How long a window is.
    #[serde(rename = "window_seconds", with = "crate::descriptor::seconds")]
    pub window: Duration,
    /// How many calls are left now, those under way counted as made; `None` without a limit.
    pub left: Option<u64>,
    /// How many calls are under way.
    pub in_flight: u64,
    /// How many calls wait for their turn.
    pub waiting: u64,
    /// What is kept back from whom.
    pub reserve: Reserve,
    /// When more calls will be left; `None` while none was made.
    pub resets_at: Option<Timestamp>,
    /// Until when nothing is sent, where the vendor has asked for that.
    pub closed_until: Option<Timestamp>,
    /// When the vendor spoke of this bucket last; `None` before its first word, and where its
    /// answers never speak of it.
    pub as_of: Option<Timestamp>,
}

/// Who tells a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitSource {
    /// The vendor's documentation, or a setting.
    Assumed,
    /// The vendor's own answers.
    Stated,
}

/// How few calls may be left before a lane stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// At so many left, background work stops.
    pub background: u64,
    /// At so many left, what people read stops.
    pub people: u64,
    /// At so many left, changes stop too: we keep below the vendor's limit.
    pub mutate: u64,
}

impl Reserve {
    /// Returns at how many calls left a lane stops.
    #[must_use]
    pub const fn of(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Background => self.background,
            Lane::People => self.people,
            Lane::Mutate => self.mutate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_ordered_by_who_goes_first() {
        assert!(Lane::Mutate > Lane::People && Lane::People > Lane::Background);
        assert_eq!(Lane::default(), Lane::People);
        assert!(Lane::ALL.is_sorted());
    }

    #[test]
    fn a_bucket_says_its_units_and_is_read_back() {
        let bucket = RateBucket {
            name: "create".into(),
            limit: Some(20),
            limit_by: LimitSource::Stated,
            window: Duration::from_secs(15),
            left: Some(18),
            in_flight: 1,
            waiting: 0,
            reserve: Reserve::default(),
            resets_at: None,
            closed_until: None,
            as_of: None,
        };
        let json = serde_json::to_value(&bucket).unwrap();
        assert_eq!(
            (&json["window_seconds"], &json["limit_by"]),
            (&15.into(), &"stated".into())
        );
        assert_eq!(serde_json::from_value::<RateBucket>(json).unwrap(), bucket);
    }
}
