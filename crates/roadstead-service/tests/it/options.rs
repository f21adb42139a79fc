//! What only the vendor knows of a server, from the request to the vendor's books.

use roadstead_core::{ChoiceList, ErrorKind, Feature};
use roadstead_service::{CatalogueSource, Error, Lifecycle, OperationState};
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::{Value, json};

use crate::stage::{Scene, Stage, TEMPLATE, at_each_vendor, migrated};
use crate::vendor::LINODE;

/// Returns the vendor's options for backups on Fridays, and how its simulator shows them.
fn fridays(stage: &Stage) -> (Value, Value) {
    match stage.vendor.kind {
        "linode" => (
            json!({ "backup_schedule": { "day": "Friday", "hour": 10 } }),
            json!({ "backup_schedule": { "day": "Friday", "window": "W10" } }),
        ),
        _ => (
            json!({ "backup_policy": { "plan": "weekly", "weekday": "FRI", "hour": 8 } }),
            json!({
                "backup_policy": {
                    "plan": "weekly", "weekday": "FRI", "hour": 8,
                    "window_length_hours": 4, "retention_period_days": 28,
                },
            }),
        ),
    }
}

async fn create(stage: &Stage) -> roadstead_service::Accepted {
    let mut request = stage.request("web");
    request.backups = true;
    request.options = Some(fridays(stage).0);
    let accepted = stage.platform.create_server(&stage.member(), request).await;
    accepted.unwrap()
}

fn assert_scheduled(stage: &Stage) {
    let [kept] = stage.living().try_into().unwrap();
    for (name, value) in fridays(stage).1.as_object().unwrap() {
        assert_eq!(&kept[name], value);
    }
}

at_each_vendor! {
    async fn backups_are_made_when_the_member_says(stage: &Stage) {
        let accepted = create(stage).await;
        stage.succeeds(accepted.operation.id).await;
        assert_scheduled(stage);
        assert_eq!(stage.creates().len(), 1);
        assert_eq!(stage.server(accepted.instance.id).await.problem, None);
    }
}

/// Spoils changes of a Linode.
fn spoil(stage: &Stage, count: u32, when: &str, effect: &Value) {
    stage.fault(json!({
        "method": "PUT", "path": "/v4/linode/instances/{id}", "count": count, "when": when,
        "effect": effect,
    }));
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_schedule_whose_answers_are_lost_is_set_again(database: &Scratch) {
        let stage = &Stage::open(database, &LINODE, Scene::default()).await;
        spoil(stage, 1, "before", &json!({ "drop": true }));
        spoil(stage, 1, "after", &json!({ "status": 502, "body": "<html>", "content_type": "text/html" }));
        let accepted = create(stage).await;
        stage.succeeds(accepted.operation.id).await;
        assert_scheduled(stage);
        assert_eq!(stage.creates().len(), 1);
    }

    async fn a_schedule_that_is_refused_leaves_a_server_with_a_problem(database: &Scratch) {
        let stage = &Stage::open(database, &LINODE, Scene::default()).await;
        let refusal = json!({ "errors": [{ "reason": "hunter2", "field": "backups.schedule.day" }] });
        spoil(stage, 1, "before", &json!({ "status": 400, "body": refusal }));
        let accepted = create(stage).await;
        let operation = stage.succeeds(accepted.operation.id).await;
        assert_eq!(operation.state, OperationState::Succeeded);
        let server = stage.server(accepted.instance.id).await;
        assert_eq!((server.lifecycle, server.public_status()), (Lifecycle::Live, "running"));
        let problem = server.problem.unwrap();
        assert!(problem.contains("set the backup schedule"), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

at_each_vendor! {
    async fn setup_scripts_are_shown_where_the_vendor_keeps_them(stage: &Stage) {
        let source = CatalogueSource {
            kind: stage.vendor.kind.to_owned(),
            provider: None,
        };
        let ask = async |id| stage.platform.stack_scripts(&stage.reader(), &source, id).await;
        if stage.vendor.kind != "linode" {
            let Err(Error::Provider(refusal)) = ask(None).await else {
                panic!("the vendor keeps no scripts");
            };
            assert_eq!(refusal.kind, ErrorKind::Unsupported);
            return;
        }
        let (_, own) = ask(None).await.unwrap();
        let first = own.first().unwrap();
        let (_, one) = ask(Some(&first.id)).await.unwrap();
        assert_eq!(one, std::slice::from_ref(first));
        for nobodys in ["999999999", "x"] {
            let Err(Error::Invalid(errors)) = ask(Some(nobodys)).await else {
                panic!("`{nobodys}` is no script");
            };
            assert_eq!(errors[0].field, "id");
        }
    }
}

at_each_vendor! {
    async fn what_an_option_is_chosen_from_is_shown(stage: &Stage) {
        let source = CatalogueSource {
            kind: stage.vendor.kind.to_owned(),
            provider: None,
        };
        let direct = stage.direct();
        for list in ChoiceList::ALL {
            let asked = stage.platform.choices(&stage.member(), &source, list).await;
            if direct.descriptor().supports(list.feature()) {
                assert!(!asked.unwrap().is_empty(), "{list:?}");
            } else {
                assert_eq!(list.feature(), Feature::PlacementGroup);
                let Err(Error::Provider(refusal)) = asked else {
                    panic!("the vendor has no {list:?}");
                };
                assert_eq!(refusal.kind, ErrorKind::Unsupported);
            }
        }
    }
}
