//! Every route, by what it is about.

mod admin;
mod auth;
mod catalogue;
mod custody;
mod events;
mod health;
mod operations;
mod plans;
mod reference;
mod ssh_keys;
mod vps;

use actix_web::web::ServiceConfig;

use crate::route::Route;

/// Returns every route. What is mounted and what is documented are both made from this list.
pub(crate) fn all() -> Vec<Route> {
    let mut routes: Vec<_> = [
        auth::routes(),
        catalogue::routes(),
        vps::routes(),
        plans::routes(),
        operations::routes(),
        events::routes(),
        ssh_keys::routes(),
        admin::routes(),
        custody::routes(),
        health::routes(),
        reference::routes(),
    ]
    .into_iter()
    .flatten()
    .collect();
    routes.sort_by_cached_key(Route::precedence);
    routes
}

/// Mounts them.
pub(crate) fn mount(config: &mut ServiceConfig) {
    for route in all() {
        route.mount(config);
    }
}
