//! Linode's words to ours: pure, total, and the only place where units change.

mod choice;
mod script;

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use roadstead_core::{
    Account, Address, Arch, Availability, Billed, Feature, GbPerMonth, Image, ImageId, Instance,
    Market, Mbps, MiB, Money, Offering, Plan, Price, PriceSource, Region, RegionId, RemoteId,
    Scope, State, Status, exact_decimal,
};
use serde_json::value::RawValue;

use crate::job::utc;
use crate::{scopes, wire};

pub(crate) use self::choice::{firewall, group, subnets};
pub(crate) use self::script::{app, script};

/// Decimal places of the published prices.
const HOURLY_PLACES: u32 = 5;
const MONTHLY_PLACES: u32 = 2;

pub(crate) fn instance(it: wire::Instance) -> Instance {
    let specs = it.specs.as_ref();
    Instance {
        id: RemoteId::from(it.id.to_string()),
        status: status(it.status.clone().unwrap_or_default()),
        vcpus: specs.and_then(|it| it.vcpus).unwrap_or_default(),
        memory: MiB(specs.and_then(|it| it.memory).unwrap_or_default()),
        disk: specs.and_then(|it| it.disk).map(MiB),
        addresses: addresses(&it),
        name: it.label.unwrap_or_default(),
        region: RegionId(it.region.unwrap_or_else(|| "unknown".into())),
        plan: it.plan.map(Into::into),
        image: it.image.map(ImageId),
        tags: it.tags.unwrap_or_default(),
        created: it.created.as_deref().and_then(utc),
    }
}

/// Powered off or not, a Linode is billed until it is deleted.
fn status(raw: Box<str>) -> Status {
    let (state, busy, billed) = match &*raw {
        "running" => (State::Running, false, Billed::Full),
        "offline" => (State::Stopped, false, Billed::Full),
        // The host is in maintenance, and the vendor refuses most actions.
        "stopped" => (State::Stopped, true, Billed::Full),
        "provisioning" | "cloning" => (State::Provisioning, true, Billed::Full),
        "booting" => (State::Starting, true, Billed::Full),
        "rebooting" => (State::Rebooting, true, Billed::Full),
        "shutting_down" => (State::Stopping, true, Billed::Full),
        "rebuilding" | "restoring" => (State::Rebuilding, true, Billed::Full),
        "resizing" => (State::Resizing, true, Billed::Full),
        "migrating" => (State::Migrating, true, Billed::Full),
        "deleting" => (State::Deleting, true, Billed::Full),
        "billing_suspension" => (State::Suspended, false, Billed::Unknown),
        "busy" => (State::Unknown, true, Billed::Full),
        _ => (State::Unknown, true, Billed::Unknown),
    };
    Status {
        state,
        raw,
        busy,
        billed,
    }
}

fn addresses(it: &wire::Instance) -> Vec<Address> {
    let v4 = it.ipv4.iter().flatten().map(|it| &**it);
    // The IPv6 address comes with the length of its prefix.
    let v6 = it.ipv6.iter().map(|it| it.split('/').next().unwrap_or(it));
    v4.chain(v6)
        .filter_map(|it| it.parse::<IpAddr>().ok())
        .map(|ip| Address {
            ip,
            scope: scope(ip),
        })
        .collect()
}

/// Linode gives private addresses out of 192.168.128.0/17, and lists them among the others.
fn scope(ip: IpAddr) -> Scope {
    let private = match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    };
    if private {
        Scope::Private
    } else {
        Scope::Public
    }
}

/// Returns the plans, each with its offerings in all regions where it is sold.
pub(crate) fn plans(
    types: Vec<wire::Type>,
    regions: &[wire::Region],
    availability: Vec<wire::Availability>,
    as_of: Timestamp,
) -> Vec<Plan> {
    let mut stock: BTreeMap<(Box<str>, Box<str>), bool> = BTreeMap::new();
    for it in availability {
        stock.insert((it.plan, it.region), it.available);
    }
    let stock = |plan: &str, region: &str| stock.get(&(plan.into(), region.into())).copied();
    types
        .into_iter()
        .map(|it| plan(it, regions, &stock, as_of))
        .collect()
}

fn plan(
    it: wire::Type,
    regions: &[wire::Region],
    stock: &dyn Fn(&str, &str) -> Option<bool>,
    as_of: Timestamp,
) -> Plan {
    let offerings = regions
        .iter()
        .filter(|region| is_sold_in(&it, region))
        .map(|region| Offering {
            region: RegionId(region.id.clone()),
            market: Market::OnDemand,
            availability: match stock(&it.id, &region.id) {
                Some(false) => Availability::SoldOut,
                // Only some plans are listed; the others can always be had.
                _ if is_up(region) => Availability::Available,
                _ => Availability::Unknown,
            },
            price: price(&it, &region.id, as_of),
        })
        .collect();
    let class = it.class.unwrap_or_else(|| "unknown".into());
    Plan {
        label: it.label.unwrap_or_else(|| it.id.clone()),
        arch: Arch::X86_64,
        vcpus: it.vcpus,
        dedicated_cpu: !matches!(&*class, "nanode" | "standard"),
        memory: MiB(it.memory),
        disk: it.disk.filter(|it| *it > 0).map(MiB),
        gpus: it.gpus.unwrap_or_default(),
        // What has no transfer of its own says zero.
        transfer: it.transfer.filter(|it| *it > 0).map(GbPerMonth),
        network_out: it.network_out.map(Mbps),
        offerings,
        class,
        id: it.id.into(),
    }
}

