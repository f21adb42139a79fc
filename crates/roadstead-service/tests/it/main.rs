//! The use cases and the engine on real databases, at simulated vendors: each test runs on
//! SQLite and on PostgreSQL at each vendor.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that meets a surprise has to fail where it stands"
)]

mod rows;
mod stage;
mod vendor;

mod accounts;
mod catalogues;
mod changes;
mod circuits;
mod cost;
mod crash;
mod custody;
mod deletion;
mod down;
mod events;
mod keeper;
mod keys;
mod life;
mod lost;
mod observed;
mod options;
mod plans;
mod poller;
mod quarantine;
mod refused;
mod secrets;
mod ssh_keys;
mod sweep;
mod tenants;
mod turns;
mod twins;
mod validation;
