//! `POST /linode/instances/{id}/rebuild`: a new system on the same server.

use serde_json::Value;

use crate::vendor::Answer;

use super::actions::{self, Job, ready};
use super::create::kind;
use super::instance::{Change, Status};
use super::refusal::{Complaints, Refusal, SMALLER_DISK};
use super::{Desk, Reply, checks, instances, object};

/// Answers `POST /v4/linode/instances/{id}/rebuild`. It also stops what runs.
pub(crate) fn rebuild(mut desk: Desk<'_>, id: &str) -> Reply {
    let instance = instances::find(&desk, id)?;
    let (id, status, old, region) = (instance.id, instance.status, instance.kind, instance.region);
    let body = &object(desk.call)?;
    let mut complaints = Complaints::default();
    let new = match &body["type"] {
        Value::Null => Some(old),
        _ => complaints.hear(kind(body)),
    };
    if body["image"].is_null() {
        complaints.hear::<()>(Err(Refusal::field("image", "image is required")));
    }
    let system = checks::system(&desk, body, new, Some(region), &mut complaints);
    complaints.end()?;
    ready(&desk, id)?;

    let mut done = Vec::new();
    if let Some(kind) = new.filter(|it| it.id != old.id) {
        if !kind.is_available_in(region) {
            return Err(Refusal::not_here());
        }
        if kind.disk_mib < old.disk_mib {
            return Err(Refusal::field("type", SMALLER_DISK));
        }
        let disk_mib = kind.disk_mib;
        done.push(Change::Resize { kind, disk_mib });
    }
    let secondary = actions::image_entity(&desk, system.image.as_deref());
    done.push(Change::Install(Box::new(system)));
    done.push(Change::Become(Status::Offline));
    let job = Job {
        action: "linode_rebuild",
        during: Status::Rebuilding,
        millis: (30_000, 60_000),
        done,
        spoiled: vec![Change::Become(status)],
        boots: body["booted"].as_bool().unwrap_or(true),
        secondary,
    };
    actions::begin(&mut desk, id, job);
    let instance = desk.account.instance(id).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &instance.view()).committed().about(id))
}
