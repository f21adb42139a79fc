//! What can be bought, and where.

use actix_web::{HttpResponse, web};
use roadstead_core::ProviderId;
use roadstead_service::{Catalogue, CatalogueSource, Platform, ReadInstances};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::allowed::{Allowed, Then};
use crate::error::ApiError;
use crate::openapi::words::{Id, Success};
use crate::openapi::{Given, Tag};
use crate::query::Query;
use crate::route::Route;
use crate::view::{
    self, AppsAnswer, CatalogueAnswer, ImagesAnswer, PlansAnswer, ProvidersAnswer, RegionsAnswer,
    SizesAnswer,
};

pub(super) fn routes() -> Vec<Route> {
    let of_provider = |route: Route, id, summary| {
        route
            .named(Tag::Catalogue, id, summary)
            .about(
                "From the provider's catalogue, which is kept. Without `provider_id` it is the \
                 first active account of this provider.",
            )
            .of_provider_type()
            .asks_provider()
            .refuses([roadstead_core::Code::ProviderInactive])
    };
    vec![
        Route::get("/api/vps/providers", providers)
            .named(Tag::Catalogue, "listProviders", "The providers open to you")
            .about(
                "The active accounts in the operator's order, with what each provider can do, and \
                 why the rest cannot be had.",
            ),
        of_provider(
            Route::get("/api/vps/{provider_type}/plans", plans),
            "listPlans",
            "A provider's plans",
        ),
        of_provider(
            Route::get("/api/vps/{provider_type}/sizes", sizes),
            "listSizes",
            "A provider's plans, as sizes",
        ),
        of_provider(
            Route::get("/api/vps/{provider_type}/images", images),
            "listImages",
            "A provider's images",
        ),
        of_provider(
            Route::get("/api/vps/{provider_type}/regions", regions),
            "listRegions",
            "A provider's regions",
        ),
        of_provider(
            Route::get("/api/vps/{provider_type}/marketplace", marketplace),
            "listApps",
            "A provider's ready-made applications",
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// One account of this provider, where there are several.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
}

fn source(kind: web::Path<String>, choice: Query<Choice>) -> CatalogueSource {
    CatalogueSource {
        kind: kind.into_inner(),
        provider: choice.0.provider_id,
    }
}

async fn providers(
    caller: Allowed<ReadInstances>,
    platform: web::Data<Platform>,
) -> Result<web::Json<ProvidersAnswer>, ApiError> {
    let open = platform.open_providers(&caller.0).await?;
    Ok(web::Json(ProvidersAnswer {
        success: Success,
        providers: open.into_iter().map(view::Provider::from).collect(),
        next_cursor: None,
    }))
}

/// Answers with a part of a catalogue, item by item, under the noun of the route.
fn answer<T, V, A>(noun: &'static str, fetched: Catalogue<T>) -> Given<A>
where
    V: Serialize + for<'a> From<&'a T>,
{
    Given::new(HttpResponse::Ok().json(CatalogueAnswer::<V>::new(noun, fetched)))
}

async fn plans(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<Given<PlansAnswer>, ApiError> {
    let fetched = platform.plans(&caller.0, &source(kind, choice)).await?;
    Ok(answer::<_, view::Plan, _>("plans", fetched))
}

/// The plans again, under the other name that clients know them by.
async fn sizes(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<Given<SizesAnswer>, ApiError> {
    let fetched = platform.plans(&caller.0, &source(kind, choice)).await?;
    Ok(answer::<_, view::Plan, _>("sizes", fetched))
}

async fn images(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<Given<ImagesAnswer>, ApiError> {
    let fetched = platform.images(&caller.0, &source(kind, choice)).await?;
    Ok(answer::<_, view::Image, _>("images", fetched))
}

async fn regions(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<Given<RegionsAnswer>, ApiError> {
    let fetched = platform.regions(&caller.0, &source(kind, choice)).await?;
    Ok(answer::<_, view::Region, _>("regions", fetched))
}

async fn marketplace(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<Given<AppsAnswer>, ApiError> {
    let source = source(kind, choice);
    let fetched = platform.marketplace(&caller.0, &source).await?;
    Ok(answer::<_, view::App, _>("apps", fetched))
}
