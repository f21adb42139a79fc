//! The types on sale: a frozen price list in the vendor's shape, not today's prices.

use serde_json::{Value, json};

use super::regions::{Region, Site};

/// One type as the price list states it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) class: Class,
    pub(crate) memory_mib: u64,
    pub(crate) disk_mib: u64,
    /// The vendor's description says megabytes, its numbers are gigabytes.
    pub(crate) transfer_gb: u64,
    pub(crate) vcpus: u64,
    pub(crate) gpus: u64,
    pub(crate) accelerated_devices: u64,
    pub(crate) network_out_mbps: u64,
    pub(crate) monthly_cents: u64,
    pub(crate) backups_cents: u64,
    sold: Sold,
}

/// The words of the vendor's `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Nanode,
    Standard,
    Dedicated,
    Premium,
    HighMemory,
    Gpu,
    Accelerated,
}

/// Where a type is sold.
#[derive(Debug, Clone, Copy)]
enum Sold {
    /// Wherever the region has what the class needs.
    Core,
    /// Only there.
    Only(&'static [&'static str]),
    /// Everywhere but there, where it has run out.
    Except(&'static [&'static str]),
    /// In distributed regions only.
    Edge,
}

impl Class {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Nanode => "nanode",
            Self::Standard => "standard",
            Self::Dedicated => "dedicated",
            Self::Premium => "premium",
            Self::HighMemory => "highmem",
            Self::Gpu => "gpu",
            Self::Accelerated => "accelerated",
        }
    }

    /// Returns what a region must be capable of to have this class.
    const fn needs(self) -> &'static str {
        match self {
            Self::Nanode | Self::Standard | Self::Dedicated | Self::HighMemory => "Linodes",
            Self::Premium => "Premium Plans",
            Self::Gpu => "GPU Linodes",
            Self::Accelerated => "NETINT Quadra T1U",
        }
    }
}

impl Type {
    /// Returns the type called `id`.
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        TYPES.iter().find(|it| it.id == id)
    }

    /// Returns whether new servers of this type may be made in `region`.
    pub(crate) fn is_available_in(&self, region: &Region) -> bool {
        let sold = match self.sold {
            Sold::Core => region.site == Site::Core,
            Sold::Only(regions) => regions.contains(&region.id),
            Sold::Except(regions) => region.site == Site::Core && !regions.contains(&region.id),
            Sold::Edge => region.site == Site::Distributed,
        };
        sold && region.can(self.class.needs())
    }

    /// Returns whether the list of availabilities mentions it.
    pub(crate) const fn is_stated(&self) -> bool {
        match self.class {
            Class::Premium | Class::Gpu | Class::Accelerated => true,
            Class::Nanode | Class::Standard | Class::Dedicated | Class::HighMemory => false,
        }
    }

    const fn with(mut self, gpus: u64, accelerated_devices: u64) -> Self {
        self.gpus = gpus;
        self.accelerated_devices = accelerated_devices;
        self
    }

    const fn only(mut self, regions: &'static [&'static str]) -> Self {
        self.sold = Sold::Only(regions);
        self
    }

    const fn except(mut self, regions: &'static [&'static str]) -> Self {
        self.sold = Sold::Except(regions);
        self
    }

    const fn edge(mut self) -> Self {
        self.sold = Sold::Edge;
        self
    }
}

/// Returns a price in the vendor's JSON: floats of dollars, by the hour 15
/// ten-thousandths of the price by the month.
pub(crate) fn price(monthly_cents: u64, percent: u64) -> Value {
    let cents = monthly_cents.saturating_mul(percent) / 100;
    let millionths = cents.saturating_mul(15);
    let float = |text: String| text.parse::<f64>().unwrap_or_default();
    json!({
        "hourly": float(format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)),
        "monthly": float(format!("{}.{:02}", cents / 100, cents % 100)),
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "a row of the table below reads best in one line"
)]
const fn row(
    id: &'static str,
    label: &'static str,
    class: Class,
    memory_gib: u64,
    disk_gib: u64,
    transfer_gb: u64,
    vcpus: u64,
    network_out_mbps: u64,
    monthly: u64,
    backups_cents: u64,
) -> Type {
    Type {
        id,
        label,
        class,
        memory_mib: memory_gib * 1024,
        disk_mib: disk_gib * 1024,
        transfer_gb,
        vcpus,
        gpus: 0,
        accelerated_devices: 0,
        network_out_mbps,
        monthly_cents: monthly * 100,
        backups_cents,
        sold: Sold::Core,
    }
}

