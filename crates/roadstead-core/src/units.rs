//! Sizes and rates whose unit is part of the type.

use serde::{Deserialize, Serialize};

/// Mebibytes, of memory or of disk.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MiB(pub u64);

impl MiB {
    /// Converts from gibibytes; saturates instead of overflowing.
    #[must_use]
    pub const fn from_gib(gib: u64) -> Self {
        Self(gib.saturating_mul(1024))
    }

    /// Returns whole gibibytes, rounded down.
    #[must_use]
    pub const fn whole_gib(self) -> u64 {
        self.0 / 1024
    }
}

/// Decimal gigabytes of outgoing transfer that a plan includes each month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GbPerMonth(pub u64);

/// Megabits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mbps(pub u32);
