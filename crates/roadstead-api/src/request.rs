//! The id of the request at hand, its log line, and the headers of every answer.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{ResponseError, rt};
use roadstead_service::Error;
use tracing::{Instrument, error, info, info_span, warn};
use uuid::Uuid;

use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: Uuid;
}

/// Returns the id of the request that this task answers.
#[must_use]
pub fn current_id() -> String {
    CURRENT.try_with(Uuid::to_string).unwrap_or_default()
}

/// Gives each request an id (its own, when it came with a UUID), logs it once, and sets the
/// headers that every answer carries.
///
/// # Errors
///
/// Whatever the rest of the chain returns.
pub async fn trace(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(Uuid::now_v7);
    // On a task of its own, which goes on when the client has gone away: a handler is never cut
    // off inside a query, and what it has begun is on record completely or not at all.
    match rt::spawn(answer(id, request, next)).await {
        Ok(answered) => answered,
        Err(panic) => {
            error!(request.id = %id, error = %panic, "the handler panicked");
            let error = ApiError::from(Error::Internal(Box::new(panic)));
            let mut response = CURRENT.sync_scope(id, || error.error_response());
            common_headers(id, response.headers_mut());
            Err(InternalError::from_response(error, response).into())
        }
    }
}

async fn answer(
    id: Uuid,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let method = request.method().clone();
    let started = Instant::now();
    let span = info_span!("request", request.id = %id);
    let answered = CURRENT
        .scope(id, next.call(request))
        .instrument(span.clone())
        .await;
    let mut response = answered?;
    common_headers(id, response.headers_mut());
    // The pattern, never the path: a path may hold what a client mistyped.
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    span.in_scope(|| {
        let cause = response
            .response()
            .error()
            .and_then(|it| it.as_error::<ApiError>());
        if let Some(cause) = cause.and_then(ApiError::cause) {
            let chain = chain(cause);
            if status >= 500 {
                error!(
                    http.status = status,
                    error.chain = chain,
                    "the request failed"
                );
            } else {
                warn!(
                    http.status = status,
                    error.chain = chain,
                    "the request was refused"
                );
            }
        }
        info!(
            http.method = %method,
            http.route = route,
            http.status = status,
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "{method} {route} answered {status}"
        );
    });
    Ok(response)
}

fn common_headers(id: Uuid, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    // One line in the log, whatever a vendor wrote.
    chain.escape_debug().to_string()
}
