//! Plans on sale: priced once, changed under a lock, sold as they were seen.

use futures::future::join_all;
use jiff::Timestamp;
use roadstead_core::{
    Arch, Availability, Currency, GbPerMonth, Markup, MiB, Money, Percent, Price, PriceSource,
    ProviderId, RegionId, SalePlanId,
};
use roadstead_repository::{
    Accounts, BaseChange, Error, Hardware, Imported, Lifecycle, Listing, NewSalePlan, OfferedIn,
    OfferedPlan, OfferedPrice, OperationKind, OperationState, OwnMarkups, PlanImport,
    ProviderPatch, Repository, Sale, SalePlan, SalePlanFilter, SalePlanMark, SalePlanOrder,
    SalePlanPatch,
};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{
    Fleet, TEMPLATE, add_provider, audit, change, lines, migrated, new_instance, operation,
};

fn usd(text: &str) -> Money {
    Money::usd(text.parse().unwrap())
}

fn price(hourly: &str, monthly: &str) -> Price {
    Price {
        hourly: Some(usd(hourly)),
        monthly: Some(usd(monthly)),
        monthly_is_cap: true,
        source: PriceSource::ProviderApi,
        as_of: Timestamp::from_second(1_795_000_000).unwrap(),
    }
}

fn by_operator(hourly: &str, monthly: &str) -> Price {
    Price {
        source: PriceSource::Operator,
        ..price(hourly, monthly)
    }
}

fn percent(text: &str) -> Markup {
    Markup::Percent(Percent::new(text.parse().unwrap()).unwrap())
}

fn offered_in(region: &str, price: OfferedPrice) -> OfferedIn {
    OfferedIn {
        region: region.into(),
        availability: Availability::Available,
        price,
    }
}

/// A plan that costs more in `br-gru`, and nobody knows what in `xx-new`.
fn offered(remote: &str, hourly: &str, monthly: &str) -> OfferedPlan {
    OfferedPlan {
        remote: remote.into(),
        label: format!("Label of {remote}"),
        hardware: Hardware {
            class: "standard".to_owned(),
            arch: Arch::X86_64,
            vcpus: 1,
            dedicated_cpu: false,
            memory: MiB(1024),
            disk: Some(MiB(25_600)),
            gpus: 0,
            transfer: Some(GbPerMonth(1000)),
            network_out: None,
        },
        base: Some(price(hourly, monthly)),
        offerings: vec![
            offered_in("us-east", OfferedPrice::General),
            offered_in("br-gru", OfferedPrice::Apart(price("0.0105", "7"))),
            offered_in("xx-new", OfferedPrice::Unknown),
        ],
    }
}

fn new_plan(provider: ProviderId, offered: OfferedPlan, markup: Markup) -> NewSalePlan {
    NewSalePlan {
        id: SalePlanId::fresh(),
        provider,
        offered,
        name: None,
        base: None,
        markup,
        regions: Vec::new(),
        images: Vec::new(),
        active: true,
        position: None,
    }
}

fn import(offered: Vec<OfferedPlan>, markup: Markup) -> PlanImport {
    PlanImport {
        sold: offered.iter().map(|it| it.remote.clone()).collect(),
        offered,
        markup,
        own_markups: OwnMarkups::Keep,
        regions: Vec::new(),
        skipped: 0,
    }
}

async fn all(repository: &Repository) -> Vec<SalePlan> {
    let filter = SalePlanFilter::default();
    let listed = repository.list_sale_plans(&filter, SalePlanOrder::Position, None, 2000);
    listed.await.unwrap().0
}

async fn add(fleet: &Fleet, offered: OfferedPlan, markup: Markup) -> SalePlan {
    let new = new_plan(fleet.provider, offered, markup);
    fleet
        .repository
        .create_sale_plan(new, audit())
        .await
        .unwrap()
}

async fn update(fleet: &Fleet, id: SalePlanId, patch: SalePlanPatch) -> SalePlan {
    fleet
        .repository
        .update_sale_plan(id, patch, audit())
        .await
        .unwrap()
}

fn amounts(price: Option<&Price>) -> Option<(String, String)> {
    let text = |it: Option<Money>| it.unwrap().amount.to_string();
    price.map(|it| (text(it.hourly), text(it.monthly)))
}

