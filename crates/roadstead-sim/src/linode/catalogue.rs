//! What is on sale, in the vendor's JSON. All of it is public.

pub(crate) mod images;
mod kernels;
pub(crate) mod regions;
pub(crate) mod types;

use serde_json::{Value, json};

use crate::vendor::{Answer, Call};

use super::images as image_calls;
use super::paging::page;
use super::refusal::Refusal;
use super::{Reply, with};

use self::images::Image;
use self::kernels::{KERNELS, kernel_view};
use self::regions::{REGIONS, Region, Site};
use self::types::{TYPES, Type, price};

/// Answers a call that needs no token, or returns nothing if it needs one.
/// `own` are the images of the caller's account.
pub(crate) fn route(call: &Call, path: &[&str], own: &[Value]) -> Option<Reply> {
    let reply = match path {
        ["regions"] => list_regions(call),
        ["regions", "availability"] => list_availability(call),
        ["regions", id] => show(Region::find(id).map(region_view)),
        ["regions", id, "availability"] => availability_of(id),
        ["linode", "types"] => list_types(call),
        ["linode", "types", id] => show(Type::find(id).map(type_view)),
        ["linode", "kernels"] => list_kernels(call),
        ["linode", "kernels", maker, name] => {
            let id = format!("{maker}/{name}");
            show(KERNELS.iter().find(|it| it.id == id).map(kernel_view))
        }
        ["images"] => image_calls::list(call, own),
        // The slash of an image's id may come as it is or encoded.
        ["images", owner, name] => image_calls::show(&format!("{owner}/{name}"), own),
        _ => return None,
    };
    Some(if call.method == "GET" {
        reply
    } else {
        Err(Refusal::method_not_allowed())
    })
}

fn show(view: Option<Value>) -> Reply {
    let view = view.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &view))
}

fn list_regions(call: &Call) -> Reply {
    let views = REGIONS.iter().map(region_view).collect();
    page(call, views, &["country", "site_type"])
}

fn list_types(call: &Call) -> Reply {
    let filterable = &[
        "accelerated_devices",
        "class",
        "disk",
        "gpus",
        "label",
        "memory",
        "network_out",
        "transfer",
        "vcpus",
    ];
    page(call, TYPES.iter().map(type_view).collect(), filterable)
}

fn list_kernels(call: &Call) -> Reply {
    let filterable = &[
        "architecture",
        "deprecated",
        "kvm",
        "label",
        "pvops",
        "version",
    ];
    page(call, KERNELS.iter().map(kernel_view).collect(), filterable)
}

fn list_availability(call: &Call) -> Reply {
    let rows = REGIONS.iter().flat_map(availability).collect();
    page(call, rows, &["available", "plan", "region"])
}

/// The vendor answers with a bare list here.
fn availability_of(id: &str) -> Reply {
    let region = Region::find(id).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &Value::Array(availability(region))))
}

/// Only the rare types are stated; what is absent is available.
fn availability(region: &Region) -> Vec<Value> {
    TYPES
        .iter()
        .filter(|it| it.is_stated() && region.site == Site::Core)
        .map(|it| {
            let available = it.is_available_in(region);
            json!({ "plan": it.id, "region": region.id, "available": available })
        })
        .collect()
}

fn type_view(it: &Type) -> Value {
    json!({
        "id": it.id,
        "label": it.label,
        "class": it.class.word(),
        "memory": it.memory_mib,
        "disk": it.disk_mib,
        "transfer": it.transfer_gb,
        "vcpus": it.vcpus,
        "gpus": it.gpus,
        "accelerated_devices": it.accelerated_devices,
        "network_out": it.network_out_mbps,
        "price": price(it.monthly_cents, 100),
        "region_prices": region_prices(it.monthly_cents),
        "addons": {
            "backups": {
                "price": price(it.backups_cents, 100),
                "region_prices": region_prices(it.backups_cents),
            },
        },
        "successor": null,
    })
}

/// Returns the prices of the regions that are dearer than the rest.
fn region_prices(monthly_cents: u64) -> Vec<Value> {
    REGIONS
        .iter()
        .filter(|it| it.price_percent != 100)
        .map(|it| {
            let price = price(monthly_cents, it.price_percent);
            with(price, json!({ "id": it.id }))
        })
        .collect()
}

fn region_view(it: &Region) -> Value {
    let (v4, v6): (Vec<String>, Vec<String>) = (1..=10)
        .map(|host| {
            let place = it.place();
            (
                format!("198.51.100.{host}"),
                format!("2001:db8:53:{place:x}::{host:x}"),
            )
        })
        .unzip();
    json!({
        "id": it.id,
        "label": it.label,
        "country": it.country,
        "capabilities": it.capabilities,
        "status": if it.in_outage { "outage" } else { "ok" },
        "site_type": it.site.word(),
        "resolvers": { "ipv4": v4.join(", "), "ipv6": v6.join(", ") },
        "placement_group_limits": {
            "maximum_pgs_per_customer": 100,
            "maximum_linodes_per_pg": 5,
            "maximum_linodes_per_flexible_pg": null,
        },
        "monitors": { "alerts": [], "metrics": [] },
    })
}

/// Returns a public image in the vendor's JSON.
pub(crate) fn public_image_view(it: &Image) -> Value {
    let capabilities: &[&str] = if it.cloud_init {
        &["cloud-init", "distributed-sites"]
    } else {
        &[]
    };
    json!({
        "id": it.id,
        "label": it.label,
        "description": "",
        "created": it.created,
        "updated": it.created,
        "created_by": "linode",
        "type": "manual",
        "size": it.size_mib,
        "total_size": it.size_mib,
        "is_public": true,
        "is_shared": false,
        "deprecated": it.deprecated,
        "vendor": it.vendor,
        "expiry": null,
        "eol": it.eol,
        "status": "available",
        "capabilities": capabilities,
        "regions": [],
        "tags": [],
        "image_sharing": null,
    })
}
