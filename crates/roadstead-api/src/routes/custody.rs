//! Whose servers are, for operators: what waits for a person, what is taken in, what is let go.

mod quarantine;
mod transfer;

use actix_web::web;
use roadstead_core::{Code, InstanceId, OperationId, OrgId, ProviderId};
use roadstead_service::{
    Decision, Error, MissingDecision, OpenFilter, OperationState, PageRequest, Platform,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::vps::{fifty, instance_id};
use crate::allowed::{Operator, Then};
use crate::body::Body;
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::{self, Id, Success};
use crate::query::Query;
use crate::route::Route;
use crate::view::{self, InstanceAnswer, MissingAnswer, OperationAnswer, OperationsAnswer};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/api/admin/missing", missing)
            .named(Tag::Servers, "listMissing", "List the missing servers")
            .about(
                "Those of all organizations that their providers have no more, though nobody here \
                 asked for that, in the order in which they were made. One that its provider shows \
                 again is live again by itself, and leaves the list.",
            ),
        Route::post("/api/admin/missing/{id}/decision", decide_missing)
            .named(
                Tag::Servers,
                "decideMissing",
                "Decide about a missing server",
            )
            .about(
                "With `gone` its record ends, and it shows `deleted`: if the provider says once more \
                 that it has no such server, and the account is the one that was registered. One \
                 that is there again is a `CONFLICT`. That it is back needs no decision.",
            )
            .of("The server's id.")
            .asks_provider()
            .refuses([Code::InstanceNotFound]),
        Route::get("/api/admin/operations", open_operations)
            .named(
                Tag::Operations,
                "listOpenOperations",
                "List the operations that are not over",
            )
            .about(
                "Those of all organizations in one state, the oldest first; without `state` those in \
                 `attention`, which wait for a person.",
            ),
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
    ];
    routes.extend(quarantine::routes());
    routes.extend(transfer::routes());
    routes
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OperationsQuery {
    /// Only operations in this state, which is one of those that are not over.
    #[serde(default = "attention")]
    #[schemars(schema_with = "words::open_state")]
    state: String,
    /// Only operations at this account.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
    /// Only operations of this organization.
    #[schemars(with = "Option<Id>")]
    organization_id: Option<OrgId>,
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 200))]
    limit: u32,
    /// `next_cursor` of the page before, with the same `state`.
    #[schemars(example = &"AZOh4Fx-ezqdUm8cLopLEKt7VZ2JAsEdMQ")]
    cursor: Option<String>,
}

fn attention() -> String {
    OperationState::Attention.as_str().to_owned()
}

async fn open_operations(
    Then(operator, query): Then<Operator, Query<OperationsQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<OperationsAnswer>, ApiError> {
    let it = query.0;
    let filter = OpenFilter {
        state: state(&it.state)?,
        provider: it.provider_id,
        organization: it.organization_id,
    };
    let page = PageRequest {
        cursor: it.cursor,
        limit: it.limit,
    };
    let page = platform
        .open_operations(&operator.0, &filter, &page)
        .await?;
    Ok(web::Json(OperationsAnswer {
        success: Success,
        operations: page.items.into_iter().map(view::Operation::from).collect(),
        next_cursor: page.next,
    }))
}

fn state(word: &str) -> Result<OperationState, ApiError> {
    let known = OperationState::from_word(word).filter(|it| !it.is_final());
    known.ok_or_else(|| {
        let words: Vec<_> = words::open_states().collect();
        let message = format!("must be one of {}", words.join(", "));
        ApiError::validation("state".to_owned(), message)
    })
}

async fn missing(
    Then(operator, query): Then<Operator, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<MissingAnswer>, ApiError> {
    let page = platform
        .missing_servers(&operator.0, &query.0.into())
        .await?;
    Ok(web::Json(MissingAnswer {
        success: Success,
        missing: page
            .items
            .into_iter()
            .map(view::MissingServer::from)
            .collect(),
        next_cursor: page.next,
    }))
}

/// What was decided about a missing server.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DecideMissing")]
#[serde(deny_unknown_fields)]
struct MissingBody {
    /// `gone`.
    #[schemars(schema_with = "words::missing_decision")]
    decision: String,
}

async fn decide_missing(
    Then(operator, body): Then<Operator, Body<MissingBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<InstanceAnswer>, ApiError> {
    let id: InstanceId = instance_id(&id)?;
    let decision = MissingDecision::from_word(&body.value.decision).ok_or_else(|| {
        ApiError::validation(
            "decision".to_owned(),
            "must be `gone`; one that is back needs none",
        )
    })?;
    let server = platform.decide_missing(&operator.0, id, decision).await?;
    Ok(web::Json(InstanceAnswer {
        success: Success,
        instance: view::Instance::from(server),
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
