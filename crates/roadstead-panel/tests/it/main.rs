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
mod attention;
mod bulk;
mod compare;
mod contrast;
mod create;
mod custody;
mod door;
mod doubt;
mod judge;
mod login;
mod people;
mod plans;
mod preferences;
mod providers;
mod reply;
mod search;
mod server;
mod servers;
mod setup;
mod ssh_keys;
mod status;
mod structure;
mod visits;
mod xss;
