//! Lists are complete, whatever the vendor does to them.

use std::sync::Arc;

use futures::TryStreamExt;
use roadstead_core::{At, ErrorKind, Instance, InstanceQuery, Provider, ProviderExt, State};
use roadstead_sim::SimulatorConfig;
use serde_json::json;

use crate::world::{World, gpu, ids, small};

async fn all(world: &World, query: InstanceQuery) -> Vec<Instance> {
    let provider: Arc<dyn Provider> = world.provider.clone();
    provider.instances(query).try_collect().await.unwrap()
}

#[tokio::test]
async fn every_page_is_followed_gpu_servers_included_and_no_link_leaves_the_endpoint() {
    let world = World::start();
    let mut expected = Vec::new();
    for n in 0..7 {
        expected.push(
            world
                .provider
                .create_instance(&small(&format!("s{n}")))
                .await
                .unwrap()
                .instance,
        );
    }
    for n in 0..3 {
        expected.push(
            world
                .provider
                .create_instance(&gpu(&format!("g{n}")))
                .await
                .unwrap()
                .instance,
        );
    }
    for page_size in [None, Some(1), Some(2), Some(3), Some(7), Some(9999)] {
        world.sim.handle().clear_journal();
        let found = all(
            &world,
            InstanceQuery {
                page_size,
                ..Default::default()
            },
        )
        .await;
        assert_eq!(ids(&found), ids(&expected), "{page_size:?}");
        // The links name another host: had one been followed, pages would be missing.
        let mut queries: Vec<_> = world
            .sim
            .handle()
            .journal()
            .into_iter()
            .map(|it| it.query)
            .collect();
        let asked = queries.len();
        queries.sort();
        queries.dedup();
        assert_eq!(queries.len(), asked, "a page was asked for twice");
    }
}

#[tokio::test]
async fn filters_by_tag_and_name_include_gpu_servers() {
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
    assert_eq!(
        mine.iter().map(|it| &it.id).collect::<Vec<_>>(),
        [&found.id]
    );
    let by_name = |name: &str| InstanceQuery {
        name: Some(name.into()),
        ..Default::default()
    };
    assert_eq!(ids(&all(&world, by_name(&gpu.key.name)).await), [found.id]);
    assert_eq!(all(&world, by_name(&small.key.name)).await.len(), 1);
    assert_eq!(
        all(&world, by_name(&small.key.name.to_uppercase()))
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn a_created_server_is_found_by_its_mark_and_only_that_one() {
    let world = World::start();
    let (mine, gpus, other) = (small("mine"), gpu("mine"), small("other"));
    for request in [&mine, &gpus, &other] {
        let id = world
            .provider
            .create_instance(request)
            .await
            .unwrap()
            .instance
            .id;
        assert_eq!(
            ids(&world.provider.find_created(&request.key).await.unwrap()),
            [id]
        );
    }
    assert_eq!(
        world
            .provider
            .find_created(&small("never").key)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn a_failed_part_of_the_look_up_is_an_error_and_never_absence() {
    let world = World::start();
    let request = small("mine");
    world.provider.create_instance(&request).await.unwrap();
    for part in ["tag_name=", "name=mine", "type=gpus"] {
        world.fault(json!({
            "path": "/v2/droplets", "query_contains": part, "count": 4,
            "effect": { "status": 500, "body": "oops" }
        }));
        let error = world.provider.find_created(&request.key).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Server, "{part}");
        world.sim.handle().clear_faults();
    }
    world.fault(json!({
        "path": "/v2/droplets", "query_contains": "type=gpus", "when": "after",
        "effect": { "body": { "droplets": [{ "name": "no id" }], "links": {}, "meta": { "total": 1 } } }
    }));
    let error = world.provider.find_created(&request.key).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Decode);
}

#[tokio::test]
async fn a_look_up_in_an_incomplete_list_is_an_error_and_never_absence() {
    let world = World::start();
    let request = small("mine");
    world.provider.create_instance(&request).await.unwrap();
    let row = json!({ "id": 1, "name": "other", "tags": [] });
    for part in ["tag_name=", "name=mine", "type=gpus"] {
        for (rows, total) in [
            (json!([]), 1),
            (json!([row]), 2),
            // Two pages, of which the second is the simulator's and shorter than counted.
            (json!([row]), 201),
            (json!([row, row]), 2),
        ] {
            world.fault(json!({
                "path": "/v2/droplets", "query_contains": part, "when": "after",
                "effect": { "body": { "droplets": rows, "links": {}, "meta": { "total": total } } }
            }));
            let error = world.provider.find_created(&request.key).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Decode, "{part} {rows} of {total}");
        }
    }
    let found = world.provider.find_created(&request.key).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn an_empty_page_of_which_rows_are_counted_is_an_error_and_not_the_end() {
    let world = World::start();
    let query = InstanceQuery {
        page_size: Some(1),
        ..Default::default()
    };
    for (at, total, fails) in [
        (At::First, 1, true),
        (At::Number(3), 3, true),
        (At::Number(3), 2, false),
        (At::Cursor("gpus:3".into()), 3, true),
    ] {
        world.fault(json!({
            "path": "/v2/droplets", "when": "after",
            "effect": { "body": { "droplets": [], "links": {}, "meta": { "total": total } } }
        }));
        let page = world.provider.list_instances(&query, at.clone()).await;
        let failed = page.err().map(|it| it.kind);
        assert_eq!(
            failed,
            fails.then_some(ErrorKind::Decode),
            "{at:?} of {total}"
        );
    }
}

#[tokio::test]
async fn one_odd_row_neither_fails_a_list_nor_is_lost() {
    let world = World::start();
    world.fault(json!({
        "path": "/v2/droplets", "when": "after",
        "effect": { "body": { "droplets": [
            { "id": 1, "name": "fine", "status": "active" },
            { "id": 2, "name": "odd", "status": 7, "memory": "much", "networks": [] },
            { "id": 3, "name": "new word", "status": "hibernating" },
            { "name": "nobody" }
        ], "links": {}, "meta": { "total": 4 } } }
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
            ("1", State::Running, "active"),
            ("2", State::Unknown, ""),
            ("3", State::Unknown, "hibernating"),
        ]
    );
}

#[tokio::test]
async fn a_list_without_its_rows_is_an_error_and_no_empty_list() {
    let world = World::start();
    world.fault(json!({ "path": "/v2/droplets", "when": "after", "effect": { "body": {} } }));
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
    for odd in [
        "",
        "gpus:",
        "gpus:0",
        "gpus:-1",
        "https://elsewhere/?page=2",
    ] {
        let at = At::Cursor(odd.into());
        let error = world
            .provider
            .list_instances(&InstanceQuery::default(), at)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::Invalid, Some("cursor"))
        );
    }
}

#[tokio::test]
async fn a_new_server_may_be_missing_from_lists_for_a_while() {
    let config = SimulatorConfig {
        enforce_limits: false,
        list_lag: std::time::Duration::from_secs(60),
        ..Default::default()
    };
    let world = World::start_with(config);
    let request = small("mine");
    world.provider.create_instance(&request).await.unwrap();
    assert_eq!(
        world
            .provider
            .find_created(&request.key)
            .await
            .unwrap()
            .len(),
        0
    );
    world
        .sim
        .handle()
        .advance(world.provider.descriptor().visibility_lag);
    assert_eq!(
        world
            .provider
            .find_created(&request.key)
            .await
            .unwrap()
            .len(),
        1
    );
}
