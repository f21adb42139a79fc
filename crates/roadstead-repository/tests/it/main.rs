//! The repository on real databases: each test runs on SQLite and on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise has to fail where it stands"
)]

mod abandoned;
mod accept;
mod answers;
mod apply;
mod claims;
mod decision;
mod events;
mod failures;
mod fixture;
mod flights;
mod migrations;
mod observe;
mod pages;
mod people;
mod placements;
mod plans;
mod providers;
mod secrets;
mod ssh_keys;
mod sweeps;
mod tally;
