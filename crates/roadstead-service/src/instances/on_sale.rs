//! A server that is asked for by a plan on sale: which one, and under which terms.

use roadstead_core::{ImageId, Price, RegionId, SalePlanId};
use roadstead_repository::{
    Accepted, AuditEntry, Error as RepositoryError, Instance, NewInstance, NewOperation, Sale,
    SalePlan, Tenant, Terms,
};

use super::CreateServer;
use crate::error::{Error, FieldError, Result};
use crate::platform::Platform;

pub(super) const FIELD: &str = "plan_id";

/// How often a sale is tried while the plan is changed under its hands.
pub(super) const TRIES: usize = 5;

/// What goes on record for a new server.
pub(super) struct Intent {
    pub(super) new: NewInstance,
    pub(super) operation: NewOperation,
    pub(super) audit: AuditEntry,
}

impl Platform {
    /// Returns the plan on sale that a request names, and says in the request which account and
    /// which of the vendor's plans that is.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] on `plan_id` where there is none or it is not on sale, and on what
    /// contradicts it.
    pub(super) async fn named_plan(&self, request: &mut CreateServer) -> Result<Option<SalePlan>> {
        let Some(id) = request.sale else {
            return Ok(None);
        };
        let plan = self.on_sale(id).await?;
        let mut faults = Vec::new();
        let mut add = |field: &'static str, error: String| {
            faults.push(FieldError {
                field: field.into(),
                error,
            });
        };
        if request.provider.is_some_and(|it| it != plan.provider) {
            let message = "`plan_id` names a plan of another account";
            add("provider_id", message.to_owned());
        }
        if request
            .kind
            .as_ref()
            .is_some_and(|it| *it != plan.kind.as_str())
        {
            let message = format!("`plan_id` names a plan at `{}`", plan.kind);
            add("provider_type", message);
        }
        if !request.plan.is_empty() && request.plan != plan.remote.as_str() {
            let message = format!("`plan_id` names the provider's plan `{}`", plan.remote);
            add("type", message);
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        request.provider = Some(plan.provider);
        plan.remote.as_str().clone_into(&mut request.plan);
        Ok(Some(plan))
    }

    /// Returns a plan that is on sale now.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] on `plan_id` where there is none or it is not on sale.
    pub(super) async fn on_sale(&self, id: SalePlanId) -> Result<SalePlan> {
        let found = self.repository.find_sale_plan(id).await?;
        let plan = found.ok_or_else(|| Error::invalid(FIELD, "there is no such plan on sale"))?;
        if !plan.is_on_sale() {
            let message = format!(
                "the plan `{}` is not on sale now; choose another",
                plan.name
            );
            return Err(Error::invalid(FIELD, message));
        }
        Ok(plan)
    }

    /// Puts a server on record at the price that its plan has at that moment. Where the plan has
    /// changed since it was looked at, it is looked at again: what is on record is always what
    /// was checked, and never a price of yesterday.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the plan, as it is by then, does not allow the request;
    /// [`Error::Conflict`] when it changes again and again; as
    /// [`roadstead_repository::Repository::accept_create`].
    pub(super) async fn accept_sale(
        &self,
        tenant: &Tenant,
        mut plan: SalePlan,
        request: &CreateServer,
        intent: Intent,
    ) -> Result<Accepted> {
        let mut tries = 1;
        loop {
            let (price, sale) = terms(&plan, request)?;
            let new = NewInstance {
                price: Some(price),
                sale: Some(sale),
                ..intent.new.clone()
            };
            let operation = intent.operation.clone();
            let accepted = self
                .repository
                .accept_create(tenant, new, operation, intent.audit.clone())
                .await;
            match accepted {
                Err(RepositoryError::Changed { .. }) if tries < TRIES => tries += 1,
                ended => return Ok(ended?),
            }
            plan = self.on_sale(plan.id).await?;
        }
    }
}

/// Returns why a plan cannot be used as a request wants to.
pub(super) fn faults(plan: &SalePlan, request: &CreateServer) -> Vec<FieldError> {
    faults_of(plan, &request.region, &request.image)
}

fn faults_of(plan: &SalePlan, region: &str, image: &str) -> Vec<FieldError> {
    let fault = |field: &'static str, error: String| FieldError {
        field: field.into(),
        error,
    };
    let mut faults = Vec::new();
    match plan.prices_in(&RegionId::from(region)) {
        None => faults.push(fault(
            "region",
            format!("the plan `{}` is not sold in `{region}`", plan.name),
        )),
        Some((Some(_), Some(_))) => {}
        // Unknown is not free, and nobody is to learn the price afterwards.
        Some(_) => faults.push(fault(
            FIELD,
            format!("the plan `{}` has no price in `{region}` yet", plan.name),
        )),
    }
    if !plan.allows(&ImageId::from(image)) {
        faults.push(fault(
            "image",
            format!("the plan `{}` is not sold with image `{image}`", plan.name),
        ));
    }
    faults
}

/// Returns what a server costs under a plan, and the terms that go on its row.
///
/// # Errors
///
/// [`Error::Invalid`] as [`faults`] says.
pub(super) fn terms(plan: &SalePlan, request: &CreateServer) -> Result<(Price, Sale)> {
    terms_of(plan, &request.region, &request.image)
}

/// Returns what a server costs once it has another plan, and the terms that go on its row.
///
/// # Errors
///
/// [`Error::Invalid`] on `plan_id` when the plan is not sold where the server is, or with its
/// image.
pub(super) fn new_terms(plan: &SalePlan, instance: &Instance) -> Result<Terms> {
    let now = &instance.specification;
    let (price, sale) =
        terms_of(plan, now.region.as_str(), now.image.as_str()).map_err(|error| match error {
            Error::Invalid(faults) => Error::Invalid(
                faults
                    .into_iter()
                    .map(|it| FieldError {
                        field: FIELD.into(),
                        ..it
                    })
                    .collect(),
            ),
            other => other,
        })?;
    Ok(Terms {
        price: Some(price),
        sale: Some(sale),
    })
}

fn terms_of(plan: &SalePlan, region: &str, image: &str) -> Result<(Price, Sale)> {
    let prices = plan.prices_in(&RegionId::from(region));
    let faults = faults_of(plan, region, image);
    match prices {
        Some((Some(base), Some(price))) if faults.is_empty() => {
            let sale = Sale {
                plan: plan.id,
                revision: plan.revision,
                name: plan.name.clone(),
                base: base.clone(),
                markup: plan.markup,
            };
            Ok((price.clone(), sale))
        }
        _ => Err(Error::Invalid(faults)),
    }
}
