//! `/v2/droplets` except creation: lists, one droplet, deletion.

use std::time::Duration;

use serde_json::json;

use crate::clock::Instant;
use crate::faults::{Ending, Fate};
use crate::vendor::Answer;

use super::actions;
use super::droplet::{Change, Droplet};
use super::paging::page;
use super::refusal::{PENDING, Refusal};
use super::{Desk, Reply};

/// Answers `GET /v2/droplets`.
///
/// Droplets with accelerators are in the list only if it is asked for them,
/// which is the vendor's rule and a trap.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let call = desk.call;
    let (tag, name, kind) = (
        call.query("tag_name"),
        call.query("name"),
        call.query("type"),
    );
    if tag.is_some() && (name.is_some() || kind.is_some()) {
        return Err(Refusal::unprocessable(
            "tag_name can not be combined with name or type.",
        ));
    }
    let gpus = match kind {
        None | Some("droplets") => false,
        Some("gpus") => true,
        Some(_) => return Err(Refusal::unprocessable("type must be droplets or gpus.")),
    };
    let as_of = desk.as_of();
    let found: Vec<&Droplet> = desk
        .account
        .droplets
        .values()
        .filter(|it| it.is_listed(as_of) && it.size.gpu.is_some() == gpus)
        .filter(|_| !call.effect.hides_servers)
        .filter(|it| tag.is_none_or(|tag| it.tags.iter().any(|it| it == tag)))
        .filter(|it| name.is_none_or(|name| it.name.eq_ignore_ascii_case(name)))
        .collect();
    Ok(page(call, "droplets", &found, |it| it.view()))
}

/// Answers `GET /v2/droplets/{id}`.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let droplet = find(desk, id)?;
    Ok(Answer::json(200, &json!({ "droplet": droplet.view() })).about(droplet.id))
}

/// Answers `DELETE /v2/droplets/{id}`: at once, the droplet goes a little later.
pub(crate) fn remove(mut desk: Desk<'_>, id: &str) -> Reply {
    let (id, asked, busy) = {
        let droplet = find(&desk, id)?;
        (
            droplet.id,
            droplet.deletion_asked.is_some(),
            droplet.is_busy(desk.now),
        )
    };
    if asked {
        return Ok(Answer::empty(204).about(id));
    }
    if busy {
        return Err(Refusal::unprocessable(PENDING));
    }
    start_removal(&mut desk, id);
    Ok(Answer::empty(204).committed().about(id))
}

/// Answers `DELETE /v2/droplets?tag_name=`, which deletes all that carry it.
pub(crate) fn remove_tagged(mut desk: Desk<'_>) -> Reply {
    let Some(tag) = desk.call.query("tag_name").map(str::to_owned) else {
        return Err(Refusal::bad_request("tag_name is required."));
    };
    let tagged = desk.account.living().filter(|it| it.tags.contains(&tag));
    let ids: Vec<u64> = tagged
        .filter(|it| it.deletion_asked.is_none())
        .map(|it| it.id)
        .collect();
    for id in ids {
        start_removal(&mut desk, id);
    }
    Ok(Answer::empty(204).committed())
}

/// Returns a droplet that still exists.
pub(crate) fn find<'a>(desk: &'a Desk<'_>, id: &str) -> Result<&'a Droplet, Refusal> {
    if desk.call.effect.hides_servers {
        return Err(Refusal::forbidden());
    }
    let id: Option<u64> = id.parse().ok();
    id.and_then(|id| desk.account.droplet(id))
        .ok_or_else(Refusal::not_found)
}

fn start_removal(desk: &mut Desk<'_>, id: u64) {
    let wait = desk
        .stage
        .draw
        .wait(&format!("droplet/{id}/destroy"), 2_000, 10_000);
    let ends = end(desk, wait);
    let ending = Ending::of(desk.call.fate);
    actions::record(desk, id, "destroy", ends, ending);
    let (now, fate) = (desk.now, desk.call.fate);
    if let Some(droplet) = desk.account.droplet_mut(id) {
        droplet.busy_until = ends;
        match fate {
            None => {
                droplet.deletion_asked = Some(now);
                droplet.plan(ends, Change::Vanish);
            }
            // A deletion that comes to nothing may be asked for again.
            Some(Fate::Fails | Fate::Ignored) => {}
        }
    }
}

/// Returns when something that takes `wait` at scale 1 will be over.
pub(crate) fn end(desk: &Desk<'_>, wait: Duration) -> Instant {
    desk.now + desk.stage.clock.scaled(wait)
}
