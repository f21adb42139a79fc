//! The rules, each by what it must never do.

mod actions;
mod custody;
mod edges;

use std::net::IpAddr;

use roadstead_core::{Address, Billed, ErrorKind, MiB, Scope, State, Status};
use roadstead_repository::AttemptOutcome;

use super::*;

mod proof;

const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn at(seconds: u64) -> Timestamp {
    after(START, Duration::from_secs(seconds))
}

fn book(kind: OperationKind, state: OperationState) -> Book {
    Book {
        kind,
        state,
        attempts: 0,
        orphaned: 0,
        sent_at: None,
        empty_looks: 0,
        remote: None,
        error: None,
        failing_since: None,
        created_at: START,
        lifecycle: Lifecycle::Pending,
        bound: None,
        guarantee: CreateGuarantee::LookupOnly,
        unfinished: false,
        target: None,
        inherited: false,
    }
}

fn lost(attempts: u32) -> Book {
    Book {
        attempts,
        sent_at: Some(START),
        lifecycle: Lifecycle::Resolving,
        ..book(OperationKind::Create, OperationState::Resolving)
    }
}

fn server(id: &str, state: State) -> Instance {
    let ip: IpAddr = [192, 0, 2, 1].into();
    Instance {
        id: id.into(),
        name: "web".into(),
        status: Status {
            state,
            raw: "raw".into(),
            busy: false,
            billed: Billed::Full,
        },
        region: "r".into(),
        plan: Some("p".into()),
        image: None,
        vcpus: 1,
        memory: MiB(1024),
        disk: None,
        addresses: vec![Address {
            ip,
            scope: Scope::Public,
        }],
        tags: vec![],
        created: None,
    }
}

fn error(kind: ErrorKind) -> Error {
    Error::new("fake".into(), "create the instance", kind, "it failed")
}

fn next(book: &Book, observed: Observed, seconds: u64) -> Step {
    decide(book, observed, at(seconds), &Clockwork::default())
}

fn written(step: Step) -> Change {
    match step {
        Step::Write(change) => *change,
        Step::Call(call) => panic!("expected a write, got {call:?}"),
    }
}

fn called(step: Step) -> Call {
    match step {
        Step::Call(call) => call,
        Step::Write(change) => panic!("expected a call, got {change:?}"),
    }
}

#[test]
fn a_fresh_create_is_sent_and_an_old_one_is_looked_for_first() {
    let fresh = book(OperationKind::Create, OperationState::Leased);
    assert_eq!(called(next(&fresh, Observed::Claimed, 1)), Call::Send);
    assert_eq!(called(next(&fresh, Observed::Claimed, 31)), Call::Look);
    assert_eq!(
        called(next(&fresh, Observed::Looked(vec![]), 31)),
        Call::Send
    );
    let again = Book {
        attempts: 1,
        ..fresh
    };
    assert_eq!(called(next(&again, Observed::Claimed, 1)), Call::Look);
}

#[test]
fn a_lost_answer_is_never_followed_by_a_second_request_within_the_window() {
    let sent = Book {
        attempts: 1,
        sent_at: Some(START),
        ..book(OperationKind::Create, OperationState::Sent)
    };
    let change = written(next(&sent, Observed::Failed(error(ErrorKind::Timeout)), 10));
    assert_eq!(change.state, OperationState::Unknown);
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Resolving));
    for seconds in [11, 60, 120, 179] {
        let change = written(next(&lost(1), Observed::Looked(vec![]), seconds));
        assert_eq!(change.state, OperationState::Resolving, "after {seconds} s");
        assert_eq!(
            change.empty_looks, 0,
            "looks within the window do not count"
        );
    }
}

