//! What Linode says when it refuses.
//!
//! Reasons marked "seen" were recorded from the vendor in public fixtures and
//! issues; the others follow the published description and are this
//! simulator's words.

use serde_json::{Value, json};

use crate::vendor::Answer;

/// Seen: another job of the same server has not ended.
pub(crate) const BUSY: &str = "Linode busy.";
/// Seen: the account has all the servers it may have.
pub(crate) const OVER_LIMIT: &str = "Account Limit reached. Please open a support ticket.";
/// Seen: a label that another server of the account has.
pub(crate) const LABEL_TAKEN: &str = "Label must be unique among your linodes";
/// Seen: an image without any way to get in.
pub(crate) const NO_WAY_IN: &str =
    "Must provide valid root_pass, authorized_keys, or authorized_users";
/// Stated by the published description: a password that is easily guessed.
pub(crate) const WEAK_PASSWORD: &str = "Password does not meet strength requirement";
/// Seen: no such type.
pub(crate) const BAD_TYPE: &str = "A valid plan type by that ID was not found";
/// No such region.
pub(crate) const BAD_REGION: &str = "region is not valid";
/// No such image, or one of somebody else.
pub(crate) const BAD_IMAGE: &str = "image is not valid";
/// Seen, with status 403: the region has none of this type left, or never had.
pub(crate) const NOT_HERE: &str = "The Linode plan you chose is not currently available in the \
    selected region. Please select another region or plan type, or contact Support for assistance.";
/// The type that a resize asks for is the one it has.
pub(crate) const SAME_TYPE: &str = "Linode is already running this service plan.";
/// The disks are larger than the type that a resize asks for.
pub(crate) const SMALLER_DISK: &str = "Linode has allocated more disk than the new service plan \
    allows. Delete or resize disks smaller.";
/// The action needs a server that is off.
pub(crate) const IS_ON: &str = "Linode must be powered off.";

/// An answer with an error body.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    reasons: Vec<Reason>,
}

#[derive(Debug)]
struct Reason {
    reason: String,
    field: Option<String>,
}

impl Refusal {
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Invalid Token")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            403,
            "Your OAuth token is not authorized to use this endpoint.",
        )
    }

    /// Refuses a type that the region does not have.
    pub(crate) fn not_here() -> Self {
        Self::new(403, NOT_HERE)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not found")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "Method Not Allowed")
    }

    pub(crate) fn too_large() -> Self {
        Self::new(413, "Request body too large")
    }

    pub(crate) fn throttled() -> Self {
        Self::new(429, "Too many requests")
    }

    /// Refuses without naming a field.
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::new(400, reason)
    }

    /// Refuses because of one field.
    pub(crate) fn field(field: &str, reason: impl Into<String>) -> Self {
        Self {
            status: 400,
            reasons: vec![Reason {
                reason: reason.into(),
                field: Some(field.to_owned()),
            }],
        }
    }

    pub(crate) fn into_answer(self) -> Answer {
        let errors: Vec<Value> = self
            .reasons
            .into_iter()
            .map(|it| match it.field {
                Some(field) => json!({ "reason": it.reason, "field": field }),
                None => json!({ "reason": it.reason }),
            })
            .collect();
        Answer::json(self.status, &json!({ "errors": errors }))
    }

    fn new(status: u16, reason: impl Into<String>) -> Self {
        Self {
            status,
            reasons: vec![Reason {
                reason: reason.into(),
                field: None,
            }],
        }
    }
}

/// Collects what is wrong with a body, because the vendor names it all at once.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    reasons: Vec<Reason>,
}

impl Complaints {
    /// Takes the value, or remembers why there is none.
    pub(crate) fn hear<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(mut refusal) => {
                self.reasons.append(&mut refusal.reasons);
                None
            }
        }
    }

    /// Refuses if anything was wrong.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        if self.reasons.is_empty() {
            return Ok(());
        }
        Err(Refusal {
            status: 400,
            reasons: self.reasons,
        })
    }
}
