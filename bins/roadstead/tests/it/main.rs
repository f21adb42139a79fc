//! The `roadstead` program as its users meet it: started, spoken to, stopped and killed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise has to fail where it stands"
)]

mod api;
mod canary;
mod commands;
mod crowd;
mod databases;
mod dead_vendor;
mod demo;
mod logs;
mod metrics;
mod migrations;
mod panel;
mod program;
mod providers_md;
mod serve;
mod settings;
mod shaken;
mod simulators;
mod users;
