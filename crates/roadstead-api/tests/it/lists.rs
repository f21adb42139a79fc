//! Lists: pages, filters, and cursors that are none.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::json;

use crate::answer::Answer;
use crate::app::{Commuter, Member, Stranger, TestApp, Viewer, wanted};

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
      "error": "this is no cursor of this list in this order; use `next_cursor` of the page before",
      "errors": [
        {
          "error": "this is no cursor of this list in this order; use `next_cursor` of the page before",
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
    assert_snapshot!(list("sort=price").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "must be one of created_at, -created_at, label, -label, region, -region",
      "errors": [
        {
          "error": "must be one of created_at, -created_at, label, -label, region, -region",
          "field": "sort"
        }
      ],
      "field": "sort",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_snapshot!(list("order=label").await.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "unknown field `order`, expected one of `status`, `provider_type`, `provider_id`, `region`, `label`, `tag`, `sort`, `limit`, `cursor`",
      "errors": [
        {
          "error": "unknown field `order`, expected one of `status`, `provider_type`, `provider_id`, `region`, `label`, `tag`, `sort`, `limit`, `cursor`",
          "field": "order"
        }
      ],
      "field": "order",
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
        ("sort=", "sort"),
        ("sort=LABEL", "sort"),
        ("sort=label&sort=region", "sort"),
        ("sort=%00", "sort"),
        ("tag=a%00", "tag"),
    ] {
        let answer = list(query).await.refused(400, "VALIDATION_ERROR");
        let named = answer.word("/field");
        assert_eq!(named, field, "{query}: {}", answer.text);
    }
}

/// Returns the labels on a page.
fn labels(page: &Answer) -> Vec<String> {
    let instances = page.at("/instances");
    let labels = instances.as_array().unwrap().iter();
    labels
        .map(|it| it["label"].as_str().unwrap().to_owned())
        .collect()
}

/// Reads a list to its end in pages of a size, and returns every label with how large the pages
/// were.
async fn walk(app: &TestApp, query: &str, limit: usize) -> (Vec<String>, Vec<usize>) {
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    let mut cursor = String::new();
    loop {
        let path = format!("/api/vps?{query}&limit={limit}{cursor}");
        let page = app.get(&path).by(Viewer).await.ok();
        sizes.push(labels(&page).len());
        seen.extend(labels(&page));
        match page.at("/next_cursor").as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (seen, sizes),
        }
    }
}

#[tokio::test]
async fn a_list_comes_in_the_order_that_is_asked_for() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let mut made = Vec::new();
    for (label, region) in [
        ("web-2", "nyc3"),
        ("Web-1", "ams3"),
        ("db", "nyc3"),
        ("web-10", "ams3"),
        ("cache", "fra1"),
        ("db", "fra1"),
    ] {
        let mut request = wanted(label);
        request["region"] = json!(region);
        app.post("/api/vps").by(Member).json(&request).await.ok();
        made.push(label.to_owned());
    }
    let newest: Vec<_> = made.iter().rev().cloned().collect();
    for limit in [1, 2, 3, 4, 6, 200] {
        assert_eq!(walk(&app, "", limit).await.0, newest);
        assert_eq!(walk(&app, "sort=-created_at", limit).await.0, newest);
        assert_eq!(walk(&app, "sort=created_at", limit).await.0, made);
        let mut sorted = ["cache", "db", "db", "Web-1", "web-10", "web-2"].map(str::to_owned);
        assert_eq!(walk(&app, "sort=label", limit).await.0, sorted);
        let (_, sizes) = walk(&app, "sort=label", limit).await;
        assert_eq!(sizes.len(), 6_usize.div_ceil(limit), "no page is empty");
        sorted.reverse();
        let (backwards, _) = walk(&app, "sort=-label", limit).await;
        assert_eq!(backwards, sorted);
        let (regions, _) = walk(&app, "sort=region", limit).await;
        assert_eq!(regions, ["Web-1", "web-10", "cache", "db", "web-2", "db"]);
        // Filters count together with the order.
        let (filtered, _) = walk(&app, "sort=-label&region=ams3", limit).await;
        assert_eq!(filtered, ["web-10", "Web-1"]);
    }
}

#[tokio::test]
async fn a_list_goes_on_where_it_was_although_servers_are_renamed_and_made() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let mut ids = Vec::new();
    for label in ["b", "d", "f", "h"] {
        ids.push(app.create(label).await.word("/instance/id"));
    }
    let first = app.get("/api/vps?sort=label&limit=2").by(Viewer).await.ok();
    assert_eq!(labels(&first), ["b", "d"]);
    // The last one of the page moves away, one comes before the place, and one behind it.
    app.patch(&format!("/api/vps/{}", ids[1]))
        .by(Member)
        .json(&json!({ "label": "a" }))
        .await
        .ok();
    app.create("c").await;
    app.create("e").await;
    let cursor = first.word("/next_cursor");
    let path = format!("/api/vps?sort=label&limit=2&cursor={cursor}");
    let second = app.get(&path).by(Viewer).await.ok();
    assert_eq!(labels(&second), ["e", "f"]);
    // The same cursor leads to the same place again, also with another size of page.
    let path = format!("/api/vps?sort=label&limit=200&cursor={cursor}");
    assert_eq!(
        labels(&app.get(&path).by(Viewer).await.ok()),
        ["e", "f", "h"]
    );
}

