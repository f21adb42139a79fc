//! DigitalOcean's refusals, in our words.

use std::borrow::Cow;

use roadstead_core::{Error, ErrorKind, Outcome, ProviderKind};
use roadstead_http::Refusal;

use crate::wire;

/// Returns the short name of this vendor.
pub(crate) fn kind() -> ProviderKind {
    ProviderKind::from("digitalocean")
}

/// What a call is about, as far as its refusals depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// What is tried, as a verb phrase.
    pub(crate) operation: &'static str,
    /// The scope that the token needs.
    pub(crate) scope: &'static str,
    /// What a 404 says is absent.
    pub(crate) subject: Subject,
}

/// What a 404 says is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The server.
    Instance,
    /// Anything else.
    Resource,
}

/// Refuses a request of ours before anything is sent.
pub(crate) fn invalid(
    operation: &'static str,
    field: &str,
    message: impl Into<Cow<'static, str>>,
) -> Error {
    Error::new(kind(), operation, ErrorKind::Invalid, message)
        .with_field(field)
        .with_outcome(Outcome::NotExecuted)
}

/// Reads a refusal; `None` when it is not DigitalOcean's.
pub(crate) fn refused(refusal: &Refusal, call: &Call) -> Option<Error> {
    let body: wire::Refusal = refusal.json()?;
    let code = match (body.id, &body.error) {
        (Some(id), _) if body.message.is_some() => Some(id),
        (_, Some(_)) if body.messages.is_some() || body.root_causes.is_some() => None,
        _ => return None,
    };
    let words = body
        .message
        .or(body.error)
        .unwrap_or_default()
        .to_lowercase();
    let new = |kind_of: ErrorKind, message: Cow<'static, str>| {
        Error::new(kind(), call.operation, kind_of, message)
    };
    let error = match refusal.status() {
        401 => new(
            ErrorKind::BadToken,
            "the provider does not accept the token".into(),
        ),
        403 => {
            let message = format!("the token lacks the scope `{}`", call.scope);
            new(ErrorKind::Forbidden, message.into())
        }
        404 if call.subject == Subject::Instance => new(
            ErrorKind::NoSuchInstance,
            "the server does not exist".into(),
        ),
        404 => new(
            ErrorKind::NoSuchResource,
            "the provider knows nothing by this id".into(),
        ),
        409 => new(ErrorKind::Conflict, "it conflicts with what exists".into()),
        423 => new(ErrorKind::Busy, BUSY.into()),
        429 => new(ErrorKind::Throttled, "the provider asks us to wait".into()),
        503 if words.contains("maintenance") => new(
            ErrorKind::Maintenance,
            "the provider is in maintenance".into(),
        ),
        // Whatever was answered this late may have been done nevertheless.
        408 | 500.. => new(ErrorKind::Server, "the provider failed".into()),
        400..500 => by_words(&words, call),
        _ => return None,
    };
    Some(error.with_vendor(Some(refusal.status()), code, body.request_id))
}

const BUSY: &str = "another action runs on the server";

/// Reads the meaning out of the message, since 422 is all that DigitalOcean says otherwise.
fn by_words(words: &str, call: &Call) -> Error {
    let new = |kind_of: ErrorKind, message: &'static str| {
        Error::new(kind(), call.operation, kind_of, message)
    };
    if words.contains("droplet limit") {
        return new(
            ErrorKind::Quota,
            "the account's limit of droplets is reached",
        );
    }
    if words.contains("pending event") {
        return new(ErrorKind::Busy, BUSY);
    }
    if words.contains("already in use on your account") {
        return new(ErrorKind::Conflict, "the key exists already").with_field("ssh_keys");
    }
    if words.contains("droplet is currently off") {
        return new(ErrorKind::Invalid, "the server must be on for this");
    }
    if words.contains("droplet is currently on") {
        return new(ErrorKind::Invalid, "the server must be off for this");
    }
    let field = field_of(words);
    let sold_out = [
        "unavailable",
        "not available",
        "sold out",
        "out of stock",
        "capacity",
    ];
    let place = matches!(field, None | Some("plan" | "region"));
    // A size with a smaller disk is "not available" for a resize, however much stock there is.
    if place && !words.contains("disk") && sold_out.iter().any(|it| words.contains(it)) {
        return new(
            ErrorKind::NoCapacity,
            "the provider has none of this plan left in the region",
        );
    }
    match field {
        Some(field) => new(ErrorKind::Invalid, "the provider refuses this value").with_field(field),
        None => new(ErrorKind::Invalid, "the provider refuses the request"),
    }
}

