//! The series of this crate: how many requests are answered, with what, and how fast.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const REQUESTS: &str = "roadstead_http_requests_total";
const REQUEST_SECONDS: &str = "roadstead_http_request_duration_seconds";

/// Describes the series of this crate to the recorder of this process.
pub fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Answered requests.");
    describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "How long requests take until their answer begins."
    );
}

/// Counts an answered request. The route is its pattern: a path would make a series per server.
pub(crate) fn answered(method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
    let (method, route) = (word(method), route.to_owned());
    counter!(
        REQUESTS,
        "method" => method,
        "route" => route.clone(),
        "status" => class(status),
    )
    .increment(1);
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route).record(elapsed.as_secs_f64());
}

/// A client may make methods up; the series may not grow with what it thinks of.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
