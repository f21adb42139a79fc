//! The rules of what is done to a server that there is.

use roadstead_core::{ActionKind, Outcome, RemoteOperationId};

use super::*;

const AT_MOST_ONCE: [OperationKind; 2] = [OperationKind::Reboot, OperationKind::Rebuild];

const DESIRED: [OperationKind; 4] = [
    OperationKind::Boot,
    OperationKind::Shutdown,
    OperationKind::PowerOff,
    OperationKind::Resize,
];

/// An action on a live server.
fn action(kind: OperationKind, state: OperationState) -> Book {
    Book {
        lifecycle: Lifecycle::Live,
        bound: Some("1".into()),
        target: match kind {
            OperationKind::Resize => Some(Target::Plan("larger".into())),
            OperationKind::Rebuild => Some(Target::Image("fresh".into())),
            _ => None,
        },
        ..book(kind, state)
    }
}

/// One whose answer was lost.
fn lost(kind: OperationKind, empty_looks: u32) -> Book {
    Book {
        attempts: 1,
        sent_at: Some(START),
        empty_looks,
        ..action(kind, OperationState::Resolving)
    }
}

fn job(status: OperationStatus) -> RemoteOperation {
    RemoteOperation {
        id: RemoteOperationId::from("7"),
        instance: Some("1".into()),
        status,
        poll_after: Duration::from_secs(3),
    }
}

fn entry(kind: ActionKind, id: &str, status: OperationStatus) -> LoggedOperation {
    LoggedOperation {
        kind: Some(kind),
        started: None,
        operation: RemoteOperation {
            id: id.into(),
            ..job(status)
        },
    }
}

fn word(kind: OperationKind) -> ActionKind {
    match kind {
        OperationKind::Boot => ActionKind::Boot,
        OperationKind::Shutdown => ActionKind::Shutdown,
        OperationKind::PowerOff => ActionKind::PowerOff,
        OperationKind::Reboot => ActionKind::Reboot,
        OperationKind::Resize => ActionKind::Resize,
        OperationKind::Rebuild => ActionKind::Rebuild,
        OperationKind::Create
        | OperationKind::Delete
        | OperationKind::Import
        | OperationKind::Release => panic!("no action"),
    }
}

const fn running() -> OperationStatus {
    OperationStatus::Running { percent: None }
}

fn gave_up() -> OperationStatus {
    OperationStatus::Failed {
        code: Code::ApiError,
        message: "the provider gave up the job".into(),
    }
}

fn resized() -> Observed {
    let mut it = server("1", State::Stopped);
    it.plan = Some("larger".into());
    Observed::Seen(Box::new(it))
}

#[test]
fn a_lost_action_is_looked_for_in_the_log_and_attached_to() {
    for kind in AT_MOST_ONCE.into_iter().chain(DESIRED) {
        let unknown = action(kind, OperationState::Unknown);
        let change = written(next(&unknown, Observed::Claimed, 31));
        assert_eq!(change.state, OperationState::Resolving, "{kind:?}");
        let it = lost(kind, 0);
        assert_eq!(called(next(&it, Observed::Claimed, 1)), Call::Get);
        assert_eq!(called(next(&it, seen(State::Unknown), 1)), Call::Log);
        let found = Observed::Logged(vec![
            entry(ActionKind::Rename, "5", OperationStatus::Succeeded),
            entry(word(kind), "6", running()),
        ]);
        let change = written(next(&it, found, 1));
        assert_eq!(change.state, OperationState::Waiting, "{kind:?}");
        assert_eq!(change.attempt, Some(AttemptOutcome::Committed));
        assert_eq!(change.remote.unwrap().id.as_str(), "6");
        assert!(change.wipe_secrets);
    }
}

#[test]
fn of_a_request_that_was_delivered_twice_the_one_that_goes_on_counts() {
    let it = lost(OperationKind::Resize, 0);
    for (first, second, counts) in [
        (running(), gave_up(), "1"),
        (gave_up(), running(), "2"),
        (OperationStatus::Succeeded, running(), "2"),
        (gave_up(), gave_up(), "2"),
    ] {
        let both = vec![
            entry(ActionKind::Resize, "1", first),
            entry(ActionKind::Resize, "2", second),
        ];
        let change = written(next(&it, Observed::Logged(both), 1));
        assert_eq!(change.remote.unwrap().id.as_str(), counts);
    }
}

