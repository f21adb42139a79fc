//! What waits for a person, for operators: quarantined servers, and operations in doubt.

use actix_web::web;
use roadstead_core::OperationId;
use roadstead_service::{Decision, Error, PageRequest, Platform};
use schemars::JsonSchema;
use serde::Deserialize;

use super::vps::fifty;
use crate::allowed::{Operator, Then};
use crate::body::Body;
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::{self, Success};
use crate::query::Query;
use crate::route::Route;
use crate::view::{self, OperationAnswer, OperationsAnswer, QuarantineAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/admin/quarantine", quarantine)
            .named(Tag::Accounts, "listQuarantine", "List the quarantine")
            .about(
                "Servers at the providers that carry our mark and that nobody here can vouch for, \
                 those that were seen first before the others. None is ever deleted by itself. One \
                 that is deleted at the provider, or carries our mark no more, leaves the list.",
            ),
        Route::get("/api/admin/operations", undecided)
            .named(
                Tag::Operations,
                "listUndecidedOperations",
                "List the operations that wait for a person",
            )
            .about("Those of all organizations in the state `attention`, the oldest first."),
        Route::post("/api/admin/operations/{id}/decision", decide)
            .named(
                Tag::Operations,
                "decideOperation",
                "Decide about an operation that waits for a person",
            )
            .about(
                "With `retry` the provider is looked at again. `done`: look there yourself first; it was \
                 done as asked, and of a delete that means that the server is gone. `failed`: it was \
                 not done, and the server stays as it is.",
            )
            .of("The operation's id.")
            .refuses([DoorCode::NotFound, DoorCode::Conflict]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 200))]
    limit: u32,
    /// `next_cursor` of the page before.
    #[schemars(example = &"AZOh4Fx-ezqdUm8cLopLEKt7VZ2JAsEdMQ")]
    cursor: Option<String>,
}

impl From<ListQuery> for PageRequest {
    fn from(it: ListQuery) -> Self {
        Self {
            cursor: it.cursor,
            limit: it.limit,
        }
    }
}

async fn quarantine(
    Then(operator, query): Then<Operator, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<QuarantineAnswer>, ApiError> {
    let page = platform.quarantine(&operator.0, &query.0.into()).await?;
    Ok(web::Json(QuarantineAnswer {
        success: Success,
        quarantine: page
            .items
            .into_iter()
            .map(view::Quarantined::from)
            .collect(),
        next_cursor: page.next,
    }))
}

async fn undecided(
    Then(operator, query): Then<Operator, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<OperationsAnswer>, ApiError> {
    let page = platform.undecided(&operator.0, &query.0.into()).await?;
    Ok(web::Json(OperationsAnswer {
        success: Success,
        operations: page.items.into_iter().map(view::Operation::from).collect(),
        next_cursor: page.next,
    }))
}

/// What was decided.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DecideOperation")]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// `retry`, `done` or `failed`.
    #[schemars(schema_with = "words::decision")]
    decision: String,
}

async fn decide(
    Then(operator, body): Then<Operator, Body<DecisionBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<OperationAnswer>, ApiError> {
    let id: OperationId = id.parse().map_err(|_text| Error::NotFound("operation"))?;
    let decision = Decision::from_word(&body.value.decision).ok_or_else(|| {
        let message = "must be `retry`, `done` or `failed`";
        ApiError::validation("decision".to_owned(), message)
    })?;
    let operation = platform.decide_operation(&operator.0, id, decision).await?;
    Ok(web::Json(OperationAnswer {
        success: Success,
        operation: view::Operation::from(operation),
    }))
}
