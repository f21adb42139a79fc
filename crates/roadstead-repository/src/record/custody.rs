//! Servers that come into our books from elsewhere, and those that leave them alive.

use jiff::Timestamp;
use roadstead_core::{InstanceId, OrgId, ProviderId, RemoteId};

use super::{NewInstance, OperationState};

/// A server at a vendor that is to be taken into our books.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// At which vendor account.
    pub provider: ProviderId,
    /// Its id there.
    pub remote: RemoteId,
    /// When the vendor made it, where it says.
    pub remote_created_at: Option<Timestamp>,
    /// Whose account that is.
    pub fingerprint: String,
    /// What it becomes.
    pub becomes: Becomes,
    /// The entry of the quarantine that was decided about, if one was.
    pub quarantined: Option<uuid::Uuid>,
}

/// What an imported server becomes in our books.
#[derive(Clone, Debug)]
pub enum Becomes {
    /// A new server of an organization.
    New(OrgId, Box<NewInstance>),
    /// The server whose mark it carries, which had failed or was deleted.
    Again(InstanceId),
}

/// By what an imported server is known to be the one that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// When the vendor made it, where it said so.
    pub remote_created_at: Option<Timestamp>,
    /// Whose account that was.
    pub fingerprint: String,
}

/// A server as the vendor showed it when it was let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Its name there.
    pub name: String,
    /// Its tags there.
    pub tags: Vec<String>,
    /// When the vendor made it, where it says.
    pub created: Option<Timestamp>,
}

/// Which open operations of all organizations a list asks for.
#[derive(Clone, Copy, Debug)]
pub struct OpenFilter {
    /// In which state.
    pub state: OperationState,
    /// Only those at this vendor account.
    pub provider: Option<ProviderId>,
    /// Only those of this organization.
    pub organization: Option<OrgId>,
}

impl Default for OpenFilter {
    /// All that wait for a person.
    fn default() -> Self {
        Self {
            state: OperationState::Attention,
            provider: None,
            organization: None,
        }
    }
}