#[test]
fn what_nobody_can_tell_is_never_sent_again() {
    for kind in AT_MOST_ONCE {
        let silent = |empty_looks, seconds| {
            let it = lost(kind, empty_looks);
            written(next(&it, Observed::Logged(Vec::new()), seconds))
        };
        // Looks within the settle window do not count.
        for seconds in [1, 60, 179] {
            let change = silent(0, seconds);
            let found = (change.state, change.empty_looks);
            assert_eq!(found, (OperationState::Resolving, 0), "{kind:?}");
        }
        let first = silent(0, 181);
        assert_eq!(
            (first.state, first.empty_looks),
            (OperationState::Resolving, 1)
        );
        assert!(first.due_in >= Clockwork::default().look_interval);
        let second = silent(1, 190);
        assert_eq!(second.state, OperationState::Attention, "{kind:?}");
        assert!(second.wipe_secrets);
        // The server can be worked on.
        assert_eq!(second.instance.lifecycle, None);
        assert!(second.instance.problem.is_some());
        // Whatever is observed of a lost one, it is never sent.
        for state in State::ALL {
            for seconds in [1, 200, 3600] {
                match next(&lost(kind, 1), seen(state), seconds) {
                    Step::Call(call) => assert_eq!(call, Call::Log, "{kind:?} {state:?}"),
                    Step::Write(change) => assert_ne!(change.state, OperationState::Ready),
                }
            }
        }
    }
}

#[test]
fn a_log_that_cannot_be_read_tells_nothing() {
    for kind in AT_MOST_ONCE {
        let blind = || Observed::Blind(error(ErrorKind::Server));
        let change = written(next(&lost(kind, 1), blind(), 600));
        assert_eq!(
            (change.state, change.empty_looks),
            (OperationState::Resolving, 1)
        );
        let change = written(next(&lost(kind, 1), blind(), 31 * 60));
        assert_eq!(change.state, OperationState::Attention, "{kind:?}");
    }
    let blind = Observed::Blind(error(ErrorKind::Server));
    let change = written(next(&lost(OperationKind::Resize, 0), blind, 31 * 60));
    assert_eq!(change.state, OperationState::Attention);
}

#[test]
fn a_desired_state_is_read_before_anything_is_sent_again() {
    for kind in DESIRED {
        let first = written(next(&lost(kind, 0), Observed::Logged(Vec::new()), 200));
        assert_eq!(
            (first.state, first.empty_looks),
            (OperationState::Resolving, 1)
        );
        let second = written(next(&lost(kind, 1), Observed::Logged(Vec::new()), 200));
        assert_eq!(second.state, OperationState::Ready, "{kind:?}");
        let again = Book {
            attempts: 1,
            sent_at: Some(START),
            ..action(kind, OperationState::Leased)
        };
        assert_eq!(called(next(&again, Observed::Claimed, 201)), Call::Get);
        assert_eq!(called(next(&again, seen(State::Unknown), 201)), Call::Log);
        let silent = Observed::Logged(Vec::new());
        assert_eq!(called(next(&again, silent, 201)), Call::Send);
    }
    // A resize costs money, and waits for as long as one may still come.
    for (kind, seconds, looks) in [
        (OperationKind::Resize, 179, 0),
        (OperationKind::Boot, 29, 0),
        (OperationKind::Boot, 31, 1),
    ] {
        let change = written(next(&lost(kind, 0), Observed::Logged(Vec::new()), seconds));
        assert_eq!(change.empty_looks, looks, "{kind:?} after {seconds} s");
    }
}

