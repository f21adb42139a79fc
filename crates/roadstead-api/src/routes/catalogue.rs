//! What can be bought, and where.

use actix_web::{HttpResponse, get, web};
use roadstead_core::{MarketplaceApp, Plan, ProviderId};
use roadstead_service::{Catalogue, CatalogueSource, Platform, ReadInstances};
use serde::Deserialize;
use serde_json::json;

use crate::allowed::{Allowed, Then};
use crate::error::ApiError;
use crate::query::Query;
use crate::view::{self, CatalogueAnswer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    provider_id: Option<ProviderId>,
}

fn source(kind: web::Path<String>, choice: Query<Choice>) -> CatalogueSource {
    CatalogueSource {
        kind: kind.into_inner(),
        provider: choice.0.provider_id,
    }
}

#[get("/api/vps/providers")]
pub(super) async fn providers(
    caller: Allowed<ReadInstances>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let open = platform.open_providers(&caller.0).await?;
    let shown: Vec<_> = open.into_iter().map(view::Provider::from).collect();
    let answer = json!({ "success": true, "providers": shown, "next_cursor": null });
    Ok(HttpResponse::Ok().json(answer))
}

fn plans_answer(noun: &'static str, fetched: Catalogue<Plan>) -> HttpResponse {
    HttpResponse::Ok().json(CatalogueAnswer::<view::Plan>::new(noun, fetched))
}

#[get("/api/vps/{provider_type}/plans")]
pub(super) async fn plans(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    Ok(plans_answer(
        "plans",
        platform.plans(&caller.0, &source(kind, choice)).await?,
    ))
}

/// The plans again, under the other name that clients know them by.
#[get("/api/vps/{provider_type}/sizes")]
pub(super) async fn sizes(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    Ok(plans_answer(
        "sizes",
        platform.plans(&caller.0, &source(kind, choice)).await?,
    ))
}

#[get("/api/vps/{provider_type}/images")]
pub(super) async fn images(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let fetched = platform.images(&caller.0, &source(kind, choice)).await?;
    Ok(HttpResponse::Ok().json(CatalogueAnswer::<view::Image>::new("images", fetched)))
}

#[get("/api/vps/{provider_type}/regions")]
pub(super) async fn regions(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let fetched = platform.regions(&caller.0, &source(kind, choice)).await?;
    Ok(HttpResponse::Ok().json(CatalogueAnswer::<view::Region>::new("regions", fetched)))
}

#[get("/api/vps/{provider_type}/marketplace")]
pub(super) async fn marketplace(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let apps: Catalogue<MarketplaceApp> = platform
        .marketplace(&caller.0, &source(kind, choice))
        .await?;
    Ok(HttpResponse::Ok().json(CatalogueAnswer::<view::App>::new("apps", apps)))
}
