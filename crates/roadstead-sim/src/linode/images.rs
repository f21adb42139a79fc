//! `/images`: the public ones and, with a token, the account's own.

use serde_json::{Value, json};

use crate::vendor::{Answer, Call};

use super::catalogue::images::IMAGES;
use super::catalogue::public_image_view;
use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply, with};

const FILTERABLE: &[&str] = &[
    "deprecated",
    "is_public",
    "is_shared",
    "label",
    "size",
    "status",
    "tags",
    "type",
    "vendor",
];

/// Answers `GET /v4/images`, the account's own first.
pub(crate) fn list(call: &Call, own: &[Value]) -> Reply {
    let public = IMAGES.iter().map(public_image_view);
    page(
        call,
        own.iter().cloned().chain(public).collect(),
        FILTERABLE,
    )
}

/// Answers `GET /v4/images/{id}`.
pub(crate) fn show(id: &str, own: &[Value]) -> Reply {
    let image = find(id, own).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &image))
}

/// Returns an image that a server may be made from, in the vendor's JSON.
pub(crate) fn usable(desk: &Desk<'_>, id: &str) -> Option<Value> {
    find(id, &desk.account.images).filter(|it| it["status"] == "available")
}

fn find(id: &str, own: &[Value]) -> Option<Value> {
    let public = IMAGES.iter().find(|it| it.id == id).map(public_image_view);
    public.or_else(|| own.iter().find(|it| it["id"] == id).cloned())
}

/// Returns the images that an account has from the start: one of its own, one
/// kept from a deleted server, one that is not ready and one that another
/// account shares.
pub(crate) fn own_images() -> Vec<Value> {
    let golden = json!({
        "capabilities": ["cloud-init"],
        "regions": [
            { "region": "us-east", "status": "available" },
            { "region": "eu-central", "status": "available" },
        ],
        "tags": ["golden"],
    });
    let kept = json!({
        "type": "automatic",
        "created_by": null,
        "updated": null,
        "expiry": "2027-01-02T03:04:05",
    });
    let shared = json!({
        "type": "shared",
        "is_shared": true,
        "created_by": null,
        "capabilities": ["cloud-init"],
    });
    vec![
        own_image("private/20000001", "golden-web", 3_400, golden),
        own_image("private/20000002", "kept - Boot Disk", 4_444, kept),
        own_image(
            "private/20000003",
            "not-ready",
            0,
            json!({ "status": "creating" }),
        ),
        own_image("shared/1", "from-a-partner", 2_000, shared),
    ]
}

fn own_image(id: &str, label: &str, size_mib: u64, members: Value) -> Value {
    let usual = json!({
        "id": id,
        "label": label,
        "description": "",
        "created": "2025-07-01T09:00:00",
        "updated": "2025-07-01T09:10:00",
        "created_by": "sim-main",
        "type": "manual",
        "size": size_mib,
        "total_size": size_mib,
        "is_public": false,
        "is_shared": false,
        "deprecated": false,
        "vendor": null,
        "expiry": null,
        "eol": null,
        "status": "available",
        "capabilities": [],
        "regions": [],
        "tags": [],
        "image_sharing": { "shared_with": null, "shared_by": null },
    });
    with(usual, members)
}
