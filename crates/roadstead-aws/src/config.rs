//! `AwsConfig` and `AwsBuilder`: an account of Amazon EC2.

use std::fmt;

use roadstead_core::{Error, ErrorKind, Result, Secret};
use serde::Deserialize;

use crate::provider::{Aws, kind};

/// What it takes to reach Amazon EC2.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsConfig {
    /// The access key's public half.
    pub access_key_id: Box<str>,
    /// The access key's secret half.
    pub secret_access_key: Secret<String>,
    /// Where the vendor's API is; the vendor's own address where absent.
    #[serde(default)]
    pub endpoint: Option<Box<str>>,
}

/// Makes an [`Aws`].
#[derive(Clone)]
pub struct AwsBuilder {
    config: AwsConfig,
}

impl AwsBuilder {
    /// Starts from what is configured.
    #[must_use]
    pub fn new(config: AwsConfig) -> Self {
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
    /// `NoToken` when either half of the key is empty, `Invalid` when the secret half cannot be a key.
    pub fn build(self) -> Result<Aws> {
        let operation = "read the access key";
        let secret = &self.config.secret_access_key;
        if self.config.access_key_id.is_empty() || secret.expose().is_empty() {
            let message = "the access key is empty";
            return Err(Error::new(kind(), operation, ErrorKind::NoToken, message));
        }
        if !secret.is_visible_ascii() {
            let message = "the secret access key holds characters that no key has";
            return Err(Error::new(kind(), operation, ErrorKind::Invalid, message)
                .with_field("secret_access_key"));
        }
        Ok(Aws::new())
    }
}

impl fmt::Debug for AwsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}
