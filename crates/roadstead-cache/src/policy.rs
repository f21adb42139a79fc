//! What is kept, and for how long.

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A kind of answer that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CatalogueKind {
    /// See [`roadstead_core::Provider::get_plans`].
    Plans,
    /// See [`roadstead_core::Provider::get_images`].
    Images,
    /// See [`roadstead_core::Provider::get_regions`].
    Regions,
    /// See [`roadstead_core::Marketplace::apps`].
    Marketplace,
}

impl CatalogueKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Plans, Self::Images, Self::Regions, Self::Marketplace];

    /// Returns the word for it in logs, metrics and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plans => "plans",
            Self::Images => "images",
            Self::Regions => "regions",
            Self::Marketplace => "marketplace",
        }
    }

    /// Returns what is tried to renew it, as in [`roadstead_core::Error`].
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Plans => "list the plans",
            Self::Images => "list the images",
            Self::Regions => "list the regions",
            Self::Marketplace => "list the marketplace apps",
        }
    }
}

/// How long an answer is served, and when the vendor is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachePolicy {
    /// How long plans, images and regions are fresh: 1 hour.
    pub catalogue: Duration,
    /// How long marketplace apps are fresh: 6 hours.
    pub marketplace: Duration,
    /// How old an answer may grow before nobody is shown it any more: 24 hours. Until then
    /// an old one is served, as stale, while it is renewed and while the vendor fails.
    pub keep: Duration,
    /// How long the vendor is left alone after a refresh has failed: 10 seconds, and twice
    /// as long after each further failure in a row.
    pub first_pause: Duration,
    /// The longest such pause: 10 minutes.
    pub longest_pause: Duration,
    /// How old an answer must be for a refusal to cast doubt on it: 1 minute. One that is
    /// younger says what the vendor itself has just said.
    pub trust: Duration,
}

impl CachePolicy {
    /// Returns how long answers of a kind are fresh.
    #[must_use]
    pub const fn fresh_for(&self, kind: CatalogueKind) -> Duration {
        match kind {
            CatalogueKind::Plans | CatalogueKind::Images | CatalogueKind::Regions => self.catalogue,
            CatalogueKind::Marketplace => self.marketplace,
        }
    }

    /// Returns the age at which an answer in use is renewed before its time is over: four
    /// fifths of it.
    #[must_use]
    pub fn renew_after(&self, kind: CatalogueKind) -> Duration {
        self.fresh_for(kind) / 5 * 4
    }

    /// Returns how long the vendor is left alone after so many failures in a row.
    #[must_use]
    pub fn pause_after(&self, failures: u32) -> Duration {
        // Beyond this the longest pause is reached whatever the first one is.
        let doublings = failures.saturating_sub(1).min(20);
        self.first_pause
            .saturating_mul(1_u32 << doublings)
            .min(self.longest_pause)
    }

    /// Sets how long plans, images and regions are fresh.
    #[must_use]
    pub const fn with_catalogue(mut self, fresh_for: Duration) -> Self {
        self.catalogue = fresh_for;
        self
    }

    /// Sets how long marketplace apps are fresh.
    #[must_use]
    pub const fn with_marketplace(mut self, fresh_for: Duration) -> Self {
        self.marketplace = fresh_for;
        self
    }

    /// Sets how old an answer may grow before nobody is shown it any more.
    #[must_use]
    pub const fn with_keep(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Sets the first and the longest pause after failures.
    #[must_use]
    pub const fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
        self
    }
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            catalogue: HOUR,
            marketplace: HOUR * 6,
            keep: HOUR * 24,
            first_pause: SECOND * 10,
            longest_pause: SECOND * 600,
            trust: SECOND * 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_overflow() {
        let policy = CachePolicy::default();
        let seconds = [1, 2, 3, 6, 7, 8, u32::MAX].map(|it| policy.pause_after(it).as_secs());
        assert_eq!(seconds, [10, 20, 40, 320, 600, 600, 600]);
        let endless = policy.with_pauses(Duration::MAX, Duration::MAX);
        assert_eq!(endless.pause_after(9), Duration::MAX);
    }
}