#[test]
fn absence_takes_two_complete_looks_after_the_window() {
    let first = written(next(&lost(1), Observed::Looked(vec![]), 181));
    assert_eq!(
        (first.state, first.empty_looks),
        (OperationState::Resolving, 1)
    );
    assert!(first.due_in >= Duration::from_secs(5));
    let once = Book {
        empty_looks: 1,
        ..lost(1)
    };
    let second = written(next(&once, Observed::Looked(vec![]), 187));
    assert_eq!(second.state, OperationState::Ready);
    assert_eq!(second.instance.lifecycle, Some(Lifecycle::Pending));
}

#[test]
fn a_failed_look_is_no_look() {
    let once = Book {
        empty_looks: 1,
        ..lost(1)
    };
    let change = written(next(&once, Observed::Blind(error(ErrorKind::Server)), 500));
    assert_eq!(
        (change.state, change.empty_looks),
        (OperationState::Resolving, 1)
    );
    let change = written(next(&once, Observed::Frozen("revoked".into()), 500));
    assert_eq!(
        (change.state, change.empty_looks),
        (OperationState::Resolving, 1)
    );
}

#[test]
fn where_names_are_unique_one_complete_look_is_enough() {
    let book = Book {
        guarantee: CreateGuarantee::UniqueName,
        ..lost(1)
    };
    let change = written(next(&book, Observed::Looked(vec![]), 1));
    assert_eq!(change.state, OperationState::Ready);
}

#[test]
fn the_third_absence_ends_it() {
    let book = Book {
        empty_looks: 1,
        ..lost(3)
    };
    let change = written(next(&book, Observed::Looked(vec![]), 400));
    assert_eq!(change.state, OperationState::Failed);
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Failed));
}

#[test]
fn a_request_whose_worker_died_does_not_count_against_the_provider() {
    let absent = |attempts, orphaned| {
        let book = Book {
            orphaned,
            empty_looks: 1,
            ..lost(attempts)
        };
        written(next(&book, Observed::Looked(vec![]), 400)).state
    };
    assert_eq!(absent(3, 1), OperationState::Ready);
    assert_eq!(absent(9, 9), OperationState::Ready);
    assert_eq!(absent(5, 2), OperationState::Failed);
    assert_eq!(absent(10, 10), OperationState::Failed);
}

#[test]
fn what_is_found_is_bound_once_and_the_rest_is_doomed() {
    let found = vec![
        server("9", State::Provisioning),
        server("7", State::Provisioning),
    ];
    let change = written(next(&lost(2), Observed::Looked(found), 20));
    assert_eq!(change.state, OperationState::Waiting);
    assert_eq!(change.instance.remote, Some(RemoteId::from("7")));
    assert_eq!(change.doomed, [RemoteId::from("9")]);
    assert!(change.wipe_secrets);
}

#[test]
fn a_refusal_counts_only_when_no_earlier_attempt_is_open() {
    let first = book(OperationKind::Create, OperationState::Leased);
    let refused = |book: &Book, kind| written(next(book, Observed::Failed(error(kind)), 1));
    let change = refused(&first, ErrorKind::Quota);
    assert_eq!(change.state, OperationState::Failed);
    assert_eq!(change.error.unwrap().code, "INSUFFICIENT_RESOURCES");

    let taken = refused(&first, ErrorKind::Conflict);
    let why = "the name may be taken by ourselves";
    assert_eq!(taken.state, OperationState::Resolving, "{why}");
    let second = Book {
        attempts: 1,
        lifecycle: Lifecycle::Resolving,
        ..first
    };
    let why = "our own first server may have taken the last place";
    let full = refused(&second, ErrorKind::Quota);
    assert_eq!(full.state, OperationState::Resolving, "{why}");
}

