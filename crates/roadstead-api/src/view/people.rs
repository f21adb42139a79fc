//! Users and organizations as clients see them.

use jiff::Timestamp;
use roadstead_core::{OrgId, UserId};
use roadstead_service as service;
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::words::{self, Id, Success};

/// A user.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct User {
    /// The user's id.
    #[schemars(with = "Id")]
    id: UserId,
    /// The address to log in with.
    #[schemars(example = &"you@example.com")]
    email: String,
    /// Whether the user runs this installation.
    operator: bool,
    /// Since when there is such a user.
    created_at: Timestamp,
}

impl From<&service::User> for User {
    fn from(it: &service::User) -> Self {
        Self {
            id: it.id,
            email: it.email.clone(),
            operator: it.operator,
            created_at: it.created_at,
        }
    }
}

/// An organization, and what the user is there.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Organization {
    /// Its id, for `X-Organization`.
    #[schemars(with = "Id")]
    id: OrgId,
    /// Its name.
    #[schemars(example = &"Harbor")]
    name: String,
    /// What the user is there.
    #[schemars(schema_with = "words::role")]
    role: &'static str,
}

impl From<&service::Membership> for Organization {
    fn from(it: &service::Membership) -> Self {
        Self {
            id: it.organization.id,
            name: it.organization.name.clone(),
            role: it.role.as_str(),
        }
    }
}

/// A fresh login.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoginAnswer {
    success: Success,
    /// For `Authorization: Bearer <token>`. It is shown this once.
    #[schemars(extend("format" = "password"), example = &"rs_…")]
    token: String,
    /// When the login ends.
    expires_at: Timestamp,
    /// Who logged in.
    user: User,
    /// Where the user belongs, and as what. The first one counts without `X-Organization`.
    organizations: Vec<Organization>,
}

impl From<service::Login> for LoginAnswer {
    fn from(it: service::Login) -> Self {
        Self {
            success: Success,
            token: it.token.expose().clone(),
            expires_at: it.session.expires_at,
            user: User::from(&it.session.user),
            organizations: it
                .session
                .memberships
                .iter()
                .map(Organization::from)
                .collect(),
        }
    }
}
