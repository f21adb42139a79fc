//! The way to a new server: four pages, each with what has been chosen so far in its address, so
//! that it can be shared and gone back to. What is typed on the last one is in no address.

mod chosen;
mod details;
mod frame;
mod image;
mod place;
mod plan;
mod shop;

use crate::route::{Route, Who};

/// The pages.
const PLACE: &str = "/create";
const PLAN: &str = "/create/plan";
const IMAGE: &str = "/create/image";
const DETAILS: &str = "/create/details";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page(PLACE, Who::Member, place::show),
        Route::page(PLAN, Who::Member, plan::show),
        Route::page(IMAGE, Who::Member, image::show),
        Route::page(DETAILS, Who::Member, details::show),
        Route::action(DETAILS, Who::Member, details::create),
    ]
}
