//! Lists that lie: stale, torn, broken, without tags; and names that are raced for.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Kind, Stand, VENDORS, Vendor};

fn id_of(body: &Value) -> u64 {
    let id = body.pointer("/droplet/id").or(body.get("id"));
    id.unwrap().as_u64().unwrap()
}

/// Returns the ids of the servers that carry the tag of these tests.
async fn tagged(stand: &Stand) -> Vec<u64> {
    if !stand.is_linode() {
        return stand.listed("?tag_name=rs%3Ad%3Ahere").await;
    }
    let request = stand.sim.http().get(stand.sim.url(stand.servers()));
    let request = request.bearer_auth(roadstead_sim::TOKEN_FULL);
    let filtered = request.header("X-Filter", r#"{"tags":"rs:d:here"}"#);
    let text = filtered.send().await.unwrap().text().await.unwrap();
    let got: Value = serde_json::from_str(&text).unwrap();
    let items = got["data"].as_array().unwrap().iter();
    items.map(|it| it["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_stale_list_lacks_what_is_new_and_shows_what_is_gone() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        stand
            .script(&json!({ "preset": "stale-list", "ms": 20_000 }))
            .await;
        let new = id_of(&stand.call(Kind::Create).await.unwrap().body);
        assert!(stand.call(Kind::Delete).await.unwrap().status < 300);
        stand.sim.handle().advance(Duration::from_secs(12));
        let path = format!("{}/{}", stand.servers(), stand.server);
        assert_eq!(
            stand.sim.get(&path).await.status,
            404,
            "it is gone by itself"
        );
        assert_eq!(stand.listed("").await, [stand.server], "{vendor:?}");
        stand.sim.handle().advance(Duration::from_secs(20));
        assert_eq!(stand.listed("").await, [new], "{vendor:?}");
    }
}

#[tokio::test]
async fn a_list_is_torn_when_something_comes_in_between_its_pages() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        let mut all = vec![stand.server];
        for name in ["web-1", "web-2"] {
            all.push(id_of(
                &stand.call_named(Kind::Create, name).await.unwrap().body,
            ));
        }
        stand.script(&json!({ "preset": "torn-page" })).await;
        assert_eq!(stand.listed("?page=1").await, all[..1], "{vendor:?}");
        assert_eq!(
            stand.listed("?page=2").await,
            all[..1],
            "the same again: {vendor:?}"
        );
        let got = stand
            .sim
            .get(&format!("{}?page=2", stand.servers()))
            .await
            .body;
        let total = got.pointer("/meta/total").or(got.get("results"));
        assert_eq!(total, Some(&json!(4)), "it is counted");
        stand.sim.handle().clear_faults();
        assert_eq!(stand.listed("").await, all);
    }
}

#[tokio::test]
async fn the_second_page_of_a_list_is_broken() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        stand.call(Kind::Create).await.unwrap();
        stand.script(&json!({ "preset": "page-2-500" })).await;
        assert_eq!(stand.listed("?page=1").await.len(), 1, "{vendor:?}");
        let per = if stand.is_linode() {
            "page_size"
        } else {
            "per_page"
        };
        // The other parameter does not look like a second page.
        assert_eq!(stand.listed(&format!("?page=1&{per}=200")).await.len(), 1);
        let second = stand
            .sim
            .get(&format!("{}?page=2&{per}=200", stand.servers()))
            .await;
        assert_eq!(second.status, 500, "{vendor:?}");
    }
}

#[tokio::test]
async fn a_new_server_is_missing_from_lists_or_lacks_its_tags_for_a_time_or_for_ever() {
    for vendor in VENDORS {
        for (preset, listed, tagged_now, tagged_later) in [
            ("unlisted", false, false, true),
            ("late-tags", true, false, true),
            ("no-tags", true, false, false),
        ] {
            let stand = Stand::new(vendor).await;
            stand.spoil(preset, Kind::Create, json!({})).await;
            let new = id_of(&stand.call(Kind::Create).await.unwrap().body);
            let what = format!("{vendor:?} {preset}");
            assert_eq!(stand.listed("").await.contains(&new), listed, "{what}");
            assert_eq!(tagged(&stand).await.contains(&new), tagged_now, "{what}");
            let path = format!("{}/{new}", stand.servers());
            assert_eq!(stand.sim.get(&path).await.status, 200, "{what}");
            stand.sim.handle().advance(Duration::from_secs(119));
            assert_eq!(tagged(&stand).await.contains(&new), tagged_now, "{what}");
            stand.sim.handle().advance(Duration::from_secs(2));
            assert!(stand.listed("").await.contains(&new), "{what}");
            assert_eq!(tagged(&stand).await.contains(&new), tagged_later, "{what}");
            let state = stand.sim.handle().state();
            let servers = &state["accounts"][0];
            let servers = servers
                .get("droplets")
                .or(servers.get("instances"))
                .unwrap();
            let newest = servers.as_array().unwrap().last().unwrap();
            let lag = newest["visible_at"] != newest["created_at"];
            assert_eq!(lag, preset == "unlisted", "{what}");
        }
    }
}

#[tokio::test]
async fn a_lost_create_comes_to_something_while_the_next_one_is_on_its_way() {
    for vendor in VENDORS {
        let stand = Stand::new(vendor).await;
        stand
            .spoil("label-race", Kind::Create, json!({ "ms": 100 }))
            .await;
        assert!(stand.call(Kind::Create).await.is_err(), "{vendor:?}");
        let second = stand.call(Kind::Create).await.unwrap();
        let changes = stand.changes();
        assert!(changes[0].committed, "{vendor:?}");
        // Where names are unique the second is refused for its own name.
        assert_eq!(
            second.status < 300,
            vendor == Vendor::DigitalOcean,
            "{}",
            second.body
        );
        assert_eq!(changes[1].committed, vendor == Vendor::DigitalOcean);
        let servers = if vendor == Vendor::DigitalOcean { 3 } else { 2 };
        assert_eq!(stand.listed("").await.len(), servers);
    }
}
