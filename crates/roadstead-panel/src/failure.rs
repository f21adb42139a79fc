//! What takes the place of a page that cannot be shown.

use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use roadstead_api::ApiError;
use roadstead_service::Error;

/// What a handler answers with.
pub(crate) type Answer = Result<HttpResponse, Failure>;

/// Why a page cannot be shown. The door makes the page about it, which knows who looks.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Somebody has to log in first.
    LogIn,
    /// It failed, or was refused.
    Failed(Arc<ApiError>),
}

impl Failure {
    /// There is nothing at this address.
    pub(crate) fn no_page() -> Self {
        Error::NotFound("page").into()
    }

    /// They may not.
    pub(crate) fn forbidden(why: &'static str) -> Self {
        Error::Forbidden(why.into()).into()
    }

    /// What was sent makes no sense, and no form of ours has sent it.
    pub(crate) fn senseless(field: &str, why: impl Into<String>) -> Self {
        ApiError::validation(field.to_owned(), why).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogIn => f.write_str("nobody is logged in"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated => Self::LogIn,
            other => ApiError::from(other).into(),
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::LogIn => StatusCode::SEE_OTHER,
            Self::Failed(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
