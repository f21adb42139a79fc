//! Operations as members see them: read, and waited for.

use std::time::Duration;

use roadstead_core::{Code, InstanceId, OperationId};
use roadstead_repository::{Operation, OperationState, Tenant};

use crate::error::{Error, Result};
use crate::grant::{Grant, ReadInstances};
use crate::pages::{Cursors, Page, PageRequest};
use crate::platform::Platform;

/// How often the database is asked on behalf of somebody who waits, in case no news came.
const LOOK: Duration = Duration::from_secs(1);

impl Platform {
    /// Returns one of the organization's operations; with `wait`, once it is over or the time is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, or if it is another organization's.
    pub async fn operation(
        &self,
        grant: &Grant<ReadInstances>,
        id: OperationId,
        wait: Duration,
    ) -> Result<Operation> {
        self.wait_until(&grant.tenant(), id, wait, |it| it.state.is_settled())
            .await
    }

    /// Returns a page of a server's operations, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`] if there is none, or if it is another organization's;
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this server's
    /// operations.
    pub async fn operations(
        &self,
        grant: &Grant<ReadInstances>,
        instance: InstanceId,
        page: &PageRequest,
    ) -> Result<Page<Operation>> {
        let tenant = grant.tenant();
        self.repository.get_instance(&tenant, instance).await?;
        let cursors = Cursors::of_operations(&self.repository, &tenant, instance);
        let before = page.cursor.as_deref().map(|it| cursors.open_id(it));
        let before = before.transpose()?.map(OperationId);
        let limit = page.checked_limit()?;
        let slice = self
            .repository
            .list_operations(&tenant, instance, before, limit)
            .await?;
        Ok(Page {
            items: slice.items,
            next: slice.next.map(|it| cursors.seal(&[], it.0)),
        })
    }

    /// Reads an operation until it is as wished, or the time is over.
    pub(crate) async fn wait_until(
        &self,
        tenant: &Tenant,
        id: OperationId,
        wait: Duration,
        wished: impl Fn(&Operation) -> bool,
    ) -> Result<Operation> {
        let mut news = self.feed.wait_for(id);
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let operation = self.repository.get_operation(tenant, id).await?;
            let now = tokio::time::Instant::now();
            if wished(&operation) || now >= deadline {
                return Ok(operation);
            }
            let look = (now + LOOK).min(deadline);
            // Either way the books are read again.
            let _ = tokio::time::timeout_at(look, news.told()).await;
        }
    }
}

impl Error {
    /// Returns the failure of an operation as an error for who waited for it.
    pub(crate) fn of_failed(operation: &Operation, provider: &str) -> Option<Self> {
        if operation.state != OperationState::Failed {
            return None;
        }
        let record = operation.error.as_ref();
        Some(Self::Operation {
            code: record
                .and_then(|it| Code::from_word(&it.code))
                .unwrap_or(Code::UnknownError),
            message: record.map_or_else(
                || "the operation failed".to_owned(),
                |it| it.message.clone(),
            ),
            field: record.and_then(|it| it.field.clone()),
            provider: provider.to_owned(),
        })
    }
}
