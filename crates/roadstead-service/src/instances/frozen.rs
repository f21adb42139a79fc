//! A creating request as it is kept between acceptance and the vendor's answer.

use roadstead_core::{CreateInstance, CreateKey, Market, Secret, SshKeyId};
use roadstead_repository::Request;
use serde::{Deserialize, Serialize};

use super::CreateServer;
use crate::error::{Error, Result};
use crate::ssh_keys::Key;

/// Which of the keys of a request were the organization's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OwnKey {
    pub(crate) id: SshKeyId,
    pub(crate) name: String,
    pub(crate) fingerprint: String,
}

/// The member of [`Plain`] for what is left to do.
const AFTERWARDS: &str = "afterwards";

/// What is no secret.
#[derive(Debug, Serialize, Deserialize)]
struct Plain {
    plan: String,
    region: String,
    image: String,
    /// Public keys in full, so that the request is whole whatever becomes of ours meanwhile; or
    /// the vendor's ids.
    ssh_keys: Vec<String>,
    #[serde(default)]
    own_keys: Vec<OwnKey>,
    tags: Vec<String>,
    backups: bool,
    ipv6: bool,
    private_network: bool,
    #[serde(default)]
    market: Option<Market>,
    /// What is left to do once the server runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    afterwards: Option<serde_json::Value>,
}

/// What is; sealed as soon as it leaves here.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Hidden {
    root_password: Option<String>,
    user_data: Option<String>,
    /// What only the vendor knows may hold passwords of its applications.
    options: Option<serde_json::Value>,
}

/// A creating request on record.
pub(crate) struct FrozenRequest {
    plain: Plain,
    root_password: Option<Secret<String>>,
    user_data: Option<Secret<String>>,
    options: Option<serde_json::Value>,
}

impl FrozenRequest {
    /// Splits a request into what is no secret and what is.
    pub(super) fn freeze(request: &CreateServer, keys: &[Key]) -> Result<Request> {
        let own_key = |key: &Key| {
            let ((id, name), fingerprint) = key.own.clone().zip(key.fingerprint.clone())?;
            Some(OwnKey {
                id,
                name,
                fingerprint,
            })
        };
        let plain = Plain {
            plan: request.plan.clone(),
            region: request.region.clone(),
            image: request.image.clone(),
            ssh_keys: keys.iter().map(|it| it.text.clone()).collect(),
            own_keys: keys.iter().filter_map(own_key).collect(),
            tags: request.tags.clone(),
            backups: request.backups,
            ipv6: request.ipv6,
            private_network: request.private_network,
            market: request.market,
            afterwards: None,
        };
        let exposed = |it: &Option<Secret<String>>| it.as_ref().map(|it| it.expose().clone());
        let hidden = Hidden {
            root_password: exposed(&request.root_password),
            user_data: exposed(&request.user_data),
            options: request.options.clone(),
        };
        let secret = if hidden == Hidden::default() {
            None
        } else {
            let text = serde_json::to_string(&hidden).map_err(internal)?;
            Some(Secret::new(text))
        };
        Ok(Request {
            plain: serde_json::to_value(plain).map_err(internal)?,
            secret,
        })
    }

    /// Keeps what is left to do once the server runs, which is needed when the secrets are wiped.
    pub(super) fn keep_afterwards(request: &mut Request, plan: serde_json::Value) {
        if let Some(plain) = request.plain.as_object_mut() {
            plain.insert(AFTERWARDS.to_owned(), plan);
        }
    }

    /// Returns what is left to do once the server runs.
    pub(crate) fn afterwards(request: &Request) -> Option<&serde_json::Value> {
        request.plain.get(AFTERWARDS)
    }

    /// Puts the two parts together again.
    pub(crate) fn open(request: &Request) -> Result<Self> {
        let plain = serde_json::from_value(request.plain.clone()).map_err(internal)?;
        let hidden: Hidden = match &request.secret {
            Some(secret) => serde_json::from_str(secret.expose()).map_err(internal)?,
            None => Hidden::default(),
        };
        Ok(Self {
            plain,
            root_password: hidden.root_password.map(Secret::new),
            user_data: hidden.user_data.map(Secret::new),
            options: hidden.options,
        })
    }

    /// Returns which of its keys were the organization's own.
    pub(crate) fn own_keys(&self) -> &[OwnKey] {
        &self.plain.own_keys
    }

    /// Returns the request for the vendor.
    pub(crate) fn into_request(self, key: CreateKey) -> CreateInstance {
        let texts = |it: Vec<String>| it.into_iter().map(String::into_boxed_str).collect();
        CreateInstance {
            key,
            plan: self.plain.plan.into(),
            region: self.plain.region.into(),
            image: self.plain.image.into(),
            ssh_keys: texts(self.plain.ssh_keys),
            root_password: self.root_password,
            user_data: self.user_data,
            tags: texts(self.plain.tags),
            backups: self.plain.backups,
            ipv6: self.plain.ipv6,
            private_network: self.plain.private_network,
            market: self.plain.market,
            options: self.options,
        }
    }
}

pub(super) fn internal(error: serde_json::Error) -> Error {
    Error::Internal(error.into())
}
