//! The settings of a client, and where it may be pointed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use roadstead_core::{Error, ErrorKind, Outcome, ProviderKind, Result};

use crate::{Authorize, Budgets, RateHeaders, RateTable};

/// The settings of a [`crate::Client`].
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// What stands before every path.
    pub base_url: Url,
    /// Proves who asks.
    pub authorize: Arc<dyn Authorize>,
    /// How we introduce ourselves.
    pub user_agent: Box<str>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one attempt may take, from connecting to the last byte of the answer.
    pub attempt_timeout: Duration,
    /// How long a call may take, with all its attempts and waits.
    pub deadline: Duration,
    /// How often a read is tried.
    pub attempts: u32,
    /// The shortest wait between two attempts.
    pub pause_min: Duration,
    /// The longest wait between two attempts, unless the vendor names a time.
    pub pause_max: Duration,
    /// The largest answer, after decompression.
    pub max_body_bytes: usize,
    /// How long a read may wait for its turn in the budget. Who would wait longer is told the
    /// time at once.
    pub read_wait: Duration,
    /// How long a change may wait for its turn, and a read without which it cannot be made.
    /// Short, so that its caller has time left to learn what became of it.
    pub change_wait: Duration,
    /// Which calls the vendor counts together.
    pub rates: RateTable,
    /// The budgets that this client shares with others.
    pub budgets: Budgets,
    /// Where the vendor says how many calls are left.
    pub rate_headers: Option<RateHeaders>,
    /// When the vendor's `Retry-After` means that a read must wait.
    pub retry_after: RetryAfter,
    /// Where the vendor gives its own id of the request.
    pub request_id_header: &'static str,
}

/// When a `Retry-After` is to be obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Wherever the vendor sends it.
    Always,
    /// Only where the vendor throttles: some send it with every answer, where it tells when
    /// the present window ends.
    WhenThrottled,
}

impl HttpConfig {
    /// Returns the usual settings for an address.
    #[must_use]
    pub fn new(base_url: Url, authorize: Arc<dyn Authorize>) -> Self {
        Self {
            base_url,
            authorize,
            user_agent: concat!("roadstead/", env!("CARGO_PKG_VERSION")).into(),
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            attempts: 4,
            pause_min: Duration::from_millis(100),
            pause_max: Duration::from_secs(15),
            max_body_bytes: 16 * 1024 * 1024,
            read_wait: Duration::from_secs(10),
            change_wait: Duration::from_secs(4),
            rates: RateTable::unknown(),
            budgets: Budgets::default(),
            rate_headers: None,
            retry_after: RetryAfter::Always,
            request_id_header: "x-request-id",
        }
    }
}

/// Refuses addresses to which a token must not be sent.
///
/// # Errors
///
/// `Invalid` on field `endpoint`: plain HTTP beyond loopback, another scheme, or an
/// address with a user, a query or a fragment.
pub fn check_base_url(url: &Url, provider: &ProviderKind) -> Result<()> {
    let refuse = |message: &'static str| {
        Err(Error::new(
            provider.clone(),
            "use the endpoint",
            ErrorKind::Invalid,
            message,
        )
        .with_field("endpoint")
        .with_outcome(Outcome::NotExecuted))
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("the endpoint must not contain a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("the endpoint must not contain a query or a fragment");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => refuse("the endpoint must use https; plain http is for loopback only"),
        _ => refuse("the endpoint must begin with https://"),
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    // An IPv6 address stands in brackets in a URL.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (text, allowed) in [
            ("https://api.example.com", true),
            ("https://10.0.0.1/prefix", true),
            ("http://127.0.0.1:8080", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("http://localhost:3000", true),
            ("http://api.example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("ftp://127.0.0.1", false),
            ("https://user:pass@api.example.com", false),
            ("https://api.example.com/?x=1", false),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(
                check_base_url(&url, &"fake".into()).is_ok(),
                allowed,
                "{text}"
            );
        }
    }
}
