//! What a droplet joins, and one-click applications.

use roadstead_core::{Choice, ChoiceList, CreateInstance, Error, ErrorKind, Outcome, Provider};
use roadstead_sim::TOKEN_OTHER;
use serde_json::{Value, json};

use crate::world::{World, provider, small};

const CREATE: &str = "/v2/droplets";

fn with(options: Value) -> CreateInstance {
    CreateInstance {
        region: "nyc3".into(),
        options: Some(options),
        ..small("web")
    }
}

async fn refused(world: &World, request: &CreateInstance) -> Error {
    let created = world.provider.create_instance(request).await;
    created.map(drop).expect_err("it is refused")
}

async fn choice(world: &World, list: ChoiceList, label: &str) -> Choice {
    let choices = world.provider.extensions().choices.unwrap();
    let all = choices.choices(list).await.unwrap();
    all.iter().find(|it| &*it.label == label).unwrap().clone()
}

#[tokio::test]
async fn a_droplet_is_behind_its_firewall_from_the_creating_call_on() {
    let world = World::start();
    let firewall = choice(&world, ChoiceList::Firewalls, "web-only").await;
    let request = with(json!({ "firewall_id": firewall.value }));
    let created = world.provider.create_instance(&request).await.unwrap();
    assert!(created.instance.tags.iter().any(|it| &**it == "fw-web"));
    assert_eq!(world.calls("POST", CREATE), 1);
    // It is found by its own mark, not by what it shares with others.
    let found = world.provider.find_created(&request.key).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_firewall_that_cannot_take_it_is_named_before_a_droplet_is_asked_for() {
    let world = World::start();
    let choices = world.provider.extensions().choices.unwrap();
    let offered = choices.choices(ChoiceList::Firewalls).await.unwrap();
    assert_eq!(
        offered.len(),
        1,
        "one that goes by no tag is no choice: {offered:?}"
    );
    let unknown = with(json!({ "firewall_id": "00000000-0000-4000-8000-000000000000" }));
    let error = refused(&world, &unknown).await;
    assert_eq!(error.field.as_deref(), Some("options.firewall_id"));
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Invalid, Outcome::NotExecuted)
    );

    let untagged = json!({ "firewall": { "id": "f", "name": "by-hand", "tags": [] } });
    world.fault(json!({
        "path": "/v2/firewalls/{id}", "effect": { "status": 200, "body": untagged }
    }));
    let error = refused(&world, &unknown).await;
    assert_eq!(error.field.as_deref(), Some("options.firewall_id"));
    assert!(error.to_string().contains("no tag"), "{error}");

    world.fault(json!({
        "path": "/v2/firewalls/{id}", "count": 9, "effect": { "status": 500 }
    }));
    let error = refused(&world, &unknown).await;
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Server, Outcome::NotExecuted)
    );
    assert_eq!(world.calls("POST", CREATE), 0);
}

#[tokio::test]
async fn a_vpc_must_be_there_and_in_the_region() {
    let world = World::start();
    let vpc = choice(&world, ChoiceList::Networks, "harbor-apps").await;
    assert_eq!(vpc.region, Some("nyc3".into()));
    let mut elsewhere = with(json!({ "vpc_uuid": vpc.value }));
    elsewhere.region = "fra1".into();
    let unknown = with(json!({ "vpc_uuid": "00000000-0000-4000-8000-000000000000" }));
    for request in [elsewhere, unknown] {
        let error = refused(&world, &request).await;
        assert_eq!(
            error.field.as_deref(),
            Some("options.vpc_uuid"),
            "{error:?}"
        );
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Invalid, Outcome::Rejected)
        );
    }
    let request = with(json!({ "vpc_uuid": vpc.value }));
    world.provider.create_instance(&request).await.unwrap();
}

#[tokio::test]
async fn there_are_no_placement_groups_and_nobody_is_asked() {
    let world = World::start();
    let choices = world.provider.extensions().choices.unwrap();
    let error = choices
        .choices(ChoiceList::PlacementGroups)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(world.sim.handle().journal().is_empty());
    let other = provider(&world.sim, TOKEN_OTHER);
    let choices = other.extensions().choices.unwrap();
    assert_eq!(*choices.choices(ChoiceList::Firewalls).await.unwrap(), []);
}

#[tokio::test]
async fn a_one_click_application_is_an_image() {
    let world = World::start();
    let apps = world.provider.extensions().marketplace.unwrap();
    let apps = apps.apps().await.unwrap();
    let app = apps.iter().find(|it| it.id.contains("wordpress")).unwrap();
    assert!(app.fields.is_empty() && app.options.is_empty());
    let mut request = small("blog");
    request.image = app.image.clone().unwrap();
    let created = world.provider.create_instance(&request).await.unwrap();
    assert_eq!(created.instance.image, app.image);
    let asked = world.sim.handle().journal();
    let list = asked.iter().find(|it| it.path == "/v2/1-clicks").unwrap();
    assert!(list.query.contains("type=droplet"), "{}", list.query);
}
