//! Vendor accounts as members and operators see them: never with a token.

use std::collections::BTreeMap;

use jiff::Timestamp;
use roadstead_core::{Descriptor, ProviderId};
use roadstead_service::{Registered, Verification};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Health, Sweep};
use crate::openapi::words::{self, Id};

/// An account as members see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Provider {
    /// Its id, for `provider_id`.
    #[schemars(with = "Id")]
    id: ProviderId,
    /// The operator's name for it.
    #[schemars(example = &"Main account")]
    name: String,
    /// Which provider it is, for `provider_type`.
    #[serde(rename = "type")]
    #[schemars(example = &"acme")]
    kind: String,
    /// What the provider can do.
    #[schemars(with = "words::Descriptor")]
    descriptor: Descriptor,
}

impl From<Registered> for Provider {
    fn from(it: Registered) -> Self {
        Self {
            id: it.record.id,
            name: it.record.name,
            kind: it.record.kind.to_string(),
            descriptor: it.descriptor,
        }
    }
}

/// An account as operators see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProviderAccount")]
pub(crate) struct AdminProvider {
    /// Its id.
    #[schemars(with = "Id")]
    id: ProviderId,
    /// The operator's name for it.
    #[schemars(example = &"Main account")]
    name: String,
    /// Which provider it is.
    #[serde(rename = "type")]
    #[schemars(example = &"acme")]
    kind: String,
    /// Whether it may be used. Where it may not, servers can still be deleted.
    #[schemars(example = true)]
    active: bool,
    /// Its place in the operator's order, from 0.
    #[schemars(range(min = 0))]
    position: i32,
    /// Settings that are no secret, as given; else `{}`.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    configuration: serde_json::Value,
    /// The account's identity at the provider; `null` until it was learned.
    #[schemars(example = &"b9c1e4…")]
    fingerprint: Option<String>,
    /// Whether the provider knows the token.
    verification: VerificationView,
    /// What the provider can do.
    #[schemars(with = "words::Descriptor")]
    descriptor: Descriptor,
    /// When it was registered.
    created_at: Timestamp,
    /// When our record last changed.
    updated_at: Timestamp,
    /// How it has been doing; only where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Health>,
    /// How it was last compared with our books; only where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<Sweep>,
}

impl AdminProvider {
    /// Tells how it has been doing, too.
    pub(crate) fn with_health(mut self, health: impl Into<Health>) -> Self {
        self.health = Some(health.into());
        self
    }

    /// Tells how it was last compared with our books, too.
    pub(crate) fn with_sweep(mut self, sweep: Option<impl Into<Sweep>>) -> Self {
        self.sweep = sweep.map(Into::into);
        self
    }
}

/// Whether the provider knows an account's token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verification")]
struct VerificationView {
    /// `verified`: the provider knew it, `at` that time. `unverified`: the provider could not be
    /// asked yet; it is asked before anything is sent. `refused`: the provider refuses it since
    /// `at`, or it belongs to another account; nothing is sent with it until that has changed.
    #[schemars(schema_with = "words::verification")]
    state: &'static str,
    /// Why, where there is something to say; else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"the provider could not be reached")]
    reason: Option<String>,
    /// When the provider said so; absent before it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}

impl From<Verification> for VerificationView {
    fn from(it: Verification) -> Self {
        match it {
            Verification::Unverified { reason } => Self {
                state: "unverified",
                reason,
                at: None,
            },
            Verification::Verified { at } => Self {
                state: "verified",
                reason: None,
                at: Some(at),
            },
            Verification::Refused { reason, at } => Self {
                state: "refused",
                reason: Some(reason),
                at: Some(at),
            },
        }
    }
}

impl From<Registered> for AdminProvider {
    fn from(it: Registered) -> Self {
        Self {
            id: it.record.id,
            name: it.record.name,
            kind: it.record.kind.to_string(),
            active: it.record.active,
            position: it.record.position,
            configuration: it.record.configuration,
            fingerprint: it.record.fingerprint,
            verification: it.record.verification.into(),
            descriptor: it.descriptor,
            created_at: it.record.created_at,
            updated_at: it.record.updated_at,
            health: None,
            sweep: None,
        }
    }
}
