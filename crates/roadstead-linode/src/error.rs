//! Linode's refusals, in our words.

use std::borrow::Cow;

use roadstead_core::{Error, ErrorKind, Outcome, ProviderKind};
use roadstead_http::Refusal;

use crate::{scopes, wire};

/// Returns the short name of this vendor.
pub(crate) fn kind() -> ProviderKind {
    ProviderKind::from("linode")
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

/// Reads a refusal; `None` when it is not Linode's.
pub(crate) fn refused(refusal: &Refusal, call: &Call) -> Option<Error> {
    let new = |kind_of: ErrorKind, message: Cow<'static, str>| {
        Error::new(kind(), call.operation, kind_of, message)
    };
    // The header alone says it, whatever the page behind it looks like.
    if refusal.status() == 503 && refusal.header("x-maintenance-mode").is_some() {
        let message = "the provider is in maintenance";
        return Some(new(ErrorKind::Maintenance, message.into()));
    }
    let wire::Refusal { errors } = refusal.json()?;
    if errors.is_empty() {
        return None;
    }
    Some(match refusal.status() {
        401 => new(
            ErrorKind::BadToken,
            "the provider does not accept the token".into(),
        ),
        // A region without the plan refuses like a token without the scope.
        403 if errors.iter().any(|it| is_sold_out(&words(it))) => {
            new(ErrorKind::NoCapacity, SOLD_OUT.into())
        }
        403 => new(ErrorKind::Forbidden, forbidden(refusal, call)),
        404 if call.subject == Subject::Instance => new(
            ErrorKind::NoSuchInstance,
            "the server does not exist".into(),
        ),
        404 => new(
            ErrorKind::NoSuchResource,
            "the provider knows nothing by this id".into(),
        ),
        429 => new(ErrorKind::Throttled, "the provider asks us to wait".into()),
        // Whatever was answered this late may have been done nevertheless.
        408 | 500.. => new(ErrorKind::Server, "the provider failed".into()),
        400..500 => by_reasons(&errors, call),
        _ => return None,
    })
}

/// Returns what stands in the way of a token that the vendor knows: a scope of the token, or
/// a grant of its user.
fn forbidden(refusal: &Refusal, call: &Call) -> Cow<'static, str> {
    let needed = scopes::accepted(refusal.header("x-accepted-oauth-scopes"), call.scope);
    let own = scopes::known(refusal.header("x-oauth-scopes"));
    if own.is_some_and(|it| scopes::covers(it, needed)) {
        format!("the token has the scope `{needed}`, but its user lacks the permission").into()
    } else {
        format!("the token lacks the scope `{needed}`").into()
    }
}

const BUSY: &str = "another action runs on the server";

const SOLD_OUT: &str = "the provider has none of this plan left in the region";

fn words(error: &wire::Reason) -> String {
    error.reason.as_deref().unwrap_or_default().to_lowercase()
}

fn is_sold_out(words: &str) -> bool {
    let sold_out = [
        "capacity",
        "sold out",
        "out of stock",
        "not available",
        "not currently available",
        "unavailable",
    ];
    sold_out.iter().any(|it| words.contains(it)) && !words.contains("disk")
}

/// Reads the meaning out of the reasons, since 400 is all that Linode says otherwise.
fn by_reasons(errors: &[wire::Reason], call: &Call) -> Error {
    let new = |kind_of: ErrorKind, message: &'static str| {
        Error::new(kind(), call.operation, kind_of, message)
    };
    if errors.iter().all(|it| words(it).contains("linode busy")) {
        return new(ErrorKind::Busy, BUSY);
    }
    // A taken label may be that of our own earlier request, so it counts for more than
    // whatever else is wrong.
    if errors.iter().any(is_taken) {
        return new(ErrorKind::Conflict, "the label is taken already").with_field("label");
    }
    if errors.iter().any(|it| is_quota(&words(it))) {
        return new(ErrorKind::Quota, "the account's limit is reached");
    }
    let Some(first) = errors.first() else {
        return new(ErrorKind::Invalid, "the provider refuses the request");
    };
    by_words(&words(first), first.field.as_deref(), call)
}

