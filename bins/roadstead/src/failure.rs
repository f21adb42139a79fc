//! What people read when a command fails.

use std::error::Error;
use std::io;
use std::iter::successors;

/// Returns one sentence: what failed, with its causes as far as they tell people something.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let mut clauses = Vec::new();
    for cause in error.chain() {
        if hides_its_source(cause) {
            continue;
        }
        clauses.push(cause.to_string());
        if says_what_to_do(cause) {
            break;
        }
    }
    clauses.join(": ")
}

/// Returns whether an error is worded for clients over HTTP: it points to a request id, and the
/// terminal has none.
fn hides_its_source(cause: &(dyn Error + 'static)) -> bool {
    use roadstead_service::Error as Service;
    matches!(
        cause.downcast_ref(),
        Some(Service::Internal(_) | Service::Unavailable(_))
    )
}

/// Returns whether the repository has put into words what the operating system refused. What the
/// database itself said is kept: it may know more than our words.
fn says_what_to_do(cause: &(dyn Error + 'static)) -> bool {
    use roadstead_repository::Error as Repository;
    let from_the_system = |it: &(dyn Error + 'static)| {
        it.downcast_ref::<io::Error>()
            .is_some_and(|it| it.raw_os_error().is_some())
    };
    matches!(cause.downcast_ref(), Some(Repository::Database { .. }))
        && successors(cause.source(), |&it| it.source()).any(from_the_system)
}
