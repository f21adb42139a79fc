//! Waiting without wasting time: the vendor's clock and ours are moved by hand.

use std::convert::Infallible;
use std::time::Duration;

use futures::future::{Either, select};
use roadstead_core::{
    ErrorKind, Instance, ManualClock, OperationStatus, Provider, RemoteId, RemoteOperation, State,
};

use crate::harness::Harness;

/// How often something is looked at before a case gives up.
const LOOKS: u32 = 120;

/// How far the vendor's time is moved between two looks.
const STEP: Duration = Duration::from_secs(5);

/// How far both clocks are moved when somebody sleeps. Few large steps spare the
/// vendor's rate limit.
const STRIDE: Duration = Duration::from_secs(30);

/// Runs `work`, and moves both clocks on whenever it sleeps.
pub(crate) async fn hurry<T>(
    harness: &impl Harness,
    clock: &ManualClock,
    work: impl Future<Output = T>,
) -> T {
    let drive = drive(harness, clock);
    futures::pin_mut!(work, drive);
    match select(work, drive).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => match never {},
    }
}

async fn drive(harness: &impl Harness, clock: &ManualClock) -> Infallible {
    loop {
        if clock.sleepers() > 0 {
            harness.pass_time(STRIDE).await;
            clock.advance(STRIDE);
        }
        breathe().await;
    }
}

/// Polls until `look` returns something, and moves the vendor's time on between looks.
pub(crate) async fn until<T, F>(
    harness: &impl Harness,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T
where
    F: Future<Output = Option<T>>,
{
    for _ in 0..LOOKS {
        if let Some(found) = look().await {
            return found;
        }
        harness.pass_time(STEP).await;
        breathe().await;
    }
    panic!("after {LOOKS} looks: {what}");
}

/// Waits until a server is in a state and not at work.
pub(crate) async fn until_state(
    harness: &impl Harness,
    provider: &dyn Provider,
    id: &RemoteId,
    state: State,
) -> Instance {
    let what = format!("`{id}` is not `{}`", state.as_str());
    until(harness, &what, || async {
        let instance = provider
            .get_instance(id)
            .await
            .expect("the server can be read");
        (instance.status.state == state && !instance.status.busy).then_some(instance)
    })
    .await
}

/// Waits until a server is gone.
pub(crate) async fn until_gone(harness: &impl Harness, provider: &dyn Provider, id: &RemoteId) {
    until(harness, &format!("`{id}` is still there"), || async {
        match provider.get_instance(id).await {
            Ok(instance) => (instance.status.state == State::Deleted).then_some(()),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => Some(()),
            Err(error) => panic!("{error:?}"),
        }
    })
    .await;
}

/// Waits until the vendor's job has ended well.
pub(crate) async fn until_done(
    harness: &impl Harness,
    provider: &dyn Provider,
    operation: RemoteOperation,
) {
    let id = operation.id;
    until(harness, &format!("job `{id}` still runs"), || async {
        let operation = provider
            .get_operation(&id)
            .await
            .expect("the job can be read");
        match operation.status {
            OperationStatus::Running { .. } => None,
            OperationStatus::Succeeded => Some(()),
            failed => panic!("job `{id}` ended with {failed:?}"),
        }
    })
    .await;
}

/// Polls in real time until `look` returns true, without moving any clock.
pub(crate) async fn patiently<F>(what: &str, mut look: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    for _ in 0..2_000 {
        if look().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("after 20 s: {what}");
}

/// Lets sockets and other tasks have their turn.
async fn breathe() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}
