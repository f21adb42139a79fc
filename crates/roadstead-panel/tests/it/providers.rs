//! The accounts at the providers.

use std::time::Duration;

use reqwest::Method;
use roadstead_core::ProviderId;
use roadstead_panel::{Kind, Who, entries};
use roadstead_sim::{Effect, Fault, TOKEN_FULL, TOKEN_OTHER, TOKEN_READ_ONLY};
use uuid::Uuid;

use crate::app::TestApp;
use crate::people::{Member, Operator, PASSWORD};
use crate::reply::Reply;

/// Has every call to a provider fail.
pub(crate) fn fail(provider: &roadstead_sim::Running) {
    let effect = Effect {
        status: Some(503),
        ..Effect::default()
    };
    let fault = Fault {
        count: u64::MAX,
        effect,
        ..Fault::default()
    };
    provider.handle().add_fault(fault).unwrap();
}

/// Has the calls to an account fail so often that none is sent for a while.
pub(crate) async fn trip(app: &TestApp, account: ProviderId) {
    fail(&app.digitalocean);
    let refresh = format!("/providers/{account}/refresh");
    for _ in 0..6 {
        let reply = app.post(&refresh, &[]).by(Operator).await;
        reply.leads_to(&format!("/providers/{account}"));
    }
}

fn accounts(page: &Reply) -> Vec<String> {
    page.texts("#accounts tbody th a")
}

#[tokio::test]
async fn an_account_is_added_tested_renamed_switched_off_and_deleted() {
    let app = TestApp::start().await;
    let page = app.get("/providers").by(Operator).await.expect(200);
    assert_eq!(page.attributes(".empty a", "href"), ["/providers/add"]);
    let page = app.get("/providers/add").by(Operator).await.expect(200);
    assert_eq!(
        page.attributes("input[name=type]:not([disabled])", "value")
            .len(),
        2
    );

    let fields = [("type", "linode"), ("name", "Main"), ("token", TOKEN_FULL)];
    let reply = app
        .post("/providers/add", &fields)
        .by(Operator)
        .await
        .expect(303);
    assert_eq!(reply.cookie_value("roadstead_done"), "account_added");
    let place = reply.header("location").to_owned();
    let page = app.get(&place).by(Operator).await.expect(200);
    assert_eq!(page.texts("h1"), ["Main"]);
    assert!(page.text.contains("Token checked"), "{}", page.text);

    let act = async |what: &str, fields: &[(&str, &str)]| {
        app.post(&format!("{place}/{what}"), fields)
            .by(Operator)
            .await
    };
    let tested = act("test", &[]).await.leads_to(&place);
    assert_eq!(tested.cookie_value("roadstead_done"), "token_known");
    let read = act("refresh", &[]).await.leads_to(&place);
    assert_eq!(read.cookie_value("roadstead_done"), "catalogues_read");
    let page = app.get(&place).by(Operator).await.expect(200);
    let kept = page.texts("#now th[scope=row]");
    assert!(
        kept.iter()
            .any(|it| it.starts_with("Plans") && it.ends_with("old")),
        "{kept:?}"
    );

    act("rename", &[("name", "")]).await.mistake("name");
    act("rename", &[("name", " Renamed ")])
        .await
        .leads_to(&place);
    let page = app.get("/providers").by(Operator).await.expect(200);
    assert_eq!(accounts(&page), ["Renamed"]);

    act("off", &[]).await.leads_to(&place);
    let page = app.get(&place).by(Operator).await.expect(200);
    assert!(
        page.text.contains("This account is switched off"),
        "{}",
        page.text
    );
    assert!(page.attributes("a[href$='/off']", "href").is_empty());
    act("on", &[]).await.leads_to(&place);

    act("delete", &[("typed", "Main")]).await.mistake("typed");
    act("delete", &[("typed", "Renamed")])
        .await
        .leads_to("/providers");
    app.get(&place).by(Operator).await.expect(404);
    act("test", &[]).await.expect(404);
    act("delete", &[("typed", "Renamed")]).await.expect(404);
}

