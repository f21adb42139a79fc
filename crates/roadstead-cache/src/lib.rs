#![doc = include_str!("../README.md")]

mod policy;
mod provider;
mod slot;

pub use crate::policy::{CachePolicy, CatalogueKind};
pub use crate::provider::CachedProvider;
pub use crate::slot::Fetched;
