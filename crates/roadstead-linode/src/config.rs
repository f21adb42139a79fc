//! The settings of a Linode account's client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use roadstead_core::{Clock, Error, ErrorKind, Outcome, Result, Secret};
use roadstead_http::{
    Bearer, Budgets, Client as HttpClient, HttpConfig, RateHeaders, RetryAfter, TokioClock, Url,
};
use serde::Deserialize;

use crate::Linode;
use crate::client::Client;
use crate::error::kind;
use crate::rates::rates;

const ENDPOINT: &str = "https://api.linode.com";

const RATE_HEADERS: RateHeaders = RateHeaders {
    limit: "x-ratelimit-limit",
    remaining: "x-ratelimit-remaining",
    reset: "x-ratelimit-reset",
};

/// The settings of one Linode account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinodeConfig {
    /// A personal access token.
    pub token: Secret<String>,
    /// The address up to and without `/v4`; Linode's own where absent.
    #[serde(default)]
    pub endpoint: Option<Box<str>>,
}

/// Makes a [`Linode`].
pub struct LinodeBuilder {
    config: LinodeConfig,
    clock: Arc<dyn Clock>,
    attempt_timeout: Option<Duration>,
    deadline: Option<Duration>,
    budgets: Budgets,
}

impl LinodeBuilder {
    /// Begins with a token.
    #[must_use]
    pub fn new(token: impl Into<Secret<String>>) -> Self {
        Self::from_config(LinodeConfig {
            token: token.into(),
            endpoint: None,
        })
    }

    /// Begins with settings.
    #[must_use]
    pub fn from_config(config: LinodeConfig) -> Self {
        Self {
            config,
            clock: Arc::new(TokioClock),
            attempt_timeout: None,
            deadline: None,
            budgets: Budgets::default(),
        }
    }

    /// Sets the address, up to and without `/v4`.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<Box<str>>) -> Self {
        self.config.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the clock by which waits are timed.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how long one attempt may take (10 s where not set).
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Sets how long a call may take with all its attempts (30 s where not set).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Shares the budget of calls with whatever else is made with a clone of these, for the
    /// same token.
    #[must_use]
    pub fn with_budgets(mut self, budgets: &Budgets) -> Self {
        self.budgets = budgets.clone();
        self
    }

    /// Makes the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// `NoToken` for an empty token, `Invalid` on field `token` or `endpoint`.
    pub fn build(self) -> Result<Linode> {
        let endpoint = self.config.endpoint.as_deref().unwrap_or(ENDPOINT);
        let Ok(base_url) = Url::parse(endpoint) else {
            let message = "the endpoint is not a URL";
            return Err(
                Error::new(kind(), "use the endpoint", ErrorKind::Invalid, message)
                    .with_field("endpoint")
                    .with_outcome(Outcome::NotExecuted),
            );
        };
        let token = Bearer::new(self.config.token, kind())?;
        let mut http = HttpConfig::new(base_url, Arc::new(token));
        http.rate_headers = Some(RATE_HEADERS);
        http.rates = rates();
        http.budgets = self.budgets;
        // Every answer of Linode carries one, successes too.
        http.retry_after = RetryAfter::WhenThrottled;
        http.attempt_timeout = self.attempt_timeout.unwrap_or(http.attempt_timeout);
        http.deadline = self.deadline.unwrap_or(http.deadline);
        let client = HttpClient::new(http, kind(), self.clock)?;
        Ok(Linode::new(Client::new(client)))
    }
}

impl fmt::Debug for LinodeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinodeBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_before_anything_is_sent() {
        let build = |token: &str, endpoint: &str| {
            LinodeBuilder::new(token)
                .with_endpoint(endpoint)
                .build()
                .map(drop)
        };
        assert!(build("t", "https://api.linode.com").is_ok());
        assert_eq!(build("", ENDPOINT).unwrap_err().kind, ErrorKind::NoToken);
        assert_eq!(
            build("a b", ENDPOINT).unwrap_err().field.as_deref(),
            Some("token")
        );
        for bad in ["nonsense", "http://api.linode.com", "file:///etc"] {
            assert_eq!(
                build("t", bad).unwrap_err().field.as_deref(),
                Some("endpoint"),
                "{bad}"
            );
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let config = LinodeConfig {
            token: "hunter2".into(),
            endpoint: None,
        };
        let builder = LinodeBuilder::from_config(config.clone());
        let shown = format!("{config:?} {builder:?}");
        let shown = format!("{shown} {:?}", builder.build().unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
