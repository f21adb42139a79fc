//! StackScripts, and what a Linode joins.

use std::collections::BTreeSet;

use roadstead_core::{
    ChoiceList, CreateInstance, Error, ErrorKind, FieldKind, Outcome, Provider, Secret,
};
use roadstead_sim::{TOKEN_OTHER, TOKEN_READ_ONLY};
use serde_json::{Value, json};

use crate::world::{World, provider, small};

const CREATE: &str = "/v4/linode/instances";

/// A script of the account's own, with a field of every kind.
const CLUSTER: u64 = 1_700_002;

/// The vendor's WordPress.
const BLOG: u64 = 401_697;

fn with(options: Value) -> CreateInstance {
    CreateInstance {
        options: Some(options),
        ..small("web")
    }
}

async fn refused(world: &World, request: &CreateInstance) -> Error {
    let created = world.provider.create_instance(request).await;
    created.map(drop).expect_err("it is refused")
}

#[tokio::test]
async fn applications_are_the_vendors_own_whatever_others_call_theirs() {
    let world = World::start();
    let apps = world.provider.extensions().marketplace.unwrap();
    let apps = apps.apps().await.unwrap();
    let labels: BTreeSet<&str> = apps.iter().map(|it| &*it.label).collect();
    assert!(labels.contains("WordPress") && !labels.contains("Better WordPress"));
    assert!(
        apps.iter()
            .all(|it| it.publisher.as_deref() == Some("linode"))
    );
    let blog = apps.iter().find(|it| &*it.label == "WordPress").unwrap();
    assert_eq!(blog.options["stackscript_id"], BLOG);
    assert_eq!(
        blog.summary.as_deref(),
        Some("Sets up WordPress One-Click.")
    );
    let images: Vec<&str> = blog.images.iter().flatten().map(|it| it.as_str()).collect();
    assert_eq!(images, ["linode/ubuntu22.04", "linode/ubuntu24.04"]);
    let social = apps.iter().find(|it| &*it.label == "Mastodon").unwrap();
    let fields: Vec<_> = social
        .fields
        .iter()
        .map(|it| (&*it.name, it.required, it.section.as_deref()))
        .collect();
    assert_eq!(
        fields,
        [
            ("owner_username", true, Some("The first account")),
            ("owner_password", true, Some("The first account")),
            ("single_user_mode", false, Some("The server")),
        ]
    );
    assert_eq!(social.fields[1].kind, FieldKind::Secret);
}

#[tokio::test]
async fn own_scripts_are_listed_and_others_are_found_by_their_id() {
    let world = World::start();
    let scripts = world.provider.extensions().stack_scripts.unwrap();
    let own = scripts.own().await.unwrap();
    let labels: Vec<&str> = own.iter().map(|it| &*it.label).collect();
    assert_eq!(labels, ["own-setup", "own-cluster"]);
    assert_eq!(own[0].images, None, "it works upon any image");
    // One list is enough, however many scripts others have published.
    assert_eq!(world.calls("GET", "/v4/linode/stackscripts"), 1);

    let theirs = scripts.script("1800001").await.unwrap();
    assert_eq!(theirs.publisher.as_deref(), Some("somebody"));
    for (id, kind) in [("7", ErrorKind::NoSuchResource), ("x", ErrorKind::Invalid)] {
        assert_eq!(scripts.script(id).await.unwrap_err().kind, kind, "{id}");
    }
    let other = provider(&world.sim, TOKEN_OTHER);
    let scripts = other.extensions().stack_scripts.unwrap();
    assert_eq!(*scripts.own().await.unwrap(), []);
    let error = scripts.script(&CLUSTER.to_string()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSuchResource);
}

#[tokio::test]
async fn a_script_that_is_not_the_accounts_is_never_called_its_own() {
    let world = World::start();
    let foreign = json!({ "id": 9, "label": "x", "username": "x", "mine": false, "images": [] });
    let page = json!({ "data": [foreign], "page": 1, "pages": 1, "results": 1 });
    world.fault(json!({
        "path": "/v4/linode/stackscripts", "effect": { "status": 200, "body": page }
    }));
    let scripts = world.provider.extensions().stack_scripts.unwrap();
    assert_eq!(*scripts.own().await.unwrap(), []);
}

