//! Servers and operations as clients see them.

use jiff::Timestamp;
use roadstead_core::{Address, InstanceId, OperationId, ProviderId};
use roadstead_service as service;
use roadstead_service::public_field;
use serde::Serialize;

use super::Price;

/// A server.
#[derive(Debug, Serialize)]
pub(crate) struct Instance {
    id: InstanceId,
    provider_id: ProviderId,
    provider_type: String,
    provider_instance_id: Option<String>,
    label: String,
    status: &'static str,
    #[serde(rename = "type")]
    plan: String,
    region: String,
    image: String,
    vcpus: u32,
    memory_mib: u64,
    disk_gib: Option<u64>,
    addresses: Vec<Address>,
    tags: Vec<String>,
    notes: String,
    price: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    observed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<service::Instance> for Instance {
    fn from(it: service::Instance) -> Self {
        Self {
            id: it.id,
            provider_id: it.provider,
            provider_type: it.kind.to_string(),
            status: it.public_status(),
            provider_instance_id: it.remote.map(|it| it.to_string()),
            label: it.label,
            plan: it.specification.plan.to_string(),
            region: it.specification.region.to_string(),
            image: it.specification.image.to_string(),
            vcpus: it.specification.vcpus,
            memory_mib: it.specification.memory.0,
            disk_gib: it.specification.disk.map(|it| it.whole_gib()),
            addresses: it.addresses,
            tags: it.tags,
            notes: it.notes,
            price: it.price.as_ref().map(Price::from),
            problem: it.problem,
            observed_at: it.observed_at,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// An operation.
#[derive(Debug, Serialize)]
pub(crate) struct Operation {
    id: OperationId,
    instance_id: InstanceId,
    kind: &'static str,
    state: &'static str,
    progress: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
    created_at: Timestamp,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// Why an operation failed, or what it waits for.
#[derive(Debug, Serialize)]
struct Failure {
    code: String,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl From<service::Operation> for Operation {
    fn from(it: service::Operation) -> Self {
        Self {
            id: it.id,
            instance_id: it.instance,
            kind: it.kind.as_str(),
            state: it.state.as_str(),
            progress: it.progress,
            error: it.error.map(|it| Failure {
                code: it.code,
                error: it.message,
                field: it.field.as_deref().map(public_field).map(str::to_owned),
            }),
            created_at: it.created_at,
            updated_at: it.updated_at,
            finished_at: it.finished_at,
        }
    }
}
