//! What a sweep compares, what it finds, and how it ended.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{InstanceId, ProviderId, RemoteId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Lifecycle, Observation, Parting};

/// The right to sweep an account for a while. Every write through it says `WHERE epoch = mine`,
/// so that a sweeper which slept past its lease changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepClaim {
    /// The account.
    pub provider: ProviderId,
    /// Counts the sweeps of this account.
    pub epoch: i64,
    /// The database's time of the claim.
    pub now: Timestamp,
}

/// What our books say about an account, read after its list was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepBooks {
    /// Our servers at the account that have an id there and are neither deleted nor failed.
    pub bound: Vec<BoundServer>,
    /// The servers that the marks in the list name, at whichever account.
    pub marked: Vec<MarkedServer>,
    /// The creating requests for the marked servers, and for some of the bound ones, by which
    /// the vendor's clock is told.
    pub attempts: Vec<CreateAttempt>,
    /// Servers at the vendor that are to be deleted, or will be when they are seen again.
    pub doomed: Vec<DoomSighting>,
    /// Since when a server of ours was not in the list.
    pub absent: Vec<(InstanceId, Timestamp)>,
    /// Quarantined servers about which nobody has decided.
    pub quarantined: Vec<RemoteId>,
    /// Servers that a person has let go, as they were then.
    pub released: Vec<Parting>,
    /// Servers that a person has imported, or wanted to.
    pub imported: BTreeSet<RemoteId>,
    /// Quarantined servers that an operator has decided to delete.
    pub ordered: Vec<OrderedDelete>,
    /// How many of our servers are live at the account.
    pub live: u64,
    /// The database's time.
    pub now: Timestamp,
}

/// One of our servers that is bound to one at the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundServer {
    /// Ours.
    pub instance: InstanceId,
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// How far its life has come.
    pub lifecycle: Lifecycle,
    /// Whether an operation is at work on it.
    pub is_busy: bool,
}

/// One of our servers that a mark at the vendor names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedServer {
    /// Ours.
    pub instance: InstanceId,
    /// At which account it is.
    pub provider: ProviderId,
    /// Its id at the vendor, if it was ever bound.
    pub remote: Option<RemoteId>,
    /// The name that we give it at the vendor.
    pub remote_name: String,
    /// How far its life has come.
    pub lifecycle: Lifecycle,
    /// Whether its create is not over, or waits for a person.
    pub is_being_created: bool,
    /// Whether it is deleted because somebody asked for it, and the vendor has proved it.
    pub was_deleted: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A creating request on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateAttempt {
    /// For which server.
    pub instance: InstanceId,
    /// When it was put on record, before anything was sent.
    pub sent_at: Timestamp,
    /// When its own answer, with the server's id, had come.
    pub answered_at: Option<Timestamp>,
}

/// When a doomed server was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoomSighting {
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Whose mark it carries.
    pub instance: InstanceId,
    /// The first time.
    pub first_at: Timestamp,
    /// The second time.
    pub second_at: Option<Timestamp>,
    /// When a request that deletes it was last put on record.
    pub sent_at: Option<Timestamp>,
}

/// A quarantined server that an operator has decided to delete, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderedDelete {
    /// Of the entry in the quarantine.
    pub quarantined: Uuid,
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Its name there, which the operator has typed.
    pub name: String,
    /// When the vendor made it, where it says.
    pub created: Option<Timestamp>,
}

/// Why nobody here can vouch for a server that carries our mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Our books have no such server: they are older than it, or another installation made it.
    Unknown,
    /// It carries the mark of this installation, and no server's.
    Unnamed,
    /// Its name and its tags name different servers.
    Ambiguous,
    /// The server that it names is at another account.
    OtherAccount,
    /// It carries the mark of another installation as well.
    OtherDeployment,
    /// Nothing was ever sent to create the server that it names.
    Unasked,
    /// The vendor does not say when it was made.
    Undated,
    /// It was made before it was asked for.
    Older,
    /// It was made long after it was asked for, as a copy is.
    Later,
    /// The server that it names is missing.
    Missing,
    /// The server that it names was taken off our books by a person, or a person wanted this one
    /// in them.
    Dismissed,
}

impl Doubt {
    /// Every doubt.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::Unnamed,
        Self::Ambiguous,
        Self::OtherAccount,
        Self::OtherDeployment,
        Self::Unasked,
        Self::Undated,
        Self::Older,
        Self::Later,
        Self::Missing,
        Self::Dismissed,
    ];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unnamed => "unnamed",
            Self::Ambiguous => "ambiguous",
            Self::OtherAccount => "other_account",
            Self::OtherDeployment => "other_deployment",
            Self::Unasked => "unasked",
            Self::Undated => "undated",
            Self::Older => "older",
            Self::Later => "later",
            Self::Missing => "missing",
            Self::Dismissed => "dismissed",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// What has become of a quarantined server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// Somebody has to decide.
    Open,
    /// It was taken into an organization.
    Imported,
    /// A person has let it go: it is left alone, whatever mark it still carries.
    Released,
    /// It was deleted at the vendor because an operator said so.
    Deleted,
    /// The vendor has it no more.
    Gone,
    /// Our books vouch for it after all, or it carries our mark no more.
    Cleared,
}

