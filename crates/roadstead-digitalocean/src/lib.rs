#![doc = include_str!("../README.md")]

mod client;
mod config;
mod convert;
mod descriptor;
mod error;
mod extensions;
mod log;
mod mark;
mod options;
mod places;
mod provider;
mod rates;
mod request;
mod user_data;
mod wire;

pub use crate::config::{DigitalOceanBuilder, DigitalOceanConfig};
pub use crate::descriptor::descriptor;
pub use crate::options::{BackupPlan, BackupPolicy, DropletOptions, Weekday};
pub use crate::provider::DigitalOcean;
