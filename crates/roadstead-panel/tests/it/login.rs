//! Logging in and out, and the password once more.

use std::time::Duration;

use crate::app::TestApp;
use crate::people::{Commuter, Member, PASSWORD};

fn credentials<'a>(email: &'a str, password: &'a str) -> [(&'static str, &'a str); 2] {
    [("email", email), ("password", password)]
}

#[tokio::test]
async fn whoever_logs_in_is_led_to_the_page_they_wanted() {
    let app = TestApp::start().await;
    let login = "/login?next=%2F%3Fstatus%3Drunning";
    let reply = app.get("/?status=running").await.leads_to(login);
    assert_eq!(reply.cookie("roadstead_session"), None);
    let page = app.get(login).await.expect(200);
    let [next] = &page.attributes("input[name=next]", "value")[..] else {
        panic!("{}", page.text);
    };
    let fields = [
        ("email", "Member@Test.example"),
        ("password", PASSWORD),
        ("next", next),
    ];
    let reply = app
        .post("/login", &fields)
        .await
        .leads_to("/?status=running");
    let token = reply.cookie_value("roadstead_session");
    let page = app
        .get("/?status=running")
        .cookie("roadstead_session", &token);
    page.await.expect(200);
}

#[tokio::test]
async fn nobody_is_led_away() {
    let app = TestApp::start().await;
    for away in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:x",
    ] {
        let fields = [
            ("email", "member@test.example"),
            ("password", PASSWORD),
            ("next", away),
        ];
        app.post("/login", &fields).await.leads_to("/");
        let next = app.get("/login").by(Member);
        next.await.leads_to("/");
    }
}

#[tokio::test]
async fn a_wrong_address_and_a_wrong_password_look_alike() {
    let app = TestApp::start().await;
    let mut said = Vec::new();
    for email in ["member@test.example", "nobody@test.example", "no address"] {
        let reply = app.post("/login", &credentials(email, "wrong horse")).await;
        said.push(reply.mistake("password"));
        assert_eq!(reply.attributes("#field-email", "value"), [email]);
        assert_eq!(reply.cookie("roadstead_session"), None);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn whoever_logs_out_is_out() {
    let app = TestApp::start().await;
    let reply = app
        .post("/login", &credentials("viewer@test.example", PASSWORD))
        .await;
    let token = reply.cookie_value("roadstead_session");
    let out = app
        .post("/logout", &[])
        .cookie("roadstead_session", &token)
        .await;
    let out = out.leads_to("/login");
    assert!(
        out.cookie("roadstead_session")
            .unwrap()
            .contains("Max-Age=0")
    );
    let again = app.get("/").cookie("roadstead_session", &token).await;
    let again = again.leads_to("/login");
    // The browser need not send it again.
    assert!(
        again
            .cookie("roadstead_session")
            .unwrap()
            .contains("Max-Age=0")
    );
    app.post("/logout", &[])
        .cookie("roadstead_session", &token)
        .await
        .leads_to("/login");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let app = TestApp::start().await;
    app.get("/").by(Member).await.expect(200);
    app.clock.advance(Duration::from_hours(24 * 8));
    app.get("/").by(Member).await.leads_to("/login");
}

#[tokio::test]
async fn several_organizations_are_looked_at_one_at_a_time() {
    let app = TestApp::start_stocked().await;
    app.create("harbor-1").await;
    let page = app.get("/").by(Commuter).await.expect(200);
    assert!(page.text.contains("harbor-1"));
    let names = page.texts("button[name=organization]");
    assert_eq!(names, ["Harbor", "Strangers"]);
    let ids = page.attributes("button[name=organization]", "value");
    let reply = app
        .post("/organization", &[("organization", &ids[1])])
        .by(Commuter)
        .await;
    let reply = reply.leads_to("/");
    let chosen = reply.cookie_value("roadstead_organization");
    let page = app
        .get("/")
        .by(Commuter)
        .cookie("roadstead_organization", &chosen)
        .await;
    assert!(!page.text.contains("harbor-1"), "{}", page.text);
    // One that somebody does not belong to counts for nothing.
    let page = app
        .get("/")
        .by(Member)
        .cookie("roadstead_organization", &chosen)
        .await;
    assert!(page.text.contains("harbor-1"), "{}", page.text);
    let foreign = app
        .post("/organization", &[("organization", &ids[1])])
        .by(Member);
    foreign.await.expect(404);
}