impl QuarantineState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Imported,
        Self::Released,
        Self::Deleted,
        Self::Gone,
        Self::Cleared,
    ];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Imported => "imported",
            Self::Released => "released",
            Self::Deleted => "deleted",
            Self::Gone => "gone",
            Self::Cleared => "cleared",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// An operator's decision to delete a quarantined server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteOrder {
    /// When it was decided.
    pub created_at: Timestamp,
    /// When a request that deletes it was last put on record.
    pub sent_at: Option<Timestamp>,
    /// Why it is not deleted after all, as a clause.
    pub refusal: Option<String>,
}

/// A server that carries our mark and that nobody here can vouch for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Ours.
    pub id: Uuid,
    /// At which account it is.
    pub provider: ProviderId,
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Its name at the vendor.
    pub name: String,
    /// Its tags at the vendor.
    pub tags: Vec<String>,
    /// When the vendor made it, where it says.
    pub remote_created_at: Option<Timestamp>,
    /// The server that its mark names; our books need not have it.
    pub instance: Option<InstanceId>,
    /// Why nobody can vouch for it.
    pub doubt: Doubt,
    /// What has become of it.
    pub state: QuarantineState,
    /// When a sweep first saw it.
    pub first_seen_at: Timestamp,
    /// When a sweep last saw it.
    pub last_seen_at: Timestamp,
    /// When something had become of it.
    pub ended_at: Option<Timestamp>,
    /// An operator's decision to delete it, if there is one.
    pub order: Option<DeleteOrder>,
}

/// A server that a sweep has seen and that nobody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwanted {
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Whose mark it carries.
    pub instance: InstanceId,
    /// Why nobody wants it.
    pub reason: &'static str,
    /// Whether it was seen before.
    pub is_seen_again: bool,
}

/// A server that a sweep has seen and that nobody can vouch for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Its name at the vendor.
    pub name: String,
    /// Its tags at the vendor.
    pub tags: Vec<String>,
    /// When the vendor made it, where it says.
    pub created: Option<Timestamp>,
    /// The server that its mark names.
    pub instance: Option<InstanceId>,
    /// Why nobody can vouch for it.
    pub doubt: Doubt,
}

/// What a complete list and our books have shown together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepFindings {
    /// Servers that nobody wants.
    pub unwanted: Vec<Unwanted>,
    /// Doomed servers that are wanted after all, or are not ours to delete.
    pub spared: Vec<RemoteId>,
    /// Servers that nobody can vouch for.
    pub suspects: Vec<Suspect>,
    /// Quarantined servers that were seen and are suspects no more.
    pub cleared: Vec<RemoteId>,
    /// Missing servers that were seen again, with what the vendor says of them.
    pub returned: Vec<(InstanceId, Observation)>,
    /// Servers of ours that the list did not show.
    pub absent: Vec<InstanceId>,
}

/// Whether a doomed server may be deleted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoomLeave {
    /// It may, and the request is on record.
    Granted,
    /// So many were deleted already that somebody should look first.
    Capped,
    /// Our books want it after all, or it was not seen twice.
    Refused,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SweepOutcome {
    /// The account was read completely, and everything that followed from it was done.
    Completed,
    /// The same, but more would have to go, or is gone, than one sweep believes.
    Capped,
    /// The account is frozen; nothing was asked.
    Frozen,
    /// The account could not be read completely, or not all that followed could be done.
    Failed,
}

impl SweepOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Completed, Self::Capped, Self::Frozen, Self::Failed];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Capped => "capped",
            Self::Frozen => "frozen",
            Self::Failed => "failed",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// The end of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepEnd {
    /// How it ended.
    pub outcome: SweepOutcome,
    /// Why it did not complete, as a sentence that is safe to show.
    pub reason: Option<String>,
    /// How many servers the account's list has shown.
    pub seen: u64,
    /// How many it has asked the vendor to delete.
    pub deleted: u64,
    /// How many it should have deleted, or believed gone, and has not, because they were too many.
    pub held_back: u64,
    /// When the next one is due.
    pub next_in: Duration,
}

/// What is known of an account's sweeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The account.
    pub provider: ProviderId,
    /// How the last one ended; `None` before the first has.
    pub outcome: Option<SweepOutcome>,
    /// Why it did not complete.
    pub reason: Option<String>,
    /// When the last one began.
    pub started_at: Option<Timestamp>,
    /// When the last one ended.
    pub ended_at: Option<Timestamp>,
    /// When the account was last read completely.
    pub completed_at: Option<Timestamp>,
    /// When the next one is due.
    pub due_at: Timestamp,
    /// How many servers the account's list has shown.
    pub seen: u64,
    /// How many were deleted by the last one.
    pub deleted: u64,
    /// How many it has held back.
    pub held_back: u64,
    /// Servers that are to be deleted when they were seen twice.
    pub doomed: u64,
    /// Servers that wait for somebody's decision.
    pub quarantined: u64,
    /// Servers of ours that the vendor has no more.
    pub missing: u64,
}
