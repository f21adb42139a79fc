//! The classes of failures: the public codes, and the exact kinds behind them.

use serde::{Deserialize, Serialize};

use super::{Blocks, Retry};

/// The public class of a failure, stable across versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// The account has no token.
    MissingCredentials,
    /// The vendor refuses the token, or the token may not do this.
    InvalidCredentials,
    /// The request is wrong; `field` says where.
    ValidationError,
    /// The vendor does not offer the action.
    InvalidAction,
    /// There is no such vendor account.
    ProviderNotFound,
    /// There is no such server.
    InstanceNotFound,
    /// A limit of the account or the vendor's stock stands in the way.
    InsufficientResources,
    /// The vendor asks us to wait.
    RateLimitExceeded,
    /// The vendor account is switched off.
    ProviderInactive,
    /// The vendor failed.
    ApiError,
    /// The vendor's answer makes no sense, or the outcome could not be learned.
    UnknownError,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::MissingCredentials,
        Self::InvalidCredentials,
        Self::ValidationError,
        Self::InvalidAction,
        Self::ProviderNotFound,
        Self::InstanceNotFound,
        Self::InsufficientResources,
        Self::RateLimitExceeded,
        Self::ProviderInactive,
        Self::ApiError,
        Self::UnknownError,
    ];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingCredentials => "MISSING_CREDENTIALS",
            Self::InvalidCredentials => "INVALID_CREDENTIALS",
            Self::ValidationError => "VALIDATION_ERROR",
            Self::InvalidAction => "INVALID_ACTION",
            Self::ProviderNotFound => "PROVIDER_NOT_FOUND",
            Self::InstanceNotFound => "INSTANCE_NOT_FOUND",
            Self::InsufficientResources => "INSUFFICIENT_RESOURCES",
            Self::RateLimitExceeded => "RATE_LIMIT_EXCEEDED",
            Self::ProviderInactive => "PROVIDER_INACTIVE",
            Self::ApiError => "API_ERROR",
            Self::UnknownError => "UNKNOWN_ERROR",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// The exact class of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// No token is configured.
    NoToken,
    /// The vendor does not know the token.
    BadToken,
    /// The token lacks a scope.
    Forbidden,
    /// A field is wrong.
    Invalid,
    /// The request names a plan, image, region or key that does not exist.
    NoSuchResource,
    /// The vendor, or this version, cannot do it.
    Unsupported,
    /// There is no such vendor account.
    NoSuchProvider,
    /// The vendor account is switched off.
    Disabled,
    /// The vendor says the server does not exist.
    NoSuchInstance,
    /// A limit of the account is reached.
    Quota,
    /// The vendor has none left at that place.
    NoCapacity,
    /// The vendor asks us to wait.
    Throttled,
    /// Another action runs on the server.
    Busy,
    /// Another request used the same name or key.
    Conflict,
    /// The vendor is in maintenance.
    Maintenance,
    /// The vendor failed, or something before it answered in its place.
    Server,
    /// Nothing was sent: refused, no such host, no TLS.
    Transport,
    /// No answer after the request left.
    Timeout,
    /// The answer has the wrong shape.
    Decode,
    /// Whether a create took effect could not be learned in time.
    OutcomeUnknown,
}

impl ErrorKind {
    /// Returns the word used in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::BadToken => "bad_token",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::NoSuchResource => "no_such_resource",
            Self::Unsupported => "unsupported",
            Self::NoSuchProvider => "no_such_provider",
            Self::Disabled => "disabled",
            Self::NoSuchInstance => "no_such_instance",
            Self::Quota => "quota",
            Self::NoCapacity => "no_capacity",
            Self::Throttled => "throttled",
            Self::Busy => "busy",
            Self::Conflict => "conflict",
            Self::Maintenance => "maintenance",
            Self::Server => "server",
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::Decode => "decode",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    /// Returns the public class.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NoToken => Code::MissingCredentials,
            Self::BadToken | Self::Forbidden => Code::InvalidCredentials,
            Self::Invalid | Self::NoSuchResource => Code::ValidationError,
            Self::Unsupported => Code::InvalidAction,
            Self::NoSuchProvider => Code::ProviderNotFound,
            Self::Disabled => Code::ProviderInactive,
            Self::NoSuchInstance => Code::InstanceNotFound,
            Self::Quota | Self::NoCapacity => Code::InsufficientResources,
            Self::Throttled => Code::RateLimitExceeded,
            Self::Busy
            | Self::Conflict
            | Self::Maintenance
            | Self::Server
            | Self::Transport
            | Self::Timeout => Code::ApiError,
            Self::Decode | Self::OutcomeUnknown => Code::UnknownError,
        }
    }

    /// Returns when the same call may be made again, as far as the kind alone can tell.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::NoToken
            | Self::BadToken
            | Self::Forbidden
            | Self::Invalid
            | Self::NoSuchResource
            | Self::Unsupported
            | Self::NoSuchProvider
            | Self::Disabled
            | Self::NoSuchInstance
            | Self::Quota
            | Self::Conflict
            | Self::Maintenance
            | Self::Decode => Retry::Never,
            Self::NoCapacity
            | Self::Throttled
            | Self::Busy
            | Self::Server
            | Self::Transport
            | Self::Timeout => Retry::Backoff,
            Self::OutcomeUnknown => Retry::AfterReconcile,
        }
    }

    /// Returns how much a second try elsewhere must leave out.
    #[must_use]
    pub const fn blocks(self) -> Blocks {
        match self {
            Self::NoToken
            | Self::BadToken
            | Self::Forbidden
            | Self::NoSuchProvider
            | Self::Disabled
            | Self::Quota => Blocks::Account,
            Self::Maintenance => Blocks::Region,
            Self::Invalid | Self::NoSuchResource | Self::NoCapacity => Blocks::Offering,
            Self::Unsupported
            | Self::NoSuchInstance
            | Self::Throttled
            | Self::Busy
            | Self::Conflict
            | Self::Server
            | Self::Transport
            | Self::Timeout
            | Self::Decode
            | Self::OutcomeUnknown => Blocks::Nothing,
        }
    }
}
