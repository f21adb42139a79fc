//! Cases about one creating call: sent once, and honest about what it did.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{CreateGuarantee, Error, ErrorKind, Outcome, Retry};
use serde_json::json;

use super::key;
use crate::harness::{CallClass, Fault, Harness, When};

/// A create that was never answered made one server, is called unknown, and was not
/// sent again.
pub async fn a_create_without_an_answer_is_unknown_and_sent_once(harness: &impl Harness) {
    lose(harness, Fault::Silence { when: When::After }, 1).await;
}

/// So did one whose connection broke after the vendor had worked.
pub async fn a_create_cut_off_after_commit_is_unknown_and_sent_once(harness: &impl Harness) {
    lose(harness, Fault::Drop { when: When::After }, 1).await;
}

/// So did one that a gateway answered in the vendor's place, whatever the status.
pub async fn a_create_answered_by_a_gateway_is_unknown_and_sent_once(harness: &impl Harness) {
    for status in [408, 500, 502, 503, 504] {
        lose(
            harness,
            Fault::Status {
                status,
                when: When::After,
                body: None,
            },
            1,
        )
        .await;
    }
    for status in [200, 400, 404, 502] {
        lose(
            harness,
            Fault::Html {
                status,
                when: When::After,
            },
            1,
        )
        .await;
    }
}

/// So did one whose answer broke off or made no sense.
pub async fn a_create_with_half_an_answer_is_unknown_and_sent_once(harness: &impl Harness) {
    lose(harness, Fault::Truncate, 1).await;
    for body in [json!({ "odd": [1] }), json!("{\"half"), json!([])] {
        let fault = Fault::Status {
            status: 200,
            when: When::After,
            body: Some(body),
        };
        lose(harness, fault, 1).await;
    }
}

/// A create that was lost on its way made nothing, but nobody can know: it is called
/// unknown and was not sent again.
pub async fn a_create_dropped_before_commit_leaves_none(harness: &impl Harness) {
    lose(harness, Fault::Drop { when: When::Before }, 0).await;
    lose(
        harness,
        Fault::Status {
            status: 503,
            when: When::Before,
            body: None,
        },
        0,
    )
    .await;
}

async fn lose(harness: &impl Harness, fault: Fault, servers: usize) {
    let provider = harness.provider();
    let request = harness.request(key("lost"));
    let sent = harness.calls_seen(CallClass::Create).await;
    harness
        .break_next(CallClass::Create, 1, fault.clone())
        .await;
    let error = refused(provider.create_instance(&request).await, &fault);
    assert_eq!(error.outcome, Outcome::Unknown, "{fault:?}: {error:?}");
    assert_eq!(error.retry, Retry::AfterReconcile, "{fault:?}: {error:?}");
    assert_eq!(
        harness.servers_at_vendor(&request.key).await,
        servers,
        "{fault:?}"
    );
    assert_eq!(
        harness.calls_seen(CallClass::Create).await,
        sent + 1,
        "{fault:?}"
    );
}

/// A throttled create made nothing and says when to come back.
pub async fn a_throttled_create_was_not_executed(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.request(key("throttled"));
    let fault = Fault::Throttle {
        retry_after: Duration::from_secs(120),
    };
    harness
        .break_next(CallClass::Create, 1, fault.clone())
        .await;
    let error = refused(provider.create_instance(&request).await, &fault);
    assert_eq!(error.kind, ErrorKind::Throttled, "{error:?}");
    assert_eq!(error.outcome, Outcome::NotExecuted, "{error:?}");
    assert_after(&error, 120);
    assert_eq!(harness.servers_at_vendor(&request.key).await, 0);
}

/// Sent twice on purpose, a create makes one server where the descriptor promises it.
pub async fn the_create_guarantee_holds(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.request(key("twice"));
    let first = provider
        .create_instance(&request)
        .await
        .expect("the server is created");
    match provider.descriptor().create_guarantee {
        CreateGuarantee::Token => {
            let second = provider
                .create_instance(&request)
                .await
                .expect("it is recognized");
            assert_eq!(second.instance.id, first.instance.id);
        }
        CreateGuarantee::UniqueName => {
            let error = provider
                .create_instance(&request)
                .await
                .expect_err("the name is taken");
            assert_eq!(error.kind, ErrorKind::Conflict, "{error:?}");
            assert_eq!(error.outcome, Outcome::Rejected, "{error:?}");
        }
        // Nothing is promised; the look-up cases show that looking is enough.
        CreateGuarantee::LookupOnly => {}
    }
    assert_eq!(harness.servers_at_vendor(&request.key).await, 1);
}

/// Asserts that an error says to come back in so many seconds, give or take what the
/// test itself and a client's jitter need.
pub(super) fn assert_after(error: &Error, seconds: i64) {
    let Retry::At(then) = error.retry else {
        panic!("{error:?} says {:?}", error.retry)
    };
    let wait = then.duration_since(Timestamp::now()).as_secs();
    assert!(
        (seconds - 20..=seconds + 10).contains(&wait),
        "{error:?} says in {wait} s"
    );
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, fault: &Fault) -> Error {
    match answer {
        Ok(created) => panic!("{fault:?} was answered with {created:?}"),
        Err(error) => error,
    }
}
