//! What can be done to a server, and the vendor's job that does it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Code, Feature, ImageId, LogPlace, PlanId, RemoteId, RemoteOperationId, Secret};

/// Something to do to a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Switch it on.
    Boot,
    /// Ask its system to shut down.
    Shutdown,
    /// Cut its power.
    PowerOff,
    /// Ask its system to restart.
    Reboot,
    /// Cut its power and switch it on again.
    HardReset,
    /// Delete it. Deleting what is gone succeeds.
    Delete,
    /// Change its name at the vendor.
    Rename {
        /// The new name.
        name: Box<str>,
    },
    /// Change its plan.
    Resize {
        /// The new plan.
        plan: PlanId,
        /// Whether the disk grows too, which cannot be undone at most vendors.
        grow_disk: bool,
    },
    /// Replace its disk by a fresh image; everything on it is lost.
    Rebuild {
        /// The image.
        image: ImageId,
        /// The new root password, where the vendor takes one.
        root_password: Option<Secret<String>>,
        /// Public keys in OpenSSH form, where the vendor takes them.
        ssh_keys: Vec<Box<str>>,
        /// User data for cloud-init, where the vendor takes it.
        user_data: Option<Secret<String>>,
    },
    /// Start it from the vendor's rescue system.
    Rescue,
    /// Set or mail a new root password.
    ResetPassword {
        /// The new one, where the vendor lets us choose.
        root_password: Option<Secret<String>>,
    },
}

impl Action {
    /// Returns the action without its parameters.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Boot => ActionKind::Boot,
            Self::Shutdown => ActionKind::Shutdown,
            Self::PowerOff => ActionKind::PowerOff,
            Self::Reboot => ActionKind::Reboot,
            Self::HardReset => ActionKind::HardReset,
            Self::Delete => ActionKind::Delete,
            Self::Rename { .. } => ActionKind::Rename,
            Self::Resize { .. } => ActionKind::Resize,
            Self::Rebuild { .. } => ActionKind::Rebuild,
            Self::Rescue => ActionKind::Rescue,
            Self::ResetPassword { .. } => ActionKind::ResetPassword,
        }
    }
}

/// An [`Action`] without its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// See [`Action::Boot`].
    Boot,
    /// See [`Action::Shutdown`].
    Shutdown,
    /// See [`Action::PowerOff`].
    PowerOff,
    /// See [`Action::Reboot`].
    Reboot,
    /// See [`Action::HardReset`].
    HardReset,
    /// See [`Action::Delete`].
    Delete,
    /// See [`Action::Rename`].
    Rename,
    /// See [`Action::Resize`].
    Resize,
    /// See [`Action::Rebuild`].
    Rebuild,
    /// See [`Action::Rescue`].
    Rescue,
    /// See [`Action::ResetPassword`].
    ResetPassword,
}

impl ActionKind {
    /// Returns the word for people and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Shutdown => "shutdown",
            Self::PowerOff => "power off",
            Self::Reboot => "reboot",
            Self::HardReset => "hard reset",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Resize => "resize",
            Self::Rebuild => "rebuild",
            Self::Rescue => "rescue",
            Self::ResetPassword => "reset the password of",
        }
    }

    /// Returns the feature that a provider declares for this action; `None` for
    /// what every provider must do.
    #[must_use]
    pub const fn feature(self) -> Option<Feature> {
        match self {
            Self::Boot | Self::Shutdown | Self::Reboot | Self::Delete => None,
            Self::PowerOff => Some(Feature::PowerOff),
            Self::HardReset => Some(Feature::HardReset),
            Self::Rename => Some(Feature::Rename),
            Self::Resize => Some(Feature::Resize),
            Self::Rebuild => Some(Feature::Rebuild),
            Self::Rescue => Some(Feature::Rescue),
            Self::ResetPassword => Some(Feature::ResetPassword),
        }
    }
}

/// A job that the vendor runs. Plain data: another process can go on waiting for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteOperation {
    /// Addresses it at the vendor.
    pub id: RemoteOperationId,
    /// The server it works on.
    pub instance: Option<RemoteId>,
    /// How far it is.
    pub status: OperationStatus,
    /// How long to wait before asking again.
    pub poll_after: Duration,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationStatus {
    /// At work.
    Running {
        /// Percent done, where the vendor says.
        percent: Option<u8>,
    },
    /// Done as asked.
    Succeeded,
    /// Given up by the vendor.
    Failed {
        /// The class of the failure.
        code: Code,
        /// Our sentence, safe to show.
        message: Box<str>,
    },
}

/// How far back a vendor's log is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Not at all: only where it ends now is wanted.
    Now,
    /// What came into it after this place. No clock is asked.
    Place(LogPlace),
    /// What began less than this long ago by the vendor's own clock, which also stamps its log:
    /// it may be hours away from ours.
    Ago(Duration),
}

/// What a vendor's own log tells of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationLog {
    /// What was asked for, the oldest first.
    pub entries: Vec<LoggedOperation>,
    /// Where the log ends now.
    pub end: LogPlace,
}

/// A job as its vendor's own log tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOperation {
    /// What was asked; `None` for what no [`Action`] asks for.
    pub kind: Option<ActionKind>,
    /// When it began, by the vendor's clock.
    pub started: Option<Timestamp>,
    /// How far it is.
    pub operation: RemoteOperation,
}
