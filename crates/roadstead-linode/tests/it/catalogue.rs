//! Plans, images, regions and applications.

use roadstead_core::{Availability, Feature, GbPerMonth, Market, MiB, Provider, ProviderExt};

use crate::world::World;

#[tokio::test]
async fn plans_have_exact_prices_in_each_region() {
    let world = World::start();
    let plans = world.provider.get_plans().await.unwrap();
    let plan = plans
        .iter()
        .find(|it| it.id.as_str() == "g6-nanode-1")
        .unwrap();
    let price = |region: &str| {
        let offering = plan.offering_in(&region.into()).unwrap();
        assert_eq!(offering.market, Market::OnDemand);
        let price = offering.price.as_ref().unwrap();
        let text = |it: roadstead_core::Money| it.amount.to_string();
        (price.hourly.map(text), price.monthly.map(text))
    };
    let some = |hourly: &str, monthly: &str| (Some(hourly.to_owned()), Some(monthly.to_owned()));
    assert_eq!(price("us-east"), some("0.0075", "5"));
    assert_eq!(price("br-gru"), some("0.0105", "7"));
    assert_eq!(
        (plan.vcpus, plan.memory, plan.disk, plan.transfer),
        (1, MiB(1024), Some(MiB(25 * 1024)), Some(GbPerMonth(1000)))
    );
    assert!(!plan.dedicated_cpu);

    let cheapest = world
        .provider
        .cheapest_plan(&"us-east".into(), 2, MiB(4096))
        .await
        .unwrap();
    assert!(cheapest.is_some_and(|it| it.vcpus >= 2 && it.memory >= MiB(4096)));
}

#[tokio::test]
async fn rare_plans_are_offered_only_where_the_vendor_has_them() {
    let world = World::start();
    let plans = world.provider.get_plans().await.unwrap();
    let gpu = plans
        .iter()
        .find(|it| it.id.as_str() == "g1-gpu-rtx6000-1")
        .unwrap();
    assert_eq!((gpu.gpus, gpu.dedicated_cpu), (1, true));
    let here = gpu.offering_in(&"us-east".into()).unwrap();
    assert_eq!(here.availability, Availability::Available);
    assert!(gpu.offering_in(&"us-iad".into()).is_none());
    let sold_out = gpu.offering_in(&"us-ord".into()).unwrap();
    assert_eq!(sold_out.availability, Availability::SoldOut);
    // A site of the edge sells its own plans, and no others.
    let regions = world.provider.get_regions().await.unwrap();
    let edge = |id: &str| {
        plans
            .iter()
            .filter(|it| it.id.as_str().contains(id))
            .count()
    };
    assert!(edge("-edge-") > 0 && !regions.is_empty());
    for plan in plans.iter() {
        let own = plan.id.as_str().contains("-edge-");
        for place in ["us-east", "br-gru"] {
            assert!(
                !own || plan.offering_in(&place.into()).is_none(),
                "{}",
                plan.id
            );
        }
    }
}

#[tokio::test]
async fn images_are_public_and_private_ones() {
    let world = World::start();
    let images = world.provider.get_images().await.unwrap();
    let ubuntu = images
        .iter()
        .find(|it| it.id.as_str() == "linode/ubuntu24.04")
        .unwrap();
    assert_eq!(
        (&*ubuntu.family, ubuntu.version.as_deref()),
        ("ubuntu", Some("24.04"))
    );
    assert!(ubuntu.public && ubuntu.cloud_init == Some(true));
    assert!(ubuntu.end_of_life.is_some() && ubuntu.min_disk.is_some());
    let alpine = images.iter().find(|it| &*it.family == "alpine").unwrap();
    assert_eq!(alpine.cloud_init, Some(false));
    assert!(images.iter().any(|it| !it.public), "{images:?}");
}

#[tokio::test]
async fn regions_are_placed() {
    let world = World::start();
    let regions = world.provider.get_regions().await.unwrap();
    let region = regions
        .iter()
        .find(|it| it.id.as_str() == "us-east")
        .unwrap();
    assert_eq!(
        (region.country.as_deref(), region.city.as_deref()),
        (Some("US"), Some("Newark"))
    );
    for feature in [Feature::Gpu, Feature::Backups, Feature::PrivateNetwork] {
        assert!(region.features.contains(&feature), "{region:?}");
    }
    assert!(region.available && regions.iter().any(|it| !it.available));
    assert!(regions.iter().all(|it| it.country.is_some()), "{regions:?}");
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
    assert!(descriptor.refusal(Feature::PowerOff).is_some());
    assert!(world.provider.native().is::<roadstead_http::Client>());
}
