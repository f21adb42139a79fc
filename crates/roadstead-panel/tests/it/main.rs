//! The panel over a real socket: pages, forms, headers and cookies, on a scratch database and
//! simulated providers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise has to fail where it stands"
)]

mod app;
mod assets;
mod contrast;
mod door;
mod judge;
mod login;
mod people;
mod preferences;
mod reply;
mod servers;
mod setup;
mod structure;
mod visits;
mod xss;
