#![doc = include_str!("../README.md")]

mod beside;
mod place;
mod policy;
mod provider;
mod slot;
mod watch;

pub use crate::beside::Beside;
pub use crate::place::{Counts, Failure, Fetched, Status};
pub use crate::policy::{CachePolicy, CatalogueKind};
pub use crate::provider::CachedProvider;
pub use crate::watch::{Renewal, Watch};
