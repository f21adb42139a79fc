#![doc = include_str!("../README.md")]

mod config;
mod provider;

pub use crate::config::{GcpBuilder, GcpConfig};
pub use crate::provider::{Gcp, descriptor};
