//! What a droplet can join: VPCs and, by its tags, firewalls; and when its backups are made.

use serde_json::{Value, json};

use crate::vendor::Answer;

use super::catalogue::regions::{REGIONS, Region};
use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply, droplets};

/// Who owns what is not every account's.
const OWNER: &str = "main";

const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const HOURS: &[u64] = &[0, 4, 8, 12, 16, 20];

struct Firewall {
    id: String,
    name: &'static str,
    tags: &'static [&'static str],
}

struct Vpc {
    id: String,
    name: String,
    region: &'static str,
    ip_range: String,
    is_default: bool,
}

/// Returns the firewalls of the account: one that goes by tags, and one that does not.
fn firewalls(desk: &Desk<'_>) -> Vec<Firewall> {
    if desk.account.name != OWNER {
        return Vec::new();
    }
    let firewall = |name: &'static str, tags| Firewall {
        id: desk.stage.draw.uuid(&format!("firewall/{OWNER}/{name}")),
        name,
        tags,
    };
    vec![
        firewall("web-only", &["fw-web", "fw-all"]),
        firewall("by-hand", &[]),
    ]
}

/// Returns the VPCs of the account: the default one of each region, and one more.
fn vpcs(desk: &Desk<'_>) -> Vec<Vpc> {
    let open = REGIONS.iter().filter(|it| it.available);
    let mut vpcs: Vec<Vpc> = open
        .map(|region| Vpc {
            id: default_vpc(desk, region),
            name: format!("default-{}", region.slug),
            region: region.slug,
            ip_range: format!("10.{}.0.0/16", 100 + Region::position(region.slug)),
            is_default: true,
        })
        .collect();
    if desk.account.name == OWNER {
        vpcs.push(Vpc {
            id: desk.stage.draw.uuid(&format!("vpc/{OWNER}/harbor-apps")),
            name: "harbor-apps".to_owned(),
            region: "nyc3",
            ip_range: "10.10.10.0/24".to_owned(),
            is_default: false,
        });
    }
    vpcs
}

fn default_vpc(desk: &Desk<'_>, region: &Region) -> String {
    let account = &desk.account.name;
    desk.stage
        .draw
        .uuid(&format!("vpc/{account}/{}", region.slug))
}

/// Answers `GET /v2/firewalls`.
pub(crate) fn list_firewalls(desk: &Desk<'_>) -> Answer {
    page(desk.call, "firewalls", &firewalls(desk), Firewall::view)
}

/// Answers `GET /v2/firewalls/{id}`.
pub(crate) fn show_firewall(desk: &Desk<'_>, id: &str) -> Reply {
    let firewall = firewalls(desk).into_iter().find(|it| it.id == id);
    let firewall = firewall.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &json!({ "firewall": firewall.view() })))
}

/// Answers `GET /v2/droplets/{id}/firewalls`.
pub(crate) fn list_firewalls_of(desk: &Desk<'_>, id: &str) -> Reply {
    let tags = &droplets::find(desk, id)?.tags;
    let over: Vec<Firewall> = firewalls(desk)
        .into_iter()
        .filter(|it| it.is_over(tags))
        .collect();
    Ok(page(desk.call, "firewalls", &over, Firewall::view))
}

/// Answers `GET /v2/vpcs`.
pub(crate) fn list_vpcs(desk: &Desk<'_>) -> Answer {
    page(desk.call, "vpcs", &vpcs(desk), Vpc::view)
}

/// Answers `GET /v2/vpcs/{id}`.
pub(crate) fn show_vpc(desk: &Desk<'_>, id: &str) -> Reply {
    let vpc = vpcs(desk).into_iter().find(|it| it.id == id);
    let vpc = vpc.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &json!({ "vpc": vpc.view() })))
}

/// Answers `GET /v2/droplets/backups/supported_policies`.
pub(crate) fn supported_policies() -> Answer {
    let policy = |name: &str, days: &[&str], kept: u64| {
        json!({
            "name": name,
            "possible_window_starts": HOURS,
            "window_length_hours": 4,
            "retention_period_days": kept,
            "possible_days": days,
        })
    };
    let policies = [policy("weekly", DAYS, 28), policy("daily", &[], 7)];
    Answer::json(200, &json!({ "supported_policies": policies }))
}

