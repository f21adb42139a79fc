//! The part of an address after the question mark: strict, and with the wrong field named.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev};
use roadstead_service::IdempotencyKey;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::body::{Keyed, NUL, refusal};
use crate::error::ApiError;

/// What the query says.
pub(crate) struct Query<T>(pub(crate) T);

impl<T> Keyed for Query<T> {
    /// What only looks needs no key.
    fn take_key(&mut self) -> Option<IdempotencyKey> {
        None
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let pairs = form_urlencoded::parse(text.as_bytes());
    if let Some((name, _)) = pairs.clone().find(|(_, value)| value.contains('\0')) {
        return Err(ApiError::validation(name.into_owned(), NUL));
    }
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let path = error.path().to_string();
        refusal(path, &error.into_inner().to_string())
    })
}