#[test]
fn to_ask_again_is_no_proof_that_nothing_was_made() {
    let unique = Book {
        guarantee: CreateGuarantee::UniqueName,
        ..lost(1)
    };
    let change = written(next(&unique, Observed::Looked(vec![]), 1));
    assert_eq!(change.state, OperationState::Ready);
    assert_eq!(
        change.instance.lifecycle, None,
        "it is still being looked for"
    );
    let again = Book {
        state: OperationState::Leased,
        ..unique
    };
    let frozen = written(next(&again, Observed::Frozen("revoked".into()), 2));
    assert_eq!(frozen.state, OperationState::Ready);
    let failing = Book {
        failing_since: Some(at(199)),
        ..again.clone()
    };
    let blind = written(next(
        &failing,
        Observed::Blind(error(ErrorKind::Server)),
        500,
    ));
    assert_eq!(blind.state, OperationState::Resolving);
    let refused = written(next(
        &again,
        Observed::Failed(error(ErrorKind::Forbidden)),
        2,
    ));
    assert_eq!(refused.state, OperationState::Resolving);
}

#[test]
fn a_create_whose_worker_died_is_on_record_as_being_looked_for() {
    let died = Book {
        attempts: 1,
        sent_at: Some(START),
        ..book(OperationKind::Create, OperationState::Unknown)
    };
    let change = written(next(&died, Observed::Claimed, 40));
    assert_eq!(change.state, OperationState::Resolving);
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Resolving));
}

#[test]
fn a_lagging_list_never_ends_a_create_even_where_names_are_unique() {
    let refusal = Some(record(&error(ErrorKind::Conflict)));
    let unique = Book {
        guarantee: CreateGuarantee::UniqueName,
        error: refusal,
        ..lost(2)
    };
    for seconds in [1, 60, 179] {
        let change = written(next(&unique, Observed::Looked(vec![]), seconds));
        assert_eq!(change.state, OperationState::Resolving, "after {seconds} s");
        assert!(change.error.is_some(), "the refusal is kept");
    }
    let once = Book {
        empty_looks: 1,
        ..unique
    };
    let change = written(next(&once, Observed::Looked(vec![]), 190));
    assert_eq!(change.state, OperationState::Failed);
}

#[test]
fn a_create_whose_worker_died_survives_a_frozen_account() {
    let died = Book {
        attempts: 1,
        sent_at: Some(START),
        ..book(OperationKind::Create, OperationState::Unknown)
    };
    let change = written(next(&died, Observed::Frozen("revoked".into()), 40));
    assert_eq!(change.state, OperationState::Unknown);
    assert_eq!(change.error, None, "a frozen account is no refusal");
}

#[test]
fn what_was_not_executed_is_sent_again_later_and_not_for_ever() {
    let book = book(OperationKind::Create, OperationState::Leased);
    let change = written(next(
        &book,
        Observed::Failed(error(ErrorKind::Transport)),
        1,
    ));
    assert_eq!(change.state, OperationState::Ready);
    assert!(
        change.error.is_some(),
        "who looks must see what it waits for"
    );
    let failing = Book {
        failing_since: Some(at(1)),
        ..book
    };
    let change = written(next(
        &failing,
        Observed::Failed(error(ErrorKind::Transport)),
        302,
    ));
    assert_eq!(change.state, OperationState::Failed);
}

#[test]
fn retry_after_is_obeyed_and_capped() {
    let book = book(OperationKind::Create, OperationState::Leased);
    let wait = |seconds| {
        let throttled = error(ErrorKind::Throttled).with_retry(Retry::At(at(seconds)));
        written(next(&book, Observed::Failed(throttled), 10)).due_in
    };
    assert_eq!(wait(40), Duration::from_secs(30));
    assert_eq!(wait(1_000_000), Duration::from_secs(3600));
    assert_eq!(wait(1), Clockwork::default().poll_open);
}

