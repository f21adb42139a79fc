//! How a use case fails, in words that may be shown.

use std::borrow::Cow;

use roadstead_core::{Code, ErrorKind};
use roadstead_repository as repository;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field, as the client spells it.
    pub field: Cow<'static, str>,
    /// What is wrong, as a sentence for people.
    pub error: String,
}

/// A failed use case. `Display` is safe to show; causes are for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is wrong.
    #[error("{}", first(.0))]
    Invalid(Vec<FieldError>),
    /// The caller did not say who they are, or the session has ended.
    #[error("log in first: the session is unknown or has ended")]
    Unauthenticated,
    /// E-mail and password do not fit together.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// There is no such thing, or it is another organization's: the two look alike on purpose.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// There is no such server in this organization.
    #[error("there is no such server in this organization")]
    NoSuchInstance,
    /// There is no such vendor account, or it is not open to this organization.
    #[error("there is no such provider account")]
    NoSuchProvider,
    /// The vendor account is switched off.
    #[error("the provider account is switched off; ask the operator, or choose another one")]
    ProviderInactive,
    /// The vendor refuses the account's token.
    #[error("the provider refuses the account's credentials: {0}")]
    ProviderRefused(String),
    /// The server cannot do this, or not now.
    #[error("{0}")]
    InvalidAction(String),
    /// Something else stands in the way.
    #[error("{0}")]
    Conflict(String),
    /// A limit of the organization is reached.
    #[error("{0}")]
    QuotaExceeded(String),
    /// The same `Idempotency-Key` came with another request.
    #[error("this Idempotency-Key was used for another request; choose a new key")]
    KeyReused,
    /// The caller has as many event streams as one may have.
    #[error("you have {0} event streams open, and may not have more; close one first")]
    TooManyStreams(usize),
    /// It cannot be done now, and soon can, here or at another server.
    #[error("{0}; try again in a few seconds")]
    TryLater(&'static str),
    /// Too many logins at once.
    #[error("too many logins at once; try again in a few seconds")]
    TooManyLogins,
    /// The vendor failed or refused.
    #[error("{0}")]
    Provider(#[from] roadstead_core::Error),
    /// An operation that the caller waited for has failed.
    #[error("{message}")]
    Operation {
        /// The public code.
        code: Code,
        /// Our sentence.
        message: String,
        /// The field of the request that is wrong.
        field: Option<String>,
        /// Which vendor.
        provider: String,
    },
    /// The database is away.
    #[error("the service cannot reach its database; try again soon")]
    Unavailable(#[source] repository::Error),
    /// A fault of this program or of its data.
    #[error("something went wrong on our side; the log has it under the request id")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Makes an error about one field.
    pub(crate) fn invalid(field: &'static str, error: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: Cow::Borrowed(field),
            error: error.into(),
        }])
    }

    /// Returns the vendor's failure, if that is what this is.
    #[must_use]
    pub fn provider_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Provider(error) => Some(error.kind),
            _ => None,
        }
    }
}

fn first(errors: &[FieldError]) -> &str {
    errors
        .first()
        .map_or("the request is wrong", |it| it.error.as_str())
}

/// Returns a client's name of the field that a provider's refusal names.
#[must_use]
pub fn public_field(field: &str) -> &str {
    match field {
        "plan" => "type",
        "name" => "label",
        "root_password" => "rootPassword",
        other => other,
    }
}
