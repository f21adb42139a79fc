//! Operations: read, and waited for.

use std::time::Duration;

use actix_web::web;
use roadstead_core::{Code, InstanceId, OperationId};
use roadstead_service::{Error, PageRequest, Platform, ReadInstances};
use schemars::JsonSchema;
use serde::Deserialize;

use super::vps::{fifty, instance_id, wait};
use crate::allowed::{Allowed, Then};
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::Success;
use crate::query::Query;
use crate::route::Route;
use crate::view::{self, OperationAnswer, OperationsAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/operations/{id}", get)
            .named(Tag::Operations, "getOperation", "Show an operation")
            .about(
                "At once; or with `wait` as soon as the operation is over or a person must decide, \
                 at the latest after that time.",
            )
            .of("The operation's id.")
            .refuses([DoorCode::NotFound]),
        Route::get("/api/vps/{id}/operations", of_instance)
            .named(
                Tag::Operations,
                "listOperations",
                "List a server's operations",
            )
            .about("Newest first.")
            .of("The server's id.")
            .refuses([Code::InstanceNotFound]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Patience {
    /// How many seconds to wait until the operation is over.
    #[serde(default)]
    #[schemars(range(max = 30))]
    wait: u64,
}

async fn get(
    Then(caller, patience): Then<Allowed<ReadInstances>, Query<Patience>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<OperationAnswer>, ApiError> {
    let id: OperationId = id.parse().map_err(|_text| Error::NotFound("operation"))?;
    let wait: Duration = wait(patience.0.wait)?;
    let operation = platform.operation(&caller.0, id, wait).await?;
    Ok(web::Json(OperationAnswer {
        success: Success,
        operation: view::Operation::from(operation),
    }))
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

async fn of_instance(
    Then(caller, query): Then<Allowed<ReadInstances>, Query<ListQuery>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<OperationsAnswer>, ApiError> {
    let id: InstanceId = instance_id(&id)?;
    let page = PageRequest {
        cursor: query.0.cursor,
        limit: query.0.limit,
    };
    let page = platform.operations(&caller.0, id, &page).await?;
    Ok(web::Json(OperationsAnswer {
        success: Success,
        operations: page.items.into_iter().map(view::Operation::from).collect(),
        next_cursor: page.next,
    }))
}