#[test]
fn what_waits_for_its_turn_is_kept_longer_than_what_cannot_be_reached() {
    let fresh = book(OperationKind::Create, OperationState::Leased);
    let waits = |seconds: u64| error(ErrorKind::Throttled).with_retry(Retry::At(at(seconds + 15)));
    let change = written(next(&fresh, Observed::Failed(waits(1000)), 1000));
    assert_eq!(change.state, OperationState::Ready);
    assert_eq!(change.attempt, Some(AttemptOutcome::NotExecuted));
    assert_eq!(change.due_in, Duration::from_secs(15));
    assert_eq!(change.error.unwrap().code, "RATE_LIMIT_EXCEEDED");
    let change = written(next(&fresh, Observed::Blind(waits(1000)), 1000));
    assert_eq!(change.state, OperationState::Ready);
    // Not for ever.
    let change = written(next(&fresh, Observed::Failed(waits(1801)), 1801));
    assert_eq!(change.state, OperationState::Failed);
}

#[test]
fn a_revoked_token_ends_a_create_that_never_was_after_half_an_hour_and_keeps_one_that_may_be() {
    let fresh = book(OperationKind::Create, OperationState::Leased);
    let revoked = || Observed::Frozen("revoked".into());
    for (seconds, state) in [
        (1, OperationState::Ready),
        (29 * 60, OperationState::Ready),
        (31 * 60, OperationState::Failed),
    ] {
        let change = written(next(&fresh, revoked(), seconds));
        assert_eq!(change.state, state, "after {seconds} s");
        // Who looks meanwhile sees what it waits for.
        assert_eq!(change.error.unwrap().code, "INVALID_CREDENTIALS");
    }
    let bound = Book {
        bound: Some("1".into()),
        ..book(OperationKind::Create, OperationState::Waiting)
    };
    let change = written(next(&bound, Observed::Frozen("revoked".into()), 1));
    assert_eq!(change.state, OperationState::Waiting);
}

#[test]
fn a_server_that_vanishes_after_acceptance_is_a_late_refusal_once_it_is_proved_twice() {
    let book = Book {
        sent_at: Some(START),
        bound: Some("1".into()),
        lifecycle: Lifecycle::Live,
        ..book(OperationKind::Create, OperationState::Waiting)
    };
    let early = written(next(&book, Observed::Absent, 30));
    assert_eq!(early.state, OperationState::Waiting);
    assert_eq!(called(next(&book, Observed::Absent, 61)), Call::ConfirmGone);
    let first = written(next(&book, Observed::Gone, 61));
    assert_eq!(
        (first.state, first.empty_looks),
        (OperationState::Waiting, 1)
    );
    assert!(first.due_in >= Duration::from_secs(60));
    let once = Book {
        empty_looks: 1,
        ..book
    };
    let seen = Observed::Seen(Box::new(server("1", State::Provisioning)));
    let back = written(next(&once, seen, 130));
    assert_eq!((back.state, back.empty_looks), (OperationState::Waiting, 0));
    let change = written(next(&once, Observed::Gone, 130));
    assert_eq!(change.state, OperationState::Failed);
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Failed));
}

#[test]
fn a_desired_state_that_is_there_already_sends_nothing() {
    let boot = Book {
        bound: Some("1".into()),
        ..book(OperationKind::Boot, OperationState::Leased)
    };
    let seen = |state| Observed::Seen(Box::new(server("1", state)));
    let change = written(next(&boot, seen(State::Running), 1));
    assert_eq!(change.state, OperationState::Succeeded);
    assert_eq!(called(next(&boot, seen(State::Stopped), 1)), Call::Send);
    let reboot = Book {
        kind: OperationKind::Reboot,
        ..boot
    };
    assert_eq!(called(next(&reboot, seen(State::Running), 1)), Call::Send);
}

#[test]
fn a_delete_is_believed_only_when_the_absence_is_proved() {
    let delete = Book {
        bound: Some("1".into()),
        lifecycle: Lifecycle::Deleting,
        ..book(OperationKind::Delete, OperationState::Waiting)
    };
    assert_eq!(
        called(next(&delete, Observed::Absent, 1)),
        Call::ConfirmGone
    );
    let change = written(next(&delete, Observed::Gone, 1));
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Deleted));
    let blind = written(next(
        &delete,
        Observed::Blind(error(ErrorKind::Forbidden)),
        1,
    ));
    assert_eq!(blind.state, OperationState::Waiting);
    let foreign = written(next(&delete, Observed::NotOurs, 1));
    assert_eq!(foreign.state, OperationState::Attention);
}

