//! What every page passes: who may send a form, who asks, the headers, and the page about what
//! went wrong.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use roadstead_api::ApiError;

use crate::Transport;
use crate::cookie::Kept;
use crate::failure::Failure;
use crate::next;
use crate::pages;
use crate::ui::nav::has_page;
use crate::visitor::Visitor;

/// Nothing is loaded, run, sent or framed but from and to this very host, and no text becomes a
/// script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types panel";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Where assets lie, which are the same for everybody.
const ASSETS: &str = "/assets/";

/// Lets a request through.
///
/// # Errors
///
/// Whatever the rest of the chain returns.
pub(crate) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if request.path().starts_with(ASSETS) {
        let visitor = Visitor::stranger(request.request());
        let answered = next.call(request).await?.map_into_boxed_body();
        return Ok(finish(answered, &visitor));
    }
    let visitor = match admitted(request.request()).await {
        Ok(visitor) => Rc::new(visitor),
        Err(failure) => {
            let visitor = Visitor::stranger(request.request());
            let response = page_about(&failure, &visitor, request.request());
            return Ok(finish(request.into_response(response), &visitor));
        }
    };
    request.extensions_mut().insert(Rc::clone(&visitor));
    let answered = next.call(request).await?.map_into_boxed_body();
    Ok(finish(answered, &visitor))
}

async fn admitted(request: &HttpRequest) -> Result<Visitor, Failure> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if !safe && !is_own(request.headers()) {
        return Err(Failure::forbidden(
            "this form was not sent from a page of this panel; open the page and send it again",
        ));
    }
    let visitor = Visitor::of(request).await?;
    let host = request.headers().get(header::HOST);
    if visitor.transport == Transport::Loopback && !host.is_some_and(is_loopback) {
        return Err(Failure::forbidden(
            "over plain http the panel is shown on this machine only; let ROADSTEAD_PUBLIC_URL \
             be the https address at which others reach it",
        ));
    }
    Ok(visitor)
}

/// Returns whether a form comes from a page of this host. Browsers say so in `Sec-Fetch-Site`,
/// which no page can forge, and old ones in `Origin`. What says neither is no browser of anybody
/// who is logged in.
fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let origin = headers.get(header::ORIGIN).and_then(|it| it.to_str().ok());
    let origin = origin
        .and_then(|it| it.split_once("://"))
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
    match (host, origin) {
        (Some(host), Some((_, origin))) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Returns whether a host name can mean this machine only. Else a name of somebody else's that
/// leads here would get at what is here.
fn is_loopback(host: &HeaderValue) -> bool {
    let text = host.to_str().ok().filter(|it| !it.contains('@'));
    let uri = text.and_then(|it| it.parse::<Uri>().ok());
    let Some(name) = uri.as_ref().and_then(Uri::host) else {
        return false;
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn finish(answered: ServiceResponse, visitor: &Visitor) -> ServiceResponse {
    let failure = answered
        .response()
        .error()
        .and_then(|it| it.as_error::<Failure>())
        .cloned();
    let mut answered = match failure {
        None => answered,
        Some(failure) => {
            let (request, _) = answered.into_parts();
            let response = page_about(&failure, visitor, &request);
            ServiceResponse::new(request, response)
        }
    };
    if visitor.done.is_some() && shows_page(&answered) {
        visitor.forget(Kept::Done);
    }
    let headers = answered.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for cookie in visitor.take_cookies() {
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            headers.append(header::SET_COOKIE, value);
        }
    }
    answered
}

/// Returns whether what was done is told by this answer: a page tells it, what leads to one does
/// not.
fn shows_page(answered: &ServiceResponse) -> bool {
    let told = answered.response().extensions();
    told.get::<TellsDone>().is_some()
}

/// Marks an answer that tells what was done.
pub(crate) struct TellsDone;

fn page_about(failure: &Failure, visitor: &Visitor, request: &HttpRequest) -> HttpResponse {
    match failure {
        Failure::LogIn => {
            let back = match *request.method() {
                Method::GET => visitor.path.as_str(),
                // Most forms are sent to the page that they stand on.
                _ if has_page(visitor.place()) => visitor.place(),
                _ => "/",
            };
            visitor.go(&next::login(back))
        }
        Failure::Failed(error) => {
            let mut response = pages::failed(visitor, error);
            // For the log of the request.
            let error: Arc<ApiError> = Arc::clone(error);
            response.extensions_mut().insert(error);
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_static(value);
            headers.insert(HeaderName::from_static(name), value);
        }
        headers
    }

    #[test]
    fn a_form_comes_from_a_page_of_this_host() {
        for (own, pairs) in [
            (true, &[("sec-fetch-site", "same-origin")][..]),
            (false, &[("sec-fetch-site", "same-site")]),
            (false, &[("sec-fetch-site", "cross-site")]),
            (false, &[("sec-fetch-site", "none")]),
            (
                false,
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("host", "a.example"),
                    ("origin", "https://a.example"),
                ],
            ),
            (
                true,
                &[("host", "a.example"), ("origin", "https://A.example")],
            ),
            (
                true,
                &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")],
            ),
            (
                false,
                &[("host", "a.example"), ("origin", "https://a.example.evil")],
            ),
            (
                false,
                &[("host", "a.example"), ("origin", "https://a.example:444")],
            ),
            (false, &[("host", "a.example"), ("origin", "null")]),
            (false, &[("host", "a.example")]),
            (false, &[]),
        ] {
            assert_eq!(is_own(&headers(pairs)), own, "{pairs:?}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for (loopback, host) in [
            (true, "127.0.0.1:8080"),
            (true, "127.8.8.8"),
            (true, "localhost:1"),
            (true, "LOCALHOST"),
            (true, "[::1]:8080"),
            (false, "localhost.evil.example"),
            (false, "evil.example:8080"),
            (false, "10.0.0.1"),
            (false, "0.0.0.0:8080"),
            (false, "127.0.0.1.evil.example"),
            (false, "evil.example@127.0.0.1"),
            (false, ""),
        ] {
            let host = HeaderValue::from_static(host);
            assert_eq!(is_loopback(&host), loopback, "{host:?}");
        }
    }
}
