//! A server that is asked for by a plan on sale: which one, and under which terms.

use roadstead_core::{ImageId, Price, RegionId};
use roadstead_repository::{
    Accepted, AuditEntry, Error as RepositoryError, NewInstance, NewOperation, Sale, SalePlan,
    Tenant,
};

use super::CreateServer;
use crate::error::{Error, FieldError, Result};
use crate::platform::Platform;

const FIELD: &str = "plan_id";

/// How often a sale is tried while the plan is changed under its hands.
const TRIES: usize = 5;

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
        let found = self.repository.find_sale_plan(id).await?;
        let plan = found.ok_or_else(gone)?;
        if !plan.is_on_sale() {
            return Err(off_sale(&plan));
        }
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
            let found = self.repository.find_sale_plan(plan.id).await?;
            plan = found.ok_or_else(gone)?;
            if !plan.is_on_sale() {
                return Err(off_sale(&plan));
            }
        }
    }
}

fn gone() -> Error {
    Error::invalid(FIELD, "there is no such plan on sale")
}

fn off_sale(plan: &SalePlan) -> Error {
    let message = format!(
        "the plan `{}` is not on sale now; choose another",
        plan.name
    );
    Error::invalid(FIELD, message)
}

/// Returns why a plan cannot be used as a request wants to.
pub(super) fn faults(plan: &SalePlan, request: &CreateServer) -> Vec<FieldError> {
    let fault = |field: &'static str, error: String| FieldError {
        field: field.into(),
        error,
    };
    let mut faults = Vec::new();
    match plan.prices_in(&RegionId::from(request.region.as_str())) {
        None => faults.push(fault(
            "region",
            format!(
                "the plan `{}` is not sold in `{}`",
                plan.name, request.region
            ),
        )),
        Some((Some(_), Some(_))) => {}
        // Unknown is not free, and nobody is to learn the price afterwards.
        Some(_) => faults.push(fault(
            FIELD,
            format!(
                "the plan `{}` has no price in `{}` yet",
                plan.name, request.region
            ),
        )),
    }
    if !plan.allows(&ImageId::from(request.image.as_str())) {
        faults.push(fault(
            "image",
            format!(
                "the plan `{}` is not sold with image `{}`",
                plan.name, request.image
            ),
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
    let prices = plan.prices_in(&RegionId::from(request.region.as_str()));
    let faults = faults(plan, request);
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
