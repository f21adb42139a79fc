//! An engine that is wrong on purpose, to see that the checks notice.

use std::time::Duration;

use roadstead_core::crash::{Mutant, is_mutant};
use roadstead_repository::{
    Change, Claim, ErrorRecord, InstanceChange, Lifecycle, OperationKind, OperationState,
};

use super::{Book, Step};

/// Returns what a wrong engine does in place of what the rules say.
pub(super) fn instead_of(step: Step, book: &Book, claim: &Claim) -> Step {
    let (state, lifecycle) = if is_mutant(Mutant::FailsEverything) {
        (OperationState::Failed, Lifecycle::Failed)
    } else if is_mutant(Mutant::ParksEverything) {
        (OperationState::Attention, Lifecycle::Attention)
    } else {
        return step;
    };
    let is_create = claim.operation.kind == OperationKind::Create;
    Step::Write(Box::new(Change {
        state,
        due_in: Duration::ZERO,
        attempt: None,
        empty_looks: 0,
        remote: None,
        progress: None,
        error: Some(ErrorRecord {
            code: "UNKNOWN_ERROR".to_owned(),
            message: "this engine is wrong on purpose".to_owned(),
            field: None,
        }),
        instance: InstanceChange {
            lifecycle: (is_create && book.lifecycle.may_become(lifecycle)).then_some(lifecycle),
            ..InstanceChange::default()
        },
        doomed: Vec::new(),
        wipe_secrets: false,
    }))
}
