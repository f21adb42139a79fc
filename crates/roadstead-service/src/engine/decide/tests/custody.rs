//! The rules of an import and a release.

use roadstead_core::Outcome;

use super::*;

const BOTH: [OperationKind; 2] = [OperationKind::Import, OperationKind::Release];

fn custody(kind: OperationKind, state: OperationState) -> Book {
    Book {
        attempts: u32::from(state != OperationState::Leased),
        sent_at: (state != OperationState::Leased).then_some(START),
        lifecycle: match kind {
            OperationKind::Release => Lifecycle::Live,
            _ => Lifecycle::Pending,
        },
        bound: Some("1".into()),
        ..book(kind, state)
    }
}

fn held(tags: Tags) -> Observed {
    Observed::Held(Box::new(server("1", State::Running)), tags)
}

const fn wanted(kind: OperationKind) -> Tags {
    match kind {
        OperationKind::Release => Tags::Neither,
        _ => Tags::Both,
    }
}

#[test]
fn it_is_over_only_when_the_server_shows_it() {
    for kind in BOTH {
        let leased = custody(kind, OperationState::Leased);
        assert_eq!(called(next(&leased, Observed::Claimed, 1)), Call::Send);
        let sent = custody(kind, OperationState::Sent);
        let change = written(next(&sent, Observed::Tagged, 1));
        assert_eq!(change.state, OperationState::Waiting);
        assert_eq!(change.attempt, Some(AttemptOutcome::Committed));
        assert_eq!(change.instance.lifecycle, None);
        let waiting = custody(kind, OperationState::Waiting);
        assert_eq!(called(next(&waiting, Observed::Claimed, 1)), Call::Get);
        let change = written(next(&waiting, held(Tags::Some), 2));
        assert_eq!(change.state, OperationState::Waiting);
        let change = written(next(&waiting, held(wanted(kind)), 3));
        assert_eq!(change.state, OperationState::Succeeded);
    }
}

#[test]
fn an_import_ends_with_a_live_server_and_a_release_with_one_that_is_let_go() {
    let import = custody(OperationKind::Import, OperationState::Leased);
    let change = written(next(&import, held(Tags::Both), 1));
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Live));
    assert_eq!(change.instance.problem, Some(None));
    assert!(change.instance.observation.is_some() && change.instance.parting.is_none());

    let release = custody(OperationKind::Release, OperationState::Waiting);
    let change = written(next(&release, held(Tags::Neither), 1));
    assert_eq!(change.instance.lifecycle, Some(Lifecycle::Deleted));
    let parting = change.instance.parting.unwrap();
    assert_eq!(
        (parting.remote.as_str(), parting.name.as_str()),
        ("1", "web")
    );
    assert!(
        change
            .instance
            .problem
            .unwrap()
            .unwrap()
            .contains("released")
    );
}

#[test]
fn what_may_have_been_lost_is_looked_at_and_sent_again() {
    for kind in BOTH {
        let sent = custody(kind, OperationState::Sent);
        let lost = || error(ErrorKind::Timeout).with_outcome(Outcome::Unknown);
        let change = written(next(&sent, Observed::Failed(lost()), 1));
        assert_eq!(change.state, OperationState::Unknown);
        let unknown = custody(kind, OperationState::Unknown);
        let change = written(next(&unknown, Observed::Claimed, 2));
        assert_eq!(change.state, OperationState::Resolving);
        let resolving = custody(kind, OperationState::Resolving);
        assert_eq!(called(next(&resolving, Observed::Claimed, 2)), Call::Get);
        let change = written(next(&resolving, held(Tags::Some), 2));
        assert_eq!(change.state, OperationState::Ready);
        let change = written(next(&resolving, held(wanted(kind)), 2));
        assert_eq!(change.state, OperationState::Succeeded);
        assert_eq!(change.attempt, Some(AttemptOutcome::Committed));
        // One that was taken and does not show is sent again, and not for ever.
        let waiting = custody(kind, OperationState::Waiting);
        let change = written(next(&waiting, held(Tags::Some), 31));
        assert_eq!(change.state, OperationState::Ready);
        let change = written(next(&waiting, held(Tags::Some), 1801));
        assert_eq!(change.state, OperationState::Failed);
    }
}

#[test]
fn a_failed_import_binds_nothing_and_a_failed_release_changes_nothing() {
    let refusals = [
        Observed::Gone,
        Observed::Looked(vec![server("2", State::Running)]),
        Observed::Unfit("another one"),
        Observed::Failed(error(ErrorKind::Forbidden).with_outcome(Outcome::Rejected)),
        Observed::Frozen("revoked".into()),
    ];
    for (number, observed) in refusals.into_iter().enumerate() {
        let import = custody(OperationKind::Import, OperationState::Leased);
        let change = written(next(&import, observed, 1));
        assert_eq!(change.state, OperationState::Failed, "{number}");
        assert_eq!(change.instance.lifecycle, Some(Lifecycle::Failed));
        assert!(change.instance.unbound && change.error.is_some());
    }
    let release = custody(OperationKind::Release, OperationState::Leased);
    let change = written(next(&release, Observed::Gone, 1));
    assert_eq!(change.state, OperationState::Failed);
    assert_eq!(
        (change.instance.lifecycle, change.instance.unbound),
        (None, false)
    );
    assert!(change.instance.parting.is_none());
}

#[test]
fn an_absence_is_proved_and_blindness_proves_nothing() {
    for kind in BOTH {
        let waiting = custody(kind, OperationState::Waiting);
        assert_eq!(
            called(next(&waiting, Observed::Absent, 1)),
            Call::ConfirmGone
        );
        let change = written(next(&waiting, Observed::Blind(error(ErrorKind::Server)), 1));
        assert_eq!(change.state, OperationState::Waiting);
        let change = written(next(&waiting, Observed::Frozen("revoked".into()), 1));
        assert_eq!(change.state, OperationState::Waiting, "it was sent");
        let leased = custody(kind, OperationState::Leased);
        let failing = Book {
            failing_since: Some(at(1)),
            ..leased.clone()
        };
        let blind = || Observed::Blind(error(ErrorKind::Transport));
        assert_eq!(
            written(next(&leased, blind(), 1)).state,
            OperationState::Ready
        );
        assert_eq!(
            written(next(&failing, blind(), 302)).state,
            OperationState::Failed
        );
    }
}
