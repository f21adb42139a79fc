#![doc = include_str!("../README.md")]

mod client;
mod config;
mod convert;
mod descriptor;
mod error;
mod extensions;
mod job;
mod log;
mod mark;
mod options;
mod paging;
mod provider;
mod rates;
mod request;
mod scopes;
mod wire;

pub use crate::config::{LinodeBuilder, LinodeConfig};
pub use crate::descriptor::descriptor;
pub use crate::options::{BackupSchedule, DiskEncryption, LinodeOptions, Weekday};
pub use crate::provider::Linode;
