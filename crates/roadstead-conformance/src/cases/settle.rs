//! Cases about creating with look-ups: whatever is lost, one server is left.

use std::time::Duration;

use futures::future::{Either, select};
use futures::pin_mut;
use jiff::Timestamp;
use roadstead_core::{CreateGuarantee, CreateKey, Created, How, ManualClock, ProviderExt};

use super::key;
use crate::harness::{CallClass, Fault, Harness, When};
use crate::wait::{hurry, patiently};

/// A create whose answer was lost ends as one server, found and not made again.
pub async fn a_lost_answer_settles_as_one_adopted_server(harness: &impl Harness) {
    let faults = [
        Fault::Drop { when: When::After },
        Fault::Status {
            status: 502,
            when: When::After,
            body: None,
        },
        Fault::Truncate,
    ];
    for fault in faults {
        let (key, created) = settle(harness, fault.clone()).await;
        if harness.provider().descriptor().create_guarantee != CreateGuarantee::Token {
            assert_eq!(created.how, How::Adopted, "{fault:?}");
        }
        assert!(key.marks(&created.instance), "{fault:?}");
    }
}

/// A create that never reached the vendor ends as one server, made by a second call
/// once the first can no longer take effect.
pub async fn a_lost_request_settles_as_one_created_server(harness: &impl Harness) {
    let (key, created) = settle(harness, Fault::Drop { when: When::Before }).await;
    assert_eq!(created.how, How::Created);
    assert!(key.marks(&created.instance));
}

async fn settle(harness: &impl Harness, fault: Fault) -> (CreateKey, Created) {
    let provider = harness.provider();
    let request = harness.request(key("settle"));
    let clock = ManualClock::new(Timestamp::now());
    harness
        .break_next(CallClass::Create, 1, fault.clone())
        .await;
    let work = provider.create_and_settle(&request, &clock);
    let created = match hurry(harness, &clock, work).await {
        Ok(created) => created,
        Err(error) => panic!("{fault:?}: {error:?}"),
    };
    assert_eq!(
        harness.servers_at_vendor(&request.key).await,
        1,
        "{fault:?}"
    );
    (request.key, created)
}

/// A create that takes effect only after its answer was lost ends as one server.
pub async fn a_late_commit_settles_as_one_server(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.request(key("late"));
    let clock = ManualClock::new(Timestamp::now());
    let fault = Fault::Drop {
        when: When::Late(Duration::from_millis(300)),
    };
    harness.break_next(CallClass::Create, 1, fault).await;

    let work = provider.create_and_settle(&request, &clock);
    // Our clock stands still until the server is there: it came within the window.
    let arrival = patiently("the late server does not come", async || {
        harness.servers_at_vendor(&request.key).await == 1
    });
    pin_mut!(work, arrival);
    let created = match select(work, arrival).await {
        Either::Left((created, arrival)) => {
            arrival.await;
            created
        }
        Either::Right(((), work)) => hurry(harness, &clock, work).await,
    };
    let created = created.expect("the server is found");
    assert!(request.key.marks(&created.instance));
    assert_eq!(harness.servers_at_vendor(&request.key).await, 1);
    if provider.descriptor().create_guarantee == CreateGuarantee::LookupOnly {
        assert_eq!(created.how, How::Adopted);
        assert_eq!(harness.calls_seen(CallClass::Create).await, 1);
    }
}
