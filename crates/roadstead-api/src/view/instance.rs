//! Servers and operations as clients see them.

use jiff::Timestamp;
use roadstead_core::{Address, InstanceId, OperationId, ProviderId};
use roadstead_service as service;
use roadstead_service::public_field;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Price, Sale};
use crate::openapi::words::{self, Id};

/// A server.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Instance {
    /// Ours.
    #[schemars(with = "Id")]
    id: InstanceId,
    /// The account it is at.
    #[schemars(with = "Id")]
    provider_id: ProviderId,
    /// Which provider that is.
    #[schemars(example = &"acme")]
    provider_type: String,
    /// The provider's own id; `null` until the provider has confirmed the server.
    #[schemars(example = &"3164494")]
    provider_instance_id: Option<String>,
    /// The member's name for it.
    #[schemars(example = &"test-server")]
    label: String,
    /// What it is doing, as last seen (`provisioning` also means accepted here, `unknown` that
    /// the provider uses a word that this version does not know); or how its life has come to an
    /// end: `failed` never came to be, `missing` is gone although nobody here asked, and of one
    /// in `attention` a person must decide. `problem` says why.
    #[schemars(schema_with = "words::status")]
    status: &'static str,
    /// The provider's id of the plan; empty on an imported server of which it does not say.
    #[serde(rename = "type")]
    #[schemars(example = &"s-1vcpu-1gb")]
    plan: String,
    /// The provider's id of the region.
    #[schemars(example = &"nyc3")]
    region: String,
    /// The provider's id of the image; empty on an imported server of which it does not say.
    #[schemars(example = &"ubuntu-22-04-x64")]
    image: String,
    /// Virtual processors.
    #[schemars(example = 1)]
    vcpus: u32,
    /// Memory.
    #[schemars(example = 1024)]
    memory_mib: u64,
    /// Local disk; `null` where disks are bought apart.
    #[schemars(example = 25)]
    disk_gib: Option<u64>,
    /// Where it can be reached.
    #[schemars(with = "Vec<words::Address>")]
    addresses: Vec<Address>,
    /// The member's tags.
    #[schemars(example = ["web"])]
    tags: Vec<String>,
    /// The member's notes.
    #[schemars(example = &"behind the load balancer")]
    notes: String,
    /// What it costs, fixed when it was accepted; `null` where the provider does not say.
    price: Option<Price>,
    /// Under which terms it was sold by a plan on sale; absent where the provider's plan was asked
    /// for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    /// Why it failed, that it was released, or what a person must decide, as a sentence; else
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"the provider has no room for this plan")]
    problem: Option<String>,
    /// When the provider was last seen to have it; `null` before the first time. An old time means
    /// that the provider could not be read, or does not list the server.
    observed_at: Option<Timestamp>,
    /// When it was accepted.
    created_at: Timestamp,
    /// When our record last changed.
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
            sale: it.sale.map(Sale::from),
            problem: it.problem,
            observed_at: it.observed_at,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// Something that was asked for, on record until it is over.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Operation {
    /// Its own.
    #[schemars(with = "Id")]
    id: OperationId,
    /// The server's.
    #[schemars(with = "Id")]
    instance_id: InstanceId,
    /// What was asked for.
    #[schemars(schema_with = "words::operation_kind")]
    kind: &'static str,
    /// How far it is: `ready` to be sent, `leased` by a worker, `sent`, `unknown` (the provider's
    /// answer was lost), `resolving` (being looked for at the provider before anything is sent
    /// again), `waiting` (the provider has accepted), `succeeded`, `failed`; or `attention`: a
    /// person must decide, and nothing more happens by itself.
    #[schemars(schema_with = "words::operation_state")]
    state: &'static str,
    /// Percent, where the provider says; else `null`.
    #[schemars(range(max = 100), example = 40)]
    progress: Option<u8>,
    /// On one that failed: why. On one that is not over: why it waits; it goes on by itself. Else
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
    /// When it was accepted.
    created_at: Timestamp,
    /// When it last moved.
    updated_at: Timestamp,
    /// When it ended; `null` before.
    finished_at: Option<Timestamp>,
}

/// Why an operation failed, or what it waits for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OperationError")]
pub(super) struct Failure {
    /// For programs; one of the codes of errors.
    #[schemars(example = &"INSUFFICIENT_RESOURCES")]
    code: String,
    /// For people.
    #[schemars(example = &"the provider has no room for this plan")]
    error: String,
    /// The field of the request that it is about, where there is one; else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"region")]
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
            error: it.error.map(Failure::from),
            created_at: it.created_at,
            updated_at: it.updated_at,
            finished_at: it.finished_at,
        }
    }
}

impl From<service::ErrorRecord> for Failure {
    fn from(it: service::ErrorRecord) -> Self {
        Self {
            code: it.code,
            error: it.message,
            field: it.field.as_deref().map(public_field).map(str::to_owned),
        }
    }
}
