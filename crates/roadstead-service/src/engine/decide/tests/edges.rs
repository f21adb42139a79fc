//! Whatever is observed, no rule asks for an edge that the state machines do not have.

use super::*;

#[test]
fn no_rule_asks_for_an_edge_that_the_books_refuse() {
    let failures = [
        ErrorKind::Timeout,
        ErrorKind::Quota,
        ErrorKind::Conflict,
        ErrorKind::Throttled,
        ErrorKind::Busy,
        ErrorKind::Forbidden,
        ErrorKind::Decode,
    ];
    let observations = || {
        let mut all = vec![
            Observed::Claimed,
            Observed::Frozen("revoked".into()),
            Observed::Created(Box::new(server("1", State::Provisioning)), None),
            Observed::Looked(vec![]),
            Observed::Looked(vec![server("1", State::Running)]),
            Observed::Absent,
            Observed::Gone,
            Observed::NotOurs,
            Observed::Tagged,
            Observed::Unfit("another one"),
        ];
        let held = |tags| Observed::Held(Box::new(server("1", State::Running)), tags);
        all.extend([Tags::Both, Tags::Some, Tags::Neither].map(held));
        all.extend(State::ALL.map(|it| Observed::Seen(Box::new(server("1", it)))));
        all.extend(failures.map(|it| Observed::Failed(error(it))));
        all.extend(failures.map(|it| Observed::Blind(error(it))));
        all.extend(failures.map(|it| finished(Some(it))));
        all.push(finished(None));
        all
    };
    let mut taken = 0;
    for kind in OperationKind::ALL {
        for (state, lifecycle, bound) in claimable(kind) {
            for seconds in [1, 100, 200, 4000] {
                for observed in observations() {
                    let book = Book {
                        attempts: 1,
                        sent_at: Some(START),
                        lifecycle,
                        bound: bound.then(|| "1".into()),
                        unfinished: seconds > 100,
                        ..book(kind, state)
                    };
                    // What a request shows is seen only where one was sent, and the books say so.
                    let answers = matches!(
                        observed,
                        Observed::Created(..) | Observed::Failed(_) | Observed::Tagged
                    );
                    let finishes = matches!(observed, Observed::Finished(..));
                    if finishes && (kind != OperationKind::Create || !bound) {
                        continue;
                    }
                    let state = match state {
                        OperationState::Leased if answers => OperationState::Sent,
                        _ if answers => continue,
                        state => state,
                    };
                    let told = format!("{kind:?} {state:?} {lifecycle:?} {observed:?}");
                    let Step::Write(change) = next(&book, observed, seconds) else {
                        continue;
                    };
                    assert!(
                        state.may_become(change.state),
                        "{told} → {:?}",
                        change.state
                    );
                    // One that is let go passes `deleting` in the same write.
                    let lifecycle = match change.instance.parting {
                        Some(_) => Lifecycle::Deleting,
                        None => lifecycle,
                    };
                    let after = change.instance.lifecycle.unwrap_or(lifecycle);
                    assert!(lifecycle.may_become(after), "{told} → {after:?}");
                    taken += 1;
                }
            }
        }
    }
    assert!(taken > 1000, "only {taken} edges were taken");
}

/// The states in which a worker can find an operation and its server.
fn claimable(kind: OperationKind) -> Vec<(OperationState, Lifecycle, bool)> {
    use Lifecycle as L;
    use OperationState as S;
    match kind {
        OperationKind::Create => vec![
            (S::Leased, L::Pending, false),
            (S::Leased, L::Resolving, false),
            (S::Unknown, L::Pending, false),
            (S::Unknown, L::Resolving, false),
            (S::Resolving, L::Pending, false),
            (S::Resolving, L::Resolving, false),
            (S::Waiting, L::Live, true),
            (S::Waiting, L::Deleting, true),
        ],
        OperationKind::Delete => [S::Leased, S::Unknown, S::Resolving, S::Waiting]
            .into_iter()
            .flat_map(|state| {
                [
                    (state, L::Deleting, true),
                    (state, L::Live, true),
                    (state, L::Attention, true),
                    (state, L::Missing, true),
                    (state, L::Failed, true),
                    (state, L::Failed, false),
                ]
            })
            .collect(),
        OperationKind::Import => [S::Leased, S::Unknown, S::Resolving, S::Waiting]
            .into_iter()
            .flat_map(|state| [(state, L::Pending, true), (state, L::Attention, true)])
            .collect(),
        OperationKind::Release => [S::Leased, S::Unknown, S::Resolving, S::Waiting]
            .map(|state| (state, L::Live, true))
            .into(),
        _ => [S::Leased, S::Unknown, S::Resolving, S::Waiting]
            .into_iter()
            .flat_map(|state| [(state, L::Live, true), (state, L::Deleting, true)])
            .collect(),
    }
}
