//! A server's rebuild: a fresh image on the disk that it has.

use std::fmt;

use roadstead_core::{Action, Feature, ImageId, InstanceId, OperationId, Secret};
use roadstead_repository::{Accepted, Instance, NewOperation, OperationKind};
use tracing::instrument;

use super::validate::Faults;
use super::{at_rest, frozen_action, log};
use crate::error::{Error, FieldError, Result};
use crate::grant::{Grant, ManageInstances};
use crate::platform::Platform;
use crate::providers::usable;
use crate::registry::Account;

/// A rebuild. `Debug` leaves out what is secret.
#[derive(Clone)]
pub struct RebuildServer {
    /// What from.
    pub image: String,
    /// The new root password.
    pub root_password: Option<Secret<String>>,
    /// Ids of the organization's keys, or public keys in OpenSSH form.
    pub ssh_keys: Vec<String>,
    /// User data for cloud-init.
    pub user_data: Option<Secret<String>>,
}

impl fmt::Debug for RebuildServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RebuildServer")
            .field("image", &self.image)
            .field("root_password", &self.root_password)
            .field("ssh_keys", &self.ssh_keys.len())
            .field("user_data", &self.user_data)
            .finish()
    }
}

impl Platform {
    /// Puts the intent to rebuild a server on record. Everything on its disk is lost.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`]; [`Error::InvalidAction`] when the vendor cannot do it;
    /// [`Error::Invalid`] with every wrong field; [`Error::Provider`] when the vendor's catalogue
    /// cannot be read; [`Error::Conflict`] while another operation runs;
    /// [`Error::ProviderInactive`], [`Error::ProviderRefused`]; [`Error::KeyReused`].
    #[instrument(skip_all, fields(instance.id = %id, operation.kind = "rebuild"))]
    pub async fn rebuild_server(
        &self,
        grant: &Grant<ManageInstances>,
        id: InstanceId,
        request: RebuildServer,
    ) -> Result<Accepted> {
        let tenant = grant.tenant();
        let mut audit = grant.audit("instance.rebuild", id.to_string());
        if let Some(earlier) = self.repository.find_accepted(&audit).await? {
            return Ok(earlier);
        }
        let instance = self.repository.get_instance(&tenant, id).await?;
        let account = self.registry.account(instance.provider).await?;
        usable(&account)?;
        if let Some(why) = account.provider.descriptor().refusal(Feature::Rebuild) {
            let message = format!("rebuilding is not offered: {why}");
            return Err(Error::InvalidAction(message));
        }
        at_rest(&instance)?;
        let keys = self.keys_of_create(&tenant, &request.ssh_keys).await?;
        let texts = keys.named.iter().map(|it| it.text.as_str().into());
        let action = Action::Rebuild {
            image: ImageId::from(request.image.as_str()),
            root_password: request.root_password.clone(),
            ssh_keys: texts.collect(),
            user_data: request.user_data.clone(),
        };
        let already = [keys.faults, self.unsold_image(&instance, &request).await?].concat();
        let checked = check(&account, &instance, &request, &action, already).await;
        self.noticing(&account, checked).await?;
        audit.details = serde_json::json!({
            "image": request.image,
            "before": { "image": instance.specification.image },
        });
        let operation = NewOperation {
            id: OperationId::fresh(),
            kind: OperationKind::Rebuild,
            request: frozen_action::freeze(&action)?,
        };
        let accepted = self
            .repository
            .accept_action(&tenant, id, operation, audit)
            .await?;
        log(&accepted);
        self.bell.ring();
        Ok(accepted)
    }

    /// Returns what the plan that a server was sold by says against an image.
    async fn unsold_image(
        &self,
        instance: &Instance,
        request: &RebuildServer,
    ) -> Result<Vec<FieldError>> {
        let Some(sale) = &instance.sale else {
            return Ok(Vec::new());
        };
        let plan = self.repository.find_sale_plan(sale.plan).await?;
        let image = ImageId::from(request.image.as_str());
        let refuses = plan.filter(|it| !it.allows(&image));
        let fault = refuses.map(|plan| FieldError {
            field: "image".into(),
            error: format!("the plan `{}` is not sold with image `{image}`", plan.name),
        });
        Ok(fault.into_iter().collect())
    }
}

/// Checks a rebuild against the vendor's catalogue and rules.
async fn check(
    account: &Account,
    instance: &Instance,
    request: &RebuildServer,
    action: &Action,
    already: Vec<FieldError>,
) -> Result<()> {
    let provider = &account.provider;
    let descriptor = provider.descriptor();
    let now = &instance.specification;
    let mut faults = Faults(already);
    let (plans, images) = futures::try_join!(provider.get_plans(), provider.get_images())?;
    let plan = plans.iter().find(|it| it.id == now.plan);
    let image = images.iter().find(|it| it.id.as_str() == request.image);
    match image {
        None => {
            let name = &descriptor.name;
            let message = format!("there is no image `{}` at {name}", request.image);
            faults.add("image", message);
        }
        Some(image) => {
            if image
                .regions
                .as_ref()
                .is_some_and(|it| !it.contains(&now.region))
            {
                let message = format!("image `{}` is not in `{}`", image.id, now.region);
                faults.add("image", message);
            }
            if let (Some(disk), Some(least)) = (now.disk, image.min_disk)
                && disk < least
            {
                let message = format!(
                    "image `{}` needs {} GiB of disk, and the server has {}",
                    image.id,
                    least.whole_gib(),
                    disk.whole_gib()
                );
                faults.add("image", message);
            }
            if plan.is_some_and(|it| it.arch != image.arch) {
                let message = format!(
                    "image `{}` does not run on the server's processors",
                    image.id
                );
                faults.add("image", message);
            }
        }
    }
    if let Some(password) = request.root_password.as_ref()
        && descriptor.rebuild.root_password
    {
        faults.password_form(password);
    }
    if descriptor.rebuild.user_data {
        faults.user_data(descriptor, request.user_data.as_ref(), image);
    }
    if let Err(error) = provider.check_action(action) {
        faults.refusal(&error);
    }
    faults.none()
}
