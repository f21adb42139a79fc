//! Whether the service lives, and whether it can work.

use actix_web::{HttpResponse, Responder, get, web};
use roadstead_service::Platform;
use serde_json::json;

use crate::error::ApiError;

/// Answers as long as the process lives, even without its database.
#[get("/api/health")]
pub(super) async fn alive() -> impl Responder {
    HttpResponse::Ok().json(json!({
        "success": true,
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// Answers once the database does.
#[get("/api/health/ready")]
pub(super) async fn ready(platform: web::Data<Platform>) -> Result<HttpResponse, ApiError> {
    platform.ready().await?;
    Ok(HttpResponse::Ok().json(json!({ "success": true, "status": "ready" })))
}
