//! Permission in the handler's type: who asks, proved before the handler runs.

use std::pin::Pin;

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev, web};
use roadstead_core::OrgId;
use roadstead_service::{
    Caller, Error, Grant, IdempotencyKey, OperatorGrant, Permission, Platform,
};

use crate::body::Keyed;
use crate::error::ApiError;
use crate::request;

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// A logged-in caller.
pub(crate) struct LoggedIn(pub(crate) Caller);

/// A caller who may do `P` in the organization of the request.
pub(crate) struct Allowed<P: Permission>(pub(crate) Grant<P>);

/// A caller who runs this installation.
pub(crate) struct Operator(pub(crate) OperatorGrant);

impl FromRequest for LoggedIn {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await.map(Self) })
    }
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = caller(&request).await?;
            Ok(Self(caller.grant(organization(&request)?)?))
        })
    }
}

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(caller(&request).await?.operator()?)) })
    }
}

/// Proof that can say under which key the request came, so that what is done with it is done
/// once.
pub(crate) trait UnderKey {
    /// Takes the key.
    fn under_key(self, key: Option<IdempotencyKey>) -> Self;
}

impl<P: Permission> UnderKey for Allowed<P> {
    fn under_key(self, key: Option<IdempotencyKey>) -> Self {
        Self(self.0.under_key(key))
    }
}

impl UnderKey for Operator {
    fn under_key(self, key: Option<IdempotencyKey>) -> Self {
        Self(self.0.under_key(key))
    }
}

impl<A, B: Keyed> Keyed for Then<A, B> {
    fn take_key(&mut self) -> Option<IdempotencyKey> {
        self.1.take_key()
    }
}

/// Two extractors, the second only once the first has said yes: who asks is settled before
/// what they ask is read, and no query of the first is cut off by a fault of the second. The key
/// that came with the second is with the first afterwards.
pub(crate) struct Then<A, B>(pub(crate) A, pub(crate) B);

impl<A, B> FromRequest for Then<A, B>
where
    A: FromRequest<Error = ApiError> + UnderKey + 'static,
    B: FromRequest + Keyed + 'static,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let first = A::from_request(&request, &mut dev::Payload::None).await?;
            let second = B::from_request(&request, &mut payload).await;
            let mut second = second.map_err(Into::into)?;
            let key = second.take_key();
            Ok(Self(first.under_key(key), second))
        })
    }
}

async fn caller(request: &HttpRequest) -> Result<Caller, ApiError> {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(ApiError::no_token)?;
    let Some(platform) = request.app_data::<web::Data<Platform>>() else {
        return Err(Error::Unauthenticated.into());
    };
    Ok(platform.caller(token, request::current_id()).await?)
}

fn organization(request: &HttpRequest) -> Result<Option<OrgId>, ApiError> {
    let Some(value) = request.headers().get("x-organization") else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(|it| it.parse().ok()) {
        Some(id) => Ok(Some(id)),
        None => {
            let message = "the header `X-Organization` must be an organization's id";
            Err(ApiError::validation("X-Organization".to_owned(), message))
        }
    }
}
