//! The audit log.

use crate::app::TestApp;
use crate::people::{Member, Operator, Stranger};

#[tokio::test]
async fn whatever_is_done_is_told_with_who_did_it() {
    let app = TestApp::start_stocked().await;
    let server = app.create("web-1").await;
    let page = app.get("/activity").by(Member).await.expect(200);
    let rows = page.texts("tbody tr");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(
        rows[0].contains("Created a server member@test.example web-1"),
        "{rows:?}"
    );
    let links = page.attributes("tbody a", "href");
    assert_eq!(links, [format!("/servers/{server}")]);

    let others = app.get("/activity").by(Stranger).await.expect(200);
    assert!(
        others.text.contains("Nothing was done yet"),
        "{}",
        others.text
    );

    let page = app
        .get("/activity/installation")
        .by(Operator)
        .await
        .expect(200);
    let rows = page.texts("tbody tr");
    assert!(
        rows[0].contains("Added a provider account operator@test.example"),
        "{rows:?}"
    );
    assert!(
        rows.iter()
            .any(|it| it.contains("Added a user Roadstead itself")),
        "{rows:?}"
    );
    assert!(!page.text.contains("Created a server"));
}

#[tokio::test]
async fn a_long_log_goes_on() {
    let app = TestApp::start_stocked().await;
    for number in 0..51 {
        app.create(&format!("web-{number}")).await;
    }
    let page = app.get("/activity").by(Member).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), 50);
    let next = page.attributes("a[rel=next]", "href");
    let page = app.get(&next[0]).by(Member).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), 1);
    // A cursor of one list is none of another.
    let cursor = next[0].split_once('?').unwrap().1;
    let foreign = format!("/activity?{cursor}");
    app.get(&foreign).by(Stranger).await.expect(400);
}
