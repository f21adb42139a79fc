//! "Same request as": what is shown can be used as it is.

use scraper::{Html, Selector};
use serde_json::{Value, json};

use super::{labels, ready, send};
use crate::reply::Reply;

/// The Rust that the page shows for the request below is compiled with this test.
#[expect(dead_code, reason = "that it compiles is what is tested")]
mod compiled {
    include!("snippet.rs.txt");
}

const SHOWN: &str = include_str!("snippet.rs.txt");

fn block(page: &Reply, id: &str) -> String {
    let html = Html::parse_document(&page.text);
    let selector = Selector::parse(&format!("#{id}")).unwrap();
    html.select(&selector).next().unwrap().text().collect()
}

const FIELDS: [(&str, &str); 10] = [
    ("label", "it's-\"web\"\\"),
    ("rootPassword", "Hunter2-hunter2"),
    ("user_data", "#cloud-config\nEND\nhunter2"),
    ("public_keys", "ssh-ed25519 AAAA me\n"),
    ("tags", "blue, green"),
    ("backups", "on"),
    ("options.swap_size", "256"),
    ("options.stackscript_data.cluster_name", "main\u{7}"),
    ("options.stackscript_data.join_password", "hunter2hunter2"),
    ("preview", "on"),
];

async fn page() -> Reply {
    let (app, [_, green]) = ready().await;
    let query = format!(
        "account={green}&region=us-ord&plan=g6-nanode-1&script=1700002&image=linode/debian12"
    );
    let page = send(&app, &query, &FIELDS).await.expect(200);
    // Looking at it creates nothing.
    assert_eq!(labels(&app).await, [""; 0]);
    page
}

#[tokio::test]
async fn the_same_request_is_shown_in_three_forms_without_secrets() {
    let page = page().await;
    let [curl, http, rust] =
        ["curl", "http", "rust"].map(|it| block(&page, &format!("snippet-{it}")));
    for shown in [&curl, &http, &rust] {
        assert!(!shown.to_lowercase().contains("hunter2"), "{shown}");
        assert!(
            shown.contains("<root password>") && shown.contains("<user data>"),
            "{shown}"
        );
        assert!(shown.contains("<secret>"), "{shown}");
    }
    let (head, body) = http.split_once("\n\n").unwrap();
    assert!(
        head.contains(&format!("Content-Length: {}", body.len())),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["label"], "it's-\"web\"\\");
    assert_eq!(body["tags"], json!(["blue", "green"]));
    assert_eq!(body["options"]["stackscript_id"], 1_700_002);
    assert!(
        curl.contains("/api/vps' \\\n") && curl.ends_with("\nEND\n"),
        "{curl}"
    );
    assert_eq!(page.attributes("details.same", "open").len(), 1);
    assert_eq!(
        page.attributes(".code-block [data-copy]", "data-copy")
            .len(),
        3
    );
}

#[tokio::test]
async fn the_rust_that_is_shown_compiles() {
    assert_eq!(block(&page().await, "snippet-rust"), SHOWN);
}
