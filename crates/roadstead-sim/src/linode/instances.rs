//! `/linode/instances` except creation and actions: lists, one server, changes, deletion.

use serde_json::{Value, json};

use crate::faults::{Ending, Fate};
use crate::vendor::Answer;

use super::events::{self, Record};
use super::instance::{Change, Instance, Status};
use super::paging::page;
use super::refusal::{BUSY, Complaints, Refusal};
use super::{Desk, Reply, checks, object};

const FILTERABLE: &[&str] = &[
    "group",
    "id",
    "image",
    "interface_generation",
    "ipv4",
    "label",
    "placement_group.label",
    "placement_group.placement_group_type",
    "region",
    "tags",
];

/// Answers `GET /v4/linode/instances`.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let listed = desk.account.living().filter(|it| it.listed <= desk.now);
    page(desk.call, listed.map(Instance::view).collect(), FILTERABLE)
}

/// Answers `GET /v4/linode/instances/{id}`.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let instance = find(desk, id)?;
    Ok(Answer::json(200, &instance.view()).about(instance.id))
}

/// Answers `PUT /v4/linode/instances/{id}`. Fields that cannot be changed are
/// passed over, because callers send back what they have read.
pub(crate) fn update(mut desk: Desk<'_>, id: &str) -> Reply {
    let id = find(&desk, id)?.id;
    let body = &object(desk.call)?;
    let mut complaints = Complaints::default();
    let label = complaints.hear(checks::new_label(&desk, &body["label"], Some(id)));
    let tags = match &body["tags"] {
        Value::Null => None,
        given => complaints.hear(checks::tags(given)),
    };
    complaints.end()?;
    if let Some(tags) = &tags {
        desk.account.ensure_tags(tags);
    }
    let now = desk.now;
    let instance = desk.account.instance_mut(id);
    let instance = instance.ok_or_else(Refusal::not_found)?;
    if instance.status == Status::Deleting {
        return Err(Refusal::invalid(BUSY));
    }
    if let Some(label) = label.flatten() {
        instance.label = label;
    }
    if let Some(tags) = tags {
        instance.tags = tags;
    }
    if let Some(group) = body["group"].as_str() {
        group.clone_into(&mut instance.group);
    }
    if let Some(watchdog) = body["watchdog_enabled"].as_bool() {
        instance.watchdog = watchdog;
    }
    instance.updated = now;
    let answer = Answer::json(200, &instance.view()).committed().about(id);
    events::notify(&mut desk, "linode_update", id);
    Ok(answer)
}

/// Answers `DELETE /v4/linode/instances/{id}`, whatever else is being done to
/// it. The server can be read for a little while yet.
pub(crate) fn remove(mut desk: Desk<'_>, id: &str) -> Reply {
    let (id, status) = {
        let instance = find(&desk, id)?;
        (instance.id, instance.status)
    };
    let answer = Answer::json(200, &json!({})).about(id);
    if status == Status::Deleting {
        return Ok(answer);
    }
    let ends = desk.now + desk.wait(&format!("instance/{id}/delete"), (2_000, 10_000));
    let (now, fate) = (desk.now, desk.call.fate);
    match fate {
        None => {
            events::cut_short(&mut desk, id);
            if let Some(instance) = desk.account.instance_mut(id) {
                instance.abandon_plans();
                instance.status = Status::Deleting;
                instance.updated = now;
                instance.busy_until = ends;
                instance.deletion_asked = Some(now);
                instance.plan(ends, Change::Vanish);
            }
        }
        // A deletion that comes to nothing may be asked for again.
        Some(Fate::Fails | Fate::Ignored) => {}
    }
    let record = Record {
        action: "linode_delete",
        instance: id,
        secondary: Value::Null,
        created: now,
        ends,
        ending: Ending::of(fate),
    };
    events::record(&mut desk, record);
    Ok(answer.committed())
}

/// Returns a server that still exists.
pub(crate) fn find<'a>(desk: &'a Desk<'_>, id: &str) -> Result<&'a Instance, Refusal> {
    let id: Option<u64> = id.parse().ok();
    id.and_then(|id| desk.account.instance(id))
        .ok_or_else(Refusal::not_found)
}
