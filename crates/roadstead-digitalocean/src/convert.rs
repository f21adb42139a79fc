//! DigitalOcean's words to ours: pure, total, and the only place where units change.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{
    Account, Address, Arch, Availability, Billed, Choice, Code, Feature, GbPerMonth, Image,
    ImageId, Instance, Market, MarketplaceApp, MiB, Money, Offering, OperationStatus, Plan, Price,
    PriceSource, Region, RegionId, RemoteId, RemoteOperation, RemoteOperationId, Scope, State,
    Status, exact_decimal,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;
use serde_json::value::RawValue;

use crate::places::place;
use crate::wire;

/// Decimal places of the published prices.
const HOURLY_PLACES: u32 = 5;
const MONTHLY_PLACES: u32 = 2;

/// How long to wait before asking again for a job.
const POLL_AFTER: Duration = Duration::from_secs(3);

/// What stands before a droplet's id in the id of a deletion, which has no action at
/// DigitalOcean.
const DELETION: &str = "delete:";

pub(crate) fn instance(it: wire::Droplet) -> Instance {
    let image = it.image.and_then(|it| {
        it.slug
            .map(ImageId)
            .or_else(|| it.id.map(|it| ImageId::from(it.to_string())))
    });
    Instance {
        id: RemoteId::from(it.id.to_string()),
        name: it.name.unwrap_or_default(),
        status: status(it.status.unwrap_or_default()),
        region: RegionId(
            it.region
                .and_then(|it| it.slug)
                .unwrap_or_else(|| "unknown".into()),
        ),
        plan: it.size_slug.map(Into::into),
        image,
        vcpus: it.vcpus.unwrap_or_default(),
        memory: MiB(it.memory.unwrap_or_default()),
        disk: it.disk.map(MiB::from_gib),
        addresses: it.networks.map(addresses).unwrap_or_default(),
        tags: it.tags.unwrap_or_default(),
        created: it.created_at.and_then(|it| it.parse::<Timestamp>().ok()),
    }
}

/// `locked` is left out: it marks a lock by the vendor's staff, not a running action.
fn status(raw: Box<str>) -> Status {
    let (state, busy, billed) = match &*raw {
        "new" => (State::Provisioning, true, Billed::Full),
        "active" => (State::Running, false, Billed::Full),
        "off" => (State::Stopped, false, Billed::Full),
        "archive" => (State::Suspended, false, Billed::Unknown),
        _ => (State::Unknown, false, Billed::Unknown),
    };
    Status {
        state,
        raw,
        busy,
        billed,
    }
}

fn addresses(it: wire::Networks) -> Vec<Address> {
    let of = |network: &wire::Network| {
        let ip: IpAddr = network.ip_address.as_deref()?.parse().ok()?;
        let private = network.kind.as_deref() == Some("private");
        Some(Address {
            ip,
            scope: if private {
                Scope::Private
            } else {
                Scope::Public
            },
        })
    };
    let lists = [it.v4, it.v6];
    lists.iter().flatten().flatten().filter_map(of).collect()
}

/// Returns the job of a create or an action.
pub(crate) fn operation(it: wire::Action) -> RemoteOperation {
    let droplet = it.resource_type.as_deref().is_none_or(|it| it == "droplet");
    let status = match &*it.status {
        "completed" => OperationStatus::Succeeded,
        "errored" => OperationStatus::Failed {
            code: Code::ApiError,
            message: match it.kind {
                Some(kind) if kind.bytes().all(|it| it.is_ascii_lowercase() || it == b'_') => {
                    format!("the provider gave up the job `{kind}`").into()
                }
                Some(_) | None => "the provider gave up the job".into(),
            },
        },
        // An unknown word is no end.
        _ => OperationStatus::Running { percent: None },
    };
    RemoteOperation {
        id: RemoteOperationId::from(it.id.to_string()),
        instance: it
            .resource_id
            .filter(|_| droplet)
            .map(|it| RemoteId::from(it.to_string())),
        status,
        poll_after: POLL_AFTER,
    }
}

