//! What an operator decides about a quarantined server.

use roadstead_core::{InstanceId, OrgId};
use roadstead_repository::{
    Accepted, AuditEntry, Becomes, CustodyDecision, Instance, Lifecycle, OperationKind,
    QuarantineState, Quarantined,
};
use tracing::instrument;
use uuid::Uuid;

use super::import::{ImportServer, details, new_import};
use crate::engine::hasten;
use crate::error::{Error, Result};
use crate::grant::OperatorGrant;
use crate::instances::audit_word;
use crate::platform::Platform;

/// What an operator decides about a quarantined server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuarantineDecision {
    /// It is taken into our books: back into the server whose mark it carries, if that one has
    /// failed or was deleted; else into an organization.
    Adopt(Adoption),
    /// It is left alone, and not shown again unless its mark changes.
    Release,
    /// It is deleted at the vendor.
    Delete {
        /// Its name there, typed once more.
        name: String,
    },
}

/// How a quarantined server comes into our books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Whose it becomes. Needed unless it goes back into the server whose mark it carries, and then
    /// that one's or absent.
    pub organization: Option<OrgId>,
    /// The member's name for it; without one, that at the vendor. One that is taken back keeps its
    /// own.
    pub label: Option<String>,
    /// The member's tags.
    pub tags: Vec<String>,
}

/// What has become of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The server is being taken into our books.
    Adopted(Box<Accepted>),
    /// The entry as it is now. One that is to be deleted is open until it is gone.
    Settled(Box<Quarantined>),
}

impl Platform {
    /// Returns a quarantined server, or one that was.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn quarantined(&self, _grant: &OperatorGrant, id: Uuid) -> Result<Quarantined> {
        let found = self.repository.find_quarantined(id).await?;
        found.ok_or(Error::NotFound("quarantined server"))
    }

    /// Does what an operator has decided about a quarantined server. Nothing has been changed at
    /// the vendor when this returns; the engine does that.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Conflict`] if it was decided about already, or is bound;
    /// [`Error::Invalid`] if it is to be deleted and the name is another one, or if it is to be
    /// adopted and no organization is named; else as [`Self::import_server`].
    #[instrument(skip_all, fields(quarantine.id = %id))]
    pub async fn decide_quarantined(
        &self,
        grant: &OperatorGrant,
        id: Uuid,
        decision: QuarantineDecision,
    ) -> Result<Decided> {
        let (word, order) = match decision {
            QuarantineDecision::Adopt(adoption) => return self.adopt(grant, id, adoption).await,
            QuarantineDecision::Release => ("quarantine.release", CustodyDecision::Release),
            QuarantineDecision::Delete { name } => {
                ("quarantine.delete", CustodyDecision::Delete { name })
            }
        };
        let audit = grant.audit(word, id.to_string());
        if let Some(earlier) = self.repository.find_answer(&audit).await? {
            return Ok(Decided::Settled(Box::new(earlier)));
        }
        let settled = self.settle_entry(id, order, audit.clone()).await;
        let settled = self.or_earlier(&audit, settled).await?;
        Ok(Decided::Settled(Box::new(settled)))
    }

    async fn settle_entry(
        &self,
        id: Uuid,
        order: CustodyDecision,
        mut audit: AuditEntry,
    ) -> Result<Quarantined> {
        let known = self.open_entry(id).await?;
        if let CustodyDecision::Delete { name } = &order
            && *name != known.name
        {
            let message = "type the server's name at the provider, exactly as it is shown";
            return Err(Error::invalid("name", message));
        }
        audit.details = serde_json::json!({
            "remote": known.remote,
            "name": known.name,
            "provider": known.provider,
            "reason": known.doubt.as_str(),
        });
        let decided = self.repository.decide_quarantined(id, order, audit).await?;
        if decided.order.is_some() {
            hasten(self, known.provider).await;
        }
        Ok(decided)
    }

    async fn adopt(&self, grant: &OperatorGrant, id: Uuid, request: Adoption) -> Result<Decided> {
        let fresh = InstanceId::fresh();
        let audit = grant.audit(audit_word(OperationKind::Import), fresh.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return Ok(Decided::Adopted(Box::new(earlier)));
        }
        let adopted = self.take_in(id, fresh, request, audit.clone()).await;
        let adopted = self.or_earlier(&audit, adopted).await?;
        Ok(Decided::Adopted(Box::new(adopted)))
    }

    async fn take_in(
        &self,
        id: Uuid,
        fresh: InstanceId,
        request: Adoption,
        mut audit: AuditEntry,
    ) -> Result<Accepted> {
        let known = self.open_entry(id).await?;
        let former = self.former(&known, request.organization).await?;
        let account = self.known_account(known.provider).await?;
        let server = self.importable_server(&account, &known.remote).await?;
        let becomes = match (former, request.organization) {
            (Some(former), _) => {
                audit.subject = former.id.to_string();
                audit.details = details(&server, Some(former.organization), Some(id));
                Becomes::Again(former.id)
            }
            (None, Some(organization)) => {
                audit.details = details(&server, Some(organization), Some(id));
                let request = ImportServer {
                    remote: known.remote.clone(),
                    organization,
                    label: request.label.unwrap_or_else(|| server.name.to_string()),
                    tags: request.tags,
                };
                let new = self.new_server(&account, fresh, &server, &request);
                Becomes::New(organization, Box::new(new.await?))
            }
            (None, None) => {
                let message = "say whose it becomes: its mark names no server that it could go \
                    back into";
                return Err(Error::invalid("organization_id", message));
            }
        };
        let mut import = new_import(&account, &server, becomes)?;
        import.quarantined = Some(id);
        self.accept_import(import, audit).await
    }

    async fn open_entry(&self, id: Uuid) -> Result<Quarantined> {
        let known = self.repository.find_quarantined(id).await?;
        let known = known.ok_or(Error::NotFound("quarantined server"))?;
        if known.state == QuarantineState::Open {
            return Ok(known);
        }
        Err(Error::Conflict(format!(
            "nothing is to be decided about this server any more: it is `{}`",
            known.state.as_str()
        )))
    }

    /// Returns the server of ours that a quarantined one goes back into, if there is one.
    async fn former(
        &self,
        known: &Quarantined,
        organization: Option<OrgId>,
    ) -> Result<Option<Instance>> {
        let Some(named) = known.instance else {
            return Ok(None);
        };
        let former = self.repository.find_instance(named).await?;
        Ok(former.filter(|it| {
            let is_over = matches!(it.lifecycle, Lifecycle::Failed | Lifecycle::Deleted);
            let is_its = it.remote.as_ref().is_none_or(|it| *it == known.remote);
            let is_whose = organization.is_none_or(|org| org == it.organization);
            is_over && is_its && is_whose && it.provider == known.provider
        }))
    }
}
