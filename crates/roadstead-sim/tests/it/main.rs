//! The simulators over real HTTP.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a broken assumption is a failed test"
)]

mod access;
mod catalogue;
mod faults;
mod joins;
mod life;
mod limits;
mod linode;
mod lists;
mod matrix;
mod refusals;
mod server;
mod sim;
mod tags;
