//! Durable operations: what was asked, how far it is, who works on it.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{
    ImageId, InstanceId, LogPlace, OperationId, OrgId, Price, ProviderId, RemoteId,
    RemoteOperation, Secret,
};
use serde::{Deserialize, Serialize};

use super::{Instance, Lifecycle, Observation, Parting, Sale};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Creates the server.
    Create,
    /// Switches it on.
    Boot,
    /// Asks its system to shut down.
    Shutdown,
    /// Restarts it.
    Reboot,
    /// Cuts its power.
    PowerOff,
    /// Changes its plan.
    Resize,
    /// Replaces its disk by a fresh image.
    Rebuild,
    /// Deletes it.
    Delete,
    /// Puts our mark on a server that somebody else made, and takes it into our books.
    Import,
    /// Takes our mark off it, and it off our books. It stays at the vendor.
    Release,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Create,
        Self::Boot,
        Self::Shutdown,
        Self::Reboot,
        Self::PowerOff,
        Self::Resize,
        Self::Rebuild,
        Self::Delete,
        Self::Import,
        Self::Release,
    ];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Boot => "boot",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::PowerOff => "power_off",
            Self::Resize => "resize",
            Self::Rebuild => "rebuild",
            Self::Delete => "delete",
            Self::Import => "import",
            Self::Release => "release",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Returns whether it changes whose a server is, and nothing about the server.
    #[must_use]
    pub const fn is_of_custody(self) -> bool {
        matches!(self, Self::Import | Self::Release)
    }
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// To be sent.
    Ready,
    /// A worker holds it and has sent nothing.
    Leased,
    /// An attempt is on record; bytes may have left.
    Sent,
    /// An attempt's answer was lost.
    Unknown,
    /// Being looked for at the vendor.
    Resolving,
    /// The vendor is at work.
    Waiting,
    /// Done as asked.
    Succeeded,
    /// Refused, or given up with nothing left behind.
    Failed,
    /// A person must decide.
    Attention,
}

impl OperationState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::Leased,
        Self::Sent,
        Self::Unknown,
        Self::Resolving,
        Self::Waiting,
        Self::Succeeded,
        Self::Failed,
        Self::Attention,
    ];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Resolving => "resolving",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Attention => "attention",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Returns whether nothing will change unless a person acts.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        self.is_final() || matches!(self, Self::Attention)
    }

    /// Returns whether the vendor has accepted or refused.
    #[must_use]
    pub const fn is_answered(self) -> bool {
        self.is_settled() || matches!(self, Self::Waiting)
    }

    /// Returns whether an operation may go from this state to `next`; staying is allowed.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Ready => matches!(next, Self::Ready | Self::Leased),
            Self::Leased => matches!(
                next,
                Self::Leased
                    | Self::Ready
                    | Self::Sent
                    | Self::Resolving
                    | Self::Waiting
                    | Self::Succeeded
                    | Self::Failed
                    | Self::Attention
            ),
            Self::Sent => matches!(
                next,
                Self::Sent
                    | Self::Ready
                    | Self::Unknown
                    | Self::Resolving
                    | Self::Waiting
                    | Self::Succeeded
                    | Self::Failed
                    | Self::Attention
            ),
            Self::Unknown => matches!(
                next,
                Self::Unknown
                    | Self::Ready
                    | Self::Resolving
                    | Self::Waiting
                    | Self::Succeeded
                    | Self::Failed
                    | Self::Attention
            ),
            Self::Resolving | Self::Waiting | Self::Attention => matches!(
                next,
                Self::Ready
                    | Self::Resolving
                    | Self::Waiting
                    | Self::Succeeded
                    | Self::Failed
                    | Self::Attention
            ),
            Self::Succeeded => matches!(next, Self::Succeeded),
            Self::Failed => matches!(next, Self::Failed),
        }
    }

    /// Returns whether the operation is over.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Ready
            | Self::Leased
            | Self::Sent
            | Self::Unknown
            | Self::Resolving
            | Self::Waiting
            | Self::Attention => false,
        }
    }
}

/// What was asked of the vendor, frozen when it was accepted.
#[derive(Clone, Debug)]
pub struct Request {
    /// All that is no secret.
    pub plain: serde_json::Value,
    /// Root password and user data, as JSON text. Sealed in the database, and wiped
    /// there when the operation ends or the server is bound.
    pub secret: Option<Secret<String>>,
}

/// An operation that is being accepted. It begins as `Ready` and due now.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Ours.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// What is asked of the vendor.
    pub request: Request,
}

/// A client's key for one request, with the request's keyed hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The client's text.
    pub key: String,
    /// HMAC of the request under a key derived from the master key.
    pub hash: Vec<u8>,
}

