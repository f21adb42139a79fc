//! The client against a hand-made server that misbehaves as told.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in its fixtures too"
)]

mod failures;
mod stand_in;
mod waiting;