/// The refusal of a second Linode with a label is worded in several ways.
fn is_taken(error: &wire::Reason) -> bool {
    let words = words(error);
    let taken = ["unique", "already", "taken", "in use", "exists"];
    error.field.as_deref() == Some("label") && taken.iter().any(|it| words.contains(it))
}

fn is_quota(words: &str) -> bool {
    words.contains("account limit") || (words.contains("limit") && words.contains("reached"))
}

fn by_words(words: &str, field: Option<&str>, call: &Call) -> Error {
    let new = |kind_of: ErrorKind, message: &'static str| {
        Error::new(kind(), call.operation, kind_of, message)
    };
    let has = |parts: &[&str]| parts.iter().any(|it| words.contains(it));
    let ours = field.and_then(our_field);
    let off = ["offline", "powered off", "shut down"];
    if has(&["strength"]) {
        return new(
            ErrorKind::Invalid,
            "the password is too weak for the provider",
        )
        .with_field("rootPassword");
    }
    if has(&["already running this"]) {
        return new(ErrorKind::Invalid, "the server has this plan already").with_field("type");
    }
    if has(&["allocated more disk"]) {
        let message = "the disks are larger than the plan allows";
        return new(ErrorKind::Invalid, message).with_field("type");
    }
    if has(&["already booted", "already running"]) {
        return new(ErrorKind::Invalid, "the server is on already");
    }
    if has(&["already"]) && has(&off) {
        return new(ErrorKind::Invalid, "the server is off already");
    }
    if has(&off) {
        return new(ErrorKind::Invalid, "the server must be off for this");
    }
    if has(&["not active", "not running", "must be running"]) {
        return new(ErrorKind::Invalid, "the server must be on for this");
    }
    if has(&["is locked", "has a lock", "has locks"]) {
        return new(ErrorKind::Invalid, "a lock on the server forbids this");
    }
    let place = matches!(ours.as_deref(), None | Some("type" | "region"));
    if place && is_sold_out(words) {
        return new(ErrorKind::NoCapacity, SOLD_OUT);
    }
    match ours {
        Some(field) => new(ErrorKind::Invalid, "the provider refuses this value").with_field(field),
        None => new(ErrorKind::Invalid, "the provider refuses the request"),
    }
}

/// Returns our name of the vendor's field. What is unknown is left out, since a vendor's
/// text is not shown.
fn our_field(field: &str) -> Option<Box<str>> {
    if let Some(name) = field
        .strip_prefix("stackscript_data")
        .filter(|it| !it.is_empty())
    {
        let name = name.trim_matches(['.', '[', ']', '\'', '"']);
        let known = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'_');
        let name = if known {
            format!(".{name}")
        } else {
            String::new()
        };
        return Some(format!("options.stackscript_data{name}").into());
    }
    let root = field.split(['.', '[']).next().unwrap_or_default();
    Some(
        match root {
            "label" => "label",
            "type" => "type",
            "region" => "region",
            "image" => "image",
            "tags" => "tags",
            "root_pass" => "rootPassword",
            "authorized_keys" => "ssh_keys",
            "ssh_key" => "public_key",
            "metadata" => "user_data",
            "backups_enabled" => "backups",
            "backups" => "options.backup_schedule",
            "interfaces" | "interface_generation" => "options.vpc_subnet_id",
            "private_ip" => "private_network",
            "authorized_users" => "options.authorized_users",
            "disk_encryption" => "options.disk_encryption",
            "firewall_id" => "options.firewall_id",
            "placement_group" => "options.placement_group_id",
            "stackscript_data" => "options.stackscript_data",
            "stackscript_id" => "options.stackscript_id",
            "swap_size" => "options.swap_size",
            _ => return None,
        }
        .into(),
    )
}

#[cfg(test)]
mod tests;
