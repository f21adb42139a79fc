//! One of our servers.

use jiff::Timestamp;
use roadstead_core::{
    Address, ImageId, InstanceId, MiB, OrgId, PlanId, Price, ProviderId, ProviderKind, RegionId,
    RemoteId, State,
};
use serde::{Deserialize, Serialize};

use super::Sale;

/// How far a server's life has come, in our own books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Accepted; the vendor has not confirmed it.
    Pending,
    /// A creating answer was lost; being looked for.
    Resolving,
    /// Bound to a server at the vendor.
    Live,
    /// Being deleted.
    Deleting,
    /// Gone, as asked.
    Deleted,
    /// Never came to be.
    Failed,
    /// Gone at the vendor, and nobody here asked for it.
    Missing,
    /// A person must decide.
    Attention,
}

impl Lifecycle {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Resolving,
        Self::Live,
        Self::Deleting,
        Self::Deleted,
        Self::Failed,
        Self::Missing,
        Self::Attention,
    ];

    /// Returns the word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Resolving => "resolving",
            Self::Live => "live",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Attention => "attention",
        }
    }

    /// Reads the word used in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Returns the one word that people see of a server: the lifecycle where it matters, else
    /// what the server is doing.
    #[must_use]
    pub const fn shown(self, power: State) -> &'static str {
        match self {
            Self::Pending | Self::Resolving => State::Provisioning.as_str(),
            Self::Live => power.as_str(),
            Self::Deleting | Self::Deleted | Self::Failed | Self::Missing | Self::Attention => {
                self.as_str()
            }
        }
    }

    /// Returns whether a server may go from this state to `next`; staying is allowed.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Pending, Self::Resolving | Self::Live | Self::Failed)
            | (Self::Resolving, Self::Pending | Self::Live | Self::Failed)
            | (Self::Live, Self::Failed | Self::Deleting | Self::Missing)
            | (Self::Deleting, Self::Deleted)
            | (Self::Missing, Self::Live | Self::Deleted)
            | (Self::Attention, Self::Live | Self::Deleting | Self::Failed)
            // A server that appears after all is adopted rather than lost.
            | (Self::Failed, Self::Live)
            // Nothing of a failed server exists; where the vendor once gave it an id, a delete
            // proves that first.
            | (Self::Failed, Self::Deleted)
            | (_, Self::Attention) => true,
            (Self::Pending, Self::Pending)
            | (Self::Resolving, Self::Resolving)
            | (Self::Live, Self::Live)
            | (Self::Deleting, Self::Deleting)
            | (Self::Deleted, Self::Deleted)
            | (Self::Failed, Self::Failed)
            | (Self::Missing, Self::Missing) => true,
            _ => false,
        }
    }
}

/// What a server is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specification {
    /// The vendor's plan.
    pub plan: PlanId,
    /// Where.
    pub region: RegionId,
    /// What from.
    pub image: ImageId,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory.
    pub memory: MiB,
    /// Local disk; `None` where disks are bought apart.
    pub disk: Option<MiB>,
}

/// A server that is being accepted. Its lifecycle begins as `Pending`, its power as `Provisioning`.
#[derive(Clone, Debug)]
pub struct NewInstance {
    /// Ours.
    pub id: InstanceId,
    /// At which vendor account.
    pub provider: ProviderId,
    /// Which vendor.
    pub kind: ProviderKind,
    /// The member's name for it.
    pub label: String,
    /// Its name at the vendor, which carries the mark.
    pub remote_name: String,
    /// What it is made of.
    pub specification: Specification,
    /// The member's tags.
    pub tags: Vec<String>,
    /// What it costs, fixed when it was accepted; `None` where the vendor does not say.
    pub price: Option<Price>,
    /// Under which terms it is sold; `None` where the vendor's plan was asked for.
    pub sale: Option<Sale>,
}

/// One of our servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Ours.
    pub id: InstanceId,
    /// Whose.
    pub organization: OrgId,
    /// At which vendor account.
    pub provider: ProviderId,
    /// Which vendor.
    pub kind: ProviderKind,
    /// Its id at the vendor, once bound.
    pub remote: Option<RemoteId>,
    /// Its name at the vendor.
    pub remote_name: String,
    /// The member's name for it.
    pub label: String,
    /// The member's remarks.
    pub notes: String,
    /// The member's tags.
    pub tags: Vec<String>,
    /// How far its life has come.
    pub lifecycle: Lifecycle,
    /// What it is doing, as last seen.
    pub power: State,
    /// The same in the vendor's word.
    pub power_raw: Option<String>,
    /// What it is made of.
    pub specification: Specification,
    /// All its addresses.
    pub addresses: Vec<Address>,
    /// What it costs, fixed when it was accepted.
    pub price: Option<Price>,
    /// Under which terms it was sold; `None` where the vendor's plan was asked for.
    pub sale: Option<Sale>,
    /// Why it failed or needs a person.
    pub problem: Option<String>,
    /// When the vendor was last seen to have it.
    pub observed_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What the vendor says of a server, as far as our books keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What it is doing.
    pub power: State,
    /// The same in the vendor's word.
    pub power_raw: String,
    /// All its addresses.
    pub addresses: Vec<Address>,
    /// Its plan, where the vendor says.
    pub plan: Option<PlanId>,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory.
    pub memory: MiB,
    /// Local disk.
    pub disk: Option<MiB>,
}

/// What a member changes about a server; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct InstancePatch {
    /// The member's name for it.
    pub label: Option<String>,
    /// The member's tags.
    pub tags: Option<Vec<String>>,
    /// The member's remarks.
    pub notes: Option<String>,
}

/// Which servers a list asks for. Deleted ones never stand in it.
#[derive(Clone, Debug, Default)]
pub struct InstanceFilter {
    /// Only those whose public status is this word (see [`Instance::public_status`]).
    pub status: Option<String>,
    /// Only those of this vendor.
    pub kind: Option<ProviderKind>,
    /// Only those at this vendor account.
    pub provider: Option<ProviderId>,
    /// Only those in this region.
    pub region: Option<RegionId>,
    /// Only those whose label contains this text, case ignored.
    pub label: Option<String>,
    /// Only those with exactly this tag.
    pub tag: Option<String>,
}

impl Instance {
    /// Returns the one word that people see: the lifecycle where it matters, else what the
    /// server is doing.
    #[must_use]
    pub const fn public_status(&self) -> &'static str {
        self.lifecycle.shown(self.power)
    }
}
