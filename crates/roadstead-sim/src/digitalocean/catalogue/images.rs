//! The public images and the one-click applications.

/// A public image as the vendor lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Image {
    pub(crate) id: u64,
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) distribution: &'static str,
    pub(crate) kind: Kind,
    pub(crate) min_disk_gib: u64,
    pub(crate) size_gib: f64,
    pub(crate) created_at: &'static str,
    pub(crate) status: &'static str,
}

/// Which filter of the list shows an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Distribution,
    Application,
}

const AVAILABLE: &str = "available";
const RETIRED: &str = "retired";

#[expect(
    clippy::too_many_arguments,
    reason = "a row of the table below reads best in one line"
)]
const fn image(
    id: u64,
    slug: &'static str,
    distribution: &'static str,
    name: &'static str,
    min_disk_gib: u64,
    size_gib: f64,
    created_at: &'static str,
    status: &'static str,
) -> Image {
    let kind = Kind::Distribution;
    Image {
        id,
        slug,
        name,
        distribution,
        kind,
        min_disk_gib,
        size_gib,
        created_at,
        status,
    }
}

const fn app(
    id: u64,
    slug: &'static str,
    name: &'static str,
    min_disk_gib: u64,
    size_gib: f64,
) -> Image {
    Image {
        id,
        slug,
        name,
        distribution: "Ubuntu",
        kind: Kind::Application,
        min_disk_gib,
        size_gib,
        created_at: "2025-09-18T13:04:11Z",
        status: AVAILABLE,
    }
}

/// Every public image.
#[rustfmt::skip]
pub(crate) const IMAGES: &[Image] = &[
    image(129_211_873, "almalinux-8-x64", "AlmaLinux", "8 x64", 10, 1.61, "2023-03-29T17:40:42Z", AVAILABLE),
    image(180_291_304, "almalinux-9-x64", "AlmaLinux", "9 x64", 10, 1.74, "2025-02-11T15:21:02Z", AVAILABLE),
    image(205_110_482, "almalinux-10-x64", "AlmaLinux", "10 x64", 10, 1.83, "2025-08-26T15:58:40Z", AVAILABLE),
    image(106_433_672, "centos-7-x64", "CentOS", "7 x64", 15, 1.01, "2022-04-20T15:43:41Z", RETIRED),
    image(162_431_110, "centos-stream-9-x64", "CentOS", "Stream 9 x64", 10, 1.97, "2024-08-12T10:11:00Z", AVAILABLE),
    image(205_110_511, "centos-stream-10-x64", "CentOS", "Stream 10 x64", 10, 1.99, "2025-08-26T16:11:12Z", AVAILABLE),
    image(69_463_023, "debian-10-x64", "Debian", "10 x64", 15, 0.85, "2021-12-16T12:11:10Z", RETIRED),
    image(141_927_120, "debian-11-x64", "Debian", "11 x64", 15, 1.32, "2023-09-14T16:25:11Z", AVAILABLE),
    image(198_001_421, "debian-12-x64", "Debian", "12 x64", 10, 1.41, "2025-07-02T12:44:23Z", AVAILABLE),
    image(207_314_901, "debian-13-x64", "Debian", "13 x64", 10, 1.45, "2025-09-09T09:31:56Z", AVAILABLE),
    image(131_217_114, "fedora-38-x64", "Fedora", "38 x64", 10, 1.55, "2023-04-24T18:19:20Z", RETIRED),
    image(195_932_981, "fedora-41-x64", "Fedora", "41 x64", 10, 1.62, "2025-05-13T14:00:43Z", AVAILABLE),
    image(195_932_982, "fedora-42-x64", "Fedora", "42 x64", 10, 1.66, "2025-05-13T14:05:52Z", AVAILABLE),
    image(158_721_042, "rockylinux-8-x64", "Rocky Linux", "8 x64", 10, 1.88, "2024-06-18T20:20:02Z", AVAILABLE),
    image(158_721_044, "rockylinux-9-x64", "Rocky Linux", "9 x64", 10, 1.93, "2024-06-18T20:29:31Z", AVAILABLE),
    image(206_020_110, "rockylinux-10-x64", "Rocky Linux", "10 x64", 10, 1.96, "2025-08-29T11:02:19Z", AVAILABLE),
    image(63_663_980, "ubuntu-18-04-x64", "Ubuntu", "18.04 (LTS) x64", 15, 1.83, "2023-05-31T18:20:32Z", RETIRED),
    image(112_929_454, "ubuntu-20-04-x64", "Ubuntu", "20.04 (LTS) x64", 15, 2.03, "2025-05-29T18:22:42Z", RETIRED),
    image(195_932_001, "ubuntu-22-04-x64", "Ubuntu", "22.04 (LTS) x64", 10, 2.17, "2025-06-26T07:58:12Z", AVAILABLE),
    image(195_932_002, "ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64", 10, 2.29, "2025-06-26T08:10:44Z", AVAILABLE),
    image(201_337_002, "ubuntu-25-04-x64", "Ubuntu", "25.04 x64", 10, 2.34, "2025-07-23T08:42:10Z", AVAILABLE),
    image(172_410_301, "gpu-h100x1-base", "Ubuntu", "NVIDIA AI/ML Ready", 60, 18.47, "2025-03-04T19:11:02Z", AVAILABLE),
    image(187_000_515, "gpu-amd-base", "Ubuntu", "AMD AI/ML Ready", 60, 22.31, "2025-04-15T10:02:55Z", AVAILABLE),
    app(160_232_318, "cpanel-cpanelwhm", "cPanel & WHM 126 on AlmaLinux 9", 50, 6.21),
    app(161_440_021, "docker-20-04", "Docker 27 on Ubuntu 22.04", 25, 2.71),
    app(161_440_033, "ghost-20-04", "Ghost 5 on Ubuntu 24.04", 25, 3.11),
    app(161_440_034, "gitlabenterpriseedi-ee-22-04", "GitLab Enterprise Edition on Ubuntu 22.04", 50, 5.42),
    app(161_440_035, "lamp-22-04", "LAMP on Ubuntu 22.04", 25, 2.64),
    app(161_440_036, "lemp-22-04", "LEMP on Ubuntu 22.04", 25, 2.51),
    app(161_440_037, "mongodb-20-04", "MongoDB 7 on Ubuntu 22.04", 25, 2.94),
    app(161_440_038, "mysql-20-04", "MySQL 8 on Ubuntu 22.04", 25, 2.68),
    app(161_440_039, "nodejs-20-04", "NodeJS 22 on Ubuntu 22.04", 25, 2.89),
    app(161_440_040, "openlitespeed-wp-20-04", "OpenLiteSpeed WordPress on Ubuntu 22.04", 25, 3.31),
    app(161_440_041, "plesk-20-04", "Plesk on Ubuntu 22.04", 50, 4.93),
    app(161_440_042, "wordpress-20-04", "WordPress 6 on Ubuntu 22.04", 25, 3.02),
];

