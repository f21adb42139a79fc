//! People, the organizations they belong to, their sessions, and what they did.

use std::fmt;

use jiff::Timestamp;
use roadstead_core::{OrgId, SessionId, UserId};
use uuid::Uuid;

use super::IdempotencyKey;

/// Somebody who can log in. `Debug` leaves out the hash of the password.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Ours.
    pub id: UserId,
    /// Unique, lower case.
    pub email: String,
    /// Whether they run this installation.
    pub operator: bool,
    /// PHC string of the password; `None` until one is set.
    pub password_hash: Option<String>,
    /// When they were added.
    pub created_at: Timestamp,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("operator", &self.operator)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Ours.
    pub id: OrgId,
    /// For people; unique.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What a member may do in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Look, create and run servers.
    Member,
    /// And manage members.
    Admin,
    /// And the organization itself.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    /// Returns the word used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads the word used in JSON and in the database.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// A user's place in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub organization: Organization,
    /// As what.
    pub role: Role,
}

/// A login that is being recorded.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Ours.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// SHA-256 of the token; the token itself is never stored.
    pub token_hash: Vec<u8>,
    /// When the password was given.
    pub created_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// A login with all that a request needs to know, from one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Ours.
    pub id: SessionId,
    /// Who.
    pub user: User,
    /// When the password was given.
    pub created_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// Where the user belongs, the oldest membership first.
    pub memberships: Vec<Membership>,
}

/// A line of the audit log, written in the same transaction as what it tells.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// For whom; `None` for the installation itself.
    pub organization: Option<OrgId>,
    /// Who; `None` for the worker.
    pub user: Option<UserId>,
    /// What was done, as `noun.verb` (`instance.create`).
    pub action: &'static str,
    /// To what, as text (an id).
    pub subject: String,
    /// Request id of the HTTP request, if any.
    pub request_id: Option<String>,
    /// More, without any secret.
    pub details: serde_json::Value,
    /// The client's key for the request: a repeat gets the answer of the first one.
    pub key: Option<IdempotencyKey>,
}

/// A line of the audit log as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditLine {
    /// Ours.
    pub id: Uuid,
    /// Who, by their e-mail address; `None` for the worker and the command line.
    pub who: Option<String>,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// To what, as text (an id).
    pub subject: String,
    /// Request id of the HTTP request, if any.
    pub request_id: Option<String>,
    /// More.
    pub details: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
}
