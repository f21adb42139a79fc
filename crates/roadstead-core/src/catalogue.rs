//! What a vendor sells: plans, images and regions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Feature, GbPerMonth, ImageId, Mbps, MiB, PlanId, Price, RegionId};

/// Whether something can be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Availability {
    /// It can be ordered.
    Available,
    /// It is out of stock for now.
    SoldOut,
    /// It is no longer sold.
    Retired,
    /// The vendor does not say.
    Unknown,
}

/// How a server is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Market {
    /// By use, kept until deleted.
    OnDemand,
    /// Cheaper, and taken away when the vendor needs it.
    Spot,
}

/// A plan in one region and one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    /// Where.
    pub region: RegionId,
    /// How it is paid for.
    pub market: Market,
    /// Whether it can be had now.
    pub availability: Availability,
    /// The price there; `None` is unknown, never free.
    pub price: Option<Price>,
}

/// A processor architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

/// A size of server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The vendor's id.
    pub id: PlanId,
    /// A name for people.
    pub label: Box<str>,
    /// The vendor's family of plans, as the vendor spells it.
    pub class: Box<str>,
    /// Processor architecture.
    pub arch: Arch,
    /// Virtual processors.
    pub vcpus: u32,
    /// Whether the processors are not shared.
    pub dedicated_cpu: bool,
    /// Memory.
    pub memory: MiB,
    /// Local disk; `None` where disks are bought apart.
    pub disk: Option<MiB>,
    /// Graphics processors.
    pub gpus: u32,
    /// Outgoing transfer included each month.
    pub transfer: Option<GbPerMonth>,
    /// Outgoing bandwidth.
    pub network_out: Option<Mbps>,
    /// Where it is sold, and for how much.
    pub offerings: Vec<Offering>,
}

impl Plan {
    /// Returns the on-demand offering in a region.
    #[must_use]
    pub fn offering_in(&self, region: &RegionId) -> Option<&Offering> {
        offering_of(&self.offerings, region, Market::OnDemand)
    }
}

/// Returns the offering for a region and market.
#[must_use]
pub fn offering_of<'a>(
    offerings: &'a [Offering],
    region: &RegionId,
    market: Market,
) -> Option<&'a Offering> {
    offerings
        .iter()
        .find(|it| &it.region == region && it.market == market)
}

/// Something a server can be started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The vendor's id.
    pub id: ImageId,
    /// A name for people.
    pub label: Box<str>,
    /// The distribution, lower-cased (`debian`, `ubuntu`).
    pub family: Box<str>,
    /// The distribution's version.
    pub version: Option<Box<str>>,
    /// Processor architecture.
    pub arch: Arch,
    /// The smallest disk it fits on.
    pub min_disk: Option<MiB>,
    /// Whether every customer of the vendor sees it.
    pub public: bool,
    /// Whether the vendor advises against new use.
    pub deprecated: bool,
    /// When its distribution's support ends.
    pub end_of_life: Option<Timestamp>,
    /// Whether it runs cloud-init, which user data and root passwords may need;
    /// `None` where the vendor does not say.
    pub cloud_init: Option<bool>,
    /// The regions that have it; `None` is everywhere.
    pub regions: Option<Vec<RegionId>>,
}

/// A place where servers run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The vendor's id.
    pub id: RegionId,
    /// A name for people.
    pub label: Box<str>,
    /// ISO 3166-1 alpha-2 code, upper case.
    pub country: Option<Box<str>>,
    /// The city or area.
    pub city: Option<Box<str>>,
    /// Whether servers can be created there now.
    pub available: bool,
    /// What the region has beyond servers.
    pub features: Vec<Feature>,
}

/// Returns the region with this id.
#[must_use]
pub fn region_of<'a>(regions: &'a [Region], id: &RegionId) -> Option<&'a Region> {
    regions.iter().find(|it| &it.id == id)
}