#[tokio::test]
async fn a_script_with_answers_of_every_kind_is_sent_as_linode_takes_them() {
    let world = World::start();
    let mut request = with(json!({
        "stackscript_id": CLUSTER,
        "stackscript_data": {
            "cluster_name": "c1", "join_password": "canary-hunter2",
            "roles": ["web", "worker"], "size": "large",
        },
    }));
    request.image = "linode/debian12".into();
    world.provider.create_instance(&request).await.unwrap();
    let linodes = world.linodes();
    let data = &linodes[0]["stackscript_data"];
    assert_eq!(
        (&data["roles"], &data["size"]),
        (&json!("web,worker"), &json!("large"))
    );
    let shown = format!("{request:?} {:?}", world.provider);
    assert!(!shown.contains("canary-hunter2"), "{shown}");
}

#[tokio::test]
async fn what_a_script_does_not_take_is_named_before_a_server_is_asked_for() {
    let world = World::start();
    let data = |answers: Value| json!({ "stackscript_id": BLOG, "stackscript_data": answers });
    let cluster = |answers: Value| {
        let mut request = with(json!({ "stackscript_id": CLUSTER, "stackscript_data": answers }));
        request.image = "linode/debian12".into();
        request
    };
    let mail = "a@b.example";
    for (request, field) in [
        (
            with(data(json!({}))),
            "options.stackscript_data.soa_email_address",
        ),
        (
            with(data(
                json!({ "soa_email_address": mail, "color": "canary" }),
            )),
            "options.stackscript_data.color",
        ),
        (
            with(data(
                json!({ "soa_email_address": mail, "webserver_stack": "canary" }),
            )),
            "options.stackscript_data.webserver_stack",
        ),
        (
            cluster(json!({ "cluster_name": "c", "join_password": "canary" })),
            "options.stackscript_data.roles",
        ),
        (
            cluster(json!({ "cluster_name": "c", "join_password": "p", "roles": ["canary"] })),
            "options.stackscript_data.roles",
        ),
        (
            with(json!({ "stackscript_id": 7 })),
            "options.stackscript_id",
        ),
        (with(json!({ "stackscript_id": CLUSTER })), "image"),
    ] {
        let error = refused(&world, &request).await;
        assert_eq!(error.field.as_deref(), Some(field), "{error:?}");
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Invalid, Outcome::NotExecuted)
        );
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{error:?}"
        );
    }
    assert_eq!(world.calls("POST", CREATE), 0);
}

#[tokio::test]
async fn a_script_that_cannot_be_read_stops_a_create_that_can_be_tried_again() {
    let world = World::start();
    world.fault(json!({
        "path": "/v4/linode/stackscripts/{id}", "count": 9, "effect": { "status": 500 }
    }));
    let request = with(json!({ "stackscript_id": 607_033 }));
    let error = refused(&world, &request).await;
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Server, Outcome::NotExecuted)
    );
    assert_eq!(world.calls("POST", CREATE), 0);
}

#[tokio::test]
async fn where_the_token_may_not_read_scripts_linode_checks_and_the_field_is_named() {
    let world = World::start();
    let unauthorized = json!({ "errors": [{ "reason": "Unauthorized" }] });
    world.fault(json!({
        "path": "/v4/linode/stackscripts/{id}", "count": 2,
        "effect": { "status": 403, "body": unauthorized },
    }));
    let incomplete = with(json!({ "stackscript_id": BLOG }));
    let error = refused(&world, &incomplete).await;
    let field = "options.stackscript_data.soa_email_address";
    assert_eq!(error.field.as_deref(), Some(field), "{error:?}");
    assert_eq!(error.outcome, Outcome::Rejected);
    let complete = with(json!({
        "stackscript_id": BLOG, "stackscript_data": { "soa_email_address": "a@b.example" },
    }));
    world.provider.create_instance(&complete).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_joined_is_refused_by_linode_and_the_option_is_named() {
    let world = World::start();
    for (options, field) in [
        (json!({ "firewall_id": 7 }), "options.firewall_id"),
        (
            json!({ "placement_group_id": 7 }),
            "options.placement_group_id",
        ),
        // In another region than the server.
        (
            json!({ "placement_group_id": 528_002 }),
            "options.placement_group_id",
        ),
        (json!({ "vpc_subnet_id": 7 }), "options.vpc_subnet_id"),
        (json!({ "vpc_subnet_id": 6_201 }), "options.vpc_subnet_id"),
        (
            json!({ "authorized_users": ["nobody"] }),
            "options.authorized_users",
        ),
    ] {
        let error = refused(&world, &with(options.clone())).await;
        assert_eq!(error.field.as_deref(), Some(field), "{options}: {error:?}");
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Invalid, Outcome::Rejected)
        );
    }
    assert!(world.linodes().is_empty());
}

