//! What is done to a server that exists: power, size, rescue, password.

use serde_json::{Value, json};

use crate::faults::{Ending, Fate};
use crate::vendor::Answer;

use super::create::kind;
use super::events::{self, Record};
use super::instance::{Change, Status};
use super::refusal::{BUSY, IS_ON, Refusal, SAME_TYPE, SMALLER_DISK};
use super::{Desk, Reply, checks, images, instances, object, object_or_nothing};

/// Something that is done to a server, and takes its time.
#[derive(Debug)]
pub(crate) struct Job {
    /// The word of its event.
    pub(crate) action: &'static str,
    pub(crate) during: Status,
    /// How long it takes at scale 1, including the boot.
    pub(crate) millis: (u64, u64),
    /// What it changes when it is done.
    pub(crate) done: Vec<Change>,
    /// What happens instead if a fault has decided so.
    pub(crate) spoiled: Vec<Change>,
    /// Whether the server boots afterwards.
    pub(crate) boots: bool,
    pub(crate) secondary: Value,
}

/// Begins a job.
pub(crate) fn begin(desk: &mut Desk<'_>, id: u64, job: Job) {
    let (now, fate) = (desk.now, desk.call.fate);
    let name = format!("instance/{id}/{}/{}", job.action, desk.account.events.len());
    let whole = desk.wait(&name, job.millis);
    let boots = job.boots && fate.is_none();
    let done = now + if boots { whole / 5 * 3 } else { whole };
    let booted = now + whole;
    if let Some(instance) = desk.account.instance_mut(id) {
        instance.status = job.during;
        instance.updated = now;
        instance.busy_until = if boots { booted } else { done };
        let changes = match fate {
            None => job.done,
            Some(Fate::Fails | Fate::Ignored) => job.spoiled,
        };
        for change in changes {
            instance.plan(done, change);
        }
        if boots {
            instance.plan(done, Change::Become(Status::Booting));
            instance.plan(booted, Change::Become(Status::Running));
        }
    }
    let mut record = |action, created, ends, secondary| {
        let record = Record {
            action,
            instance: id,
            secondary,
            created,
            ends,
            ending: Ending::of(fate),
        };
        events::record(desk, record);
    };
    record(job.action, now, done, job.secondary);
    if boots {
        record("linode_boot", done, booted, Value::Null);
    }
}

/// Refuses while something is being done to the server.
pub(crate) fn ready(desk: &Desk<'_>, id: u64) -> Result<Status, Refusal> {
    let instance = desk.account.instance(id).ok_or_else(Refusal::not_found)?;
    if instance.is_busy(desk.now) {
        return Err(Refusal::invalid(BUSY));
    }
    Ok(instance.status)
}

/// Answers `POST /v4/linode/instances/{id}/{action}`.
pub(crate) fn start(mut desk: Desk<'_>, id: &str, action: &str) -> Reply {
    let id = instances::find(&desk, id)?.id;
    let job = match action {
        "boot" => boot(&desk, id),
        "reboot" => reboot(&desk, id),
        "shutdown" => shutdown(&desk, id),
        "resize" => resize(&desk, id),
        "rescue" => rescue(&desk, id),
        "password" => password(&desk, id),
        "clone" | "migrate" | "mutate" | "backups" => Err(Refusal::invalid(format!(
            "This simulator does not {action} servers."
        ))),
        _ => Err(Refusal::not_found()),
    }?;
    begin(&mut desk, id, job);
    Ok(Answer::json(200, &json!({})).committed().about(id))
}

/// Returns what events say about the image that a server is made from.
pub(crate) fn image_entity(desk: &Desk<'_>, image: Option<&str>) -> Value {
    match image.and_then(|id| images::usable(desk, id)) {
        None => Value::Null,
        Some(image) => {
            let image = &image;
            let id = image["id"].as_str().unwrap_or_default();
            json!({
                "id": id,
                "type": "image",
                "label": image["label"],
                "url": format!("/v4/images/{id}"),
            })
        }
    }
}

fn boot(desk: &Desk<'_>, id: u64) -> Result<Job, Refusal> {
    check_config(desk)?;
    match ready(desk, id)? {
        Status::Offline => {}
        status => return Err(wrong_state(id, status)),
    }
    let empty = desk
        .account
        .instance(id)
        .is_none_or(|it| it.system.image.is_none());
    if empty {
        return Err(Refusal::invalid(format!(
            "Linode {id} has no configuration to boot."
        )));
    }
    Ok(power("linode_boot", Status::Booting, Status::Running))
}

