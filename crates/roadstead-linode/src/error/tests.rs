//! The table of refusals, one test a line.

use roadstead_core::{Blocks, Code};
use roadstead_http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

const CREATE: Call = Call {
    operation: "create the instance",
    scope: "linodes:read_write",
    subject: Subject::Resource,
};
const ACT: Call = Call {
    operation: "boot the instance",
    scope: "linodes:read_write",
    subject: Subject::Instance,
};

fn read_with(call: &Call, status: u16, headers: &[(&'static str, &str)], body: &Value) -> Error {
    let headers = headers.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    });
    let refusal = Refusal::new(status, HeaderMap::from_iter(headers), body.to_string());
    refused(&refusal, call).unwrap()
}

fn read(call: &Call, status: u16, reason: &str) -> Error {
    read_with(
        call,
        status,
        &[],
        &json!({ "errors": [{ "reason": reason }] }),
    )
}

fn bad(field: &str, reason: &str) -> Error {
    let body = json!({ "errors": [{ "reason": reason, "field": field }] });
    read_with(&CREATE, 400, &[], &body)
}

#[track_caller]
fn check(error: &Error, kind: ErrorKind, outcome: Outcome, field: Option<&str>) {
    assert_eq!((error.kind, error.outcome), (kind, outcome), "{error:?}");
    assert_eq!(error.field.as_deref(), field, "{error:?}");
}

#[test]
fn a_401_is_a_bad_token() {
    let error = read(&CREATE, 401, "Invalid Token");
    check(&error, ErrorKind::BadToken, Outcome::NotExecuted, None);
    assert_eq!(error.blocks, Blocks::Account);
}

#[test]
fn a_403_names_the_missing_scope() {
    let error = read(&CREATE, 403, "Your OAuth token is not authorized");
    check(&error, ErrorKind::Forbidden, Outcome::NotExecuted, None);
    assert!(
        error.to_string().contains("`linodes:read_write`"),
        "{error}"
    );
    assert_eq!(error.code(), Code::InvalidCredentials);
}

#[test]
fn a_403_names_the_scope_that_the_vendor_names() {
    let headers = [
        ("x-oauth-scopes", "linodes:read_only"),
        ("x-accepted-oauth-scopes", "account:read_only"),
    ];
    let body = json!({ "errors": [{ "reason": "Unauthorized" }] });
    let error = read_with(&CREATE, 403, &headers, &body);
    assert!(
        error
            .to_string()
            .ends_with("lacks the scope `account:read_only`"),
        "{error}"
    );
}

#[test]
fn a_403_in_spite_of_the_scope_is_a_grant_of_the_user() {
    let body = json!({ "errors": [{ "reason": "Unauthorized" }] });
    let error = read_with(&CREATE, 403, &[("x-oauth-scopes", "*")], &body);
    check(&error, ErrorKind::Forbidden, Outcome::NotExecuted, None);
    assert!(
        error.to_string().contains("its user lacks the permission"),
        "{error}"
    );
}

#[test]
fn a_404_is_an_absent_server_or_an_absent_resource_by_context() {
    let error = read(&ACT, 404, "Not found");
    check(&error, ErrorKind::NoSuchInstance, Outcome::Rejected, None);
    let error = read(&CREATE, 404, "Not found");
    check(&error, ErrorKind::NoSuchResource, Outcome::Rejected, None);
}