/// Answers `GET /v2/droplets/{id}/backups/policy`.
pub(crate) fn show_policy(desk: &Desk<'_>, id: &str) -> Reply {
    let droplet = droplets::find(desk, id)?;
    let policy = json!({
        "droplet_id": droplet.id,
        "backup_enabled": droplet.backups,
        "backup_policy": droplet.backup_policy,
        "next_backup_window": null,
    });
    Ok(Answer::json(200, &json!({ "policy": policy })))
}

/// Returns the VPC that a droplet joins.
pub(crate) fn vpc(desk: &Desk<'_>, given: &Value, region: &Region) -> Result<String, Refusal> {
    let wanted = match given {
        Value::Null => return Ok(default_vpc(desk, region)),
        Value::String(id) => id,
        _ => return Err(Refusal::unprocessable("vpc_uuid must be a string.")),
    };
    let vpc = vpcs(desk).into_iter().find(|it| it.id == *wanted);
    let vpc = vpc.ok_or_else(|| Refusal::unprocessable("The VPC does not exist."))?;
    if vpc.region != region.slug {
        let message = "The VPC is not in the region of the Droplet.";
        return Err(Refusal::unprocessable(message));
    }
    Ok(vpc.id)
}

/// Returns when backups are made, as the vendor then shows it.
pub(crate) fn backup_policy(given: &Value, backups: bool) -> Result<Value, Refusal> {
    let refused = |message: &str| Err(Refusal::unprocessable(message));
    let policy = match given {
        Value::Null if !backups => return Ok(Value::Null),
        Value::Null => &json!({ "plan": "daily" }),
        Value::Object(_) if !backups => {
            return refused("A backup policy needs backups to be enabled.");
        }
        Value::Object(_) => given,
        _ => return refused("backup_policy must be an object."),
    };
    let is_weekly = match policy["plan"].as_str() {
        Some("weekly") => true,
        None | Some("daily") => false,
        Some(_) => return refused("The plan of a backup policy is daily or weekly."),
    };
    let weekday = match &policy["weekday"] {
        Value::Null if is_weekly => json!("SUN"),
        Value::Null => Value::Null,
        _ if !is_weekly => return refused("A daily backup policy has no weekday."),
        day if day.as_str().is_some_and(|it| DAYS.contains(&it)) => day.clone(),
        _ => return refused("The weekday of the backup policy is not valid."),
    };
    let hour = match &policy["hour"] {
        Value::Null => json!(0),
        hour if hour.as_u64().is_some_and(|it| HOURS.contains(&it)) => hour.clone(),
        _ => return refused("The hour of the backup policy is not valid."),
    };
    Ok(json!({
        "plan": if is_weekly { "weekly" } else { "daily" },
        "weekday": weekday,
        "hour": hour,
        "window_length_hours": 4,
        "retention_period_days": if is_weekly { 28 } else { 7 },
    }))
}

impl Firewall {
    fn is_over(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|it| it.eq_ignore_ascii_case(tag));
        self.tags.iter().any(|it| has(it))
    }

    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "status": "succeeded",
            "created_at": "2025-05-23T21:23:59Z",
            "pending_changes": [],
            "droplet_ids": [],
            "tags": self.tags,
            "inbound_rules": [{
                "protocol": "tcp", "ports": "80", "sources": { "addresses": ["0.0.0.0/0", "::/0"] },
            }],
            "outbound_rules": [{
                "protocol": "tcp", "ports": "0",
                "destinations": { "addresses": ["0.0.0.0/0", "::/0"] },
            }],
        })
    }
}

impl Vpc {
    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "urn": format!("do:vpc:{}", self.id),
            "name": self.name,
            "description": "",
            "region": self.region,
            "ip_range": self.ip_range,
            "default": self.is_default,
            "created_at": "2025-03-13T19:20:47Z",
        })
    }
}
