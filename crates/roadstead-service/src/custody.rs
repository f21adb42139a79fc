//! Whose servers are: what operators see of the sweep, what they take into our books or let go,
//! and what they decide about what waits for a person.

mod import;
mod quarantine;

use roadstead_core::{InstanceId, OperationId, ProviderId, RemoteId};
use roadstead_repository::{
    Accepted, AuditEntry, Decision, Instance, NewOperation, OpenFilter, Operation, OperationKind,
    Quarantined, Request, Sweep,
};
use serde::de::DeserializeOwned;
use tracing::instrument;
use uuid::Uuid;

pub use self::import::{ImportServer, Importable};
pub use self::quarantine::{Adoption, Decided, QuarantineDecision};
use crate::engine::{hasten, is_same};

use crate::error::{Error, Result};
use crate::grant::OperatorGrant;
use crate::instances::{audit_word, log};
use crate::pages::{Cursors, Page, PageRequest};
use crate::platform::Platform;
use crate::providers::{FOREIGN, usable};
use crate::registry::Account;

/// What an operator decides about a missing server. That it is back needs no decision: it is when
/// the provider shows it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MissingDecision {
    /// It is gone, and its record ends.
    Gone,
}

impl MissingDecision {
    /// Every decision.
    pub const ALL: [Self; 1] = [Self::Gone];

