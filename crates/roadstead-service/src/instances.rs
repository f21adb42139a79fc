//! Servers: created, listed, changed and deleted, for one organization.

pub(crate) mod frozen;
pub(crate) mod frozen_action;
mod on_sale;
mod rebuild;
mod resize;
pub(crate) mod validate;

use std::fmt;
use std::time::Duration;

use roadstead_core::{
    CreateKey, ErrorKind, InstanceId, Market, OperationId, ProviderId, SalePlanId, Secret, State,
};
use roadstead_repository::{
    Accepted, Instance, InstanceFilter, InstancePatch, Lifecycle, Listing, NewInstance,
    NewOperation, OperationKind, Request, Tenant,
};
use tracing::{info, instrument};

use self::frozen::FrozenRequest;
use self::on_sale::Intent;
pub use self::rebuild::RebuildServer;
pub use self::resize::ResizeServer;
use crate::error::{Error, Result};
use crate::grant::{Grant, ManageInstances, ReadInstances};
use crate::pages::{Page, PageRequest, ServerOrder};
use crate::platform::Platform;
use crate::providers::usable;
use crate::registry::Account;

/// A server to be created. `Debug` names the options without their values, which may be passwords
/// of applications, and leaves out the bytes of the request.
#[derive(Clone)]
pub struct CreateServer {
    /// At which account; else `kind` says.
    pub provider: Option<ProviderId>,
    /// At which vendor; must agree with `provider` if both are given.
    pub kind: Option<String>,
    /// The member's name for it.
    pub label: String,
    /// The plan on sale that is bought; it says the account and the vendor's plan, too.
    pub sale: Option<SalePlanId>,
    /// The vendor's plan. With `sale` it may be empty, and must agree if it is not.
    pub plan: String,
    /// Where.
    pub region: String,
    /// What from.
    pub image: String,
    /// Its root password.
    pub root_password: Option<Secret<String>>,
    /// Ids of the organization's keys, public keys in OpenSSH form, or the vendor's ids or
    /// fingerprints of keys it has.
    pub ssh_keys: Vec<String>,
    /// User data for cloud-init.
    pub user_data: Option<Secret<String>>,
    /// Whether the vendor makes backups.
    pub backups: bool,
    /// Whether it gets an IPv6 address.
    pub ipv6: bool,
    /// Whether it joins the region's private network.
    pub private_network: bool,
    /// The member's tags.
    pub tags: Vec<String>,
    /// How it is paid for; on demand where absent.
    pub market: Option<Market>,
    /// What only this vendor knows.
    pub options: Option<serde_json::Value>,
    /// How long to wait until the vendor has accepted or refused.
    pub wait: Duration,
}

impl fmt::Debug for CreateServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.options.as_ref().and_then(|it| it.as_object());
        let options: Vec<_> = options.into_iter().flat_map(|it| it.keys()).collect();
        f.debug_struct("CreateServer")
            .field("provider", &self.provider)
            .field("kind", &self.kind)
            .field("label", &self.label)
            .field("plan", &self.plan)
            .field("region", &self.region)
            .field("image", &self.image)
            .field("root_password", &self.root_password)
            .field("user_data", &self.user_data)
            .field("options", &options)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

