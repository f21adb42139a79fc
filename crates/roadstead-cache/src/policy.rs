//! What is kept, and for how long.

use std::time::Duration;

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
}

/// How long an answer is served before the vendor is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachePolicy {
    /// Plans, images and regions: 1 hour.
    pub catalogue: Duration,
    /// Marketplace apps: 6 hours.
    pub marketplace: Duration,
}

impl CachePolicy {
    /// Returns how long answers of a kind are served.
    #[must_use]
    pub const fn fresh_for(&self, kind: CatalogueKind) -> Duration {
        match kind {
            CatalogueKind::Plans | CatalogueKind::Images | CatalogueKind::Regions => self.catalogue,
            CatalogueKind::Marketplace => self.marketplace,
        }
    }

    /// Sets how long plans, images and regions are served.
    #[must_use]
    pub const fn with_catalogue(mut self, fresh_for: Duration) -> Self {
        self.catalogue = fresh_for;
        self
    }

    /// Sets how long marketplace apps are served.
    #[must_use]
    pub const fn with_marketplace(mut self, fresh_for: Duration) -> Self {
        self.marketplace = fresh_for;
        self
    }
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            catalogue: HOUR,
            marketplace: HOUR * 6,
        }
    }
}
