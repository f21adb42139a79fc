//! Whether the service lives, and whether it can work.

use actix_web::web;
use roadstead_service::Platform;

use crate::error::ApiError;
use crate::openapi::Tag;
use crate::openapi::words::Success;
use crate::route::Route;
use crate::view::{HealthAnswer, ReadyAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/health", alive)
            .named(Tag::Service, "getHealth", "Whether the process lives")
            .about("Answers as long as the process lives, even without its database."),
        Route::get("/api/health/ready", ready)
            .named(Tag::Service, "getReadiness", "Whether the service can work")
            .about("Answers once the database does."),
    ]
}

async fn alive() -> web::Json<HealthAnswer> {
    web::Json(HealthAnswer {
        success: Success,
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

async fn ready(platform: web::Data<Platform>) -> Result<web::Json<ReadyAnswer>, ApiError> {
    platform.ready().await?;
    Ok(web::Json(ReadyAnswer {
        success: Success,
        status: "ready",
    }))
}
