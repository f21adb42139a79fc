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
    let body = &object(desk.call)?;
    let given = &body["name"];
    let Ok(tag) = checked(given) else {
        return Ok(no_name(given));
    };
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

/// Answers `POST /v2/tags/{name}/resources`. A tag must be there before it is put on anything.
pub(crate) fn attach(desk: Desk<'_>, tag: &str) -> Reply {
    change(desk, tag, |tags| {
        if !tags.iter().any(|it| it == tag) {
            tags.push(tag.to_owned());
        }
    })
}

/// Answers `DELETE /v2/tags/{name}/resources`.
pub(crate) fn detach(desk: Desk<'_>, tag: &str) -> Reply {
    change(desk, tag, |tags| tags.retain(|it| it != tag))
}

/// Changes the tags of all droplets of a body, or of none.
fn change(desk: Desk<'_>, tag: &str, change: impl Fn(&mut Vec<String>)) -> Reply {
    let ids = droplets(&object(desk.call)?)?;
    known(&desk, tag)?;
    if ids.iter().any(|id| desk.account.droplet_mut(*id).is_none()) {
        return Err(Refusal::not_found());
    }
    for id in &ids {
        if let Some(droplet) = desk.account.droplet_mut(*id) {
            change(&mut droplet.tags);
        }
    }
    let answer = Answer::empty(204).committed();
    Ok(match ids.first() {
        Some(id) => answer.about(id),
        None => answer,
    })
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

/// Returns the ids of the droplets that a body names. Nothing else is kept here to be tagged.
fn droplets(body: &Value) -> Result<Vec<u64>, Refusal> {
    let resources = body["resources"].as_array().filter(|it| !it.is_empty());
    let Some(resources) = resources else {
        return Err(Refusal::parameter_missing("resources"));
    };
    let id = |it: &Value| match (&it["resource_type"], &it["resource_id"]) {
        (Value::String(kind), Value::String(id)) if kind == "droplet" => id.parse().ok(),
        _ => None,
    };
    let ids: Option<Vec<u64>> = resources.iter().map(id).collect();
    ids.ok_or_else(Refusal::not_found)
}

/// Answers a name that is none, in the shape that this call alone has.
fn no_name(given: &Value) -> Answer {
    let name = given.as_str().unwrap_or_default();
    let error = format!(
        "Error validating resource tag: \"tag-name \\\"{name}\\\" contains invalid characters\""
    );
    let cause = format!("rpc error: code = InvalidArgument desc = {error}");
    Answer::json(
        400,
        &json!({ "error": error, "messages": null, "root_causes": [cause] }),
    )
}
