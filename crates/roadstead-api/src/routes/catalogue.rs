//! What can be bought, and where.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, ContentType, ETag, Encoding, EntityTag, IfNoneMatch,
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use roadstead_core::ProviderId;
use roadstead_service::{Catalogue, CatalogueSource, Error, Platform, ReadInstances};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::allowed::{Allowed, Then};
use crate::error::ApiError;
use crate::openapi::words::{Id, Success};
use crate::openapi::{Given, Tag};
use crate::query::Query;
use crate::rendered::Rendered;
use crate::route::Route;
use crate::view::{
    self, AppsAnswer, ImagesAnswer, PlansAnswer, ProvidersAnswer, RegionsAnswer, SizesAnswer,
    StackScriptsAnswer,
};

/// How long a client may use an answer without asking. Short, so that what an operator does to
/// an account is soon seen; a client that asks with the tag it has costs us next to nothing.
const CLIENT_SECONDS: u64 = 60;

pub(super) fn routes() -> Vec<Route> {
    let of_provider = |route: Route, id, summary| {
        route
            .named(Tag::Catalogue, id, summary)
            .about(
                "From the provider's catalogue, which is kept. Without `provider_id` it is the \
                 first active account of this provider. Ask again with the `ETag` of an answer in \
                 `If-None-Match`: the answer is 304 as long as the list is the same, and its \
                 `Age` says how old the list is.",
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
        Route::get("/api/vps/{provider_type}/stackscripts", stack_scripts)
            .named(
                Tag::Catalogue,
                "listStackScripts",
                "A provider's setup scripts",
            )
            .about(
                "The account's own scripts, or with `id` one that it can use, whoever made it. \
                 The provider is asked each time.",
            )
            .of_provider_type()
            .asks_provider()
            .refuses([roadstead_core::Code::ProviderInactive]),
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

async fn plans(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
    request: HttpRequest,
) -> Result<Given<PlansAnswer>, ApiError> {
    let source = source(kind, choice);
    let found = platform.plans(&caller.0, &source).await?;
    answer::<_, view::Plan, _>(&request, "plans", &found).await
}

/// The plans again, under the other name that clients know them by.
async fn sizes(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
    request: HttpRequest,
) -> Result<Given<SizesAnswer>, ApiError> {
    let source = source(kind, choice);
    let found = platform.plans(&caller.0, &source).await?;
    answer::<_, view::Plan, _>(&request, "sizes", &found).await
}

async fn images(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
    request: HttpRequest,
) -> Result<Given<ImagesAnswer>, ApiError> {
    let source = source(kind, choice);
    let found = platform.images(&caller.0, &source).await?;
    answer::<_, view::Image, _>(&request, "images", &found).await
}

async fn regions(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
    request: HttpRequest,
) -> Result<Given<RegionsAnswer>, ApiError> {
    let source = source(kind, choice);
    let found = platform.regions(&caller.0, &source).await?;
    answer::<_, view::Region, _>(&request, "regions", &found).await
}

async fn marketplace(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<Choice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
    request: HttpRequest,
) -> Result<Given<AppsAnswer>, ApiError> {
    let source = source(kind, choice);
    let found = platform.marketplace(&caller.0, &source).await?;
    answer::<_, view::App, _>(&request, "apps", &found).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScriptChoice {
    /// One account of this provider, where there are several.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
    /// One script, by the provider's id.
    id: Option<String>,
}

async fn stack_scripts(
    Then(caller, choice): Then<Allowed<ReadInstances>, Query<ScriptChoice>>,
    kind: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<StackScriptsAnswer>, ApiError> {
    let source = CatalogueSource {
        kind: kind.into_inner(),
        provider: choice.0.provider_id,
    };
    let asked = platform.stack_scripts(&caller.0, &source, choice.0.id.as_deref());
    let (provider_id, scripts) = asked.await?;
    Ok(web::Json(StackScriptsAnswer {
        success: Success,
        stackscripts: scripts.iter().map(view::App::from).collect(),
        next_cursor: None,
        provider_id: provider_id.0,
    }))
}

/// Answers with a part of a catalogue under the name that its route gives it.
async fn answer<T, V, A>(
    request: &HttpRequest,
    noun: &'static str,
    catalogue: &Catalogue<T>,
) -> Result<Given<A>, ApiError>
where
    T: Send + Sync + 'static,
    V: Serialize + for<'a> From<&'a T>,
{
    let fetched = &catalogue.fetched;
    let provider = catalogue.account.record.id;
    let list = fetched.beside.get_or_make(async || {
        let items = Arc::clone(&fetched.value);
        // Megabytes take longer than other requests should wait.
        web::block(move || Rendered::new(items.iter().map(V::from), &provider.to_string()))
            .await
            .map_err(|error| Error::Internal(error.into()))?
            .map_err(|error| Error::Internal(error.into()))
    });
    let list = list.await?;
    let age = fetched.age.as_secs();
    let mut response = HttpResponse::Ok();
    let tag = validators(&mut response, list.tag(), age, fetched.stale);
    if is_known(request, &tag) {
        let unchanged = response.status(StatusCode::NOT_MODIFIED).finish();
        return Ok(Given::new(unchanged));
    }
    let stale = if fetched.stale {
        r#","stale":true"#
    } else {
        ""
    };
    let head = format!(r#"{{"success":true,"{noun}":"#);
    let tail =
        format!(r#","next_cursor":null,"provider_id":"{provider}","age_seconds":{age}{stale}}}"#);
    response.content_type(ContentType::json());
    if list.is_packed()
        && takes_gzip(request)
        && let Some(packed) = list.packed_between(&head, &tail)
    {
        // Says to the middleware, too, that there is nothing left to compress.
        response.insert_header(ContentEncoding::Gzip);
        return Ok(Given::new(response.body(packed)));
    }
    Ok(Given::new(response.body(list.between(head, tail))))
}

/// Sets what clients and their caches need, and returns the tag.
fn validators(response: &mut HttpResponseBuilder, tag: &str, age: u64, stale: bool) -> EntityTag {
    // Weak, because two bodies with one tag differ in `age_seconds`, and in their encoding. What
    // has become stale is another answer, since it says so.
    let tag = match stale {
        true => EntityTag::new_weak(format!("{tag}-stale")),
        false => EntityTag::new_weak(tag.to_owned()),
    };
    // `Age` counts against `max-age`: a fresh answer is good for `CLIENT_SECONDS` whatever its
    // age. A stale one is being renewed, so it is asked for again.
    let caching = match stale {
        true => "private, no-cache".to_owned(),
        false => format!("private, max-age={}", age.saturating_add(CLIENT_SECONDS)),
    };
    response
        .insert_header(ETag(tag.clone()))
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::AGE, age))
        .insert_header((
            header::VARY,
            "Accept-Encoding, Authorization, X-Organization",
        ));
    tag
}

/// Returns whether the client has the answer with this tag.
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        None => false,
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(known)) => known.iter().any(|it| it.weak_eq(tag)),
    }
}

/// Returns whether the client takes gzip, and likes nothing better that could be sent.
fn takes_gzip(request: &HttpRequest) -> bool {
    let choice = [Encoding::gzip(), Encoding::identity()];
    request
        .get_header::<AcceptEncoding>()
        .and_then(|it| it.negotiate(choice.iter()))
        .is_some_and(|it| it == Encoding::gzip())
}
