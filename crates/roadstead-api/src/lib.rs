#![doc = include_str!("../README.md")]

mod allowed;
mod body;
mod error;
mod money;
mod openapi;
mod prebuilt;
mod query;
mod rendered;
pub mod request;
mod route;
mod routes;
mod telemetry;
mod view;

use std::sync::Arc;

use actix_web::web;
use roadstead_service::Platform;

pub use crate::error::{ApiError, DoorCode, ErrorCode, error_table};
pub use crate::openapi::openapi;
pub use crate::telemetry::describe;

/// Mounts every route.
pub fn configure(platform: Arc<Platform>) -> impl Fn(&mut web::ServiceConfig) + Clone {
    move |config| {
        config
            .app_data(web::Data::from(Arc::clone(&platform)))
            .configure(routes::mount)
            .default_service(web::to(|| async { Err::<&str, _>(ApiError::no_route()) }));
    }
}
