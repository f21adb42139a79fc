//! `/v2/images`: the public ones and the account's own.

use serde_json::{Value, json};

use crate::vendor::Answer;

use super::catalogue::images::{IMAGES, Kind};
use super::catalogue::{image_view, public_image};
use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply};

/// Answers `GET /v2/images`.
pub(crate) fn list(desk: &Desk<'_>) -> Answer {
    let kind = match desk.call.query("type") {
        Some("distribution") => Some(Kind::Distribution),
        Some("application") => Some(Kind::Application),
        _ => None,
    };
    let only_private = desk.call.query("private") == Some("true");
    let mut images = own(desk);
    if kind.is_some() {
        images.clear();
    }
    if !only_private {
        let public = IMAGES
            .iter()
            .filter(|it| kind.is_none_or(|kind| it.kind == kind));
        images.extend(public.map(image_view));
    }
    page(desk.call, "images", &images, Value::clone)
}

/// Answers `GET /v2/images/{id or slug}`.
pub(crate) fn show(desk: &Desk<'_>, wanted: &str) -> Reply {
    let image = find(desk, wanted).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &json!({ "image": image })))
}

/// Returns the image that a number or slug names, in the vendor's JSON.
pub(crate) fn find(desk: &Desk<'_>, wanted: &str) -> Option<Value> {
    let id: Option<u64> = wanted.parse().ok();
    let own = own(desk)
        .into_iter()
        .find(|it| id.is_some() && it["id"].as_u64() == id);
    own.or_else(|| public_image(wanted))
}

/// Returns an image that new droplets may be made from.
pub(crate) fn usable(desk: &Desk<'_>, wanted: Option<&Value>) -> Option<Value> {
    let wanted = match wanted? {
        Value::String(slug) => slug.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    find(desk, &wanted).filter(|it| it["status"] == "available")
}

fn own(desk: &Desk<'_>) -> Vec<Value> {
    let ready = desk
        .account
        .images
        .values()
        .filter(|it| it.ready.is_none_or(|at| at <= desk.now));
    ready.map(|it| it.view.clone()).collect()
}
