//! Every failure as the client sees it: one table of codes, and the only place that knows
//! HTTP statuses.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use jiff::Timestamp;
use roadstead_core::{Code, ErrorKind, Retry};
use roadstead_service::{Error, FieldError, public_field};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::words;
use crate::request;

/// A public error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ErrorCode {
    /// About a vendor.
    Provider(Code),
    /// Of our own door.
    Door(DoorCode),
}

/// A code of our own door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DoorCode {
    /// Not logged in.
    Unauthenticated,
    /// Not allowed.
    Forbidden,
    /// No such thing.
    NotFound,
    /// Something else stands in the way.
    Conflict,
    /// A limit of the organization is reached.
    QuotaExceeded,
    /// The body is too large.
    PayloadTooLarge,
    /// Too many requests from this client.
    TooManyRequests,
    /// This service cannot work now.
    Unavailable,
    /// A fault of this service.
    InternalError,
}

/// Returns every code with its HTTP status and meaning, for the documentation.
#[must_use]
pub fn error_table() -> Vec<(ErrorCode, u16, &'static str)> {
    let provider = Code::ALL.into_iter().map(ErrorCode::Provider);
    let door = [
        DoorCode::Unauthenticated,
        DoorCode::Forbidden,
        DoorCode::NotFound,
        DoorCode::Conflict,
        DoorCode::QuotaExceeded,
        DoorCode::PayloadTooLarge,
        DoorCode::TooManyRequests,
        DoorCode::Unavailable,
        DoorCode::InternalError,
    ];
    provider
        .chain(door.into_iter().map(ErrorCode::Door))
        .map(|it| (it, it.status().as_u16(), it.meaning()))
        .collect()
}

impl ErrorCode {
    /// Returns the word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider(code) => code.as_str(),
            Self::Door(code) => match code {
                DoorCode::Unauthenticated => "UNAUTHENTICATED",
                DoorCode::Forbidden => "FORBIDDEN",
                DoorCode::NotFound => "NOT_FOUND",
                DoorCode::Conflict => "CONFLICT",
                DoorCode::QuotaExceeded => "QUOTA_EXCEEDED",
                DoorCode::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
                DoorCode::TooManyRequests => "TOO_MANY_REQUESTS",
                DoorCode::Unavailable => "UNAVAILABLE",
                DoorCode::InternalError => "INTERNAL_ERROR",
            },
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Provider(code) => match code {
                Code::ValidationError | Code::InvalidAction => StatusCode::BAD_REQUEST,
                Code::ProviderNotFound | Code::InstanceNotFound => StatusCode::NOT_FOUND,
                Code::InsufficientResources | Code::ProviderInactive => StatusCode::CONFLICT,
                Code::RateLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
                // Not 401: the vendor refuses *its* token, and no member is logged out for it.
                Code::MissingCredentials
                | Code::InvalidCredentials
                | Code::ApiError
                | Code::UnknownError => StatusCode::BAD_GATEWAY,
            },
            Self::Door(code) => match code {
                DoorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
                DoorCode::Forbidden => StatusCode::FORBIDDEN,
                DoorCode::NotFound => StatusCode::NOT_FOUND,
                DoorCode::Conflict | DoorCode::QuotaExceeded => StatusCode::CONFLICT,
                DoorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                DoorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
                DoorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                DoorCode::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Provider(code) => match code {
                Code::MissingCredentials => {
                    "The provider account has no token. An operator must set one."
                }
                Code::InvalidCredentials => {
                    "The provider refuses the account's token, or the token lacks a scope. An operator must change it."
                }
                Code::ValidationError => "The request is wrong. `field` and `errors` say where.",
                Code::InvalidAction => "The provider does not offer this action.",
                Code::ProviderNotFound => {
                    "There is no such provider account, or it is not open to you."
                }
                Code::InstanceNotFound => "There is no such server in this organization.",
                Code::InsufficientResources => {
                    "A limit of the provider account, or the provider's stock, stands in the way."
                }
                Code::RateLimitExceeded => {
                    "The provider asks us to wait; `retry_after` says how long."
                }
                Code::ProviderInactive => "The operator has switched the provider account off.",
                Code::ApiError => {
                    "The provider failed, cannot be reached (504: did not answer in time), or is busy with the server."
                }
                Code::UnknownError => {
                    "The provider's answer makes no sense, or the outcome could not be learned."
                }
            },
            Self::Door(code) => match code {
                DoorCode::Unauthenticated => "Log in first, or again.",
                DoorCode::Forbidden => "You are known, and may not do this.",
                DoorCode::NotFound => "There is no such thing, or it is another organization's.",
                DoorCode::Conflict => {
                    "Something else stands in the way (409), or an Idempotency-Key came with another request (422)."
                }
                DoorCode::QuotaExceeded => {
                    "A limit of your organization is reached: so far, of how many SSH keys it may have."
                }
                DoorCode::PayloadTooLarge => "The body is larger than this route takes.",
                DoorCode::TooManyRequests => {
                    "Too many logins at once, or too many event streams of one user; `retry_after` says how long to wait. Nothing else is limited yet."
                }
                DoorCode::Unavailable => {
                    "The service cannot reach its database, or serves as many event streams as it can. Try again soon."
                }
                DoorCode::InternalError => {
                    "A fault of this service. The log has it under `request_id`."
                }
            },
        }
    }
}

