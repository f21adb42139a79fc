//! Actions: what is done to a droplet, and how far it is.

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::faults::Ending;
use crate::vendor::Answer;

use super::account::PrivateImage;
use super::catalogue::region_view;
use super::catalogue::regions::Region;
use super::catalogue::sizes::Size;
use super::droplet::{Change, Status};
use super::paging::page;
use super::refusal::{
    BAD_IMAGE, BAD_SIZE, IS_OFF, IS_ON, PENDING, Refusal, SIZE_NOT_HERE, SIZE_UNAVAILABLE,
    SMALLER_DISK,
};
use super::{Desk, Reply, create, droplets, images, joins, object};

/// One action on a droplet.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    id: u64,
    kind: String,
    droplet: u64,
    region: &'static Region,
    started: Instant,
    ends: Instant,
    ending: Ending,
}

impl Action {
    /// Returns the action in the vendor's JSON.
    pub(crate) fn view(&self, now: Instant) -> Value {
        let over = self.ends <= now;
        let status = match self.ending {
            _ if !over => "in-progress",
            Ending::Completed => "completed",
            Ending::Errored => "errored",
        };
        json!({
            "id": self.id,
            "status": status,
            "type": self.kind,
            "started_at": self.started.seconds_text(),
            "completed_at": over.then(|| self.ends.seconds_text()),
            "resource_id": self.droplet,
            "resource_type": "droplet",
            "region": region_view(self.region),
            "region_slug": self.region.slug,
        })
    }
}

/// Answers `GET /v2/actions`, newest first.
pub(crate) fn list(desk: &Desk<'_>) -> Answer {
    let actions: Vec<&Action> = desk.account.actions.values().rev().collect();
    page(desk.call, "actions", &actions, |it| it.view(desk.now))
}

/// Answers `GET /v2/actions/{id}`, also after the droplet has gone.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let action = find(desk, id)?;
    Ok(Answer::json(200, &json!({ "action": action.view(desk.now) })).about(action.droplet))
}

/// Answers `GET /v2/droplets/{id}/actions`, newest first.
pub(crate) fn list_of_droplet(desk: &Desk<'_>, droplet: &str) -> Reply {
    let id = droplets::find(desk, droplet)?.id;
    let all = desk.account.actions.values().rev();
    let actions: Vec<&Action> = all.filter(|it| it.droplet == id).collect();
    Ok(page(desk.call, "actions", &actions, |it| it.view(desk.now)).about(id))
}

/// Answers `GET /v2/droplets/{id}/actions/{id}`.
pub(crate) fn show_of_droplet(desk: &Desk<'_>, droplet: &str, action: &str) -> Reply {
    let id = droplets::find(desk, droplet)?.id;
    let action = find(desk, action)?;
    if action.droplet != id {
        return Err(Refusal::not_found());
    }
    Ok(Answer::json(200, &json!({ "action": action.view(desk.now) })).about(id))
}

/// Answers `POST /v2/droplets/{id}/actions`.
pub(crate) fn start(mut desk: Desk<'_>, droplet: &str) -> Reply {
    let body = &object(desk.call)?;
    let id = droplets::find(&desk, droplet)?.id;
    let kind = body["type"].as_str().unwrap_or_default().to_owned();
    let plan = plan(&desk, id, &kind, body)?;

    let serial = desk.ids.action();
    let (low, high) = plan.millis;
    let wait = desk.stage.draw.wait(&format!("action/{serial}"), low, high);
    let ends = desk.now + desk.stage.clock.scaled(wait);
    let ending = Ending::of(desk.call.fate);
    if desk.call.fate.is_none() && kind == "snapshot" {
        take_snapshot(&mut desk, id, body, ends);
    }
    let (now, fate) = (desk.now, desk.call.fate);
    let account = &mut *desk.account;
    let droplet = account.droplet_mut(id).ok_or_else(Refusal::not_found)?;
    droplet.busy_until = ends;
    if let (None, Some(change)) = (fate, plan.change) {
        droplet.plan(ends, change);
    }
    let region = droplet.region;
    let action = Action {
        id: serial,
        kind,
        droplet: id,
        region,
        started: now,
        ends,
        ending,
    };
    let view = action.view(now);
    account.actions.insert(serial, action);
    Ok(Answer::json(201, &json!({ "action": view }))
        .committed()
        .about(id))
}

/// Writes down an action that another call has started, and returns its id.
pub(crate) fn record(
    desk: &mut Desk<'_>,
    droplet: u64,
    kind: &str,
    ends: Instant,
    ending: Ending,
) -> u64 {
    let id = desk.ids.action();
    if let Some(region) = desk.account.droplet(droplet).map(|it| it.region) {
        let (kind, started) = (kind.to_owned(), desk.now);
        let action = Action {
            id,
            kind,
            droplet,
            region,
            started,
            ends,
            ending,
        };
        desk.account.actions.insert(id, action);
    }
    id
}

/// What an action will do, and within which time.
struct Plan {
    millis: (u64, u64),
    change: Option<Change>,
}

