//! The test kit, tested on itself.
#![expect(
    clippy::unwrap_used,
    reason = "a function called by a test is part of it"
)]

mod absent;
mod databases;
