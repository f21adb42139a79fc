//! The servers of an organization.

mod about;
mod bulk;
pub(super) mod csv;
mod delete;
mod list;
mod overview;
mod power;
mod progress;
mod rebuild;
mod release;
mod resize;
mod settings;

use crate::route::{Route, Who};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/", Who::Viewer, list::show),
        Route::file("/servers.csv", Who::Viewer, csv::download),
        Route::page("/servers/bulk", Who::Member, bulk::show),
        Route::action("/servers/bulk", Who::Member, bulk::act),
        Route::page("/servers/{id}", Who::Viewer, overview::show),
        Route::fragment("/servers/{id}/live", Who::Viewer, overview::live),
        Route::page("/servers/{id}/activity", Who::Viewer, progress::show),
        Route::page("/servers/{id}/settings", Who::Member, settings::show),
        Route::action("/servers/{id}/settings", Who::Member, settings::change),
        Route::page("/servers/{id}/power/{action}", Who::Member, power::show),
        Route::action("/servers/{id}/power/{action}", Who::Member, power::act),
        Route::page("/servers/{id}/resize", Who::Member, resize::show),
        Route::action("/servers/{id}/resize", Who::Member, resize::act),
        Route::page("/servers/{id}/rebuild", Who::Member, rebuild::show),
        Route::action("/servers/{id}/rebuild", Who::Member, rebuild::act),
        Route::page("/servers/{id}/release", Who::Operator, release::show),
        Route::action("/servers/{id}/release", Who::Operator, release::act),
        Route::page("/servers/{id}/delete", Who::Member, delete::show),
        Route::action("/servers/{id}/delete", Who::Member, delete::act),
    ]
}
