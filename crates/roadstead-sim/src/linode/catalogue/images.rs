//! The public images.

/// A public image as the vendor lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Image {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) vendor: &'static str,
    pub(crate) size_mib: u64,
    pub(crate) created: &'static str,
    pub(crate) eol: Option<&'static str>,
    pub(crate) cloud_init: bool,
    pub(crate) deprecated: bool,
}

impl Image {
    const fn without_cloud_init(mut self) -> Self {
        self.cloud_init = false;
        self
    }

    const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }
}

const fn image(
    id: &'static str,
    label: &'static str,
    vendor: &'static str,
    size_mib: u64,
    created: &'static str,
    eol: &'static str,
) -> Image {
    Image {
        id,
        label,
        vendor,
        size_mib,
        created,
        eol: if eol.is_empty() { None } else { Some(eol) },
        cloud_init: true,
        deprecated: false,
    }
}

/// Every public image.
#[rustfmt::skip]
pub(crate) const IMAGES: &[Image] = &[
    image("linode/almalinux8", "AlmaLinux 8", "AlmaLinux", 2000, "2021-05-07T15:38:05", "2029-03-01T05:00:00"),
    image("linode/almalinux9", "AlmaLinux 9", "AlmaLinux", 2200, "2022-06-21T17:50:26", "2032-05-31T04:00:00"),
    image("linode/almalinux10", "AlmaLinux 10", "AlmaLinux", 2400, "2025-06-17T14:37:11", "2035-05-31T04:00:00"),
    image("linode/alpine3.19", "Alpine 3.19", "Alpine", 300, "2024-03-01T15:25:38", "2025-11-01T04:00:00").without_cloud_init(),
    image("linode/alpine3.20", "Alpine 3.20", "Alpine", 300, "2024-06-20T17:57:40", "2026-04-01T04:00:00").without_cloud_init(),
    image("linode/alpine3.21", "Alpine 3.21", "Alpine", 300, "2025-01-09T20:10:17", "2026-11-01T04:00:00").without_cloud_init(),
    image("linode/alpine3.22", "Alpine 3.22", "Alpine", 300, "2025-07-08T18:12:44", "2027-05-01T04:00:00").without_cloud_init(),
    image("linode/arch", "Arch Linux", "Arch", 2300, "2021-08-16T20:37:39", ""),
    image("linode/centos-stream9", "CentOS Stream 9", "CentOS", 2300, "2021-12-28T16:30:04", "2027-05-31T04:00:00"),
    image("linode/centos-stream10", "CentOS Stream 10", "CentOS", 2400, "2025-02-19T14:47:41", "2030-01-01T05:00:00"),
    image("linode/debian11", "Debian 11", "Debian", 1600, "2021-08-14T22:44:02", "2026-08-31T04:00:00"),
    image("linode/debian12", "Debian 12", "Debian", 1500, "2023-06-15T15:54:31", "2028-06-30T04:00:00"),
    image("linode/debian13", "Debian 13", "Debian", 1600, "2025-08-13T15:05:22", "2030-06-30T04:00:00"),
    image("linode/fedora41", "Fedora 41", "Fedora", 1700, "2024-11-01T14:23:46", "2025-12-15T05:00:00"),
    image("linode/fedora42", "Fedora 42", "Fedora", 1800, "2025-04-18T15:11:05", "2026-05-13T04:00:00"),
    image("linode/fedora43", "Fedora 43", "Fedora", 1800, "2025-10-30T15:20:19", "2026-12-02T05:00:00"),
    image("linode/gentoo", "Gentoo", "Gentoo", 6200, "2020-05-26T16:09:53", "").without_cloud_init(),
    image("linode/kali", "Kali Linux", "Kali", 2000, "2022-03-29T18:42:38", ""),
    image("linode/debian12-kube-v1.31.9", "Kubernetes 1.31.9 on Debian 12", "Debian", 3500, "2025-06-02T19:17:01", "2026-11-28T05:00:00").without_cloud_init(),
    image("linode/debian12-kube-v1.32.6", "Kubernetes 1.32.6 on Debian 12", "Debian", 3500, "2025-07-01T12:57:44", "2027-02-28T05:00:00").without_cloud_init(),
    image("linode/debian12-kube-v1.33.2", "Kubernetes 1.33.2 on Debian 12", "Debian", 3500, "2025-08-05T17:20:26", "2027-06-28T04:00:00").without_cloud_init(),
    image("linode/opensuse15.6", "openSUSE Leap 15.6", "openSUSE", 2000, "2024-06-25T14:27:42", "2026-04-30T04:00:00"),
    image("linode/opensuse16.0", "openSUSE Leap 16.0", "openSUSE", 2100, "2025-10-09T16:30:52", "2027-10-31T04:00:00"),
    image("linode/rocky8", "Rocky Linux 8", "Rocky", 2300, "2021-07-21T14:14:14", "2029-05-31T04:00:00"),
    image("linode/rocky9", "Rocky Linux 9", "Rocky", 2300, "2022-07-27T16:41:02", "2032-05-31T04:00:00"),
    image("linode/rocky10", "Rocky Linux 10", "Rocky", 2400, "2025-06-26T13:03:30", "2035-05-31T04:00:00"),
    image("linode/rockylinux8", "Rocky Linux 8 (cloud)", "Rocky", 2300, "2025-01-07T12:00:31", "2029-05-31T04:00:00"),
    image("linode/rockylinux9", "Rocky Linux 9 (cloud)", "Rocky", 2300, "2025-01-07T12:04:09", "2032-05-31T04:00:00"),
    image("linode/slackware15.0", "Slackware 15.0", "Slackware", 11000, "2022-02-04T16:17:13", "").without_cloud_init(),
    image("linode/ubuntu20.04", "Ubuntu 20.04 LTS", "Ubuntu", 2700, "2020-04-24T21:35:50", "2025-05-31T04:00:00"),
    image("linode/ubuntu22.04", "Ubuntu 22.04 LTS", "Ubuntu", 3000, "2022-04-28T20:07:14", "2027-04-30T04:00:00"),
    image("linode/ubuntu22.04-kube", "Ubuntu 22.04 LTS with Kubernetes tools", "Ubuntu", 3600, "2024-02-12T10:00:00", "2027-04-30T04:00:00").without_cloud_init(),
    image("linode/ubuntu24.04", "Ubuntu 24.04 LTS", "Ubuntu", 3500, "2024-04-25T19:25:03", "2029-04-30T04:00:00"),
    image("linode/ubuntu25.04", "Ubuntu 25.04", "Ubuntu", 3600, "2025-04-17T19:03:21", "2026-01-31T05:00:00"),
    image("linode/ubuntu25.10", "Ubuntu 25.10", "Ubuntu", 3600, "2025-10-09T19:31:44", "2026-07-31T04:00:00"),
    image("linode/alpine3.16", "Alpine 3.16", "Alpine", 300, "2022-05-31T14:26:22", "2024-05-23T04:00:00").without_cloud_init().deprecated(),
    image("linode/alpine3.17", "Alpine 3.17", "Alpine", 300, "2023-01-12T16:33:46", "2024-11-22T05:00:00").without_cloud_init().deprecated(),
    image("linode/centos7", "CentOS 7", "CentOS", 2800, "2014-07-08T10:07:21", "2024-06-30T04:00:00").without_cloud_init().deprecated(),
    image("linode/centos8", "CentOS 8", "CentOS", 2300, "2019-09-26T20:04:07", "2021-12-31T05:00:00").without_cloud_init().deprecated(),
    image("linode/centos-stream8", "CentOS Stream 8", "CentOS", 2600, "2021-05-19T15:12:00", "2024-05-31T04:00:00").without_cloud_init().deprecated(),
    image("linode/debian9", "Debian 9", "Debian", 1600, "2017-06-16T20:02:29", "2022-06-30T04:00:00").without_cloud_init().deprecated(),
    image("linode/debian10", "Debian 10", "Debian", 1500, "2019-07-08T14:38:57", "2024-06-30T04:00:00").deprecated(),
    image("linode/fedora38", "Fedora 38", "Fedora", 1600, "2023-05-02T18:17:37", "2024-05-21T04:00:00").deprecated(),
    image("linode/fedora39", "Fedora 39", "Fedora", 1600, "2023-12-04T16:05:35", "2024-11-26T05:00:00").deprecated(),
    image("linode/fedora40", "Fedora 40", "Fedora", 1700, "2024-04-25T16:01:13", "2025-05-13T04:00:00").deprecated(),
    image("linode/opensuse15.5", "openSUSE Leap 15.5", "openSUSE", 1900, "2023-06-08T17:58:11", "2024-12-31T05:00:00").deprecated(),
    image("linode/slackware14.2", "Slackware 14.2", "Slackware", 6000, "2016-10-13T11:14:34", "1970-01-01T05:00:00").without_cloud_init().deprecated(),
    image("linode/ubuntu16.04lts", "Ubuntu 16.04 LTS", "Ubuntu", 2700, "2016-04-22T18:11:29", "2021-04-30T04:00:00").without_cloud_init().deprecated(),
    image("linode/ubuntu18.04", "Ubuntu 18.04 LTS", "Ubuntu", 2700, "2018-04-26T18:27:50", "2023-05-31T04:00:00").deprecated(),
    image("linode/ubuntu23.10", "Ubuntu 23.10", "Ubuntu", 3500, "2023-10-17T14:10:09", "2024-07-31T04:00:00").deprecated(),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn images_have_no_twins_and_every_kind_is_there() {
        let ids: HashSet<&str> = IMAGES.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), IMAGES.len());
        assert!(IMAGES.len() >= 45, "only {}", IMAGES.len());
        assert!(IMAGES.iter().any(|it| it.deprecated));
        assert!(IMAGES.iter().any(|it| !it.cloud_init && !it.deprecated));
        assert!(IMAGES.iter().any(|it| it.eol.is_none()));
    }
}
