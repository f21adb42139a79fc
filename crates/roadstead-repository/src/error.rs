//! What can go wrong between this crate and its callers.

use std::error::Error as StdError;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use roadstead_core::{InstanceId, MarkupError, OperationId, PlanId};

use crate::record::{Lifecycle, OperationKind};

/// A result whose error is ours unless it says otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call to the repository that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or it is another tenant's: the two look alike on purpose.
    #[error("there is no such {what}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// Something on record stands against it.
    #[error("{what}")]
    Conflict {
        /// What stands against it, as a clause.
        what: &'static str,
    },
    /// It, or its name, is on record already.
    #[error("{what} is on record already, as `{name}`")]
    Exists {
        /// What.
        what: &'static str,
        /// Under which name.
        name: String,
    },
    /// There are as many as there may be.
    #[error("the organization has {most} {what}, and may have no more")]
    Full {
        /// What, in the plural.
        what: &'static str,
        /// How many.
        most: u32,
    },
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was already used for a different request")]
    KeyReused,
    /// A server of ours is bound to it.
    #[error("it is the server `{instance}` of ours")]
    Bound {
        /// Which.
        instance: InstanceId,
    },
    /// Another operation is at work on the server.
    #[error("the server is busy with `{}` (operation `{operation}`)", kind.as_str())]
    Busy {
        /// The operation.
        operation: OperationId,
        /// What it does.
        kind: OperationKind,
    },
    /// The server's lifecycle does not allow it.
    #[error("the server is `{}`, which does not allow this", lifecycle.as_str())]
    WrongState {
        /// How far the server's life has come.
        lifecycle: Lifecycle,
    },
    /// Servers still depend on it.
    #[error("{count} servers still depend on it")]
    InUse {
        /// How many.
        count: u64,
    },
    /// Servers were sold under it.
    #[error("{count} servers were sold under it")]
    PlanInUse {
        /// How many.
        count: u64,
    },
    /// It is not as the caller saw it; nothing was written.
    #[error("the {what} has changed meanwhile")]
    Changed {
        /// What.
        what: &'static str,
    },
    /// A markup cannot be put on a plan's price; nothing was written.
    #[error("the markup does not fit the plan `{plan}`")]
    Markup {
        /// The vendor's id of the plan.
        plan: PlanId,
        /// Why not.
        #[source]
        error: MarkupError,
    },
    /// The worker no longer holds the operation; nothing was written.
    #[error("the lease of the operation was lost")]
    LeaseLost,
    /// A state machine does not have this edge; nothing was written.
    #[error("{machine} may not go from `{from}` to `{to}`")]
    IllegalEdge {
        /// Which machine.
        machine: &'static str,
        /// The state on record.
        from: &'static str,
        /// The state that was asked for.
        to: &'static str,
    },
    /// The master key is not the one that sealed this database's secrets.
    #[error("the master key does not fit this database: start with the key file it was made with")]
    WrongKey,
    /// The tables are older than the program.
    #[error("{count} migrations are pending: run `roadstead migrate up`")]
    PendingMigrations {
        /// How many.
        count: usize,
    },
    /// The database cannot be reached or did not answer in time. A later try may succeed.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// A secret cannot be sealed or opened, or the key file cannot be read.
    #[error("{message}")]
    Sealing {
        /// One clause with the next step where there is one; never key material.
        message: String,
    },
    /// The database refused, or cannot be opened.
    #[error("{message}")]
    Database {
        /// One clause with the next step where there is one; never a password.
        message: String,
        /// What the database said.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The caller hands in something that cannot be stored.
    #[error("{what} cannot be stored")]
    Invalid {
        /// What.
        what: &'static str,
    },
    /// A row cannot be read back.
    #[error("the database holds an unreadable value in `{column}`")]
    Corrupt {
        /// Table and column.
        column: &'static str,
    },
}

impl Error {
    pub(crate) fn database(message: impl Into<String>) -> Self {
        Self::Database {
            message: message.into(),
            source: None,
        }
    }

    /// Names what stands against a row whose unique column is taken; passes the rest on.
    pub(crate) fn taken(what: &'static str) -> impl FnOnce(DieselError) -> Self {
        move |error| match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
                Self::Conflict { what }
            }
            other => other.into(),
        }
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            return match error {
                DieselError::NotFound => Self::NotFound { what: "record" },
                DieselError::BrokenTransactionManager => Self::Unavailable(error.into()),
                DieselError::DeserializationError(source) => Self::Database {
                    message: "the database holds a value that cannot be read".to_owned(),
                    source: Some(source),
                },
                DieselError::SerializationError(source) => Self::Database {
                    message: "a value cannot be written to the database".to_owned(),
                    source: Some(source),
                },
                other => Self::Database {
                    message: "the database refused a statement".to_owned(),
                    source: Some(other.into()),
                },
            };
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Conflict {
                what: "something with the same identity is on record",
            },
            DatabaseErrorKind::ForeignKeyViolation => Self::Conflict {
                what: "something that this refers to is not on record",
            },
            DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ReadOnlyTransaction => Self::Unavailable(error.into()),
            _ if passes(information.message()) => Self::Unavailable(error.into()),
            _ => Self::Database {
                message: "the database refused a statement".to_owned(),
                source: Some(error.into()),
            },
        }
    }
}

/// Returns whether a message tells of a state that passes. diesel keeps neither PostgreSQL's
/// five-character code nor SQLite's number, so the words must do.
fn passes(message: &str) -> bool {
    const PASSING: [&str; 16] = [
        "terminating connection",
        "the database system is",
        "connection to client lost",
        "connection closed",
        "deadlock detected",
        "canceling statement",
        "too many clients",
        "too many connections",
        "remaining connection slots",
        "No space left",
        "could not extend file",
        "database is locked",
        "database table is locked",
        "disk I/O error",
        "database or disk is full",
        "unable to open database file",
    ];
    PASSING.iter().any(|it| message.contains(it))
}