/// An intent on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The server.
    pub instance: Instance,
    /// What is done to it.
    pub operation: Operation,
    /// Whether an earlier request with the same key had put it on record.
    pub replayed: bool,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Ours.
    pub id: OperationId,
    /// Whose.
    pub organization: OrgId,
    /// At which vendor account.
    pub provider: ProviderId,
    /// On which server.
    pub instance: InstanceId,
    /// What it does.
    pub kind: OperationKind,
    /// How far it is.
    pub state: OperationState,
    /// How many attempts are on record.
    pub attempts: u32,
    /// When the last attempt was put on record.
    pub sent_at: Option<Timestamp>,
    /// Complete empty looks in a row since then.
    pub empty_looks: u32,
    /// The vendor's job, once it has answered.
    pub remote: Option<RemoteOperation>,
    /// Percent done, where the vendor says.
    pub progress: Option<u8>,
    /// Why it failed, or what it waits for.
    pub error: Option<ErrorRecord>,
    /// When it is looked at again.
    pub due_at: Timestamp,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Id of the HTTP request that asked for it, if one did.
    pub request_id: Option<String>,
    /// Where the vendor's own log of the server ended before the last attempt, if it was read.
    pub log_place: Option<LogPlace>,
    /// How many of the attempts ended with the worker that sent them: it died, or slept past its
    /// lease, and never said what the vendor answered.
    pub orphaned_attempts: u32,
    /// Since when it is ready and every try to reach the vendor has failed.
    pub failing_since: Option<Timestamp>,
}

/// A failure as our books keep it: the public code and our sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The public code.
    pub code: String,
    /// Our sentence, safe to show.
    pub message: String,
    /// The field of the member's request that is wrong.
    pub field: Option<String>,
}

/// The right to work on an operation for a while.
///
/// Every write through it says `WHERE epoch = mine`, so that a worker which slept past
/// its lease changes nothing.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The operation, as it stood when it was claimed.
    pub operation: Operation,
    /// Its server.
    pub instance: Instance,
    /// What is asked of the vendor, opened.
    pub request: Request,
    /// Counts the claims of this operation.
    pub epoch: i64,
    /// When the right ends, on the database's clock.
    pub lease_until: Timestamp,
    /// The database's time of the claim.
    pub now: Timestamp,
}

/// An attempt on record: from here on bytes may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentAttempt {
    /// Counts the attempts of the operation, from 1.
    pub number: u32,
    /// When it was put on record, on the database's clock.
    pub sent_at: Timestamp,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The vendor took it and said so.
    Committed,
    /// The vendor never worked on it.
    NotExecuted,
    /// The vendor refused it.
    Rejected,
    /// Nobody knows.
    Unknown,
}

impl AttemptOutcome {
    /// Returns the word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::NotExecuted => "not_executed",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// What a worker writes about an operation, in one transaction.
#[derive(Clone, Debug)]
pub struct Change {
    /// The operation's next state.
    pub state: OperationState,
    /// When it is looked at again, from now on the database's clock. Final states ignore it.
    pub due_in: Duration,
    /// What became of the attempt that is open, if one is.
    pub attempt: Option<AttemptOutcome>,
    /// Complete empty looks in a row.
    pub empty_looks: u32,
    /// The vendor's job; `None` keeps what is on record.
    pub remote: Option<RemoteOperation>,
    /// Percent done.
    pub progress: Option<u8>,
    /// Why it failed or waits; `None` clears it.
    pub error: Option<ErrorRecord>,
    /// What it means for the server.
    pub instance: InstanceChange,
    /// Servers at the vendor that carry the mark beside the bound one, to be deleted.
    pub doomed: Vec<RemoteId>,
    /// Whether root password and user data are wiped; final states wipe them always.
    pub wipe_secrets: bool,
}

/// What an operation's change means for its server; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct InstanceChange {
    /// How far its life has come.
    pub lifecycle: Option<Lifecycle>,
    /// Its id at the vendor. Unique in the account: binding one that is bound elsewhere is a conflict.
    pub remote: Option<RemoteId>,
    /// Whether it is bound to nothing any more.
    pub unbound: bool,
    /// How the vendor showed it when it was let go, which ends it: it stays at the vendor, and
    /// nobody here touches it again.
    pub parting: Option<Parting>,
    /// What the vendor says of it.
    pub observation: Option<Observation>,
    /// Why it failed or needs a person; `Some(None)` clears it.
    pub problem: Option<Option<String>>,
    /// What it is made from, from now on.
    pub image: Option<ImageId>,
    /// Whether it costs from now on what its operation was accepted with.
    pub takes_terms: bool,
}

/// What a server costs, and under which terms it was sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The price; `None` where the vendor does not say.
    pub price: Option<Price>,
    /// The terms, where a plan on sale was bought.
    pub sale: Option<Sale>,
}