#[tokio::test]
async fn a_cursor_of_another_list_order_or_organization_is_refused() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let mut server = String::new();
    for label in ["one", "two", "three"] {
        server = app.create(label).await.word("/instance/id");
        app.post("/api/vps")
            .by(Stranger)
            .json(&wanted(label))
            .await
            .ok();
    }
    let cursor = app.get("/api/vps?sort=label&limit=1").by(Viewer).await.ok();
    let cursor = cursor.word("/next_cursor");
    let good = format!("/api/vps?sort=label&cursor={cursor}");
    assert_eq!(labels(&app.get(&good).by(Viewer).await.ok()).len(), 2);
    let mut wrong = vec![
        format!("sort=-label&cursor={cursor}"),
        format!("sort=region&cursor={cursor}"),
        format!("cursor={cursor}"),
        format!("sort=label&cursor={cursor}A"),
        format!("sort=label&cursor={cursor}%3D"),
        format!("sort=label&cursor={}", &cursor[1..]),
        format!("sort=label&cursor={}", &cursor[..cursor.len() - 4]),
        format!("sort=label&cursor={server}"),
        "sort=label&cursor=AAAA".to_owned(),
        "sort=label&cursor=%F0%9F%9A%A2".to_owned(),
    ];
    // Whatever letter of it is changed.
    for at in 0..cursor.len() {
        let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
        let changed = [&cursor[..at], other, &cursor[at + 1..]].concat();
        wrong.push(format!("sort=label&cursor={changed}"));
    }
    for query in wrong {
        let answer = app.get(&format!("/api/vps?{query}")).by(Viewer).await;
        let answer = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.word("/field"), "cursor", "{query}");
    }
    let foreign = app.get(&good).by(Stranger).await;
    assert_eq!(
        foreign.refused(400, "VALIDATION_ERROR").word("/field"),
        "cursor"
    );
    // Of one and the same user: what counts is the organization of the request.
    app.get(&good).by(Commuter).await.ok();
    let me = app.get("/api/auth/me").by(Commuter).await.ok();
    let organizations = me.at("/organizations");
    let organizations = organizations.as_array().unwrap().iter();
    let other = organizations.filter(|it| it["name"] == "Strangers");
    let other = other.map(|it| it["id"].as_str().unwrap()).next().unwrap();
    let elsewhere = app
        .get(&good)
        .by(Commuter)
        .header("x-organization", other)
        .await;
    elsewhere.refused(400, "VALIDATION_ERROR");
    let operations = app.get(&format!("/api/vps/{server}/operations?cursor={cursor}"));
    let refused = operations.by(Viewer).await.refused(400, "VALIDATION_ERROR");
    assert_eq!(refused.word("/field"), "cursor");
}

#[tokio::test]
async fn the_operations_of_a_server_come_in_pages() {
    let app = TestApp::start().await;
    app.register().await;
    let id = app.running("busy").await;
    let other = app.create("other").await.word("/instance/id");
    let path = format!("/api/vps/{id}/operations");
    for action in ["reboot", "shutdown", "boot"] {
        let accepted = app
            .post(&format!("/api/vps/{id}/{action}"))
            .by(Member)
            .await
            .ok();
        app.finished(&accepted).await;
    }
    let all = app.get(&path).by(Viewer).await.ok();
    let kinds = |page: &Answer| -> Vec<_> {
        let operations = page.at("/operations");
        let operations = operations.as_array().unwrap().iter();
        operations
            .map(|it| it["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&all), ["boot", "shutdown", "reboot", "create"]);
    assert_eq!(all.at("/next_cursor"), json!(null));
    let first = app.get(&format!("{path}?limit=2")).by(Viewer).await.ok();
    assert_eq!(kinds(&first), ["boot", "shutdown"]);
    let cursor = first.word("/next_cursor");
    let second = app
        .get(&format!("{path}?limit=2&cursor={cursor}"))
        .by(Viewer)
        .await
        .ok();
    assert_eq!(kinds(&second), ["reboot", "create"]);
    assert_eq!(second.at("/next_cursor"), json!(null));
    let elsewhere = app.get(&format!("/api/vps/{other}/operations?cursor={cursor}"));
    let refused = elsewhere.by(Viewer).await.refused(400, "VALIDATION_ERROR");
    assert_eq!(refused.word("/field"), "cursor");
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
        ("sort=id", "sort"),
    ] {
        let answer = app.get(&format!("{path}?{query}")).by(Viewer).await;
        assert_eq!(
            answer.refused(400, "VALIDATION_ERROR").word("/field"),
            field
        );
    }
}