#[tokio::test]
async fn the_choices_are_those_of_the_account_and_can_be_chosen() {
    let world = World::start();
    let choices = world.provider.extensions().choices.unwrap();
    let labels = async |list| {
        let all = choices.choices(list).await.unwrap();
        all.iter()
            .map(|it| it.label.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(ChoiceList::Firewalls).await, ["web-only"]);
    assert_eq!(
        labels(ChoiceList::Networks).await,
        [
            "harbor-east / apps",
            "harbor-east / data",
            "harbor-iad / apps"
        ]
    );
    assert_eq!(
        labels(ChoiceList::PlacementGroups).await,
        ["apart-iad", "apart-east"]
    );

    let request = small("web");
    let here = async |list| {
        let all = choices.choices(list).await.unwrap();
        let here = |it: &&roadstead_core::Choice| {
            it.region.as_ref().is_none_or(|it| *it == request.region)
        };
        all.iter().find(here).unwrap().value.clone()
    };
    let options = json!({
        "firewall_id": here(ChoiceList::Firewalls).await,
        "vpc_subnet_id": here(ChoiceList::Networks).await,
        "placement_group_id": here(ChoiceList::PlacementGroups).await,
    });
    world
        .provider
        .create_instance(&with(options))
        .await
        .unwrap();
    assert_eq!(world.linodes()[0]["interfaces"][1]["subnet_id"], 6_203);

    let other = provider(&world.sim, TOKEN_OTHER);
    let choices = other.extensions().choices.unwrap();
    for list in ChoiceList::ALL {
        assert_eq!(*choices.choices(list).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_list_that_the_token_may_not_see_is_forbidden_and_names_the_scope() {
    let world = World::start();
    let unauthorized = json!({ "errors": [{ "reason": "Unauthorized" }] });
    world.fault(json!({
        "path": "/v4/vpcs", "effect": { "status": 403, "body": unauthorized }
    }));
    let reader = provider(&world.sim, TOKEN_READ_ONLY);
    let choices = reader.extensions().choices.unwrap();
    let error = choices.choices(ChoiceList::Networks).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.to_string().contains("`vpc:read_only`"), "{error}");
}

#[tokio::test]
async fn a_backup_schedule_is_set_when_the_server_runs() {
    let world = World::start();
    let mut request = with(json!({ "backup_schedule": { "day": "Friday", "hour": 10 } }));
    request.backups = true;
    let id = world.running(&request).await.id;
    let day = |world: &World| world.linodes()[0]["backup_schedule"]["day"].clone();
    assert_eq!(day(&world), "Scheduling");
    let after = world.provider.extensions().after_create.unwrap();
    let plan = after.plan(&request).unwrap();
    after.finish(&id, &plan).await.unwrap();
    assert_eq!(day(&world), "Friday");
    let gone = after.finish(&"999999999".into(), &plan).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::NoSuchInstance);

    // A plan holds nothing of what may not be kept.
    let mut secretive = request.clone();
    secretive.user_data = Some(Secret::from("canary-hunter2"));
    let plan = after.plan(&secretive).unwrap().to_string();
    assert!(!plan.contains("canary"), "{plan}");
    // Without backups there is nothing to set, and the request is refused anyway.
    request.backups = false;
    assert_eq!(after.plan(&request), None);
    assert!(world.provider.check_create(&request).is_err());
}