#[test]
fn a_delete_never_gives_up_and_never_fails() {
    let delete = Book {
        bound: Some("1".into()),
        lifecycle: Lifecycle::Deleting,
        ..book(OperationKind::Delete, OperationState::Leased)
    };
    for kind in [
        ErrorKind::Transport,
        ErrorKind::Timeout,
        ErrorKind::Busy,
        ErrorKind::Throttled,
    ] {
        let change = written(next(&delete, Observed::Failed(error(kind)), 100_000));
        assert!(!change.state.is_final(), "{kind:?} ended it");
    }
}

#[test]
fn a_delete_begins_where_a_person_was_to_decide() {
    for lifecycle in [Lifecycle::Live, Lifecycle::Attention] {
        let delete = Book {
            bound: Some("1".into()),
            lifecycle,
            ..book(OperationKind::Delete, OperationState::Leased)
        };
        let change = written(next(&delete, Observed::Claimed, 1));
        assert_eq!(change.instance.lifecycle, Some(Lifecycle::Deleting));
    }
}

#[test]
fn a_delete_takes_what_else_carries_the_mark_with_it() {
    let delete = Book {
        bound: Some("1".into()),
        lifecycle: Lifecycle::Deleting,
        ..book(OperationKind::Delete, OperationState::Waiting)
    };
    let others = vec![server("2", State::Running)];
    let change = written(next(&delete, Observed::Looked(others), 1));
    assert_eq!(change.state, OperationState::Waiting);
    assert_eq!(change.doomed, [RemoteId::from("2")]);
}

#[test]
fn every_power_action_ends() {
    let late = 31 * 60;
    let busy = || {
        let mut server = server("1", State::Unknown);
        server.status.busy = true;
        Observed::Seen(Box::new(server))
    };
    for kind in [
        OperationKind::Boot,
        OperationKind::Shutdown,
        OperationKind::PowerOff,
    ] {
        for state in [
            OperationState::Leased,
            OperationState::Resolving,
            OperationState::Waiting,
        ] {
            let action = Book {
                attempts: 1,
                sent_at: Some(START),
                bound: Some("1".into()),
                lifecycle: Lifecycle::Live,
                ..book(kind, state)
            };
            let step = next(&action, busy(), late);
            if state == OperationState::Resolving {
                // Its log has the last word.
                assert_eq!(called(step), Call::Log, "{kind:?}");
                let looked_once = Book {
                    empty_looks: 1,
                    ..action.clone()
                };
                let change = written(next(&looked_once, Observed::Logged(Vec::new()), late));
                assert_eq!(change.state, OperationState::Failed, "{kind:?}");
            } else {
                let change = written(step);
                assert_eq!(
                    change.state,
                    OperationState::Failed,
                    "{kind:?} in {state:?}"
                );
            }
            let blind = Observed::Blind(error(ErrorKind::Forbidden));
            let change = written(next(&action, blind, late));
            assert_eq!(
                change.state,
                OperationState::Failed,
                "{kind:?} in {state:?}"
            );
        }
    }
}

fn unfinished() -> Book {
    Book {
        attempts: 1,
        sent_at: Some(START),
        lifecycle: Lifecycle::Live,
        bound: Some("1".into()),
        unfinished: true,
        ..book(OperationKind::Create, OperationState::Waiting)
    }
}

fn finished(failure: Option<ErrorKind>) -> Observed {
    Observed::Finished(Box::new(server("1", State::Running)), failure.map(error))
}

fn seen(state: State) -> Observed {
    Observed::Seen(Box::new(server("1", state)))
}

