//! Operations: read, and waited for.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use roadstead_core::{InstanceId, OperationId};
use roadstead_service::{Error, Platform, ReadInstances};
use serde::Deserialize;
use serde_json::json;

use super::vps::{instance_id, wait};
use crate::allowed::{Allowed, Then};
use crate::error::ApiError;
use crate::query::Query;
use crate::view;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patience {
    #[serde(default)]
    wait: u64,
}

#[get("/api/operations/{id}")]
pub(super) async fn get(
    Then(caller, patience): Then<Allowed<ReadInstances>, Query<Patience>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let id: OperationId = id.parse().map_err(|_text| Error::NotFound("operation"))?;
    let wait: Duration = wait(patience.0.wait)?;
    let operation = platform.operation(&caller.0, id, wait).await?;
    let operation = view::Operation::from(operation);
    Ok(HttpResponse::Ok().json(json!({ "success": true, "operation": operation })))
}

#[get("/api/vps/{id}/operations")]
pub(super) async fn of_instance(
    caller: Allowed<ReadInstances>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let id: InstanceId = instance_id(&id)?;
    let operations = platform.operations(&caller.0, id).await?;
    let operations: Vec<_> = operations.into_iter().map(view::Operation::from).collect();
    let answer = json!({ "success": true, "operations": operations, "next_cursor": null });
    Ok(HttpResponse::Ok().json(answer))
}
