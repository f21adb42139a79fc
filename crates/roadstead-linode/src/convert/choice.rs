//! Firewalls, subnets and placement groups as choices.

use roadstead_core::{Choice, RegionId};
use serde_json::json;

use crate::wire;

/// Returns `None` for a firewall that lets everything through.
pub(crate) fn firewall(it: wire::Firewall) -> Option<Choice> {
    if it.status.is_some_and(|it| &*it != "enabled") {
        return None;
    }
    Some(Choice {
        value: json!(it.id),
        label: it.label.unwrap_or_else(|| it.id.to_string().into()),
        region: None,
        summary: None,
    })
}

/// Returns the subnets of a VPC, since it is a subnet that a Linode joins.
pub(crate) fn subnets(it: wire::Vpc) -> Vec<Choice> {
    let vpc = it.label.unwrap_or_else(|| "VPC".into());
    let region = it.region.map(RegionId);
    it.subnets
        .into_iter()
        .map(|it| {
            let subnet = it.label.unwrap_or_else(|| it.id.to_string().into());
            Choice {
                value: json!(it.id),
                label: format!("{vpc} / {subnet}").into(),
                region: region.clone(),
                summary: it.ipv4,
            }
        })
        .collect()
}

pub(crate) fn group(it: wire::Group) -> Choice {
    Choice {
        value: json!(it.id),
        label: it.label.unwrap_or_else(|| it.id.to_string().into()),
        region: it.region.map(RegionId),
        summary: it.placement_group_type.map(|it| kind(&it).into()),
    }
}

/// An unknown word of the vendor's is shown as it is.
fn kind(word: &str) -> &str {
    match word {
        // The hyphen is the older spelling.
        "anti_affinity:local" | "anti-affinity:local" => "servers kept apart",
        "affinity:local" => "servers kept together",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_vpc_is_joined_by_its_subnets() {
        // Shortened from the example of the vendor's OpenAPI document, `GET /vpcs`.
        let vpc = json!({
            "id": 123, "label": "cool-vpc", "region": "us-east",
            "subnets": [{ "id": 456, "ipv4": "192.0.2.210/24", "label": "cool-vpc-subnet" }],
        });
        assert_eq!(
            subnets(read(vpc)),
            [Choice {
                value: json!(456),
                label: "cool-vpc / cool-vpc-subnet".into(),
                region: Some("us-east".into()),
                summary: Some("192.0.2.210/24".into()),
            }]
        );
        assert_eq!(subnets(read(json!({ "id": 123, "label": null }))), []);
    }

    #[test]
    fn a_firewall_that_is_off_is_no_choice() {
        let of = |status: serde_json::Value| {
            firewall(read(json!({ "id": 7, "label": "web", "status": status })))
        };
        assert_eq!(of(json!("enabled")).unwrap().value, json!(7));
        assert!(of(json!(null)).is_some());
        assert!(of(json!("disabled")).is_none() && of(json!("deleted")).is_none());
    }

    #[test]
    fn a_placement_group_says_what_it_does() {
        let of = |kind: &str| {
            let json = json!({
                "id": 528, "label": "pg", "region": "us-mia", "placement_group_type": kind,
            });
            String::from(group(read(json)).summary.unwrap())
        };
        assert_eq!(of("anti_affinity:local"), "servers kept apart");
        assert_eq!(of("anti-affinity:local"), "servers kept apart");
        assert_eq!(of("new:word"), "new:word");
    }
}