#[test]
fn a_resize_is_done_when_the_server_has_the_plan_and_takes_its_price_then() {
    for state in [
        OperationState::Leased,
        OperationState::Resolving,
        OperationState::Waiting,
    ] {
        let change = written(next(&action(OperationKind::Resize, state), resized(), 1));
        assert_eq!(change.state, OperationState::Succeeded, "{state:?}");
        assert!(change.instance.takes_terms && change.instance.observation.is_some());
    }
    // On its way there, the plan is not shown before its price.
    let mut halfway = server("1", State::Resizing);
    halfway.plan = Some("larger".into());
    halfway.status.busy = true;
    let waiting = action(OperationKind::Resize, OperationState::Waiting);
    let change = written(next(&waiting, Observed::Seen(Box::new(halfway)), 1));
    assert_eq!(change.state, OperationState::Waiting);
    assert!(!change.instance.takes_terms && change.instance.observation.is_none());
    let change = written(next(&waiting, Observed::Asked(job(gave_up())), 1));
    assert_eq!(change.state, OperationState::Failed);
    assert!(!change.instance.takes_terms);
}

#[test]
fn a_rebuild_is_done_when_the_server_shows_the_image() {
    let it = |image: Option<&str>, state| {
        let mut it = server("1", state);
        it.image = image.map(Into::into);
        Observed::Seen(Box::new(it))
    };
    let waiting = Book {
        attempts: 1,
        sent_at: Some(START),
        ..action(OperationKind::Rebuild, OperationState::Waiting)
    };
    for image in [Some("fresh"), None] {
        let change = written(next(&waiting, it(image, State::Running), 1));
        assert_eq!(change.state, OperationState::Succeeded);
        assert_eq!(change.instance.image.unwrap().as_str(), "fresh");
    }
    let change = written(next(&waiting, it(Some("old"), State::Running), 60));
    assert_eq!(change.state, OperationState::Waiting);
    let change = written(next(&waiting, it(Some("old"), State::Running), 31 * 60));
    assert_eq!(change.state, OperationState::Attention);
    // One that was stopped may stay so, if it does for a while.
    let change = written(next(&waiting, it(Some("fresh"), State::Stopped), 1));
    assert_eq!(change.state, OperationState::Waiting);
    let change = written(next(&waiting, it(Some("fresh"), State::Stopped), 31));
    assert_eq!(change.state, OperationState::Succeeded);
    // Before it was sent, the image proves nothing.
    let leased = action(OperationKind::Rebuild, OperationState::Leased);
    assert_eq!(
        called(next(&leased, it(Some("fresh"), State::Running), 1)),
        Call::Send
    );
}

#[test]
fn what_is_sent_at_most_once_is_looked_for_before_an_old_one_is_sent() {
    for kind in AT_MOST_ONCE {
        let fresh = action(kind, OperationState::Leased);
        assert_eq!(called(next(&fresh, seen(State::Running), 1)), Call::Send);
        let inherited = Book {
            inherited: true,
            ..fresh.clone()
        };
        for (it, seconds) in [(&fresh, 31), (&inherited, 1)] {
            assert_eq!(called(next(it, seen(State::Running), seconds)), Call::Log);
            let silent = Observed::Logged(Vec::new());
            assert_eq!(called(next(it, silent, seconds)), Call::Send);
            let found = entry(word(kind), "6", OperationStatus::Succeeded);
            let change = written(next(it, Observed::Logged(vec![found]), seconds));
            assert_eq!(change.state, OperationState::Waiting, "{kind:?}");
        }
    }
    let inherited = Book {
        inherited: true,
        ..book(OperationKind::Create, OperationState::Leased)
    };
    assert_eq!(called(next(&inherited, Observed::Claimed, 1)), Call::Look);
}

#[test]
fn what_was_refused_as_busy_is_looked_for_before_it_is_sent_again() {
    for kind in AT_MOST_ONCE.into_iter().chain(DESIRED) {
        let busy = error(ErrorKind::Busy).with_outcome(Outcome::Rejected);
        let first = action(kind, OperationState::Leased);
        let change = written(next(&first, Observed::Failed(busy), 1));
        assert_eq!(change.state, OperationState::Ready, "{kind:?}");
        let second = Book {
            attempts: 1,
            sent_at: Some(START),
            ..action(kind, OperationState::Leased)
        };
        assert_eq!(called(next(&second, seen(State::Unknown), 5)), Call::Log);
        let found = entry(word(kind), "6", running());
        let change = written(next(&second, Observed::Logged(vec![found]), 5));
        assert_eq!(change.state, OperationState::Waiting, "{kind:?}");
    }
}

