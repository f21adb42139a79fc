#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the cases are bodies of tests, where a panic is the verdict"
)]

pub mod cases;
pub mod fake;
mod harness;
mod sim;
pub mod stub;
mod suite;
mod wait;

pub use crate::harness::{CallClass, Fault, Harness, KnownPlan, When};
pub use crate::sim::{Route, SimControl};
