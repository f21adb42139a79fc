//! A vendor that fails again and again is left alone for a while, and nobody else is.

use std::sync::Arc;
use std::time::Duration;

use roadstead_core::{Action, ErrorKind, Lane, Outcome, Provider, RemoteId, Retry, Secret};
use roadstead_service::{CallClass, CircuitState, RegisterProvider};
use serde_json::json;

use crate::stage::{Scene, Stage, at_each_vendor};

fn quiet() -> Scene {
    let mut scene = Scene {
        workers: 0,
        ..Scene::default()
    };
    scene.clockwork.circuit.pause = Duration::from_millis(300);
    scene
}

async fn provider(stage: &Stage) -> Arc<dyn Provider> {
    let account = stage.platform.registry().account(stage.account).await;
    account.unwrap().provider
}

async fn state(stage: &Stage, class: CallClass) -> CircuitState {
    let account = stage.platform.registry().account(stage.account).await;
    let circuits = account.unwrap().health.circuits();
    circuits
        .into_iter()
        .find(|it| it.class == class)
        .unwrap()
        .state
}

fn some_server() -> RemoteId {
    RemoteId("4711".into())
}

/// Asks until the circuit of reads opens, and returns how often that took.
async fn wear_out(stage: &Stage, provider: &dyn Provider) -> usize {
    for asked in 1..20 {
        provider.get_instance(&some_server()).await.unwrap_err();
        if state(stage, CallClass::Read).await == CircuitState::Open {
            return asked;
        }
    }
    panic!("it never opened");
}

at_each_vendor! {
    staged(quiet);

    async fn a_vendor_that_is_away_is_left_alone_until_it_is_back(stage: &Stage) {
        let provider = provider(stage).await;
        stage.unplug().await;
        assert_eq!(wear_out(stage, &*provider).await, 5);
        let refused = provider.get_instance(&some_server()).await.unwrap_err();
        assert_eq!((refused.kind, refused.outcome), (ErrorKind::Transport, Outcome::NotExecuted));
        assert!(matches!(refused.retry, Retry::At(_)), "{refused:?}");
        assert!(refused.message.contains("in a row"), "{refused}");
        stage.plug_in();
        // One try is enough, and nobody has to do anything.
        stage.until("it is asked again", async || {
            let asked = provider.get_instance(&some_server()).await.unwrap_err();
            (asked.kind == ErrorKind::NoSuchInstance).then_some(())
        }).await;
        assert_eq!(state(stage, CallClass::Read).await, CircuitState::Closed);
    }

    async fn an_open_circuit_sends_nothing_and_a_failed_try_keeps_it_open(stage: &Stage) {
        let provider = provider(stage).await;
        stage.fault(json!({ "method": "GET", "count": 100_000, "effect": { "status": 502 } }));
        wear_out(stage, &*provider).await;
        let mark = stage.mark();
        for _ in 0..50 {
            provider.get_instance(&some_server()).await.unwrap_err();
        }
        assert_eq!(stage.sim().journal_after(mark).len(), 0);
        stage.until("one tries", async || {
            provider.get_instance(&some_server()).await.unwrap_err();
            (!stage.sim().journal_after(mark).is_empty()).then_some(())
        }).await;
        assert_eq!(state(stage, CallClass::Read).await, CircuitState::Open);
    }

    async fn changes_that_fail_do_not_hold_up_what_is_read(stage: &Stage) {
        let provider = provider(stage).await;
        stage.fault(json!({ "method": "POST", "count": 100_000, "effect": { "status": 500 } }));
        for _ in 0..5 {
            let lost = provider.perform_action(&some_server(), &Action::Boot).await.unwrap_err();
            assert_eq!(lost.outcome, Outcome::Unknown, "{lost:?}");
        }
        let kept = provider.perform_action(&some_server(), &Action::Boot).await.unwrap_err();
        assert_eq!(kept.outcome, Outcome::NotExecuted, "{kept:?}");
        assert_eq!(state(stage, CallClass::Mutate).await, CircuitState::Open);
        for lane in Lane::ALL {
            let read = provider.in_lane(lane).get_instance(&some_server()).await.unwrap_err();
            assert_eq!(read.kind, ErrorKind::NoSuchInstance, "{lane:?}");
        }
    }

    async fn what_nobody_waits_for_fails_apart(stage: &Stage) {
        let provider = provider(stage).await.in_lane(Lane::Background);
        stage.unplug().await;
        for _ in 0..5 {
            provider.get_instance(&some_server()).await.unwrap_err();
        }
        assert_eq!(state(stage, CallClass::Background).await, CircuitState::Open);
        assert_eq!(state(stage, CallClass::Read).await, CircuitState::Closed);
    }

    async fn the_other_account_of_the_vendor_is_asked_as_before(stage: &Stage) {
        stage.sim().set_token("other", Some("other"), roadstead_sim::Scopes::Full);
        let other = RegisterProvider {
            name: "second".to_owned(),
            kind: stage.vendor.kind.to_owned(),
            token: Secret::from("other"),
            configuration: json!({}),
        };
        let other = stage.platform.register_provider(&stage.operator(), other).await.unwrap();
        let other = stage.platform.registry().account(other.record.id).await.unwrap();
        let path = format!("{}/4711", stage.vendor.path);
        stage.fault(json!({
            "method": "GET", "path": path, "count": 100_000, "effect": { "status": 503 },
        }));
        wear_out(stage, &*provider(stage).await).await;
        let asked = other.provider.get_instance(&RemoteId("4712".into())).await.unwrap_err();
        assert_eq!(asked.kind, ErrorKind::NoSuchInstance);
        let closed = |it: &roadstead_service::CircuitStatus| it.state == CircuitState::Closed;
        assert!(other.health.circuits().iter().all(closed));
    }

    async fn a_new_token_begins_anew(stage: &Stage) {
        let provider = provider(stage).await;
        stage.fault(json!({
            "method": "GET", "path": format!("{}/4711", stage.vendor.path),
            "count": 100_000, "effect": { "status": 503 },
        }));
        wear_out(stage, &*provider).await;
        stage.sim().set_token("renewed", Some("main"), roadstead_sim::Scopes::Full);
        let change = roadstead_service::ProviderChange {
            token: Some(Secret::from("renewed")),
            ..Default::default()
        };
        stage.platform.change_provider(&stage.operator(), stage.account, change).await.unwrap();
        assert_eq!(state(stage, CallClass::Read).await, CircuitState::Closed);
    }
}

at_each_vendor! {
    async fn a_create_waits_out_an_open_circuit_and_is_made_once(stage: &Stage) {
        // One is made, so that the catalogues are at hand.
        stage.running("first").await;
        let provider = provider(stage).await;
        stage.fault(json!({ "method": "POST", "count": 5, "effect": { "status": 500 } }));
        for _ in 0..5 {
            provider.perform_action(&some_server(), &Action::Boot).await.unwrap_err();
        }
        assert_eq!(state(stage, CallClass::Mutate).await, CircuitState::Open);
        let mark = stage.mark();
        let accepted = stage.create("second").await;
        let operation = stage.succeeds(accepted.operation.id).await;
        assert!(operation.attempts >= 1);
        let sent = stage.changes(mark);
        assert_eq!(sent.iter().filter(|it| it.path == stage.vendor.path).count(), 1, "{sent:?}");
        assert_eq!(state(stage, CallClass::Mutate).await, CircuitState::Closed);
    }
}
