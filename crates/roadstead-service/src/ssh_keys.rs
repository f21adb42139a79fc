//! An organization's public SSH keys: kept here, and brought to a vendor when a server needs them.

pub(crate) mod public_key;

use std::collections::HashSet;

use roadstead_core::SshKeyId;
use roadstead_repository::{NewSshKey, SshKey, Tenant};
use serde_json::json;

use self::public_key::{PublicKey, is_meant_as_key};
use crate::error::{Error, FieldError, Result};
use crate::grant::{Grant, ManageKeys, ReadKeys};
use crate::pages::{Cursors, Page, PageRequest};
use crate::platform::Platform;

/// How many keys an organization may have.
const MOST_KEYS: u32 = 200;

/// The most keys of one server.
pub(crate) const MOST_OF_A_SERVER: usize = 50;

/// The field of a create that names keys.
const FIELD: &str = "ssh_keys";

/// A public key to be added to an organization.
#[derive(Clone, Debug)]
pub struct AddSshKey {
    /// The organization's name for it.
    pub name: String,
    /// The key in OpenSSH form.
    pub public_key: String,
}

impl Platform {
    /// Returns a page of the organization's keys, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this list;
    /// [`Error::Unavailable`].
    pub async fn ssh_keys(
        &self,
        grant: &Grant<ReadKeys>,
        page: &PageRequest,
    ) -> Result<Page<SshKey>> {
        let tenant = grant.tenant();
        let cursors = Cursors::of_ssh_keys(&self.repository, &tenant);
        let before = page.cursor.as_deref().map(|it| cursors.open_id(it));
        let before = before.transpose()?.map(SshKeyId);
        let limit = page.checked_limit()?;
        // One more tells whether the list goes on.
        let more = limit.saturating_add(1);
        let items = self.repository.list_ssh_keys(&tenant, before, more).await?;
        Ok(cursors.cut(items, limit, |it| it.id.0))
    }

    /// Adds a key to the organization. No vendor hears of it before a server needs it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every wrong field; [`Error::Conflict`] when the organization has
    /// the key or the name already; [`Error::QuotaExceeded`]; [`Error::KeyReused`].
    pub async fn add_ssh_key(&self, grant: &Grant<ManageKeys>, add: AddSshKey) -> Result<SshKey> {
        let mut faults = Vec::new();
        let name = add.name.trim();
        let length = name.chars().count();
        if length == 0 || length > 100 || name.chars().any(char::is_control) {
            faults.push(FieldError {
                field: "name".into(),
                error: "a name has 1 to 100 visible characters".to_owned(),
            });
        }
        let parsed = PublicKey::parse(&add.public_key).map_err(|error| FieldError {
            field: "public_key".into(),
            error,
        });
        let public = match parsed {
            Ok(public) if faults.is_empty() => public,
            Ok(_) => return Err(Error::Invalid(faults)),
            Err(fault) => {
                faults.push(fault);
                return Err(Error::Invalid(faults));
            }
        };
        let new = NewSshKey {
            id: SshKeyId::fresh(),
            name: name.to_owned(),
            kind: public.kind.to_owned(),
            public_key: public.text,
            comment: public.comment,
            fingerprint: public.fingerprint,
        };
        let mut audit = grant.audit("ssh_key.create", new.id.to_string());
        audit.details = json!({ "name": new.name, "fingerprint": new.fingerprint });
        Ok(self
            .repository
            .create_ssh_key(&grant.tenant(), new, MOST_KEYS, audit)
            .await?)
    }

    /// Removes a key from the organization. The vendors at which we placed it for nobody else
    /// lose it soon; servers that were made with it keep it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, or if it is another organization's;
    /// [`Error::KeyReused`].
    pub async fn delete_ssh_key(&self, grant: &Grant<ManageKeys>, id: SshKeyId) -> Result<()> {
        let audit = grant.audit("ssh_key.delete", id.to_string());
        Ok(self
            .repository
            .delete_ssh_key(&grant.tenant(), id, audit)
            .await?)
    }

    /// Reads the keys that a create names: ids of the organization's keys, public keys in full,
    /// and what only the vendor can know. A key that is named twice counts once.
    pub(crate) async fn keys_of_create(&self, tenant: &Tenant, given: &[String]) -> Result<Keys> {
        let mut keys = Keys::default();
        if given.len() > MOST_OF_A_SERVER {
            keys.fault(format!("at most {MOST_OF_A_SERVER} keys"));
            return Ok(keys);
        }
        let ids: Vec<SshKeyId> = given.iter().filter_map(|it| own_id(it)).collect();
        let own = self.repository.find_ssh_keys(tenant, &ids).await?;
        let mut seen = HashSet::new();
        for (number, text) in (1..).zip(given) {
            let key = match own_id(text) {
                Some(id) => match own.iter().find(|it| it.id == id) {
                    Some(own) => Ok(Key::of_ours(own)),
                    None => Err(format!("there is no SSH key `{id}` in this organization")),
                },
                None if is_meant_as_key(text) => PublicKey::parse(text).map(|it| Key::given(&it)),
                // Ids and fingerprints of keys that are at the vendor.
                None => Ok(Key::at_vendor(text)),
            };
            match key {
                Ok(key) => {
                    if seen.insert(key.fingerprint.clone().unwrap_or_else(|| key.text.clone())) {
                        keys.named.push(key);
                    }
                }
                Err(fault) if given.len() == 1 => keys.fault(fault),
                Err(fault) => keys.fault(format!("key {number}: {fault}")),
            }
        }
        Ok(keys)
    }
}

/// The keys that a create names.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Those that can be used.
    pub(crate) named: Vec<Key>,
    /// What is wrong with the others.
    pub(crate) faults: Vec<FieldError>,
}

impl Keys {
    fn fault(&mut self, error: String) {
        self.faults.push(FieldError {
            field: FIELD.into(),
            error,
        });
    }
}

/// A key that a create names.
#[derive(Debug)]
pub(crate) struct Key {
    /// The public key in full, or the vendor's id.
    pub(crate) text: String,
    /// SHA-256 of the public key; `None` for a vendor's id.
    pub(crate) fingerprint: Option<String>,
    /// Which one of the organization's it is, with its name.
    pub(crate) own: Option<(SshKeyId, String)>,
}

impl Key {
    fn of_ours(key: &SshKey) -> Self {
        let text = if key.comment.is_empty() {
            key.public_key.clone()
        } else {
            format!("{} {}", key.public_key, key.comment)
        };
        Self {
            text,
            fingerprint: Some(key.fingerprint.clone()),
            own: Some((key.id, key.name.clone())),
        }
    }

    fn given(key: &PublicKey) -> Self {
        Self {
            text: key.line(),
            fingerprint: Some(key.fingerprint.clone()),
            own: None,
        }
    }

    fn at_vendor(id: &str) -> Self {
        Self {
            text: id.trim().to_owned(),
            fingerprint: None,
            own: None,
        }
    }
}

/// Reads an id of ours. Vendors' ids are numbers and fingerprints.
fn own_id(text: &str) -> Option<SshKeyId> {
    let text = text.trim();
    // Only in its usual form: 32 digits in a row may be anything.
    (text.len() == 36).then(|| text.parse().ok()).flatten()
}
