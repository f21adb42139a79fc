//! What operators see of the sweep, and of servers that are nobody's, missing or taken in.

use jiff::Timestamp;
use roadstead_core::{Address, InstanceId, OrgId, ProviderId};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Instance, Operation};
use crate::openapi::words::{self, Id, Success};

/// How the last comparison of an account with our books has ended, and what is pending.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sweep {
    /// `completed`; `capped`: more would have to be deleted, or is gone, than one sweep believes,
    /// and somebody should look; `frozen`; `failed`. `null` before the first one.
    #[schemars(schema_with = "words::sweep_outcome")]
    outcome: Option<&'static str>,
    /// Why it did not complete; else `null`.
    #[schemars(example = &"2 more servers are to be deleted than the 3 that one sweep may delete")]
    reason: Option<String>,
    /// When the last one ended.
    ended_at: Option<Timestamp>,
    /// When the account was last read completely.
    completed_at: Option<Timestamp>,
    /// When the next one is due.
    due_at: Timestamp,
    /// How many servers the account has, ours or not.
    #[schemars(example = 12)]
    seen: u64,
    /// How many the last one has asked the provider to delete.
    #[schemars(example = 0)]
    deleted: u64,
    /// How many it has left alone because they were too many.
    #[schemars(example = 0)]
    held_back: u64,
    /// Servers at the provider that nobody wants: they are deleted once they were seen twice.
    #[schemars(example = 0)]
    doomed: u64,
    /// Servers at the provider that carry our mark and that nobody here can vouch for.
    #[schemars(example = 0)]
    quarantined: u64,
    /// Servers that the provider has no more, though nobody here asked for that.
    #[schemars(example = 0)]
    missing: u64,
}

impl From<roadstead_service::Sweep> for Sweep {
    fn from(it: roadstead_service::Sweep) -> Self {
        Self {
            outcome: it.outcome.map(roadstead_service::SweepOutcome::as_str),
            reason: it.reason,
            ended_at: it.ended_at,
            completed_at: it.completed_at,
            due_at: it.due_at,
            seen: it.seen,
            deleted: it.deleted,
            held_back: it.held_back,
            doomed: it.doomed,
            quarantined: it.quarantined,
            missing: it.missing,
        }
    }
}

/// A server at a provider that carries our mark and that nobody here can vouch for. It is never
/// deleted by itself.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Quarantined {
    /// Its own.
    #[schemars(with = "Id")]
    id: Uuid,
    /// At which account it is.
    #[schemars(with = "Id")]
    provider_id: ProviderId,
    /// Its id at the provider.
    #[schemars(example = &"3164494")]
    remote_id: String,
    /// Its name there.
    #[schemars(example = &"web-0d3p1ab2s9t6k0ub2qv9c1d4e8")]
    name: String,
    /// Its tags there.
    #[schemars(example = &["rs:d:a1b2c3d4"])]
    tags: Vec<String>,
    /// When the provider made it; `null` where it does not say.
    remote_created_at: Option<Timestamp>,
    /// The server that its mark names; our books need not have it. `null` where it names none.
    #[schemars(with = "Option<Id>")]
    instance_id: Option<InstanceId>,
    /// `unknown`: our books have no such server, as after a restored backup, or with a second
    /// installation. `unnamed`: it names no server. `ambiguous`: its name and its tags name
    /// different ones. `other_account`, `other_deployment`: it names one of another account, or
    /// carries another installation's mark as well. `unasked`: nothing was ever sent to make it.
    /// `undated`, `older`, `later`: the provider does not say when it was made, or it was made
    /// before it was asked for, or long after, as a copy is. `missing`: the server that it names
    /// is missing. `dismissed`: a person took that server off our books, or wanted this one in them.
    #[schemars(schema_with = "words::doubt")]
    reason: &'static str,
    /// When a sweep first saw it.
    first_seen_at: Timestamp,
    /// When a sweep last saw it.
    last_seen_at: Timestamp,
    /// `open` until something has become of it: it was `imported`, `released` (left alone) or
    /// `deleted` by an operator, is `gone` at the provider, or `cleared`, because our books vouch
    /// for it or it carries our mark no more.
    #[schemars(schema_with = "words::quarantine_state")]
    state: &'static str,
    /// An operator's decision to delete it; `null` without one.
    deletion: Option<Deletion>,
}

/// An operator's decision to delete a quarantined server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "QuarantineDeletion")]
pub(crate) struct Deletion {
    /// When it was decided.
    decided_at: Timestamp,
    /// When the provider was last asked to delete it; `null` before.
    sent_at: Option<Timestamp>,
    /// Why it is not deleted after all; decide anew. Else `null`.
    #[schemars(example = &"it has another name by now")]
    problem: Option<String>,
}

