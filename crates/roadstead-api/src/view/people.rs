//! Users and organizations as clients see them.

use jiff::Timestamp;
use roadstead_core::{OrgId, UserId};
use roadstead_service as service;
use serde::Serialize;

/// A user.
#[derive(Debug, Serialize)]
pub(crate) struct User {
    id: UserId,
    email: String,
    operator: bool,
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
#[derive(Debug, Serialize)]
pub(crate) struct Organization {
    id: OrgId,
    name: String,
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
#[derive(Debug, Serialize)]
pub(crate) struct LoginAnswer {
    success: bool,
    token: String,
    expires_at: Timestamp,
    user: User,
    organizations: Vec<Organization>,
}

impl From<service::Login> for LoginAnswer {
    fn from(it: service::Login) -> Self {
        Self {
            success: true,
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
