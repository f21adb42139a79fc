//! Answers that are always the same: made once, sent as they are, and not sent again to those
//! who have them.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

/// An answer that is always the same.
#[derive(Debug)]
pub(crate) struct Prebuilt {
    kind: &'static str,
    text: String,
    etag: String,
    policy: Option<&'static str>,
}

impl Prebuilt {
    pub(crate) fn new(kind: &'static str, text: String) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self {
            kind,
            // Weak, because compression on the way changes the bytes.
            etag: format!("W/\"{:016x}\"", hasher.finish()),
            text,
            policy: None,
        }
    }

    /// Gives a page its content security policy.
    pub(crate) fn with_policy(mut self, policy: &'static str) -> Self {
        self.policy = Some(policy);
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Answers a request: with the whole, or with nothing for who has it already.
    pub(crate) fn answer(&'static self, request: &HttpRequest) -> HttpResponse {
        let known = request
            .headers()
            .get_all(header::IF_NONE_MATCH)
            .filter_map(|it| it.to_str().ok())
            .flat_map(|it| it.split(','))
            .any(|it| it.trim() == self.etag || it.trim() == "*");
        let mut response = if known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response
            .insert_header((header::ETAG, self.etag.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-cache"));
        if let Some(policy) = self.policy {
            response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        }
        if known {
            return response.finish();
        }
        response
            .content_type(self.kind)
            .body(Bytes::from_static(self.text.as_bytes()))
    }
}
