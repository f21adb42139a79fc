//! Public SSH keys of organizations, and where the vendors keep them.

use jiff::Timestamp;
use roadstead_core::{ProviderId, SshKeyId};
use serde::{Deserialize, Serialize};

/// A public key of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKey {
    /// Ours.
    pub id: SshKeyId,
    /// The organization's name for it; unique there.
    pub name: String,
    /// Its algorithm, as OpenSSH spells it.
    pub kind: String,
    /// Algorithm and key in OpenSSH form, without the comment.
    pub public_key: String,
    /// What followed the key; may be empty.
    pub comment: String,
    /// SHA-256 of the key as `ssh-keygen -l` prints it; unique in the organization.
    pub fingerprint: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A public key to be added.
#[derive(Clone, Debug)]
pub struct NewSshKey {
    /// Ours.
    pub id: SshKeyId,
    /// The organization's name for it.
    pub name: String,
    /// Its algorithm.
    pub kind: String,
    /// Algorithm and key, without the comment.
    pub public_key: String,
    /// What followed the key.
    pub comment: String,
    /// SHA-256 of the key.
    pub fingerprint: String,
}

/// A public key that a create needs at the vendor.
#[derive(Clone, Debug)]
pub struct NewPlacement {
    /// SHA-256 of the key.
    pub fingerprint: String,
    /// The key in OpenSSH form.
    pub public_key: String,
    /// The name that it gets at the vendor, if it is the first time: no other key there may ever
    /// have it, so that it tells whether we put the key there.
    pub remote_name: String,
}

/// A public key that a vendor account keeps for us, or may keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// At which vendor account.
    pub provider: ProviderId,
    /// SHA-256 of the key.
    pub fingerprint: String,
    /// The key in OpenSSH form.
    pub public_key: String,
    /// The name that the key has there if we put it there.
    pub remote_name: String,
    /// The vendor's id; `None` while it has to be asked for.
    pub remote_id: Option<String>,
    /// Grows whenever a create takes hold of it or a removal begins.
    pub(crate) epoch: i64,
}
