//! Scripted faults, as far as they are this vendor's own.

use std::time::Duration;

use roadstead_sim::{Effect, Fate, Fault};
use serde_json::json;

use super::{INSTANCES, act, create, create_running, event, frozen, reason, show, web};
use crate::sim::Sim;

fn decide(sim: &Sim, method: &str, path: &str, fate: Fate) {
    let fault = Fault {
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        effect: Effect {
            fate: Some(fate),
            ..Effect::default()
        },
        count: 1,
        ..Fault::default()
    };
    sim.handle().add_fault(fault).unwrap();
}

#[tokio::test]
async fn a_create_that_fails_leaves_a_failed_event_and_nothing_else() {
    let sim = frozen();
    decide(&sim, "POST", INSTANCES, Fate::Fails);
    let id = create(&sim, &web("web-1")).await;
    assert_eq!(show(&sim, id).await["status"], "provisioning");
    sim.handle().advance(Duration::from_secs(60));
    let gone = sim.get(&format!("{INSTANCES}/{id}")).await;
    assert_eq!(reason(&gone), (404, "Not found", None));
    assert_eq!(event(&sim, id, "linode_create").await["status"], "failed");
    assert!(event(&sim, id, "linode_boot").await.is_null());
}

#[tokio::test]
async fn an_action_that_fails_or_is_ignored_changes_nothing() {
    let sim = frozen();
    let id = create_running(&sim, &web("web-1")).await;
    let path = "/v4/linode/instances/{id}/shutdown";
    for (fate, said) in [(Fate::Fails, "failed"), (Fate::Ignored, "finished")] {
        decide(&sim, "POST", path, fate);
        assert_eq!(act(&sim, id, "shutdown").await.status, 200);
        sim.handle().advance(Duration::from_secs(15));
        assert_eq!(show(&sim, id).await["status"], "running", "{fate:?}");
        assert_eq!(event(&sim, id, "linode_shutdown").await["status"], said);
    }
}

#[tokio::test]
async fn a_deletion_that_comes_to_nothing_can_be_asked_for_again() {
    let sim = frozen();
    let id = create_running(&sim, &web("web-1")).await;
    let path = format!("{INSTANCES}/{id}");
    decide(&sim, "DELETE", "/v4/linode/instances/{id}", Fate::Ignored);
    assert_eq!(sim.delete(&path).await.status, 200);
    sim.handle().advance(Duration::from_secs(10));
    assert_eq!(show(&sim, id).await["status"], "running");
    assert_eq!(sim.delete(&path).await.status, 200);
    sim.handle().advance(Duration::from_secs(10));
    assert_eq!(sim.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_spoiled_answer_keeps_the_limits_and_says_nothing_of_waiting() {
    let sim = frozen();
    for when in ["before", "after"] {
        let fault = json!({
            "method": "POST", "path": INSTANCES, "when": when,
            "effect": { "status": 503, "body": { "errors": [{ "reason": "down" }] } },
        });
        assert_eq!(sim.post("/_sim/faults", &fault).await.status, 201);
        let got = sim.post(INSTANCES, &web("web-1")).await;
        assert_eq!(reason(&got), (503, "down", None));
        assert!(got.headers.contains_key("x-ratelimit-limit"));
        assert!(!got.headers.contains_key("retry-after"), "{when}");
    }
    assert_eq!(sim.get(INSTANCES).await.body["results"], 1);
    let entry = sim.handle().journal();
    let made = entry.iter().find(|it| it.committed).unwrap();
    assert!(made.resource_id.is_some());
}
