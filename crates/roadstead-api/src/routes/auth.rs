//! Logging in and out.

use actix_web::web;
use roadstead_core::Secret;
use roadstead_service::Platform;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::allowed::LoggedIn;
use crate::body::Body;
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::Success;
use crate::route::Route;
use crate::view::{self, Done, LoginAnswer, MeAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/auth/login", login)
            .named(Tag::Sessions, "login", "Log in")
            .about(
                "Gives a token for `Authorization: Bearer <token>`. A wrong address and a wrong \
                 password look alike.",
            )
            .refuses([DoorCode::Unauthenticated, DoorCode::TooManyRequests]),
        Route::post("/api/auth/logout", logout)
            .named(Tag::Sessions, "logout", "Log out")
            .about("Ends this login; its token is good for nothing from now on."),
        Route::get("/api/auth/me", me)
            .named(Tag::Sessions, "getMe", "Who asks")
            .about("Shows the user of the token, and the organizations that the user belongs to."),
    ]
}

/// Who logs in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The user's address.
    #[schemars(example = &"you@example.com")]
    email: String,
    /// The user's password.
    #[schemars(with = "String", extend("format" = "password"))]
    password: Secret<String>,
}

async fn login(
    platform: web::Data<Platform>,
    body: Body<Credentials>,
) -> Result<web::Json<LoginAnswer>, ApiError> {
    let fresh = platform
        .login(&body.value.email, body.value.password)
        .await?;
    Ok(web::Json(LoginAnswer::from(fresh)))
}

async fn logout(
    caller: LoggedIn,
    platform: web::Data<Platform>,
) -> Result<web::Json<Done>, ApiError> {
    platform.logout(&caller.0).await?;
    Ok(web::Json(Done { success: Success }))
}

async fn me(caller: LoggedIn) -> web::Json<MeAnswer> {
    let session = &caller.0.session;
    let organizations = session.memberships.iter();
    web::Json(MeAnswer {
        success: Success,
        user: view::User::from(&session.user),
        organizations: organizations.map(view::Organization::from).collect(),
        expires_at: session.expires_at,
    })
}
