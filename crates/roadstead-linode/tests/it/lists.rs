//! Lists are complete, whatever the vendor does to them.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use roadstead_core::{At, ErrorKind, Instance, InstanceQuery, Next, Provider, ProviderExt, State};
use roadstead_sim::SimulatorConfig;
use serde_json::json;

use crate::world::{World, gpu, ids, small};

const LIST: &str = "/v4/linode/instances";

async fn all(world: &World, query: InstanceQuery) -> Vec<Instance> {
    let provider: Arc<dyn Provider> = world.provider.clone();
    provider.instances(query).try_collect().await.unwrap()
}

#[tokio::test]
async fn every_page_is_followed_in_the_order_of_ids() {
    let world = World::start();
    let mut expected = Vec::new();
    for n in 0..30 {
        let request = small(&format!("s{n}"));
        expected.push(
            world
                .provider
                .create_instance(&request)
                .await
                .unwrap()
                .instance,
        );
    }
    for page_size in [
        None,
        Some(1),
        Some(2),
        Some(7),
        Some(25),
        Some(29),
        Some(9999),
    ] {
        let query = InstanceQuery {
            page_size,
            ..Default::default()
        };
        let found = all(&world, query.clone()).await;
        assert_eq!(ids(&found), ids(&expected), "{page_size:?}");
        let first = world
            .provider
            .list_instances(&query, At::First)
            .await
            .unwrap();
        assert_eq!(first.total, Some(30));
        let size = usize::from(page_size.unwrap_or(500)).min(30);
        assert_eq!(first.items.len(), size, "{page_size:?}");
        let more = matches!(first.next, Next::Numbered { next: 2, .. });
        assert_eq!(more, size < 30, "{page_size:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_gone_ends_the_list() {
    let world = World::start();
    world.provider.create_instance(&small("one")).await.unwrap();
    let page = world
        .provider
        .list_instances(&InstanceQuery::default(), At::Number(9))
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.next), (0, Next::End));
}

#[tokio::test]
async fn filters_by_tag_and_name_are_exact() {
    let world = World::start();
    let (small, gpu) = (small("one"), gpu("two"));
    world.provider.create_instance(&small).await.unwrap();
    let found = world.provider.create_instance(&gpu).await.unwrap().instance;
    let by_tag = |tag: &str| InstanceQuery {
        tag: Some(tag.into()),
        ..Default::default()
    };
    assert_eq!(all(&world, by_tag("web")).await.len(), 2);
    assert_eq!(all(&world, by_tag("none")).await.len(), 0);
    let mine = all(&world, by_tag(&gpu.key.instance_tag())).await;
    assert_eq!(ids(&mine), std::slice::from_ref(&found.id));
    let by_name = |name: &str| InstanceQuery {
        name: Some(name.into()),
        ..Default::default()
    };
    assert_eq!(ids(&all(&world, by_name(&gpu.key.name)).await), [found.id]);
    for name in [&*small.key.name.to_uppercase(), "we\"b, \u{fc}\u{1f980}"] {
        assert_eq!(all(&world, by_name(name)).await, [], "{name}");
    }
    let both = InstanceQuery {
        name: Some(small.key.name.clone()),
        tag: Some(gpu.key.instance_tag().into()),
        page_size: None,
    };
    assert_eq!(all(&world, both).await, []);
}

#[tokio::test]
async fn a_created_server_is_found_by_its_mark_and_only_that_one() {
    let world = World::start();
    let (mine, gpus, other) = (small("mine"), gpu("mine"), small("other"));
    for request in [&mine, &gpus, &other] {
        let created = world.provider.create_instance(request).await.unwrap();
        assert_eq!(
            ids(&world.provider.find_created(&request.key).await.unwrap()),
            [created.instance.id]
        );
    }
    let never = small("never").key;
    assert_eq!(world.provider.find_created(&never).await.unwrap(), []);
}

#[tokio::test]
async fn a_failed_part_of_the_look_up_is_an_error_and_never_absence() {
    let world = World::start();
    let request = small("mine");
    world.provider.create_instance(&request).await.unwrap();
    // One of the two looks is made with each of the two filters.
    for skip in [0, 1] {
        world.fault(json!({
            "method": "GET", "path": LIST, "skip": skip, "count": 8,
            "effect": { "status": 500, "body": "oops" }
        }));
        let error = world.provider.find_created(&request.key).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Server, "{skip}");
        world.sim.handle().clear_faults();
    }
    for body in [
        json!({ "data": [{ "label": "no id" }], "page": 1, "pages": 1, "results": 1 }),
        json!({ "data": [{ "id": 1, "label": "no tags" }], "page": 1, "pages": 1, "results": 1 }),
        json!({ "data": [], "page": 1, "pages": 1, "results": 1 }),
    ] {
        world.fault(json!({
            "method": "GET", "path": LIST, "when": "after", "effect": { "body": body }
        }));
        let error = world.provider.find_created(&request.key).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Decode, "{body}");
    }
}

#[tokio::test]
async fn one_odd_row_neither_fails_a_list_nor_is_lost() {
    let world = World::start();
    world.fault(json!({
        "path": LIST, "when": "after",
        "effect": { "body": { "data": [
            { "id": 1, "label": "fine", "status": "running" },
            { "id": 2, "label": "odd", "status": 7, "specs": "much", "ipv4": {} },
            { "id": 3, "label": "new word", "status": "hibernating" },
            { "label": "nobody" }
        ], "page": 1, "pages": 1, "results": 4 } }
    }));
    let page = world
        .provider
        .list_instances(&InstanceQuery::default(), At::First)
        .await
        .unwrap();
    let states: Vec<_> = page
        .items
        .iter()
        .map(|it| (it.id.as_str(), it.status.state, &*it.status.raw))
        .collect();
    assert_eq!(
        states,
        [
            ("1", State::Running, "running"),
            ("2", State::Unknown, ""),
            ("3", State::Unknown, "hibernating"),
        ]
    );
}

#[tokio::test]
async fn a_list_without_its_rows_is_an_error_and_no_empty_list() {
    let world = World::start();
    world.fault(json!({ "path": LIST, "when": "after", "effect": { "body": {} } }));
    let error = world
        .provider
        .list_instances(&InstanceQuery::default(), At::First)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Decode);
}

#[tokio::test]
async fn a_foreign_cursor_is_refused() {
    let world = World::start();
    let error = world
        .provider
        .list_instances(&InstanceQuery::default(), At::Cursor("2".into()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.field.as_deref()),
        (ErrorKind::Invalid, Some("cursor"))
    );
}

#[tokio::test]
async fn a_new_server_may_be_missing_from_lists_for_a_while() {
    let config = SimulatorConfig {
        enforce_limits: false,
        list_lag: Duration::from_secs(60),
        ..Default::default()
    };
    let world = World::start_with(config);
    let request = small("mine");
    world.provider.create_instance(&request).await.unwrap();
    let found = async || {
        world
            .provider
            .find_created(&request.key)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(found().await, 0);
    let lag = world.provider.descriptor().visibility_lag;
    world.sim.handle().advance(lag);
    assert_eq!(found().await, 1);
}