#[test]
fn a_refusal_counts_only_when_no_earlier_attempt_can_have_done_it() {
    let refusal = || {
        let refused = error(ErrorKind::Invalid).with_outcome(Outcome::Rejected);
        Observed::Failed(refused)
    };
    for kind in AT_MOST_ONCE.into_iter().chain(DESIRED) {
        let first = action(kind, OperationState::Leased);
        let change = written(next(&first, refusal(), 1));
        assert_eq!(change.state, OperationState::Failed, "{kind:?}");
    }
    for kind in DESIRED {
        let second = Book {
            attempts: 1,
            sent_at: Some(START),
            ..action(kind, OperationState::Leased)
        };
        let change = written(next(&second, refusal(), 200));
        assert_eq!(change.state, OperationState::Resolving, "{kind:?}");
        assert_eq!(change.attempt, Some(AttemptOutcome::Rejected));
        let resolving = Book {
            error: change.error,
            ..lost(kind, 1)
        };
        let change = written(next(&resolving, Observed::Logged(Vec::new()), 400));
        assert_eq!(change.state, OperationState::Failed, "{kind:?}");
        assert_eq!(change.error.unwrap().code, Code::ValidationError.as_str());
    }
}

#[test]
fn a_frozen_account_ends_only_what_was_not_sent_and_that_after_half_an_hour() {
    let frozen = || Observed::Frozen("the token is refused".to_owned());
    for kind in AT_MOST_ONCE.into_iter().chain(DESIRED) {
        for state in [
            OperationState::Unknown,
            OperationState::Resolving,
            OperationState::Waiting,
        ] {
            let change = written(next(&action(kind, state), frozen(), 31 * 60));
            assert_eq!(change.state, state, "{kind:?}");
        }
        let leased = action(kind, OperationState::Leased);
        let change = written(next(&leased, frozen(), 29 * 60));
        assert_eq!(change.state, OperationState::Ready, "{kind:?}");
        let change = written(next(&leased, frozen(), 31 * 60));
        assert_eq!(change.state, OperationState::Failed, "{kind:?}");
    }
}

#[test]
fn an_absence_is_proved_before_an_action_ends() {
    for kind in AT_MOST_ONCE.into_iter().chain(DESIRED) {
        let waiting = action(kind, OperationState::Waiting);
        assert_eq!(
            called(next(&waiting, Observed::Absent, 1)),
            Call::ConfirmGone
        );
        let change = written(next(&waiting, Observed::Gone, 1));
        assert_eq!(change.state, OperationState::Failed);
        assert_eq!(change.error.unwrap().code, Code::InstanceNotFound.as_str());
    }
}

#[test]
fn a_request_that_could_not_be_prepared_was_not_sent() {
    for kind in AT_MOST_ONCE.into_iter().chain(DESIRED) {
        let unprepared = Observed::Unprepared(error(ErrorKind::Server));
        let change = written(next(&action(kind, OperationState::Leased), unprepared, 1));
        assert_eq!(
            (change.state, change.attempt),
            (OperationState::Ready, None)
        );
    }
}

#[test]
fn a_log_that_never_tells_the_end_does_not_undo_what_the_server_shows() {
    let late = 31 * 60;
    for kind in DESIRED {
        let waiting = action(kind, OperationState::Waiting);
        let step = next(&waiting, Observed::Asked(job(running())), late);
        assert_eq!(called(step), Call::Get, "{kind:?}");
    }
    let resize = action(OperationKind::Resize, OperationState::Waiting);
    let change = written(next(&resize, resized(), late));
    assert_eq!(change.state, OperationState::Succeeded);
    let change = written(next(&resize, seen(State::Stopped), late));
    assert_eq!(change.state, OperationState::Failed);
}
