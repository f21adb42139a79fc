//! What a create refuses.

use roadstead_sim::SimulatorConfig;
use serde_json::{Value, json};

use super::{INSTANCES, create, frozen, reason, start, web, web_with};

/// `base64` of a text.
const USER_DATA: &str = "I2Nsb3VkLWNvbmZpZwo=";

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let sim = frozen();
    create(&sim, &web("taken-1")).await;
    let large = "A".repeat(65_535 / 3 * 4 + 4);
    for (fields, field, why) in [
        (json!({ "label": "ab" }), "label", "Length must be 3-64"),
        (
            json!({ "label": "9lives" }),
            "label",
            "Must begin with a letter",
        ),
        (
            json!({ "label": "a--b" }),
            "label",
            "Must begin with a letter",
        ),
        (
            json!({ "label": "abc-" }),
            "label",
            "Must begin with a letter",
        ),
        (
            json!({ "label": "taken-1" }),
            "label",
            "Label must be unique among your linodes",
        ),
        (json!({ "region": "mars" }), "region", "region is not valid"),
        (json!({ "region": null }), "region", "region is required"),
        (
            json!({ "type": "g6-none" }),
            "type",
            "A valid plan type by that ID was not found",
        ),
        (
            json!({ "image": "linode/none" }),
            "image",
            "image is not valid",
        ),
        (
            json!({ "image": "private/20000003" }),
            "image",
            "image is not valid",
        ),
        (
            json!({ "root_pass": "short" }),
            "root_pass",
            "Length must be 7-128",
        ),
        (
            json!({ "root_pass": "password" }),
            "root_pass",
            "Password does not meet strength",
        ),
        (
            json!({ "root_pass": null }),
            "root_pass",
            "Must provide valid root_pass",
        ),
        (
            json!({ "authorized_keys": ["nonsense"] }),
            "authorized_keys",
            "SSH Key 1",
        ),
        (
            json!({ "authorized_users": ["nobody"] }),
            "authorized_users",
            "User nobody",
        ),
        (json!({ "tags": ["ab"] }), "tags", "Length must be 3-50"),
        (
            json!({ "metadata": { "user_data": "%" } }),
            "metadata.user_data",
            "Must be base64",
        ),
        (
            json!({ "metadata": { "user_data": large } }),
            "metadata.user_data",
            "Must be at most",
        ),
        (
            json!({ "metadata": { "user_data": USER_DATA }, "region": "us-west" }),
            "metadata.user_data",
            "The Metadata service is not available",
        ),
        (
            json!({ "metadata": { "user_data": USER_DATA }, "image": "linode/gentoo" }),
            "metadata.user_data",
            "This image is not compatible with cloud-init",
        ),
        (
            json!({ "image": "private/20000001", "backups_enabled": true }),
            "backups_enabled",
            "Backups cannot be enabled",
        ),
        (
            json!({ "stackscript_id": 1 }),
            "stackscript_id",
            "stackscript_id is not valid",
        ),
        (
            json!({ "stackscript_id": 401_697, "image": "linode/ubuntu24.04" }),
            "stackscript_data.soa_email_address",
            "soa_email_address is required",
        ),
        (
            json!({
                "stackscript_id": 401_697, "image": "linode/ubuntu24.04",
                "stackscript_data": { "soa_email_address": "a@b.example", "color": "red" },
            }),
            "stackscript_data.color",
            "color is not a field",
        ),
        (
            json!({
                "stackscript_id": 401_697, "image": "linode/ubuntu24.04",
                "stackscript_data": { "soa_email_address": "a@b.example", "webserver_stack": "x" },
            }),
            "stackscript_data.webserver_stack",
            "webserver_stack must be one of",
        ),
        (
            json!({
                "stackscript_id": 1_700_002,
                "stackscript_data": {
                    "cluster_name": "c", "join_password": "p", "roles": "web,captain",
                },
            }),
            "stackscript_data.roles",
            "roles must be some of",
        ),
        (
            json!({ "stackscript_id": 1_700_002, "stackscript_data": { "cluster_name": 7 } }),
            "stackscript_data.cluster_name",
            "cluster_name must be a string",
        ),
        (
            json!({ "firewall_id": 7 }),
            "firewall_id",
            "firewall_id is not valid",
        ),
        (
            json!({ "placement_group": { "id": 7 } }),
            "placement_group.id",
            "placement_group.id is not valid",
        ),
        (
            json!({ "placement_group": { "id": 528_001 } }),
            "placement_group.id",
            "The placement group is in another region",
        ),
        (
            json!({ "interfaces": [{ "purpose": "public" }] }),
            "interface_generation",
            "This simulator knows",
        ),
        (
            legacy(&json!([{ "purpose": "public" }, { "purpose": "vpc", "subnet_id": 7 }])),
            "interfaces[1].subnet_id",
            "subnet_id is not valid",
        ),
        (
            legacy(&json!([{ "purpose": "vpc", "subnet_id": 6_203 }])),
            "interfaces[0].subnet_id",
            "The VPC is in another region",
        ),
        (
            legacy(&json!([{ "purpose": "public" }, { "purpose": "public" }])),
            "interfaces",
            "Must have at most one public",
        ),
        (
            legacy(&json!([{ "purpose": "tunnel" }])),
            "interfaces[0].purpose",
            "Must be one of",
        ),
        (
            json!({ "stackscript_id": 401_697 }),
            "stackscript_id",
            "The StackScript does not",
        ),
        (
            json!({ "stackscript_data": {} }),
            "stackscript_data",
            "stackscript_data needs",
        ),
    ] {
        let got = sim.post(INSTANCES, &web_with(&fields)).await;
        let (status, said, named) = reason(&got);
        assert_eq!(
            (status, named),
            (400, Some(field)),
            "{fields}: {}",
            got.body
        );
        assert!(said.starts_with(why), "{fields}: {said}");
        assert_eq!(
            got.body["errors"].as_array().unwrap().len(),
            1,
            "{}",
            got.body
        );
    }
    assert_eq!(sim.get(INSTANCES).await.body["results"], 1);
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_at_once() {
    let sim = frozen();
    let got = sim.post(INSTANCES, &json!({ "label": "x" })).await;
    let errors = got.body["errors"].as_array().unwrap();
    let fields: Vec<&Value> = errors.iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["region", "type", "label"]);
    for body in [json!([]), json!("x")] {
        let got = sim.post(INSTANCES, &body).await;
        assert_eq!(got.status, 400);
        assert!(got.body["errors"][0].get("field").is_none());
    }
}

