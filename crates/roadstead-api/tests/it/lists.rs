//! Lists: pages, filters, and cursors that are none.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::json;

use crate::app::{Member, Stranger, TestApp, Viewer, wanted};

#[tokio::test]
async fn paging_shows_every_server_once() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let mut made = BTreeSet::new();
    for number in 0..120 {
        let created = app.create(&format!("fleet-{number}")).await;
        made.insert(created.word("/instance/id"));
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut sizes = Vec::new();
    loop {
        let page = app
            .get(&format!("/api/vps?limit=50{cursor}"))
            .by(Viewer)
            .await
            .ok();
        let instances = page.at("/instances");
        let ids = instances.as_array().unwrap().iter();
        let ids: Vec<_> = ids
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect();
        sizes.push(ids.len());
        seen.extend(ids);
        match page.at("/next_cursor") {
            serde_json::Value::Null => break,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
        // A server that is made meanwhile is newer than every page to come.
        app.create(&format!("late-{}", sizes.len())).await;
    }
    assert_eq!(sizes, [50, 50, 20]);
    assert_eq!(seen.len(), 120);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
    let whole = app.get("/api/vps").by(Viewer).await.ok();
    assert_eq!(whole.at("/instances").as_array().unwrap().len(), 50);
    let largest = app.get("/api/vps?limit=200").by(Viewer).await.ok();
    assert_eq!(largest.at("/next_cursor"), json!(null));
}

#[tokio::test]
async fn a_list_costs_the_vendor_no_call() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let id = app.create("quiet").await.word("/instance/id");
    let before = app.sim.handle().journal().len();
    app.get("/api/vps").by(Viewer).await.ok();
    app.get(&format!("/api/vps/{id}")).by(Viewer).await.ok();
    assert_eq!(app.sim.handle().journal().len(), before);
}

#[tokio::test]
async fn a_list_is_narrowed_by_filters() {
    let app = TestApp::start_idle().await;
    let provider = app.register().await;
    for (label, region, tag) in [
        ("web-1", "nyc3", "blue"),
        ("web-2", "ams3", "green"),
        ("db-1", "ams3", "blue"),
    ] {
        let mut request = wanted(label);
        request["region"] = json!(region);
        request["tags"] = json!([tag]);
        app.post("/api/vps").by(Member).json(&request).await.ok();
    }
    let labels = async |query: &str| {
        let list = app.get(&format!("/api/vps?{query}")).by(Viewer).await.ok();
        let instances = list.at("/instances");
        let labels = instances.as_array().unwrap().iter();
        let mut labels: Vec<_> = labels
            .map(|it| it["label"].as_str().unwrap().to_owned())
            .collect();
        labels.sort();
        labels.join(" ")
    };
    assert_eq!(labels("region=ams3").await, "db-1 web-2");
    assert_eq!(labels("tag=blue").await, "db-1 web-1");
    assert_eq!(labels("tag=blu").await, "");
    assert_eq!(labels("region=ams3&tag=blue").await, "db-1");
    assert_eq!(labels("status=provisioning").await, "db-1 web-1 web-2");
    assert_eq!(labels("status=running").await, "");
    assert_eq!(
        labels("provider_type=digitalocean").await,
        "db-1 web-1 web-2"
    );
    assert_eq!(labels("provider_type=aws").await, "");
    assert_eq!(
        labels(&format!("provider_id={provider}")).await,
        "db-1 web-1 web-2"
    );
    assert_eq!(labels("label=db-1").await, "db-1");
    // What a database would take for a pattern is text here.
    assert_eq!(labels("label=%25").await, "");
    assert_eq!(labels("label=web_1").await, "");
    assert_eq!(labels("tag='%20OR%201=1%20--").await, "");
    let stranger = app.get("/api/vps?region=ams3").by(Stranger).await.ok();
    assert_eq!(stranger.at("/instances"), json!([]));
}

#[tokio::test]
async fn a_wrong_question_is_refused_and_never_answered_with_an_empty_page() {
    let app = TestApp::start_idle().await;
    let list = async |query: &str| app.get(&format!("/api/vps?{query}")).by(Viewer).await;
    assert_snapshot!(list("cursor=nonsense").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "this is no cursor; use `next_cursor` of the page before",
      "errors": [
        {
          "error": "this is no cursor; use `next_cursor` of the page before",
          "field": "cursor"
        }
      ],
      "field": "cursor",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(list("limit=0").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "must be between 1 and 200",
      "errors": [
        {
          "error": "must be between 1 and 200",
          "field": "limit"
        }
      ],
      "field": "limit",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(list("limit=201").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "must be between 1 and 200",
      "errors": [
        {
          "error": "must be between 1 and 200",
          "field": "limit"
        }
      ],
      "field": "limit",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(list("limit=many").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "must be a whole number, 0 or more",
      "errors": [
        {
          "error": "must be a whole number, 0 or more",
          "field": "limit"
        }
      ],
      "field": "limit",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(list("status=sleeping").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "must be one of provisioning, starting, running, stopping, stopped, rebooting, rebuilding, resizing, migrating, suspended, deleting, deleted, error, unknown, failed, missing, attention",
      "errors": [
        {
          "error": "must be one of provisioning, starting, running, stopping, stopped, rebooting, rebuilding, resizing, migrating, suspended, deleting, deleted, error, unknown, failed, missing, attention",
          "field": "status"
        }
      ],
      "field": "status",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(list("sort=label").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "unknown field `sort`, expected one of `status`, `provider_type`, `provider_id`, `region`, `label`, `tag`, `limit`, `cursor`",
      "errors": [
        {
          "error": "unknown field `sort`, expected one of `status`, `provider_type`, `provider_id`, `region`, `label`, `tag`, `limit`, `cursor`",
          "field": "sort"
        }
      ],
      "field": "sort",
      "request_id": "[id]",
      "success": false
    }
    "#);
    for (query, field) in [
        ("cursor=", "cursor"),
        ("cursor=%00", "cursor"),
        ("limit=-1", "limit"),
        ("limit=99999999999", "limit"),
        ("limit=50&limit=60", "limit"),
        ("provider_id=7", "provider_id"),
        ("status=", "status"),
        ("tag=a%00", "tag"),
    ] {
        let answer = list(query).await.refused(400, "VALIDATION_ERROR");
        let named = answer.word("/field");
        assert_eq!(named, field, "{query}: {}", answer.text);
    }
}