impl Platform {
    /// Puts the intent to create a server on record. No vendor's state has been changed when
    /// this returns; the engine does that. With `wait`, it returns once the vendor has
    /// accepted or refused, or the time is over.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every wrong field; [`Error::NoSuchProvider`],
    /// [`Error::ProviderInactive`], [`Error::ProviderRefused`]; [`Error::Provider`] when the
    /// vendor's catalogue cannot be read; [`Error::KeyReused`]; [`Error::Operation`] when the
    /// vendor refused while the caller waited.
    #[instrument(skip_all, fields(operation.kind = "create"))]
    pub async fn create_server(
        &self,
        grant: &Grant<ManageInstances>,
        mut request: CreateServer,
    ) -> Result<Accepted> {
        let tenant = grant.tenant();
        let wait = request.wait;
        let id = InstanceId::fresh();
        let audit = grant.audit("instance.create", id.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return self.settle(&tenant, earlier, wait).await;
        }
        let plan = self.named_plan(&mut request).await?;
        let account = self.account_for(&request).await?;
        let mark = CreateKey::new(&self.deployment, id.0, &request.label);
        let keys = self.keys_of_create(&tenant, &request.ssh_keys).await?;
        let mut frozen = FrozenRequest::freeze(&request, &keys.named)?;
        let asked = FrozenRequest::open(&frozen)?.into_request(mark.clone());
        let of_plan = plan.as_ref().map(|it| on_sale::faults(it, &request));
        let already = [of_plan.unwrap_or_default(), keys.faults].concat();
        let checked = validate::check(&account, &request, &asked, already).await;
        let checked = self.noticing(&account, checked).await?;
        let after_create = account.provider.extensions().after_create;
        if let Some(plan) = after_create.and_then(|it| it.plan(&asked)) {
            FrozenRequest::keep_afterwards(&mut frozen, plan);
        }
        let new = NewInstance {
            id,
            provider: account.record.id,
            kind: account.record.kind.clone(),
            label: request.label.clone(),
            remote_name: mark.name.into(),
            specification: checked.specification,
            tags: request.tags.clone(),
            price: checked.price,
            sale: None,
        };
        let operation = NewOperation {
            id: OperationId::fresh(),
            kind: OperationKind::Create,
            request: frozen,
        };
        let accepted = match plan {
            None => {
                let accepted = self
                    .repository
                    .accept_create(&tenant, new, operation, audit);
                accepted.await?
            }
            Some(plan) => {
                let intent = Intent {
                    new,
                    operation,
                    audit,
                };
                self.accept_sale(&tenant, plan, &request, intent).await?
            }
        };
        log(&accepted);
        self.bell.ring();
        self.settle(&tenant, accepted, wait).await
    }

    /// Waits until the vendor has accepted or refused.
    async fn settle(
        &self,
        tenant: &Tenant,
        accepted: Accepted,
        wait: Duration,
    ) -> Result<Accepted> {
        if wait.is_zero() {
            return Ok(accepted);
        }
        let operation = self
            .wait_until(tenant, accepted.operation.id, wait, |it| {
                it.remote.is_some() || it.state.is_answered()
            })
            .await?;
        let instance = self
            .repository
            .get_instance(tenant, accepted.instance.id)
            .await?;
        if let Some(refusal) = Error::of_failed(&operation, instance.kind.as_str()) {
            return Err(refusal);
        }
        Ok(Accepted {
            instance,
            operation,
            replayed: accepted.replayed,
        })
    }

    /// Returns a page of the organization's servers, without deleted ones. No vendor is asked.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit out of range, or a cursor that is not of this list, this
    /// order and this organization; [`Error::Unavailable`].
    pub async fn servers(
        &self,
        grant: &Grant<ReadInstances>,
        filter: &InstanceFilter,
        order: ServerOrder,
        page: &PageRequest,
    ) -> Result<Page<Instance>> {
        let tenant = grant.tenant();
        let listing = Listing {
            by: order.place(&self.repository, &tenant, page.cursor.as_deref())?,
            descending: order.is_descending(),
            limit: page.checked_limit()?,
        };
        let slice = self
            .repository
            .list_instances(&tenant, filter, &listing)
            .await?;
        Ok(Page {
            items: slice.items,
            next: slice
                .next
                .map(|it| order.cursor(&self.repository, &tenant, &it)),
        })
    }

    /// Returns one of the organization's servers.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`] if there is none, or if it is another organization's.
    pub async fn server(&self, grant: &Grant<ReadInstances>, id: InstanceId) -> Result<Instance> {
        Ok(self.repository.get_instance(&grant.tenant(), id).await?)
    }

    /// Changes a server's label, tags or notes in our books; the vendor keeps its own name.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`]; [`Error::NoSuchInstance`].
    #[instrument(skip_all, fields(instance.id = %id))]
    pub async fn change_server(
        &self,
        grant: &Grant<ManageInstances>,
        id: InstanceId,
        patch: InstancePatch,
    ) -> Result<Instance> {
        let tenant = grant.tenant();
        let audit = grant.audit("instance.update", id.to_string());
        if let Some(earlier) = self.repository.find_answer(&audit).await? {
            return Ok(earlier);
        }
        let known = self.repository.get_instance(&tenant, id).await?;
        let account = self.registry.account(known.provider).await?;
        validate::check_patch(account.provider.descriptor(), &patch)?;
        Ok(self
            .repository
            .update_instance(&tenant, id, patch, audit)
            .await?)
    }

