//! How a request proves who asks.

use std::fmt;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use roadstead_core::{Error, ErrorKind, Outcome, ProviderKind, Result, Secret};

/// A request just before it leaves.
pub type Outgoing = reqwest::Request;

/// Adds to each request what proves who asks. Called once per attempt.
#[async_trait]
pub trait Authorize: fmt::Debug + Send + Sync {
    /// Signs the request, or puts a token into it.
    ///
    /// # Errors
    ///
    /// Whatever stood in the way of a token or signature; nothing was sent.
    async fn authorize(&self, request: &mut Outgoing) -> Result<()>;

    /// Returns what must be blotted out should the vendor echo it.
    fn secrets(&self) -> Vec<Secret<String>>;
}

/// A token that stands as it is in the `Authorization` header.
#[derive(Clone, Debug)]
pub struct Bearer {
    token: Secret<String>,
    header: HeaderValue,
}

impl Bearer {
    /// Takes the token in.
    ///
    /// # Errors
    ///
    /// `NoToken` when it is empty, `Invalid` on field `token` when it cannot stand in a header.
    pub fn new(token: Secret<String>, provider: ProviderKind) -> Result<Self> {
        const OPERATION: &str = "use the token";
        if token.expose().is_empty() {
            return Err(Error::new(
                provider,
                OPERATION,
                ErrorKind::NoToken,
                "no token is configured",
            ));
        }
        let invalid = |provider| {
            Error::new(
                provider,
                OPERATION,
                ErrorKind::Invalid,
                "the token must be visible ASCII without spaces",
            )
            .with_field("token")
            .with_outcome(Outcome::NotExecuted)
        };
        if !token.is_visible_ascii() {
            return Err(invalid(provider));
        }
        // The error of the header parser would repeat the token.
        let Ok(mut header) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) else {
            return Err(invalid(provider));
        };
        header.set_sensitive(true);
        Ok(Self { token, header })
    }
}

#[async_trait]
impl Authorize for Bearer {
    async fn authorize(&self, request: &mut Outgoing) -> Result<()> {
        request
            .headers_mut()
            .insert(AUTHORIZATION, self.header.clone());
        Ok(())
    }

    fn secrets(&self) -> Vec<Secret<String>> {
        vec![self.token.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_checked_on_entry_and_never_shown() {
        let bearer = Bearer::new(Secret::from("hunter2"), "fake".into()).unwrap();
        assert!(!format!("{bearer:?}").contains("hunter2"), "{bearer:?}");
        let empty = Bearer::new(Secret::from(""), "fake".into()).unwrap_err();
        assert_eq!(empty.kind, ErrorKind::NoToken);
        let split = Bearer::new(Secret::from("a\r\nX: y"), "fake".into()).unwrap_err();
        assert_eq!(
            (split.kind, split.field.as_deref()),
            (ErrorKind::Invalid, Some("token"))
        );
        assert!(!format!("{split:?} {split}").contains("X: y"));
    }
}