/// Returns the job that an answer to a create links to.
pub(crate) fn creation(droplet: u64, links: Option<wire::CreatedLinks>) -> Option<RemoteOperation> {
    let action = links?.actions?.into_iter().next()?;
    Some(running(action.id.to_string(), droplet))
}

/// Returns the job of a deletion.
pub(crate) fn deletion(droplet: u64, status: OperationStatus) -> RemoteOperation {
    RemoteOperation {
        status,
        ..running(format!("{DELETION}{droplet}"), droplet)
    }
}

/// Returns the droplet of a deletion; `None` for any other job.
pub(crate) fn deleted(id: &RemoteOperationId) -> Option<&str> {
    id.as_str().strip_prefix(DELETION)
}

fn running(id: String, droplet: u64) -> RemoteOperation {
    RemoteOperation {
        id: RemoteOperationId::from(id),
        instance: Some(RemoteId::from(droplet.to_string())),
        status: OperationStatus::Running { percent: None },
        poll_after: POLL_AFTER,
    }
}

pub(crate) fn plan(it: wire::Size, as_of: Timestamp) -> Plan {
    let price = Price {
        hourly: usd(it.price_hourly.as_deref(), HOURLY_PLACES),
        monthly: usd(it.price_monthly.as_deref(), MONTHLY_PLACES),
        monthly_is_cap: true,
        source: PriceSource::ProviderApi,
        as_of,
    };
    let known = price.hourly.is_some() || price.monthly.is_some();
    let price = known.then_some(price);
    let availability = match it.available {
        Some(true) => Availability::Available,
        Some(false) => Availability::SoldOut,
        None => Availability::Unknown,
    };
    let class = it.description.unwrap_or_else(|| it.slug.clone());
    Plan {
        label: label(&class, it.vcpus, it.memory).into(),
        arch: Arch::X86_64,
        vcpus: it.vcpus,
        dedicated_cpu: dedicated(&it.slug),
        memory: MiB(it.memory),
        disk: it.disk.map(MiB::from_gib),
        gpus: it.gpu_info.and_then(|it| it.count).unwrap_or_default(),
        transfer: it.transfer.as_deref().and_then(gigabytes),
        network_out: None,
        offerings: it
            .regions
            .into_iter()
            .map(|region| Offering {
                region: RegionId(region),
                market: Market::OnDemand,
                availability,
                price: price.clone(),
            })
            .collect(),
        class,
        id: it.slug.into(),
    }
}

fn label(class: &str, vcpus: u32, memory: u64) -> String {
    if memory >= 1024 {
        format!("{class}, {vcpus} vCPU, {} GiB", memory / 1024)
    } else {
        format!("{class}, {vcpus} vCPU, {memory} MiB")
    }
}

/// Only the basic plans share their processors: `s-…`, and old ones named after their
/// memory (`512mb`).
fn dedicated(slug: &str) -> bool {
    slug.starts_with(|it: char| it.is_ascii_alphabetic()) && !slug.starts_with("s-")
}

fn usd(raw: Option<&RawValue>, places: u32) -> Option<Money> {
    exact_decimal(raw?, places).map(Money::usd)
}

/// DigitalOcean counts transfer in terabytes, also broken ones.
fn gigabytes(terabytes: &RawValue) -> Option<GbPerMonth> {
    let terabytes = exact_decimal(terabytes, 6)?;
    terabytes
        .checked_mul(Decimal::ONE_THOUSAND)?
        .trunc()
        .to_u64()
        .map(GbPerMonth)
}