#[tokio::test]
async fn a_wrong_token_stands_beside_its_field_and_is_never_shown() {
    let app = TestApp::start().await;
    for token in ["", "wrong-token-4711"] {
        for kind in ["digitalocean", "linode"] {
            let fields = [("type", kind), ("name", "Main"), ("token", token)];
            let page = app.post("/providers/add", &fields).by(Operator).await;
            page.mistake("token");
            assert!(!page.text.contains("4711"), "{}", page.text);
            assert_eq!(page.attributes("#field-name", "value"), ["Main"]);
        }
    }
    let fields = [
        ("type", "linode"),
        ("name", "Main"),
        ("token", TOKEN_READ_ONLY),
    ];
    let page = app.post("/providers/add", &fields).by(Operator).await;
    assert!(page.mistake("token").contains("scope"), "{}", page.text);
    // One that is not there yet, and none at all.
    for kind in ["aws", ""] {
        let fields = [("type", kind), ("name", "Main"), ("token", TOKEN_FULL)];
        app.post("/providers/add", &fields)
            .by(Operator)
            .await
            .mistake("type");
    }
    let page = app.get("/providers").by(Operator).await.expect(200);
    assert_eq!(accounts(&page), [""; 0]);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_adds_one_account() {
    let app = TestApp::start().await;
    let key = Uuid::now_v7().to_string();
    let fields = [
        ("_key", key.as_str()),
        ("type", "digitalocean"),
        ("name", "Main"),
        ("token", TOKEN_FULL),
    ];
    let send = async || {
        app.post("/providers/add", &fields)
            .by(Operator)
            .await
            .expect(303)
    };
    let (one, two) = tokio::join!(send(), send());
    let three = send().await;
    assert_eq!(one.header("location"), two.header("location"));
    assert_eq!(one.header("location"), three.header("location"));
    let page = app.get("/providers").by(Operator).await.expect(200);
    assert_eq!(accounts(&page), ["Main"]);
    // The same account under another name is no second one.
    let again = [
        ("type", "digitalocean"),
        ("name", "Other"),
        ("token", TOKEN_FULL),
    ];
    let page = app
        .post("/providers/add", &again)
        .by(Operator)
        .await
        .expect(422);
    assert!(
        page.texts(".errors")[0].contains("registered already, as `Main`"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_token_is_changed_for_one_of_the_same_account() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    let place = format!("/providers/{account}/token");
    let send = async |fields: &[(&str, &str)]| app.post(&place, fields).by(Operator).await;
    assert!(
        send(&[("token", TOKEN_OTHER)])
            .await
            .mistake("token")
            .contains("another account")
    );
    send(&[("token", "nobody-s")]).await.mistake("token");
    send(&[("token", "")]).await.mistake("token");
    let reply = send(&[("token", &format!(" {TOKEN_FULL}\n"))]).await;
    let reply = reply.leads_to(&format!("/providers/{account}"));
    assert_eq!(reply.cookie_value("roadstead_done"), "token_changed");
}

#[tokio::test]
async fn a_login_that_is_not_fresh_needs_the_password_once_more() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    app.clock.advance(Duration::from_mins(20));
    let place = format!("/providers/{account}/token");
    let page = app.get(&place).by(Operator).await.expect(200);
    assert_eq!(page.attributes("#field-password", "type"), ["password"]);
    for password in ["", "wrong"] {
        let fields = [("token", TOKEN_FULL), ("password", password)];
        app.post(&place, &fields)
            .by(Operator)
            .await
            .mistake("password");
    }
    let fields = [("token", TOKEN_FULL), ("password", PASSWORD)];
    let reply = app.post(&place, &fields).by(Operator).await;
    let reply = reply.leads_to(&format!("/providers/{account}"));
    assert!(!reply.cookie_value("roadstead_session").is_empty());
}

#[tokio::test]
async fn the_order_is_changed_by_one_place() {
    let app = TestApp::start().await;
    let [blue, green] = app.stock().await.map(|it| it.to_string());
    let send = async |fields: &[(&str, &str)]| {
        app.post("/providers/order", fields)
            .by(Operator)
            .await
            .leads_to("/providers");
        accounts(&app.get("/providers").by(Operator).await.expect(200))
    };
    let key = Uuid::now_v7().to_string();
    let key = key.as_str();
    assert_eq!(
        send(&[("_key", key), ("up", &green)]).await,
        ["Green", "Blue"]
    );
    // The same form again, as a browser sends it after Back.
    assert_eq!(
        send(&[("_key", key), ("up", &green)]).await,
        ["Green", "Blue"]
    );
    assert_eq!(
        send(&[("_key", key), ("down", &green)]).await,
        ["Blue", "Green"]
    );
    // What cannot be moved stays.
    for fields in [
        ("up", blue.as_str()),
        ("down", green.as_str()),
        ("up", "x"),
        ("x", "x"),
    ] {
        assert_eq!(send(&[fields]).await, ["Blue", "Green"]);
    }
}

#[tokio::test]
async fn an_account_with_servers_is_not_deleted() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    app.create("web-1").await;
    let place = format!("/providers/{account}/delete");
    let page = app
        .post(&place, &[("typed", "Blue")])
        .by(Operator)
        .await
        .expect(422);
    assert!(
        page.texts(".errors")[0].contains("still has 1 server"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_provider_that_fails_is_named_and_every_page_is_there() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    let place = format!("/providers/{account}");
    app.post(&format!("{place}/refresh"), &[])
        .by(Operator)
        .await
        .leads_to(&place);
    trip(&app, account).await;
    let page = app.get(&place).by(Operator).await.expect(200);
    assert!(page.text.contains("Blue is not answering"), "{}", page.text);
    // What was kept is kept, with its age and why it was not renewed.
    let kept = page.texts("#now th[scope=row]");
    assert!(
        kept.iter()
            .any(|it| it.starts_with("Plans") && it.ends_with("old")),
        "{kept:?}"
    );
    for path in ["/providers", "/status", "/status/now", "/"] {
        let page = app.get(path).by(Operator).await.expect(200);
        let text = page.texts(".notice, [role=status]").join(" ");
        assert!(
            text.contains("Blue is not answering"),
            "{path}: {}",
            page.text
        );
        assert!(!text.contains("Green is not"), "{path}: {}", page.text);
    }
    for entry in entries() {
        if entry.kind == Kind::Page && entry.who == Who::Operator && !entry.path.contains('{') {
            let reply = app.get(entry.path).by(Operator).await;
            assert_eq!(reply.status.as_u16(), 200, "{}", entry.path);
        }
    }
    for what in ["rename", "token", "off", "delete"] {
        app.get(&format!("{place}/{what}"))
            .by(Operator)
            .await
            .expect(200);
    }
    let tested = app
        .post(&format!("{place}/test"), &[])
        .by(Operator)
        .await
        .leads_to(&place);
    assert_eq!(tested.cookie_value("roadstead_done"), "token_unanswered");
}

#[tokio::test]
async fn a_token_that_is_refused_freezes_the_account_and_says_so() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    let effect = Effect {
        status: Some(401),
        ..Effect::default()
    };
    let fault = Fault {
        count: u64::MAX,
        effect,
        ..Fault::default()
    };
    app.digitalocean.handle().add_fault(fault).unwrap();
    let place = format!("/providers/{account}");
    let reply = app
        .post(&format!("{place}/test"), &[])
        .by(Operator)
        .await
        .leads_to(&place);
    assert_eq!(reply.cookie_value("roadstead_done"), "token_refused");
    for path in [place.as_str(), "/providers"] {
        let page = app.get(path).by(Operator).await.expect(200);
        assert!(
            page.texts(".notice")[0].contains("Blue is frozen"),
            "{}",
            page.text
        );
        assert_eq!(
            page.attributes(".notice a", "href"),
            [format!("{place}/token")]
        );
    }
    let status = app.get("/status").by(Member).await.expect(200);
    assert!(status.texts(".badge").contains(&"Token refused".to_owned()));
}

#[tokio::test]
async fn no_page_of_another_site_changes_anything() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    for entry in entries() {
        if entry.kind != Kind::Action || entry.who != Who::Operator {
            continue;
        }
        let path = entry.path.replace("{id}", &account.to_string());
        let path = path.replace("{decision}", "done");
        for site in ["cross-site", "same-site", "none"] {
            let ask = app.ask(Method::POST, &path).header("sec-fetch-site", site);
            let fields = [("typed", "Blue"), ("name", "Eve"), ("up", "x")];
            ask.form(&fields).by(Operator).await.expect(403);
        }
    }
    let page = app.get("/providers").by(Operator).await.expect(200);
    assert_eq!(accounts(&page), ["Blue", "Green"]);
}
