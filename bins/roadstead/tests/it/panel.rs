//! The panel beside the API: opened by the code that `serve` prints.

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::api::{PASSWORD, add_operator, serve};
use crate::program::{Place, with};

fn client() -> Client {
    let builder = Client::builder().no_proxy().redirect(Policy::none());
    builder.build().unwrap()
}

async fn set_up(address: &str, code: &str) -> Response {
    let fields = [
        ("code", code),
        ("email", "op@test.example"),
        ("password", PASSWORD),
        ("organization", "Harbor"),
    ];
    let post = client().post(format!("{address}/setup")).form(&fields);
    post.header("origin", address).send().await.unwrap()
}

#[tokio::test]
async fn the_code_that_serve_prints_opens_the_setup_once() {
    let place = Place::new();
    let (mut program, address) = serve(&["serve"], &place.settings());
    let line = program.line("Nobody can log in yet.");
    assert!(line.contains(&format!("{address}/setup ")), "{line}");
    let code = line.split(' ').next_back().unwrap().to_owned();

    let done = set_up(&address, &code).await;
    assert_eq!(done.status(), 303);
    assert_eq!(done.headers()["location"], "/setup/provider");
    let cookie = done.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("roadstead_session=rs_"), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    assert_eq!(
        set_up(&address, &code).await.headers()["location"],
        "/login"
    );

    let ended = program.stop().ok();
    for secret in [&code, PASSWORD] {
        roadstead_testkit::assert_absent(secret, ended.err.as_bytes());
    }
    let (program, _) = serve(&["serve"], &place.settings());
    assert_eq!(program.stop().ok().out, "");
}

#[tokio::test]
async fn behind_https_the_panel_is_shown_by_its_name_and_keeps_a_secure_cookie() {
    let place = Place::new();
    let settings = place.settings();
    add_operator(&settings);
    let url = "https://servers.example.com";
    let settings = with(settings, "ROADSTEAD_PUBLIC_URL", url);
    let (program, address) = serve(&["serve"], &settings);
    let fields = [("email", "op@test.example"), ("password", PASSWORD)];
    let login = client()
        .post(format!("{address}/login"))
        .header("host", "servers.example.com")
        .header("origin", url)
        .form(&fields);
    let login = login.send().await.unwrap();
    assert_eq!(login.status(), 303);
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-roadstead_session=rs_"),
        "{cookie}"
    );
    assert!(cookie.contains("; Secure"), "{cookie}");
    program.stop().ok();
}
