//! Cases about failures: each means one thing, and none shows a secret.

use std::time::Duration;

use roadstead_core::{
    Action, At, Blocks, Code, Error, ErrorKind, InstanceQuery, Outcome, Provider, RemoteId, Retry,
    RootPassword, Secret,
};
use serde_json::json;

use super::create::assert_after;
use super::{key, make};
use crate::harness::{CallClass, Fault, Harness, When};

/// More faults than any provider makes calls for one answer.
const ALL: u32 = 1_000;

/// What the vendor does not have is `NoSuchInstance`.
pub async fn an_unknown_instance_is_no_such_instance(harness: &impl Harness) {
    let provider = harness.provider();
    let absent = harness.absent_instance();
    let read = provider
        .get_instance(&absent)
        .await
        .expect_err("there is none");
    let act = provider
        .perform_action(&absent, &Action::Reboot)
        .await
        .expect_err("there is none");
    for error in [read, act] {
        assert_eq!(error.kind, ErrorKind::NoSuchInstance, "{error:?}");
        assert_eq!(error.code(), Code::InstanceNotFound);
        assert_eq!(error.retry, Retry::Never);
        assert_eq!(error.provider, provider.descriptor().kind);
    }
}

/// A vendor that fails, or something that answers in its place, proves no absence.
pub async fn a_failure_to_ask_is_never_absence(harness: &impl Harness) {
    let (key, instance) = make(harness, &*harness.provider(), "absence").await;
    let faults = [
        Fault::Status {
            status: 500,
            when: When::Before,
            body: None,
        },
        Fault::Html {
            status: 404,
            when: When::Before,
        },
        Fault::Drop { when: When::Before },
    ];
    for fault in faults {
        harness.break_next(CallClass::Read, 2, fault.clone()).await;
        // A provider that asks again gets its answer; one that gives up says why.
        match harness.provider().get_instance(&instance.id).await {
            Ok(found) => assert_eq!(found.id, instance.id),
            Err(error) => assert_ne!(error.kind, ErrorKind::NoSuchInstance, "{fault:?}"),
        }
        harness.mend().await;
    }
    let fault = Fault::Html {
        status: 404,
        when: When::Before,
    };
    harness.break_next(CallClass::Read, ALL, fault).await;
    let provider = harness.provider();
    let read = provider
        .get_instance(&instance.id)
        .await
        .expect_err("nobody answers");
    assert_ne!(read.kind, ErrorKind::NoSuchInstance, "{read:?}");
    let list = provider
        .list_instances(&InstanceQuery::default(), At::First)
        .await;
    assert_ne!(
        list.expect_err("nobody answers").kind,
        ErrorKind::NoSuchInstance
    );
    provider
        .find_created(&key)
        .await
        .expect_err("an incomplete look is an error");
}

/// A token that the vendor no longer knows is `BadToken`, and a create with it made nothing.
pub async fn a_revoked_token_is_bad_token(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.request(key("revoked"));
    provider
        .validate_credentials()
        .await
        .expect("the token is good");
    harness.revoke_token().await;
    let validate = provider
        .validate_credentials()
        .await
        .expect_err("it is revoked");
    let create = provider
        .create_instance(&request)
        .await
        .expect_err("it is revoked");
    let list = provider
        .list_instances(&InstanceQuery::default(), At::First)
        .await;
    let list = list.expect_err("it is revoked");
    let id = RemoteId::from(harness.absent_instance().as_str());
    let read = provider.get_instance(&id).await.expect_err("it is revoked");
    for error in [validate, create, list, read] {
        assert_eq!(error.kind, ErrorKind::BadToken, "{error:?}");
        assert_eq!(error.code(), Code::InvalidCredentials);
        assert_eq!(error.blocks, Blocks::Account);
        assert_eq!(error.outcome, Outcome::NotExecuted);
    }
    assert_eq!(harness.servers_at_vendor(&request.key).await, 0);
}

/// When the vendor says how long to wait, the error does.
pub async fn a_429_carries_retry_after(harness: &impl Harness) {
    let provider = harness.provider();
    let fault = Fault::Throttle {
        retry_after: Duration::from_secs(120),
    };
    harness.break_next(CallClass::Read, ALL, fault).await;
    let list = provider
        .list_instances(&InstanceQuery::default(), At::First)
        .await;
    let error = list.expect_err("the vendor is busy");
    assert_eq!(error.kind, ErrorKind::Throttled, "{error:?}");
    assert_eq!(error.code(), Code::RateLimitExceeded);
    assert_after(&error, 120);
    let seen = harness.calls_seen(CallClass::Read).await;
    assert_eq!(seen, 1, "nobody asks again before the time");
}

