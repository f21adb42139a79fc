//! An answer that means failure, and what it means when the vendor's own words are missing.

use std::fmt;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use roadstead_core::{Error, ErrorKind, Outcome, ProviderKind};
use serde::Deserialize;

use crate::rate;

/// Reads a vendor's refusal; `None` when it is not in the vendor's own shape.
pub type Classify<'a> = &'a (dyn Fn(&Refusal) -> Option<Error> + Send + Sync);

/// An answer that means failure.
pub struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Refusal {
    /// Makes one by hand, for the tests of a provider crate's error table.
    #[must_use]
    pub fn new(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

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
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as JSON; `None` when it is something else.
    #[must_use]
    pub fn json<'de, T: Deserialize<'de>>(&'de self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns what the answer means when nothing is known but its status: then it may
    /// come from something between us and the vendor.
    #[must_use]
    pub fn generic(&self, provider: ProviderKind, operation: &'static str) -> Error {
        let new = |kind, message: &'static str| Error::new(provider, operation, kind, message);
        match self.status {
            300..400 => new(
                ErrorKind::Server,
                "it answered with a redirect, which is not followed",
            ),
            401 => new(
                ErrorKind::BadToken,
                "the provider does not accept the token",
            ),
            // A firewall's page says nothing about the token; the vendor was not reached.
            403 => new(
                ErrorKind::Server,
                "something before the provider turned the request away",
            )
            .with_outcome(Outcome::NotExecuted),
            429 => new(ErrorKind::Throttled, "the provider asks us to wait"),
            408 => new(
                ErrorKind::Server,
                "the provider gave up waiting for the request",
            ),
            400..500 => new(
                ErrorKind::Server,
                "the answer does not come from the provider's own interface",
            ),
            _ => new(ErrorKind::Server, "the provider failed to answer properly"),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may echo what was sent.
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_vendors_words_only_the_door_is_sure() {
        for (status, kind, outcome) in [
            (302, ErrorKind::Server, Outcome::Unknown),
            (400, ErrorKind::Server, Outcome::Unknown),
            (401, ErrorKind::BadToken, Outcome::NotExecuted),
            (403, ErrorKind::Server, Outcome::NotExecuted),
            (404, ErrorKind::Server, Outcome::Unknown),
            (408, ErrorKind::Server, Outcome::Unknown),
            (429, ErrorKind::Throttled, Outcome::NotExecuted),
            (500, ErrorKind::Server, Outcome::Unknown),
            (503, ErrorKind::Server, Outcome::Unknown),
        ] {
            let refusal = Refusal::new(status, HeaderMap::new(), "<html>hunter2</html>");
            let error = refusal.generic("fake".into(), "create the instance");
            assert_eq!((error.kind, error.outcome), (kind, outcome), "{status}");
            assert!(!format!("{refusal:?}").contains("hunter2"));
        }
    }
}