#[test]
fn a_create_that_carries_not_all_is_done_when_the_rest_is_set() {
    let book = unfinished();
    let change = written(next(&book, seen(State::Starting), 5));
    assert_eq!(change.state, OperationState::Waiting);
    assert_eq!(called(next(&book, seen(State::Running), 5)), Call::Finish);
    let change = written(next(&book, finished(None), 5));
    assert_eq!(change.state, OperationState::Succeeded);
    assert!(change.instance.observation.is_some() && change.instance.problem.is_none());
    // Nobody sets anything on a server that goes.
    let leaving = Book {
        lifecycle: Lifecycle::Deleting,
        ..unfinished()
    };
    let change = written(next(&leaving, seen(State::Running), 5));
    assert_eq!(change.state, OperationState::Succeeded);
}

#[test]
fn what_cannot_be_set_is_a_problem_of_the_server_and_no_failed_create() {
    let book = unfinished();
    for kind in [
        ErrorKind::Timeout,
        ErrorKind::Throttled,
        ErrorKind::Busy,
        ErrorKind::Server,
    ] {
        let change = written(next(&book, finished(Some(kind)), 5));
        assert_eq!(change.state, OperationState::Waiting, "{kind:?}");
        assert!(change.instance.problem.is_none(), "{kind:?}");
        let change = written(next(&book, finished(Some(kind)), 4000));
        assert_eq!(change.state, OperationState::Succeeded, "{kind:?}");
        assert!(change.instance.problem.is_some(), "{kind:?}");
    }
    let change = written(next(&book, finished(Some(ErrorKind::Invalid)), 5));
    assert_eq!(change.state, OperationState::Succeeded);
    assert!(change.instance.problem.flatten().is_some());
    assert!(change.instance.observation.is_some(), "it is shown to run");
}

/// Every edge that the rules can take is one that the books allow, whatever was observed.
#[test]
fn what_must_stand_at_the_vendor_first_costs_no_attempt_and_no_lost_one_its_record() {
    let lost = Book {
        attempts: 1,
        sent_at: Some(START),
        lifecycle: Lifecycle::Resolving,
        ..book(OperationKind::Create, OperationState::Leased)
    };
    for book in [book(OperationKind::Create, OperationState::Leased), lost] {
        let observed = Observed::Unprepared(error(ErrorKind::Timeout));
        let change = written(next(&book, observed, 10));
        assert_eq!(
            (change.state, change.attempt),
            (OperationState::Ready, None)
        );
        assert!(change.due_in > Duration::ZERO && change.error.is_some());
        let failing = Book {
            failing_since: Some(at(10)),
            ..book.clone()
        };
        let observed = Observed::Unprepared(error(ErrorKind::Timeout));
        let change = written(next(&failing, observed, 311));
        assert_ne!(
            change.state,
            OperationState::Ready,
            "it is given up some time"
        );
        let observed = Observed::Unprepared(error(ErrorKind::Forbidden));
        let change = written(next(&book, observed, 10));
        // What an earlier attempt may have left is looked for first.
        let wanted = match book.attempts {
            0 => OperationState::Failed,
            _ => OperationState::Resolving,
        };
        assert_eq!((change.state, change.attempt), (wanted, None));
    }
}

#[test]
fn keys_that_went_stale_are_brought_anew_a_bounded_number_of_times() {
    for (attempts, wanted) in [
        (0, OperationState::Ready),
        (1, OperationState::Ready),
        (2, OperationState::Failed),
    ] {
        let book = Book {
            attempts,
            ..book(OperationKind::Create, OperationState::Leased)
        };
        let observed = Observed::StaleKeys(error(ErrorKind::NoSuchResource));
        let change = written(next(&book, observed, 10));
        assert_eq!(change.state, wanted);
        assert_eq!(
            change.attempt,
            Some(roadstead_repository::AttemptOutcome::Rejected)
        );
    }
}
