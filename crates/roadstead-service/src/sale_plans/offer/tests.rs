//! Vendors that price regions apart, say nothing, or say what cannot be so.

use jiff::Timestamp;
use roadstead_core::{
    Arch, Availability, Currency, GbPerMonth, Market, MiB, Money, Offering, Plan, Price,
    PriceSource,
};

use super::*;

fn usd(text: &str) -> Money {
    Money::usd(text.parse().unwrap())
}

fn price(hourly: &str, monthly: &str) -> Price {
    Price {
        hourly: Some(usd(hourly)),
        monthly: Some(usd(monthly)),
        monthly_is_cap: true,
        source: PriceSource::ProviderApi,
        as_of: Timestamp::UNIX_EPOCH,
    }
}

fn offering(region: &str, price: Option<Price>) -> Offering {
    Offering {
        region: region.into(),
        market: Market::OnDemand,
        availability: Availability::Available,
        price,
    }
}

fn plan(offerings: Vec<Offering>) -> Plan {
    Plan {
        id: "g6-nanode-1".into(),
        label: "Nanode 1GB".into(),
        class: "nanode".into(),
        arch: Arch::X86_64,
        vcpus: 1,
        dedicated_cpu: false,
        memory: MiB(1024),
        disk: Some(MiB(25_600)),
        gpus: 0,
        transfer: Some(GbPerMonth(1000)),
        network_out: None,
        offerings,
    }
}

fn shown(offered: &OfferedPlan) -> Vec<(&str, &OfferedPrice)> {
    let all = offered.offerings.iter();
    all.map(|it| (it.region.as_str(), &it.price)).collect()
}

#[test]
fn what_most_regions_cost_is_the_general_price() {
    let (usual, apart) = (price("0.0075", "5"), price("0.0105", "7"));
    let offered = offered(&plan(vec![
        offering("br-gru", Some(apart.clone())),
        offering("us-east", Some(usual.clone())),
        offering("xx-new", None),
        offering("eu-west", Some(usual.clone())),
    ]))
    .unwrap();
    assert_eq!(offered.base.as_ref(), Some(&usual));
    let expected = [
        ("br-gru", &OfferedPrice::Apart(apart)),
        ("us-east", &OfferedPrice::General),
        ("xx-new", &OfferedPrice::Unknown),
        ("eu-west", &OfferedPrice::General),
    ];
    assert_eq!(shown(&offered), expected);
}

#[test]
fn of_prices_that_are_as_frequent_the_lower_one_is_general_in_any_order() {
    let (low, high) = (price("0.0075", "5"), price("0.0105", "7"));
    for pair in [[&low, &high], [&high, &low]] {
        let offerings = pair.iter().enumerate();
        let offerings = offerings.map(|(at, it)| offering(&format!("r{at}"), Some((*it).clone())));
        let offered = offered(&plan(offerings.collect())).unwrap();
        assert_eq!(offered.base.as_ref(), Some(&low));
    }
}

#[test]
fn a_price_that_cannot_be_kept_exactly_is_unknown_part_by_part() {
    let fine = price("0.0000000001", "5");
    let offered_fine = offered(&plan(vec![offering("a", Some(fine.clone()))])).unwrap();
    let base = offered_fine.base.unwrap();
    assert_eq!((base.hourly, base.monthly), (None, fine.monthly));
    let negative = Price {
        monthly: None,
        ..price("-1", "1")
    };
    let euros = Price {
        hourly: Some(Money {
            currency: Currency::Eur,
            ..usd("1")
        }),
        ..price("1", "1")
    };
    for senseless in [negative, euros, price("99999999999", "99999999999")] {
        let offered = offered(&plan(vec![offering("a", Some(senseless))])).unwrap();
        assert_eq!(offered.base, None);
        assert_eq!(shown(&offered), [("a", &OfferedPrice::Unknown)]);
    }
}

#[test]
fn what_is_sold_nowhere_on_demand_cannot_be_offered() {
    assert_eq!(offered(&plan(Vec::new())), None);
    let mut spot = offering("a", None);
    spot.market = Market::Spot;
    let mut retired = offering("b", None);
    retired.availability = Availability::Retired;
    assert_eq!(offered(&plan(vec![spot, retired])), None);
    let mut full = offering("c", None);
    full.availability = Availability::SoldOut;
    assert!(
        offered(&plan(vec![full])).is_some(),
        "it may be had again tomorrow"
    );
}

#[test]
fn what_makes_no_sense_is_left_out_and_the_rest_is_kept() {
    let good = || vec![offering("a", None)];
    let long = "x".repeat(300);
    for id in ["", "a\0b", "a\nb", &long] {
        let mut plan = plan(good());
        plan.id = id.into();
        assert_eq!(offered(&plan), None, "{id:?}");
    }
    let mut huge = plan(good());
    huge.memory = MiB(u64::MAX);
    assert_eq!(offered(&huge), None);
    let mut odd = plan(vec![
        offering("a", None),
        offering("a", Some(price("1", "1"))),
        offering("b\"c", None),
        offering("", None),
        offering(&long, None),
        offering("zone/a-1.b:c_d", None),
    ]);
    odd.label = format!(" \u{7}Nano\0de {long}").into();
    odd.class = "\n".into();
    let offered = offered(&odd).unwrap();
    let regions: Vec<_> = shown(&offered).into_iter().map(|it| it.0).collect();
    assert_eq!(regions, ["a", "zone/a-1.b:c_d"]);
    assert!(offered.label.starts_with("Nanode x"), "{}", offered.label);
    assert!(offered.label.chars().count() <= LONGEST_NAME);
    assert_eq!(offered.hardware.class, "");
    let mut nameless = plan(good());
    nameless.label = "\u{7}".into();
    assert_eq!(super::offered(&nameless).unwrap().label, "g6-nanode-1");
}
