//! A registered vendor account.

use jiff::Timestamp;
use roadstead_core::{ProviderId, ProviderKind, Secret};
use serde::{Deserialize, Serialize};

/// A registered vendor account, without its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Ours.
    pub id: ProviderId,
    /// Which vendor.
    pub kind: ProviderKind,
    /// The operator's name for it.
    pub name: String,
    /// Settings that are no secret.
    pub configuration: serde_json::Value,
    /// Whether servers may be created there.
    pub active: bool,
    /// Place in the operator's order, from 0.
    pub position: i32,
    /// The account's identity at the vendor, once verified.
    pub fingerprint: Option<String>,
    /// What the vendor last said to the token.
    pub verification: Verification,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows when its catalogues are to be forgotten.
    pub catalogue_epoch: i64,
}

/// What the vendor last said to an account's token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Not asked yet, or the vendor could not be reached.
    Unverified {
        /// Why, for the operator.
        reason: Option<String>,
    },
    /// It is good.
    Verified {
        /// When it last was.
        at: Timestamp,
    },
    /// The vendor refuses it. Nothing is sent to the vendor with it until it changes.
    Refused {
        /// Our sentence, for the operator.
        reason: String,
        /// Since when.
        at: Timestamp,
    },
}

/// A vendor account that is being added.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// Ours.
    pub id: ProviderId,
    /// Which vendor.
    pub kind: ProviderKind,
    /// The operator's name for it.
    pub name: String,
    /// Settings that are no secret.
    pub configuration: serde_json::Value,
    /// The vendor's token, or its credentials as JSON text; sealed on the way in.
    pub token: Secret<String>,
    /// The account's identity at the vendor, once verified.
    pub fingerprint: Option<String>,
    /// What the vendor said to the token.
    pub verification: Verification,
}

/// A change to a vendor account; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct ProviderPatch {
    /// The operator's name for it.
    pub name: Option<String>,
    /// Whether servers may be created there.
    pub active: Option<bool>,
    /// Settings that are no secret.
    pub configuration: Option<serde_json::Value>,
    /// A new token with what the vendor said to it and whose it is.
    pub token: Option<(Secret<String>, Verification, Option<String>)>,
}