fn plan(desk: &Desk<'_>, id: u64, kind: &str, body: &Value) -> Result<Plan, Refusal> {
    let droplet = desk.account.droplet(id).ok_or_else(Refusal::not_found)?;
    if !KINDS.contains(&kind) {
        return Err(Refusal::unprocessable(
            "You specified an invalid action type.",
        ));
    }
    if droplet.is_busy(desk.now) {
        return Err(Refusal::unprocessable(PENDING));
    }
    let must_be = |wanted: Status| {
        let message = if wanted == Status::Off { IS_ON } else { IS_OFF };
        (droplet.status == wanted)
            .then_some(())
            .ok_or_else(|| Refusal::unprocessable(message))
    };
    let (millis, change) = match kind {
        "reboot" | "power_cycle" => {
            must_be(Status::Active)?;
            ((10_000, 20_000), None)
        }
        "shutdown" => {
            must_be(Status::Active)?;
            ((5_000, 15_000), Some(Change::TurnOff))
        }
        "power_off" => {
            must_be(Status::Active)?;
            ((2_000, 5_000), Some(Change::TurnOff))
        }
        "power_on" => {
            must_be(Status::Off)?;
            ((10_000, 20_000), Some(Change::TurnOn))
        }
        "rename" => {
            let name = body["name"].as_str().unwrap_or_default();
            create::check_name(name)?;
            ((1_000, 3_000), Some(Change::Rename(name.to_owned())))
        }
        "resize" => {
            must_be(Status::Off)?;
            ((30_000, 60_000), Some(resize(desk, id, body)?))
        }
        "rebuild" => {
            let image = images::usable(desk, body.get("image"));
            let image = image.ok_or_else(|| Refusal::unprocessable(BAD_IMAGE))?;
            create::check_image(&image, droplet.size, droplet.region)?;
            ((30_000, 60_000), Some(Change::Rebuild(image)))
        }
        "password_reset" => ((5_000, 10_000), None),
        "enable_ipv6" => ((5_000, 10_000), Some(Change::EnableIpv6)),
        "enable_backups" => {
            let policy = joins::backup_policy(&body["backup_policy"], true)?;
            ((2_000, 5_000), Some(Change::EnableBackups(policy)))
        }
        "disable_backups" => ((2_000, 5_000), Some(Change::DisableBackups)),
        "change_backup_policy" => {
            let policy = joins::backup_policy(&body["backup_policy"], droplet.backups)?;
            let change = droplet.backups.then_some(Change::EnableBackups(policy));
            ((2_000, 5_000), change)
        }
        "snapshot" => ((30_000, 60_000), None),
        // Backups and foreign kernels are not simulated, so that no image or
        // kernel can be a right one.
        _ => {
            return Err(Refusal::unprocessable(
                "The image or kernel does not fit this Droplet.",
            ));
        }
    };
    Ok(Plan { millis, change })
}

const KINDS: &[&str] = &[
    "change_backup_policy",
    "change_kernel",
    "disable_backups",
    "enable_backups",
    "enable_ipv6",
    "password_reset",
    "power_cycle",
    "power_off",
    "power_on",
    "reboot",
    "rebuild",
    "rename",
    "resize",
    "restore",
    "shutdown",
    "snapshot",
];

fn resize(desk: &Desk<'_>, id: u64, body: &Value) -> Result<Change, Refusal> {
    let droplet = desk.account.droplet(id).ok_or_else(Refusal::not_found)?;
    let size = body["size"].as_str().and_then(Size::find);
    let size = size.ok_or_else(|| Refusal::unprocessable(BAD_SIZE))?;
    if !size.available {
        return Err(Refusal::unprocessable(SIZE_UNAVAILABLE));
    }
    if !size.is_sold_in(droplet.region.slug) {
        return Err(Refusal::unprocessable(SIZE_NOT_HERE));
    }
    if size.disk_gib < droplet.disk_gib {
        return Err(Refusal::unprocessable(SMALLER_DISK));
    }
    let permanent = body["disk"].as_bool().unwrap_or(false);
    let disk_gib = if permanent {
        size.disk_gib
    } else {
        droplet.disk_gib
    };
    Ok(Change::Resize { size, disk_gib })
}

fn take_snapshot(desk: &mut Desk<'_>, id: u64, body: &Value, ends: Instant) {
    let serial = desk.ids.image();
    let now = desk.now;
    let Some(droplet) = desk.account.droplet_mut(id) else {
        return;
    };
    droplet.snapshots.push(serial);
    let name = body["name"]
        .as_str()
        .map_or_else(|| format!("{}-snapshot", droplet.name), str::to_owned);
    let view = json!({
        "id": serial,
        "name": name,
        "distribution": droplet.image.get("distribution"),
        "slug": null,
        "public": false,
        "regions": [droplet.region.slug],
        "created_at": now.seconds_text(),
        "type": "snapshot",
        "min_disk_size": droplet.disk_gib,
        "size_gigabytes": 2.4,
        "description": "",
        "tags": [],
        "status": "available",
        "error_message": "",
    });
    desk.account.images.insert(
        serial,
        PrivateImage {
            ready: Some(ends),
            view,
        },
    );
}

fn find<'a>(desk: &'a Desk<'_>, id: &str) -> Result<&'a Action, Refusal> {
    let id: Option<u64> = id.parse().ok();
    id.and_then(|id| desk.account.actions.get(&id))
        .ok_or_else(Refusal::not_found)
}
