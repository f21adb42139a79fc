//! Servers that somebody else made: what an account has of them, and taking one into our books.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use roadstead_core::{
    CreateKey, ErrorKind, Instance, InstanceId, InstanceQuery, Market, OrgId, Price, ProviderExt,
    ProviderId, RemoteId, State, region_of,
};
use roadstead_repository::{
    Accepted, Becomes, InstancePatch, Lifecycle, MarkedServer, NewImport, NewInstance,
    OperationKind, Quarantined, Specification,
};
use tracing::instrument;

use super::begin;
use crate::engine::{Mark, is_same, marks};
use crate::error::{Error, Result};
use crate::grant::OperatorGrant;
use crate::instances::validate::{check_patch, offering};
use crate::instances::{audit_word, log};
use crate::platform::Platform;
use crate::providers::{FOREIGN, usable};
use crate::registry::Account;

/// A server to be taken into our books.
#[derive(Clone, Debug)]
pub struct ImportServer {
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Whose it becomes.
    pub organization: OrgId,
    /// The member's name for it; the vendor keeps its own.
    pub label: String,
    /// The member's tags.
    pub tags: Vec<String>,
}

/// A server at a vendor that no server of ours is bound to.
#[derive(Clone, Debug)]
pub struct Importable {
    /// As the vendor shows it.
    pub server: Instance,
    /// Its entry in the quarantine, if it has one.
    pub quarantined: Option<Quarantined>,
    /// Why it cannot be imported, as a sentence with the next step; `None` if it can.
    pub refusal: Option<String>,
}

impl Platform {
    /// Returns all servers of a vendor account that no server of ours is bound to, in the order of
    /// the vendor's list. The vendor is asked for all of its servers, and whose account that is.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`]; [`Error::ProviderRefused`] while the account is frozen, or if its
    /// token opens another one; [`Error::Provider`] if the vendor cannot be asked.
    #[instrument(skip_all, fields(provider.id = %id))]
    pub async fn importable(
        &self,
        _grant: &OperatorGrant,
        id: ProviderId,
    ) -> Result<Vec<Importable>> {
        let account = self.known_account(id).await?;
        let listing = account.provider.clone().instances(InstanceQuery::default());
        let listed: roadstead_core::Result<Vec<Instance>> = listing.try_collect().await;
        let listed = self.noticing(&account, listed.map_err(Error::from)).await?;
        let proved = is_same(self, &account).await.map_err(Error::from);
        if !self.noticing(&account, proved).await? {
            return Err(Error::ProviderRefused(FOREIGN.to_owned()));
        }
        // In this order, as in a sweep: what our books do not know now was not merely too young.
        let books = self.repository.sweep_books(id, &marks(&listed)).await?;
        let quarantine = self.repository.quarantine_of(id).await?;
        let bound: BTreeSet<&RemoteId> = books.bound.iter().map(|it| &it.remote).collect();
        let quarantine: BTreeMap<RemoteId, Quarantined> = quarantine
            .into_iter()
            .map(|it| (it.remote.clone(), it))
            .collect();
        let mut seen = BTreeSet::new();
        let offered = listed
            .into_iter()
            .filter(|it| !bound.contains(&it.id) && seen.insert(it.id.clone()));
        Ok(offered
            .map(|server| Importable {
                refusal: self.refusal(&server, &books.marked),
                quarantined: quarantine.get(&server.id).cloned(),
                server,
            })
            .collect())
    }

    /// Puts the intent on record to take a server into an organization. Our tags are put on it by
    /// the engine; its name and everything on it stay as they are.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`]; [`Error::Invalid`] for a server that the vendor does not have, or
    /// a wrong label or tags; [`Error::NotFound`] if there is no such organization;
    /// [`Error::Conflict`] if the server is on record already, or cannot be imported now;
    /// [`Error::ProviderInactive`], [`Error::ProviderRefused`]; [`Error::Provider`] if the vendor
    /// cannot be asked.
    #[instrument(skip_all, fields(provider.id = %provider, operation.kind = "import"))]
    pub async fn import_server(
        &self,
        grant: &OperatorGrant,
        provider: ProviderId,
        request: ImportServer,
    ) -> Result<Accepted> {
        let id = InstanceId::fresh();
        let mut audit = grant.audit(audit_word(OperationKind::Import), id.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return Ok(earlier);
        }
        let account = self.known_account(provider).await?;
        let server = self.importable_server(&account, &request.remote).await?;
        audit.details = details(&server, Some(request.organization), None);
        let new = self.new_server(&account, id, &server, &request).await?;
        let becomes = Becomes::New(request.organization, Box::new(new));
        let import = new_import(&account, &server, becomes)?;
        self.accept_import(import, audit).await
    }

