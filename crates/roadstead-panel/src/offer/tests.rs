//! Plans as they are sorted, filtered and read.

use roadstead_core::{Arch, Currency, MiB, Money, Price, PriceSource, ProviderId};

use super::*;
use crate::form::Values;

/// A plan with a processor and a GiB of memory.
pub(crate) fn offer(name: &str, monthly: Option<&str>) -> Offer {
    Offer {
        account: ProviderId(uuid::Uuid::nil()),
        ware: Ware::read(name),
        name: name.to_owned(),
        plan: name.into(),
        class: "shared".to_owned(),
        arch: Arch::X86_64,
        vcpus: 1,
        dedicated: false,
        memory: MiB(1024),
        disk: Some(MiB::from_gib(25)),
        gpus: 0,
        transfer: None,
        price: monthly.map(|it| Price {
            hourly: None,
            monthly: Some(Money::usd(it.parse().unwrap())),
            monthly_is_cap: true,
            source: PriceSource::ProviderApi,
            as_of: Timestamp::UNIX_EPOCH,
        }),
        images: Vec::new(),
        refusal: None,
    }
}

fn names(offers: &[Offer]) -> Vec<&str> {
    offers.iter().map(|it| it.name.as_str()).collect()
}

#[test]
fn what_is_not_known_or_cannot_be_had_comes_last_in_both_directions() {
    let mut gone = offer("gone", Some("1"));
    gone.refusal = Some("it is sold out".to_owned());
    let mut offers = vec![
        gone,
        offer("c", None),
        offer("b", Some("20")),
        offer("a", Some("5")),
    ];
    sort(&mut offers, "monthly");
    assert_eq!(names(&offers), ["a", "b", "c", "gone"]);
    sort(&mut offers, "-monthly");
    assert_eq!(names(&offers), ["b", "a", "c", "gone"]);
    sort(&mut offers, "-name");
    assert_eq!(names(&offers), ["c", "b", "a", "gone"]);
    sort(&mut offers, "<nonsense>");
    assert_eq!(names(&offers), ["a", "b", "c", "gone"]);
}

#[test]
fn every_column_sorts() {
    let (small, mut large) = (offer("a", Some("5")), offer("b", Some("5")));
    large.vcpus = 2;
    large.memory = MiB(4096);
    large.disk = None;
    for (word, first) in [
        ("vcpus", "a"),
        ("-vcpus", "b"),
        ("-memory", "b"),
        ("disk", "a"),
        ("-disk", "a"),
        ("per_vcpu", "b"),
        ("per_gib", "b"),
        ("-per_gib", "a"),
        ("hourly", "a"),
        ("transfer", "a"),
    ] {
        let mut offers = vec![small.clone(), large.clone()];
        sort(&mut offers, word);
        assert_eq!(offers[0].name, first, "{word}");
    }
}

#[test]
fn prices_of_two_currencies_are_not_mixed() {
    let mut euro = offer("euro", Some("1"));
    let price = euro.price.as_mut().unwrap();
    price.monthly = price.monthly.map(|it| Money {
        currency: Currency::Eur,
        ..it
    });
    let mut offers = vec![euro, offer("dollar", Some("9"))];
    sort(&mut offers, "monthly");
    assert_eq!(names(&offers), ["dollar", "euro"]);
}

#[test]
fn a_part_of_a_price_is_exact_to_four_places() {
    let mut it = offer("x", Some("10"));
    it.vcpus = 3;
    assert_eq!(it.per_vcpu().unwrap().amount.to_string(), "3.3333");
    it.vcpus = 0;
    assert_eq!(it.per_vcpu(), None);
    it.memory = MiB(512);
    assert_eq!(it.per_gib().unwrap().amount.normalize().to_string(), "20");
}

#[test]
fn filters_count_together_and_nonsense_filters_nothing() {
    let it = offer("Basic 1", Some("6"));
    let takes = |query: &str| Filter::read(&Values::parse(query.as_bytes()).unwrap()).takes(&it);
    for fine in [
        "",
        "name=basic",
        "name=BASIC+1&class=shared&arch=x86&vcpus=1&memory=1&disk=25&price=6",
        "memory=0.5",
        "vcpus=x&memory=-1&price=1e3&arch=z80",
    ] {
        assert!(takes(fine), "{fine}");
    }
    for not in [
        "name=other",
        "class=dedicated",
        "arch=arm",
        "vcpus=2",
        "memory=1.001",
        "disk=26",
        "price=5.99",
    ] {
        assert!(!takes(not), "{not}");
    }
    let unknown = offer("x", None);
    let cheap = Filter::read(&Values::of([("price", "100")]));
    assert!(!cheap.takes(&unknown));
}

#[test]
fn a_ware_is_read_as_it_is_written() {
    let id = SalePlanId::fresh();
    for ware in [Ware::Sale(id), Ware::Plan("s-1vcpu-1gb".into())] {
        assert_eq!(Ware::read(&ware.to_string()), ware);
    }
    // 32 digits in a row may be a provider's.
    let plan = id.0.simple().to_string();
    assert_eq!(Ware::read(&plan), Ware::Plan(plan.as_str().into()));
}
