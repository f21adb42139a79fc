//! The same thing done to several servers.

use std::time::Duration;

use roadstead_core::InstanceId;

use crate::app::{Setup, TestApp};
use crate::people::{Member, PASSWORD, Viewer};

const RUNNING: &str = r#"<span class="badge ok">Running</span>"#;

async fn fleet(labels: &[&str]) -> (TestApp, Vec<InstanceId>) {
    let setup = Setup {
        workers: 1,
        ..Setup::default()
    };
    let app = TestApp::start_with(setup).await;
    app.stock().await;
    let mut ids = Vec::new();
    for label in labels {
        let id = app.create(label).await;
        app.until(&format!("/servers/{id}"), Member, RUNNING).await;
        ids.push(id);
    }
    (app, ids)
}

fn form<'a>(
    action: &'a str,
    ids: &'a [String],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let servers = ids.iter().map(|it| ("server", it.as_str()));
    let mut fields: Vec<_> = servers.collect();
    fields.push(("action", action));
    fields.extend(more);
    fields
}

#[tokio::test]
async fn each_server_has_a_result_of_its_own() {
    let (app, ids) = fleet(&["web-1", "web-2"]).await;
    let list = app.get("/").by(Member).await;
    let boxes = list.attributes("input[form=bulk][name=server]", "value");
    assert_eq!(boxes.len(), 2);
    assert!(
        app.get("/")
            .by(Viewer)
            .await
            .attributes("#bulk, .bulk-bar", "class")
            .is_empty()
    );
    // One of them is being switched off meanwhile.
    let off = format!("/servers/{}/power/shutdown", ids[0]);
    app.post(&off, &[]).by(Member).await.expect(303);
    app.until(&format!("/servers/{}", ids[0]), Member, "Stopped</span>")
        .await;

    let asked = format!(
        "/servers/bulk?action=reboot&server={}&server={}",
        boxes[0], boxes[1]
    );
    let page = app.get(&asked).by(Member).await.expect(200);
    assert_eq!(page.texts("h1"), ["Reboot 2 servers?"]);
    let key = page.attributes("main input[name=_key]", "value");
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let fields = form("reboot", &ids, &[("_key", &key[0])]);
    let told = app
        .post("/servers/bulk", &fields)
        .by(Member)
        .await
        .expect(200);
    let rows = told.texts("tbody tr");
    assert!(
        rows[0].contains("web-1 Refused") && rows[0].contains("boot it instead"),
        "{rows:?}"
    );
    assert!(rows[1].contains("web-2 On its way"), "{rows:?}");
    // Sent again, it is answered again and does nothing.
    let again = app
        .post("/servers/bulk", &fields)
        .by(Member)
        .await
        .expect(200);
    assert_eq!(again.texts("tbody tr"), rows);
    let activity = app
        .get(&format!("/servers/{}/activity", ids[1]))
        .by(Member)
        .await;
    assert_eq!(activity.text.matches("Rebooted a server").count(), 1);
}

#[tokio::test]
async fn several_servers_are_deleted_only_on_purpose() {
    let (app, ids) = fleet(&["web-1", "web-2"]).await;
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let reply = app
        .post("/servers/bulk", &form("delete", &ids, &[]))
        .by(Member)
        .await;
    assert!(reply.mistake("typed").contains("delete 2"));
    app.clock.advance(Duration::from_mins(16));
    let typed = ("typed", "delete 2");
    let reply = app
        .post("/servers/bulk", &form("delete", &ids, &[typed]))
        .by(Member)
        .await;
    reply.mistake("password");
    let fields = form("delete", &ids, &[typed, ("password", PASSWORD)]);
    let done = app
        .post("/servers/bulk", &fields)
        .by(Member)
        .await
        .expect(200);
    assert_eq!(done.text.matches("On its way").count(), 2, "{}", done.text);
    let session = done.cookie_value("roadstead_session");
    let list = app
        .get("/")
        .cookie("roadstead_session", &session)
        .await
        .expect(200);
    assert!(!list.text.contains(RUNNING), "{}", list.text);
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let (app, ids) = fleet(&["web-1"]).await;
    let id = ids[0].to_string();
    app.get("/servers/bulk?action=explode")
        .by(Member)
        .await
        .expect(400);
    app.get("/servers/bulk?action=boot&server=x")
        .by(Member)
        .await
        .expect(404);
    let page = app
        .get("/servers/bulk?action=boot")
        .by(Member)
        .await
        .expect(200);
    assert!(page.text.contains("No server is chosen"), "{}", page.text);
    let many: Vec<_> = (0..101).map(|_| id.clone()).collect();
    app.post("/servers/bulk", &form("boot", &many, &[]))
        .by(Member)
        .await
        .expect(400);
    app.post(
        "/servers/bulk",
        &form("reboot", std::slice::from_ref(&id), &[]),
    )
    .by(Viewer)
    .await
    .expect(403);
    // The same one twice is one.
    let twice = format!("/servers/bulk?action=reboot&server={id}&server={id}");
    let page = app.get(&twice).by(Member).await.expect(200);
    assert_eq!(page.texts("h1"), ["Reboot 1 server?"]);
}
