//! What is asked of a vendor.

use std::fmt;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use roadstead_core::Secret;
use serde::Serialize;

use crate::redact::forms_of;

/// A request to a vendor.
pub struct Request {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    segments: Vec<Box<str>>,
    query: Vec<(&'static str, Box<str>)>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Body>,
    hidden: &'static [&'static str],
}

/// A body with its type.
pub(crate) struct Body {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Result<Vec<u8>, serde_json::Error>,
}

impl Request {
    /// Asks for something. `operation` is a verb phrase for errors; the `{…}` segments of
    /// the template are filled by [`Self::with_segment`], in order.
    #[must_use]
    pub fn get(operation: &'static str, template: &'static str) -> Self {
        Self::new(Method::GET, operation, template)
    }

    /// Makes something.
    #[must_use]
    pub fn post(operation: &'static str, template: &'static str) -> Self {
        Self::new(Method::POST, operation, template)
    }

    /// Replaces something.
    #[must_use]
    pub fn put(operation: &'static str, template: &'static str) -> Self {
        Self::new(Method::PUT, operation, template)
    }

    /// Deletes something.
    #[must_use]
    pub fn delete(operation: &'static str, template: &'static str) -> Self {
        Self::new(Method::DELETE, operation, template)
    }

    fn new(method: Method, operation: &'static str, template: &'static str) -> Self {
        Self {
            operation,
            method,
            template,
            segments: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            hidden: &[],
        }
    }

    /// Fills the next `{…}` of the template. The text is encoded, so that it stays one segment.
    #[must_use]
    pub fn with_segment(mut self, segment: impl Into<Box<str>>) -> Self {
        self.segments.push(segment.into());
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with_query(mut self, name: &'static str, value: impl Into<Box<str>>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body);
        self.body = Some(Body {
            content_type: "application/json",
            bytes,
        });
        self
    }

    /// Names members of the JSON body, at any depth, that hold secrets. A vendor may repeat in its
    /// words what it was sent; these are kept out of them.
    #[must_use]
    pub fn hiding(mut self, members: &'static [&'static str]) -> Self {
        self.hidden = members;
        self
    }

    /// Returns the secrets that the body holds, in every form in which a vendor may repeat them.
    pub(crate) fn secrets(&self) -> Vec<Secret<String>> {
        let body = self.body.as_ref().and_then(|it| it.bytes.as_deref().ok());
        match body.map(serde_json::from_slice) {
            Some(Ok(body)) if !self.hidden.is_empty() => forms_of(&body, self.hidden),
            _ => Vec::new(),
        }
    }

    /// Returns whether it changes nothing, so that it can be repeated.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Returns the full address; `None` when a segment would lead elsewhere.
    pub(crate) fn url(&self, base: &Url) -> Option<Url> {
        let mut url = base.clone();
        let mut segments = self.segments.iter();
        {
            let mut path = url.path_segments_mut().ok()?;
            path.pop_if_empty();
            for part in self.template.split('/').filter(|it| !it.is_empty()) {
                if part.starts_with('{') {
                    let segment = segments.next()?;
                    // These three would be dropped or change the path.
                    if matches!(&**segment, "" | "." | "..") {
                        return None;
                    }
                    path.push(segment);
                } else {
                    path.push(part);
                }
            }
        }
        if !self.query.is_empty() {
            url.query_pairs_mut()
                .extend_pairs(self.query.iter().map(|(name, value)| (name, &**value)));
        }
        segments.next().is_none().then_some(url)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies and parameters may hold secrets.
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, request: &Request) -> Option<String> {
        request.url(&Url::parse(base).unwrap()).map(String::from)
    }

    #[test]
    fn a_segment_never_becomes_two_and_never_climbs() {
        let with = |segment: &str| Request::get("x", "/v2/things/{id}").with_segment(segment);
        let base = "https://h/";
        assert_eq!(url(base, &with("7")).unwrap(), "https://h/v2/things/7");
        assert_eq!(
            url(base, &with("a/../b?c#d%2f")).unwrap(),
            "https://h/v2/things/a%2F..%2Fb%3Fc%23d%252f"
        );
        for bad in ["", ".", ".."] {
            assert_eq!(url(base, &with(bad)), None, "{bad:?}");
        }
        assert_eq!(url(base, &Request::get("x", "/v2/things/{id}")), None);
    }

    #[test]
    fn a_base_with_a_path_keeps_it() {
        let request = Request::get("x", "/v2/things").with_query("tag", "a:b&c");
        assert_eq!(
            url("https://h/p", &request).unwrap(),
            "https://h/p/v2/things?tag=a%3Ab%26c"
        );
        assert_eq!(
            url("https://h/p/", &request).unwrap(),
            "https://h/p/v2/things?tag=a%3Ab%26c"
        );
    }

    #[test]
    fn debug_shows_neither_body_nor_parameters() {
        let request = Request::post("x", "/v2")
            .with_json(&"hunter2")
            .with_query("q", "hunter2");
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
