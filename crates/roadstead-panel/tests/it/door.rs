//! Who is let in: forms from elsewhere, plain http from elsewhere, headers of every answer.

use roadstead_panel::{Kind, Transport, entries};

use crate::app::{Setup, TestApp};
use crate::people::{Member, Operator};

#[tokio::test]
async fn every_answer_has_the_strict_headers() {
    let app = TestApp::start().await;
    let style = app
        .get("/login")
        .await
        .attributes("link[rel=stylesheet]", "href");
    for (path, status) in [
        ("/login", 200),
        ("/", 303),
        ("/nowhere", 404),
        (&*style[0], 200),
    ] {
        let reply = app.get(path).await.expect(status);
        let policy = reply.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types panel",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin");
        if path != style[0] {
            assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused_everywhere() {
    let app = TestApp::start().await;
    let own = format!("http://{}", app.address);
    for entry in entries().iter().filter(|it| it.kind == Kind::Action) {
        let path = entry
            .path
            .replace("{id}", "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b10");
        let post = || app.ask(reqwest::Method::POST, &path).by(Operator).form(&[]);
        for reply in [
            post().header("sec-fetch-site", "cross-site").await,
            post().header("sec-fetch-site", "same-site").await,
            post().header("sec-fetch-site", "none").await,
            post().header("origin", "http://evil.example").await,
            post().header("origin", "null").await,
            post()
                .header("origin", &own)
                .header("sec-fetch-site", "cross-site")
                .await,
            post().await,
        ] {
            assert_eq!(reply.status.as_u16(), 403, "{path}: {}", reply.text);
        }
        let reply = post().header("origin", &own).await;
        assert!(
            !reply.text.contains("not sent from a page"),
            "{path}: {}",
            reply.text
        );
    }
}

#[tokio::test]
async fn other_methods_are_no_way_around() {
    let app = TestApp::start().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        app.ask(method.clone(), "/preferences")
            .by(Member)
            .await
            .expect(403);
        let own = app
            .ask(method, "/preferences")
            .header("sec-fetch-site", "same-origin");
        own.by(Member).await.expect(404);
    }
}

#[tokio::test]
async fn over_plain_http_only_this_machine_is_answered() {
    let app = TestApp::start().await;
    let reply = app
        .get("/login")
        .header("host", "panel.example")
        .await
        .expect(403);
    assert!(
        reply.text.contains("ROADSTEAD_PUBLIC_URL"),
        "{}",
        reply.text
    );
    assert!(!reply.text.contains("<form"), "{}", reply.text);
    app.get("/login")
        .header("host", "localhost:8080")
        .await
        .expect(200);
    app.get("/login")
        .header("host", "[::1]:8080")
        .await
        .expect(200);
}

#[tokio::test]
async fn behind_https_any_name_is_answered_and_cookies_are_bound() {
    let setup = Setup {
        transport: Transport::Https,
        ..Setup::default()
    };
    let app = TestApp::start_with(setup).await;
    app.get("/login")
        .header("host", "panel.example")
        .await
        .expect(200);
    let login = [
        ("email", "member@test.example"),
        ("password", crate::people::PASSWORD),
    ];
    let reply = app.post("/login", &login).await.leads_to("/");
    let cookie = reply.cookie("__Host-roadstead_session").unwrap();
    for part in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let token = reply.cookie_value("__Host-roadstead_session");
    app.get("/")
        .cookie("__Host-roadstead_session", &token)
        .await
        .expect(200);
    // A cookie that a page of a neighbor's could have set counts for nothing.
    app.get("/")
        .cookie("roadstead_session", &token)
        .await
        .leads_to("/login");
}

#[tokio::test]
async fn what_is_no_form_or_too_much_of_one_is_refused() {
    let app = TestApp::start().await;
    let post = |kind: &str, body: Vec<u8>| {
        app.ask(reqwest::Method::POST, "/preferences")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", kind)
            .body(body)
    };
    post("application/json", b"{}".to_vec()).await.expect(400);
    post("text/plain", b"theme=dark".to_vec()).await.expect(400);
    let form = "application/x-www-form-urlencoded";
    post(form, vec![b'a'; 600 * 1024]).await.expect(413);
    post(form, b"theme=%00".to_vec()).await.expect(400);
    post(form, b"theme=%ff%fe&zone=&=&&&".to_vec())
        .await
        .expect(422);
}

#[tokio::test]
async fn what_lies_under_api_is_the_api_s() {
    let app = TestApp::start().await;
    let reply = app.get("/api/nowhere").await.expect(404);
    assert!(reply.text.starts_with('{'), "{}", reply.text);
    assert_eq!(reply.header("content-security-policy"), "");
    // A cookie is no way into the API, so that no form of another host's is either.
    let reply = app.get("/api/auth/me").by(Member).await.expect(401);
    assert!(reply.text.contains("UNAUTHENTICATED"));
}
