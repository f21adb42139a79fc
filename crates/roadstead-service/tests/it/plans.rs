//! Plans on sale at each vendor: imported, bought, changed afterwards, and with the vendor away.

use std::time::Duration;

use futures::future::join_all;
use roadstead_core::{Market, Markup, Money, Percent, Price, RegionId};
use roadstead_service::{
    BasePrice, CreateServer, Error, ImportFilter, ImportPlans, Imported, OperationKind, OwnMarkups,
    PageRequest, ProviderChange, ResizeServer, Sale, SalePlan, SalePlanChange, SalePlanFilter,
    SalePlanOrder,
};

use crate::stage::{Scene, Stage, at_each_vendor};

fn idle() -> Scene {
    Scene {
        workers: 0,
        ..Scene::default()
    }
}

fn percent(text: &str) -> Markup {
    Markup::Percent(Percent::new(text.parse().unwrap()).unwrap())
}

fn usd(text: &str) -> Money {
    Money::usd(text.parse().unwrap())
}

fn all_of(stage: &Stage, markup: Markup) -> ImportPlans {
    ImportPlans {
        provider: stage.account,
        markup,
        own_markups: OwnMarkups::Keep,
        regions: Vec::new(),
        filter: ImportFilter::default(),
    }
}

async fn import(stage: &Stage, markup: Markup) -> Imported {
    let request = all_of(stage, markup);
    stage
        .platform
        .import_plans(&stage.operator(), request)
        .await
        .unwrap()
}

/// Returns all that a member can buy.
async fn on_sale(stage: &Stage) -> Vec<SalePlan> {
    let page = PageRequest {
        cursor: None,
        limit: 200,
    };
    let filter = SalePlanFilter::default();
    let found = stage
        .platform
        .plans_on_sale(&stage.reader(), filter, SalePlanOrder::Position, &page)
        .await
        .unwrap();
    assert_eq!(found.next, None);
    found.items
}

/// Returns the plan on sale of the vendor's plan that the stage uses.
async fn usual(stage: &Stage) -> SalePlan {
    let all = on_sale(stage).await.into_iter();
    let mut found = all.filter(|it| it.remote.as_str() == stage.vendor.plan);
    found.next().unwrap()
}

fn count<T>(all: &[T]) -> u64 {
    all.len().try_into().unwrap()
}

async fn change(stage: &Stage, plan: &SalePlan, change: SalePlanChange) -> SalePlan {
    let operator = stage.operator();
    stage
        .platform
        .change_sale_plan(&operator, plan.id, change)
        .await
        .unwrap()
}

/// Asks for a small server by a plan on sale alone.
fn by_plan(stage: &Stage, plan: &SalePlan, label: &str) -> CreateServer {
    CreateServer {
        provider: None,
        sale: Some(plan.id),
        plan: String::new(),
        ..stage.request(label)
    }
}

async fn buy(stage: &Stage, request: CreateServer) -> Result<(Option<Price>, Sale), Error> {
    let accepted = stage
        .platform
        .create_server(&stage.member(), request)
        .await?;
    Ok((accepted.instance.price, accepted.instance.sale.unwrap()))
}

