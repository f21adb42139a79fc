//! DigitalOcean's words to ours: pure, total, and the only place where units change.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{
    Account, Address, Arch, Availability, Billed, Code, Feature, GbPerMonth, Image, ImageId,
    Instance, Market, MarketplaceApp, MiB, Money, Offering, OperationStatus, Plan, Price,
    PriceSource, Region, RegionId, RemoteId, RemoteOperation, RemoteOperationId, Scope, State,
    Status, exact_decimal,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
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
        label: it.slug.clone(),
        image: Some(ImageId(it.slug.clone())),
        id: it.slug,
    })
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
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
        serde_json::from_str(json).unwrap()
    }

    /// Shortened from the example of the vendor's OpenAPI document, `GET /v2/droplets`.
    const DROPLET: &str = r#"{"id":3164444,"name":"example.com","memory":1024,"vcpus":1,"disk":25,
        "locked":false,"status":"active","kernel":null,"created_at":"2020-07-21T18:37:44Z",
        "features":["backups"],"image":{"id":63663980,"slug":"ubuntu-20-04-x64","public":true},
        "size_slug":"s-1vcpu-1gb","networks":{"v4":[
        {"ip_address":"10.128.192.124","netmask":"255.255.0.0","gateway":"nil","type":"private"},
        {"ip_address":"192.241.165.154","netmask":"255.255.255.0","type":"public"}],
        "v6":[{"ip_address":"2604:a880:0:1010::18a:a001","netmask":64,"type":"public"}]},
        "region":{"name":"New York 3","slug":"nyc3"},"tags":["web","env:prod"]}"#;

    #[test]
    fn a_droplet_keeps_all_its_addresses_and_its_units_are_right() {
        let it = instance(read(DROPLET));
        assert_eq!((it.id.as_str(), &*it.name), ("3164444", "example.com"));
        assert_eq!(
            (it.vcpus, it.memory, it.disk),
            (1, MiB(1024), Some(MiB(25 * 1024)))
        );
        let addresses: Vec<_> = it
            .addresses
            .iter()
            .map(|it| (it.ip.to_string(), it.scope))
            .collect();
        assert_eq!(
            addresses,
            [
                ("10.128.192.124".to_owned(), Scope::Private),
                ("192.241.165.154".to_owned(), Scope::Public),
                ("2604:a880:0:1010::18a:a001".to_owned(), Scope::Public),
            ]
        );
        assert_eq!(
            (it.region.as_str(), it.plan.unwrap().as_str()),
            ("nyc3", "s-1vcpu-1gb")
        );
        assert_eq!(it.image.unwrap().as_str(), "ubuntu-20-04-x64");
        assert_eq!(it.tags, ["web".into(), "env:prod".into()]);
        assert_eq!(it.created.unwrap().to_string(), "2020-07-21T18:37:44Z");
        assert_eq!((it.status.state, it.status.busy), (State::Running, false));
    }

    #[test]
    fn a_stopped_droplet_costs_its_full_price_and_an_unknown_word_is_kept() {
        assert_eq!(status("off".into()).billed, Billed::Full);
        assert_eq!(status("new".into()).state, State::Provisioning);
        let odd = status("hibernating".into());
        assert_eq!(
            (odd.state, &*odd.raw, odd.billed),
            (State::Unknown, "hibernating", Billed::Unknown)
        );
    }

    #[test]
    fn a_droplet_of_which_only_the_id_is_known_is_still_one() {
        let it = instance(read(r#"{"id":7}"#));
        assert_eq!((it.id.as_str(), it.status.state), ("7", State::Unknown));
    }

    #[test]
    fn prices_are_exact_and_transfer_is_in_gigabytes() {
        let it = plan(
            read(
                r#"{"slug":"s-1vcpu-512mb-10gb","description":"Basic","memory":512,"vcpus":1,
                "disk":10,"transfer":0.5,"price_monthly":4.0,"price_hourly":0.00743999984115362,
                "regions":["nyc3","fra1"],"available":true}"#,
            ),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            (it.transfer, it.disk),
            (Some(GbPerMonth(500)), Some(MiB(10_240)))
        );
        assert_eq!(&*it.label, "Basic, 1 vCPU, 512 MiB");
        assert_eq!(it.offerings.len(), 2);
        let price = it
            .offering_in(&"fra1".into())
            .unwrap()
            .price
            .clone()
            .unwrap();
        assert_eq!(price.hourly.unwrap().amount.to_string(), "0.00744");
        assert_eq!(price.monthly.unwrap().amount.to_string(), "4");
        assert!(price.monthly_is_cap && !it.dedicated_cpu && it.gpus == 0);
    }

    #[test]
    fn an_unknown_price_is_none_and_never_zero() {
        let size = r#"{"slug":"gpu-h100x8","memory":1966080,"vcpus":160,"disk":2046,
            "regions":["nyc2"],"available":false,"price_hourly":null,"gpu_info":{"count":8}}"#;
        let it = plan(read(size), Timestamp::UNIX_EPOCH);
        assert_eq!((it.gpus, it.dedicated_cpu, it.transfer), (8, true, None));
        assert_eq!(it.offerings[0].price, None);
        assert_eq!(it.offerings[0].availability, Availability::SoldOut);
    }

    #[test]
    fn shared_and_dedicated_processors_are_told_apart() {
        for (slug, expected) in [
            ("s-2vcpu-2gb-amd", false),
            ("512mb", false),
            ("c-4", true),
            ("c2-2vcpu-4gb", true),
            ("g-2vcpu-8gb", true),
            ("m-2vcpu-16gb", true),
            ("so1_5-2vcpu-16gb", true),
        ] {
            assert_eq!(dedicated(slug), expected, "{slug}");
        }
    }

    #[test]
    fn images_tell_family_version_and_age() {
        let it = image(read(
            r#"{"id":1,"slug":"ubuntu-24-04-x64","name":"24.04 (LTS) x64","distribution":"Ubuntu",
            "status":"available","public":true,"regions":["nyc3"],"min_disk_size":7}"#,
        ))
        .unwrap();
        assert_eq!(
            (&*it.family, it.version.as_deref()),
            ("ubuntu", Some("24.04"))
        );
        assert_eq!((it.min_disk, it.cloud_init), (Some(MiB(7168)), Some(true)));
        assert_eq!(
            (&*it.label, it.deprecated),
            ("Ubuntu 24.04 (LTS) x64", false)
        );
        let it = image(read(
            r#"{"id":2,"slug":null,"name":"mine 7","distribution":"Rocky Linux",
            "status":"retired","public":false}"#,
        ))
        .unwrap();
        assert_eq!((it.id.as_str(), &*it.family), ("2", "rocky"));
        assert_eq!(
            (it.version, it.cloud_init, it.deprecated),
            (None, None, true)
        );
        assert_eq!(image(read(r#"{"id":3,"status":"deleted"}"#)), None);
    }

    #[test]
    fn regions_are_placed_and_their_features_are_ours() {
        let it = region(read(
            r#"{"slug":"fra1","name":"Frankfurt 1","available":true,
            "features":["backups","ipv6","metadata","install_agent"]}"#,
        ));
        assert_eq!(
            (it.country.as_deref(), it.city.as_deref()),
            (Some("DE"), Some("Frankfurt"))
        );
        assert_eq!(
            it.features,
            [Feature::Backups, Feature::Ipv6, Feature::UserData]
        );
    }

    #[test]
    fn a_job_ends_only_by_a_word_that_says_so() {
        let of = |word: &str| {
            let json = format!(
                r#"{{"id":9,"status":"{word}","type":"resize","resource_id":7,"resource_type":"droplet"}}"#
            );
            operation(read(&json)).status
        };
        assert_eq!(of("completed"), OperationStatus::Succeeded);
        assert_eq!(
            of("in-progress"),
            OperationStatus::Running { percent: None }
        );
        assert_eq!(of("pondering"), OperationStatus::Running { percent: None });
        assert!(matches!(of("errored"), OperationStatus::Failed { .. }));
    }

    #[test]
    fn a_deletion_is_found_again_by_its_id() {
        let job = deletion(7, OperationStatus::Succeeded);
        assert_eq!(deleted(&job.id), Some("7"));
        assert_eq!(deleted(&"982864273".into()), None);
    }

    #[test]
    fn an_account_is_known_by_its_team() {
        let it = account(read(
            r#"{"uuid":"u","email":"a@b.c","droplet_limit":25,"team":{"uuid":"t","name":"Team"}}"#,
        ));
        assert_eq!(
            (&*it.fingerprint, it.label.as_deref(), it.instance_limit),
            ("t", Some("Team"), Some(25))
        );
        let it = account(read(r#"{"uuid":"u","email":"a@b.c"}"#));
        assert_eq!(
            (&*it.fingerprint, it.label.as_deref()),
            ("u", Some("a@b.c"))
        );
    }
}
