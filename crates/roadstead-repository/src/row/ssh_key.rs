//! Rows of `ssh_keys` and `ssh_key_placements`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use roadstead_core::{ProviderId, SshKeyId};

use crate::Tenant;
use crate::record;
use crate::schema::{ssh_key_placements, ssh_keys};
use crate::types::{Id, Time};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = ssh_keys)]
pub(crate) struct SshKey {
    pub(crate) id: Id,
    pub(crate) organization_id: Id,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) public_key: String,
    pub(crate) comment: String,
    pub(crate) fingerprint: String,
    pub(crate) created_at: Time,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = ssh_key_placements)]
pub(crate) struct Placement {
    pub(crate) provider_id: Id,
    pub(crate) fingerprint: String,
    pub(crate) public_key: String,
    pub(crate) remote_name: String,
    pub(crate) remote_id: Option<String>,
    pub(crate) epoch: i64,
    pub(crate) asked_at: Time,
    pub(crate) due_at: Time,
    pub(crate) failures: i32,
    pub(crate) created_at: Time,
}

impl SshKey {
    pub(crate) fn new(tenant: &Tenant, new: &record::NewSshKey, now: Time) -> Self {
        Self {
            id: Id(new.id.0),
            organization_id: Id(tenant.org.0),
            name: new.name.clone(),
            kind: new.kind.clone(),
            public_key: new.public_key.clone(),
            comment: new.comment.clone(),
            fingerprint: new.fingerprint.clone(),
            created_at: now,
        }
    }

    pub(crate) fn into_record(self) -> record::SshKey {
        record::SshKey {
            id: SshKeyId(self.id.0),
            name: self.name,
            kind: self.kind,
            public_key: self.public_key,
            comment: self.comment,
            fingerprint: self.fingerprint,
            created_at: self.created_at.0,
        }
    }
}

impl Placement {
    pub(crate) fn new(provider: Id, new: &record::NewPlacement, now: Time) -> Self {
        Self {
            provider_id: provider,
            fingerprint: new.fingerprint.clone(),
            public_key: new.public_key.clone(),
            remote_name: new.remote_name.clone(),
            remote_id: None,
            epoch: 0,
            asked_at: now,
            due_at: now,
            failures: 0,
            created_at: now,
        }
    }

    pub(crate) fn into_record(self) -> record::Placement {
        record::Placement {
            provider: ProviderId(self.provider_id.0),
            fingerprint: self.fingerprint,
            public_key: self.public_key,
            remote_name: self.remote_name,
            remote_id: self.remote_id,
            epoch: self.epoch,
        }
    }
}
