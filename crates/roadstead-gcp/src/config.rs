//! `GcpConfig` and `GcpBuilder`: a project of Google Compute Engine.

use std::fmt;

use roadstead_core::{Error, ErrorKind, Result, Secret};
use serde::Deserialize;

use crate::provider::{Gcp, kind};

/// What it takes to reach Google Compute Engine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GcpConfig {
    /// The service account's key file, as JSON text.
    pub service_account_key: Secret<String>,
    /// Where the vendor's API is; the vendor's own address where absent.
    #[serde(default)]
    pub endpoint: Option<Box<str>>,
}

/// Makes a [`Gcp`].
#[derive(Clone)]
pub struct GcpBuilder {
    config: GcpConfig,
}

impl GcpBuilder {
    /// Starts from what is configured.
    #[must_use]
    pub fn new(config: GcpConfig) -> Self {
        Self { config }
    }

    /// Sets where the vendor's API is.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<Box<str>>) -> Self {
        self.config.endpoint = Some(endpoint.into());
        self
    }

    /// Makes the provider. Nothing is sent, and nothing secret is kept: there is
    /// no call yet that would need it.
    ///
    /// # Errors
    ///
    /// `NoToken` when the key is empty, `Invalid` when it is not the JSON of a key file.
    pub fn build(self) -> Result<Gcp> {
        let operation = "read the service account key";
        let key = self.config.service_account_key.expose();
        if key.trim().is_empty() {
            let message = "the service account key is empty";
            return Err(Error::new(kind(), operation, ErrorKind::NoToken, message));
        }
        // The parser's own message could quote the key, so it is not kept as the cause.
        if serde_json::from_str::<KeyFile>(key).is_err() {
            let message = "the service account key is not the JSON of a key file";
            return Err(Error::new(kind(), operation, ErrorKind::Invalid, message)
                .with_field("service_account_key"));
        }
        Ok(Gcp::new())
    }
}

impl fmt::Debug for GcpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

/// What is checked of a key file: that it is an object which names its project.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "project_id")]
    _project: Box<str>,
}