/// Returns `None` for an image that no server can be made from now.
pub(crate) fn image(it: wire::Image) -> Option<Image> {
    let deprecated = match it.status.as_deref() {
        Some("NEW" | "pending" | "deleted") => return None,
        Some("retired") => true,
        _ => false,
    };
    let public = it.public.unwrap_or(false);
    let name = it.name.unwrap_or_default();
    let distribution = it.distribution.unwrap_or_else(|| "Unknown".into());
    let family = family(&distribution);
    let cloud_init = (public && CLOUD_INIT.contains(&&*family)).then_some(true);
    Some(Image {
        id: it
            .slug
            .map_or_else(|| ImageId::from(it.id.to_string()), ImageId),
        version: if public { version(&name) } else { None },
        label: if public {
            format!("{distribution} {name}").into()
        } else {
            name
        },
        family: family.into(),
        arch: Arch::X86_64,
        min_disk: it.min_disk_size.map(MiB::from_gib),
        public,
        deprecated,
        end_of_life: None,
        cloud_init,
        regions: it.regions.map(|it| it.into_iter().map(RegionId).collect()),
    })
}

/// The distributions whose public images run cloud-init.
const CLOUD_INIT: [&str; 7] = [
    "almalinux",
    "centos",
    "debian",
    "fedora",
    "opensuse",
    "rocky",
    "ubuntu",
];

/// "Rocky Linux" is `rocky`, "Fedora Atomic" is `fedora-atomic`.
fn family(distribution: &str) -> String {
    let lower = distribution.to_ascii_lowercase();
    lower
        .strip_suffix(" linux")
        .unwrap_or(&lower)
        .replace(' ', "-")
}

/// "24.04 (LTS) x64" is version 24.04.
fn version(name: &str) -> Option<Box<str>> {
    name.split_whitespace()
        .find(|it| it.starts_with(|it: char| it.is_ascii_digit()))
        .map(Into::into)
}

pub(crate) fn region(it: wire::Region) -> Region {
    let place = place(&it.slug);
    Region {
        label: it.name.unwrap_or_else(|| it.slug.clone()),
        country: place.map(|(country, _)| country.into()),
        city: place.map(|(_, city)| city.into()),
        available: it.available.unwrap_or(false),
        features: it.features.iter().filter_map(|it| feature(it)).collect(),
        id: RegionId(it.slug),
    }
}

fn feature(word: &str) -> Option<Feature> {
    match word {
        "backups" => Some(Feature::Backups),
        "ipv6" => Some(Feature::Ipv6),
        "metadata" => Some(Feature::UserData),
        "private_networking" => Some(Feature::PrivateNetwork),
        _ => None,
    }
}

/// Returns `None` for what is not for droplets.
pub(crate) fn app(it: wire::OneClick) -> Option<MarketplaceApp> {
    if it.kind.is_some_and(|it| &*it != "droplet") {
        return None;
    }
    Some(MarketplaceApp {
        image: Some(ImageId(it.slug.clone())),
        ..MarketplaceApp::new(it.slug.clone(), it.slug)
    })
}

/// Returns `None` for a firewall that goes by no tag, which takes no droplet in the call that
/// creates it.
pub(crate) fn firewall(it: wire::Firewall) -> Option<Choice> {
    let tag = it.tags.unwrap_or_default().into_iter().next()?;
    Some(Choice {
        label: it.name.unwrap_or_else(|| it.id.clone()),
        value: json!(it.id),
        region: None,
        summary: Some(format!("takes servers by the tag `{tag}`").into()),
    })
}

pub(crate) fn vpc(it: wire::Vpc) -> Choice {
    Choice {
        label: it.name.unwrap_or_else(|| it.id.clone()),
        value: json!(it.id),
        region: it.region.map(RegionId),
        summary: it.ip_range,
    }
}

pub(crate) fn account(it: wire::Account) -> Account {
    let (team, name) = it.team.map_or((None, None), |it| (it.uuid, it.name));
    Account {
        // Droplets belong to the team; two members' tokens reach the same ones.
        fingerprint: team.unwrap_or(it.uuid),
        label: name.or(it.email),
        instance_limit: it.droplet_limit,
        missing_scopes: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
