//! Cases about plans, images and regions.

use std::collections::BTreeSet;

use roadstead_core::{Availability, MiB, Money, Plan, Price, region_of};
use rust_decimal::Decimal;

use super::key;
use crate::harness::Harness;

/// Ids are unique, and what one list names the others have.
pub async fn the_catalogue_is_consistent(harness: &impl Harness) {
    let provider = harness.provider();
    let regions = provider
        .get_regions()
        .await
        .expect("the regions are listed");
    let plans = provider.get_plans().await.expect("the plans are listed");
    let images = provider.get_images().await.expect("the images are listed");

    assert_unique("region", regions.iter().map(|it| it.id.as_str()));
    assert_unique("plan", plans.iter().map(|it| it.id.as_str()));
    assert_unique("image", images.iter().map(|it| it.id.as_str()));

    for region in regions.iter() {
        if let Some(country) = &region.country {
            let code = country.len() == 2 && country.bytes().all(|it| it.is_ascii_uppercase());
            assert!(code, "region `{}` is in {country:?}", region.id);
        }
    }
    for plan in plans.iter() {
        assert!(plan.vcpus > 0, "plan `{}` has no processor", plan.id);
        let places = plan
            .offerings
            .iter()
            .map(|it| format!("{} {:?}", it.region, it.market));
        assert_unique(plan.id.as_str(), places);
        for offering in &plan.offerings {
            let region = region_of(&regions, &offering.region);
            assert!(
                region.is_some(),
                "`{}` is sold in `{}`",
                plan.id,
                offering.region
            );
        }
    }
    for image in images.iter() {
        assert_eq!(
            image.family.to_lowercase(),
            *image.family,
            "image `{}`",
            image.id
        );
    }

    let request = harness.request(key("catalogue"));
    let region = region_of(&regions, &request.region).expect("the request's region is listed");
    assert!(region.available);
    let plan = plans
        .iter()
        .find(|it| it.id == request.plan)
        .expect("its plan is listed");
    let offering = plan
        .offering_in(&request.region)
        .expect("its plan is sold there");
    assert_eq!(offering.availability, Availability::Available);
    assert!(
        images.iter().any(|it| it.id == request.image),
        "its image is listed"
    );
}

/// A known plan has the numbers of the vendor's documents, and no number anywhere
/// betrays a wrong unit, a float or an invented zero.
pub async fn prices_are_exact_and_units_right(harness: &impl Harness) {
    let provider = harness.provider();
    let plans = provider.get_plans().await.expect("the plans are listed");
    let known = harness.known_plan();
    let region = harness.request(key("price")).region;

    let plan = plans
        .iter()
        .find(|it| it.id == known.id)
        .expect("the known plan is listed");
    assert_eq!(plan.vcpus, known.vcpus);
    assert_eq!(plan.memory.0, known.memory_mib);
    assert_eq!(plan.disk.map(|it| it.0), known.disk_mib);
    assert_eq!(plan.transfer.map(|it| it.0), known.transfer_gb);
    let offering = plan
        .offering_in(&region)
        .expect("the known plan is sold in the region");
    let price = offering.price.as_ref();
    assert_eq!(price.and_then(|it| it.hourly), known.hourly.map(dollars));
    assert_eq!(price.and_then(|it| it.monthly), known.monthly.map(dollars));

    for plan in plans.iter() {
        check_units(plan);
        for price in plan.offerings.iter().filter_map(|it| it.price.as_ref()) {
            check_price(plan, price);
        }
    }
}

fn check_units(plan: &Plan) {
    let sane = MiB(256)..=MiB::from_gib(64 * 1024);
    assert!(
        sane.contains(&plan.memory),
        "plan `{}` has {:?} of memory",
        plan.id,
        plan.memory
    );
    if let Some(disk) = plan.disk {
        let sane = MiB::from_gib(1)..=MiB::from_gib(1024 * 1024);
        assert!(
            sane.contains(&disk),
            "plan `{}` has {disk:?} of disk",
            plan.id
        );
    }
    if let Some(transfer) = plan.transfer {
        assert!(
            (1..=1_000_000).contains(&transfer.0),
            "plan `{}`: {transfer:?}",
            plan.id
        );
    }
}

fn check_price(plan: &Plan, price: &Price) {
    assert!(
        price.hourly.is_some() || price.monthly.is_some(),
        "plan `{}`",
        plan.id
    );
    for money in [price.hourly, price.monthly].into_iter().flatten() {
        assert!(
            money.amount > Decimal::ZERO,
            "plan `{}`: unknown is not zero",
            plan.id
        );
        let noise = money.nanos().is_none() || money.amount.normalize().scale() > 6;
        assert!(
            !noise,
            "plan `{}` costs {}, which no price list prints",
            plan.id, money.amount
        );
    }
    if let (Some(hourly), Some(monthly)) = (price.hourly, price.monthly) {
        // A month has at most 744 hours, and no vendor gives away half of them.
        let hours = monthly.amount / hourly.amount;
        let sane = Decimal::from(372)..=Decimal::from(745);
        assert!(
            sane.contains(&hours),
            "plan `{}`: a month is {hours} hours",
            plan.id
        );
    }
}

fn dollars(text: &str) -> Money {
    Money::usd(text.parse().expect("the harness knows a decimal"))
}

fn assert_unique<T: Ord + std::fmt::Debug>(what: &str, ids: impl Iterator<Item = T>) {
    let mut seen = BTreeSet::new();
    for id in ids {
        assert!(!seen.contains(&id), "{what} {id:?} is there twice");
        seen.insert(id);
    }
}
