//! `POST /linode/instances`: what is refused, and the server that comes of the rest.

use std::time::Duration;

use serde_json::Value;

use crate::faults::Fate;
use crate::vendor::Answer;

use super::actions::{self, Job};
use super::catalogue::regions::Region;
use super::catalogue::types::Type;
use super::instance::{Change, Instance, Order, Status};
use super::refusal::{BAD_REGION, BAD_TYPE, Complaints, OVER_LIMIT, Refusal};
use super::{Desk, Reply, checks, joins, object};

/// Answers `POST /v4/linode/instances`.
pub(crate) fn create(mut desk: Desk<'_>) -> Reply {
    let body = &object(desk.call)?;
    let id = desk.ids.instance();
    let order = order(&desk, id, body)?;
    if desk.account.living().count() >= desk.stage.config.server_limit {
        return Err(Refusal::invalid(OVER_LIMIT));
    }
    let boots = order.system.image.is_some() && body["booted"].as_bool().unwrap_or(true);
    desk.account.ensure_tags(&order.tags);

    let secondary = actions::image_entity(&desk, order.system.image.as_deref());
    let address = desk.ids.address();
    let mut instance = Instance::new(id, address, order, desk.now);
    let effect = &desk.call.effect;
    let lag = effect
        .unlisted_ms
        .map_or(desk.stage.config.list_lag, Duration::from_millis);
    instance.listed = desk.now + desk.stage.clock.scaled(lag);
    if effect.untagged {
        instance.tags.clear();
    }
    if let Some(late) = effect.tags_late_ms {
        let tags = std::mem::take(&mut instance.tags);
        let wait = desk.stage.clock.scaled(Duration::from_millis(late));
        instance.plan(desk.now + wait, Change::Tag(tags));
    }
    desk.account.instances.insert(id, instance);
    let job = Job {
        action: "linode_create",
        during: Status::Provisioning,
        millis: (30_000, 60_000),
        done: vec![Change::Become(Status::Offline)],
        spoiled: match desk.call.fate {
            Some(Fate::Fails) => vec![Change::Vanish],
            None | Some(Fate::Ignored) => Vec::new(),
        },
        boots,
        secondary,
    };
    actions::begin(&mut desk, id, job);
    let instance = desk.account.instance(id).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &instance.view()).committed().about(id))
}

fn order(desk: &Desk<'_>, id: u64, body: &Value) -> Result<Order, Refusal> {
    let mut complaints = Complaints::default();
    let region = complaints.hear(region(body));
    let kind = complaints.hear(kind(body));
    let label = complaints.hear(checks::new_label(desk, &body["label"], None));
    let tags = complaints.hear(checks::tags(&body["tags"]));
    let system = checks::system(desk, body, kind, region, &mut complaints);
    complaints.hear(backups(body));
    let firewall = complaints.hear(joins::firewall(desk, body, region));
    let placement_group = complaints.hear(joins::placement_group(desk, body, region));
    let interfaces = complaints.hear(joins::interfaces(desk, body, region));
    complaints.end()?;
    let (Some(region), Some(kind)) = (region, kind) else {
        // Their absence was complained of above.
        return Err(Refusal::invalid(BAD_REGION));
    };
    if region.in_outage || !kind.is_available_in(region) {
        return Err(Refusal::not_here());
    }
    let flag = |name: &str| body[name].as_bool().unwrap_or(false);
    let text = |name: &str, absent: &str| body[name].as_str().unwrap_or(absent).to_owned();
    Ok(Order {
        label: label.flatten().unwrap_or_else(|| format!("linode{id}")),
        kind,
        region,
        tags: tags.unwrap_or_default(),
        group: text("group", ""),
        system,
        backups: flag("backups_enabled"),
        private_ip: flag("private_ip"),
        firewall: firewall.flatten(),
        interfaces: interfaces.unwrap_or_default(),
        interface_generation: text("interface_generation", "legacy_config"),
        maintenance_policy: text("maintenance_policy", "linode/migrate"),
        placement_group: placement_group.unwrap_or_default(),
        swap_mib: body["swap_size"].as_u64().unwrap_or(512),
    })
}

fn region(body: &Value) -> Result<&'static Region, Refusal> {
    match &body["region"] {
        Value::Null => Err(Refusal::field("region", "region is required")),
        given => given
            .as_str()
            .and_then(Region::find)
            .ok_or_else(|| Refusal::field("region", BAD_REGION)),
    }
}

/// Returns the type that a body names.
pub(crate) fn kind(body: &Value) -> Result<&'static Type, Refusal> {
    match &body["type"] {
        Value::Null => Err(Refusal::field("type", "type is required")),
        given => given
            .as_str()
            .and_then(Type::find)
            .ok_or_else(|| Refusal::field("type", BAD_TYPE)),
    }
}

fn backups(body: &Value) -> Result<(), Refusal> {
    if !body["backup_id"].is_null() {
        let reason = "This simulator keeps no backups to restore from";
        return Err(Refusal::field("backup_id", reason));
    }
    let private = body["image"]
        .as_str()
        .is_some_and(|it| !it.starts_with("linode/"));
    if private && body["backups_enabled"] == true {
        let reason = "Backups cannot be enabled when deploying a private image";
        return Err(Refusal::field("backups_enabled", reason));
    }
    Ok(())
}
