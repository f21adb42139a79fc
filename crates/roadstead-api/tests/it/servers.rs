//! A server's life through the API.

use insta::assert_snapshot;
use serde_json::json;

use crate::app::{Member, Operator, TestApp, Viewer, wanted};

/// The request of the specification, word for word but for the id.
fn seed_request(provider: &str) -> serde_json::Value {
    json!({
        "provider_id": provider,
        "provider_type": "digitalocean",
        "label": "test-server",
        "type": "s-1vcpu-1gb",
        "region": "nyc3",
        "image": "ubuntu-22-04-x64",
        "rootPassword": "Str0ng-harbor-Passw0rd",
    })
}

#[tokio::test]
async fn a_create_is_answered_as_soon_as_it_is_on_record() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    let created = app
        .post("/api/vps")
        .by(Member)
        .json(&seed_request(&id))
        .await;
    assert_snapshot!(created.shown(), @r#"
    200
    {
      "instance": {
        "addresses": [],
        "created_at": "[time]",
        "disk_gib": 25,
        "id": "[id]",
        "image": "ubuntu-22-04-x64",
        "label": "test-server",
        "memory_mib": 1024,
        "notes": "",
        "observed_at": null,
        "price": {
          "as_of": "[time]",
          "hourly": {
            "amount": "0.00893",
            "currency": "USD"
          },
          "monthly": {
            "amount": "6",
            "currency": "USD"
          },
          "monthly_is_cap": true
        },
        "provider_id": "[id]",
        "provider_instance_id": null,
        "provider_type": "digitalocean",
        "region": "nyc3",
        "status": "provisioning",
        "tags": [],
        "type": "s-1vcpu-1gb",
        "updated_at": "[time]",
        "vcpus": 1
      },
      "operation": {
        "created_at": "[time]",
        "finished_at": null,
        "id": "[id]",
        "instance_id": "[id]",
        "kind": "create",
        "progress": null,
        "state": "ready",
        "updated_at": "[time]"
      },
      "success": true
    }
    "#);
    assert_eq!(created.word("/instance/provider_id"), id);
    assert_eq!(app.vendor_calls("POST", "/v2/droplets"), 0);
}