/// The one-click applications for droplets. Those that are not in the list of
/// images may be used as an image all the same.
pub(crate) const ONE_CLICKS: &[&str] = &[
    "akaunting",
    "ampstart-20-04",
    "ant-media-server",
    "apache-guacamole",
    "appwrite",
    "azuracast",
    "bitwarden",
    "caprover-18-04",
    "chatwoot",
    "cloudpanel",
    "cloudron-22-04",
    "code-server",
    "coolify",
    "cpanel-cpanelwhm",
    "cyberpanel",
    "directus",
    "discourse-18-04",
    "django-20-04",
    "docker-20-04",
    "dokku-20-04",
    "drupal-18-04",
    "erpnext-20-04",
    "fathom-analytics",
    "flarum-20-04",
    "focalboard",
    "ghost-20-04",
    "gitea-20-04",
    "gitlabenterpriseedi-ee-22-04",
    "grafana-18-04",
    "harbor-20-04",
    "hasura-20-04",
    "helpyio-20-04",
    "influxdb-20-04",
    "invoiceninja-20-04",
    "jenkins-20-04",
    "jitsi-server",
    "joomla-20-04",
    "kuma-20-04",
    "lamp-22-04",
    "laravel-20-04",
    "lemp-22-04",
    "magento-2-20-04",
    "mattermost-20-04",
    "meilisearch",
    "metabase-20-04",
    "mongodb-20-04",
    "moodle-20-04",
    "mysql-20-04",
    "n8n-20-04",
    "netdata-20-04",
    "nextcloud-20-04",
    "nodejs-20-04",
    "nocodb-20-04",
    "odoo-20-04",
    "openlitespeed-wp-20-04",
    "openvpn-18-04",
    "owncast-20-04",
    "parse-server-20-04",
    "plausible-analytics",
    "plesk-20-04",
    "portainer-20-04",
    "posthog-20-04",
    "prestashop-20-04",
    "prometheus-20-04",
    "rails-20-04",
    "redis-20-04",
    "rocketchat-20-04",
    "runcloud-20-04",
    "saltstack-20-04",
    "supabase-20-04",
    "strapi-20-04",
    "uptime-kuma",
    "vaultwarden",
    "virtualmin-20-04",
    "wireguard-20-04",
    "wordpress-20-04",
    "zabbix-20-04",
];

/// The one-click applications for Kubernetes, which this simulator only lists.
pub(crate) const KUBERNETES_ONE_CLICKS: &[&str] = &[
    "cert-manager",
    "ingress-nginx",
    "kube-prometheus-stack",
    "loki",
    "metrics-server",
    "netdata",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn images_have_no_twins_and_every_application_is_a_one_click() {
        let ids: HashSet<u64> = IMAGES.iter().map(|it| it.id).collect();
        let slugs: HashSet<&str> = IMAGES.iter().map(|it| it.slug).collect();
        assert_eq!((ids.len(), slugs.len()), (IMAGES.len(), IMAGES.len()));
        for it in IMAGES.iter().filter(|it| it.kind == Kind::Application) {
            assert!(ONE_CLICKS.contains(&it.slug), "{}", it.slug);
        }
        assert!(IMAGES.iter().any(|it| it.status == RETIRED));
        assert!(ONE_CLICKS.len() >= 60);
    }
}