fn in_region(plan: &SalePlan, region: &str) -> Option<(String, String)> {
    amounts(plan.prices_in(&RegionId::from(region)).unwrap().1)
}

fn both(hourly: &str, monthly: &str) -> Option<(String, String)> {
    Some((hourly.to_owned(), monthly.to_owned()))
}

/// Puts a plan on sale.
pub(crate) async fn on_sale(fleet: &Fleet) -> SalePlan {
    add(fleet, offered("g6-nanode-1", "0.0075", "5"), percent("10")).await
}

/// Puts a server on record that was sold under a plan as it is seen here.
pub(crate) async fn sell(fleet: &Fleet, plan: &SalePlan) -> Result<Sale, Error> {
    let mut new = new_instance(fleet.provider, "sold");
    new.price.clone_from(&plan.price);
    new.sale = Some(Sale {
        plan: plan.id,
        revision: plan.revision,
        name: plan.name.clone(),
        base: plan.base.clone().unwrap(),
        markup: plan.markup,
    });
    let accepted = fleet
        .repository
        .accept_create(
            &fleet.tenant,
            new,
            operation(OperationKind::Create),
            audit(),
        )
        .await?;
    assert_eq!(accepted.instance.price, plan.price);
    Ok(accepted.instance.sale.unwrap())
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn a_plan_reads_back_as_it_was_put_on_sale(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let fixed = Markup::Fixed { hourly: usd("0.000000001"), monthly: usd("1.5") };
        for (remote, markup) in [
            ("none", Markup::None), ("percent", percent("12.5")), ("fixed", fixed),
        ] {
            let mut new = new_plan(fleet.provider, offered(remote, "0.00744", "5"), markup);
            new.name = Some("Small \u{e9}\u{1f600}".to_owned());
            new.regions = vec!["us-east".into(), "br-gru".into()];
            new.images = vec!["debian-12".into()];
            let made = fleet.repository.create_sale_plan(new, audit()).await.unwrap();
            let read = fleet.repository.find_sale_plan(made.id).await.unwrap().unwrap();
            assert_eq!(read, made);
            assert_eq!(read.markup, markup);
            assert!(read.is_on_sale() && read.markup_is_own);
        }
        let [none, percent, fixed] = all(&fleet.repository).await.try_into().unwrap();
        assert_eq!(amounts(none.price.as_ref()), both("0.00744", "5"));
        assert_eq!(amounts(percent.price.as_ref()), both("0.00837", "5.625"));
        assert_eq!(amounts(fixed.price.as_ref()), both("0.007440001", "6.5"));
        assert_eq!(in_region(&percent, "us-east"), both("0.00837", "5.625"));
        assert_eq!(in_region(&percent, "br-gru"), both("0.0118125", "7.875"));
        assert_eq!(percent.prices_in(&"xx-new".into()), None, "not an allowed region");
        assert_eq!((none.position, percent.position, fixed.position), (0, 1, 2));
        let nano = lines(database, "SELECT CAST(price_hourly AS TEXT) AS line FROM vps_plans \
            WHERE markup_kind = 'percent'").await;
        assert_eq!(nano, ["8370000"]);
        assert_eq!(fleet.repository.find_sale_plan(SalePlanId::fresh()).await.unwrap(), None);
    }

    async fn a_plan_without_a_price_has_none_and_one_of_the_operators_fills_it(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let mut unknown = offered("unknown", "1", "1");
        unknown.base = None;
        unknown.offerings.remove(0);
        let plan = add(&fleet, unknown.clone(), percent("10")).await;
        assert_eq!((plan.base.clone(), plan.price.clone()), (None, None));
        assert_eq!(plan.prices_in(&"xx-new".into()), Some((None, None)));
        let base = Some(BaseChange::Operator(by_operator("0.01", "6")));
        let patch = SalePlanPatch { base, ..SalePlanPatch::default() };
        let set = update(&fleet, plan.id, patch).await;
        assert_eq!(in_region(&set, "xx-new"), both("0.011", "6.6"));
        // Where the vendor prices a region apart, that is the base, whoever set the other.
        assert_eq!(in_region(&set, "br-gru"), both("0.01155", "7.7"));
        // An import leaves it, and a change back takes the vendor's word again.
        let again = import(vec![unknown.clone()], Markup::None);
        let done = fleet.repository.import_sale_plans(fleet.provider, again, audit()).await.unwrap();
        assert_eq!(done, Imported { unchanged: 1, ..Imported::default() });
        let base = Some(BaseChange::Provider(Box::new(unknown)));
        let back = update(&fleet, plan.id, SalePlanPatch { base, ..SalePlanPatch::default() });
        let back = back.await;
        assert_eq!((&back.base, &back.price), (&None, &None));
        assert_eq!(back.prices_in(&"xx-new".into()), Some((None, None)));
        assert_eq!(fleet.repository.find_sale_plan(plan.id).await.unwrap(), Some(back));
    }

    async fn a_plan_is_found_by_a_part_of_its_name_or_of_the_vendors_id(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        for (remote, name) in [("g6-nanode-1", "Small \u{c4}"), ("s-1vcpu_1", "Big 100%")] {
            let mut new = new_plan(fleet.provider, offered(remote, "1", "5"), Markup::None);
            new.name = Some(name.to_owned());
            fleet.repository.create_sale_plan(new, audit()).await.unwrap();
        }
        for (text, wanted) in [
            ("sMALL", vec!["g6-nanode-1"]),
            ("\u{c4}", vec!["g6-nanode-1"]),
            ("NANODE", vec!["g6-nanode-1"]),
            ("vcpu_", vec!["s-1vcpu_1"]),
            ("0%", vec!["s-1vcpu_1"]),
            ("a_l", vec![]),
            ("1", vec!["g6-nanode-1", "s-1vcpu_1"]),
        ] {
            let name = Some(text.to_owned());
            let filter = SalePlanFilter { name, ..SalePlanFilter::default() };
            let order = SalePlanOrder::Position;
            let (found, _) = fleet.repository.list_sale_plans(&filter, order, None, 10).await.unwrap();
            let found: Vec<_> = found.iter().map(|it| it.remote.as_str()).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }

    async fn a_markup_that_does_not_fit_changes_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let plan = add(&fleet, offered("a", "9000000000", "5"), Markup::None).await;
        let patch = SalePlanPatch {
            markup: Some(percent("5")),
            name: Some("other".to_owned()),
            ..SalePlanPatch::default()
        };
        let refused = fleet.repository.update_sale_plan(plan.id, patch, audit()).await;
        assert!(matches!(refused, Err(Error::Markup { .. })), "{refused:?}");
        let euro = |it: Money| Money { currency: Currency::Eur, ..it };
        let fixed = Markup::Fixed { hourly: euro(usd("1")), monthly: euro(usd("1")) };
        let two = vec![offered("fits", "1", "1"), offered("a", "9000000000", "5")];
        for (markup, first) in [(fixed, "fits"), (percent("5"), "a")] {
            let wrong = PlanImport {
                own_markups: OwnMarkups::Replace,
                ..import(two.clone(), markup)
            };
            let refused = fleet.repository.import_sale_plans(fleet.provider, wrong, audit()).await;
            let Err(Error::Markup { plan, .. }) = refused else { panic!("{refused:?}") };
            assert_eq!(plan.as_str(), first);
        }
        assert_eq!(all(&fleet.repository).await, [plan]);
        let log = lines(database, "SELECT action AS line FROM audit_log").await;
        assert_eq!(log.len(), 2, "the account's line and the plan's");
    }

    async fn an_import_adds_updates_retires_and_keeps_what_the_operator_changed(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let run = async |it: PlanImport| {
            fleet.repository.import_sale_plans(fleet.provider, it, audit()).await.unwrap()
        };
        let three = || vec![offered("a", "0.1", "50"), offered("b", "0.2", "100"), offered("c", "0.3", "150")];
        let first = run(import(three(), percent("10"))).await;
        assert_eq!(first, Imported { added: 3, ..Imported::default() });
        let again = run(import(three(), percent("10"))).await;
        assert_eq!(again, Imported { unchanged: 3, ..Imported::default() });
        let [a, b, c] = all(&fleet.repository).await.try_into().unwrap();
        assert_eq!([a.revision, b.revision, c.revision], [1, 1, 1]);
        assert_eq!((a.position, b.position, c.position), (0, 1, 2));
        assert!(!a.markup_is_own);

        let own = SalePlanPatch {
            name: Some("Ours".to_owned()),
            markup: Some(percent("20")),
            images: Some(vec!["debian-12".into()]),
            ..SalePlanPatch::default()
        };
        update(&fleet, a.id, own).await;
        let off = SalePlanPatch { active: Some(false), ..SalePlanPatch::default() };
        update(&fleet, b.id, off.clone()).await;

        // Dearer, renamed, larger; one gone; another markup for all that have none of their own.
        let mut next = vec![offered("a", "0.11", "55"), offered("b", "0.22", "110")];
        for it in &mut next {
            it.label = format!("{} (new)", it.label);
            it.hardware.memory = MiB(2048);
        }
        let second = run(import(next.clone(), percent("50"))).await;
        assert_eq!(second, Imported { updated: 2, retired: 1, ..Imported::default() });
        let [a, b, c] = all(&fleet.repository).await.try_into().unwrap();
        assert_eq!((a.name.as_str(), a.remote_label.as_str()), ("Ours", "Label of a (new)"));
        assert_eq!(amounts(a.price.as_ref()), both("0.132", "66"));
        assert_eq!((a.hardware.memory, a.images.len()), (MiB(2048), 1));
        assert_eq!((b.name.as_str(), b.active), ("Label of b (new)", false));
        assert_eq!(amounts(b.price.as_ref()), both("0.33", "165"));
        assert!(c.retired && c.active && !c.is_on_sale());
        assert_eq!(amounts(c.price.as_ref()), both("0.33", "165"));

        // It is not sold again by our wish alone, and what is sent back as shown is no wish.
        let on = SalePlanPatch { active: Some(true), ..SalePlanPatch::default() };
        let refused = fleet.repository.update_sale_plan(c.id, on, audit()).await;
        assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
        assert!(update(&fleet, c.id, off).await.active);
        next.push(offered("c", "0.3", "150"));
        let third = PlanImport { own_markups: OwnMarkups::Replace, ..import(next, percent("50")) };
        let third = run(third).await;
        assert_eq!(third, Imported { updated: 2, unchanged: 1, ..Imported::default() });
        let [a, _, c] = all(&fleet.repository).await.try_into().unwrap();
        assert_eq!((a.markup, a.markup_is_own), (percent("50"), false));
        assert!(c.is_on_sale());
        let empty = run(import(Vec::new(), percent("50"))).await;
        assert_eq!(empty, Imported { retired: 3, ..Imported::default() });
        let twice = run(import(Vec::new(), percent("50"))).await;
        assert_eq!(twice, Imported::default());
        let nobody = fleet.repository
            .import_sale_plans(ProviderId::fresh(), import(three(), percent("1")), audit()).await;
        assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");
    }

    async fn imports_at_once_add_each_plan_once(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let plans: Vec<_> = (0..20).map(|it| offered(&format!("p{it}"), "0.1", "5")).collect();
        let runs = (0..6).map(|_| {
            let import = import(plans.clone(), percent("10"));
            fleet.repository.import_sale_plans(fleet.provider, import, audit())
        });
        let done: Vec<_> = join_all(runs).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done.iter().map(|it| it.added).sum::<u64>(), 20, "{done:?}");
        assert_eq!(done.iter().map(|it| it.unchanged).sum::<u64>(), 100, "{done:?}");
        assert_eq!(all(&fleet.repository).await.len(), 20);
    }

    async fn one_plan_of_the_provider_is_sold_once_and_needs_an_account(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let plan = add(&fleet, offered("a", "1", "2"), Markup::None).await;
        let twice = new_plan(fleet.provider, offered("a", "1", "2"), Markup::None);
        let twice = fleet.repository.create_sale_plan(twice, audit()).await;
        assert!(matches!(twice, Err(Error::Conflict { .. })), "{twice:?}");
        let other = add_provider(&fleet.repository, "second", "t").await.unwrap().id;
        let elsewhere = new_plan(other, offered("a", "1", "2"), Markup::None);
        let elsewhere = fleet.repository.create_sale_plan(elsewhere, audit()).await.unwrap();
        let nowhere = new_plan(ProviderId::fresh(), offered("b", "1", "2"), Markup::None);
        let nowhere = fleet.repository.create_sale_plan(nowhere, audit()).await;
        assert!(matches!(nowhere, Err(Error::NotFound { .. })), "{nowhere:?}");
        // With the account its plans are gone.
        fleet.repository.delete_provider(other, audit()).await.unwrap();
        assert_eq!(fleet.repository.find_sale_plan(elsewhere.id).await.unwrap(), None);
        let patch = SalePlanPatch::default();
        let late = fleet.repository.update_sale_plan(elsewhere.id, patch, audit()).await;
        assert!(matches!(late, Err(Error::NotFound { .. })), "{late:?}");
        assert_eq!(all(&fleet.repository).await, [plan]);
    }

    async fn a_server_is_sold_as_the_plan_was_seen_or_not_at_all(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let seen = add(&fleet, offered("a", "0.1", "50"), percent("10")).await;
        let sale = sell(&fleet, &seen).await.unwrap();
        assert_eq!((sale.base, sale.markup), (price("0.1", "50"), percent("10")));
        // A change that changes nothing keeps nobody from buying.
        let same = update(&fleet, seen.id, SalePlanPatch::default()).await;
        assert_eq!(same.revision, seen.revision);
        sell(&fleet, &seen).await.unwrap();
        let dearer = SalePlanPatch { markup: Some(percent("20")), ..SalePlanPatch::default() };
        let dearer = update(&fleet, seen.id, dearer).await;
        let stale = sell(&fleet, &seen).await;
        assert!(matches!(stale, Err(Error::Changed { .. })), "{stale:?}");
        sell(&fleet, &dearer).await.unwrap();
        let page = fleet.repository
            .list_instances(&fleet.tenant, &Default::default(), &Listing::default()).await.unwrap()
            .items;
        let paid: Vec<_> = page.iter().map(|it| amounts(it.price.as_ref())).collect();
        assert_eq!(paid, [both("0.12", "60"), both("0.11", "55"), both("0.11", "55")]);
        for table in ["vps_instances", "operations"] {
            let count = format!("SELECT CAST(COUNT(*) AS TEXT) AS line FROM {table}");
            assert_eq!(lines(database, &count).await, ["3"], "{table}");
        }
    }

    async fn prices_that_change_while_many_buy_are_on_no_row_that_did_not_see_them(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let plan = add(&fleet, offered("a", "0.1", "50"), percent("0")).await;
        let changes = async {
            for step in 1..=15 {
                let markup = Some(percent(&step.to_string()));
                update(&fleet, plan.id, SalePlanPatch { markup, ..SalePlanPatch::default() }).await;
            }
        };
        let buyer = async || {
            let mut bought = 0;
            while bought < 5 {
                let seen = fleet.repository.find_sale_plan(plan.id).await.unwrap().unwrap();
                match sell(&fleet, &seen).await {
                    Ok(sale) => {
                        assert_eq!((sale.revision, sale.markup), (seen.revision, seen.markup));
                        bought += 1;
                    }
                    Err(Error::Changed { .. }) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        };
        tokio::join!(changes, buyer(), buyer(), buyer());
        let page = fleet.repository
            .list_instances(&fleet.tenant, &Default::default(), &Listing::default()).await.unwrap()
            .items;
        assert_eq!(page.len(), 15);
        for it in page {
            let sale = it.sale.unwrap();
            let charged = sale.markup.apply(&sale.base).unwrap();
            assert_eq!(it.price, Some(charged));
            // Every revision has its own markup, one percent more than the one before.
            let percent = Percent::new((sale.revision - 1).into()).unwrap();
            assert_eq!(sale.markup, Markup::Percent(percent));
        }
    }

    async fn a_plan_that_servers_use_stays_and_leaves_its_terms_behind(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let plan = add(&fleet, offered("a", "0.1", "50"), percent("10")).await;
        sell(&fleet, &plan).await.unwrap();
        fleet.bind("r1").await;
        let in_use = fleet.repository.delete_sale_plan(plan.id, audit()).await;
        assert!(matches!(in_use, Err(Error::PlanInUse { count: 1 })), "{in_use:?}");
        let page = fleet.repository
            .list_instances(&fleet.tenant, &Default::default(), &Listing::default()).await.unwrap()
            .items;
        fleet.act(page[0].id, OperationKind::Delete).await.unwrap();
        let claim = fleet.claim().await;
        let mut gone = change(OperationState::Succeeded);
        gone.instance.lifecycle = Some(Lifecycle::Deleted);
        fleet.repository.apply(&claim, &gone).await.unwrap();
        fleet.repository.delete_sale_plan(plan.id, audit()).await.unwrap();
        let again = fleet.repository.delete_sale_plan(plan.id, audit()).await;
        assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
        let stale = sell(&fleet, &plan).await;
        assert!(matches!(stale, Err(Error::Changed { .. })), "{stale:?}");
        let kept = fleet.repository.get_instance(&fleet.tenant, page[0].id).await.unwrap();
        assert_eq!(kept.sale.unwrap().plan, plan.id);
    }

    async fn lists_are_filtered_ordered_and_paged_by_the_price_of_the_region(
        database: &Scratch
    ) {
        let fleet = Fleet::open(database).await;
        let other = add_provider(&fleet.repository, "second", "t").await.unwrap().id;
        let mut unknown = offered("unknown", "1", "1");
        unknown.base = None;
        unknown.offerings = vec![offered_in("us-east", OfferedPrice::Unknown)];
        let mut big = offered("big", "0.5", "300");
        big.hardware.vcpus = 8;
        big.hardware.memory = MiB(16_384);
        // Dear everywhere, and cheap in Brazil.
        let mut odd = offered("odd", "0.9", "600");
        odd.offerings[1].price = OfferedPrice::Apart(price("0.001", "1"));
        for plan in [big, unknown, offered("small", "0.1", "50"), odd] {
            add(&fleet, plan, percent("10")).await;
        }
        let elsewhere = new_plan(other, offered("tiny", "0.02", "9"), Markup::None);
        let elsewhere = fleet.repository.create_sale_plan(elsewhere, audit()).await.unwrap();
        let near = SalePlanPatch { regions: Some(vec!["us-east".into()]), ..SalePlanPatch::default() };
        update(&fleet, elsewhere.id, near).await;

        let names = async |filter: SalePlanFilter, order, limit| {
            let mut names = Vec::new();
            let mut mark: Option<SalePlanMark> = None;
            loop {
                let page = fleet.repository.list_sale_plans(&filter, order, mark, limit);
                let (page, next) = page.await.unwrap();
                assert!(!page.is_empty() || mark.is_none(), "an empty last page");
                names.extend(page.into_iter().map(|it| it.remote.to_string()));
                mark = next;
                if mark.is_none() {
                    return names.join(" ");
                }
            }
        };
        let region = |it: &str| SalePlanFilter { region: Some(it.into()), ..Default::default() };
        for limit in [1, 2, 5, 200] {
            let everything = SalePlanFilter::default();
            let listed = names(everything.clone(), SalePlanOrder::Position, limit).await;
            assert_eq!(listed, "big unknown small odd tiny");
            let cheapest = names(everything.clone(), SalePlanOrder::Cheapest, limit).await;
            assert_eq!(cheapest, "tiny small big odd unknown");
            let dearest = names(everything, SalePlanOrder::Dearest, limit).await;
            assert_eq!(dearest, "odd big small tiny unknown");
            let brazil = names(region("br-gru"), SalePlanOrder::Cheapest, limit).await;
            assert_eq!(brazil, "odd big small");
            let brazil = names(region("br-gru"), SalePlanOrder::Dearest, limit).await;
            assert_eq!(brazil, "big small odd");
            let near = names(region("us-east"), SalePlanOrder::Cheapest, limit).await;
            assert_eq!(near, "tiny small big odd unknown");
        }
        for nowhere in ["mars", "", "us-east\" OR 1", "%", "us-east'"] {
            assert_eq!(names(region(nowhere), SalePlanOrder::Cheapest, 9).await, "", "{nowhere}");
        }
        let only = async |filter| names(filter, SalePlanOrder::Position, 9).await;
        let all = SalePlanFilter::default;
        assert_eq!(only(SalePlanFilter { provider: Some(other), ..all() }).await, "tiny");
        assert_eq!(only(SalePlanFilter { kind: Some("none".into()), ..all() }).await, "");
        assert_eq!(only(SalePlanFilter { min_vcpus: Some(2), ..all() }).await, "big");
        assert_eq!(only(SalePlanFilter { vcpus: Some(8), ..all() }).await, "big");
        assert_eq!(only(SalePlanFilter { min_memory: Some(MiB(16_384)), ..all() }).await, "big");
        assert_eq!(only(SalePlanFilter { memory: Some(MiB(u64::MAX)), ..all() }).await, "");
        let off = SalePlanPatch { active: Some(false), ..SalePlanPatch::default() };
        update(&fleet, elsewhere.id, off).await;
        assert_eq!(only(SalePlanFilter { active: Some(false), ..all() }).await, "tiny");
        let sold = only(SalePlanFilter { active: Some(true), ..all() }).await;
        assert_eq!(sold, "big unknown small odd");
        let patch = ProviderPatch { active: Some(false), ..ProviderPatch::default() };
        fleet.repository.update_provider(fleet.provider, patch, audit()).await.unwrap();
        assert_eq!(only(all()).await, "tiny");
        let everywhere = SalePlanFilter { accounts: Accounts::All, ..all() };
        assert_eq!(only(everywhere).await, "big unknown small odd tiny");
    }

    async fn a_thousand_plans_are_imported_and_listed(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let plans: Vec<_> = (0..1000)
            .map(|it| offered(&format!("p{it:04}"), &format!("0.{:05}", 1 + it), "5"))
            .collect();
        let first = import(plans.clone(), percent("12.5"));
        let done = fleet.repository.import_sale_plans(fleet.provider, first, audit()).await.unwrap();
        assert_eq!(done.added, 1000);
        let again = import(plans, percent("12.5"));
        let done = fleet.repository.import_sale_plans(fleet.provider, again, audit()).await.unwrap();
        assert_eq!(done.unchanged, 1000);
        let mut seen = Vec::new();
        let mut mark = None;
        loop {
            let page = fleet.repository
                .list_sale_plans(&SalePlanFilter::default(), SalePlanOrder::Cheapest, mark, 200)
                .await.unwrap();
            seen.extend(page.0.into_iter().map(|it| it.remote.to_string()));
            mark = page.1;
            if mark.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 1000);
        assert!(seen.is_sorted());
    }

    async fn each_change_has_a_line_with_what_was_and_what_is(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let plan = add(&fleet, offered("a", "0.1", "50"), percent("10")).await;
        let markup = Some(percent("12.5"));
        update(&fleet, plan.id, SalePlanPatch { markup, ..SalePlanPatch::default() }).await;
        let dearer = import(vec![offered("a", "0.2", "100")], Markup::None);
        fleet.repository.import_sale_plans(fleet.provider, dearer, audit()).await.unwrap();
        fleet.repository.delete_sale_plan(plan.id, audit()).await.unwrap();
        let details = match database.backend() {
            roadstead_testkit::Backend::Sqlite => "json(details)",
            roadstead_testkit::Backend::Postgres => "CAST(details AS TEXT)",
        };
        let log = lines(database, &format!("SELECT {details} AS line FROM audit_log ORDER BY id")).await;
        let log: Vec<serde_json::Value> =
            log.iter().map(|it| serde_json::from_str(it).unwrap()).collect();
        // The first line is the account's.
        let [_, created, changed, imported, deleted] = log.try_into().unwrap();
        assert_eq!(created["after"]["markup"]["percent"], "10");
        assert_eq!(changed["before"]["markup"]["percent"], "10");
        assert_eq!(changed["after"]["markup"]["percent"], "12.5");
        assert_eq!(changed["after"]["price"]["monthly"]["amount"], "56.25");
        assert_eq!(imported["updated"][0]["before"]["base"]["hourly"]["amount"], "0.1");
        assert_eq!(imported["updated"][0]["after"]["price"]["hourly"]["amount"], "0.225");
        assert_eq!(deleted["before"]["name"], "Label of a");
    }
}
