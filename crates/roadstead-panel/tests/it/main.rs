//! The panel over a real socket: pages, forms, headers and cookies, on a scratch database and
//! simulated providers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise has to fail where it stands"
)]

mod activity;
mod app;
mod assets;
mod bulk;
mod compare;
mod contrast;
mod create;
mod door;
mod judge;
mod login;
mod people;
mod preferences;
mod reply;
mod server;
mod servers;
mod setup;
mod ssh_keys;
mod structure;
mod visits;
mod xss;
