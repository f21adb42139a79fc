//! What operators see of the sweep.

use jiff::Timestamp;
use roadstead_core::{InstanceId, ProviderId};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

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
    /// is missing. `dismissed`: a person took that server off our books.
    #[schemars(schema_with = "words::doubt")]
    reason: &'static str,
    /// When a sweep first saw it.
    first_seen_at: Timestamp,
    /// When a sweep last saw it.
    last_seen_at: Timestamp,
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