fn reboot(desk: &Desk<'_>, id: u64) -> Result<Job, Refusal> {
    check_config(desk)?;
    match ready(desk, id)? {
        Status::Running => Ok(power("linode_reboot", Status::Rebooting, Status::Running)),
        status => Err(wrong_state(id, status)),
    }
}

fn shutdown(desk: &Desk<'_>, id: u64) -> Result<Job, Refusal> {
    if !desk.call.body.is_empty() {
        return Err(Refusal::invalid("This endpoint takes no request body"));
    }
    match ready(desk, id)? {
        Status::Running => Ok(Job {
            millis: (5_000, 15_000),
            ..power("linode_shutdown", Status::ShuttingDown, Status::Offline)
        }),
        status => Err(wrong_state(id, status)),
    }
}

fn resize(desk: &Desk<'_>, id: u64) -> Result<Job, Refusal> {
    let body = &object(desk.call)?;
    let kind = kind(body)?;
    if !matches!(
        body["migration_type"].as_str(),
        None | Some("warm" | "cold")
    ) {
        let reason = "Must be warm or cold";
        return Err(Refusal::field("migration_type", reason));
    }
    let status = ready(desk, id)?;
    let instance = desk.account.instance(id).ok_or_else(Refusal::not_found)?;
    if kind.id == instance.kind.id {
        return Err(Refusal::invalid(SAME_TYPE));
    }
    if !kind.is_available_in(instance.region) {
        return Err(Refusal::not_here());
    }
    if kind.disk_mib < instance.disk_mib {
        return Err(Refusal::invalid(SMALLER_DISK));
    }
    let grows = body["allow_auto_disk_resize"].as_bool().unwrap_or(true);
    let disk_mib = if grows {
        kind.disk_mib
    } else {
        instance.disk_mib
    };
    Ok(Job {
        action: "linode_resize",
        during: Status::Resizing,
        millis: (30_000, 60_000),
        done: vec![Change::Resize { kind, disk_mib }, Change::Become(status)],
        spoiled: vec![Change::Become(status)],
        boots: false,
        secondary: Value::Null,
    })
}

fn rescue(desk: &Desk<'_>, id: u64) -> Result<Job, Refusal> {
    let body = &object_or_nothing(desk.call)?;
    if !body.pointer("/devices/sdh").is_none_or(Value::is_null) {
        return Err(Refusal::field("devices.sdh", "sdh is reserved"));
    }
    let status = ready(desk, id)?;
    Ok(Job {
        spoiled: vec![Change::Become(status)],
        ..power("linode_reboot", Status::Rebooting, Status::Running)
    })
}

fn password(desk: &Desk<'_>, id: u64) -> Result<Job, Refusal> {
    let body = &object(desk.call)?;
    checks::root_pass(&body["root_pass"])?;
    if ready(desk, id)? != Status::Offline {
        return Err(Refusal::invalid(IS_ON));
    }
    let instance = desk.account.instance(id).ok_or_else(Refusal::not_found)?;
    let mut system = instance.system.clone();
    system.had_root_pass = true;
    Ok(Job {
        action: "password_reset",
        during: Status::Offline,
        millis: (2_000, 5_000),
        done: vec![Change::Install(Box::new(system))],
        spoiled: Vec::new(),
        boots: false,
        secondary: Value::Null,
    })
}

/// A change of power that takes from 10 to 20 seconds.
fn power(action: &'static str, during: Status, after: Status) -> Job {
    // A boot or a shutdown that comes to nothing leaves what was before.
    let before = match during {
        Status::Booting => Status::Offline,
        Status::Provisioning
        | Status::Running
        | Status::Rebooting
        | Status::ShuttingDown
        | Status::Offline
        | Status::Rebuilding
        | Status::Resizing
        | Status::Deleting => Status::Running,
    };
    Job {
        action,
        during,
        millis: (10_000, 20_000),
        done: vec![Change::Become(after)],
        spoiled: vec![Change::Become(before)],
        boots: false,
        secondary: Value::Null,
    }
}

/// Every server has one configuration, which nobody can name.
fn check_config(desk: &Desk<'_>) -> Result<(), Refusal> {
    let body = &object_or_nothing(desk.call)?;
    if body["config_id"].is_null() {
        return Ok(());
    }
    Err(Refusal::field("config_id", "config_id is not valid"))
}

fn wrong_state(id: u64, status: Status) -> Refusal {
    Refusal::invalid(match status {
        Status::Running => format!("Linode {id} already booted."),
        Status::Offline => format!("Linode {id} is not running."),
        Status::Provisioning
        | Status::Booting
        | Status::Rebooting
        | Status::ShuttingDown
        | Status::Rebuilding
        | Status::Resizing
        | Status::Deleting => BUSY.to_owned(),
    })
}
