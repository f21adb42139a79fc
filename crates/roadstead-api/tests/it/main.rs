//! The HTTP API over a real socket: statuses, bodies and headers, on a scratch database and
//! a simulated vendor.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise has to fail where it stands"
)]

mod admin;
mod answer;
mod app;
mod auth;
mod authority;
mod blessed;
mod bodies;
mod both;
mod budget;
mod cached;
mod catalogue;
mod checks;
mod custody;
mod dropped;
mod errors_md;
mod events;
mod headers;
mod health;
mod idempotency;
mod lists;
mod openapi;
mod plans;
mod reference;
mod repeats;
mod reshape;
mod schema;
mod servers;
mod ssh_keys;
mod vendor;
