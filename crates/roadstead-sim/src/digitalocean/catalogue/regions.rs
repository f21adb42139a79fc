//! The regions, and which groups of them sell which sizes.

/// One region as the vendor lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) available: bool,
    pub(crate) features: &'static [&'static str],
}

impl Region {
    /// Returns the region called `slug`.
    pub(crate) fn find(slug: &str) -> Option<&'static Self> {
        REGIONS.iter().find(|it| it.slug == slug)
    }

    /// Returns the place in the list, which is the region's part of a private
    /// network address.
    pub(crate) fn position(slug: &str) -> usize {
        REGIONS.iter().position(|it| it.slug == slug).unwrap_or(0)
    }
}

const OLD: &[&str] = &[
    "private_networking",
    "backups",
    "ipv6",
    "metadata",
    "install_agent",
];
const USUAL: &[&str] = &[
    "private_networking",
    "backups",
    "ipv6",
    "metadata",
    "install_agent",
    "storage",
    "image_transfer",
];
const NEW: &[&str] = &[
    "backups",
    "ipv6",
    "metadata",
    "install_agent",
    "storage",
    "image_transfer",
    "server_id",
    "management_networking",
];

/// Every region, in the vendor's order.
#[rustfmt::skip]
pub(crate) const REGIONS: &[Region] = &[
    Region { slug: "nyc1", name: "New York 1", available: true, features: USUAL },
    Region { slug: "sfo1", name: "San Francisco 1", available: false, features: OLD },
    Region { slug: "nyc2", name: "New York 2", available: true, features: USUAL },
    Region { slug: "ams2", name: "Amsterdam 2", available: false, features: OLD },
    Region { slug: "sgp1", name: "Singapore 1", available: true, features: USUAL },
    Region { slug: "lon1", name: "London 1", available: true, features: USUAL },
    Region { slug: "nyc3", name: "New York 3", available: true, features: USUAL },
    Region { slug: "ams3", name: "Amsterdam 3", available: true, features: USUAL },
    Region { slug: "fra1", name: "Frankfurt 1", available: true, features: USUAL },
    Region { slug: "tor1", name: "Toronto 1", available: true, features: USUAL },
    Region { slug: "sfo2", name: "San Francisco 2", available: false, features: USUAL },
    Region { slug: "blr1", name: "Bangalore 1", available: true, features: USUAL },
    Region { slug: "sfo3", name: "San Francisco 3", available: true, features: USUAL },
    Region { slug: "syd1", name: "Sydney 1", available: true, features: USUAL },
    Region { slug: "atl1", name: "Atlanta 1", available: true, features: NEW },
];

/// Where the plain sizes are sold.
pub(crate) const EVERYWHERE: &[&str] = &[
    "ams2", "ams3", "atl1", "blr1", "fra1", "lon1", "nyc1", "nyc2", "nyc3", "sfo2", "sfo3", "sgp1",
    "syd1", "tor1",
];
/// Where newer sizes are sold.
pub(crate) const CURRENT: &[&str] = &[
    "ams3", "blr1", "fra1", "lon1", "nyc1", "nyc3", "sfo3", "sgp1", "syd1", "tor1",
];
/// Where the larger families are sold.
pub(crate) const MAIN: &[&str] = &["ams3", "fra1", "lon1", "nyc1", "nyc3", "sfo3", "sgp1"];
/// Where the rare families are sold.
pub(crate) const FEW: &[&str] = &["ams3", "fra1", "nyc1", "nyc3", "sfo3"];
/// Where sizes with accelerators are sold.
pub(crate) const GPU: &[&str] = &["atl1", "nyc2", "tor1"];
/// Where sizes are sold that exist only on old droplets.
pub(crate) const NOWHERE: &[&str] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_names_regions_that_exist() {
        for slug in [EVERYWHERE, CURRENT, MAIN, FEW, GPU].concat() {
            assert!(Region::find(slug).is_some(), "{slug}");
        }
        assert!(REGIONS.iter().any(|it| !it.available));
    }
}
