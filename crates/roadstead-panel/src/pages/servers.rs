//! The servers of an organization.

mod csv;
mod list;

use crate::route::{Route, Who};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/", Who::Viewer, list::show),
        Route::file("/servers.csv", Who::Viewer, csv::download),
    ]
}
