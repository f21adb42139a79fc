//! Logging in and out.

use actix_web::{HttpResponse, get, post, web};
use roadstead_core::Secret;
use roadstead_service::Platform;
use serde::Deserialize;
use serde_json::json;

use crate::allowed::LoggedIn;
use crate::body::Body;
use crate::error::ApiError;
use crate::view;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: Secret<String>,
}

#[post("/api/auth/login")]
pub(super) async fn login(
    platform: web::Data<Platform>,
    body: Body<Credentials>,
) -> Result<HttpResponse, ApiError> {
    let fresh = platform
        .login(&body.value.email, body.value.password)
        .await?;
    Ok(HttpResponse::Ok().json(view::LoginAnswer::from(fresh)))
}

#[post("/api/auth/logout")]
pub(super) async fn logout(
    caller: LoggedIn,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    platform.logout(&caller.0).await?;
    Ok(HttpResponse::Ok().json(json!({ "success": true })))
}

#[get("/api/auth/me")]
pub(super) async fn me(caller: LoggedIn) -> HttpResponse {
    let session = &caller.0.session;
    let organizations: Vec<_> = session
        .memberships
        .iter()
        .map(view::Organization::from)
        .collect();
    HttpResponse::Ok().json(json!({
        "success": true,
        "user": view::User::from(&session.user),
        "organizations": organizations,
        "expires_at": session.expires_at,
    }))
}
