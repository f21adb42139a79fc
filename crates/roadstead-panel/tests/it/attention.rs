//! What waits for a person, and what is decided about it.

use roadstead_service::{Lifecycle, OperationKind};
use uuid::Uuid;

use crate::app::TestApp;
use crate::doubt::{self, WHY};
use crate::people::Operator;

#[tokio::test]
async fn what_waits_is_listed_with_what_is_needed_to_decide() {
    let app = TestApp::start_stocked().await;
    let page = app.get("/attention").by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["Nothing waits for you"]);
    doubt::about_a_create(&app, "lost-1").await;
    doubt::about(&app, "lost-2", OperationKind::Reboot).await;
    let page = app.get("/attention").by(Operator).await.expect(200);
    let rows = page.texts("tbody tr");
    assert_eq!(rows.len(), 2, "{rows:?}");
    let why = format!("{}.", WHY.replacen('t', "T", 1));
    for (row, parts) in [
        (
            &rows[0],
            ["of Harbor, at Blue", "Creation", &why, "not known"],
        ),
        (
            &rows[1],
            ["of Harbor, at Blue", "Reboot", &why, "remote-of-lost-2"],
        ),
    ] {
        for part in parts {
            assert!(row.contains(part), "no `{part}` in {row}");
        }
    }
    assert_eq!(page.texts("tbody tr:first-child a").len(), 3);
}

#[tokio::test]
async fn each_decision_says_its_consequences_and_does_them() {
    let app = TestApp::start_stocked().await;
    for (label, kind, decision, says, done, becomes) in [
        (
            "one",
            OperationKind::Reboot,
            "retry",
            "looked at again",
            "decided_retry",
            Lifecycle::Live,
        ),
        (
            "two",
            OperationKind::Reboot,
            "done",
            "done as asked",
            "decided_done",
            Lifecycle::Live,
        ),
        (
            "three",
            OperationKind::Rebuild,
            "failed",
            "was not done",
            "decided_failed",
            Lifecycle::Live,
        ),
        (
            "four",
            OperationKind::Delete,
            "failed",
            "is there",
            "decided_failed",
            Lifecycle::Live,
        ),
        (
            "five",
            OperationKind::Delete,
            "retry",
            "looked at again",
            "decided_retry",
            Lifecycle::Deleting,
        ),
    ] {
        let id = doubt::about(&app, label, kind).await;
        let place = format!("/attention/{id}/{decision}");
        let page = app.get(&place).by(Operator).await.expect(200);
        assert!(
            page.texts(".notice")[0].contains(says),
            "{label}: {}",
            page.text
        );
        assert!(
            page.attributes("#field-typed", "name").is_empty(),
            "{label}"
        );
        let reply = app
            .post(&place, &[])
            .by(Operator)
            .await
            .leads_to("/attention");
        assert_eq!(reply.cookie_value("roadstead_done"), done, "{label}");
        assert_eq!(doubt::lifecycle(&app, id).await, becomes, "{label}");
    }
    let page = app.get("/attention").by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["Nothing waits for you"]);
}

#[tokio::test]
async fn what_ends_a_server_for_good_needs_its_label() {
    let app = TestApp::start_stocked().await;
    let gone = doubt::about(&app, "gone-1", OperationKind::Delete).await;
    let lost = doubt::about_a_create(&app, "lost-1").await;
    for (id, label, decision, becomes) in [
        (gone, "gone-1", "done", Lifecycle::Deleted),
        (lost, "lost-1", "failed", Lifecycle::Failed),
    ] {
        let place = format!("/attention/{id}/{decision}");
        for typed in ["", "another"] {
            let reply = app.post(&place, &[("typed", typed)]).by(Operator).await;
            reply.mistake("typed");
        }
        let reply = app.post(&place, &[("typed", label)]).by(Operator).await;
        reply.leads_to("/attention");
        assert_eq!(doubt::lifecycle(&app, id).await, becomes, "{label}");
    }
}

#[tokio::test]
async fn a_decision_that_is_sent_twice_is_made_once() {
    let app = TestApp::start_stocked().await;
    let id = doubt::about(&app, "web-1", OperationKind::Reboot).await;
    let place = format!("/attention/{id}/done");
    let key = Uuid::now_v7().to_string();
    let fields = [("_key", key.as_str())];
    let send = async || app.post(&place, &fields).by(Operator).await;
    let (one, two) = tokio::join!(send(), send());
    one.leads_to("/attention");
    two.leads_to("/attention");
    send().await.leads_to("/attention");
    // Another one comes too late, and is told so.
    let late = format!("/attention/{id}/failed");
    let page = app.post(&late, &[]).by(Operator).await.expect(409);
    assert!(page.text.contains("does not wait"), "{}", page.text);
    app.get(&late).by(Operator).await.expect(409);
    assert_eq!(doubt::lifecycle(&app, id).await, Lifecycle::Live);
    for nothing in [
        "/attention/x/done",
        &format!("/attention/{}/done", Uuid::now_v7()),
    ] {
        app.get(nothing).by(Operator).await.expect(404);
        app.post(nothing, &[]).by(Operator).await.expect(404);
    }
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_is_told() {
    let app = TestApp::start_stocked().await;
    let id = doubt::about(&app, "web-1", OperationKind::Reboot).await;
    let send = async |decision: &str| {
        let place = format!("/attention/{id}/{decision}");
        app.post(&place, &[]).by(Operator).await.status.as_u16()
    };
    let (one, two) = tokio::join!(send("done"), send("failed"));
    let first = [one, two].iter().filter(|it| **it == 303).count();
    assert_eq!(first, 1, "{one} and {two}");
    // The other one learns it on a page or beside the question.
    assert!(
        [one, two].iter().any(|it| matches!(it, 409 | 422)),
        "{one} and {two}"
    );
}
