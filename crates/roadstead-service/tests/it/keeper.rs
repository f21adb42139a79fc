//! What is at hand before anybody asks for it.

use std::time::Duration;

use roadstead_service::Keeper;
use roadstead_sim::{Scopes, TOKEN_FULL};
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::json;

use crate::catalogues::{HOUR, Process, SECOND, active, plan_calls, quiet, token};
use crate::stage::{Stage, TEMPLATE, migrated};

/// Waits until all is at hand, and nothing is under way.
async fn is_warm(stage: &Stage, process: &Process) {
    stage
        .until("the catalogues are at hand", async || {
            let kept = process.kept(stage).await;
            let ready = kept
                .iter()
                .all(|(_, it)| it.age.is_some() && !it.refreshing);
            ready.then_some(())
        })
        .await;
}

/// Lets the keeper look around once more.
async fn look_around(stage: &Stage, process: &Process) {
    stage
        .until("the keeper rests", async || {
            (process.clock.sleepers() > 0).then_some(())
        })
        .await;
    process.clock.advance(SECOND * 15);
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn catalogues_are_read_at_the_start_and_nobody_waits_for_it(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        let keeper = Keeper::start(&process.platform);
        is_warm(&stage, &process).await;
        assert_eq!(plan_calls(&stage), 1);
        assert!(!process.plans(&stage).await.unwrap().stale);
        assert_eq!(plan_calls(&stage), 1);
        keeper.stop().await;
    }

    async fn a_new_token_warms_anew_and_an_account_that_is_off_is_left_alone(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        let operator = stage.operator();
        let change = async |it| process.change(&stage, it).await;
        change(active(false)).await;
        let keeper = Keeper::start(&process.platform);
        for _ in 0..3 {
            look_around(&stage, &process).await;
        }
        assert_eq!(plan_calls(&stage), 0);
        change(active(true)).await;
        is_warm(&stage, &process).await;
        assert_eq!(plan_calls(&stage), 1);
        stage.sim().set_token("sim-fresh", Some("main"), Scopes::Full);
        change(token("sim-fresh")).await;
        stage.until("it is warm anew", async || (plan_calls(&stage) == 2).then_some(())).await;
        is_warm(&stage, &process).await;
        process.platform.clear_cache(&operator, stage.account).await.unwrap();
        stage.until("it is warm anew", async || (plan_calls(&stage) == 3).then_some(())).await;
        is_warm(&stage, &process).await;
        keeper.stop().await;
    }

    async fn what_is_in_use_is_renewed_before_its_time_is_over(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        let keeper = Keeper::start(&process.platform);
        is_warm(&stage, &process).await;
        process.plans(&stage).await.unwrap();
        process.clock.advance(HOUR / 5 * 4);
        look_around(&stage, &process).await;
        stage.until("the plans are renewed", async || (plan_calls(&stage) == 2).then_some(())).await;
        is_warm(&stage, &process).await;
        let plans = process.plans(&stage).await.unwrap();
        assert!(!plans.stale && plans.age < Duration::from_secs(60), "{:?}", plans.age);
        // Nobody has asked for the regions.
        let journal = stage.sim().journal();
        assert_eq!(journal.iter().filter(|it| it.path == "/v2/regions").count(), 1);
        keeper.stop().await;
    }

    async fn a_frozen_account_is_left_alone(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        let keeper = Keeper::start(&process.platform);
        stage.is_frozen().await;
        for _ in 0..3 {
            look_around(&stage, &process).await;
        }
        // The first refusal was enough.
        let journal = stage.sim().journal();
        let catalogue = ["/v2/sizes", "/v2/images", "/v2/regions", "/v2/1-clicks"];
        let asked = journal.iter().filter(|it| catalogue.contains(&&*it.path)).count();
        assert_eq!(asked, 1, "{journal:#?}");
        keeper.stop().await;
    }

    async fn a_vendor_that_is_away_at_the_start_is_asked_again_later(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        stage.unplug().await;
        let keeper = Keeper::start(&process.platform);
        let failures = async || {
            process.kept(&stage).await.map(|(_, it)| it.failure.is_some())
        };
        stage.until("all has failed", async || (failures().await == [true; 4]).then_some(())).await;
        stage.plug_in();
        look_around(&stage, &process).await;
        is_warm(&stage, &process).await;
        keeper.stop().await;
    }

    async fn a_vendor_that_hangs_keeps_nobody_from_stopping(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        stage.fault(json!({ "path": "/v2/sizes", "count": 100, "effect": { "delay_ms": 600_000 } }));
        let keeper = Keeper::start(&process.platform);
        stage.until("the vendor is asked", async || {
            process.status(&stage).await.refreshing.then_some(())
        }).await;
        tokio::time::timeout(Duration::from_secs(5), keeper.stop()).await.unwrap();
    }
}