#[track_caller]
fn fields<T: std::fmt::Debug>(refused: Result<T, Error>) -> Vec<String> {
    match refused.unwrap_err() {
        Error::Invalid(all) => all.into_iter().map(|it| it.field.into_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

at_each_vendor! {
    staged(idle);

    async fn every_offering_of_the_vendor_costs_what_it_says_and_the_markup(stage: &Stage) {
        let report = import(stage, percent("12.5")).await;
        assert!(report.added > 5, "{report:?}");
        let catalogue = stage.platform.registry().account(stage.account).await.unwrap().provider.get_plans().await.unwrap();
        let sold = on_sale(stage).await;
        assert_eq!(count(&sold), report.added);
        let mut apart = 0;
        for plan in &sold {
            let theirs = catalogue.iter().find(|it| it.id == plan.remote).unwrap();
            assert_eq!(plan.hardware.vcpus, theirs.vcpus);
            assert_eq!(plan.hardware.memory, theirs.memory);
            let offered = theirs.offerings.iter().filter(|it| it.market == Market::OnDemand);
            for offering in offered {
                let (base, price) = plan.prices_in(&offering.region).unwrap();
                let figures = |it: &Price| (it.hourly, it.monthly);
                assert_eq!(base.map(figures), offering.price.as_ref().map(figures));
                let expected = offering.price.as_ref().map(|it| percent("12.5").apply(it).unwrap());
                assert_eq!(price.map(figures), expected.as_ref().map(figures));
                apart += usize::from(base != plan.base.as_ref());
            }
        }
        // Linode prices Jakarta and São Paulo apart; DigitalOcean has one price everywhere.
        assert_eq!(apart > 0, stage.vendor.kind == "linode", "{apart}");
        let again = import(stage, percent("12.5")).await;
        assert_eq!(again.unchanged, count(&sold), "{again:?}");
    }

    async fn with_the_vendor_away_nothing_is_half_done_and_the_list_still_answers(stage: &Stage) {
        let before = import(stage, percent("10")).await;
        let listed = on_sale(stage).await;
        stage.unplug().await;
        let request = all_of(stage, percent("50"));
        let refused = stage.platform.import_plans(&stage.operator(), request).await;
        assert!(matches!(refused, Err(Error::Provider(_))), "{refused:?}");
        assert_eq!(on_sale(stage).await, listed);
        let plan = &listed[0];
        let dearer = SalePlanChange { markup: Some(percent("20")), ..SalePlanChange::default() };
        assert_eq!(change(stage, plan, dearer).await.markup, percent("20"));
        stage.plug_in();
        let after = import(stage, percent("50")).await;
        assert_eq!(after.updated, before.added - 1, "{after:?}");
    }

    async fn an_import_takes_what_it_is_asked_for(stage: &Stage) {
        let region = stage.vendor.region.to_owned();
        let only = ImportFilter { plans: vec![stage.vendor.plan.to_owned()], ..Default::default() };
        let one = ImportPlans {
            regions: vec![region.clone()],
            filter: only,
            ..all_of(stage, Markup::None)
        };
        let operator = stage.operator();
        let report = stage.platform.import_plans(&operator, one.clone()).await.unwrap();
        assert_eq!(report.added, 1);
        let plan = usual(stage).await;
        assert_eq!(plan.regions, [RegionId::from(region.as_str())]);
        assert_eq!(plan.sold_in().count(), 1);
        let small = ImportFilter { max_vcpus: Some(1), ..ImportFilter::default() };
        let small = ImportPlans { filter: small, ..all_of(stage, Markup::None) };
        let report = stage.platform.import_plans(&operator, small).await.unwrap();
        assert_eq!((report.unchanged, report.retired), (1, 0), "{report:?}");
        assert!(on_sale(stage).await.iter().all(|it| it.hardware.vcpus == 1));
        let wrong = ImportPlans {
            regions: vec!["mars".to_owned()],
            filter: ImportFilter {
                plans: vec!["nosuch".to_owned()],
                classes: vec!["nosuch".to_owned()],
                ..ImportFilter::default()
            },
            ..one
        };
        let refused = stage.platform.import_plans(&operator, wrong).await;
        assert_eq!(fields(refused), ["regions", "filter.types", "filter.classes"]);
    }

    async fn a_bad_plan_is_refused_with_every_wrong_field(stage: &Stage) {
        import(stage, percent("10")).await;
        let plan = usual(stage).await;
        let operator = stage.operator();
        let wrong = SalePlanChange {
            name: Some(" \u{7}".to_owned()),
            base: Some(Some(BasePrice { hourly: None, monthly: None, monthly_is_cap: false })),
            markup: None,
            regions: Some(vec!["mars".to_owned()]),
            images: Some(vec!["nosuch".to_owned()]),
            active: None,
            position: Some(-1),
        };
        let refused = stage.platform.change_sale_plan(&operator, plan.id, wrong).await;
        assert_eq!(fields(refused), ["name", "position", "regions", "images", "base_price"]);
        let euros = |it| Some(Money { currency: roadstead_core::Currency::Eur, ..usd(it) });
        for base in [
            BasePrice { hourly: euros("1"), monthly: Some(usd("1")), monthly_is_cap: false },
            BasePrice { hourly: euros("1"), monthly: None, monthly_is_cap: false },
        ] {
            let foreign = SalePlanChange { base: Some(Some(base)), ..Default::default() };
            let foreign = stage.platform.change_sale_plan(&operator, plan.id, foreign).await;
            assert_eq!(fields(foreign), ["base_price"]);
        }
        let euros = Markup::Fixed { hourly: euros("1").unwrap(), monthly: euros("1").unwrap() };
        let foreign = SalePlanChange { markup: Some(euros), ..Default::default() };
        let foreign = stage.platform.change_sale_plan(&operator, plan.id, foreign).await;
        assert_eq!(fields(foreign), ["markup"]);
        assert_eq!(fields(stage.platform.import_plans(&operator, all_of(stage, euros)).await), ["markup"]);
        assert_eq!(usual(stage).await, plan);
    }

    async fn a_price_of_the_operators_is_the_base_until_it_is_taken_back(stage: &Stage) {
        import(stage, percent("10")).await;
        let plan = usual(stage).await;
        let base = BasePrice { hourly: Some(usd("1")), monthly: None, monthly_is_cap: false };
        let own = SalePlanChange { base: Some(Some(base)), ..SalePlanChange::default() };
        let own = change(stage, &plan, own).await;
        let price = own.price.clone().unwrap();
        assert_eq!((price.hourly, price.monthly), (Some(usd("1.1")), None));
        import(stage, percent("10")).await;
        assert_eq!(usual(stage).await.price, own.price);
        let theirs = SalePlanChange { base: Some(None), ..SalePlanChange::default() };
        let theirs = change(stage, &plan, theirs).await;
        let figures = |it: Option<Price>| it.map(|it| (it.hourly, it.monthly));
        assert_eq!(figures(theirs.price), figures(plan.price));
    }

    async fn a_plan_is_enough_to_say_where_and_what(stage: &Stage) {
        import(stage, percent("10")).await;
        let plan = usual(stage).await;
        let (price, sale) = buy(stage, by_plan(stage, &plan, "web")).await.unwrap();
        assert_eq!(price, plan.price);
        assert_eq!((sale.plan, sale.name, sale.markup), (plan.id, plan.name.clone(), plan.markup));
        assert_eq!(Some(sale.base), plan.base);
        // Said again, it must be the same.
        let all = CreateServer {
            provider: Some(stage.account),
            kind: Some(stage.vendor.kind.to_owned()),
            plan: stage.vendor.plan.to_owned(),
            ..by_plan(stage, &plan, "web-2")
        };
        buy(stage, all.clone()).await.unwrap();
        let wrong = CreateServer {
            provider: Some(roadstead_core::ProviderId::fresh()),
            kind: Some("other".to_owned()),
            plan: "other".to_owned(),
            ..all
        };
        assert_eq!(fields(buy(stage, wrong).await), ["provider_id", "provider_type", "type"]);
        let nobodys = CreateServer {
            sale: Some(roadstead_core::SalePlanId::fresh()),
            ..by_plan(stage, &plan, "web-3")
        };
        assert_eq!(fields(buy(stage, nobodys).await), ["plan_id"]);
        // The vendor's own plan has the vendor's own price, as ever.
        let plain = stage.create("plain").await.instance;
        assert_eq!(plain.sale, None);
        let theirs = plain.price.unwrap();
        let base = plan.base.unwrap();
        assert_eq!((theirs.hourly, theirs.monthly), (base.hourly, base.monthly));
    }

    async fn what_a_plan_does_not_allow_is_refused_by_name(stage: &Stage) {
        import(stage, Markup::None).await;
        let plan = usual(stage).await;
        let region = RegionId::from(stage.vendor.region);
        let image = stage.vendor.image.to_owned();
        let other = plan.offerings.iter().find(|it| it.region != region).unwrap();
        let images = stage.platform.registry().account(stage.account).await.unwrap().provider.get_images().await.unwrap();
        let another = images.iter().find(|it| it.id.as_str() != image).unwrap();
        let narrow = SalePlanChange {
            regions: Some(vec![other.region.to_string()]),
            images: Some(vec![another.id.to_string()]),
            ..SalePlanChange::default()
        };
        let narrow = change(stage, &plan, narrow).await;
        let wrong = CreateServer { label: String::new(), ..by_plan(stage, &narrow, "") };
        let mut wrong = fields(buy(stage, wrong).await);
        wrong.sort();
        assert_eq!(wrong, ["image", "label", "region"]);
        let wide = SalePlanChange {
            regions: Some(Vec::new()),
            images: Some(vec![image]),
            ..SalePlanChange::default()
        };
        let wide = change(stage, &plan, wide).await;
        buy(stage, by_plan(stage, &wide, "fits")).await.unwrap();

        let off = SalePlanChange { active: Some(false), ..SalePlanChange::default() };
        change(stage, &plan, off).await;
        assert_eq!(fields(buy(stage, by_plan(stage, &plan, "off")).await), ["plan_id"]);
        assert!(on_sale(stage).await.iter().all(|it| it.id != plan.id));
        let on = SalePlanChange { active: Some(true), ..SalePlanChange::default() };
        change(stage, &plan, on).await;
        let inactive = ProviderChange { active: Some(false), ..ProviderChange::default() };
        stage.platform.change_provider(&stage.operator(), stage.account, inactive).await.unwrap();
        assert_eq!(on_sale(stage).await, []);
        let closed = buy(stage, by_plan(stage, &plan, "closed")).await;
        assert!(matches!(closed, Err(Error::ProviderInactive)), "{closed:?}");
        let closed = stage.platform.import_plans(&stage.operator(), all_of(stage, Markup::None)).await;
        assert!(matches!(closed, Err(Error::ProviderInactive)), "{closed:?}");
    }

    async fn who_buys_while_prices_change_pays_one_that_was_asked(stage: &Stage) {
        import(stage, Markup::None).await;
        let plan = usual(stage).await;
        let changes = async {
            for step in 1..=20 {
                let markup = Some(percent(&step.to_string()));
                change(stage, &plan, SalePlanChange { markup, ..SalePlanChange::default() }).await;
            }
        };
        let buyers = (0..12).map(|it| buy(stage, by_plan(stage, &plan, &format!("web-{it}"))));
        let ((), bought) = tokio::join!(changes, join_all(buyers));
        let mut sold = 0;
        for it in bought {
            match it {
                Ok((price, sale)) => {
                    assert_eq!(price, Some(sale.markup.apply(&sale.base).unwrap()));
                    sold += 1;
                }
                // It changed under the buyer's hands again and again, and they are told so.
                Err(Error::Conflict(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        // All of them may have met a change at each of their tries; once prices rest, none does.
        buy(stage, by_plan(stage, &plan, "later")).await.unwrap();
        sold += 1;
        assert_eq!(stage.servers().await.len(), sold);
    }

    async fn a_resize_by_a_plan_on_sale_costs_what_the_plan_does_then(stage: &Stage) {
        import(stage, percent("10")).await;
        let large = on_sale(stage).await.into_iter().find(|it| it.remote.as_str() == stage.vendor.larger).unwrap();
        stage.start(1);
        let request = by_plan(stage, &usual(stage).await, "web");
        let created = stage.platform.create_server(&stage.member(), request).await.unwrap();
        stage.succeeds(created.operation.id).await;
        let id = created.instance.id;
        if (stage.vendor.descriptor)().resize.needs_stopped {
            let shutdown = stage.act(id, OperationKind::Shutdown).await;
            stage.succeeds(shutdown.id).await;
        }
        let ask = async || {
            let request = ResizeServer { sale: Some(large.id), plan: String::new(), grow_disk: false };
            stage.platform.resize_server(&stage.member(), id, request).await
        };
        let off = SalePlanChange { active: Some(false), ..SalePlanChange::default() };
        change(stage, &large, off).await;
        assert_eq!(fields(ask().await), ["plan_id"]);
        let dearer = |it| SalePlanChange { active: Some(true), markup: Some(percent(it)), ..SalePlanChange::default() };
        change(stage, &large, dearer("20")).await;
        let resized = ask().await.unwrap();
        assert_eq!(resized.instance.sale, created.instance.sale);
        // What the plan costs later is not the server's.
        change(stage, &large, dearer("50")).await;
        stage.succeeds(resized.operation.id).await;
        let server = stage.server(id).await;
        let sale = server.sale.unwrap();
        assert_eq!((sale.plan, sale.markup), (large.id, percent("20")));
        let (base, _) = large.prices_in(&server.specification.region).unwrap();
        let expected = percent("20").apply(base.unwrap()).unwrap();
        let figures = |it: &Price| (it.hourly, it.monthly);
        assert_eq!(figures(&server.price.unwrap()), figures(&expected));
    }

    async fn a_plan_with_servers_is_not_deleted(stage: &Stage) {
        import(stage, Markup::None).await;
        let plan = usual(stage).await;
        buy(stage, by_plan(stage, &plan, "web")).await.unwrap();
        let operator = stage.operator();
        let refused = stage.platform.delete_sale_plan(&operator, plan.id).await;
        let Err(Error::Conflict(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("1 server") && why.contains("`active`"), "{why}");
        let unused = on_sale(stage).await.into_iter().find(|it| it.id != plan.id).unwrap();
        stage.platform.delete_sale_plan(&operator, unused.id).await.unwrap();
        let gone = stage.platform.sale_plan(&operator, unused.id).await;
        assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    }
}

at_each_vendor! {
    async fn the_price_at_create_stays_on_the_server_whatever_becomes_of_the_plan(stage: &Stage) {
        import(stage, percent("10")).await;
        let plan = usual(stage).await;
        let request = by_plan(stage, &plan, "web");
        let accepted = stage.platform.create_server(&stage.member(), request).await.unwrap();
        stage.succeeds(accepted.operation.id).await;
        let dear = SalePlanChange {
            markup: Some(percent("90")),
            name: Some("Dear".to_owned()),
            active: Some(false),
            ..SalePlanChange::default()
        };
        change(stage, &plan, dear).await;
        import(stage, percent("50")).await;
        let server = stage.server(accepted.instance.id).await;
        assert_eq!(server.public_status(), "running");
        assert_eq!(server.price, plan.price);
        assert_eq!(server.sale, accepted.instance.sale);
        assert_eq!(server.sale.unwrap().name, plan.name);
    }

    async fn the_same_key_gives_the_same_server_whatever_becomes_of_the_plan(stage: &Stage) {
        import(stage, percent("10")).await;
        let plan = usual(stage).await;
        let once = CreateServer {
            wait: Duration::ZERO,
            ..by_plan(stage, &plan, "once")
        };
        let key = stage.platform.request_key("key", b"bytes");
        let member = || stage.member().under_key(Some(key.clone()));
        let first = stage.platform.create_server(&member(), once.clone()).await.unwrap();
        let off = SalePlanChange { active: Some(false), ..SalePlanChange::default() };
        change(stage, &plan, off).await;
        let again = stage.platform.create_server(&member(), once).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.instance.sale, first.instance.sale);
    }
}
