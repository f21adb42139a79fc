//! A server as its vendor reports it, and how lists of them are asked for.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ImageId, MiB, PageToken, PlanId, RegionId, RemoteId};

/// What a server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Being made.
    Provisioning,
    /// Switched on, not yet up.
    Starting,
    /// Up.
    Running,
    /// Being switched off.
    Stopping,
    /// Off, and kept.
    Stopped,
    /// Between off and on again.
    Rebooting,
    /// Its disk is being replaced.
    Rebuilding,
    /// Its plan is being changed.
    Resizing,
    /// Being moved by the vendor.
    Migrating,
    /// Held by the vendor, for billing or abuse.
    Suspended,
    /// Being deleted.
    Deleting,
    /// Gone.
    Deleted,
    /// Broken, by the vendor's own word.
    Error,
    /// A word that this version does not know; see [`Status::raw`].
    Unknown,
}

impl State {
    /// Every state, for tables and tests.
    pub const ALL: [Self; 14] = [
        Self::Provisioning,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Rebooting,
        Self::Rebuilding,
        Self::Resizing,
        Self::Migrating,
        Self::Suspended,
        Self::Deleting,
        Self::Deleted,
        Self::Error,
        Self::Unknown,
    ];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Rebooting => "rebooting",
            Self::Rebuilding => "rebuilding",
            Self::Resizing => "resizing",
            Self::Migrating => "migrating",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// A server's state with the vendor's own word beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// In our words.
    pub state: State,
    /// In the vendor's.
    pub raw: Box<str>,
    /// Whether the vendor is at work on it and would refuse another action.
    pub busy: bool,
    /// What it costs in this state.
    pub billed: Billed,
}

/// What a server costs in its present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billed {
    /// The plan's price.
    Full,
    /// Only its disks and reserved addresses.
    StorageOnly,
    /// Nothing.
    No,
    /// The vendor does not say.
    Unknown,
}

/// Who can reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everyone.
    Public,
    /// The vendor's private network.
    Private,
}

/// An address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Who can reach it.
    pub scope: Scope,
}

/// A server as its vendor reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Addresses it at the vendor.
    pub id: RemoteId,
    /// Its name at the vendor, which carries our mark (see [`crate::CreateKey`]).
    pub name: Box<str>,
    /// What it is doing.
    pub status: Status,
    /// Where it is.
    pub region: RegionId,
    /// Its plan.
    pub plan: Option<PlanId>,
    /// What it was made from.
    pub image: Option<ImageId>,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory.
    pub memory: MiB,
    /// Local disk.
    pub disk: Option<MiB>,
    /// All its addresses, private and IPv6 ones too.
    pub addresses: Vec<Address>,
    /// Its tags.
    pub tags: Vec<Box<str>>,
    /// When the vendor made it.
    pub created: Option<Timestamp>,
}

/// Which servers a list asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceQuery {
    /// Only those with this tag.
    pub tag: Option<Box<str>>,
    /// Only those with exactly this name.
    pub name: Option<Box<str>>,
    /// Servers to a page; the vendor's largest where absent or too big.
    pub page_size: Option<u16>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// How many there are in all, where the vendor says.
    pub total: Option<u64>,
    /// Where the list goes on.
    pub next: Next,
}

/// Where a list goes on. Numbered pages can be fetched side by side; cursors cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nowhere: this was the last page.
    End,
    /// At a cursor.
    Cursor(PageToken),
    /// At a page number.
    Numbered {
        /// The page to ask for next.
        next: u32,
        /// The last page.
        last: u32,
        /// Where another list goes on that belongs to this one and need not wait for it.
        then: Option<PageToken>,
    },
}

/// Which page to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// The first.
    First,
    /// The one at a cursor.
    Cursor(PageToken),
    /// The one with a number.
    Number(u32),
}
