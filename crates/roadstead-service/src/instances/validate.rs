//! A creating request against the vendor's catalogue and descriptor: every wrong field at once.

mod faults;

use roadstead_core::{
    CreateInstance, Descriptor, Feature, Market, MarketplaceApp, Offering, Plan, Price, Provider,
    Region, RegionId, offering_of, region_of,
};
use roadstead_repository::{InstancePatch, Specification};

pub(super) use self::faults::Faults;
use super::CreateServer;
use crate::error::{Error, FieldError, Result};
use crate::registry::Account;

/// What is tried, in the words of a refusal.
const CREATE: &str = "create the instance";

/// The most tags of the member's own.
const MOST_TAGS: usize = 20;

/// The tags that every server carries as its mark.
const OUR_TAGS: usize = 2;

/// The longest remarks.
const LONGEST_NOTES: usize = 10_000;

/// What a good request comes to.
pub(super) struct Checked {
    pub(super) specification: Specification,
    pub(super) price: Option<Price>,
}

/// Checks a request, and adds what is wrong to what was found already.
///
/// # Errors
///
/// [`Error::Invalid`] with every wrong field; [`Error::Provider`] when the catalogue cannot be read.
pub(super) async fn check(
    account: &Account,
    request: &CreateServer,
    asked: &CreateInstance,
    already: Vec<FieldError>,
) -> Result<Checked> {
    let mut faults = Faults(already);
    let descriptor = account.provider.descriptor();
    faults.label(descriptor, &request.label);
    faults.tags(descriptor, &request.tags);
    faults.features(descriptor, request);

    let (plans, images, regions) = futures::try_join!(
        account.provider.get_plans(),
        account.provider.get_images(),
        account.provider.get_regions(),
    )?;
    let plan = plans.iter().find(|it| it.id.as_str() == request.plan);
    let image = images.iter().find(|it| it.id.as_str() == request.image);
    let app = app_of(&*account.provider, request, image.is_some()).await?;
    let region = region_of(&regions, &RegionId::from(request.region.as_str()));
    if plan.is_none() {
        faults.add(
            "type",
            format!("there is no plan `{}` at {}", request.plan, descriptor.name),
        );
    }
    if image.is_none() && app.as_ref().is_none_or(|it| it.image.is_none()) {
        faults.add(
            "image",
            format!(
                "there is no image `{}` at {}",
                request.image, descriptor.name
            ),
        );
    }
    match region {
        None => {
            let message = format!(
                "there is no region `{}` at {}",
                request.region, descriptor.name
            );
            faults.add("region", message);
        }
        Some(region) if !region.available => {
            faults.add(
                "region",
                format!("region `{}` takes no new servers now", region.id),
            );
        }
        Some(_) => {}
    }
    faults.combination(plan, image, region);
    faults.sale(plan, region, market_of(request));
    faults.region_features(region, request);
    faults.user_data(descriptor, request.user_data.as_ref(), image);
    faults.password(descriptor, request, image);
    faults.app(descriptor, app.as_ref(), asked);
    faults.provider(&*account.provider, asked);
    match (plan, region, faults.0.is_empty()) {
        (Some(plan), Some(region), true) => Ok(Checked {
            specification: Specification {
                plan: plan.id.clone(),
                region: region.id.clone(),
                image: request.image.as_str().into(),
                vcpus: plan.vcpus,
                memory: plan.memory,
                disk: plan.disk,
            },
            price: offering(plan, region, market_of(request)).and_then(|it| it.price.clone()),
        }),
        _ => Err(Error::Invalid(faults.0)),
    }
}

/// Returns the application that a request starts, if the vendor lists it. A vendor that cannot
/// list its applications now stands in the way only of an image that may be one of them.
async fn app_of(
    provider: &dyn Provider,
    request: &CreateServer,
    is_image: bool,
) -> Result<Option<MarketplaceApp>> {
    if is_image && request.options.is_none() {
        return Ok(None);
    }
    let Some(marketplace) = provider.extensions().marketplace else {
        return Ok(None);
    };
    let apps = match marketplace.apps().await {
        Ok(apps) => apps,
        // The provider asks again before it sends anything.
        Err(_) if is_image => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let named = |app: &&MarketplaceApp| {
        let of_image = app
            .image
            .as_ref()
            .is_none_or(|it| it.as_str() == request.image);
        let given = |(name, value): (&String, &serde_json::Value)| {
            request.options.as_ref().and_then(|it| it.get(name)) == Some(value)
        };
        let is_told = app.image.is_some() || !app.options.is_empty();
        is_told && of_image && app.options.iter().all(given)
    };
    Ok(apps.iter().find(named).cloned())
}

fn market_of(request: &CreateServer) -> Market {
    request.market.unwrap_or(Market::OnDemand)
}

pub(crate) fn offering<'a>(
    plan: &'a Plan,
    region: &Region,
    market: Market,
) -> Option<&'a Offering> {
    offering_of(&plan.offerings, &region.id, market)
}

/// What a request asks for beyond a server, by its field.
fn asked_features(request: &CreateServer) -> [(&'static str, Feature, bool); 5] {
    [
        ("backups", Feature::Backups, request.backups),
        ("ipv6", Feature::Ipv6, request.ipv6),
        (
            "private_network",
            Feature::PrivateNetwork,
            request.private_network,
        ),
        ("user_data", Feature::UserData, request.user_data.is_some()),
        ("ssh_keys", Feature::SshKeys, !request.ssh_keys.is_empty()),
    ]
}

/// Checks a change of label, tags or notes.
///
/// # Errors
///
/// [`Error::Invalid`] with every wrong field.
pub(crate) fn check_patch(descriptor: &Descriptor, patch: &InstancePatch) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(label) = &patch.label {
        faults.label(descriptor, label);
    }
    if let Some(tags) = &patch.tags {
        faults.tags(descriptor, tags);
    }
    if patch
        .notes
        .as_ref()
        .is_some_and(|it| it.chars().count() > LONGEST_NOTES)
    {
        faults.add(
            "notes",
            format!("notes have at most {LONGEST_NOTES} characters"),
        );
    }
    if faults.0.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(faults.0))
    }
}

#[cfg(test)]
mod tests;
