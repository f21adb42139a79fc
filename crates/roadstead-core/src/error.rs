//! How a provider call fails: what it means, who may retry, what may be shown.

mod kind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::kind::{Code, ErrorKind};
use crate::ProviderKind;

/// The result of a provider call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// When a call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not without a change.
    Never,
    /// Later, with growing waits.
    Backoff,
    /// At this time.
    At(Timestamp),
    /// Only after looking whether the first one took effect.
    AfterReconcile,
}

/// How much a second try elsewhere must leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// Nothing.
    Nothing,
    /// This plan in this region.
    Offering,
    /// This region.
    Region,
    /// This account.
    Account,
}

/// What a failed changing call did to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing: the vendor never worked on it. The same request may be sent again.
    NotExecuted,
    /// Nothing: the vendor refused it, in its own words.
    Rejected,
    /// Nobody knows. Look before sending anything again.
    Unknown,
}

/// A failed provider call, one word wide.
///
/// `Display` is one lowercase clause, safe to show a tenant. The vendor's own
/// words stay in the source, for the log.
pub struct Error(Box<Details>);

/// What is known of a failed provider call.
#[non_exhaustive]
pub struct Details {
    /// The exact class.
    pub kind: ErrorKind,
    /// What the call did to the world.
    pub outcome: Outcome,
    /// When it may be made again.
    pub retry: Retry,
    /// How much a second try elsewhere must leave out.
    pub blocks: Blocks,
    /// Our sentence, safe to show: lowercase, no period.
    pub message: Cow<'static, str>,
    /// The field of our request that is wrong.
    pub field: Option<Box<str>>,
    /// Whose call it was.
    pub provider: ProviderKind,
    /// What was tried, as a verb phrase (`create the instance`).
    pub operation: &'static str,
    /// The HTTP status, if there was an answer.
    pub http: Option<u16>,
    /// The vendor's own code.
    pub vendor_code: Option<Box<str>>,
    /// The vendor's id of the request, for its support.
    pub vendor_request_id: Option<Box<str>>,
    /// How often it was tried.
    pub attempts: u32,
    /// The cause, in the vendor's own words: for the log only.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error whose retry and blocks follow from its kind, and whose
    /// outcome is the careful one: `Unknown` wherever bytes may have left.
    #[must_use]
    pub fn new(
        provider: ProviderKind,
        operation: &'static str,
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Details {
            kind,
            outcome: default_outcome(kind),
            retry: kind.retry(),
            blocks: kind.blocks(),
            message: message.into(),
            field: None,
            provider,
            operation,
            http: None,
            vendor_code: None,
            vendor_request_id: None,
            attempts: 1,
            source: None,
        }))
    }

    /// Returns the refusal of what a provider cannot do.
    #[must_use]
    pub fn unsupported(
        provider: ProviderKind,
        operation: &'static str,
        why: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(provider, operation, ErrorKind::Unsupported, why)
    }

    /// Names the field of our request that is wrong.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Box<str>>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says what the call did to the world.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Keeps the vendor's status, code and request id.
    #[must_use]
    pub fn with_vendor(
        mut self,
        http: Option<u16>,
        code: Option<Box<str>>,
        request_id: Option<Box<str>>,
    ) -> Self {
        self.0.http = http;
        self.0.vendor_code = code;
        self.0.vendor_request_id = request_id;
        self
    }

    /// Says how often it was tried.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns an equal error for one more of several callers who waited for the
    /// same call. The cause is shared, not copied.
    #[must_use]
    pub fn duplicate(self: &Arc<Self>) -> Self {
        let source: Option<Box<dyn StdError + Send + Sync>> = match self.0.source {
            Some(_) => Some(Box::new(SharedSource(Arc::clone(self)))),
            None => None,
        };
        Self(Box::new(Details {
            kind: self.0.kind,
            outcome: self.0.outcome,
            retry: self.0.retry,
            blocks: self.0.blocks,
            message: self.0.message.clone(),
            field: self.0.field.clone(),
            provider: self.0.provider.clone(),
            operation: self.0.operation,
            http: self.0.http,
            vendor_code: self.0.vendor_code.clone(),
            vendor_request_id: self.0.vendor_request_id.clone(),
            attempts: self.0.attempts,
            source,
        }))
    }

    /// Returns the public class.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.kind.code()
    }
}

/// The cause of an error that several callers share.
struct SharedSource(Arc<Error>);