    pub(super) async fn accept_import(
        &self,
        import: NewImport,
        audit: roadstead_repository::AuditEntry,
    ) -> Result<Accepted> {
        let operation = begin(OperationKind::Import);
        let accepted = self.repository.accept_import(import, operation, audit);
        let accepted = accepted.await?;
        log(&accepted);
        self.bell.ring();
        Ok(accepted)
    }

    /// Returns a server that can be imported, as its vendor shows it.
    pub(super) async fn importable_server(
        &self,
        account: &Account,
        remote: &RemoteId,
    ) -> Result<Instance> {
        usable(account)?;
        let unknown = || {
            let message = "the provider has no such server; `importable` lists those it has";
            Error::invalid("remote_id", message)
        };
        let server = match self.read_server(account, remote).await {
            Ok(found) => found.ok_or_else(unknown)?,
            // No id of this provider's.
            Err(error) if error.provider_kind() == Some(ErrorKind::Invalid) => {
                return Err(unknown());
            }
            Err(error) => return Err(error),
        };
        let named = marks(std::slice::from_ref(&server));
        let marked = self.repository.marked_servers(&named).await?;
        match self.refusal(&server, &marked) {
            Some(refusal) => Err(Error::Conflict(refusal)),
            None => Ok(server),
        }
    }

    /// Returns why a server that is not bound cannot be imported.
    fn refusal(&self, server: &Instance, marked: &[MarkedServer]) -> Option<String> {
        let mark = Mark::of(server, &self.deployment);
        if mark.others {
            let message = "it carries the mark of another installation; release it there first";
            return Some(message.to_owned());
        }
        if matches!(server.status.state, State::Deleting | State::Deleted) {
            return Some("the provider is deleting it".to_owned());
        }
        let names = |it: &&MarkedServer| {
            mark.tagged.contains(&it.instance.0) || mark.named == Some(it.instance.0)
        };
        let is_open = |it: &MarkedServer| {
            it.is_being_created || matches!(it.lifecycle, Lifecycle::Pending | Lifecycle::Resolving)
        };
        let open = marked.iter().filter(names).find(|it| is_open(it))?;
        Some(format!(
            "it carries the mark of the server `{}`, whose create is not over; wait for that",
            open.instance
        ))
    }

    /// Says what an imported server is in our books: what the vendor says it is, at the vendor's
    /// present price if there is one.
    pub(super) async fn new_server(
        &self,
        account: &Account,
        id: InstanceId,
        server: &Instance,
        request: &ImportServer,
    ) -> Result<NewInstance> {
        let patch = InstancePatch {
            label: Some(request.label.clone()),
            tags: Some(request.tags.clone()),
            notes: None,
        };
        check_patch(account.provider.descriptor(), &patch)?;
        // A name that no server at the vendor has: this one keeps its own, and is known by its tags.
        let mark = CreateKey::new(&self.deployment, id.0, &request.label);
        Ok(NewInstance {
            id,
            provider: account.record.id,
            kind: account.record.kind.clone(),
            label: request.label.clone(),
            remote_name: mark.name.into(),
            specification: Specification {
                plan: server.plan.clone().unwrap_or_else(|| "".into()),
                region: server.region.clone(),
                image: server.image.clone().unwrap_or_else(|| "".into()),
                vcpus: server.vcpus,
                memory: server.memory,
                disk: server.disk,
            },
            tags: request.tags.clone(),
            price: self.price_of(account, server).await?,
            sale: None,
        })
    }

    async fn price_of(&self, account: &Account, server: &Instance) -> Result<Option<Price>> {
        let Some(plan) = &server.plan else {
            return Ok(None);
        };
        let read = async {
            futures::try_join!(account.provider.get_plans(), account.provider.get_regions())
        };
        let read = read.await.map_err(Error::from);
        let (plans, regions) = self.noticing(account, read).await?;
        let plan = plans.iter().find(|it| it.id == *plan);
        let region = region_of(&regions, &server.region);
        let offered = plan
            .zip(region)
            .and_then(|(plan, region)| offering(plan, region, Market::OnDemand));
        Ok(offered.and_then(|it| it.price.clone()))
    }
}

pub(super) fn new_import(
    account: &Account,
    server: &Instance,
    becomes: Becomes,
) -> Result<NewImport> {
    let fingerprint = account.record.fingerprint.clone();
    Ok(NewImport {
        provider: account.record.id,
        remote: server.id.clone(),
        remote_created_at: server.created,
        // Without one the account was not proved to be ours, and nothing came this far.
        fingerprint: fingerprint.ok_or_else(|| Error::ProviderRefused(FOREIGN.to_owned()))?,
        becomes,
        quarantined: None,
    })
}

/// Says in the log what was imported.
pub(super) fn details(
    server: &Instance,
    organization: Option<OrgId>,
    quarantined: Option<uuid::Uuid>,
) -> serde_json::Value {
    serde_json::json!({
        "remote": server.id,
        "name": server.name,
        "tags": server.tags,
        "created": server.created,
        "organization": organization,
        "quarantined": quarantined,
    })
}
