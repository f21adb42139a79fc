//! `/tags`: names that servers carry.

use serde_json::{Value, json};

use crate::vendor::Answer;

use super::instance::Instance;
use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply, checks, object};

/// Answers `GET /v4/tags`.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let views = desk.account.tags.iter().map(|it| json!({ "label": it }));
    page(desk.call, views.collect(), &["label"])
}

/// Answers `POST /v4/tags`, which may put the tag on servers.
pub(crate) fn add(desk: Desk<'_>) -> Reply {
    let body = &object(desk.call)?;
    let tag = checks::tag(&body["label"]).map_err(|reason| Refusal::field("label", reason))?;
    if desk.account.tags.contains(&tag) {
        return Err(Refusal::field("label", "Tag already exists"));
    }
    let wanted = body["linodes"].as_array().cloned().unwrap_or_default();
    let ids: Vec<u64> = wanted.iter().filter_map(Value::as_u64).collect();
    if ids.iter().any(|id| desk.account.instance(*id).is_none()) {
        return Err(Refusal::field("linodes", "linodes is not valid"));
    }
    for id in ids {
        if let Some(instance) = desk.account.instance_mut(id) {
            instance.tags.push(tag.clone());
        }
    }
    desk.account.tags.push(tag.clone());
    Ok(Answer::json(200, &json!({ "label": tag })).committed())
}

/// Answers `GET /v4/tags/{label}`: what carries the tag.
pub(crate) fn show(desk: &Desk<'_>, tag: &str) -> Reply {
    known(desk, tag)?;
    let carries = |it: &&Instance| it.tags.iter().any(|it| it == tag);
    let tagged = desk.account.living().filter(carries);
    let views = tagged.map(|it| json!({ "type": "linode", "data": it.view() }));
    page(desk.call, views.collect(), &[])
}

/// Answers `DELETE /v4/tags/{label}`: the tag goes, the servers stay.
pub(crate) fn remove(desk: Desk<'_>, tag: &str) -> Reply {
    known(&desk, tag)?;
    desk.account.tags.retain(|it| it != tag);
    for instance in desk.account.instances.values_mut() {
        instance.tags.retain(|it| it != tag);
    }
    Ok(Answer::json(200, &json!({})).committed())
}

fn known(desk: &Desk<'_>, tag: &str) -> Result<(), Refusal> {
    let known = desk.account.tags.iter().any(|it| it == tag);
    known.then_some(()).ok_or_else(Refusal::not_found)
}
