//! What operators see of the sweep, and what they decide about what waits for a person.

use roadstead_core::{OperationId, ProviderId};
use roadstead_repository::{Decision, Operation, Quarantined, Sweep};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::grant::OperatorGrant;
use crate::pages::{Cursors, Page, PageRequest};
use crate::platform::Platform;

impl Platform {
    /// Returns what is known of an account's sweeps; `None` before the first was due.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn account_sweep(
        &self,
        _grant: &OperatorGrant,
        id: ProviderId,
    ) -> Result<Option<Sweep>> {
        Ok(self.repository.find_sweep(id).await?)
    }

    /// Returns a page of the quarantined servers, those that were seen first before the others.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this list.
    pub async fn quarantine(
        &self,
        _grant: &OperatorGrant,
        page: &PageRequest,
    ) -> Result<Page<Quarantined>> {
        let cursors = Cursors::of_operators(&self.repository, "quarantine");
        let (after, limit) = place(&cursors, page)?;
        let more = limit.saturating_add(1);
        let found = self.repository.list_quarantine(after, more).await?;
        Ok(cursors.cut(found, limit, |it| it.id))
    }

    /// Returns a page of the operations that wait for a person, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this list.
    pub async fn undecided(
        &self,
        _grant: &OperatorGrant,
        page: &PageRequest,
    ) -> Result<Page<Operation>> {
        let cursors = Cursors::of_operators(&self.repository, "undecided");
        let (after, limit) = place(&cursors, page)?;
        let more = limit.saturating_add(1);
        let after = after.map(OperationId);
        let found = self.repository.list_undecided(after, more).await?;
        Ok(cursors.cut(found, limit, |it| it.id.0))
    }

    /// Does what an operator has decided about an operation that waits for a person.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none; [`Error::Conflict`] if it does not wait for a
    /// person, or if another one is at work on its server.
    pub async fn decide_operation(
        &self,
        grant: &OperatorGrant,
        id: OperationId,
        decision: Decision,
    ) -> Result<Operation> {
        let mut audit = grant.audit("operation.decide", id.to_string());
        audit.details = serde_json::json!({ "decision": decision.as_str() });
        let decided = self.repository.decide_operation(id, decision, audit).await;
        let decided = decided.map_err(|error| match error {
            roadstead_repository::Error::Changed { .. } => {
                Error::Conflict("the operation does not wait for a decision".to_owned())
            }
            other => other.into(),
        })?;
        self.bell.ring();
        Ok(decided)
    }
}

fn place(cursors: &Cursors<'_>, page: &PageRequest) -> Result<(Option<Uuid>, u32)> {
    let after = page.cursor.as_deref().map(|it| cursors.open_id(it));
    Ok((after.transpose()?, page.checked_limit()?))
}
