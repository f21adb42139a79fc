//! Creates whose answers are lost: one server in the end, and no second one bought.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use roadstead_core::{Code, CreateGuarantee};
use roadstead_service::{Lifecycle, OperationState};
use serde_json::{Value, json};

use crate::stage::{Scene, Stage, TIME_SCALE, at_each_vendor, time_of};

/// Longer than an attempt may take.
const TOO_LONG_MS: u64 = 1_250;

at_each_vendor! {
    async fn a_connection_cut_after_the_commit_leaves_one_server(stage: &Stage) {
        lost_after(stage, json!({ "drop": true })).await;
    }

    async fn a_502_after_the_commit_leaves_one_server(stage: &Stage) {
        lost_after(stage, json!({ "status": 502 })).await;
    }

    async fn an_answer_that_comes_too_late_leaves_one_server(stage: &Stage) {
        lost_after(stage, json!({ "delay_ms": TOO_LONG_MS })).await;
    }

    async fn an_answer_cut_short_leaves_one_server(stage: &Stage) {
        lost_after(stage, json!({ "truncate": 40 })).await;
    }

    async fn a_web_page_with_status_200_leaves_one_server(stage: &Stage) {
        let page = "<html><body>Welcome to our proxy</body></html>";
        lost_after(stage, json!({ "status": 200, "body": page, "content_type": "text/html" })).await;
    }

    async fn an_answer_of_another_shape_leaves_one_server(stage: &Stage) {
        lost_after(stage, json!({ "status": 202, "body": { "ok": true } })).await;
    }

    async fn a_connection_cut_before_the_commit_costs_a_second_attempt(stage: &Stage) {
        lost_before(stage, json!({ "drop": true })).await;
    }

    async fn a_503_before_the_commit_costs_a_second_attempt(stage: &Stage) {
        lost_before(stage, json!({ "status": 503 })).await;
    }

    async fn a_silence_without_effect_costs_a_second_attempt(stage: &Stage) {
        lost_before(stage, json!({ "delay_ms": TOO_LONG_MS, "drop": true })).await;
    }

    async fn a_commit_long_after_the_lost_answer_is_waited_for(stage: &Stage) {
        let late = stage.clockwork.settle_window / 2;
        let path = stage.vendor.path;
        stage.fault(json!({
            "method": "POST", "path": path, "when": "late", "effect": { "drop": true },
            "late_ms": late.mul_f64(TIME_SCALE).as_millis(),
        }));
        let sent = Instant::now();
        let accepted = stage.create("web").await;
        stage.succeeds(accepted.operation.id).await;
        // Where names are unique a second attempt is sent at once, and the vendor refuses the
        // late one, or the second.
        stage.until("the late commit has come", async || (sent.elapsed() > late * 2).then_some(())).await;
        stage.is_the_only_one(accepted.instance.id).await;
        if looks_only(stage) {
            assert_eq!(stage.creates().len(), 1);
        }
    }

    async fn a_look_that_fails_is_no_absence(stage: &Stage) {
        stage.spoil_create("after", json!({ "status": 504 }));
        stage.blind();
        let accepted = stage.create("web").await;
        let span = stage.clockwork.settle_window + stage.clockwork.look_interval * 8;
        stage.until("the create is being looked for", async || {
            let state = stage.operation(accepted.operation.id).await.state;
            (state == OperationState::Resolving).then_some(())
        }).await;
        assert_eq!(stage.server(accepted.instance.id).await.public_status(), "provisioning");
        stage.stays("nothing is sent again", span, async || stage.creates().len() == 1).await;
        stage.sim().clear_faults();
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }
}

fn lagging() -> Scene {
    Scene {
        list_lag: Duration::from_secs_f64(0.6 * TIME_SCALE),
        ..Scene::default()
    }
}

at_each_vendor! {
    staged(lagging);

    async fn a_server_that_lists_do_not_show_yet_is_waited_for(stage: &Stage) {
        if !looks_only(stage) {
            // One empty look is enough where the vendor refuses a second server of the name.
            return;
        }
        stage.spoil_create("after", json!({ "drop": true }));
        let accepted = stage.create("web").await;
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.creates().len(), 1);
    }
}

fn hasty() -> Scene {
    let mut scene = Scene::default();
    scene.clockwork.settle_window = Duration::from_millis(300);
    scene
}

at_each_vendor! {
    staged(hasty);

    async fn a_vendor_that_answers_no_create_is_asked_three_times(stage: &Stage) {
        for _ in 0..5 {
            stage.spoil_create("before", json!({ "status": 500 }));
        }
        let accepted = stage.create("web").await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::UnknownError.as_str());
        assert_eq!((operation.attempts, stage.creates().len()), (3, 3));
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Failed);
        assert!(stage.living().is_empty());
    }
}

/// The vendor commits and the answer is spoiled: found, not bought again.
async fn lost_after(stage: &Stage, effect: Value) {
    stage.spoil_create("after", effect);
    let accepted = stage.create("web").await;
    let operation = stage.succeeds(accepted.operation.id).await;
    assert_eq!(operation.attempts, 1);
    stage.is_the_only_one(accepted.instance.id).await;
    assert_eq!(stage.creates().len(), 1);
}

/// The vendor does nothing: bought by a second attempt, and not too early.
async fn lost_before(stage: &Stage, effect: Value) {
    stage.spoil_create("before", effect);
    let accepted = stage.create("web").await;
    let operation = stage.succeeds(accepted.operation.id).await;
    assert_eq!(operation.attempts, 2);
    stage.is_the_only_one(accepted.instance.id).await;
    let [first, second] = stage.creates().try_into().unwrap();
    assert!(!first.committed && second.committed);
    if looks_only(stage) {
        let window = SignedDuration::try_from(stage.clockwork.settle_window).unwrap();
        let waited = time_of(&second).duration_since(time_of(&first));
        assert!(waited >= window, "{waited:?}");
    }
}

fn looks_only(stage: &Stage) -> bool {
    (stage.vendor.descriptor)().create_guarantee == CreateGuarantee::LookupOnly
}
