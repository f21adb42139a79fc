//! Every route, by what it is about.

mod admin;
mod auth;
mod catalogue;
mod health;
mod operations;
mod vps;

use actix_web::web::ServiceConfig;

/// Mounts them. Fixed paths come before those with a placeholder in the same place.
pub(crate) fn mount(config: &mut ServiceConfig) {
    config
        .service(health::alive)
        .service(health::ready)
        .service(auth::login)
        .service(auth::logout)
        .service(auth::me)
        .service(catalogue::providers)
        .service(catalogue::plans)
        .service(catalogue::sizes)
        .service(catalogue::images)
        .service(catalogue::regions)
        .service(catalogue::marketplace)
        .service(vps::create)
        .service(vps::list)
        .service(vps::boot)
        .service(vps::shutdown)
        .service(vps::reboot)
        .service(vps::power_off)
        .service(operations::of_instance)
        .service(vps::get)
        .service(vps::change)
        .service(vps::delete)
        .service(operations::get)
        .service(admin::list)
        .service(admin::register)
        .service(admin::reorder)
        .service(admin::validate)
        .service(admin::clear_cache)
        .service(admin::get)
        .service(admin::change)
        .service(admin::delete);
}
