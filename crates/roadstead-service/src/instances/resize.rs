//! A server's change of plan: what may be changed to what, and at which price.

use roadstead_core::{Action, Feature, InstanceId, Market, OperationId, PlanId, SalePlanId, State};
use roadstead_repository::{
    Accepted, Error as RepositoryError, Instance, NewOperation, OperationKind, SalePlan, Terms,
};
use tracing::instrument;

use super::on_sale::{self, TRIES};
use super::validate::{Faults, offering};
use super::{at_rest, frozen_action, log};
use crate::error::{Error, Result};
use crate::grant::{Grant, ManageInstances};
use crate::platform::Platform;
use crate::providers::usable;
use crate::registry::Account;

/// A change of plan.
#[derive(Clone, Debug)]
pub struct ResizeServer {
    /// The plan on sale that is bought; it says the vendor's plan, too.
    pub sale: Option<SalePlanId>,
    /// The vendor's plan. With `sale` it may be empty, and must agree if it is not.
    pub plan: String,
    /// Whether the disk grows with it, which cannot be undone at most vendors.
    pub grow_disk: bool,
}

impl Platform {
    /// Puts the intent to change a server's plan on record. Its price changes when the vendor has
    /// done it; what it costs until then stays in the audit log.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`]; [`Error::InvalidAction`] when the vendor cannot do it, or not
    /// while the server runs; [`Error::Invalid`] with every wrong field; [`Error::Provider`] when
    /// the vendor's catalogue cannot be read; [`Error::Conflict`] while another operation runs;
    /// [`Error::ProviderInactive`], [`Error::ProviderRefused`]; [`Error::KeyReused`].
    #[instrument(skip_all, fields(instance.id = %id, operation.kind = "resize"))]
    pub async fn resize_server(
        &self,
        grant: &Grant<ManageInstances>,
        id: InstanceId,
        mut request: ResizeServer,
    ) -> Result<Accepted> {
        let tenant = grant.tenant();
        let mut audit = grant.audit("instance.resize", id.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return Ok(earlier);
        }
        let instance = self.repository.get_instance(&tenant, id).await?;
        let account = self.registry.account(instance.provider).await?;
        usable(&account)?;
        fits(&account, &instance)?;
        let mut sold = self.resized_to(&instance, &mut request).await?;
        let action = Action::Resize {
            plan: PlanId::from(request.plan.as_str()),
            grow_disk: request.grow_disk,
        };
        let checked = check(&account, &instance, &request, &action).await;
        let price = self.noticing(&account, checked).await?;
        audit.details = serde_json::json!({
            "plan": request.plan,
            "grow_disk": request.grow_disk,
        });
        let operation = NewOperation {
            id: OperationId::fresh(),
            kind: OperationKind::Resize,
            request: frozen_action::freeze(&action)?,
        };
        let mut tries = 1;
        let accepted = loop {
            let terms = match &sold {
                None => Terms {
                    price: price.clone(),
                    sale: None,
                },
                Some(plan) => on_sale::new_terms(plan, &instance)?,
            };
            let accepted = self
                .repository
                .accept_resize(&tenant, id, operation.clone(), terms, audit.clone())
                .await;
            match accepted {
                // What is on record is what was checked, and never a price of yesterday.
                Err(RepositoryError::Changed { .. }) if tries < TRIES => tries += 1,
                ended => break ended?,
            }
            sold = self.resized_to(&instance, &mut request).await?;
        };
        log(&accepted);
        self.bell.ring();
        Ok(accepted)
    }

    /// Returns the plan on sale that a change names, and says in the request which of the vendor's
    /// plans that is.
    async fn resized_to(
        &self,
        instance: &Instance,
        request: &mut ResizeServer,
    ) -> Result<Option<SalePlan>> {
        let Some(id) = request.sale else {
            return Ok(None);
        };
        let plan = self.on_sale(id).await?;
        if plan.provider != instance.provider {
            let message = "`plan_id` names a plan of another account than the server's";
            return Err(Error::invalid(on_sale::FIELD, message));
        }
        if !request.plan.is_empty() && request.plan != plan.remote.as_str() {
            let message = format!("`plan_id` names the provider's plan `{}`", plan.remote);
            return Err(Error::invalid("type", message));
        }
        plan.remote.as_str().clone_into(&mut request.plan);
        Ok(Some(plan))
    }
}

/// Refuses what the vendor cannot do, and what makes no sense for the server as last seen.
fn fits(account: &Account, instance: &Instance) -> Result<()> {
    let descriptor = account.provider.descriptor();
    if let Some(why) = descriptor.refusal(Feature::Resize) {
        let message = format!("changing the plan is not offered: {why}");
        return Err(Error::InvalidAction(message));
    }
    at_rest(instance)?;
    if descriptor.resize.needs_stopped && instance.power != State::Stopped {
        return Err(Error::InvalidAction(format!(
            "{} changes the plan of a stopped server only: shut it down first",
            descriptor.name
        )));
    }
    Ok(())
}

/// Checks a change of plan against the vendor's catalogue, and returns the vendor's price.
async fn check(
    account: &Account,
    instance: &Instance,
    request: &ResizeServer,
    action: &Action,
) -> Result<Option<roadstead_core::Price>> {
    let provider = &account.provider;
    let descriptor = provider.descriptor();
    let now = &instance.specification;
    let mut faults = Faults::default();
    let (plans, regions) = futures::try_join!(provider.get_plans(), provider.get_regions())?;
    let plan = plans.iter().find(|it| it.id.as_str() == request.plan);
    let region = roadstead_core::region_of(&regions, &now.region);
    let field = if request.sale.is_some() {
        on_sale::FIELD
    } else {
        "type"
    };
    let Some(plan) = plan else {
        let name = &descriptor.name;
        let message = format!("there is no plan `{}` at {name}", request.plan);
        return Err(Error::invalid(field, message));
    };
    let Some(region) = region else {
        let message = format!("{} no longer lists the server's region", descriptor.name);
        return Err(Error::Conflict(message));
    };
    if plan.id == now.plan {
        faults.add(field, "the server has this plan already");
    }
    if let Some(message) = Faults::unsold(plan, region, Market::OnDemand) {
        faults.add(field, message);
    }
    let old = plans.iter().find(|it| it.id == now.plan);
    if old.is_some_and(|old| old.arch != plan.arch) {
        let message = format!("the plan `{}` has processors of another kind", plan.id);
        faults.add(field, message);
    }
    if let (Some(disk), Some(had)) = (plan.disk, now.disk)
        && disk < had
        && !descriptor.resize.shrinks_disk
    {
        faults.add(
            field,
            format!(
                "the disk of plan `{}` has {} GiB, and the server's has {}: it cannot shrink",
                plan.id,
                disk.whole_gib(),
                had.whole_gib()
            ),
        );
    }
    if let Err(error) = provider.check_action(action) {
        faults.refusal(&error);
    }
    faults.none()?;
    Ok(offering(plan, region, Market::OnDemand).and_then(|it| it.price.clone()))
}
