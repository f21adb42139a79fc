//! What a server can join: firewalls, subnets of VPCs, placement groups.

use serde_json::{Value, json};

use crate::vendor::Answer;

use super::catalogue::regions::Region;
use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply};

/// Who owns everything in here.
const OWNER: &str = "main";

/// How many servers a placement group takes in every region.
const GROUP_LIMIT: usize = 5;

#[derive(Debug)]
struct Firewall {
    id: u64,
    label: &'static str,
    status: &'static str,
}

#[derive(Debug)]
struct Vpc {
    id: u64,
    label: &'static str,
    region: &'static str,
    subnets: &'static [Subnet],
}

#[derive(Debug)]
struct Subnet {
    id: u64,
    label: &'static str,
    ipv4: &'static str,
}

#[derive(Debug)]
struct Group {
    id: u64,
    label: &'static str,
    region: &'static str,
    policy: &'static str,
}

#[rustfmt::skip]
const FIREWALLS: &[Firewall] = &[
    Firewall { id: 45_001, label: "web-only", status: "enabled" },
    Firewall { id: 45_002, label: "old-rules", status: "disabled" },
];

const fn subnet(id: u64, label: &'static str, ipv4: &'static str) -> Subnet {
    Subnet { id, label, ipv4 }
}

#[rustfmt::skip]
const VPCS: &[Vpc] = &[
    Vpc {
        id: 5_101, label: "harbor-east", region: "us-east",
        subnets: &[subnet(6_201, "apps", "10.0.4.0/24"), subnet(6_202, "data", "10.0.5.0/24")],
    },
    Vpc {
        id: 5_102, label: "harbor-iad", region: "us-iad",
        subnets: &[subnet(6_203, "apps", "10.1.4.0/24")],
    },
    Vpc { id: 5_103, label: "empty", region: "us-ord", subnets: &[] },
];

#[rustfmt::skip]
const GROUPS: &[Group] = &[
    Group { id: 528_001, label: "apart-iad", region: "us-iad", policy: "strict" },
    Group { id: 528_002, label: "apart-east", region: "us-east", policy: "flexible" },
];

/// Returns what the account has of a list.
fn owned<T>(desk: &Desk<'_>, all: &'static [T]) -> &'static [T] {
    if desk.account.name == OWNER { all } else { &[] }
}

/// Answers `GET /v4/networking/firewalls`.
pub(crate) fn list_firewalls(desk: &Desk<'_>) -> Reply {
    let all = owned(desk, FIREWALLS).iter();
    let views = all.map(|it| it.view(desk)).collect();
    page(desk.call, views, &["id", "label", "tags"])
}

/// Answers `GET /v4/networking/firewalls/{id}`.
pub(crate) fn show_firewall(desk: &Desk<'_>, id: &str) -> Reply {
    let all = owned(desk, FIREWALLS).iter();
    one(all.map(|it| (it.id, it.view(desk))), id)
}

/// Answers `GET /v4/vpcs`.
pub(crate) fn list_vpcs(desk: &Desk<'_>) -> Reply {
    let all = owned(desk, VPCS).iter();
    let views = all.map(|it| it.view(desk)).collect();
    page(desk.call, views, &["id", "label", "region"])
}

/// Answers `GET /v4/vpcs/{id}`.
pub(crate) fn show_vpc(desk: &Desk<'_>, id: &str) -> Reply {
    let all = owned(desk, VPCS).iter();
    one(all.map(|it| (it.id, it.view(desk))), id)
}

/// Answers `GET /v4/vpcs/{id}/subnets`.
pub(crate) fn list_subnets(desk: &Desk<'_>, id: &str) -> Reply {
    let vpc = owned(desk, VPCS)
        .iter()
        .find(|it| it.id.to_string() == id)
        .ok_or_else(Refusal::not_found)?;
    let views = vpc.subnets.iter().map(|it| it.view(desk)).collect();
    page(desk.call, views, &["id", "label"])
}

