//! Rows of `users`, `organizations`, `memberships` and `sessions`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use roadstead_core::{OrgId, UserId};

use super::word;
use crate::error::Result;
use crate::record::{self, Role};
use crate::schema::{memberships, organizations, sessions, users};
use crate::types::{Id, Time};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) email: String,
    pub(crate) is_operator: bool,
    pub(crate) password_hash: Option<String>,
    pub(crate) created_at: Time,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = organizations, treat_none_as_default_value = false)]
pub(crate) struct Organization {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) created_at: Time,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = memberships, treat_none_as_default_value = false)]
pub(crate) struct Membership {
    pub(crate) organization_id: Id,
    pub(crate) user_id: Id,
    pub(crate) role: String,
    pub(crate) created_at: Time,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct Session {
    pub(crate) id: Id,
    pub(crate) user_id: Id,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) expires_at: Time,
    pub(crate) created_at: Time,
}

impl User {
    pub(crate) fn into_record(self) -> record::User {
        record::User {
            id: UserId(self.id.0),
            email: self.email,
            operator: self.is_operator,
            password_hash: self.password_hash,
            created_at: self.created_at.0,
        }
    }
}

impl Organization {
    pub(crate) fn into_record(self) -> record::Organization {
        record::Organization {
            id: OrgId(self.id.0),
            name: self.name,
            created_at: self.created_at.0,
        }
    }

    /// Adds what a user is in it.
    pub(crate) fn with_role(self, role: &str) -> Result<record::Membership> {
        let role = word("memberships.role", Role::from_word(role))?;
        Ok(record::Membership {
            organization: self.into_record(),
            role,
        })
    }
}