/// A failed request, one word wide.
#[derive(Debug)]
pub struct ApiError(Box<Failure>);

#[derive(Debug)]
struct Failure {
    code: ErrorCode,
    status: StatusCode,
    message: String,
    fields: Vec<FieldError>,
    provider: Option<String>,
    retry_after: Option<u64>,
    cause: Option<Error>,
}

/// A request that was refused or failed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct Shape<'a> {
    /// Always `false`.
    #[schemars(extend("const" = false))]
    success: bool,
    /// What went wrong, as a sentence for people. It may change.
    #[schemars(example = &"there is no such server in this organization")]
    error: &'a str,
    /// What went wrong, for programs. It stays.
    #[schemars(schema_with = "words::error_code")]
    code: ErrorCode,
    /// The first wrong field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"region")]
    field: Option<&'a str>,
    /// Every wrong field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldShape<'a>>,
    /// The provider that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"acme")]
    provider: Option<&'a str>,
    /// The request's id in our log; also in the header `X-Request-Id`.
    #[schemars(with = "uuid::Uuid")]
    request_id: String,
    /// In how many seconds to try again; also in the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = 12)]
    retry_after: Option<u64>,
}

/// A wrong field.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FieldError")]
pub(crate) struct FieldShape<'a> {
    /// Its name; `ssh_keys[2]` is the third item of a list.
    #[schemars(example = &"region")]
    field: &'a str,
    /// What is wrong with it.
    #[schemars(example = &"must be between 1 and 200")]
    error: &'a str,
}

/// A way in which a route may refuse, for the documentation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: ErrorCode,
}

impl Refusal {
    /// A code with the status of the table.
    pub(crate) fn of(code: ErrorCode) -> Self {
        Self {
            status: code.status().as_u16(),
            code,
        }
    }

    /// The provider did not answer in time.
    pub(crate) fn timeout() -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT.as_u16(),
            code: ErrorCode::Provider(Code::ApiError),
        }
    }

    /// An `Idempotency-Key` came with another request.
    pub(crate) fn key_reused() -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            code: ErrorCode::Door(DoorCode::Conflict),
        }
    }
}