/// Answers `GET /v4/placement/groups`.
pub(crate) fn list_groups(desk: &Desk<'_>) -> Reply {
    let all = owned(desk, GROUPS).iter();
    let views = all.map(|it| it.view(desk)).collect();
    page(
        desk.call,
        views,
        &["label", "placement_group_type", "region"],
    )
}

/// Answers `GET /v4/placement/groups/{id}`.
pub(crate) fn show_group(desk: &Desk<'_>, id: &str) -> Reply {
    let all = owned(desk, GROUPS).iter();
    one(all.map(|it| (it.id, it.view(desk))), id)
}

fn one(mut all: impl Iterator<Item = (u64, Value)>, id: &str) -> Reply {
    let found = all.find(|(it, _)| it.to_string() == id);
    let (_, view) = found.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &view))
}

/// Returns the firewall that a body names.
pub(crate) fn firewall(
    desk: &Desk<'_>,
    body: &Value,
    region: Option<&Region>,
) -> Result<Option<u64>, Refusal> {
    let refused = |reason: &str| Err(Refusal::field("firewall_id", reason));
    let given = match &body["firewall_id"] {
        Value::Null => return Ok(None),
        given => given.as_u64(),
    };
    let known = owned(desk, FIREWALLS).iter();
    let Some(firewall) = known.into_iter().find(|it| Some(it.id) == given) else {
        return refused("firewall_id is not valid");
    };
    if region.is_some_and(|it| !it.can("Cloud Firewall")) {
        return refused("Cloud Firewalls are not available in this region");
    }
    Ok(Some(firewall.id))
}

/// Returns the placement group that a body names, as the server shows it.
pub(crate) fn placement_group(
    desk: &Desk<'_>,
    body: &Value,
    region: Option<&Region>,
) -> Result<Value, Refusal> {
    let refused = |reason: &str| Err(Refusal::field("placement_group.id", reason));
    let given = match &body["placement_group"] {
        Value::Null => return Ok(Value::Null),
        given => given["id"].as_u64(),
    };
    let known = owned(desk, GROUPS).iter();
    let Some(group) = known.into_iter().find(|it| Some(it.id) == given) else {
        return refused("placement_group.id is not valid");
    };
    if region.is_some_and(|it| it.id != group.region) {
        return refused("The placement group is in another region than the Linode");
    }
    if group.members(desk).len() >= GROUP_LIMIT {
        return refused("The placement group has no capacity left");
    }
    Ok(json!({
        "id": group.id,
        "label": group.label,
        "placement_group_type": "anti_affinity:local",
        "placement_group_policy": group.policy,
        "migrating_to": null,
    }))
}

/// Returns the interfaces that a body describes, with their VPCs.
pub(crate) fn interfaces(
    desk: &Desk<'_>,
    body: &Value,
    region: Option<&Region>,
) -> Result<Vec<Value>, Refusal> {
    let refused = |field: &str, reason: &str| Err(Refusal::field(field, reason));
    let given = match &body["interfaces"] {
        Value::Null => return Ok(Vec::new()),
        Value::Array(given) => given,
        _ => return refused("interfaces", "Must be a list"),
    };
    if body["interface_generation"] != "legacy_config" {
        let reason = "This simulator knows interfaces of the generation legacy_config only";
        return refused("interface_generation", reason);
    }
    if given.len() > 3 {
        return refused("interfaces", "Must have at most 3 interfaces");
    }
    let publics = given.iter().filter(|it| it["purpose"] == "public").count();
    if publics > 1 {
        return refused("interfaces", "Must have at most one public interface");
    }
    let mut interfaces = Vec::new();
    for (place, given) in given.iter().enumerate() {
        let field = |name: &str| format!("interfaces[{place}].{name}");
        match given["purpose"].as_str() {
            Some("public") => interfaces.push(json!({ "purpose": "public" })),
            Some("vpc") => {
                let Some((vpc, subnet)) = find_subnet(desk, given["subnet_id"].as_u64()) else {
                    return refused(&field("subnet_id"), "subnet_id is not valid");
                };
                if region.is_some_and(|it| it.id != vpc.region) {
                    let reason = "The VPC is in another region than the Linode";
                    return refused(&field("subnet_id"), reason);
                }
                interfaces.push(json!({
                    "purpose": "vpc", "vpc_id": vpc.id, "subnet_id": subnet.id,
                }));
            }
            Some("vlan") => return refused(&field("purpose"), "This simulator has no VLANs"),
            _ => return refused(&field("purpose"), "Must be one of public, vlan, vpc"),
        }
    }
    Ok(interfaces)
}

