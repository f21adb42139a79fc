//! An answer that means success.

use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderMap;
use roadstead_core::{Error, ErrorKind, ProviderKind, Result};
use serde::Deserialize;

use crate::client::careful;
use crate::{Redactor, rate};

/// An answer that means success, with its whole body.
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) attempts: u32,
    pub(crate) method: Method,
    pub(crate) operation: &'static str,
    pub(crate) provider: ProviderKind,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) redactor: Redactor,
}

impl Response {
    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        rate::text(&self.headers, name)
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// `Decode`; after a change with outcome `Unknown`, since the vendor did accept it.
    pub fn json<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|source| self.odd(&source))
    }

    /// Returns the error for a body of the wrong shape.
    #[must_use]
    pub fn odd(&self, why: &dyn fmt::Display) -> Error {
        let error = Error::new(
            self.provider.clone(),
            self.operation,
            ErrorKind::Decode,
            "the provider's answer has an unexpected shape",
        )
        .with_vendor(Some(self.status), None, self.request_id.clone())
        .with_attempts(self.attempts)
        // The parser's message may quote the body.
        .with_source(self.redactor.words(why.to_string().as_bytes()));
        careful(error, &self.method)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