impl ApiError {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            code,
            status: code.status(),
            message: message.into(),
            fields: Vec::new(),
            provider: None,
            retry_after: None,
            cause: None,
        }))
    }

    fn door(code: DoorCode, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Door(code), message)
    }

    /// A field of the request is wrong.
    #[must_use]
    pub fn validation(field: String, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut error = Self::new(ErrorCode::Provider(Code::ValidationError), message.clone());
        error.0.fields = vec![FieldError {
            field: field.into(),
            error: message,
        }];
        error
    }

    /// The body is larger than is taken.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::door(
            DoorCode::PayloadTooLarge,
            format!("the body is larger than {limit} bytes"),
        )
    }

    pub(crate) fn no_route() -> Self {
        Self::door(
            DoorCode::NotFound,
            "there is no such route, or not with this method; docs/api.md lists the routes",
        )
    }

    pub(crate) fn no_token() -> Self {
        Self::door(
            DoorCode::Unauthenticated,
            "send the header `Authorization: Bearer <token>`, with the token that a login gives",
        )
    }

    /// Returns what went wrong, for programs.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Returns what went wrong, as a sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the wrong fields of the request.
    #[must_use]
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// Returns the provider that it is about.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// Returns in how many seconds to try again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// Returns whether the very same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.code {
            ErrorCode::Provider(code) => match code {
                Code::RateLimitExceeded | Code::ApiError | Code::UnknownError => true,
                Code::MissingCredentials
                | Code::InvalidCredentials
                | Code::ValidationError
                | Code::InvalidAction
                | Code::ProviderNotFound
                | Code::InstanceNotFound
                | Code::InsufficientResources
                | Code::ProviderInactive => false,
            },
            ErrorCode::Door(code) => match code {
                DoorCode::TooManyRequests | DoorCode::Unavailable | DoorCode::InternalError => true,
                DoorCode::Unauthenticated
                | DoorCode::Forbidden
                | DoorCode::NotFound
                | DoorCode::Conflict
                | DoorCode::QuotaExceeded
                | DoorCode::PayloadTooLarge => false,
            },
        }
    }

    /// Returns the cause for the log, where the answer does not tell it all.
    pub(crate) fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        let fields = self.0.fields.iter();
        response.json(Shape {
            success: false,
            error: &self.0.message,
            code: self.0.code,
            field: self.0.fields.first().map(|it| &*it.field),
            errors: fields
                .map(|it| FieldShape {
                    field: &it.field,
                    error: &it.error,
                })
                .collect(),
            provider: self.0.provider.as_deref(),
            request_id: request::current_id(),
            retry_after: self.0.retry_after,
        })
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let mut api = match &error {
            Error::Invalid(_) => Self::new(ErrorCode::Provider(Code::ValidationError), message),
            Error::Unauthenticated | Error::WrongPassword => {
                Self::door(DoorCode::Unauthenticated, message)
            }
            Error::Forbidden(_) => Self::door(DoorCode::Forbidden, message),
            Error::NotFound(_) => Self::door(DoorCode::NotFound, message),
            Error::NoSuchInstance => {
                Self::new(ErrorCode::Provider(Code::InstanceNotFound), message)
            }
            Error::NoSuchProvider => {
                Self::new(ErrorCode::Provider(Code::ProviderNotFound), message)
            }
            Error::ProviderInactive => {
                Self::new(ErrorCode::Provider(Code::ProviderInactive), message)
            }
            Error::ProviderRefused(_) => {
                Self::new(ErrorCode::Provider(Code::InvalidCredentials), message)
            }
            Error::InvalidAction(_) => Self::new(ErrorCode::Provider(Code::InvalidAction), message),
            Error::Conflict(_) => Self::door(DoorCode::Conflict, message),
            Error::QuotaExceeded(_) => Self::door(DoorCode::QuotaExceeded, message),
            Error::KeyReused => {
                let mut error = Self::door(DoorCode::Conflict, message);
                error.0.status = StatusCode::UNPROCESSABLE_ENTITY;
                error
            }
            Error::TooManyLogins => {
                let mut error = Self::door(DoorCode::TooManyRequests, message);
                error.0.retry_after = Some(5);
                error
            }
            Error::TooManyStreams(_) => {
                let mut error = Self::door(DoorCode::TooManyRequests, message);
                error.0.retry_after = Some(10);
                error
            }
            Error::TryLater(_) => {
                let mut error = Self::door(DoorCode::Unavailable, message);
                error.0.retry_after = Some(5);
                error
            }
            Error::Provider(failure) => of_provider(failure),
            Error::Operation {
                code,
                field,
                provider,
                ..
            } => {
                let mut error = Self::new(ErrorCode::Provider(*code), message.clone());
                error.0.provider = Some(provider.clone());
                error.0.fields = field
                    .iter()
                    .map(|it| FieldError {
                        field: public_field(it).to_owned().into(),
                        error: message.clone(),
                    })
                    .collect();
                error
            }
            Error::Unavailable(_) => Self::door(DoorCode::Unavailable, message),
            _ => Self::door(DoorCode::InternalError, message),
        };
        match error {
            Error::Invalid(fields) => api.0.fields = fields,
            other => api.0.cause = Some(other),
        }
        api
    }
}

fn of_provider(failure: &roadstead_core::Error) -> ApiError {
    let mut error = ApiError::new(ErrorCode::Provider(failure.code()), failure.to_string());
    if failure.kind == ErrorKind::Timeout {
        error.0.status = StatusCode::GATEWAY_TIMEOUT;
    }
    error.0.provider = Some(failure.provider.to_string());
    if let Some(field) = &failure.field {
        let field = public_field(field).to_owned().into();
        error.0.fields = vec![FieldError {
            field,
            error: failure.message.to_string(),
        }];
    }
    if let Retry::At(time) = failure.retry {
        let wait = time.duration_since(Timestamp::now()).as_secs();
        error.0.retry_after = Some(u64::try_from(wait).unwrap_or(0).max(1));
    }
    error
}

/// Returns what stands between the first two backticks.
pub(crate) fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