fn find_subnet(desk: &Desk<'_>, id: Option<u64>) -> Option<(&'static Vpc, &'static Subnet)> {
    owned(desk, VPCS).iter().find_map(|vpc| {
        let subnet = vpc.subnets.iter().find(|it| Some(it.id) == id)?;
        Some((vpc, subnet))
    })
}

impl Firewall {
    fn view(&self, desk: &Desk<'_>) -> Value {
        let behind = desk
            .account
            .living()
            .filter(|it| it.firewall == Some(self.id));
        let entities: Vec<Value> = behind
            .map(|it| {
                json!({
                    "id": it.id,
                    "label": it.label,
                    "type": "linode",
                    "url": format!("/v4/linode/instances/{}", it.id),
                    "parent_entity": null,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "label": self.label,
            "status": self.status,
            "created": "2025-01-01T00:01:01",
            "updated": "2025-01-02T00:01:01",
            "tags": [],
            "entities": entities,
            "rules": {
                "inbound": [{
                    "action": "ACCEPT", "protocol": "TCP", "ports": "22, 80, 443",
                    "label": "web", "description": null,
                    "addresses": { "ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"] },
                }],
                "inbound_policy": "DROP",
                "outbound": [],
                "outbound_policy": "ACCEPT",
                "version": 1,
                "fingerprint": "997dd135",
            },
        })
    }
}

impl Vpc {
    fn view(&self, desk: &Desk<'_>) -> Value {
        let subnets: Vec<Value> = self.subnets.iter().map(|it| it.view(desk)).collect();
        json!({
            "id": self.id,
            "label": self.label,
            "description": "",
            "region": self.region,
            "subnets": subnets,
            "created": "2025-01-01T00:01:01",
            "updated": "2025-01-01T00:01:01",
        })
    }
}

impl Subnet {
    fn view(&self, desk: &Desk<'_>) -> Value {
        let inside = desk.account.living().filter(|it| it.is_in_subnet(self.id));
        let linodes: Vec<Value> = inside
            .map(|it| json!({ "id": it.id, "interfaces": [{ "id": it.id, "active": true }] }))
            .collect();
        json!({
            "id": self.id,
            "label": self.label,
            "ipv4": self.ipv4,
            "linodes": linodes,
            "created": "2025-01-01T00:01:01",
            "updated": "2025-01-01T00:01:01",
        })
    }
}

impl Group {
    fn members(&self, desk: &Desk<'_>) -> Vec<u64> {
        let living = desk.account.living();
        living
            .filter(|it| it.group_id() == Some(self.id))
            .map(|it| it.id)
            .collect()
    }

    fn view(&self, desk: &Desk<'_>) -> Value {
        let members: Vec<Value> = self
            .members(desk)
            .into_iter()
            .map(|id| json!({ "linode_id": id, "is_compliant": true }))
            .collect();
        json!({
            "id": self.id,
            "label": self.label,
            "region": self.region,
            "placement_group_type": "anti_affinity:local",
            "placement_group_policy": self.policy,
            "is_compliant": true,
            "members": members,
            "migrations": { "inbound": [], "outbound": [] },
        })
    }
}
