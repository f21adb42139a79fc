//! What somebody likes.

use crate::app::TestApp;
use crate::people::Member;

#[tokio::test]
async fn preferences_are_kept_and_told_once() {
    let app = TestApp::start_stocked().await;
    app.create("web-1").await;
    let fields = [("theme", "dark"), ("zone", "Europe/Berlin")];
    let kept = app
        .post("/preferences", &fields)
        .await
        .leads_to("/preferences");
    let done = kept.cookie_value("roadstead_done");
    let ask = || {
        let names = ["roadstead_theme", "roadstead_zone", "roadstead_live"];
        let ask = app.get("/preferences");
        names
            .iter()
            .fold(ask, |ask, name| ask.cookie(name, &kept.cookie_value(name)))
    };
    let page = ask().cookie("roadstead_done", &done).await.expect(200);
    assert!(
        page.text.contains("Your preferences are kept"),
        "{}",
        page.text
    );
    assert!(page.cookie("roadstead_done").unwrap().contains("Max-Age=0"));
    let page = ask().await.expect(200);
    assert!(!page.text.contains("Your preferences are kept"));
    assert_eq!(page.attributes("html", "data-theme"), ["dark"]);
    assert_eq!(
        page.attributes("#field-zone option[selected]", "value"),
        ["Europe/Berlin"]
    );
    assert!(page.attributes("#field-live[checked]", "id").is_empty());
    // Without live updates nothing renews itself.
    let list = app
        .get("/")
        .by(Member)
        .cookie("roadstead_live", "off")
        .await;
    assert!(list.attributes("[data-refresh]", "id").is_empty());
    let list = app.get("/").by(Member).await;
    assert_eq!(list.attributes("[data-refresh]", "data-refresh"), ["2"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_a_strange_cookie_counts_for_nothing() {
    let app = TestApp::start().await;
    let fields = [
        ("theme", "pink"),
        ("zone", "../../etc/passwd"),
        ("live", "on"),
    ];
    let reply = app.post("/preferences", &fields).await;
    reply.mistake("theme");
    reply.mistake("zone");
    assert_eq!(reply.cookie("roadstead_theme"), None);
    let page = app
        .get("/preferences")
        .cookie("roadstead_theme", "\"><script>")
        .cookie("roadstead_zone", "../x")
        .cookie("roadstead_organization", "x")
        .cookie("roadstead_done", "<b>you won</b>")
        .await
        .expect(200);
    assert!(!page.text.contains("you won"));
    assert!(page.attributes("html[data-theme]", "lang").is_empty());
}