impl From<roadstead_service::DeleteOrder> for Deletion {
    fn from(it: roadstead_service::DeleteOrder) -> Self {
        Self {
            decided_at: it.created_at,
            sent_at: it.sent_at,
            problem: it.refusal,
        }
    }
}

impl From<roadstead_service::Quarantined> for Quarantined {
    fn from(it: roadstead_service::Quarantined) -> Self {
        Self {
            id: it.id,
            provider_id: it.provider,
            remote_id: it.remote.to_string(),
            name: it.name,
            tags: it.tags,
            remote_created_at: it.remote_created_at,
            instance_id: it.instance,
            reason: it.doubt.as_str(),
            first_seen_at: it.first_seen_at,
            last_seen_at: it.last_seen_at,
            state: it.state.as_str(),
            deletion: it.order.map(Deletion::from),
        }
    }
}

/// A page of the quarantine.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuarantineAnswer {
    pub(crate) success: Success,
    /// The servers, those that were seen first before the others.
    pub(crate) quarantine: Vec<Quarantined>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AAGToeBcfns6nVJvHC6KSxA")]
    pub(crate) next_cursor: Option<String>,
}

/// What became of a decision about a quarantined server.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DecidedAnswer {
    pub(crate) success: Success,
    /// The server as it is in the quarantine now; absent where it was adopted. One that is to be
    /// deleted is `open` until it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quarantined: Option<Quarantined>,
    /// The server that it becomes; absent unless it was adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<Instance>,
    /// The operation that takes it in; absent unless it was adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Operation>,
}

/// A server that its provider has no more, though nobody here asked for that.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MissingServer {
    /// Whose it is.
    #[schemars(with = "Id")]
    organization_id: OrgId,
    /// The server.
    instance: Instance,
}

impl From<roadstead_service::Instance> for MissingServer {
    fn from(it: roadstead_service::Instance) -> Self {
        Self {
            organization_id: it.organization,
            instance: Instance::from(it),
        }
    }
}

/// A page of the missing servers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MissingAnswer {
    pub(crate) success: Success,
    /// The servers, in the order in which they were made.
    pub(crate) missing: Vec<MissingServer>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AAGToeBcfns6nVJvHC6KSxA")]
    pub(crate) next_cursor: Option<String>,
}

/// A server at a provider that no server of ours is bound to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Importable {
    /// Its id at the provider.
    #[schemars(example = &"3164494")]
    remote_id: String,
    /// Its name there.
    #[schemars(example = &"shop-frontend")]
    name: String,
    /// What it is doing.
    #[schemars(schema_with = "words::power")]
    status: &'static str,
    /// The provider's id of its plan; `null` where it does not say.
    #[serde(rename = "type")]
    #[schemars(example = &"s-1vcpu-1gb")]
    plan: Option<String>,
    /// The provider's id of its region.
    #[schemars(example = &"nyc3")]
    region: String,
    /// The provider's id of its image; `null` where it does not say.
    #[schemars(example = &"ubuntu-22-04-x64")]
    image: Option<String>,
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
    /// Its tags there, our mark among them if it carries it.
    #[schemars(example = &["shop"])]
    tags: Vec<String>,
    /// When the provider made it; `null` where it does not say.
    created_at: Option<Timestamp>,
    /// Its entry in the quarantine; `null` if it has none.
    quarantined: Option<Quarantined>,
    /// Why it cannot be imported; `null` if it can.
    #[schemars(example = &"the provider is deleting it")]
    refusal: Option<String>,
}

impl From<roadstead_service::Importable> for Importable {
    fn from(it: roadstead_service::Importable) -> Self {
        let server = it.server;
        Self {
            remote_id: server.id.to_string(),
            name: server.name.into(),
            status: server.status.state.as_str(),
            plan: server.plan.map(|it| it.to_string()),
            region: server.region.to_string(),
            image: server.image.map(|it| it.to_string()),
            vcpus: server.vcpus,
            memory_mib: server.memory.0,
            disk_gib: server.disk.map(|it| it.whole_gib()),
            addresses: server.addresses,
            tags: server.tags.into_iter().map(Into::into).collect(),
            created_at: server.created,
            quarantined: it.quarantined.map(Quarantined::from),
            refusal: it.refusal,
        }
    }
}

/// Every server of an account that no server of ours is bound to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImportableAnswer {
    pub(crate) success: Success,
    /// All of them, in the provider's order.
    pub(crate) importable: Vec<Importable>,
    /// Always `null`: they come in one page.
    #[schemars(extend("type" = "null"))]
    pub(crate) next_cursor: Option<String>,
}
