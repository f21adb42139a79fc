//! What is believed, and on what proof.

use super::*;

#[test]
fn a_server_that_an_action_does_not_find_is_believed_gone_only_on_proof() {
    for kind in [
        OperationKind::Boot,
        OperationKind::Shutdown,
        OperationKind::Reboot,
    ] {
        let acting = Book {
            lifecycle: Lifecycle::Live,
            bound: Some("1".into()),
            ..book(kind, OperationState::Leased)
        };
        let call = called(next(&acting, Observed::Absent, 1));
        assert_eq!(call, Call::ConfirmGone, "{kind:?}");
        let gone = written(next(&acting, Observed::Gone, 1));
        assert_eq!(gone.state, OperationState::Failed, "{kind:?}");
        let doubt = written(next(&acting, Observed::Blind(error(ErrorKind::Busy)), 1));
        assert_eq!(doubt.state, OperationState::Ready, "{kind:?}");
    }
}

#[test]
fn what_a_lost_answer_left_beside_a_dropped_server_goes_with_it() {
    let dropped = Book {
        attempts: 2,
        sent_at: Some(START),
        empty_looks: 1,
        lifecycle: Lifecycle::Live,
        bound: Some("2".into()),
        ..book(OperationKind::Create, OperationState::Waiting)
    };
    let left = vec![server("1", State::Running), server("3", State::Running)];
    let change = written(next(&dropped, Observed::Looked(left), 200));
    assert_eq!(change.state, OperationState::Failed);
    assert_eq!(change.doomed, [RemoteId::from("1"), RemoteId::from("3")]);
}

#[test]
fn a_reboot_is_done_though_something_else_has_switched_the_server_off() {
    let rebooting = Book {
        attempts: 1,
        sent_at: Some(START),
        lifecycle: Lifecycle::Live,
        bound: Some("1".into()),
        ..book(OperationKind::Reboot, OperationState::Waiting)
    };
    let seen = |state| Observed::Seen(Box::new(server("1", state)));
    let change = written(next(&rebooting, seen(State::Running), 9));
    assert_eq!(change.state, OperationState::Succeeded);
    let change = written(next(&rebooting, seen(State::Stopped), 9));
    assert_eq!(change.state, OperationState::Waiting);
    let change = written(next(&rebooting, seen(State::Stopped), 31));
    assert_eq!(change.state, OperationState::Succeeded);
}

#[test]
fn only_time_in_which_the_provider_failed_again_and_again_counts_against_it() {
    let patience = Clockwork::default().give_up.as_secs();
    let blind = || Observed::Blind(error(ErrorKind::Timeout));
    let state = |failing_since, seconds| {
        let again = Book {
            attempts: 1,
            sent_at: Some(START),
            failing_since,
            ..book(OperationKind::Create, OperationState::Leased)
        };
        written(next(&again, blind(), seconds)).state
    };
    // A worker may have come back only now.
    assert_eq!(state(None, 3 * patience), OperationState::Ready);
    let since = Some(at(patience));
    assert_eq!(state(since, 2 * patience - 1), OperationState::Ready);
    assert_eq!(state(since, 2 * patience + 1), OperationState::Failed);
    // Half an hour is enough whatever has come between.
    assert_eq!(state(None, 31 * 60), OperationState::Failed);
}
