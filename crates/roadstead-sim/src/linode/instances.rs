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

const DAYS: &[&str] = &[
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const WINDOWS: &[&str] = &[
    "W0", "W2", "W4", "W6", "W8", "W10", "W12", "W14", "W16", "W18", "W20", "W22",
];

/// Answers `GET /v4/linode/instances`.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let as_of = desk.as_of();
    let all = desk.account.instances.values();
    let listed = all.filter(|it| it.is_listed(as_of) && !desk.call.effect.hides_servers);
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
    let has_backups = desk.account.instance(id).is_some_and(|it| it.backups);
    let schedule = complaints.hear(schedule(body.pointer("/backups/schedule"), has_backups));
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
    if let Some(schedule) = schedule.flatten() {
        instance.schedule = Some(schedule);
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

/// Returns the day and the window of backups that a body sets. What a server without
/// backups shows may be sent back.
fn schedule(given: Option<&Value>, has_backups: bool) -> Result<Option<(String, String)>, Refusal> {
    let given = given.unwrap_or(&Value::Null);
    let (day, window) = (&given["day"], &given["window"]);
    if day.is_null() && window.is_null() {
        return Ok(None);
    }
    if !has_backups {
        let reason = "Backups are not enabled on this Linode";
        return Err(Refusal::field("backups.schedule", reason));
    }
    let known = |name: &str, given: &Value, words: &[&str]| match given.as_str() {
        Some(word) if words.contains(&word) => Ok(word.to_owned()),
        _ => {
            let field = format!("backups.schedule.{name}");
            Err(Refusal::field(&field, format!("{name} is not valid")))
        }
    };
    Ok(Some((
        known("day", day, DAYS)?,
        known("window", window, WINDOWS)?,
    )))
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
    if desk.call.effect.hides_servers {
        return Err(Refusal::forbidden());
    }
    let id: Option<u64> = id.parse().ok();
    id.and_then(|id| desk.account.instance(id))
        .ok_or_else(Refusal::not_found)
}
