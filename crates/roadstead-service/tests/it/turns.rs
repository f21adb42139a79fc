//! The engine's own futures, dropped at every await: nothing is spoiled, and nothing is lost.
#![expect(
    clippy::async_yields_async,
    reason = "what is prepared is the future that is to be dropped"
)]

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::future::poll_fn;
use roadstead_service::OperationKind;

use crate::stage::{Scene, Stage, at_each_vendor};

/// More awaits than any turn has.
const MOST: usize = 2000;

/// Polls a future so many times and drops it. Returns whether it had ended by then.
async fn at_most<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Drops a future after no poll, after one, and so on, until it ends by itself. Returns how often
/// it was dropped.
async fn drop_everywhere<F: Future>(make: impl AsyncFn() -> F) -> usize {
    for polls in 0..MOST {
        if at_most(polls, make().await).await {
            return polls;
        }
    }
    panic!("it never ends");
}

fn by_hand() -> Scene {
    let mut scene = Scene {
        workers: 0,
        ..Scene::default()
    };
    // What a dropped worker held is soon free.
    scene.clockwork.lease = Duration::from_millis(2400);
    scene.clockwork.send_margin = Duration::from_millis(1000);
    scene
}

/// Ends what was begun: all servers that were asked for are there once, and the pool is whole.
async fn ends_well(stage: &Stage) {
    stage.start(1);
    stage
        .until("all is quiet", async || {
            let servers = stage.servers().await;
            servers
                .iter()
                .all(|it| it.public_status() == "running")
                .then_some(())
        })
        .await;
    stage.agrees().await;
    let open = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM pg_stat_activity \
        WHERE datname = current_database() AND state LIKE 'idle in transaction%' \
        AND state_change < clock_timestamp() - interval '1 second'";
    if stage.rows.is_postgres() {
        assert_eq!(stage.rows.lines(open).await, ["0"]);
    }
}

at_each_vendor! {
    staged(by_hand);

    async fn a_worker_that_is_dropped_at_any_await_loses_nothing(stage: &Stage) {
        let mut dropped = 0;
        // Each time something else is due.
        for number in 0..3 {
            stage.create(&format!("web-{number}")).await;
            dropped += drop_everywhere(async || {
                stage.create("more").await;
                let platform = std::sync::Arc::clone(&stage.platform);
                async move { platform.turn_of_worker().await }
            }).await;
        }
        assert!(dropped > 10, "only {dropped}");
        ends_well(stage).await;
        stage.halt().await;
        for server in stage.servers().await {
            stage.act(server.id, OperationKind::Delete).await;
            dropped += 1;
            let polls = dropped % 25;
            at_most(polls, stage.platform.turn_of_worker()).await;
        }
        stage.start(1);
        stage.until("all are gone", async || {
            (stage.living().is_empty() && stage.servers().await.is_empty()).then_some(())
        }).await;
    }

    async fn a_poller_and_a_publisher_that_are_dropped_at_any_await_spoil_nothing(stage: &Stage) {
        stage.start(1);
        for number in 0..3 {
            stage.running(&format!("web-{number}")).await;
        }
        stage.halt().await;
        let polled = drop_everywhere(async || {
            let platform = std::sync::Arc::clone(&stage.platform);
            async move { platform.turn_of_poller().await }
        }).await;
        let published = drop_everywhere(async || {
            // There is something to tell.
            stage.create("told").await;
            let platform = std::sync::Arc::clone(&stage.platform);
            async move { platform.turn_of_publisher().await }
        }).await;
        assert!(polled > 3 && published > 0, "{polled} {published}");
        ends_well(stage).await;
    }
}