impl fmt::Display for SharedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            Some(source) => source.fmt(f),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for SharedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            Some(source) => source.fmt(f),
            None => Ok(()),
        }
    }
}

impl StdError for SharedSource {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().and_then(|it| it.source())
    }
}

fn default_outcome(kind: ErrorKind) -> Outcome {
    match kind {
        ErrorKind::NoToken
        | ErrorKind::BadToken
        | ErrorKind::Forbidden
        | ErrorKind::Throttled
        | ErrorKind::Transport
        | ErrorKind::NoSuchProvider
        | ErrorKind::Disabled
        | ErrorKind::Unsupported => Outcome::NotExecuted,
        ErrorKind::Invalid
        | ErrorKind::NoSuchResource
        | ErrorKind::NoSuchInstance
        | ErrorKind::Quota
        | ErrorKind::NoCapacity
        | ErrorKind::Busy
        | ErrorKind::Conflict => Outcome::Rejected,
        ErrorKind::Maintenance
        | ErrorKind::Server
        | ErrorKind::Timeout
        | ErrorKind::Decode
        | ErrorKind::OutcomeUnknown => Outcome::Unknown,
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} could not {}: {}",
            self.provider, self.operation, self.message
        )
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The source holds the vendor's own words, which may echo a secret.
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("outcome", &self.outcome)
            .field("provider", &self.provider.as_str())
            .field("operation", &self.operation)
            .field("message", &self.message)
            .field("field", &self.field)
            .field("http", &self.http)
            .field("vendor_code", &self.vendor_code)
            .field("vendor_request_id", &self.vendor_request_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|it| -> &(dyn StdError + 'static) { it })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide_and_shows_no_vendor_words() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        let error = Error::new(
            "fake".into(),
            "create the instance",
            ErrorKind::Server,
            "it failed",
        )
        .with_source("token=hunter2 is unknown");
        assert_eq!(
            error.to_string(),
            "fake could not create the instance: it failed"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(
            StdError::source(&error).unwrap().to_string(),
            "token=hunter2 is unknown"
        );
    }

    #[test]
    fn a_duplicate_says_the_same_and_keeps_the_whole_chain_of_causes() {
        let root = Error::new(
            "fake".into(),
            "list the plans",
            ErrorKind::Timeout,
            "no answer",
        );
        let error = Error::new(
            "fake".into(),
            "list the plans",
            ErrorKind::Throttled,
            "it is busy",
        )
        .with_field("plan")
        .with_retry(Retry::At(Timestamp::UNIX_EPOCH))
        .with_outcome(Outcome::Unknown)
        .with_vendor(
            Some(429),
            Some("too_many_requests".into()),
            Some("r-1".into()),
        )
        .with_attempts(4)
        .with_source(Error::new("fake".into(), "read", ErrorKind::Server, "odd").with_source(root));
        let error = Arc::new(error);
        let twin = Arc::new(error.duplicate()).duplicate();
        assert_eq!(format!("{twin:?}"), format!("{error:?}"));
        assert_eq!((twin.retry, twin.blocks), (error.retry, error.blocks));
        fn chain(error: &Error) -> Vec<String> {
            let first = StdError::source(error);
            std::iter::successors(first, |it| (*it).source())
                .map(ToString::to_string)
                .collect()
        }
        assert_eq!(chain(&twin).len(), 2);
        assert_eq!(chain(&twin), chain(&error));
    }

    #[test]
    fn codes_and_their_words_agree_with_json() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(Code::from_word(code.as_str()), Some(code));
        }
    }

    #[test]
    fn kinds_and_their_words_agree_with_json() {
        let words = "no_token bad_token forbidden invalid no_such_resource unsupported \
            no_such_provider disabled no_such_instance quota no_capacity throttled busy conflict \
            maintenance server transport timeout decode outcome_unknown";
        for word in words.split_whitespace() {
            let kind: ErrorKind = serde_json::from_value(word.into()).unwrap();
            assert_eq!(kind.as_str(), word);
        }
    }

    #[test]
    fn what_may_have_been_sent_is_never_called_not_executed() {
        for kind in [ErrorKind::Timeout, ErrorKind::Server, ErrorKind::Decode] {
            let error = Error::new("fake".into(), "create the instance", kind, "it failed");
            assert_eq!(error.outcome, Outcome::Unknown, "{kind:?}");
        }
    }
}
