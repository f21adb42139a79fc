//! What waits for a person, with what a person needs to decide.

use std::collections::HashMap;

use roadstead_core::{OperationId, OrgId};
use roadstead_repository::{Instance, OpenFilter, Operation, OperationState, Organization, Tenant};

use crate::error::{Error, Result};
use crate::grant::OperatorGrant;
use crate::pages::{Page, PageRequest};
use crate::platform::Platform;

/// An operation that waits for a person, and the server with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What waits.
    pub operation: Operation,
    /// On which server.
    pub instance: Instance,
    /// Whose, by name.
    pub organization: String,
}

impl Platform {
    /// Returns a page of what waits for a person, the oldest first, with the servers.
    ///
    /// # Errors
    ///
    /// As [`Self::open_operations`].
    pub async fn waiting(
        &self,
        grant: &OperatorGrant,
        page: &PageRequest,
    ) -> Result<Page<Waiting>> {
        let filter = OpenFilter::default();
        let undecided = self.open_operations(grant, &filter, page).await?;
        let names = self.names(grant).await?;
        let mut items = Vec::with_capacity(undecided.items.len());
        for operation in undecided.items {
            items.push(self.with_server(operation, &names).await?);
        }
        Ok(Page {
            items,
            next: undecided.next,
        })
    }

    /// Returns one operation that waits for a person, with its server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none; [`Error::Conflict`] if it waits for nobody any more.
    pub async fn waiting_for(&self, grant: &OperatorGrant, id: OperationId) -> Result<Waiting> {
        let found = self.repository.find_operation(id).await?;
        let found = found.ok_or(Error::NotFound("operation"))?;
        if found.state != OperationState::Attention {
            let message = "the operation does not wait for a decision any more";
            return Err(Error::Conflict(message.to_owned()));
        }
        let names = self.names(grant).await?;
        self.with_server(found, &names).await
    }

    /// Returns every organization, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn organizations(&self, _grant: &OperatorGrant) -> Result<Vec<Organization>> {
        Ok(self.repository.list_organizations().await?)
    }

    async fn names(&self, grant: &OperatorGrant) -> Result<HashMap<OrgId, String>> {
        let all = self.organizations(grant).await?;
        Ok(all.into_iter().map(|it| (it.id, it.name)).collect())
    }

    async fn with_server(
        &self,
        operation: Operation,
        names: &HashMap<OrgId, String>,
    ) -> Result<Waiting> {
        let org = operation.organization;
        let instance = self
            .repository
            .get_instance(&Tenant { org }, operation.instance)
            .await?;
        Ok(Waiting {
            organization: names.get(&org).cloned().unwrap_or_default(),
            operation,
            instance,
        })
    }
}
