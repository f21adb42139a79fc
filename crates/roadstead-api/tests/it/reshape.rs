//! Another plan and another image for a server, through the API.

use serde_json::{Value, json};

use crate::app::{Member, TestApp, Viewer};

async fn refusals(app: &TestApp, path: &str, bodies: &[(Value, &str)]) {
    for (body, field) in bodies {
        let answer = app.post(path).by(Member).json(body).await;
        let refused = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.word("/field"), *field, "{body}");
    }
}

#[tokio::test]
async fn a_stopped_server_gets_another_plan_and_its_price() {
    let app = TestApp::start().await;
    app.register().await;
    let id = app.running("web").await;
    let path = format!("/api/vps/{id}/resize");
    let larger = json!({ "type": "s-1vcpu-2gb" });

    let early = app.post(&path).by(Member).json(&larger).await;
    let early = early.refused(400, "INVALID_ACTION");
    assert!(early.word("/error").contains("shut it down first"));
    let shutdown = app
        .post(&format!("/api/vps/{id}/shutdown"))
        .by(Member)
        .await;
    app.finished(&shutdown.ok()).await;

    let refused = [
        (json!({}), "type"),
        (json!({ "type": "" }), "type"),
        (json!({ "type": "no-such-plan" }), "type"),
        (json!({ "type": "s-1vcpu-1gb" }), "type"),
        (json!({ "type": "s-1vcpu-2gb", "price": 1 }), "price"),
        (json!({ "plan_id": uuid::Uuid::nil() }), "plan_id"),
        (
            json!({ "type": "s-1vcpu-2gb", "grow_disk": "yes" }),
            "grow_disk",
        ),
    ];
    refusals(&app, &path, &refused).await;
    let viewer = app.post(&path).by(Viewer).json(&larger).await;
    viewer.refused(403, "FORBIDDEN");

    let before = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
    let accepted = app.post(&path).by(Member).json(&larger).await.ok();
    assert_eq!(accepted.word("/operation/kind"), "resize");
    assert_eq!(accepted.word("/instance/type"), "s-1vcpu-1gb");
    app.finished(&accepted).await;
    let after = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
    assert_eq!(after.word("/instance/type"), "s-1vcpu-2gb");
    assert_eq!(after.at("/instance/memory_mib"), 2048);
    assert_eq!(
        after.at("/instance/disk_gib"),
        before.at("/instance/disk_gib")
    );
    assert_eq!(after.word("/instance/price/monthly/amount"), "12");
}

#[tokio::test]
async fn a_server_gets_another_image_and_keeps_its_price() {
    let app = TestApp::start().await;
    app.register().await;
    let id = app.running("web").await;
    let path = format!("/api/vps/{id}/rebuild");
    let image = "debian-12-x64";
    let refused = [
        (json!({}), "image"),
        (json!({ "image": "no-such-image" }), "image"),
        (json!({ "image": image, "plan_id": "x" }), "plan_id"),
        (
            json!({ "image": image, "rootPassword": "Str0ng-harbor-Passw0rd" }),
            "rootPassword",
        ),
        (
            json!({ "image": image, "user_data": "#cloud-config" }),
            "user_data",
        ),
    ];
    refusals(&app, &path, &refused).await;
    let before = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
    let wanted = json!({ "image": image });
    let accepted = app.post(&path).by(Member).json(&wanted).await.ok();
    assert_eq!(accepted.word("/operation/kind"), "rebuild");
    app.finished(&accepted).await;
    let after = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
    assert_eq!(after.word("/instance/image"), image);
    assert_eq!(after.at("/instance/price"), before.at("/instance/price"));
}
