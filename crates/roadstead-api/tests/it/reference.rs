//! The reference page: whole, on its own, and with nothing that leads nowhere.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use crate::app::TestApp;
use crate::schema::{DOCUMENT, operations};

async fn page(app: &TestApp) -> String {
    let answer = app.get("/docs").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// Returns what an expression's group finds in a text.
fn found(text: &str, expression: &str) -> Vec<String> {
    let expression = Regex::new(expression).unwrap();
    let found = expression.captures_iter(text);
    found.map(|it| it[1].to_owned()).collect()
}

/// Reads text as it stands in HTML.
fn unescaped(html: &str) -> String {
    let text = html.replace("&quot;", "\"").replace("&lt;", "<");
    text.replace("&gt;", ">").replace("&amp;", "&")
}

#[tokio::test]
async fn the_page_shows_every_route_shape_and_error_code() {
    let app = TestApp::start_idle().await;
    let page = page(&app).await;
    let ids: BTreeSet<_> = found(&page, " id=\"([^\"]*)\"").into_iter().collect();
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.contains(id), "{id}");
        let summary = operation["summary"].as_str().unwrap();
        assert!(
            unescaped(&page).contains(&format!(">{summary}</h3>")),
            "{summary}"
        );
        let shown = page.replace("<wbr>", "");
        assert!(
            shown.contains(&format!("</span> <code>{path}</code>")),
            "{method} {path}"
        );
    }
    for name in DOCUMENT["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(ids.contains(&format!("shape-{name}")), "{name}");
    }
    for (code, _, _) in roadstead_api::error_table() {
        assert!(ids.contains(code.as_str()), "{}", code.as_str());
    }
}

#[tokio::test]
async fn the_page_stands_on_its_own_and_every_link_leads_somewhere() {
    let app = TestApp::start_idle().await;
    let page = page(&app).await;
    let ids = found(&page, " id=\"([^\"]*)\"");
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id stands twice");
    for place in found(&page, "aria-labelledby=\"([^\"]*)\"") {
        assert!(unique.contains(&place), "{place}");
    }
    for link in found(&page, "href=\"([^\"]*)\"") {
        match link.strip_prefix('#') {
            Some(id) => assert!(unique.contains(&id.to_owned()), "{link}"),
            // Of this server, and there.
            None => assert_eq!(app.get(&link).await.status, 200, "{link}"),
        }
    }
    for foreign in [
        "<script", " style=", "<style", "<img", " src=", "onclick", "//cdn",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    for once in ["<h1", "<main", "<title", "<header", "<footer", "<nav"] {
        assert_eq!(page.matches(once).count(), 1, "{once}");
    }
    assert!(page.contains("name=\"viewport\""));
    // No heading is skipped.
    let levels = found(&page, "<h([1-6])").into_iter();
    let levels: Vec<u32> = levels.map(|it| it.parse().unwrap()).collect();
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "h{} after h{}", pair[1], pair[0]);
    }
}

#[tokio::test]
async fn every_request_on_the_page_is_a_line_that_a_shell_takes() {
    let app = TestApp::start_idle().await;
    let page = page(&app).await;
    let lines = found(&page, "<code>(curl [^<]*)</code>");
    assert_eq!(lines.len(), operations().len());
    let mut bodies = 0;
    for line in lines.iter().map(|it| unescaped(it)) {
        assert!(line.contains("\"$ROADSTEAD/"), "{line}");
        assert!(
            !line.contains('{') || line.contains("--json"),
            "a placeholder is left: {line}"
        );
        if let Some((_, body)) = line.split_once("--json '") {
            let body = body.strip_suffix('\'').unwrap();
            let body: Value = serde_json::from_str(&body.replace("'\\''", "'")).unwrap();
            assert!(body.is_object(), "{line}");
            bodies += 1;
        }
        let open = [
            "/api/health",
            "/api/auth/login",
            "/docs",
            "/api/openapi.json",
        ];
        let open = open
            .iter()
            .any(|it| line.contains(&format!("$ROADSTEAD{it}")));
        assert_eq!(line.contains("Bearer $TOKEN"), !open, "{line}");
    }
    let taken = operations()
        .into_iter()
        .filter(|it| it.2.get("requestBody").is_some());
    assert_eq!(bodies, taken.count());
}

#[tokio::test]
async fn the_page_is_sent_under_a_strict_policy_and_only_once() {
    let app = TestApp::start_idle().await;
    let page = app.get("/docs").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        page.header("content-security-policy"),
        Some(
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let style = app.get("/docs/style.css").await;
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    // Nothing is fetched from anywhere, and both ways of light are thought of.
    assert!(!style.text.contains("url(") && !style.text.contains("@import"));
    assert!(style.text.contains("color-scheme: light dark"));
    for first in [page, style] {
        let etag = first.header("etag").unwrap().to_owned();
        let path = if first.text.starts_with("<!") {
            "/docs"
        } else {
            "/docs/style.css"
        };
        let again = app.get(path).header("if-none-match", &etag).await;
        assert_eq!((again.status, &*again.text), (304, ""), "{path}");
    }
}
