//! Authority as an argument: only this crate makes a [`Grant`], and every use case asks for one.

use std::marker::PhantomData;

use roadstead_core::OrgId;
use roadstead_repository::{AuditEntry, IdempotencyKey, Organization, Role, Session, Tenant, User};

use crate::error::{Error, Result};

/// Something a member may be allowed to do.
pub trait Permission: Send + Sync + 'static {
    /// The least role that has it.
    const LEAST: Role;
    /// What it is, as it ends the sentence "you may not …".
    const VERB: &'static str;
}

/// Looking at servers and catalogues.
#[derive(Debug)]
pub struct ReadInstances;

impl Permission for ReadInstances {
    const LEAST: Role = Role::Viewer;
    const VERB: &'static str = "look at the servers of this organization";
}

/// Creating, changing and deleting servers.
#[derive(Debug)]
pub struct ManageInstances;

impl Permission for ManageInstances {
    const LEAST: Role = Role::Member;
    const VERB: &'static str = "create or change servers in this organization";
}

/// Looking at the organization's SSH keys.
#[derive(Debug)]
pub struct ReadKeys;

impl Permission for ReadKeys {
    const LEAST: Role = Role::Viewer;
    const VERB: &'static str = "look at the SSH keys of this organization";
}

/// Adding and removing the organization's SSH keys.
#[derive(Debug)]
pub struct ManageKeys;

impl Permission for ManageKeys {
    const LEAST: Role = Role::Member;
    const VERB: &'static str = "add or remove SSH keys of this organization";
}

/// Who asks, and from which request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The login.
    pub session: Session,
    /// The request's id, for the audit log.
    pub request_id: String,
    /// The client's key for the request: a repeat gets the answer of the first one.
    pub key: Option<IdempotencyKey>,
}

impl Caller {
    /// Returns the user.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.session.user
    }

    /// Grants a permission in an organization; without one, in the user's first.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] when the user belongs to none or the role is too low;
    /// [`Error::NotFound`] for an organization that the user does not belong to.
    pub fn grant<P: Permission>(self, organization: Option<OrgId>) -> Result<Grant<P>> {
        let membership = match organization {
            Some(id) => self
                .session
                .memberships
                .iter()
                .find(|it| it.organization.id == id)
                .ok_or(Error::NotFound("organization"))?,
            None => self.session.memberships.first().ok_or(Error::Forbidden(
                "you belong to no organization; ask an operator to add you to one".into(),
            ))?,
        };
        if membership.role < P::LEAST {
            let role = membership.role.as_str();
            let message = format!("as {role} you may not {}", P::VERB);
            return Err(Error::Forbidden(message.into()));
        }
        Ok(Grant {
            organization: membership.organization.clone(),
            caller: self,
            permission: PhantomData,
        })
    }

    /// Grants the rights of an operator.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] when the user is none.
    pub fn operator(self) -> Result<OperatorGrant> {
        if self.user().operator {
            Ok(OperatorGrant { caller: self })
        } else {
            Err(Error::Forbidden(
                "only an operator of this installation may do this".into(),
            ))
        }
    }
}

/// Proof that a caller may do `P` in an organization.
#[derive(Debug)]
pub struct Grant<P> {
    organization: Organization,
    caller: Caller,
    permission: PhantomData<P>,
}

impl<P> Grant<P> {
    /// Says under which key its request came.
    #[must_use]
    pub fn under_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.caller.key = key;
        self
    }

    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) const fn tenant(&self) -> Tenant {
        Tenant {
            org: self.organization.id,
        }
    }

    pub(crate) fn audit(&self, action: &'static str, subject: String) -> AuditEntry {
        AuditEntry {
            organization: Some(self.organization.id),
            user: Some(self.caller.user().id),
            action,
            subject,
            request_id: Some(self.caller.request_id.clone()),
            details: serde_json::json!({}),
            key: self.caller.key.clone(),
        }
    }
}

/// Proof that a caller runs this installation.
#[derive(Debug)]
pub struct OperatorGrant {
    caller: Caller,
}

impl OperatorGrant {
    /// Says under which key its request came.
    #[must_use]
    pub fn under_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.caller.key = key;
        self
    }

    pub(crate) fn audit(&self, action: &'static str, subject: String) -> AuditEntry {
        AuditEntry {
            organization: None,
            user: Some(self.caller.user().id),
            action,
            subject,
            request_id: Some(self.caller.request_id.clone()),
            details: serde_json::json!({}),
            key: self.caller.key.clone(),
        }
    }
}
