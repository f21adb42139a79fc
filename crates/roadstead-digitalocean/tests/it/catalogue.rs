//! Plans, images, regions and applications.

use roadstead_core::{Feature, Market, MiB, Provider, ProviderExt};

use crate::world::World;

#[tokio::test]
async fn plans_have_exact_prices_in_each_region() {
    let world = World::start();
    let plans = world.provider.get_plans().await.unwrap();
    let plan = plans
        .iter()
        .find(|it| it.id.as_str() == "s-1vcpu-1gb")
        .unwrap();
    let offering = plan.offering_in(&"fra1".into()).unwrap();
    let price = offering.price.as_ref().unwrap();
    assert_eq!(offering.market, Market::OnDemand);
    assert_eq!(price.monthly.unwrap().amount.to_string(), "6");
    assert!(price.hourly.unwrap().amount.scale() <= 5, "{price:?}");
    assert_eq!(
        (plan.vcpus, plan.memory, plan.disk),
        (1, MiB(1024), Some(MiB(25 * 1024)))
    );
    assert!(plans.iter().any(|it| it.gpus == 8));

    let cheapest = world
        .provider
        .cheapest_plan(&"fra1".into(), 2, MiB(2048))
        .await
        .unwrap();
    assert!(cheapest.is_some_and(|it| it.vcpus >= 2 && it.memory >= MiB(2048)));
}

#[tokio::test]
async fn images_are_public_and_private_ones_and_each_can_be_named() {
    let world = World::start();
    let images = world.provider.get_images().await.unwrap();
    let ubuntu = images
        .iter()
        .find(|it| it.id.as_str() == "ubuntu-24-04-x64")
        .unwrap();
    assert_eq!(
        (&*ubuntu.family, ubuntu.version.as_deref()),
        ("ubuntu", Some("24.04"))
    );
    assert!(ubuntu.public && ubuntu.cloud_init == Some(true));
    let private = images.iter().find(|it| !it.public).unwrap();
    assert!(private.id.as_str().parse::<u64>().is_ok(), "{private:?}");
}

#[tokio::test]
async fn regions_are_placed() {
    let world = World::start();
    let regions = world.provider.get_regions().await.unwrap();
    let region = regions.iter().find(|it| it.id.as_str() == "fra1").unwrap();
    assert_eq!(
        (region.country.as_deref(), region.city.as_deref()),
        (Some("DE"), Some("Frankfurt"))
    );
    assert!(region.available && region.features.contains(&Feature::Ipv6));
    assert!(regions.iter().any(|it| !it.available));
    assert!(regions.iter().all(|it| it.country.is_some()), "{regions:?}");
}

#[tokio::test]
async fn applications_can_be_used_as_images() {
    let world = World::start();
    let apps = world
        .provider
        .extensions()
        .marketplace
        .unwrap()
        .apps()
        .await
        .unwrap();
    assert!(!apps.is_empty());
    assert!(apps.iter().all(|it| {
        it.image
            .as_ref()
            .is_some_and(|image| image.as_str() == &*it.id)
    }));
}

#[tokio::test]
async fn the_extensions_agree_with_the_descriptor() {
    let world = World::start();
    let descriptor = world.provider.descriptor();
    let extensions = world.provider.extensions();
    assert_eq!(
        extensions.ssh_keys.is_some(),
        descriptor.supports(Feature::SshKeys)
    );
    assert_eq!(
        extensions.marketplace.is_some(),
        descriptor.supports(Feature::Marketplace)
    );
    assert!(descriptor.refusal(Feature::Rescue).is_some());
    assert!(world.provider.native().is::<roadstead_http::Client>());
}
