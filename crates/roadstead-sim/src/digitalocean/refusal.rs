//! What DigitalOcean says when it refuses.
//!
//! Messages marked "seen" were recorded from the vendor in public issues; the
//! others follow the published description and are this simulator's words.

use serde_json::json;

use crate::vendor::Answer;

/// An answer with an error body.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    id: &'static str,
    message: String,
    retry_after: Option<u64>,
}

/// Seen: the account has all the droplets it may have.
pub(crate) const OVER_LIMIT: &str = "creating this/these droplet(s) will exceed your droplet limit";
/// Seen: an action is still running.
pub(crate) const PENDING: &str = "Droplet already has a pending event.";
/// Seen: characters that a host name cannot have.
pub(crate) const BAD_NAME: &str =
    "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)";
/// Seen: no such size.
pub(crate) const BAD_SIZE: &str = "You specified an invalid size for Droplet creation.";
/// Seen: no such image, or one that is retired.
pub(crate) const BAD_IMAGE: &str = "You specified an invalid image for Droplet creation.";
/// Seen: no such region.
pub(crate) const BAD_REGION: &str = "You specified an invalid region for Droplet creation.";
/// Seen: the region takes no new droplets.
pub(crate) const REGION_UNAVAILABLE: &str = "Region is not available";
/// Seen in part ("size is unavailable"): nobody may have this size now.
pub(crate) const SIZE_UNAVAILABLE: &str = "Size is unavailable.";
/// The region does not sell this size.
pub(crate) const SIZE_NOT_HERE: &str = "Size is not available in this region.";
/// Seen: a resize to a smaller disk.
pub(crate) const SMALLER_DISK: &str = "Size can not decrease size of Droplet's disk image";
/// The action needs a running droplet.
pub(crate) const IS_OFF: &str = "Droplet is currently off. Please turn it on to run this event.";
/// The action needs a stopped droplet.
pub(crate) const IS_ON: &str = "Droplet is currently on. Please power it off to run this event.";

impl Refusal {
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "Unable to authenticate you.")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            403,
            "forbidden",
            "You are not authorized to perform this operation",
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            404,
            "not_found",
            "The resource you requested could not be found.",
        )
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "bad_request", message)
    }

    /// Refuses a body without something that it must have.
    pub(crate) fn parameter_missing(name: &str) -> Self {
        let message = format!("param is missing or the value is empty: {name}");
        Self::new(400, "parameter_missing", message)
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "unprocessable_entity", message)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            413,
            "request_entity_too_large",
            "The request body is too large.",
        )
    }

    /// Refuses because of the rate limit. Only the limit of one minute says
    /// when to come back.
    pub(crate) fn throttled(retry_after: Option<u64>) -> Self {
        let refusal = Self::new(429, "too_many_requests", "API rate limit exceeded.");
        Self {
            retry_after,
            ..refusal
        }
    }

    pub(crate) const fn is_throttle(&self) -> bool {
        self.status == 429
    }

    pub(crate) fn into_answer(self, request_id: &str) -> Answer {
        let body = json!({ "id": self.id, "message": self.message, "request_id": request_id });
        let mut answer = Answer::json(self.status, &body);
        if let Some(seconds) = self.retry_after {
            answer
                .headers
                .push(("retry-after".to_owned(), seconds.to_string()));
        }
        answer
    }

    fn new(status: u16, id: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            id,
            message: message.into(),
            retry_after: None,
        }
    }
}
