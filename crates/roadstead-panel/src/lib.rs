#![doc = include_str!("../README.md")]

mod assets;
mod cookie;
mod done;
mod door;
mod failure;
mod form;
mod next;
mod offer;
mod pages;
mod route;
mod soon;
mod ui;
mod visitor;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::{guard, web};
use roadstead_service::Platform;

pub use crate::assets::{SCRIPT, STYLE};
pub use crate::route::{Entry, Kind, Who};

/// How browsers reach the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By https, whoever ends it: cookies are `__Host-` and `Secure`.
    Https,
    /// By plain http, which is taken on this machine only.
    Loopback,
}

/// Returns every page and action of the panel.
#[must_use]
pub fn entries() -> Vec<Entry> {
    pages::all().iter().map(|it| it.entry).collect()
}

/// Mounts every page. It takes what nobody else has taken, so that it comes last; what lies
/// under `/api` is left alone.
pub fn configure(
    platform: Arc<Platform>,
    transport: Transport,
) -> impl Fn(&mut web::ServiceConfig) + Clone {
    move |config| {
        let mut scope = web::scope("")
            .guard(guard::fn_guard(|it| !is_api(it.head().uri.path())))
            .app_data(web::Data::from(Arc::clone(&platform)))
            .app_data(web::Data::new(transport))
            .configure(assets::mount);
        for route in pages::all() {
            scope = scope.route(route.entry.path, route.handler());
        }
        let scope = scope
            .default_service(web::to(pages::nothing_here))
            .wrap(from_fn(door::pass));
        config.service(scope);
    }
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}
