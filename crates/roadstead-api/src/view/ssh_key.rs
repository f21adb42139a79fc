//! SSH keys as clients see them.

use jiff::Timestamp;
use roadstead_core::SshKeyId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::words::Id;

/// A public key of the organization.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SshKey {
    /// Its id, by which a create names it.
    #[schemars(with = "Id")]
    id: SshKeyId,
    /// The organization's name for it.
    #[schemars(example = &"laptop")]
    name: String,
    /// Its algorithm, as OpenSSH spells it.
    #[schemars(example = &"ssh-ed25519")]
    kind: String,
    /// The key in OpenSSH form, without the comment.
    #[schemars(example = &"ssh-ed25519 AAAAC3Nz…")]
    public_key: String,
    /// What followed the key; may be empty.
    #[schemars(example = &"you@example.com")]
    comment: String,
    /// As `ssh-keygen -l` prints it.
    #[schemars(example = &"SHA256:Ike36bDIpaFRaPl8PuMjF9qiRRpO30CKVbRAQSnoNjE")]
    fingerprint: String,
    /// When it was added.
    created_at: Timestamp,
}

impl From<roadstead_service::SshKey> for SshKey {
    fn from(it: roadstead_service::SshKey) -> Self {
        Self {
            id: it.id,
            name: it.name,
            kind: it.kind,
            public_key: it.public_key,
            comment: it.comment,
            fingerprint: it.fingerprint,
            created_at: it.created_at,
        }
    }
}