    /// Returns the word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
        }
    }

    /// Reads the word used in JSON.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

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

    /// Returns a page of the operations of all organizations that are not over and that a filter
    /// asks for, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for the state of what is over, a limit out of range, or a cursor that is
    /// not of this list.
    pub async fn open_operations(
        &self,
        _grant: &OperatorGrant,
        filter: &OpenFilter,
        page: &PageRequest,
    ) -> Result<Page<Operation>> {
        if filter.state.is_final() {
            let message = "what is over is shown with its server";
            return Err(Error::invalid("state", message));
        }
        let list = format!("operations/{}", filter.state.as_str());
        let cursors = Cursors::of_operators(&self.repository, &list);
        let (after, limit) = place(&cursors, page)?;
        let more = limit.saturating_add(1);
        let after = after.map(OperationId);
        let found = self.repository.list_open_operations(filter, after, more);
        Ok(cursors.cut(found.await?, limit, |it| it.id.0))
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

    /// Puts the intent on record to let a server go: our tags are taken off it, it stays at the
    /// provider, and nobody here touches it any more. A second one gives the first one's operation.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`] if there is none, or if it is deleted or let go already;
    /// [`Error::Conflict`] while something else is at work on it, or if it is not live;
    /// [`Error::ProviderRefused`] while the account is frozen.
    #[instrument(skip_all, fields(instance.id = %id, operation.kind = "release"))]
    pub async fn release_server(&self, grant: &OperatorGrant, id: InstanceId) -> Result<Accepted> {
        let mut audit = grant.audit(audit_word(OperationKind::Release), id.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return Ok(earlier);
        }
        let known = self.repository.find_instance(id).await?;
        let known = known.ok_or(Error::NoSuchInstance)?;
        // An account that is switched off may be the very reason.
        match usable(&self.registry.account(known.provider).await?) {
            Ok(()) | Err(Error::ProviderInactive) => {}
            Err(other) => return Err(other),
        }
        audit.details = serde_json::json!({
            "organization": known.organization,
            "remote": known.remote,
        });
        let operation = begin(OperationKind::Release);
        let accepted = self.repository.accept_release(id, operation, audit);
        let accepted = accepted.await?;
        log(&accepted);
        self.bell.ring();
        Ok(accepted)
    }

    /// Returns a page of the servers of all organizations that their vendors have no more, though
    /// nobody here asked for that, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this list.
    pub async fn missing_servers(
        &self,
        _grant: &OperatorGrant,
        page: &PageRequest,
    ) -> Result<Page<Instance>> {
        let cursors = Cursors::of_operators(&self.repository, "missing");
        let (after, limit) = place(&cursors, page)?;
        let more = limit.saturating_add(1);
        let found = self.repository.list_missing(after.map(InstanceId), more);
        Ok(cursors.cut(found.await?, limit, |it| it.id.0))
    }

    /// Does what an operator has decided about a missing server. That it is gone is believed only
    /// if the vendor says so once more, in an account that is proved to be ours.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`]; [`Error::Conflict`] if it is not missing, or if the vendor has it
    /// again; [`Error::ProviderRefused`], [`Error::Provider`] if the vendor cannot be asked.
    #[instrument(skip_all, fields(instance.id = %id))]
    pub async fn decide_missing(
        &self,
        grant: &OperatorGrant,
        id: InstanceId,
        decision: MissingDecision,
    ) -> Result<Instance> {
        let mut audit = grant.audit("instance.gone", id.to_string());
        if let Some(earlier) = self.repository.find_answer(&audit).await? {
            return Ok(earlier);
        }
        audit.details = serde_json::json!({ "decision": decision.as_str() });
        let settled = self.settle_missing(id, audit.clone()).await;
        self.or_earlier(&audit, settled).await
    }

    async fn settle_missing(&self, id: InstanceId, mut audit: AuditEntry) -> Result<Instance> {
        let known = self.repository.find_instance(id).await?;
        let known = known.ok_or(Error::NoSuchInstance)?;
        let not_missing =
            || Error::Conflict("the server is not missing; look at it again".to_owned());
        let (roadstead_repository::Lifecycle::Missing, Some(remote)) =
            (known.lifecycle, known.remote)
        else {
            return Err(not_missing());
        };
        let account = self.known_account(known.provider).await?;
        if self.read_server(&account, &remote).await?.is_some() {
            hasten(self, known.provider).await;
            return Err(Error::Conflict(
                "the provider has this server again; it is live after the next sweep".to_owned(),
            ));
        }
        if let Some(details) = audit.details.as_object_mut() {
            details.insert(
                "organization".to_owned(),
                known.organization.to_string().into(),
            );
            details.insert("remote".to_owned(), remote.as_str().into());
        }
        let settled = self.repository.settle_missing(id, &remote, audit).await;
        settled.map_err(|error| match error {
            roadstead_repository::Error::Changed { .. } => not_missing(),
            other => other.into(),
        })
    }

    /// The same request may have come twice at once, and the other one been first: what that was
    /// answered is the answer to both.
    async fn or_earlier<T: DeserializeOwned>(
        &self,
        audit: &AuditEntry,
        ended: Result<T>,
    ) -> Result<T> {
        match ended {
            Err(conflict @ Error::Conflict(_)) => {
                let earlier = self.repository.find_answer(audit).await?;
                earlier.ok_or(conflict)
            }
            ended => ended,
        }
    }

    /// Returns an account of which it is known whose it is, and whose token is not refused. It may
    /// be switched off.
    async fn known_account(&self, id: ProviderId) -> Result<Account> {
        let account = self.registry.account(id).await?;
        let (account, doubt) = self.verified(account).await?;
        if let Some(doubt) = doubt {
            return Err(Error::Conflict(format!(
                "it is not known yet whose account this is ({doubt}); validate it first"
            )));
        }
        match usable(&account) {
            Ok(()) | Err(Error::ProviderInactive) => Ok(account),
            Err(other) => Err(other),
        }
    }

    /// Reads a server at its vendor; `None` if there is none, which is believed only in an account
    /// that is proved to be ours.
    async fn read_server(
        &self,
        account: &Account,
        remote: &RemoteId,
    ) -> Result<Option<roadstead_core::Instance>> {
        let read = async {
            match account.provider.get_instance(remote).await {
                Ok(found) => Ok(Some(found)),
                Err(error) if error.kind == roadstead_core::ErrorKind::NoSuchInstance => Ok(None),
                Err(error) => Err(Error::from(error)),
            }
        };
        let found = self.noticing(account, read.await).await?;
        let proved = is_same(self, account).await.map_err(Error::from);
        if self.noticing(account, proved).await? {
            Ok(found)
        } else {
            Err(Error::ProviderRefused(FOREIGN.to_owned()))
        }
    }
}

/// Begins an operation of which all that is asked stands on record elsewhere.
fn begin(kind: OperationKind) -> NewOperation {
    NewOperation {
        id: OperationId::fresh(),
        kind,
        request: Request {
            plain: serde_json::json!({}),
            secret: None,
        },
    }
}

fn place(cursors: &Cursors<'_>, page: &PageRequest) -> Result<(Option<Uuid>, u32)> {
    let after = page.cursor.as_deref().map(|it| cursors.open_id(it));
    Ok((after.transpose()?, page.checked_limit()?))
}
