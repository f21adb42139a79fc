//! Vendor accounts, for operators.

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use roadstead_core::{ProviderId, Secret};
use roadstead_service::{Error, Platform, ProviderChange, RegisterProvider};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::allowed::{Operator, Then};
use crate::body::{Body, NoBody};
use crate::error::ApiError;
use crate::view;

#[get("/api/admin/providers")]
pub(super) async fn list(
    operator: Operator,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let all = platform.providers(&operator.0).await?;
    let providers: Vec<_> = all.into_iter().map(view::AdminProvider::from).collect();
    let answer = json!({ "success": true, "providers": providers, "next_cursor": null });
    Ok(HttpResponse::Ok().json(answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterBody {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    token: Option<Secret<String>>,
    /// For vendors whose credentials are more than a token. None takes them yet: it is read only
    /// to be refused by name, and its content is not kept.
    credentials: Option<IgnoredAny>,
    #[serde(default)]
    configuration: serde_json::Value,
}

#[post("/api/admin/providers")]
pub(super) async fn register(
    Then(operator, body): Then<Operator, Body<RegisterBody>>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let it = body.value;
    let token = match (it.token, it.credentials) {
        (Some(token), None) => token,
        (None, None) => {
            let message = "give the provider's API token";
            return Err(ApiError::validation("token".to_owned(), message));
        }
        (_, Some(_)) => {
            // A vendor that is not there yet takes neither, and is refused for that.
            platform.registry().descriptor(&it.kind)?;
            let message = "this provider takes `token`";
            return Err(ApiError::validation("credentials".to_owned(), message));
        }
    };
    let request = RegisterProvider {
        name: it.name,
        kind: it.kind,
        token,
        configuration: it.configuration,
    };
    let registered = platform.register_provider(&operator.0, request).await?;
    Ok(answer(view::AdminProvider::from(registered)))
}

#[get("/api/admin/providers/{id}")]
pub(super) async fn get(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let provider = platform.provider(&operator.0, provider_id(&id)?).await?;
    Ok(answer(view::AdminProvider::from(provider)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    name: Option<String>,
    active: Option<bool>,
    token: Option<Secret<String>>,
    configuration: Option<serde_json::Value>,
}

#[patch("/api/admin/providers/{id}")]
pub(super) async fn change(
    Then(operator, body): Then<Operator, Body<ChangeBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let ChangeBody {
        name,
        active,
        token,
        configuration,
    } = body.value;
    let wanted = ProviderChange {
        name,
        active,
        token,
        configuration,
    };
    let changed = platform
        .change_provider(&operator.0, provider_id(&id)?, wanted)
        .await?;
    Ok(answer(view::AdminProvider::from(changed)))
}

#[delete("/api/admin/providers/{id}")]
pub(super) async fn delete(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    platform
        .delete_provider(&operator.0, provider_id(&id)?)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "success": true })))
}

#[post("/api/admin/providers/{id}/validate")]
pub(super) async fn validate(
    Then(operator, _body): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let provider = platform
        .validate_provider(&operator.0, provider_id(&id)?)
        .await?;
    Ok(answer(view::AdminProvider::from(provider)))
}

#[post("/api/admin/providers/{id}/cache/clear")]
pub(super) async fn clear_cache(
    Then(operator, _body): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    platform.clear_cache(&operator.0, provider_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(json!({ "success": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    order: Vec<ProviderId>,
}

#[put("/api/admin/providers/reorder")]
pub(super) async fn reorder(
    Then(operator, body): Then<Operator, Body<OrderBody>>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    platform
        .reorder_providers(&operator.0, &body.value.order)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "success": true })))
}

fn answer(provider: view::AdminProvider) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "success": true, "provider": provider }))
}

/// What is no id cannot be anybody's account.
fn provider_id(text: &str) -> Result<ProviderId, ApiError> {
    Ok(text.parse().map_err(|_text| Error::NoSuchProvider)?)
}
