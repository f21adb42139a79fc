#![doc = include_str!("../README.md")]

mod config;
mod provider;

pub use crate::config::{AwsBuilder, AwsConfig};
pub use crate::provider::{Aws, descriptor};
