//! Vendor accounts, for operators.

use std::collections::BTreeMap;

use actix_web::web;
use roadstead_core::{Code, ProviderId, Secret};
use roadstead_service::{Error, Platform, ProviderChange, RegisterProvider};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::allowed::{Operator, Then};
use crate::body::{Body, NoBody};
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::{Id, Success};
use crate::route::Route;
use crate::view::{self, AccountAnswer, AccountsAnswer, BudgetAnswer, Done, KeptAnswer};

pub(super) fn routes() -> Vec<Route> {
    let of_account = |route: Route, id, summary| {
        route
            .named(Tag::Accounts, id, summary)
            .of("The account's id.")
            .refuses([Code::ProviderNotFound])
    };
    vec![
        Route::get("/api/admin/providers", list)
            .named(Tag::Accounts, "listAccounts", "List the accounts")
            .about("All of them, in the operator's order."),
        Route::post("/api/admin/providers", register)
            .named(Tag::Accounts, "registerAccount", "Register an account")
            .about(
                "The provider is asked whose token it is. A token that it refuses, or that may \
                 not do the work, is not saved; where the provider cannot be reached, the account \
                 is saved as `unverified`.",
            )
            .asks_provider()
            .refuses([Code::ProviderNotFound])
            .refuses([DoorCode::Conflict]),
        Route::put("/api/admin/providers/reorder", reorder)
            .named(
                Tag::Accounts,
                "reorderAccounts",
                "Put the accounts in order",
            )
            .about(
                "The accounts that are named come first, in this order, and the others follow. \
                 Where a provider has several, the first active one is taken.",
            )
            .refuses([Code::ProviderNotFound]),
        of_account(
            Route::get("/api/admin/providers/{id}", get),
            "getAccount",
            "Show an account",
        )
        .about(
            "With its `sweep`, how it was last compared with our books, and its `health`: whether calls are sent, the last one, and the ages of what is \
             kept, as far as the process that answers knows.",
        ),
        of_account(
            Route::patch("/api/admin/providers/{id}", change),
            "changeAccount",
            "Change an account",
        )
        .about(
            "What is not given stays. A new token must belong to the same account at the provider. \
             An account that is not `active` takes no creates and no actions but the deletion of \
             servers.",
        )
        .asks_provider()
        .refuses([DoorCode::Conflict]),
        of_account(
            Route::delete("/api/admin/providers/{id}", delete),
            "deleteAccount",
            "Delete an account",
        )
        .about("Once it has no servers to look after; before that it is a `CONFLICT`.")
        .refuses([DoorCode::Conflict]),
        of_account(
            Route::post("/api/admin/providers/{id}/validate", validate),
            "validateAccount",
            "Ask the provider again whose token it is",
        )
        .about("The answer says in `verification` what the provider said.")
        .asks_provider(),
        of_account(
            Route::get("/api/admin/providers/{id}/cache", kept),
            "getAccountCache",
            "Show what is kept of an account's catalogues",
        )
        .about(
            "In the memory of the process that answers: how old it is, and how the last call to \
             the provider failed, if it did.",
        ),
        of_account(
            Route::post("/api/admin/providers/{id}/cache/clear", clear_cache),
            "clearAccountCache",
            "Forget an account's catalogues",
        )
        .about("They are read anew when they are next asked for."),
        of_account(
            Route::get("/api/admin/providers/{id}/budget", budget),
            "getAccountBudget",
            "Show how many calls the provider still takes",
        )
        .about(
            "As far as this process knows, by its own calls and the provider's answers to them; \
             the provider is not asked. Calls of others with the same token show once an answer \
             tells of them.",
        ),
    ]
}

async fn list(
    operator: Operator,
    platform: web::Data<Platform>,
) -> Result<web::Json<AccountsAnswer>, ApiError> {
    let all = platform.providers(&operator.0).await?;
    Ok(web::Json(AccountsAnswer {
        success: Success,
        providers: all.into_iter().map(view::AdminProvider::from).collect(),
        next_cursor: None,
    }))
}