#[tokio::test]
async fn a_created_server_becomes_running() {
    let app = TestApp::start().await;
    let provider = app.register().await;
    let request = seed_request(&provider);
    let created = app.post("/api/vps").by(Member).json(&request).await.ok();
    app.finished(&created).await;
    let id = created.word("/instance/id");
    let shown = app.until(&id, "running").await;
    assert_snapshot!(shown.shown(), @r#"
    200
    {
      "instance": {
        "addresses": [
          {
            "ip": "[ip]",
            "scope": "private"
          },
          {
            "ip": "[ip]",
            "scope": "public"
          }
        ],
        "created_at": "[time]",
        "disk_gib": 25,
        "id": "[id]",
        "image": "ubuntu-22-04-x64",
        "label": "test-server",
        "memory_mib": 1024,
        "notes": "",
        "observed_at": "[time]",
        "price": {
          "as_of": "[time]",
          "hourly": {
            "amount": "0.00893",
            "currency": "USD"
          },
          "monthly": {
            "amount": "6",
            "currency": "USD"
          },
          "monthly_is_cap": true
        },
        "provider_id": "[id]",
        "provider_instance_id": "[provider_instance_id]",
        "provider_type": "digitalocean",
        "region": "nyc3",
        "status": "running",
        "tags": [],
        "type": "s-1vcpu-1gb",
        "updated_at": "[time]",
        "vcpus": 1
      },
      "success": true
    }
    "#);
    assert_eq!(app.vendor_calls("POST", "/v2/droplets"), 1);
    // The password reaches the vendor as a hash, and nobody else at all.
    let journal = serde_json::to_string(&app.sim.handle().journal()).unwrap();
    roadstead_testkit::assert_absent("Str0ng-harbor-Passw0rd", journal.as_bytes());
    let operations = format!("/api/vps/{id}/operations");
    let operations = app.get(&operations).by(Viewer).await;
    assert_snapshot!(operations.shown(), @r#"
    200
    {
      "next_cursor": null,
      "operations": [
        {
          "created_at": "[time]",
          "finished_at": "[time]",
          "id": "[id]",
          "instance_id": "[id]",
          "kind": "create",
          "progress": null,
          "state": "succeeded",
          "updated_at": "[time]"
        }
      ],
      "success": true
    }
    "#);
}

#[tokio::test]
async fn with_wait_a_create_is_answered_when_the_vendor_has_accepted() {
    let app = TestApp::start().await;
    app.register().await;
    let mut request = wanted("patient");
    request["wait"] = json!(30);
    let created = app.post("/api/vps").by(Member).json(&request).await.ok();
    assert!(
        created.at("/instance/provider_instance_id").is_string(),
        "{}",
        created.text
    );
}

#[tokio::test]
async fn a_server_is_run_and_deleted_by_actions() {
    let app = TestApp::start().await;
    app.register().await;
    let id = app.running("worker").await;
    let act = async |action: &str| {
        app.post(&format!("/api/vps/{id}/{action}"))
            .by(Member)
            .await
    };

    let rebooting = act("reboot").await;
    assert_snapshot!(rebooting.shown(), @r#"
    200
    {
      "instance": {
        "addresses": [
          {
            "ip": "[ip]",
            "scope": "private"
          },
          {
            "ip": "[ip]",
            "scope": "public"
          }
        ],
        "created_at": "[time]",
        "disk_gib": 25,
        "id": "[id]",
        "image": "ubuntu-22-04-x64",
        "label": "worker",
        "memory_mib": 1024,
        "notes": "",
        "observed_at": "[time]",
        "price": {
          "as_of": "[time]",
          "hourly": {
            "amount": "0.00893",
            "currency": "USD"
          },
          "monthly": {
            "amount": "6",
            "currency": "USD"
          },
          "monthly_is_cap": true
        },
        "provider_id": "[id]",
        "provider_instance_id": "[provider_instance_id]",
        "provider_type": "digitalocean",
        "region": "nyc3",
        "status": "running",
        "tags": [],
        "type": "s-1vcpu-1gb",
        "updated_at": "[time]",
        "vcpus": 1
      },
      "operation": {
        "created_at": "[time]",
        "finished_at": null,
        "id": "[id]",
        "instance_id": "[id]",
        "kind": "reboot",
        "progress": null,
        "state": "ready",
        "updated_at": "[time]"
      },
      "success": true
    }
    "#);
    app.finished(&rebooting).await;
    app.finished(&act("shutdown").await.ok()).await;
    app.until(&id, "stopped").await;
    let stopped = act("reboot").await;
    assert_snapshot!(stopped.shown(), @r#"
    409
    {
      "code": "CONFLICT",
      "error": "the server is stopped, so it cannot reboot; boot it instead",
      "request_id": "[id]",
      "success": false
    }
    "#);
    app.finished(&act("boot").await.ok()).await;
    app.until(&id, "running").await;
    app.finished(&act("power-off").await.ok()).await;
    app.until(&id, "stopped").await;

    let path = format!("/api/vps/{id}");
    let deleting = app.delete(&path).by(Member).await.ok();
    assert_eq!(deleting.word("/operation/kind"), "delete");
    app.finished(&deleting).await;
    assert_eq!(app.count().await, 0);
    let state = app.sim.handle().state();
    let droplets = state["accounts"][0]["droplets"].as_array().unwrap();
    assert!(droplets.iter().all(|it| it["deleted"] == true), "{state}");
}

#[tokio::test]
async fn a_busy_server_takes_no_second_action() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let id = app.create("busy").await.word("/instance/id");
    let second = app.post(&format!("/api/vps/{id}/reboot")).by(Member).await;
    let second = second.refused(409, "CONFLICT");
    assert!(second.word("/error").contains("busy with operation"));
}

#[tokio::test]
async fn an_action_takes_no_body_but_an_empty_object() {
    let app = TestApp::start().await;
    app.register().await;
    let id = app.running("strict").await;
    let reboot = || app.post(&format!("/api/vps/{id}/reboot")).by(Member);
    let wrong = reboot().json(&json!({ "force": true })).await;
    assert_snapshot!(wrong.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "this route takes no body",
      "errors": [
        {
          "error": "this route takes no body",
          "field": "body"
        }
      ],
      "field": "body",
      "request_id": "[id]",
      "success": false
    }
    "#);
    app.finished(&reboot().json(&json!({})).await.ok()).await;
}

#[tokio::test]
async fn label_tags_and_notes_can_be_changed() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let created = app.create("before").await;
    let path = format!("/api/vps/{}", created.word("/instance/id"));
    let change = async |body: serde_json::Value| app.patch(&path).by(Member).json(&body).await;

    let changed = change(json!({ "label": "after", "tags": ["web", "blue:1"], "notes": "n\n" }));
    let changed = changed.await.ok();
    assert_eq!(changed.word("/instance/label"), "after");
    assert_eq!(changed.at("/instance/tags"), json!(["web", "blue:1"]));
    assert_eq!(changed.word("/instance/notes"), "n\n");
    // What is not named stays.
    let notes = change(json!({ "notes": "" })).await.ok();
    assert_eq!(notes.word("/instance/label"), "after");
    assert_eq!(notes.word("/instance/notes"), "");
    change(json!({})).await.ok();

    let tags: Vec<_> = (0..21).map(|it| format!("tag{it}")).collect();
    let wrong = change(json!({ "label": "no spaces", "tags": tags, "notes": "x".repeat(10_001) }));
    assert_snapshot!(wrong.await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "DigitalOcean does not accept this label: letters, digits, dots and hyphens, ending with a letter or digit",
      "errors": [
        {
          "error": "DigitalOcean does not accept this label: letters, digits, dots and hyphens, ending with a letter or digit",
          "field": "label"
        },
        {
          "error": "at most 20 tags",
          "field": "tags"
        },
        {
          "error": "notes have at most 10000 characters",
          "field": "notes"
        }
      ],
      "field": "label",
      "request_id": "[id]",
      "success": false
    }
    "#);
    for tags in [
        json!(["rs:mine"]),
        json!(["ab"]),
        json!(["a b c"]),
        json!(["\u{e9}tage"]),
    ] {
        let wrong = change(json!({ "tags": tags })).await;
        assert_eq!(wrong.refused(400, "VALIDATION_ERROR").fields(), ["tags"]);
    }
    let fixed = change(json!({ "region": "ams3" })).await;
    assert_eq!(fixed.refused(400, "VALIDATION_ERROR").fields(), ["region"]);
    let kept = app.get(&path).by(Viewer).await.ok();
    assert_eq!(kept.word("/instance/label"), "after");
    assert_eq!(kept.at("/instance/tags"), json!(["web", "blue:1"]));
}

#[tokio::test]
async fn an_operation_can_be_waited_for() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let created = app.create("waiting").await;
    let path = format!("/api/operations/{}", created.word("/operation/id"));
    let begun = std::time::Instant::now();
    // Nobody works here, so the time runs out.
    let waited = app.get(&format!("{path}?wait=1")).by(Viewer).await;
    assert_snapshot!(waited.shown(), @r#"
    200
    {
      "operation": {
        "created_at": "[time]",
        "finished_at": null,
        "id": "[id]",
        "instance_id": "[id]",
        "kind": "create",
        "progress": null,
        "state": "ready",
        "updated_at": "[time]"
      },
      "success": true
    }
    "#);
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
    for wrong in ["31", "-1", "x", "1.5", ""] {
        let answer = app.get(&format!("{path}?wait={wrong}")).by(Viewer).await;
        answer.refused(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_server_of_an_account_that_is_switched_off_can_still_be_deleted() {
    let app = TestApp::start().await;
    let provider = app.register().await;
    let id = app.running("leftover").await;
    let off = app
        .patch(&format!("/api/admin/providers/{provider}"))
        .by(Operator);
    off.json(&json!({ "active": false })).await.ok();
    let reboot = app.post(&format!("/api/vps/{id}/reboot")).by(Member).await;
    reboot.refused(409, "PROVIDER_INACTIVE");
    let deleting = app.delete(&format!("/api/vps/{id}")).by(Member).await.ok();
    app.finished(&deleting).await;
}