fn is_sold_in(plan: &wire::Type, region: &wire::Region) -> bool {
    let class = match plan.class.as_deref() {
        Some("gpu") => has(region, "GPU Linodes"),
        Some("premium") => has(region, "Premium Plans"),
        // Of the newer classes the vendor names no capability.
        _ => true,
    };
    // Distributed sites sell plans of their own, which the core regions do not.
    let distributed = region.site_type.as_deref() == Some("distributed");
    has(region, "Linodes") && class && distributed == plan.id.contains("-edge-")
}

fn has(region: &wire::Region, capability: &str) -> bool {
    region.capabilities.iter().any(|it| **it == *capability)
}

fn is_up(region: &wire::Region) -> bool {
    region.status.as_deref() == Some("ok")
}

fn price(plan: &wire::Type, region: &str, as_of: Timestamp) -> Option<Price> {
    let own = plan.region_prices.iter().find(|it| *it.id == *region);
    // A region with a price of its own that is unknown does not cost the usual one.
    let (hourly, monthly) = match (own, &plan.price) {
        (Some(it), _) => (it.hourly.as_deref(), it.monthly.as_deref()),
        (None, Some(it)) => (it.hourly.as_deref(), it.monthly.as_deref()),
        (None, None) => (None, None),
    };
    let price = Price {
        hourly: usd(hourly, HOURLY_PLACES),
        monthly: usd(monthly, MONTHLY_PLACES),
        monthly_is_cap: true,
        source: PriceSource::ProviderApi,
        as_of,
    };
    (price.hourly.is_some() || price.monthly.is_some()).then_some(price)
}

/// A plan whose price is agreed upon elsewhere says zero.
fn usd(raw: Option<&RawValue>, places: u32) -> Option<Money> {
    exact_decimal(raw?, places)
        .filter(|it| !it.is_zero())
        .map(Money::usd)
}

/// Returns `None` for an image that no server can be made from now.
pub(crate) fn image(it: wire::Image) -> Option<Image> {
    if it.status.as_deref().is_some_and(|it| it != "available") {
        return None;
    }
    let public = it.is_public.unwrap_or(false);
    let label = it.label.unwrap_or_else(|| it.id.clone());
    let cloud_init = it
        .capabilities
        .map(|it| it.iter().any(|it| &**it == "cloud-init"));
    Some(Image {
        version: if public { version(&label) } else { None },
        family: family(it.vendor.as_deref().unwrap_or("unknown")).into(),
        arch: Arch::X86_64,
        min_disk: it.size.map(MiB),
        public,
        deprecated: it.deprecated.unwrap_or(false),
        end_of_life: it.eol.as_deref().and_then(utc),
        cloud_init,
        // An image that is kept elsewhere is fetched from there.
        regions: None,
        label,
        id: ImageId(it.id),
    })
}

/// "Rocky Linux" is `rocky`, "Some Vendor" is `some-vendor`.
fn family(vendor: &str) -> String {
    let lower = vendor.to_lowercase();
    lower
        .strip_suffix(" linux")
        .unwrap_or(&lower)
        .replace(' ', "-")
}

/// "Ubuntu 24.04 LTS" is version 24.04.
fn version(label: &str) -> Option<Box<str>> {
    label
        .split_whitespace()
        .find(|it| it.starts_with(|it: char| it.is_ascii_digit()))
        .map(Into::into)
}

pub(crate) fn region(it: wire::Region) -> Region {
    let servers = has(&it, "Linodes");
    Region {
        available: is_up(&it) && servers,
        features: features(&it),
        country: it.country.as_deref().and_then(country),
        city: it.label.as_deref().and_then(city),
        label: it.label.unwrap_or_else(|| it.id.clone()),
        id: RegionId(it.id),
    }
}

fn features(region: &wire::Region) -> Vec<Feature> {
    [
        ("Backups", Feature::Backups),
        ("GPU Linodes", Feature::Gpu),
        ("Metadata", Feature::UserData),
        ("Cloud Firewall", Feature::Firewall),
        ("Placement Group", Feature::PlacementGroup),
        ("VPCs", Feature::Vpc),
        ("Backups", Feature::BackupWindow),
        // Every Linode has an IPv6 address.
        ("Linodes", Feature::Ipv6),
    ]
    .into_iter()
    .filter(|(capability, _)| has(region, capability))
    .map(|(_, feature)| feature)
    .chain(
        ["VPCs", "Vlans"]
            .iter()
            .any(|it| has(region, it))
            .then_some(Feature::PrivateNetwork),
    )
    .collect()
}

fn country(code: &str) -> Option<Box<str>> {
    match &*code.to_ascii_uppercase() {
        // The United Kingdom's code is another one.
        "UK" => Some("GB".into()),
        upper if upper.len() == 2 && upper.bytes().all(|it| it.is_ascii_uppercase()) => {
            Some(upper.into())
        }
        _ => None,
    }
}

/// "Newark, NJ, USA" is in Newark, and "London 2, UK" in London.
fn city(label: &str) -> Option<Box<str>> {
    let (city, _) = label.split_once(',')?;
    let city = city.trim_end_matches(|it: char| it.is_ascii_digit()).trim();
    (!city.is_empty()).then(|| city.into())
}

pub(crate) fn account(it: wire::Account, scopes: Option<&str>) -> Account {
    let company = it.company.filter(|it| !it.trim().is_empty());
    Account {
        fingerprint: it.euuid,
        label: company.or(it.email),
        instance_limit: None,
        missing_scopes: scopes::missing(scopes),
    }
}

#[cfg(test)]
mod tests;