    /// Puts the intent to do something to a server on record.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`]; [`Error::InvalidAction`] when the vendor cannot do it or the
    /// server is in no state for it; [`Error::Conflict`] while another operation runs;
    /// [`Error::ProviderInactive`], [`Error::ProviderRefused`]; [`Error::KeyReused`].
    #[instrument(skip_all, fields(instance.id = %id, operation.kind = kind.as_str()))]
    pub async fn act(
        &self,
        grant: &Grant<ManageInstances>,
        id: InstanceId,
        kind: OperationKind,
    ) -> Result<Accepted> {
        let tenant = grant.tenant();
        let audit = grant.audit(audit_word(kind), id.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return Ok(earlier);
        }
        let instance = self.repository.get_instance(&tenant, id).await?;
        let account = self.registry.account(instance.provider).await?;
        // What is paid for can be deleted even where nothing may be created.
        if kind != OperationKind::Delete {
            usable(&account)?;
            fits(&account, &instance, kind)?;
        }
        let operation = NewOperation {
            id: OperationId::fresh(),
            kind,
            request: Request {
                plain: serde_json::json!({}),
                secret: None,
            },
        };
        let accepted = self
            .repository
            .accept_action(&tenant, id, operation, audit)
            .await?;
        log(&accepted);
        self.bell.ring();
        Ok(accepted)
    }

    /// Freezes an account whose token the vendor refused while a request was checked.
    pub(crate) async fn noticing<T>(&self, account: &Account, checked: Result<T>) -> Result<T> {
        if let Err(Error::Provider(error)) = &checked
            && error.kind == ErrorKind::BadToken
        {
            self.freeze(account, &error.message).await;
        }
        checked
    }

    async fn account_for(&self, request: &CreateServer) -> Result<Account> {
        let account = match (&request.provider, &request.kind) {
            (Some(id), _) => self.registry.account(*id).await?,
            (None, Some(kind)) => self.account_of_kind(kind).await?,
            (None, None) => {
                return Err(Error::invalid(
                    "provider_id",
                    "say where: give `provider_id`, or `provider_type`",
                ));
            }
        };
        if let Some(kind) = &request.kind
            && account.record.kind.as_str() != kind
        {
            return Err(Error::invalid(
                "provider_type",
                format!(
                    "`provider_id` names an account at `{}`, not `{kind}`",
                    account.record.kind
                ),
            ));
        }
        usable(&account)?;
        Ok(account)
    }
}

/// Ties the request, whose id stands around this line, to the operation that it has begun.
pub(crate) fn log(accepted: &Accepted) {
    let (operation, instance) = (&accepted.operation, &accepted.instance);
    info!(
        operation.id = %operation.id,
        operation.kind = operation.kind.as_str(),
        instance.id = %instance.id,
        provider.id = %instance.provider,
        "accepted operation `{}`",
        operation.id
    );
}

/// Refuses what is done only to a server that is there and about which nothing is to be decided.
fn at_rest(instance: &Instance) -> Result<()> {
    match instance.lifecycle {
        Lifecycle::Live => Ok(()),
        Lifecycle::Deleted => Err(Error::NoSuchInstance),
        lifecycle => Err(roadstead_repository::Error::WrongState { lifecycle }.into()),
    }
}

/// Refuses what the vendor cannot do, and what makes no sense for the server as last seen.
fn fits(account: &Account, instance: &Instance, kind: OperationKind) -> Result<()> {
    let descriptor = account.provider.descriptor();
    if kind == OperationKind::PowerOff
        && let Some(why) = descriptor.refusal(roadstead_core::Feature::PowerOff)
    {
        return Err(Error::InvalidAction(format!(
            "cutting the power is not offered: {why}"
        )));
    }
    if instance.lifecycle == Lifecycle::Live
        && kind == OperationKind::Reboot
        && instance.power == State::Stopped
    {
        return Err(Error::Conflict(
            "the server is stopped, so it cannot reboot; boot it instead".to_owned(),
        ));
    }
    Ok(())
}

pub(crate) const fn audit_word(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "instance.create",
        OperationKind::Boot => "instance.boot",
        OperationKind::Shutdown => "instance.shutdown",
        OperationKind::Reboot => "instance.reboot",
        OperationKind::PowerOff => "instance.power_off",
        OperationKind::Resize => "instance.resize",
        OperationKind::Rebuild => "instance.rebuild",
        OperationKind::Delete => "instance.delete",
        OperationKind::Import => "instance.import",
        OperationKind::Release => "instance.release",
    }
}
