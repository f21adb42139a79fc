//! What became of each call for a catalogue, for whoever keeps an eye on it.

use std::fmt;

use async_trait::async_trait;
use roadstead_core::Error;

use crate::policy::CatalogueKind;

/// What became of a call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Renewal<'a> {
    /// It brought so many items.
    Renewed {
        /// How many.
        items: usize,
    },
    /// It brought an empty list where there was a full one. That is not believed yet: the
    /// full one stays, and the vendor is asked again after a pause.
    Doubted {
        /// How many there were, and still are.
        kept: usize,
    },
    /// It brought an empty list for the second time in a row, which is believed.
    Emptied {
        /// How many there were.
        before: usize,
    },
    /// It failed. What was there stays.
    Failed(&'a Error),
}

/// Is told what became of each call for a catalogue.
#[async_trait]
pub trait Watch: fmt::Debug + Send + Sync {
    /// Hears of one call. It runs on the task of the call, after its answer is in place:
    /// requests that are served from memory do not wait for it, those who wait for this
    /// call do.
    async fn landed(&self, kind: CatalogueKind, renewal: Renewal<'_>);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

#[async_trait]
impl Watch for Nobody {
    async fn landed(&self, _kind: CatalogueKind, _renewal: Renewal<'_>) {}
}
