//! What is on sale, in the vendor's JSON.

pub(crate) mod images;
pub(crate) mod regions;
pub(crate) mod sizes;

use serde_json::{Value, json};

use crate::vendor::{Answer, Call};

use self::images::{IMAGES, Image, KUBERNETES_ONE_CLICKS, ONE_CLICKS};
use self::regions::{REGIONS, Region};
use self::sizes::{SIZES, Size};
use super::paging::page;

/// Answers `GET /v2/sizes`.
pub(crate) fn list_sizes(call: &Call) -> Answer {
    page(call, "sizes", SIZES, size_view)
}

/// Answers `GET /v2/regions`.
pub(crate) fn list_regions(call: &Call) -> Answer {
    page(call, "regions", REGIONS, region_view)
}

/// Answers `GET /v2/1-clicks`, which has no pages.
pub(crate) fn list_one_clicks(call: &Call) -> Answer {
    let wanted = call.query("type");
    let of = |slugs: &[&str], kind: &str| -> Vec<Value> {
        if wanted.is_some_and(|it| it != kind) {
            return Vec::new();
        }
        slugs
            .iter()
            .map(|slug| json!({ "slug": slug, "type": kind }))
            .collect()
    };
    let mut all = of(ONE_CLICKS, "droplet");
    all.append(&mut of(KUBERNETES_ONE_CLICKS, "kubernetes"));
    Answer::json(200, &json!({ "1_clicks": all }))
}

/// Returns a size in the vendor's JSON.
pub(crate) fn size_view(size: &Size) -> Value {
    let mut view = json!({
        "slug": size.slug,
        "memory": size.memory_mib,
        "vcpus": size.vcpus,
        "disk": size.disk_gib,
        "transfer": size.transfer_tib,
        "price_monthly": size.price_monthly,
        "price_hourly": size.price_hourly(),
        "regions": size.regions,
        "available": size.available,
        "description": size.description,
        "networking_throughput": 2000,
        "disk_info": disks(size, size.disk_gib),
    });
    if let (Some(gpu), Some(fields)) = (gpu_view(size), view.as_object_mut()) {
        fields.insert("gpu_info".to_owned(), gpu);
    }
    view
}

/// Returns the disks of a droplet of this size whose own disk has `own_gib`.
pub(crate) fn disks(size: &Size, own_gib: u64) -> Value {
    let disk = |kind: &str, amount: u64| json!({ "type": kind, "size": { "amount": amount, "unit": "gib" } });
    let mut disks = vec![disk("local", own_gib)];
    if let Some(gpu) = size.gpu.filter(|it| it.scratch_gib > 0) {
        disks.push(disk("scratch", gpu.scratch_gib));
    }
    Value::Array(disks)
}

/// Returns the accelerators of a size.
pub(crate) fn gpu_view(size: &Size) -> Option<Value> {
    size.gpu.map(|it| {
        let vram = json!({ "amount": it.vram_gib, "unit": "gib" });
        json!({ "count": it.count, "model": it.model, "vram": vram })
    })
}

/// Returns a region in the vendor's JSON.
pub(crate) fn region_view(region: &Region) -> Value {
    let sizes: Vec<&str> = SIZES
        .iter()
        .filter(|it| region.available && it.available && it.is_sold_in(region.slug))
        .map(|it| it.slug)
        .collect();
    json!({
        "name": region.name,
        "slug": region.slug,
        "features": region.features,
        "available": region.available,
        "sizes": sizes,
    })
}

/// Returns a public image in the vendor's JSON.
pub(crate) fn image_view(image: &Image) -> Value {
    json!({
        "id": image.id,
        "name": image.name,
        "distribution": image.distribution,
        "slug": image.slug,
        "public": true,
        "regions": open_regions(),
        "created_at": image.created_at,
        "type": "base",
        "min_disk_size": image.min_disk_gib,
        "size_gigabytes": image.size_gib,
        "description": format!("{} {}", image.distribution, image.name),
        "tags": [],
        "status": image.status,
        "error_message": "",
    })
}

/// Returns the image that a number or slug names, in the vendor's JSON.
pub(crate) fn public_image(wanted: &str) -> Option<Value> {
    let id: Option<u64> = wanted.parse().ok();
    if let Some(image) = IMAGES
        .iter()
        .find(|it| Some(it.id) == id || it.slug == wanted)
    {
        return Some(image_view(image));
    }
    let position = ONE_CLICKS.iter().position(|it| *it == wanted)?;
    Some(json!({
        "id": 150_000_000 + position,
        "name": wanted,
        "distribution": "Ubuntu",
        "slug": wanted,
        "public": true,
        "regions": open_regions(),
        "created_at": "2025-09-18T13:04:11Z",
        "type": "base",
        "min_disk_size": 25,
        "size_gigabytes": 3.2,
        "description": wanted,
        "tags": [],
        "status": "available",
        "error_message": "",
    }))
}

fn open_regions() -> Vec<&'static str> {
    REGIONS
        .iter()
        .filter(|it| it.available)
        .map(|it| it.slug)
        .collect()
}
