//! Linode's crate against the simulator, over HTTP.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in its fixtures too"
)]

mod budget;
mod catalogue;
mod conformance;
mod failures;
mod lifecycle;
mod lists;
mod mark;
mod options;
mod world;