/// Guesses which field of our request a message is about.
fn field_of(words: &str) -> Option<&'static str> {
    let has = |word: &str| {
        words
            .split(|it: char| !it.is_ascii_alphanumeric() && it != '_')
            .any(|it| it == word)
    };
    let of_keys = ["ssh key", "key identifier", "key invalid"];
    if of_keys.iter().any(|it| words.contains(it)) || has("ssh_keys") || has("fingerprint") {
        Some("ssh_keys")
    } else if words.contains("user data") || has("user_data") {
        Some("user_data")
    } else if has("vpc") || has("vpc_uuid") {
        Some("options.vpc_uuid")
    } else if has("backup_policy") || words.contains("backup policy") {
        Some("options.backup_policy")
    } else if has("image") && !words.contains("decrease size") {
        Some("image")
    } else if has("size") || has("sizes") {
        Some("plan")
    } else if has("region") {
        Some("region")
    } else if has("tag") || has("tags") {
        Some("tags")
    } else if has("name") || has("hostname") {
        Some("name")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use roadstead_core::{Blocks, Code};
    use roadstead_http::header::HeaderMap;

    use super::*;

    const CREATE: Call = Call {
        operation: "create the instance",
        scope: "droplet:create",
        subject: Subject::Resource,
    };
    const GET: Call = Call {
        operation: "get the instance",
        scope: "droplet:read",
        subject: Subject::Instance,
    };

    fn read(call: &Call, status: u16, id: &str, message: &str) -> Error {
        let body = serde_json::json!({ "id": id, "message": message, "request_id": "r-1" });
        refused(
            &Refusal::new(status, HeaderMap::new(), body.to_string()),
            call,
        )
        .unwrap()
    }

    #[track_caller]
    fn check(error: &Error, kind: ErrorKind, outcome: Outcome, field: Option<&str>) {
        assert_eq!((error.kind, error.outcome), (kind, outcome), "{error:?}");
        assert_eq!(error.field.as_deref(), field, "{error:?}");
        assert_eq!(error.vendor_request_id.as_deref(), Some("r-1"));
    }

    fn unprocessable(message: &str) -> Error {
        read(&CREATE, 422, "unprocessable_entity", message)
    }

    #[test]
    fn a_401_is_a_bad_token() {
        let error = read(&CREATE, 401, "unauthorized", "Unable to authenticate you.");
        check(&error, ErrorKind::BadToken, Outcome::NotExecuted, None);
        assert_eq!(error.blocks, Blocks::Account);
    }

    #[test]
    fn a_403_names_the_missing_scope() {
        let error = read(&CREATE, 403, "forbidden", "You do not have access");
        check(&error, ErrorKind::Forbidden, Outcome::NotExecuted, None);
        assert!(error.to_string().contains("`droplet:create`"), "{error}");
        assert_eq!(error.code(), Code::InvalidCredentials);
    }

    #[test]
    fn a_404_is_an_absent_server_or_an_absent_resource_by_context() {
        let words = "The resource you requested could not be found.";
        let error = read(&GET, 404, "not_found", words);
        check(&error, ErrorKind::NoSuchInstance, Outcome::Rejected, None);
        let error = read(&CREATE, 404, "not_found", words);
        check(&error, ErrorKind::NoSuchResource, Outcome::Rejected, None);
    }

    #[test]
    fn the_droplet_limit_is_a_quota_of_the_account() {
        let error = unprocessable("creating this/these droplet(s) will exceed your droplet limit");
        check(&error, ErrorKind::Quota, Outcome::Rejected, None);
        assert_eq!(
            (error.blocks, error.code()),
            (Blocks::Account, Code::InsufficientResources)
        );
    }

    #[test]
    fn a_pending_event_is_busy() {
        let error = unprocessable("Droplet already has a pending event.");
        check(&error, ErrorKind::Busy, Outcome::Rejected, None);
    }

    #[test]
    fn what_is_unavailable_is_a_lack_of_stock() {
        for words in [
            "Size is not available in this region.",
            "The specified region is currently unavailable",
            "Out of capacity",
        ] {
            check(
                &unprocessable(words),
                ErrorKind::NoCapacity,
                Outcome::Rejected,
                None,
            );
        }
    }

    #[test]
    fn a_smaller_disk_is_a_wrong_plan_and_no_lack_of_stock() {
        for words in [
            "This size is not available because it has a smaller disk.",
            "Size can not decrease size of Droplet's disk image",
        ] {
            check(
                &unprocessable(words),
                ErrorKind::Invalid,
                Outcome::Rejected,
                Some("plan"),
            );
        }
    }

    #[test]
    fn a_server_in_the_wrong_state_is_told_so() {
        let words = "Droplet is currently off. Please turn it on to run this event.";
        let error = unprocessable(words);
        check(&error, ErrorKind::Invalid, Outcome::Rejected, None);
        assert!(
            error
                .to_string()
                .ends_with("the server must be on for this"),
            "{error}"
        );
        let words = "Droplet is currently on. Please power it off to run this event.";
        check(
            &unprocessable(words),
            ErrorKind::Invalid,
            Outcome::Rejected,
            None,
        );
    }

    #[test]
    fn other_422s_are_invalid_with_the_field_at_best() {
        for (words, field) in [
            (
                "You specified an invalid size for Droplet creation.",
                Some("plan"),
            ),
            (
                "You specified an invalid image for Droplet creation.",
                Some("image"),
            ),
            (
                "You specified an invalid region for Droplet creation.",
                Some("region"),
            ),
            (
                "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)",
                Some("name"),
            ),
            (
                "1 are invalid key identifiers for Droplet creation: ssh_keys",
                Some("ssh_keys"),
            ),
            (
                "46000001 are invalid key identifiers for Droplet creation.",
                Some("ssh_keys"),
            ),
            (
                "Key invalid, key should be of the format `type key [comment]`",
                Some("ssh_keys"),
            ),
            ("tags can only contain letters", Some("tags")),
            ("Droplet could not be resized", None),
        ] {
            check(
                &unprocessable(words),
                ErrorKind::Invalid,
                Outcome::Rejected,
                field,
            );
        }
    }

    #[test]
    fn an_existing_key_is_a_conflict() {
        let error = unprocessable("SSH Key is already in use on your account");
        check(
            &error,
            ErrorKind::Conflict,
            Outcome::Rejected,
            Some("ssh_keys"),
        );
    }

    #[test]
    fn a_429_is_a_throttle() {
        let error = read(
            &CREATE,
            429,
            "too_many_requests",
            "API rate limit exceeded.",
        );
        check(&error, ErrorKind::Throttled, Outcome::NotExecuted, None);
    }

    #[test]
    fn a_failing_vendor_leaves_the_outcome_unknown() {
        for status in [408, 500, 502, 503, 504] {
            let error = read(
                &CREATE,
                status,
                "server_error",
                "Unexpected server-side error",
            );
            check(&error, ErrorKind::Server, Outcome::Unknown, None);
        }
    }

    #[test]
    fn a_503_for_maintenance_is_told_apart() {
        let error = read(&CREATE, 503, "service_unavailable", "Down for maintenance");
        check(&error, ErrorKind::Maintenance, Outcome::Unknown, None);
    }

    #[test]
    fn the_other_shape_of_refusals_is_understood() {
        let body = r#"{"error":"invalid vpc","messages":null,"root_causes":[]}"#;
        let error = refused(&Refusal::new(400, HeaderMap::new(), body), &CREATE).unwrap();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert_eq!(error.field.as_deref(), Some("options.vpc_uuid"));
    }

    #[test]
    fn what_is_not_the_vendors_is_left_to_the_status() {
        for body in [
            "<html>400</html>",
            "",
            "{}",
            r#"{"error":"bad gateway"}"#,
            r#"{"id":"x"}"#,
        ] {
            let refusal = Refusal::new(400, HeaderMap::new(), body);
            assert!(refused(&refusal, &CREATE).is_none(), "{body}");
        }
    }
}