/// A provider account to be registered.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RegisterAccount")]
#[serde(deny_unknown_fields)]
struct RegisterBody {
    /// Your name for it.
    #[schemars(example = &"Main account")]
    name: String,
    /// Which provider it is at.
    #[serde(rename = "type")]
    #[schemars(example = &"acme")]
    kind: String,
    /// The provider's API token. It never comes out again.
    #[schemars(with = "Option<String>", extend("format" = "password"))]
    token: Option<Secret<String>>,
    // Read only to be refused by name, and its content is not kept.
    /// Reserved, for providers whose credentials are more than a token. None takes them yet.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>", extend("deprecated" = true))]
    credentials: Option<IgnoredAny>,
    /// Settings that are no secret. The present providers have none.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    configuration: serde_json::Value,
}

async fn register(
    Then(operator, body): Then<Operator, Body<RegisterBody>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AccountAnswer>, ApiError> {
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

async fn get(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AccountAnswer>, ApiError> {
    let id = provider_id(&id)?;
    let provider = view::AdminProvider::from(platform.provider(&operator.0, id).await?);
    let health = platform.account_health(&operator.0, id).await?;
    let sweep = platform.account_sweep(&operator.0, id).await?;
    Ok(answer(provider.with_health(health).with_sweep(sweep)))
}

/// What to change about a provider account. What is not given stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChangeAccount")]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    /// Your name for it.
    #[schemars(example = &"Main account")]
    name: Option<String>,
    /// Whether it may be used.
    active: Option<bool>,
    /// A new token of the same account.
    #[schemars(with = "Option<String>", extend("format" = "password"))]
    token: Option<Secret<String>>,
    /// Settings that are no secret, all of them.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    configuration: Option<serde_json::Value>,
}

async fn change(
    Then(operator, body): Then<Operator, Body<ChangeBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AccountAnswer>, ApiError> {
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

async fn delete(
    Then(operator, _): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<Done>, ApiError> {
    platform
        .delete_provider(&operator.0, provider_id(&id)?)
        .await?;
    Ok(web::Json(Done { success: Success }))
}

async fn validate(
    Then(operator, _): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AccountAnswer>, ApiError> {
    let provider = platform
        .validate_provider(&operator.0, provider_id(&id)?)
        .await?;
    Ok(answer(view::AdminProvider::from(provider)))
}

async fn kept(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<KeptAnswer>, ApiError> {
    let kept = platform
        .kept_catalogues(&operator.0, provider_id(&id)?)
        .await?;
    Ok(web::Json(KeptAnswer {
        success: Success,
        catalogues: kept.map(view::KeptCatalogue::from).into(),
    }))
}

async fn clear_cache(
    Then(operator, _): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<Done>, ApiError> {
    platform.clear_cache(&operator.0, provider_id(&id)?).await?;
    Ok(web::Json(Done { success: Success }))
}

async fn budget(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<BudgetAnswer>, ApiError> {
    let buckets = platform
        .provider_budget(&operator.0, provider_id(&id)?)
        .await?;
    Ok(web::Json(BudgetAnswer {
        success: Success,
        buckets: buckets.into_iter().map(view::BudgetBucket::from).collect(),
    }))
}

/// The order of the provider accounts.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "OrderAccounts")]
#[serde(deny_unknown_fields)]
struct OrderBody {
    /// The ids of those that come first.
    #[schemars(with = "Vec<Id>")]
    order: Vec<ProviderId>,
}

async fn reorder(
    Then(operator, body): Then<Operator, Body<OrderBody>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<Done>, ApiError> {
    platform
        .reorder_providers(&operator.0, &body.value.order)
        .await?;
    Ok(web::Json(Done { success: Success }))
}

fn answer(provider: view::AdminProvider) -> web::Json<AccountAnswer> {
    web::Json(AccountAnswer {
        success: Success,
        provider,
    })
}

/// What is no id cannot be anybody's account.
pub(super) fn provider_id(text: &str) -> Result<ProviderId, ApiError> {
    Ok(text.parse().map_err(|_text| Error::NoSuchProvider)?)
}
