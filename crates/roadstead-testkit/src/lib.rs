#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    reason = "a test whose surroundings cannot be made has to fail where it stands"
)]

mod both;
mod canary;
mod cluster;
mod postgres;
mod sqlite;
mod wiretap;

pub use crate::both::{Backend, Scratch, block_on};
pub use crate::canary::{Haystack, assert_absent, canary};
pub use crate::cluster::OwnPostgres;
pub use crate::postgres::{DATABASE_URL, SKIPPED_FILE, ScratchPostgres, WITHOUT};
pub use crate::sqlite::ScratchSqlite;
pub use crate::wiretap::{Wiretap, Work};
