//! Plans, images, regions and applications as clients see them.

use std::sync::Arc;

use jiff::Timestamp;
use roadstead_core as core;
use roadstead_core::ProviderId;
use roadstead_service::Catalogue;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::Price;

/// A part of a catalogue under the name that its route gives it, with its age.
#[derive(Debug)]
pub(crate) struct CatalogueAnswer<V> {
    noun: &'static str,
    provider: ProviderId,
    items: Vec<V>,
    age_seconds: u64,
    stale: bool,
}

impl<V> CatalogueAnswer<V> {
    /// Takes what was fetched, item by item.
    pub(crate) fn new<T>(noun: &'static str, it: Catalogue<T>) -> Self
    where
        V: for<'a> From<&'a T>,
    {
        Self {
            noun,
            provider: it.account.record.id,
            items: Arc::as_ref(&it.fetched.value).iter().map(V::from).collect(),
            age_seconds: it.fetched.age.as_secs(),
            stale: it.fetched.stale,
        }
    }
}

impl<V: Serialize> Serialize for CatalogueAnswer<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("success", &true)?;
        map.serialize_entry(self.noun, &self.items)?;
        map.serialize_entry("next_cursor", &Option::<&str>::None)?;
        map.serialize_entry("provider_id", &self.provider)?;
        map.serialize_entry("age_seconds", &self.age_seconds)?;
        if self.stale {
            map.serialize_entry("stale", &true)?;
        }
        map.end()
    }
}

/// A plan.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    id: core::PlanId,
    label: Box<str>,
    class: Box<str>,
    arch: core::Arch,
    vcpus: u32,
    dedicated_cpu: bool,
    memory_mib: u64,
    disk_gib: Option<u64>,
    gpus: u32,
    transfer_gb: Option<u64>,
    network_out_mbps: Option<u32>,
    offerings: Vec<Offering>,
}

#[derive(Debug, Serialize)]
struct Offering {
    region: core::RegionId,
    market: core::Market,
    availability: core::Availability,
    price: Option<Price>,
}

impl From<&core::Plan> for Plan {
    fn from(it: &core::Plan) -> Self {
        let offering = |it: &core::Offering| Offering {
            region: it.region.clone(),
            market: it.market,
            availability: it.availability,
            price: it.price.as_ref().map(Price::from),
        };
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            class: it.class.clone(),
            arch: it.arch,
            vcpus: it.vcpus,
            dedicated_cpu: it.dedicated_cpu,
            memory_mib: it.memory.0,
            disk_gib: it.disk.map(core::MiB::whole_gib),
            gpus: it.gpus,
            transfer_gb: it.transfer.map(|it| it.0),
            network_out_mbps: it.network_out.map(|it| it.0),
            offerings: it.offerings.iter().map(offering).collect(),
        }
    }
}

/// An image.
#[derive(Debug, Serialize)]
pub(crate) struct Image {
    id: core::ImageId,
    label: Box<str>,
    family: Box<str>,
    version: Option<Box<str>>,
    arch: core::Arch,
    min_disk_gib: Option<u64>,
    public: bool,
    deprecated: bool,
    end_of_life: Option<Timestamp>,
    cloud_init: Option<bool>,
    regions: Option<Vec<core::RegionId>>,
}

impl From<&core::Image> for Image {
    fn from(it: &core::Image) -> Self {
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            family: it.family.clone(),
            version: it.version.clone(),
            arch: it.arch,
            min_disk_gib: it.min_disk.map(core::MiB::whole_gib),
            public: it.public,
            deprecated: it.deprecated,
            end_of_life: it.end_of_life,
            cloud_init: it.cloud_init,
            regions: it.regions.clone(),
        }
    }
}

/// A region.
#[derive(Debug, Serialize)]
pub(crate) struct Region {
    id: core::RegionId,
    label: Box<str>,
    country: Option<Box<str>>,
    city: Option<Box<str>>,
    available: bool,
    features: Vec<core::Feature>,
}

impl From<&core::Region> for Region {
    fn from(it: &core::Region) -> Self {
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            country: it.country.clone(),
            city: it.city.clone(),
            available: it.available,
            features: it.features.clone(),
        }
    }
}

/// A ready-made application.
#[derive(Debug, Serialize)]
pub(crate) struct App {
    id: Box<str>,
    label: Box<str>,
    image: Option<core::ImageId>,
}

impl From<&core::MarketplaceApp> for App {
    fn from(it: &core::MarketplaceApp) -> Self {
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            image: it.image.clone(),
        }
    }
}
