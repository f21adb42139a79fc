//! Requests that are wrong: every wrong field at once, nothing on record, nothing sent.

use roadstead_core::{Market, Secret};
use roadstead_service::{CreateServer, Error};
use serde_json::json;

use crate::stage::{Stage, at_each_vendor};

at_each_vendor! {
    async fn every_wrong_field_is_named_at_once(stage: &Stage) {
        let request = CreateServer {
            label: "-two words!-".to_owned(),
            plan: "no-such-plan".to_owned(),
            region: "no-such-region".to_owned(),
            image: "no-such-image".to_owned(),
            root_password: Some(Secret::from("short")),
            user_data: Some(Secret::new("x".repeat(70_000))),
            tags: vec!["no tag".to_owned()],
            options: Some(json!(["list"])),
            ..stage.request("web")
        };
        let fields = refused(stage, request).await;
        let all = ["image", "label", "options", "region", "rootPassword", "tags", "type", "user_data"];
        assert_eq!(fields, all);
    }

    async fn a_plan_that_the_region_does_not_sell_is_refused(stage: &Stage) {
        let (plan, region) = stage.vendor.unsold;
        let mut request = stage.request("web");
        (request.plan, request.region) = (plan.to_owned(), region.to_owned());
        assert_eq!(refused(stage, request).await, ["region"]);
    }

    async fn an_option_that_the_vendor_does_not_have_is_refused(stage: &Stage) {
        let mut request = stage.request("web");
        request.options = Some(json!({ "teleport": true }));
        assert_eq!(refused(stage, request).await, ["options.teleport"]);
    }

    async fn what_only_the_vendor_knows_is_checked_before_anything_is_on_record(stage: &Stage) {
        let (option, wrong) = match stage.vendor.kind {
            "digitalocean" => ("options.monitoring", json!({ "monitoring": "yes" })),
            _ => ("options.swap_size", json!({ "swap_size": "large" })),
        };
        let request = CreateServer {
            options: Some(wrong),
            ssh_keys: vec!["no key at all".to_owned()],
            ..stage.request("web")
        };
        assert_eq!(refused(stage, request).await, [option, "ssh_keys"]);
        let request = CreateServer {
            ssh_keys: vec!["no key at all".to_owned()],
            ..stage.request("web")
        };
        assert_eq!(refused(stage, request).await, ["ssh_keys"]);
        for tag in ["RS:I:0123456789", "Rs:d:mine"] {
            let mut request = stage.request("web");
            request.tags = vec![tag.to_owned()];
            assert_eq!(refused(stage, request).await, ["tags"]);
        }
    }

    async fn an_image_without_cloud_init_takes_no_user_data(stage: &Stage) {
        let images = stage.direct().get_images().await.unwrap();
        let without = images.iter().find(|it| it.cloud_init == Some(false));
        let Some(without) = without else {
            // Where the vendor does not say which images have it, the vendor refuses.
            assert_eq!(stage.vendor.kind, "digitalocean");
            return;
        };
        let mut request = stage.request("web");
        request.image = without.id.to_string();
        request.user_data = Some(Secret::from("#cloud-config\n"));
        assert_eq!(refused(stage, request).await, ["user_data"]);
    }

    async fn a_market_that_the_vendor_does_not_have_is_refused(stage: &Stage) {
        let mut request = stage.request("web");
        request.market = Some(Market::Spot);
        assert_eq!(refused(stage, request).await, ["market"]);
        let mut request = stage.request("web");
        request.market = Some(Market::OnDemand);
        stage.platform.create_server(&stage.member(), request).await.unwrap();
    }

    async fn tags_that_look_like_our_marks_are_reserved(stage: &Stage) {
        for tags in [vec!["rs:d:mine".to_owned()], vec!["ab".to_owned()], vec!["fine".to_owned(); 21]] {
            let mut request = stage.request("web");
            request.tags = tags;
            assert_eq!(refused(stage, request).await, ["tags"]);
        }
    }

    async fn a_password_has_a_length_and_one_line(stage: &Stage) {
        for password in ["six666", "two\nlines-of-it", &"x".repeat(129)] {
            let mut request = stage.request("web");
            request.root_password = Some(Secret::from(password));
            assert_eq!(refused(stage, request).await, ["rootPassword"]);
        }
    }

    async fn a_server_is_wanted_at_one_place(stage: &Stage) {
        let place = async |provider, kind: Option<&str>| {
            let mut request = stage.request("web");
            (request.provider, request.kind) = (provider, kind.map(str::to_owned));
            refused(stage, request).await
        };
        assert_eq!(place(Some(stage.account), Some("nowhere")).await, ["provider_type"]);
        assert_eq!(place(None, Some("nowhere")).await, ["provider_type"]);
        assert_eq!(place(None, None).await, ["provider_id"]);
    }

    async fn a_patch_keeps_to_the_same_rules(stage: &Stage) {
        let id = stage.create("web").await.instance.id;
        let patch = roadstead_service::InstancePatch {
            label: Some("-two words!-".to_owned()),
            tags: Some(vec!["rs:i:mine".to_owned()]),
            notes: Some("x".repeat(10_001)),
        };
        let refused = stage.platform.change_server(&stage.member(), id, patch).await;
        assert_eq!(fields(refused.unwrap_err()), ["label", "notes", "tags"]);
    }
}

/// Returns the wrong fields in order, after making sure that the request left no trace.
async fn refused(stage: &Stage, request: CreateServer) -> Vec<String> {
    let error = stage
        .platform
        .create_server(&stage.member(), request)
        .await
        .map(|it| it.instance)
        .unwrap_err();
    assert!(stage.servers().await.is_empty());
    assert!(stage.changes(0).is_empty());
    fields(error)
}

fn fields(error: Error) -> Vec<String> {
    let Error::Invalid(errors) = error else {
        panic!("{error:?}");
    };
    let mut fields: Vec<_> = errors.into_iter().map(|it| it.field.into_owned()).collect();
    fields.sort();
    fields.dedup();
    fields
}
