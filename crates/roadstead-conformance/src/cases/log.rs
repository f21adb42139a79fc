//! Cases about the vendor's own log of what was done to a server.

use std::time::Duration;

use roadstead_core::{
    Action, ActionKind, ErrorKind, LogPlace, LoggedOperation, Outcome, Provider, RemoteId, Since,
    State,
};

use super::make;
use crate::harness::{CallClass, Fault, Harness, When};
use crate::wait::{until, until_done, until_state};

/// More than any provider tries.
const ALL: u32 = 1000;

/// What was done after a place stands in the log, once, and what was done before it does not;
/// every entry is followed to its end by another process.
pub async fn the_log_tells_what_was_done_after_a_place(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, instance) = make(harness, &*provider, "log").await;
    let id = &instance.id;
    until_state(harness, &*provider, id, State::Running).await;
    let first = provider.perform_action(id, &Action::Reboot).await;
    until_done(harness, &*provider, first.expect("the reboot starts")).await;

    let place = end_of(&*provider, id).await;
    assert_eq!(told(&*provider, id, &place).await, []);
    let second = provider.perform_action(id, &Action::Shutdown).await;
    second.expect("the shutdown starts");
    let found = until(harness, "the shutdown stands in the log", async || {
        let told = told(&*harness.provider(), id, &place).await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    let [shutdown] = found.as_slice() else {
        panic!("one thing was done: {found:?}");
    };
    assert_eq!(shutdown.kind, Some(ActionKind::Shutdown));
    assert!(shutdown.started.is_some());
    assert_eq!(shutdown.operation.instance.as_ref(), Some(id));
    until_done(harness, &*harness.provider(), shutdown.operation.clone()).await;
    until_state(harness, &*provider, id, State::Stopped).await;

    let later = end_of(&*provider, id).await;
    assert_eq!(told(&*provider, id, &later).await, []);
    let day = Since::Ago(Duration::from_hours(24));
    let day = provider.recent_operations(id, &day).await;
    let kinds: Vec<_> = day.expect("the log is read").entries;
    let kinds: Vec<_> = kinds.into_iter().filter_map(|it| it.kind).collect();
    let ours = [ActionKind::Reboot, ActionKind::Shutdown];
    assert!(kinds.ends_with(&ours), "{kinds:?}");

    let odd = Since::Place(LogPlace::from("no place"));
    let error = provider.recent_operations(id, &odd).await;
    assert_eq!(error.expect_err("it is of no log").kind, ErrorKind::Invalid);
}

/// An action whose answer was lost stands in the log, also while it goes on; one that never
/// arrived does not.
pub async fn a_lost_answer_is_found_in_the_log(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, instance) = make(harness, &*provider, "lost").await;
    let id = &instance.id;
    until_state(harness, &*provider, id, State::Running).await;
    for (when, count) in [(When::Before, 0), (When::After, 1)] {
        let place = end_of(&*provider, id).await;
        let fault = Fault::Drop { when };
        harness.break_next(CallClass::Action, 1, fault).await;
        let lost = provider.perform_action(id, &Action::Reboot).await;
        let lost = lost.expect_err("the answer is lost");
        assert_eq!(lost.outcome, Outcome::Unknown, "{lost:?}");
        let told = told(&*harness.provider(), id, &place).await;
        assert_eq!(told.len(), count, "{when:?}: {told:?}");
        assert!(told.iter().all(|it| it.kind == Some(ActionKind::Reboot)));
    }
}

/// A log that cannot be read is an error, never a log in which nothing stands.
pub async fn a_log_that_cannot_be_read_is_not_empty(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, instance) = make(harness, &*provider, "blind").await;
    let id = &instance.id;
    until_state(harness, &*provider, id, State::Running).await;
    let place = end_of(&*provider, id).await;
    for fault in [
        Fault::Status {
            status: 500,
            when: When::Before,
            body: None,
        },
        Fault::Html {
            status: 200,
            when: When::Before,
        },
        Fault::Drop { when: When::Before },
    ] {
        harness
            .break_next(CallClass::Read, ALL, fault.clone())
            .await;
        for since in [Since::Now, Since::Place(place.clone())] {
            let blind = harness.provider().recent_operations(id, &since).await;
            let error = blind.expect_err("nobody answers");
            assert_ne!(error.kind, ErrorKind::NoSuchInstance, "{fault:?}");
        }
        harness.mend().await;
    }
}

async fn end_of(provider: &dyn Provider, id: &RemoteId) -> LogPlace {
    let log = provider.recent_operations(id, &Since::Now).await;
    let log = log.expect("the log is read");
    assert_eq!(log.entries, [], "nothing was asked for");
    log.end
}

async fn told(provider: &dyn Provider, id: &RemoteId, place: &LogPlace) -> Vec<LoggedOperation> {
    let since = Since::Place(place.clone());
    let log = provider.recent_operations(id, &since).await;
    log.expect("the log is read").entries
}
