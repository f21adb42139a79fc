//! What members are told of changes, in the order in which it happened.

use jiff::Timestamp;
use roadstead_core::{Address, EventId, InstanceId, OperationId, OrgId};
use serde::{Deserialize, Serialize};

use super::ErrorRecord;

/// A place in the order of all events. Who has read up to here has missed nothing before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub(crate) i64);

/// Something that members were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Ours. It tells nothing of other organizations, as a number would.
    pub id: EventId,
    /// Its place in the order.
    pub position: Position,
    /// Whose.
    pub organization: OrgId,
    /// The server that it is about.
    pub instance: InstanceId,
    /// What was told.
    pub body: EventBody,
    /// When it happened.
    pub created_at: Timestamp,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventBody {
    /// A server changed.
    Instance(InstanceBrief),
    /// An operation changed.
    Operation {
        /// Which.
        id: OperationId,
        /// How it stood.
        brief: OperationBrief,
    },
}

/// How a server stood after a change. Words stay texts: a later version may have written them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceBrief {
    /// The word that members see.
    pub status: String,
    /// The member's name for it.
    pub label: String,
    /// All its addresses.
    pub addresses: Vec<Address>,
}

/// How an operation stood after a change. Words stay texts: a later version may have written
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationBrief {
    /// What it does.
    pub kind: String,
    /// How far it was.
    pub state: String,
    /// Percent done, where the provider says.
    pub progress: Option<u8>,
    /// Why it failed, or what it waited for.
    pub error: Option<ErrorRecord>,
}
