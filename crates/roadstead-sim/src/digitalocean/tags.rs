//! `/v2/tags`: names that droplets carry.

use serde_json::{Value, json};

use crate::vendor::Answer;

use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply, object};

const LIMIT: usize = 255;

/// Answers `GET /v2/tags`.
pub(crate) fn list(desk: &Desk<'_>) -> Answer {
    page(desk.call, "tags", &desk.account.tags, |it| view(desk, it))
}

/// Answers `POST /v2/tags`. A tag that is there already is no mistake.
pub(crate) fn add(desk: Desk<'_>) -> Reply {
    let tag = checked(object(desk.call)?.get("name").unwrap_or(&Value::Null))?;
    let tag = desk.account.ensure_tag(&tag);
    Ok(Answer::json(201, &json!({ "tag": view(&desk, &tag) })).committed())
}

/// Answers `GET /v2/tags/{name}`.
pub(crate) fn show(desk: &Desk<'_>, tag: &str) -> Reply {
    known(desk, tag)?;
    Ok(Answer::json(200, &json!({ "tag": view(desk, tag) })))
}

/// Answers `DELETE /v2/tags/{name}`: the tag goes, the droplets stay.
pub(crate) fn remove(desk: Desk<'_>, tag: &str) -> Reply {
    known(&desk, tag)?;
    desk.account.tags.retain(|it| it != tag);
    for droplet in desk.account.droplets.values_mut() {
        droplet.tags.retain(|it| it != tag);
    }
    Ok(Answer::empty(204).committed())
}

/// Answers `POST /v2/tags/{name}/resources`.
pub(crate) fn attach(desk: Desk<'_>, tag: &str) -> Reply {
    known(&desk, tag)?;
    for id in droplets(&object(desk.call)?) {
        let droplet = desk
            .account
            .droplet_mut(id)
            .ok_or_else(Refusal::not_found)?;
        if !droplet.tags.iter().any(|it| it == tag) {
            droplet.tags.push(tag.to_owned());
        }
    }
    Ok(Answer::empty(204).committed())
}

/// Answers `DELETE /v2/tags/{name}/resources`.
pub(crate) fn detach(desk: Desk<'_>, tag: &str) -> Reply {
    known(&desk, tag)?;
    for id in droplets(&object(desk.call)?) {
        let droplet = desk
            .account
            .droplet_mut(id)
            .ok_or_else(Refusal::not_found)?;
        droplet.tags.retain(|it| it != tag);
    }
    Ok(Answer::empty(204).committed())
}

/// Returns a tag that keeps to the vendor's rule.
pub(crate) fn checked(given: &Value) -> Result<String, Refusal> {
    let tag = given.as_str().unwrap_or_default();
    let allowed = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b':');
    if tag.is_empty() || tag.len() > LIMIT || !tag.bytes().all(allowed) {
        let message =
            "Tag names may only contain letters, numbers, colons, dashes, and underscores.";
        return Err(Refusal::unprocessable(message));
    }
    Ok(tag.to_owned())
}

fn known(desk: &Desk<'_>, tag: &str) -> Result<(), Refusal> {
    let known = desk.account.tags.iter().any(|it| it == tag);
    known.then_some(()).ok_or_else(Refusal::not_found)
}

fn view(desk: &Desk<'_>, tag: &str) -> Value {
    let count = desk
        .account
        .living()
        .filter(|it| it.tags.iter().any(|it| it == tag))
        .count();
    let droplets = json!({ "count": count });
    json!({ "name": tag, "resources": { "count": count, "droplets": droplets } })
}

fn droplets(body: &Value) -> Vec<u64> {
    let resources = body["resources"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let droplets = resources
        .iter()
        .filter(|it| it["resource_type"] == "droplet");
    droplets
        .filter_map(|it| match &it["resource_id"] {
            Value::String(id) => id.parse().ok(),
            other => other.as_u64(),
        })
        .collect()
}