/// A web page instead of an answer is the fault of a server, whatever its status, and
/// nothing of it is shown.
pub async fn an_html_page_is_a_server_error(harness: &impl Harness) {
    for status in [200, 404, 502] {
        let fault = Fault::Html {
            status,
            when: When::Before,
        };
        harness.break_next(CallClass::Read, ALL, fault).await;
        let error = harness
            .provider()
            .get_regions()
            .await
            .expect_err("it is a page");
        assert_eq!(error.kind, ErrorKind::Server, "{status}: {error:?}");
        assert_eq!(error.code(), Code::ApiError);
        assert!(!error.to_string().contains('<'), "{error}");
        harness.mend().await;
    }
}

/// Where nobody listens nothing was sent, and every call says so.
pub async fn an_unreachable_vendor_is_transport(harness: &impl Harness) {
    let provider = harness.unreachable();
    let request = harness.request(key("unreachable"));
    let read = provider.get_regions().await.expect_err("nobody listens");
    let create = provider
        .create_instance(&request)
        .await
        .expect_err("nobody listens");
    for error in [read, create] {
        assert_eq!(error.kind, ErrorKind::Transport, "{error:?}");
        assert_eq!(error.outcome, Outcome::NotExecuted, "{error:?}");
        assert_eq!(error.retry, Retry::Backoff, "{error:?}");
    }
}

/// Neither the provider nor a request nor any error shows a token, a password or user
/// data, even when the vendor repeats them in its own errors.
pub async fn no_secret_appears_in_debug_or_display(harness: &impl Harness) {
    const PASSWORD: &str = "canary-Pass-7431-word";
    const USER_DATA: &str = "canary-data-9917";
    let provider = harness.provider();
    let mut secrets = harness.secrets();
    secrets.extend([PASSWORD.to_owned(), USER_DATA.to_owned()]);

    let mut request = harness.request(key("secret"));
    let descriptor = provider.descriptor();
    if !matches!(descriptor.root_password, RootPassword::No { .. }) {
        request.root_password = Some(Secret::from(PASSWORD));
    }
    if descriptor.supports(roadstead_core::Feature::UserData) {
        let text = format!("#cloud-config\nwrite_files:\n- content: {USER_DATA}\n");
        request.user_data = Some(Secret::from(text));
    }
    let mut shown = vec![
        format!("{provider:?}"),
        format!("{request:?}"),
        format!("{descriptor:?}"),
    ];

    let echo = secrets.join(" ");
    let body = json!({
        "id": echo, "message": echo, "error": { "message": echo, "code": echo },
        "errors": [{ "reason": echo, "field": echo }],
    });
    for status in [400, 401, 403, 404, 409, 422, 500] {
        let body = Some(body.clone());
        let fault = Fault::Status {
            status,
            when: When::Before,
            body,
        };
        let provider = harness.provider();
        request.key = key("secret");
        harness.break_next(CallClass::Any, 1, fault).await;
        shown.extend(
            provider
                .create_instance(&request)
                .await
                .err()
                .map(|it| everything(&it)),
        );
    }
    harness.mend().await;
    request.key = key("secret");
    let created = provider
        .create_instance(&request)
        .await
        .expect("the server is created");
    shown.push(format!("{created:?}"));
    shown.extend(read_errors(harness, &*harness.provider(), body).await);

    for text in shown {
        for secret in &secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{secret} is shown in {text}"
            );
        }
    }
}

async fn read_errors(
    harness: &impl Harness,
    provider: &dyn Provider,
    body: serde_json::Value,
) -> Vec<String> {
    let fault = Fault::Status {
        status: 500,
        when: When::Before,
        body: Some(body),
    };
    harness.break_next(CallClass::Read, ALL, fault).await;
    let error = provider
        .get_instance(&harness.absent_instance())
        .await
        .expect_err("it fails");
    vec![everything(&error)]
}

/// Returns all of an error that is shown to anyone but the reader of the log.
fn everything(error: &Error) -> String {
    format!(
        "{error} {error:?} {} {:?} {:?}",
        error.message, error.field, error.vendor_code
    )
}