const RTX6000: &[&str] = &[
    "us-east",
    "us-southeast",
    "ap-west",
    "ap-south",
    "eu-central",
];
#[rustfmt::skip]
const RTX4000: &[&str] = &[
    "us-ord", "fr-par", "us-sea", "jp-osa", "in-bom-2", "de-fra-2", "sg-sin-2",
];
const NETINT: &[&str] = &["us-lax", "us-ord", "us-sea", "in-maa", "jp-tyo-3"];
const NETINT_LARGE: &[&str] = &["us-lax"];
const G8: &[&str] = &["us-iad", "nl-ams", "de-fra-2", "sg-sin-2", "us-lax"];
const NO_PREMIUM: &[&str] = &["se-sto", "es-mad"];

/// Every type, in the vendor's order.
#[rustfmt::skip]
pub(crate) const TYPES: &[Type] = &[
    row("g6-nanode-1", "Nanode 1GB", Class::Nanode, 1, 25, 1000, 1, 1000, 5, 200),
    row("g6-standard-1", "Linode 2GB", Class::Standard, 2, 50, 2000, 1, 2000, 12, 250),
    row("g6-standard-2", "Linode 4GB", Class::Standard, 4, 80, 4000, 2, 4000, 24, 500),
    row("g6-standard-4", "Linode 8GB", Class::Standard, 8, 160, 5000, 4, 5000, 48, 1000),
    row("g6-standard-6", "Linode 16GB", Class::Standard, 16, 320, 8000, 6, 6000, 96, 2000),
    row("g6-standard-8", "Linode 32GB", Class::Standard, 32, 640, 16000, 8, 7000, 192, 4000),
    row("g6-standard-16", "Linode 64GB", Class::Standard, 64, 1280, 20000, 16, 9000, 384, 8000),
    row("g6-standard-20", "Linode 96GB", Class::Standard, 96, 1920, 20000, 20, 10000, 576, 12000),
    row("g6-standard-24", "Linode 128GB", Class::Standard, 128, 2560, 20000, 24, 11000, 768, 16000),
    row("g6-standard-32", "Linode 192GB", Class::Standard, 192, 3840, 20000, 32, 12000, 1152, 24000),
    row("g7-highmem-1", "Linode 24GB", Class::HighMemory, 24, 20, 5000, 2, 5000, 60, 500),
    row("g7-highmem-2", "Linode 48GB", Class::HighMemory, 48, 40, 6000, 2, 6000, 120, 1000),
    row("g7-highmem-4", "Linode 90GB", Class::HighMemory, 90, 90, 7000, 4, 7000, 240, 2000),
    row("g7-highmem-8", "Linode 150GB", Class::HighMemory, 150, 200, 8000, 8, 8000, 480, 4000),
    row("g7-highmem-16", "Linode 300GB", Class::HighMemory, 300, 340, 9000, 16, 9000, 960, 8000),
    row("g6-dedicated-2", "Dedicated 4GB", Class::Dedicated, 4, 80, 4000, 2, 4000, 36, 500),
    row("g6-dedicated-4", "Dedicated 8GB", Class::Dedicated, 8, 160, 5000, 4, 5000, 72, 1000),
    row("g6-dedicated-8", "Dedicated 16GB", Class::Dedicated, 16, 320, 6000, 8, 6000, 144, 2000),
    row("g6-dedicated-16", "Dedicated 32GB", Class::Dedicated, 32, 640, 7000, 16, 7000, 288, 4000),
    row("g6-dedicated-32", "Dedicated 64GB", Class::Dedicated, 64, 1280, 8000, 32, 8000, 576, 8000),
    row("g6-dedicated-48", "Dedicated 96GB", Class::Dedicated, 96, 1920, 9000, 48, 9000, 864, 12000),
    row("g6-dedicated-50", "Dedicated 128GB", Class::Dedicated, 128, 2500, 10000, 50, 10000, 1152, 16000),
    row("g6-dedicated-56", "Dedicated 256GB", Class::Dedicated, 256, 5000, 11000, 56, 11000, 2304, 20000),
    row("g6-dedicated-64", "Dedicated 512GB", Class::Dedicated, 512, 7200, 12000, 64, 12000, 4608, 24000),
    row("g1-gpu-rtx6000-1", "Dedicated 32GB + RTX6000 GPU x1", Class::Gpu, 32, 640, 16000, 8, 10000, 1000, 4000).with(1, 0).only(RTX6000),
    row("g1-gpu-rtx6000-2", "Dedicated 64GB + RTX6000 GPU x2", Class::Gpu, 64, 1280, 20000, 16, 10000, 2000, 8000).with(2, 0).only(RTX6000),
    row("g1-gpu-rtx6000-3", "Dedicated 96GB + RTX6000 GPU x3", Class::Gpu, 96, 1920, 20000, 20, 10000, 3000, 12000).with(3, 0).only(RTX6000),
    row("g1-gpu-rtx6000-4", "Dedicated 128GB + RTX6000 GPU x4", Class::Gpu, 128, 2560, 20000, 24, 10000, 4000, 16000).with(4, 0).only(&["us-east"]),
    row("g7-premium-2", "Premium 4GB", Class::Premium, 4, 80, 4000, 2, 4000, 43, 500),
    row("g7-premium-4", "Premium 8GB", Class::Premium, 8, 160, 5000, 4, 5000, 86, 1000),
    row("g7-premium-8", "Premium 16GB", Class::Premium, 16, 320, 6000, 8, 6000, 173, 2000),
    row("g7-premium-16", "Premium 32GB", Class::Premium, 32, 640, 7000, 16, 7000, 346, 4000),
    row("g7-premium-32", "Premium 64GB", Class::Premium, 64, 1280, 8000, 32, 8000, 691, 8000),
    row("g7-premium-48", "Premium 96GB", Class::Premium, 96, 1920, 9000, 48, 9000, 1037, 12000),
    row("g7-premium-50", "Premium 128GB", Class::Premium, 128, 2500, 10000, 50, 10000, 1382, 16000).except(NO_PREMIUM),
    row("g7-premium-56", "Premium 256GB", Class::Premium, 256, 5000, 11000, 56, 11000, 2765, 20000).except(NO_PREMIUM),
    row("g7-premium-64", "Premium 512GB", Class::Premium, 512, 7200, 12000, 64, 12000, 5530, 24000).only(&["us-iad", "us-ord", "nl-ams"]),
    row("g2-gpu-rtx4000a1-s", "RTX4000 Ada x1 Small", Class::Gpu, 16, 512, 0, 4, 10000, 350, 2000).with(1, 0).only(RTX4000),
    row("g2-gpu-rtx4000a1-m", "RTX4000 Ada x1 Medium", Class::Gpu, 32, 512, 0, 8, 10000, 446, 4000).with(1, 0).only(RTX4000),
    row("g2-gpu-rtx4000a1-l", "RTX4000 Ada x1 Large", Class::Gpu, 64, 512, 0, 16, 10000, 638, 8000).with(1, 0).only(RTX4000),
    row("g2-gpu-rtx4000a1-xl", "RTX4000 Ada x1 X-Large", Class::Gpu, 128, 512, 0, 32, 10000, 1022, 16000).with(1, 0).only(RTX4000),
    row("g2-gpu-rtx4000a2-s", "RTX4000 Ada x2 Small", Class::Gpu, 32, 1024, 0, 8, 10000, 700, 4000).with(2, 0).only(RTX4000),
    row("g2-gpu-rtx4000a2-m", "RTX4000 Ada x2 Medium", Class::Gpu, 64, 1024, 0, 16, 10000, 892, 8000).with(2, 0).only(RTX4000),
    row("g2-gpu-rtx4000a2-hs", "RTX4000 Ada x2 Medium High Storage", Class::Gpu, 64, 2048, 0, 16, 10000, 992, 8000).with(2, 0).only(RTX4000),
    row("g2-gpu-rtx4000a4-s", "RTX4000 Ada x4 Small", Class::Gpu, 128, 2048, 0, 32, 10000, 1976, 16000).with(4, 0).only(RTX4000),
    row("g2-gpu-rtx4000a4-m", "RTX4000 Ada x4 Medium", Class::Gpu, 196, 2048, 0, 48, 10000, 2384, 24000).with(4, 0).only(&["us-ord", "fr-par"]),
    row("g1-accelerated-netint-vpu-t1u1-s", "NETINT Quadra T1U x1 Small", Class::Accelerated, 16, 300, 0, 8, 16000, 280, 2000).with(0, 1).only(NETINT),
    row("g1-accelerated-netint-vpu-t1u1-m", "NETINT Quadra T1U x1 Medium", Class::Accelerated, 24, 300, 0, 12, 16000, 380, 3000).with(0, 1).only(NETINT),
    row("g1-accelerated-netint-vpu-t1u2-s", "NETINT Quadra T1U x2 Small", Class::Accelerated, 24, 300, 0, 12, 16000, 488, 3000).with(0, 2).only(NETINT),
    row("g1-accelerated-netint-vpu-t1u8-s", "NETINT Quadra T1U x8 Small", Class::Accelerated, 64, 600, 0, 32, 20000, 2100, 8000).with(0, 8).only(NETINT_LARGE),
    row("g1-accelerated-netint-vpu-t1u8-m", "NETINT Quadra T1U x8 Medium", Class::Accelerated, 96, 600, 0, 48, 20000, 2500, 12000).with(0, 8).only(NETINT_LARGE),
    row("g8-dedicated-4-2", "Dedicated 4GB", Class::Dedicated, 4, 40, 0, 2, 4000, 45, 500).only(G8),
    row("g8-dedicated-8-4", "Dedicated 8GB", Class::Dedicated, 8, 80, 0, 4, 6000, 90, 1000).only(G8),
    row("g8-dedicated-16-8", "Dedicated 16GB", Class::Dedicated, 16, 160, 0, 8, 8000, 180, 2000).only(G8),
    row("g8-dedicated-32-16", "Dedicated 32GB", Class::Dedicated, 32, 320, 0, 16, 10000, 360, 4000).only(G8),
    row("g8-dedicated-64-32", "Dedicated 64GB", Class::Dedicated, 64, 640, 0, 32, 12000, 720, 8000).only(G8),
    row("g8-dedicated-96-48", "Dedicated 96GB", Class::Dedicated, 96, 960, 0, 48, 14000, 1080, 12000).only(G8),
    row("g8-dedicated-128-64", "Dedicated 128GB", Class::Dedicated, 128, 1280, 0, 64, 16000, 1440, 16000).only(G8),
    row("g8-dedicated-256-128", "Dedicated 256GB", Class::Dedicated, 256, 2560, 0, 128, 20000, 2880, 20000).only(G8),
    row("g8-dedicated-8-2", "Dedicated 8GB", Class::Dedicated, 8, 80, 0, 2, 4000, 60, 1000).only(G8),
    row("g8-dedicated-16-4", "Dedicated 16GB", Class::Dedicated, 16, 160, 0, 4, 6000, 120, 2000).only(G8),
    row("g8-dedicated-32-8", "Dedicated 32GB", Class::Dedicated, 32, 320, 0, 8, 8000, 240, 4000).only(G8),
    row("g8-dedicated-64-16", "Dedicated 64GB", Class::Dedicated, 64, 640, 0, 16, 10000, 480, 8000).only(G8),
    row("g6-nanode-edge-1", "Nanode 1GB", Class::Nanode, 1, 25, 1000, 1, 1000, 7, 200).edge(),
    row("g6-dedicated-edge-2", "Dedicated 4GB", Class::Dedicated, 4, 80, 4000, 2, 4000, 45, 500).edge(),
    row("g6-dedicated-edge-4", "Dedicated 8GB", Class::Dedicated, 8, 160, 5000, 4, 5000, 90, 1000).edge(),
    row("g6-dedicated-edge-8", "Dedicated 16GB", Class::Dedicated, 16, 320, 6000, 8, 6000, 180, 2000).edge(),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::regions::REGIONS;
    use super::*;

    #[test]
    fn the_list_is_as_long_as_a_real_one_and_has_no_twins() {
        assert!(TYPES.len() >= 60, "only {} types", TYPES.len());
        let ids: HashSet<&str> = TYPES.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), TYPES.len());
    }

    #[test]
    fn every_type_is_sold_somewhere_and_every_place_exists() {
        for it in TYPES {
            let places = REGIONS.iter().filter(|region| it.is_available_in(region));
            assert!(places.count() > 0, "{}", it.id);
            if let Sold::Only(regions) | Sold::Except(regions) = it.sold {
                for region in regions {
                    let region = Region::find(region).unwrap();
                    assert!(region.can(it.class.needs()), "{} {}", it.id, region.id);
                }
            }
        }
    }

    #[test]
    fn prices_are_the_floats_that_the_vendor_prints() {
        assert_eq!(price(500, 100), json!({ "hourly": 0.0075, "monthly": 5.0 }));
        assert_eq!(price(500, 140), json!({ "hourly": 0.0105, "monthly": 7.0 }));
        assert_eq!(
            price(1200, 120),
            json!({ "hourly": 0.0216, "monthly": 14.4 })
        );
    }
}
