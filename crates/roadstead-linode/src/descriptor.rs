//! What Linode can do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use roadstead_core::{
    Billed, CreateGuarantee, Descriptor, Feature, Limits, NameRule, RebuildRule, ResizeRule,
    RootPassword, Support,
};

use crate::error::kind;
use crate::options;
use crate::paging::PAGE_MAX;

/// The longest label of a Linode.
pub(crate) const NAME_MAX: u16 = 64;

/// The shortest label of a Linode.
pub(crate) const NAME_MIN: u16 = 3;

/// The largest user data before its encoding. The vendor's description also speaks of about
/// 16 KiB; what is refused between the two, the vendor refuses.
pub(crate) const USER_DATA_MAX: u32 = 65_535;

/// Why there is no power cut.
pub(crate) const NO_POWER_OFF: &str =
    "Linode's API has no call that cuts the power; its shutdown asks the system";

/// Why there is no hard reset.
pub(crate) const NO_HARD_RESET: &str =
    "Linode's API has no call that resets a server; its reboot asks the system";

/// Why there is no monitoring to switch on.
const NO_MONITORING: &str =
    "Linode measures every server from outside; there is no agent to install";

/// Describes what the vendor can do, without an account.
#[must_use]
pub fn descriptor() -> Descriptor {
    let can = [
        Feature::Rename,
        Feature::Resize,
        Feature::Rebuild,
        Feature::Rescue,
        Feature::ResetPassword,
        Feature::UserData,
        Feature::Tags,
        Feature::Ipv6,
        Feature::Backups,
        Feature::PrivateNetwork,
        Feature::SshKeys,
        Feature::Marketplace,
        Feature::StackScripts,
        Feature::Firewall,
        Feature::PlacementGroup,
        Feature::Vpc,
        Feature::BackupWindow,
        Feature::Gpu,
        Feature::PricesFromApi,
    ];
    let cannot = [
        (Feature::PowerOff, NO_POWER_OFF),
        (Feature::HardReset, NO_HARD_RESET),
        (Feature::Monitoring, NO_MONITORING),
    ];
    let mut features: BTreeMap<_, _> = can.into_iter().map(|it| (it, Support::Yes)).collect();
    features.extend(cannot.map(|(it, why)| {
        let why = Cow::Borrowed(why);
        (it, Support::No { why })
    }));
    Descriptor {
        kind: kind(),
        name: "Linode".into(),
        available: Support::Yes,
        features,
        limits: Limits {
            name: NameRule {
                pattern: r"^[a-zA-Z][a-zA-Z0-9]*([-_.][a-zA-Z0-9]+)*$".into(),
                min: NAME_MIN,
                max: NAME_MAX,
                unique: true,
                sentence: "3 to 64 letters and digits, beginning with a letter, with single \
                           hyphens, underscores or dots between them"
                    .into(),
            },
            user_data_bytes: USER_DATA_MAX,
            // The vendor documents no limit; this one is ours.
            tags: 50,
            page_max: PAGE_MAX,
        },
        root_password: RootPassword::Native,
        resize: ResizeRule {
            needs_stopped: false,
            // What its disks take of the plan's is not in what the API shows of a Linode.
            shrinks_disk: true,
        },
        rebuild: RebuildRule {
            root_password: true,
            ssh_keys: true,
            user_data: true,
        },
        billed_when_stopped: Billed::Full,
        create_guarantee: CreateGuarantee::UniqueName,
        visibility_lag: Duration::from_mins(2),
        max_late_commit: Duration::from_mins(3),
        options_schema: options::schema(),
    }
}