#[test]
fn a_busy_linode_is_busy_only_if_that_is_the_only_reason() {
    let error = read(&ACT, 400, "Linode busy.");
    check(&error, ErrorKind::Busy, Outcome::Rejected, None);
    let body =
        json!({ "errors": [{ "reason": "Linode busy." }, { "reason": "x", "field": "type" }] });
    let error = read_with(&ACT, 400, &[], &body);
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[test]
fn the_account_limit_is_a_quota_of_the_account() {
    let error = read(
        &CREATE,
        400,
        "Account Limit reached. Please open a support ticket.",
    );
    check(&error, ErrorKind::Quota, Outcome::Rejected, None);
    assert_eq!(
        (error.blocks, error.code()),
        (Blocks::Account, Code::InsufficientResources)
    );
}

#[test]
fn a_taken_label_is_a_conflict_in_any_wording() {
    for words in [
        "Label must be unique among your linodes",
        "label is already in use",
        "This label has been taken",
        "A Linode with that label exists",
    ] {
        let error = bad("label", words);
        check(
            &error,
            ErrorKind::Conflict,
            Outcome::Rejected,
            Some("label"),
        );
        assert!(
            error.to_string().ends_with("the label is taken already"),
            "{error}"
        );
    }
    let body = json!({ "errors": [
        { "reason": "region is not valid", "field": "region" },
        { "reason": "Label must be unique", "field": "label" },
    ] });
    let error = read_with(&CREATE, 400, &[], &body);
    assert_eq!(error.kind, ErrorKind::Conflict);
}

#[test]
fn a_wrong_label_is_no_conflict() {
    let error = bad("label", "Label must begin with a letter");
    check(&error, ErrorKind::Invalid, Outcome::Rejected, Some("label"));
}

#[test]
fn a_field_of_the_vendors_has_our_name() {
    for (field, ours) in [
        ("type", Some("type")),
        ("region", Some("region")),
        ("image", Some("image")),
        ("root_pass", Some("rootPassword")),
        ("authorized_keys", Some("ssh_keys")),
        ("authorized_keys[0]", Some("ssh_keys")),
        ("tags", Some("tags")),
        ("metadata.user_data", Some("user_data")),
        ("backups_enabled", Some("backups")),
        ("private_ip", Some("private_network")),
        ("stackscript_id", Some("options.stackscript_id")),
        ("stackscript_data", Some("options.stackscript_data")),
        (
            "stackscript_data.DB_NAME",
            Some("options.stackscript_data.DB_NAME"),
        ),
        (
            "stackscript_data[DB_NAME]",
            Some("options.stackscript_data.DB_NAME"),
        ),
        ("stackscript_data.<b>", Some("options.stackscript_data")),
        ("backups.schedule.window", Some("options.backup_schedule")),
        ("interfaces[1].subnet_id", Some("options.vpc_subnet_id")),
        ("interface_generation", Some("options.vpc_subnet_id")),
        ("placement_group.id", Some("options.placement_group_id")),
        ("firewall_id", Some("options.firewall_id")),
        ("X-Filter", None),
        ("sim-token", None),
    ] {
        check(
            &bad(field, "This is not valid"),
            ErrorKind::Invalid,
            Outcome::Rejected,
            ours,
        );
    }
}

#[test]
fn a_weak_password_is_told_so() {
    let error = bad("root_pass", "Password does not meet strength requirement");
    check(
        &error,
        ErrorKind::Invalid,
        Outcome::Rejected,
        Some("rootPassword"),
    );
    assert!(
        error
            .to_string()
            .ends_with("the password is too weak for the provider"),
        "{error}"
    );
}

#[test]
fn a_server_in_the_wrong_state_is_told_so() {
    for (words, ours) in [
        (
            "Linode must be powered off",
            "the server must be off for this",
        ),
        ("Linode already booted.", "the server is on already"),
        ("Linode is already powered off", "the server is off already"),
        ("Linode is not active", "the server must be on for this"),
        ("Linode is locked", "a lock on the server forbids this"),
    ] {
        let error = read(&ACT, 400, words);
        check(&error, ErrorKind::Invalid, Outcome::Rejected, None);
        assert!(error.to_string().ends_with(ours), "{error}");
    }
}

#[test]
fn what_is_unavailable_is_a_lack_of_stock() {
    for (field, words) in [
        (
            "region",
            "The selected plan is not available in this region.",
        ),
        ("type", "Plan is sold out"),
        ("none", "There is no capacity left"),
    ] {
        check(
            &bad(field, words),
            ErrorKind::NoCapacity,
            Outcome::Rejected,
            None,
        );
    }
    let words = "Image is not available";
    check(
        &bad("image", words),
        ErrorKind::Invalid,
        Outcome::Rejected,
        Some("image"),
    );
}

#[test]
fn a_403_for_a_plan_that_the_region_lacks_is_a_lack_of_stock() {
    let words = "The Linode plan you chose is not currently available in the selected region.";
    let error = read(&CREATE, 403, words);
    check(&error, ErrorKind::NoCapacity, Outcome::Rejected, None);
    assert_eq!(error.blocks, Blocks::Offering);
}

#[test]
fn a_plan_that_does_not_fit_is_a_wrong_plan() {
    for words in [
        "Linode is already running this service plan.",
        "Linode has allocated more disk than the new service plan allows.",
    ] {
        let error = read(&ACT, 400, words);
        check(&error, ErrorKind::Invalid, Outcome::Rejected, Some("type"));
    }
}

#[test]
fn a_408_leaves_the_outcome_unknown() {
    let error = read(&CREATE, 408, "Please try again");
    check(&error, ErrorKind::Server, Outcome::Unknown, None);
}

#[test]
fn a_429_is_a_throttle() {
    let error = read(&CREATE, 429, "Too many requests");
    check(&error, ErrorKind::Throttled, Outcome::NotExecuted, None);
}

#[test]
fn a_503_in_maintenance_mode_is_told_apart_whatever_its_page() {
    for body in [json!({ "errors": [{ "reason": "x" }] }), json!("<html>")] {
        let error = read_with(&CREATE, 503, &[("x-maintenance-mode", "all")], &body);
        check(&error, ErrorKind::Maintenance, Outcome::Unknown, None);
        assert_eq!(error.blocks, Blocks::Region);
    }
}

#[test]
fn a_failing_vendor_leaves_the_outcome_unknown() {
    for status in [500, 502, 503, 504] {
        let error = read(&CREATE, status, "Internal Server Error");
        check(&error, ErrorKind::Server, Outcome::Unknown, None);
    }
}

#[test]
fn what_is_not_the_vendors_is_left_to_the_status() {
    for body in [
        "<html>400 nginx</html>",
        "",
        "{}",
        r#"{"errors":[]}"#,
        r#"{"errors":"x"}"#,
    ] {
        let refusal = Refusal::new(400, HeaderMap::new(), body);
        assert!(refused(&refusal, &CREATE).is_none(), "{body}");
    }
}
