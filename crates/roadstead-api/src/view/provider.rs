//! Vendor accounts as members and operators see them: never with a token.

use jiff::Timestamp;
use roadstead_core::{Descriptor, ProviderId};
use roadstead_service::{Registered, Verification};
use serde::Serialize;

/// An account as members see it.
#[derive(Debug, Serialize)]
pub(crate) struct Provider {
    id: ProviderId,
    name: String,
    #[serde(rename = "type")]
    kind: String,
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
#[derive(Debug, Serialize)]
pub(crate) struct AdminProvider {
    id: ProviderId,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    active: bool,
    position: i32,
    configuration: serde_json::Value,
    fingerprint: Option<String>,
    verification: VerificationView,
    descriptor: Descriptor,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct VerificationView {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
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
        }
    }
}
