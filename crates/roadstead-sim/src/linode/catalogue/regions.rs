//! The regions: a frozen list in the vendor's shape.

/// One region as the vendor lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) country: &'static str,
    pub(crate) capabilities: &'static [&'static str],
    pub(crate) site: Site,
    pub(crate) in_outage: bool,
    /// What things cost here, in percent of the usual price.
    pub(crate) price_percent: u64,
}

/// What kind of place a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    Core,
    Distributed,
}

impl Site {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Distributed => "distributed",
        }
    }
}

impl Region {
    /// Returns the region called `id`.
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        REGIONS.iter().find(|it| it.id == id)
    }

    /// Returns whether the region has a capability.
    pub(crate) fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Returns the place in the list, which is the region's part of addresses.
    pub(crate) fn place(&self) -> usize {
        let place = REGIONS.iter().position(|it| it.id == self.id);
        place.unwrap_or(0)
    }

    const fn priced(mut self, percent: u64) -> Self {
        self.price_percent = percent;
        self
    }

    const fn in_outage(mut self) -> Self {
        self.in_outage = true;
        self
    }
}

const fn core(
    id: &'static str,
    label: &'static str,
    country: &'static str,
    capabilities: &'static [&'static str],
) -> Region {
    Region {
        id,
        label,
        country,
        capabilities,
        site: Site::Core,
        in_outage: false,
        price_percent: 100,
    }
}

const fn distributed(id: &'static str, label: &'static str, country: &'static str) -> Region {
    Region {
        site: Site::Distributed,
        ..core(id, label, country, EDGE)
    }
}

/// Of a place that is older than the metadata service.
#[rustfmt::skip]
const OLD: &[&str] = &[
    "Linodes", "Backups", "NodeBalancers", "Block Storage", "Kubernetes", "Cloud Firewall",
    "Vlans", "Block Storage Migrations", "Managed Databases", "Placement Group",
];
#[rustfmt::skip]
const USUAL: &[&str] = &[
    "Linodes", "Backups", "NodeBalancers", "Block Storage", "Object Storage", "Kubernetes",
    "Cloud Firewall", "Vlans", "VPCs", "Block Storage Migrations", "Managed Databases", "Metadata",
    "Placement Group", "StackScripts", "Disk Encryption", "Linode Interfaces", "Maintenance Policy",
];
#[rustfmt::skip]
const USUAL_GPU: &[&str] = &[
    "Linodes", "Backups", "NodeBalancers", "Block Storage", "Object Storage", "GPU Linodes",
    "Kubernetes", "Cloud Firewall", "Vlans", "VPCs", "Block Storage Migrations",
    "Managed Databases", "Metadata", "Placement Group", "StackScripts", "Disk Encryption",
    "Linode Interfaces", "Maintenance Policy",
];
#[rustfmt::skip]
const NEW: &[&str] = &[
    "Linodes", "Backups", "NodeBalancers", "Block Storage", "Object Storage", "Kubernetes",
    "Cloud Firewall", "Vlans", "VPCs", "Managed Databases", "Metadata", "Premium Plans",
    "Placement Group", "StackScripts", "Disk Encryption", "Linode Interfaces", "Maintenance Policy",
];
#[rustfmt::skip]
const NEW_GPU: &[&str] = &[
    "Linodes", "Backups", "NodeBalancers", "Block Storage", "Object Storage", "GPU Linodes",
    "Kubernetes", "Cloud Firewall", "Vlans", "VPCs", "Managed Databases", "Metadata",
    "Premium Plans", "Placement Group", "StackScripts", "NETINT Quadra T1U", "Disk Encryption",
    "Linode Interfaces", "Maintenance Policy",
];
#[rustfmt::skip]
const EDGE: &[&str] = &[
    "Linodes", "Cloud Firewall", "Metadata", "Distributed Plans", "StackScripts",
    "Disk Encryption", "Linode Interfaces",
];

/// Every region, in the vendor's order.
#[rustfmt::skip]
pub(crate) const REGIONS: &[Region] = &[
    core("ap-west", "Mumbai, IN", "in", USUAL_GPU),
    core("ca-central", "Toronto, CA", "ca", USUAL),
    core("ap-southeast", "Sydney, AU", "au", USUAL),
    core("us-iad", "Washington, DC", "us", NEW),
    core("us-ord", "Chicago, IL", "us", NEW_GPU),
    core("fr-par", "Paris, FR", "fr", NEW_GPU),
    core("us-sea", "Seattle, WA", "us", NEW_GPU),
    core("br-gru", "Sao Paulo, BR", "br", NEW).priced(140),
    core("nl-ams", "Amsterdam, NL", "nl", NEW),
    core("se-sto", "Stockholm, SE", "se", NEW),
    core("es-mad", "Madrid, ES", "es", NEW),
    core("in-maa", "Chennai, IN", "in", NEW_GPU),
    core("jp-osa", "Osaka, JP", "jp", NEW_GPU).priced(110),
    core("it-mil", "Milan, IT", "it", NEW),
    core("us-mia", "Miami, FL", "us", NEW),
    core("id-cgk", "Jakarta, ID", "id", NEW).priced(120),
    core("us-lax", "Los Angeles, CA", "us", NEW_GPU),
    core("nz-akl-1", "Auckland, NZ", "nz", NEW).in_outage(),
    core("gb-lon", "London 2, UK", "gb", NEW),
    core("au-mel", "Melbourne, AU", "au", NEW),
    core("in-bom-2", "Mumbai 2, IN", "in", NEW_GPU),
    core("de-fra-2", "Frankfurt 2, DE", "de", NEW_GPU),
    core("sg-sin-2", "Singapore 2, SG", "sg", NEW_GPU),
    core("jp-tyo-3", "Tokyo 3, JP", "jp", NEW_GPU),
    core("us-central", "Dallas, TX", "us", USUAL),
    core("us-west", "Fremont, CA", "us", OLD),
    core("us-southeast", "Atlanta, GA", "us", USUAL_GPU),
    core("us-east", "Newark, NJ", "us", USUAL_GPU),
    core("eu-west", "London, UK", "gb", USUAL),
    core("ap-south", "Singapore, SG", "sg", USUAL_GPU),
    core("eu-central", "Frankfurt, DE", "de", USUAL_GPU),
    core("ap-northeast", "Tokyo 2, JP", "jp", USUAL),
    distributed("us-den-1", "Denver, CO", "us"),
    distributed("de-ham-1", "Hamburg, DE", "de"),
    distributed("cl-scl-1", "Santiago, CL", "cl"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn regions_have_no_twins_and_every_kind_is_there() {
        let ids: HashSet<&str> = REGIONS.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), REGIONS.len());
        assert!(REGIONS.len() >= 30);
        assert!(REGIONS.iter().any(|it| it.in_outage));
        assert!(REGIONS.iter().any(|it| !it.can("Metadata")));
        assert!(REGIONS.iter().any(|it| it.site == Site::Distributed));
        for it in REGIONS {
            assert!(
                it.can("Linodes") && it.country == it.country.to_lowercase(),
                "{}",
                it.id
            );
        }
    }
}
