#![doc = include_str!("../README.md")]

mod checker;
mod database;
mod evidence;
mod member;
mod program;
mod proxy;
mod server;
mod site;
mod table;
mod vendor;

pub use crate::checker::{Allowed, Verdict, check};
pub use crate::database::Database;
pub use crate::evidence::{
    Asked, Attempt, Books, Doom, Entry, Evidence, Instance, Object, Operation,
};
pub use crate::member::{Answer, Member};
pub use crate::program::{Finished, finish, has_crash_points, program};
pub use crate::proxy::{Cut, CutAt, Proxy};
pub use crate::server::{End, Server};
pub use crate::site::{CLOCKWORK, Site, SiteOptions, clockwork_line};
pub use crate::table::{Row, Table};
pub use crate::vendor::{Simulators, Vendor};
