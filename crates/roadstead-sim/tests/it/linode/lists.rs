//! Pages, filters and what lists leave out.

use std::time::Duration;

use roadstead_sim::SimulatorConfig;
use serde_json::json;

use super::{INSTANCES, column, create, filtered, frozen, reason, start, web, web_with};

#[tokio::test]
async fn pages_count_from_one_and_end() {
    let sim = frozen();
    for index in 0..30 {
        create(&sim, &web(&format!("web-{index}"))).await;
    }
    let first = sim.get(&format!("{INSTANCES}?page_size=25")).await.body;
    assert_eq!(first["data"].as_array().unwrap().len(), 25);
    assert_eq!(
        (&first["page"], &first["pages"], &first["results"]),
        (&json!(1), &json!(2), &json!(30))
    );
    let second = sim.get(&format!("{INSTANCES}?page_size=25&page=2")).await;
    assert_eq!(second.body["data"].as_array().unwrap().len(), 5);
    let third = sim.get(&format!("{INSTANCES}?page_size=25&page=3")).await;
    assert_eq!(reason(&third), (404, "Not found", None));
    for size in ["1", "24", "501"] {
        let got = sim.get(&format!("{INSTANCES}?page_size={size}")).await;
        assert_eq!(reason(&got), (400, "Must be 25-500", Some("page_size")));
    }
    let got = sim.get(&format!("{INSTANCES}?page=x")).await;
    assert_eq!(reason(&got).2, Some("page"));
    let empty = frozen().get(INSTANCES).await.body;
    assert_eq!((&empty["pages"], &empty["results"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn servers_are_filtered_by_label_tag_and_region() {
    let sim = frozen();
    for (label, region, tag) in [
        ("alpha", "us-east", "env:prod"),
        ("beta", "eu-central", "env:prod"),
        ("gamma", "us-east", "env:test"),
    ] {
        let fields = json!({ "label": label, "region": region, "tags": [tag, "all"] });
        create(&sim, &web_with(&fields)).await;
    }
    for (filter, labels) in [
        (r#"{"label":"beta"}"#, vec!["beta"]),
        (r#"{"tags":"env:prod"}"#, vec!["alpha", "beta"]),
        (r#"{"tags":"env:prod","region":"us-east"}"#, vec!["alpha"]),
        (r#"{"tags":{"+contains":"test"}}"#, vec!["gamma"]),
        (
            r#"{"+or":[{"label":"alpha"},{"label":"gamma"}]}"#,
            vec!["alpha", "gamma"],
        ),
        (
            r#"{"+and":[{"tags":"all"},{"label":{"+neq":"beta"}}]}"#,
            vec!["alpha", "gamma"],
        ),
        (r#"{"label":{"+gte":"beta","+lt":"gamma"}}"#, vec!["beta"]),
        (
            r#"{"+order_by":"label","+order":"desc"}"#,
            vec!["gamma", "beta", "alpha"],
        ),
        (r#"{"tags":"nobody"}"#, vec![]),
        ("{}", vec!["alpha", "beta", "gamma"]),
    ] {
        let got = filtered(&sim, INSTANCES, filter).await;
        assert_eq!(got.status, 200, "{filter}: {}", got.body);
        assert_eq!(column(&got, "label"), labels, "{filter}");
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_followed_is_refused() {
    let sim = frozen();
    for (filter, why) in [
        (r#"{"foo":"bar"}"#, "Cannot filter on foo"),
        (r#"{"status":"running"}"#, "Cannot filter on status"),
        (r#"{"+or":[{"foo":1}]}"#, "Cannot filter on foo"),
        (r#"{"label":"#, "Filter not valid JSON"),
        ("[]", "Filter not valid JSON"),
        (r#"{"label":{"+like":"a"}}"#, "Unknown operator +like"),
        (r#"{"+order_by":"created"}"#, "Cannot order by created"),
    ] {
        let got = filtered(&sim, INSTANCES, filter).await;
        assert_eq!(reason(&got), (400, why, Some("X-Filter")), "{filter}");
    }
}

#[tokio::test]
async fn a_new_server_may_be_missing_from_lists_for_a_while() {
    let sim = start(SimulatorConfig {
        list_lag: Duration::from_secs(20),
        ..SimulatorConfig::default()
    });
    let id = create(&sim, &web("web-1")).await;
    assert_eq!(sim.get(INSTANCES).await.body["results"], 0);
    let by_label = filtered(&sim, INSTANCES, r#"{"label":"web-1"}"#).await;
    assert_eq!(by_label.body["results"], 0);
    assert_eq!(sim.get(&format!("{INSTANCES}/{id}")).await.status, 200);
    sim.handle().advance(Duration::from_secs(20));
    assert_eq!(sim.get(INSTANCES).await.body["results"], 1);
}

#[tokio::test]
async fn events_come_newest_first_and_can_be_narrowed() {
    let sim = frozen();
    let first = create(&sim, &web("web-1")).await;
    sim.handle().advance(Duration::from_secs(60));
    let second = create(&sim, &web("web-2")).await;
    let events = sim.get("/v4/account/events").await;
    let actions = column(&events, "action");
    assert_eq!(actions, ["linode_create", "linode_boot", "linode_create"]);
    assert_eq!(events.body["data"][0]["entity"]["id"], second);
    let filter = json!({ "entity.id": first, "+order_by": "id", "+order": "asc" });
    let of_first = filtered(&sim, "/v4/account/events", &filter.to_string()).await;
    assert_eq!(
        column(&of_first, "action"),
        ["linode_create", "linode_boot"]
    );
    let since = events.body["data"][0]["id"].as_u64().unwrap();
    let filter = json!({ "id": { "+gte": since } });
    let newest = filtered(&sim, "/v4/account/events", &filter.to_string()).await;
    assert_eq!(newest.body["results"], 1);
    let status = filtered(&sim, "/v4/account/events", r#"{"status":"failed"}"#).await;
    assert_eq!(status.status, 400);
}
