//! What a vendor can do, as data with reasons.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Billed, ProviderKind};

/// Something a vendor, or one of its regions, may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// Cutting the power.
    PowerOff,
    /// Cutting the power and switching on again.
    HardReset,
    /// Changing the name at the vendor.
    Rename,
    /// Changing the plan.
    Resize,
    /// Replacing the disk by a fresh image.
    Rebuild,
    /// The vendor's rescue system.
    Rescue,
    /// A new root password for an existing server.
    ResetPassword,
    /// User data read by cloud-init.
    UserData,
    /// Tags.
    Tags,
    /// IPv6 addresses.
    Ipv6,
    /// Backups made by the vendor.
    Backups,
    /// A private network.
    PrivateNetwork,
    /// Keys kept at the vendor.
    SshKeys,
    /// Ready-made applications.
    Marketplace,
    /// Setup scripts kept at the vendor, with fields to fill in.
    StackScripts,
    /// A private network of the account's own choice.
    Vpc,
    /// A firewall of the vendor's before the server.
    Firewall,
    /// A group that keeps servers apart or together.
    PlacementGroup,
    /// The vendor's monitoring agent.
    Monitoring,
    /// A choice of when backups are made.
    BackupWindow,
    /// Plans with graphics processors.
    Gpu,
    /// Prices in the vendor's own API.
    PricesFromApi,
}

impl Feature {
    /// Every feature, for tables and tests.
    pub const ALL: [Self; 22] = [
        Self::PowerOff,
        Self::HardReset,
        Self::Rename,
        Self::Resize,
        Self::Rebuild,
        Self::Rescue,
        Self::ResetPassword,
        Self::UserData,
        Self::Tags,
        Self::Ipv6,
        Self::Backups,
        Self::PrivateNetwork,
        Self::SshKeys,
        Self::Marketplace,
        Self::StackScripts,
        Self::Vpc,
        Self::Firewall,
        Self::PlacementGroup,
        Self::Monitoring,
        Self::BackupWindow,
        Self::Gpu,
        Self::PricesFromApi,
    ];
}

/// Whether a feature can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "supported", rename_all = "snake_case")]
pub enum Support {
    /// It can.
    Yes,
    /// It cannot.
    No {
        /// Why, as a sentence for people.
        why: Cow<'static, str>,
    },
}

/// How safe it is to send a creating request twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateGuarantee {
    /// The vendor recognizes our token and answers with the first server.
    Token,
    /// The vendor refuses a second server of the same name.
    UniqueName,
    /// Only looking tells.
    LookupOnly,
}

/// How a root password reaches a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum RootPassword {
    /// In the creating request.
    Native,
    /// As a hash, through cloud-init; the image must run it.
    CloudInit,
    /// Not at all.
    No {
        /// Why, as a sentence for people.
        why: Cow<'static, str>,
    },
}

/// What a vendor asks of a change of plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizeRule {
    /// Whether the server must be stopped.
    pub needs_stopped: bool,
    /// Whether a plan with a smaller disk than the server's may be asked for, because only the
    /// vendor knows what fits; it refuses what does not.
    pub shrinks_disk: bool,
}

/// What a vendor takes beside the image when it rebuilds a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildRule {
    /// Whether it takes a root password.
    pub root_password: bool,
    /// Whether it takes SSH keys.
    pub ssh_keys: bool,
    /// Whether it takes user data.
    pub user_data: bool,
}

/// What names a vendor accepts for servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRule {
    /// An anchored regular expression.
    pub pattern: Cow<'static, str>,
    /// The shortest name.
    pub min: u16,
    /// The longest name.
    pub max: u16,
    /// Whether two servers of one account can share a name.
    pub unique: bool,
    /// The rule as a sentence for people.
    pub sentence: Cow<'static, str>,
}

/// A vendor's numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Names of servers.
    pub name: NameRule,
    /// The largest user data, in bytes before any encoding.
    pub user_data_bytes: u32,
    /// How many tags a server can carry.
    pub tags: u16,
    /// The largest page of a list.
    pub page_max: u16,
}

/// What a provider can do. Read by the service, the panel and the conformance suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The short name, as it stands in URLs and tables.
    pub kind: ProviderKind,
    /// The name for people.
    pub name: Cow<'static, str>,
    /// Whether servers can be had through this crate at all, or why not.
    pub available: Support,
    /// What can be had, and why the rest cannot.
    pub features: BTreeMap<Feature, Support>,
    /// The vendor's numbers.
    pub limits: Limits,
    /// How a root password reaches a server.
    pub root_password: RootPassword,
    /// What it asks of a change of plan.
    pub resize: ResizeRule,
    /// What it takes for a rebuild.
    pub rebuild: RebuildRule,
    /// What a stopped server costs.
    pub billed_when_stopped: Billed,
    /// How safe it is to send a creating request twice.
    pub create_guarantee: CreateGuarantee,
    /// How long a new server may be missing from lists.
    #[serde(rename = "visibility_lag_seconds", with = "seconds")]
    pub visibility_lag: Duration,
    /// How long after a lost answer a server may still come into being.
    #[serde(rename = "max_late_commit_seconds", with = "seconds")]
    pub max_late_commit: Duration,
    /// JSON Schema of [`crate::CreateInstance::options`].
    pub options_schema: serde_json::Value,
}

impl Descriptor {
    /// Returns whether a feature can be had. What is not listed cannot.
    #[must_use]
    pub fn supports(&self, feature: Feature) -> bool {
        matches!(self.features.get(&feature), Some(Support::Yes))
    }

    /// Returns why a feature cannot be had; `None` when it can.
    #[must_use]
    pub fn refusal(&self, feature: Feature) -> Option<Cow<'static, str>> {
        match self.features.get(&feature) {
            Some(Support::Yes) => None,
            Some(Support::No { why }) => Some(why.clone()),
            None => Some(Cow::Owned(format!("{} does not offer this", self.name))),
        }
    }
}

/// Durations as whole seconds, the unit that the field's name says.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(it: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(it.as_secs())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}
