//! What DigitalOcean can do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use roadstead_core::{
    Billed, CreateGuarantee, Descriptor, Feature, Limits, NameRule, RebuildRule, ResizeRule,
    RootPassword, Support,
};

use crate::client::PAGE_MAX;
use crate::error::kind;
use crate::options;
use crate::user_data::USER_DATA_MAX;

/// The longest name of a droplet.
pub(crate) const NAME_MAX: u16 = 255;

/// Why there is no rescue system.
pub(crate) const NO_RESCUE: &str = "DigitalOcean has no API for its recovery system";

/// Why there are no scripts kept at the vendor.
const NO_SCRIPTS: &str = "DigitalOcean keeps no scripts; a script is given as user data";

/// Why servers are not kept apart or together.
pub(crate) const NO_PLACEMENT_GROUP: &str = "DigitalOcean has no placement groups";

/// Describes what the vendor can do, without an account.
#[must_use]
pub fn descriptor() -> Descriptor {
    let can = [
        Feature::PowerOff,
        Feature::HardReset,
        Feature::Rename,
        Feature::Resize,
        Feature::Rebuild,
        Feature::ResetPassword,
        Feature::UserData,
        Feature::Tags,
        Feature::Ipv6,
        Feature::Backups,
        Feature::PrivateNetwork,
        Feature::SshKeys,
        Feature::Marketplace,
        Feature::Vpc,
        Feature::Firewall,
        Feature::Monitoring,
        Feature::BackupWindow,
        Feature::Gpu,
        Feature::PricesFromApi,
    ];
    let mut features: BTreeMap<_, _> = can.into_iter().map(|it| (it, Support::Yes)).collect();
    let cannot = [
        (Feature::Rescue, NO_RESCUE),
        (Feature::StackScripts, NO_SCRIPTS),
        (Feature::PlacementGroup, NO_PLACEMENT_GROUP),
    ];
    features.extend(cannot.map(|(it, why)| {
        let why = Cow::Borrowed(why);
        (it, Support::No { why })
    }));
    Descriptor {
        kind: kind(),
        name: "DigitalOcean".into(),
        available: Support::Yes,
        features,
        limits: Limits {
            name: NameRule {
                pattern: r"^[a-zA-Z0-9]?[a-zA-Z0-9.\-]*[a-zA-Z0-9]$".into(),
                min: 1,
                max: NAME_MAX,
                unique: false,
                sentence: "letters, digits, dots and hyphens, ending with a letter or digit".into(),
            },
            user_data_bytes: u32::try_from(USER_DATA_MAX).unwrap_or(u32::MAX),
            // The vendor documents no limit; this one is ours.
            tags: 50,
            page_max: PAGE_MAX,
        },
        root_password: RootPassword::CloudInit,
        resize: ResizeRule {
            needs_stopped: true,
            shrinks_disk: false,
        },
        rebuild: RebuildRule {
            root_password: false,
            ssh_keys: false,
            user_data: false,
        },
        billed_when_stopped: Billed::Full,
        create_guarantee: CreateGuarantee::LookupOnly,
        visibility_lag: Duration::from_mins(2),
        max_late_commit: Duration::from_mins(3),
        options_schema: options::schema(),
    }
}
