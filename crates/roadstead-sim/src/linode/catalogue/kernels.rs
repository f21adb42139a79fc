//! A few of the kernels.

use serde_json::{Value, json};

/// A kernel as the vendor lists it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    pub(super) id: &'static str,
    label: &'static str,
    version: &'static str,
    deprecated: bool,
    built: Option<&'static str>,
}

/// Some of the kernels.
#[rustfmt::skip]
pub(super) const KERNELS: &[Kernel] = &[
    Kernel { id: "linode/latest-64bit", label: "Latest 64 bit (6.14.3-x86_64-linode169)", version: "6.14.3", deprecated: false, built: Some("2025-04-24T13:25:17") },
    Kernel { id: "linode/grub2", label: "GRUB 2", version: "2.06", deprecated: false, built: Some("2022-07-14T14:09:56") },
    Kernel { id: "linode/direct-disk", label: "Direct Disk", version: "", deprecated: false, built: None },
    Kernel { id: "linode/6.14.3-x86_64-linode169", label: "6.14.3-x86_64-linode169", version: "6.14.3", deprecated: false, built: Some("2025-04-24T13:25:17") },
    Kernel { id: "linode/5.10.13-x86_64-linode141", label: "5.10.13-x86_64-linode141", version: "5.10.13", deprecated: false, built: Some("2021-02-04T15:02:11") },
    Kernel { id: "linode/4.9.7-x86_64-linode80", label: "4.9.7-x86_64-linode80", version: "4.9.7", deprecated: true, built: Some("2017-02-03T18:22:16") },
];

/// Returns a kernel in the vendor's JSON.
pub(super) fn kernel_view(it: &Kernel) -> Value {
    json!({
        "id": it.id,
        "label": it.label,
        "version": it.version,
        "architecture": "x86_64",
        "kvm": true,
        "pvops": true,
        "xen": false,
        "deprecated": it.deprecated,
        "built": it.built,
    })
}
