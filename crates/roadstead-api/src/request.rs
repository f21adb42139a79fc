//! The id of the request at hand, its log line, and the headers of every answer.

use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError, rt};
use roadstead_service::Error;
use tracing::{Instrument, error, info, info_span, warn};
use uuid::Uuid;

use crate::error::ApiError;
use crate::telemetry;

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
    let asked = Asked {
        method: request.method().clone(),
        // The pattern, never the path: a path may hold what a client mistyped.
        route: request
            .match_pattern()
            .unwrap_or_else(|| "unmatched".to_owned()),
        begun: Instant::now(),
    };
    // On a task of its own, which goes on when the client has gone away: a handler is never cut
    // off inside a query, and what it has begun is on record completely or not at all.
    match rt::spawn(answer(id, asked.clone(), request, next)).await {
        Ok(answered) => answered,
        Err(panic) => {
            error!(
                request.id = %id,
                http.method = %asked.method,
                http.route = asked.route,
                error = %panic,
                "the handler panicked"
            );
            let error = ApiError::from(Error::Internal(Box::new(panic)));
            let mut response = CURRENT.sync_scope(id, || error.error_response());
            asked.count(&response);
            common_headers(id, response.headers_mut());
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// What is logged and counted of a request.
#[derive(Clone)]
struct Asked {
    method: Method,
    route: String,
    begun: Instant,
}

impl Asked {
    /// Counts the answer, and returns how long it took.
    fn count<B>(&self, answer: &HttpResponse<B>) -> Duration {
        let elapsed = self.begun.elapsed();
        telemetry::answered(&self.method, &self.route, answer.status(), elapsed);
        elapsed
    }
}

async fn answer(
    id: Uuid,
    asked: Asked,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let span = info_span!("request", request.id = %id);
    let answered = CURRENT
        .scope(id, next.call(request))
        .instrument(span.clone())
        .await;
    let mut response = answered?;
    common_headers(id, response.headers_mut());
    let elapsed = asked.count(response.response());
    let Asked { method, route, .. } = asked;
    let status = response.status().as_u16();
    span.in_scope(|| {
        let answer = response.response();
        let failed = answer.error().and_then(|it| it.as_error::<ApiError>());
        let shown = answer.extensions();
        // A page about a failure carries the failure.
        let failed = failed.or_else(|| shown.get::<ApiError>());
        if let Some(cause) = failed.and_then(ApiError::cause) {
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
            elapsed_ms = elapsed.as_secs_f64() * 1000.0,
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
