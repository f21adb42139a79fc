//! The first start.

use roadstead_sim::{Effect, Fault, TOKEN_FULL};

use crate::app::TestApp;
use crate::people::Operator;

const OPERATOR: [(&str, &str); 3] = [
    ("email", "ada@test.example"),
    ("password", "correct horse battery"),
    ("organization", "Harbor"),
];

fn with_code(code: &str) -> Vec<(&str, &str)> {
    [&OPERATOR[..], &[("code", code)]].concat()
}

#[tokio::test]
async fn the_code_makes_an_operator_with_a_first_account() {
    let app = TestApp::start_empty().await;
    let code = app.platform.open_setup().await.unwrap().unwrap();
    app.get("/").await.leads_to("/login");
    app.get("/login").await.leads_to("/setup");
    app.get("/setup").await.expect(200);

    let reply = app.post("/setup", &with_code("wrong")).await;
    assert!(reply.mistake("code").contains("not the code"));
    assert_eq!(
        reply.attributes("#field-email", "value"),
        ["ada@test.example"]
    );

    let reply = app
        .post("/setup", &with_code(&format!(" {} ", code.expose())))
        .await;
    let reply = reply.leads_to("/setup/provider");
    let session = reply.cookie_value("roadstead_session");
    let page = app
        .get("/setup/provider")
        .cookie("roadstead_session", &session)
        .await
        .expect(200);
    assert_eq!(
        page.attributes("input[name=type][disabled]", "value"),
        ["aws", "gcp"]
    );

    let account = |token| [("type", "digitalocean"), ("name", "Blue"), ("token", token)];
    let add = |token| {
        let fields = account(token);
        app.post("/setup/provider", &fields)
            .cookie("roadstead_session", &session)
    };
    let refused = add("no-such-token").await;
    assert!(!refused.mistake("token").is_empty());
    assert!(!refused.text.contains("no-such-token"));
    let reply = add(TOKEN_FULL).await.leads_to("/");
    assert_eq!(reply.cookie_value("roadstead_done"), "account_added");
    let page = app
        .get("/")
        .cookie("roadstead_session", &session)
        .await
        .expect(200);
    assert!(page.text.contains("four steps"), "{}", page.text);

    // It is used up, and over.
    app.get("/setup").await.leads_to("/login");
    app.post("/setup", &with_code(code.expose()))
        .await
        .leads_to("/login");
}

#[tokio::test]
async fn of_two_with_the_code_one_is_first() {
    let app = TestApp::start_empty().await;
    let code = app.platform.open_setup().await.unwrap().unwrap();
    let fields = with_code(code.expose());
    let mut other = fields.clone();
    other[0].1 = "eve@test.example";
    let (one, two) = tokio::join!(async { app.post("/setup", &fields).await }, async {
        app.post("/setup", &other).await
    },);
    let mut led: Vec<_> = [one, two]
        .map(|it| it.expect(303).header("location").to_owned())
        .into();
    led.sort();
    assert_eq!(led, ["/login", "/setup/provider"]);
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_uses_nothing_up() {
    let app = TestApp::start_empty().await;
    let code = app.platform.open_setup().await.unwrap().unwrap();
    let mut fields = with_code(code.expose());
    for (number, wrong, field) in [
        (0, "no address", "email"),
        (1, "short", "password"),
        (2, "  ", "organization"),
    ] {
        let right = std::mem::replace(&mut fields[number].1, wrong);
        app.post("/setup", &fields).await.mistake(field);
        fields[number].1 = right;
    }
    app.post("/setup", &fields)
        .await
        .leads_to("/setup/provider");
}

#[tokio::test]
async fn where_somebody_can_log_in_there_is_no_setup() {
    let app = TestApp::start().await;
    assert!(app.platform.open_setup().await.unwrap().is_none());
    app.get("/setup").await.leads_to("/login");
    app.post("/setup", &with_code("")).await.leads_to("/login");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_no_obstacle() {
    let app = TestApp::start().await;
    app.digitalocean
        .handle()
        .add_fault(Fault {
            count: u64::MAX,
            effect: Effect {
                status: Some(503),
                ..Effect::default()
            },
            ..Fault::default()
        })
        .unwrap();
    let fields = [
        ("type", "digitalocean"),
        ("name", "Blue"),
        ("token", TOKEN_FULL),
    ];
    let reply = app
        .post("/setup/provider", &fields)
        .by(Operator)
        .await
        .leads_to("/");
    assert_eq!(reply.cookie_value("roadstead_done"), "account_unverified");
}