#[tokio::test]
async fn a_type_that_a_region_does_not_have_is_refused_with_403() {
    let sim = frozen();
    for (kind, region) in [
        ("g2-gpu-rtx4000a1-s", "us-east"),
        ("g7-premium-2", "us-east"),
        ("g7-premium-56", "se-sto"),
        ("g6-nanode-1", "us-den-1"),
        ("g6-nanode-edge-1", "us-east"),
        ("g6-nanode-1", "nz-akl-1"),
    ] {
        let fields = json!({ "type": kind, "region": region });
        let got = sim.post(INSTANCES, &web_with(&fields)).await;
        let (status, said, field) = reason(&got);
        assert_eq!((status, field), (403, None), "{kind} {region}");
        assert!(said.contains("not currently available in the selected region"));
    }
    for (label, kind, region) in [
        ("gpu-1", "g2-gpu-rtx4000a1-s", "us-ord"),
        ("premium-1", "g7-premium-2", "us-iad"),
        ("edge-1", "g6-nanode-edge-1", "us-den-1"),
    ] {
        let fields = json!({ "label": label, "type": kind, "region": region });
        create(&sim, &web_with(&fields)).await;
    }
}

#[tokio::test]
async fn an_account_that_is_full_is_told_so() {
    let sim = start(SimulatorConfig {
        server_limit: 1,
        ..SimulatorConfig::default()
    });
    create(&sim, &web("web-1")).await;
    let refused = sim.post(INSTANCES, &web("web-2")).await;
    let full = "Account Limit reached. Please open a support ticket.";
    assert_eq!(reason(&refused), (400, full, None));
}

#[tokio::test]
async fn a_label_is_made_where_none_is_given_and_keys_do_without_a_password() {
    let sim = frozen();
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let fields = json!({
        "label": null,
        "root_pass": null,
        "authorized_keys": [key],
        "metadata": { "user_data": USER_DATA },
        "placement_group": { "id": 528_002 },
        "interface_generation": "linode",
        "stackscript_id": 607_033,
        "image": "linode/ubuntu24.04",
    });
    let got = sim.post(INSTANCES, &web_with(&fields)).await;
    assert_eq!(got.status, 200, "{}", got.body);
    let id = &got.body["id"];
    assert_eq!(got.body["label"], format!("linode{id}"));
    assert_eq!(got.body["has_user_data"], true);
    assert_eq!(got.body["placement_group"]["id"], 528_002);
    assert_eq!(got.body["interface_generation"], "linode");
    let state = sim.handle().state();
    let kept = &state["accounts"][0]["instances"][0];
    assert_eq!(kept["had_root_pass"], false);
    assert_eq!(kept["user_data"], "#cloud-config\n");
    assert_eq!(kept["authorized_keys"], json!([key]));
}

/// Describes interfaces of the older generation.
fn legacy(interfaces: &Value) -> Value {
    json!({ "interface_generation": "legacy_config", "interfaces": interfaces })
}
