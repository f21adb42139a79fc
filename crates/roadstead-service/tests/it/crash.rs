//! Workers that stop, processes that share a database, and futures that are dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{join_all, poll_fn};
use roadstead_service::{Engine, Lifecycle, OperationKind, ProviderChange};
use serde_json::json;

use crate::stage::{Scene, Stage, at_each_vendor};

at_each_vendor! {
    async fn what_a_stopped_engine_accepted_another_one_finishes(stage: &Stage) {
        let accepted = stage.create("web").await;
        stage.halt().await;
        let twin = stage.twin().await;
        let engine = Engine::start(&twin, 1);
        stage.succeeds(accepted.operation.id).await;
        engine.stop().await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }

    async fn an_engine_that_is_dropped_in_the_middle_of_a_create_loses_nothing(stage: &Stage) {
        let path = stage.vendor.path;
        stage.fault(json!({
            "method": "POST", "path": path, "when": "after", "effect": { "delay_ms": 900 },
        }));
        let twin = stage.twin().await;
        stage.halt().await;
        let accepted = stage.create("web").await;
        let engine = Engine::start(&twin, 1);
        stage.until("the create has arrived", async || (stage.creates().len() == 1).then_some(())).await;
        // As a crash: nothing is handed back.
        drop(engine);
        stage.start(1);
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }

    async fn engines_come_and_go_without_harm(stage: &Stage) {
        let id = stage.running("web").await.id;
        for _ in 0..8 {
            stage.halt().await;
            stage.start(1);
            // Long enough for some polls to be under way, and to be cut.
            let span = stage.clockwork.poll_idle + Duration::from_millis(20);
            stage.stays("it runs", span, async || true).await;
        }
        let delete = stage.act(id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn requests_that_are_dropped_anywhere_leave_a_working_pool(stage: &Stage) {
        for polls in 0..40 {
            let member = stage.member();
            let request = stage.request(&format!("web-{polls}"));
            at_most(polls, stage.platform.create_server(&member, request)).await;
        }
        // Whether or not a client heard of it, what was accepted is carried out.
        let last = stage.create("last").await;
        stage.succeeds(last.operation.id).await;
        stage.until("all is quiet", async || {
            stage.servers().await.iter().all(|it| it.public_status() == "running").then_some(())
        }).await;
        stage.agrees().await;
        let servers = stage.servers().await;
        assert_eq!(stage.creates().len(), servers.len());

        for (polls, server) in servers.iter().enumerate() {
            let member = stage.member();
            at_most(polls, stage.platform.act(&member, server.id, OperationKind::Delete)).await;
        }
        for server in &servers {
            if stage.server(server.id).await.lifecycle == Lifecycle::Live {
                stage.act(server.id, OperationKind::Delete).await;
            }
        }
        stage.until("all are gone", async || {
            (stage.living().is_empty() && stage.servers().await.is_empty()).then_some(())
        }).await;
    }

    async fn changes_of_an_account_that_are_dropped_anywhere_leave_a_working_pool(stage: &Stage) {
        for polls in 0..30 {
            let operator = stage.operator();
            let change = ProviderChange { name: Some(format!("name {polls}")), ..ProviderChange::default() };
            at_most(polls, stage.platform.change_provider(&operator, stage.account, change)).await;
        }
        let server = stage.running("web").await;
        stage.is_the_only_one(server.id).await;
    }
}

fn without_workers() -> Scene {
    Scene {
        workers: 0,
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(without_workers);

    async fn two_processes_on_one_database_make_each_server_once(stage: &Stage) {
        let other = stage.twin().await;
        let engines = [Engine::start(&stage.platform, 2), Engine::start(&other, 2)];
        let platforms = [&stage.platform, &other];
        let creates = (0..30).map(async |number: usize| {
            let platform: &Arc<_> = platforms[number % 2];
            let request = stage.request(&format!("web-{number}"));
            platform.create_server(&stage.member(), request).await.unwrap().operation.id
        });
        for id in join_all(creates).await {
            stage.succeeds(id).await;
        }
        for engine in engines {
            engine.stop().await;
        }
        assert_eq!(stage.creates().len(), 30);
        assert_eq!(stage.living().len(), 30);
        stage.agrees().await;
    }
}

/// Polls a future so many times and drops it, unless it has ended by then.
async fn at_most<F: Future>(polls: usize, future: F) {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(context).map(drop)
    })
    .await;
}
