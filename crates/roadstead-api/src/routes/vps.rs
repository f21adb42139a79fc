//! Servers: created, listed, changed, run and deleted.

use std::time::Duration;

use actix_web::{HttpResponse, delete, get, patch, post, web};
use roadstead_core::{InstanceId, ProviderId, Secret, State};
use roadstead_service::{
    CreateServer, Error, Grant, InstanceFilter, InstancePatch, Lifecycle, ManageInstances,
    OperationKind, PageRequest, Platform, ReadInstances,
};
use serde::Deserialize;
use serde_json::json;

use crate::allowed::{Allowed, Then};
use crate::body::{Body, NoBody};
use crate::error::ApiError;
use crate::query::Query;
use crate::view;

/// The longest that an answer can be waited for.
const LONGEST_WAIT: u64 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    provider_id: Option<ProviderId>,
    provider_type: Option<String>,
    label: String,
    #[serde(rename = "type")]
    plan: String,
    region: String,
    image: String,
    #[serde(rename = "rootPassword", alias = "root_password")]
    root_password: Option<Secret<String>>,
    #[serde(default)]
    ssh_keys: Vec<String>,
    user_data: Option<Secret<String>>,
    #[serde(default)]
    backups: bool,
    #[serde(default)]
    ipv6: bool,
    #[serde(default)]
    private_network: bool,
    #[serde(default)]
    tags: Vec<String>,
    options: Option<serde_json::Value>,
    #[serde(default)]
    wait: u64,
}

#[post("/api/vps")]
pub(super) async fn create(
    Then(caller, body): Then<Allowed<ManageInstances>, Body<CreateBody>>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let it = body.value;
    let request = CreateServer {
        provider: it.provider_id,
        kind: it.provider_type,
        label: it.label,
        plan: it.plan,
        region: it.region,
        image: it.image,
        root_password: it.root_password,
        ssh_keys: it.ssh_keys,
        user_data: it.user_data,
        backups: it.backups,
        ipv6: it.ipv6,
        private_network: it.private_network,
        tags: it.tags,
        options: it.options,
        idempotency: body.idempotency,
        wait: wait(it.wait)?,
    };
    let accepted = platform.create_server(&caller.0, request).await?;
    Ok(HttpResponse::Ok().json(json!({
        "success": true,
        "instance": view::Instance::from(accepted.instance),
        "operation": view::Operation::from(accepted.operation),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    status: Option<String>,
    provider_type: Option<String>,
    provider_id: Option<ProviderId>,
    region: Option<String>,
    label: Option<String>,
    tag: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("/api/vps")]
pub(super) async fn list(
    Then(caller, query): Then<Allowed<ReadInstances>, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let query = query.0;
    let limit = query.limit.unwrap_or(50);
    let after = query.cursor.as_deref().map(cursor).transpose()?;
    let filter = InstanceFilter {
        status: query.status.map(status).transpose()?,
        kind: query.provider_type.map(Into::into),
        provider: query.provider_id,
        region: query.region.map(Into::into),
        label: query.label,
        tag: query.tag,
    };
    let page = PageRequest { after, limit };
    let servers = platform.servers(&caller.0, &filter, page).await?;
    let full = usize::try_from(limit).is_ok_and(|it| it == servers.len());
    let next = servers.last().filter(|_| full).map(|it| it.id);
    let instances: Vec<_> = servers.into_iter().map(view::Instance::from).collect();
    let answer = json!({ "success": true, "instances": instances, "next_cursor": next });
    Ok(HttpResponse::Ok().json(answer))
}

#[get("/api/vps/{id}")]
pub(super) async fn get(
    caller: Allowed<ReadInstances>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let server = platform.server(&caller.0, instance_id(&id)?).await?;
    let instance = view::Instance::from(server);
    Ok(HttpResponse::Ok().json(json!({ "success": true, "instance": instance })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatchBody {
    label: Option<String>,
    tags: Option<Vec<String>>,
    notes: Option<String>,
}

#[patch("/api/vps/{id}")]
pub(super) async fn change(
    Then(caller, body): Then<Allowed<ManageInstances>, Body<PatchBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    let PatchBody { label, tags, notes } = body.value;
    let patch = InstancePatch { label, tags, notes };
    let server = platform
        .change_server(&caller.0, instance_id(&id)?, patch)
        .await?;
    let instance = view::Instance::from(server);
    Ok(HttpResponse::Ok().json(json!({ "success": true, "instance": instance })))
}

#[post("/api/vps/{id}/boot")]
pub(super) async fn boot(
    Then(caller, body): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Boot, body).await
}

#[post("/api/vps/{id}/shutdown")]
pub(super) async fn shutdown(
    Then(caller, body): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Shutdown, body).await
}

#[post("/api/vps/{id}/reboot")]
pub(super) async fn reboot(
    Then(caller, body): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Reboot, body).await
}

#[post("/api/vps/{id}/power-off")]
pub(super) async fn power_off(
    Then(caller, body): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::PowerOff, body).await
}

#[delete("/api/vps/{id}")]
pub(super) async fn delete(
    Then(caller, body): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<HttpResponse, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Delete, body).await
}

async fn act(
    platform: &Platform,
    grant: &Grant<ManageInstances>,
    id: &str,
    kind: OperationKind,
    body: NoBody,
) -> Result<HttpResponse, ApiError> {
    let accepted = platform
        .act(grant, instance_id(id)?, kind, body.idempotency)
        .await?;
    Ok(HttpResponse::Ok().json(json!({
        "success": true,
        "instance": view::Instance::from(accepted.instance),
        "operation": view::Operation::from(accepted.operation),
    })))
}

/// What is no id cannot be anybody's server.
pub(super) fn instance_id(text: &str) -> Result<InstanceId, ApiError> {
    Ok(text.parse().map_err(|_text| Error::NoSuchInstance)?)
}

pub(super) fn wait(seconds: u64) -> Result<Duration, ApiError> {
    if seconds > LONGEST_WAIT {
        let message = format!("must be between 0 and {LONGEST_WAIT} seconds");
        return Err(ApiError::validation("wait".to_owned(), message));
    }
    Ok(Duration::from_secs(seconds))
}

fn cursor(text: &str) -> Result<InstanceId, ApiError> {
    text.parse().map_err(|_text| {
        let message = "this is no cursor; use `next_cursor` of the page before";
        ApiError::validation("cursor".to_owned(), message)
    })
}

fn status(word: String) -> Result<String, ApiError> {
    // The words that a server can show: what it is doing, or how its life has come to an end.
    let lives = [Lifecycle::Failed, Lifecycle::Missing, Lifecycle::Attention];
    let words: Vec<_> = State::ALL
        .iter()
        .map(|it| it.as_str())
        .chain(lives.iter().map(|it| it.as_str()))
        .collect();
    if words.contains(&word.as_str()) {
        return Ok(word);
    }
    let message = format!("must be one of {}", words.join(", "));
    Err(ApiError::validation("status".to_owned(), message))
}
