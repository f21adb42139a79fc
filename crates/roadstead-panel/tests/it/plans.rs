//! Plans on sale.

use roadstead_core::{ProviderId, SalePlanId};
use roadstead_service::{
    Accounts, ImportFilter, ImportPlans, OwnMarkups, PageRequest, SalePlan, SalePlanChange,
    SalePlanFilter, SalePlanOrder,
};
use roadstead_sim::{Effect, Fault};
use uuid::Uuid;

use crate::app::TestApp;
use crate::judge;
use crate::people::Operator;
use crate::reply::Reply;
use crate::xss::CORPUS;

/// Puts the plans of an account on sale, and returns one of them.
pub(crate) async fn import(app: &TestApp, account: ProviderId) -> SalePlanId {
    let request = ImportPlans {
        provider: account,
        markup: roadstead_core::Markup::None,
        own_markups: OwnMarkups::Keep,
        regions: Vec::new(),
        filter: ImportFilter::default(),
    };
    let grant = app.caller(Operator).await.operator().unwrap();
    app.platform.import_plans(&grant, request).await.unwrap();
    plan(app, "s-1vcpu-1gb").await.id
}

/// Has one plan of an account in the books, and off sale, so that the vendor's own are sold.
pub(crate) async fn one_off_sale(app: &TestApp, account: ProviderId) -> SalePlanId {
    let request = ImportPlans {
        provider: account,
        markup: roadstead_core::Markup::None,
        own_markups: OwnMarkups::Keep,
        regions: Vec::new(),
        filter: ImportFilter {
            plans: vec!["s-1vcpu-1gb".to_owned()],
            ..ImportFilter::default()
        },
    };
    let grant = app.caller(Operator).await.operator().unwrap();
    app.platform.import_plans(&grant, request).await.unwrap();
    let id = plan(app, "s-1vcpu-1gb").await.id;
    let change = SalePlanChange {
        active: Some(false),
        ..SalePlanChange::default()
    };
    app.platform
        .change_sale_plan(&grant, id, change)
        .await
        .unwrap();
    id
}

/// Returns the plan with a vendor's id.
async fn plan(app: &TestApp, remote: &str) -> SalePlan {
    let grant = app.caller(Operator).await.operator().unwrap();
    let filter = SalePlanFilter {
        name: Some(remote.to_owned()),
        accounts: Accounts::All,
        ..SalePlanFilter::default()
    };
    let page = PageRequest {
        cursor: None,
        limit: 200,
    };
    let found = app
        .platform
        .sale_plans(&grant, &filter, SalePlanOrder::Position, &page);
    let mut found = found.await.unwrap().items.into_iter();
    found.find(|it| it.remote.as_str() == remote).unwrap()
}

async fn monthly(app: &TestApp, remote: &str) -> String {
    let price = plan(app, remote).await.price.unwrap();
    price.monthly.unwrap().amount.normalize().to_string()
}

fn counts(page: &Reply) -> Vec<(String, String)> {
    let facts = page.texts("main dt").into_iter();
    facts.zip(page.texts("main dd")).collect()
}

#[tokio::test]
async fn plans_are_imported_with_a_markup_that_is_exact() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await.map(|it| it.to_string());
    let page = app.get("/plans").by(Operator).await.expect(200);
    assert_eq!(page.attributes(".empty a", "href"), ["/plans/import"]);

    let send = async |fields: &[(&str, &str)]| {
        let fields = [&[("provider", account.as_str())], fields].concat();
        app.post("/plans/import", &fields).by(Operator).await
    };
    let reply = send(&[("markup", "percent"), ("percent", "12.5")])
        .await
        .expect(303);
    let page = app
        .get(reply.header("location"))
        .by(Operator)
        .await
        .expect(200);
    let added = counts(&page)
        .into_iter()
        .find(|it| it.0 == "New on sale")
        .unwrap()
        .1;
    assert!(added.parse::<u32>().unwrap() > 10, "{added}");
    assert!(page.text.contains("From Blue."), "{}", page.text);
    // 6 dollars and an eighth of them.
    assert_eq!(monthly(&app, "s-1vcpu-1gb").await, "6.75");
    let page = app
        .get("/plans?name=S-1VCPU-1GB&sort=price")
        .by(Operator)
        .await
        .expect(200);
    let row = page
        .texts("tbody tr")
        .into_iter()
        .find(|it| it.contains("s-1vcpu-1gb Blue"))
        .unwrap();
    assert!(
        row.contains("$6.00") && row.contains("12.5 %") && row.contains("$6.75"),
        "{row}"
    );

    // One with a markup of its own keeps it, unless it is said otherwise.
    let small = plan(&app, "s-1vcpu-1gb").await;
    let place = format!("/plans/{}", small.id);
    let own = [
        ("name", "Small"),
        ("markup", "fixed"),
        ("monthly", "0.999999999"),
        ("hourly", "0.001"),
        ("currency", "USD"),
    ];
    app.post(&place, &own).by(Operator).await.leads_to(&place);
    assert_eq!(monthly(&app, "s-1vcpu-1gb").await, "6.999999999");
    let page = app.get(&place).by(Operator).await.expect(200);
    assert_eq!(page.texts("h1"), ["Small"]);
    assert_eq!(page.attributes("#field-monthly", "value"), ["0.999999999"]);
    assert!(page.texts(".price")[0] == "$6.999999999", "{}", page.text);
    let nothing = [("markup", "none")];
    send(&nothing).await.expect(303);
    assert_eq!(monthly(&app, "s-1vcpu-1gb").await, "6.999999999");
    send(&[("markup", "none"), ("replace_markups", "on")])
        .await
        .expect(303);
    assert_eq!(monthly(&app, "s-1vcpu-1gb").await, "6");
    assert_eq!(plan(&app, "s-1vcpu-1gb").await.name, "Small");
}

#[tokio::test]
async fn a_new_name_alone_leaves_the_markup_to_imports() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    let id = import(&app, account).await;
    let place = format!("/plans/{id}");
    let fields = [("name", "Small"), ("markup", "none"), ("currency", "USD")];
    app.post(&place, &fields)
        .by(Operator)
        .await
        .leads_to(&place);
    let plan = plan(&app, "s-1vcpu-1gb").await;
    assert_eq!((plan.name.as_str(), plan.markup_is_own), ("Small", false));
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_nothing_is_imported() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await.map(|it| it.to_string());
    let send = async |fields: &[(&str, &str)]| {
        let fields = [&[("provider", account.as_str())], fields].concat();
        app.post("/plans/import", &fields).by(Operator).await
    };
    for percent in ["", "-5", "1e3", "12,5", "10001", "0.0000000001"] {
        send(&[("markup", "percent"), ("percent", percent)])
            .await
            .mistake("percent");
    }
    let euro = [
        ("markup", "fixed"),
        ("hourly", "1"),
        ("monthly", "1"),
        ("currency", "EUR"),
    ];
    assert!(send(&euro).await.mistake("markup").contains("EUR"));
    send(&[("markup", "fixed"), ("hourly", "x")])
        .await
        .mistake("monthly");
    send(&[("markup", "none"), ("percent", "5")])
        .await
        .mistake("percent");
    send(&[("markup", "none"), ("regions", "nyc3, mars1")])
        .await
        .mistake("regions");
    let page = send(&[("markup", "none"), ("types", "s-none")]).await;
    page.mistake("types");
    assert_eq!(
        page.attributes("details[open] #field-types", "value"),
        ["s-none"]
    );
    send(&[("markup", "none"), ("classes", "none")])
        .await
        .mistake("classes");
    send(&[("markup", "none"), ("min_vcpus", "two")])
        .await
        .mistake("min_vcpus");
    let none = [("provider", ""), ("markup", "none")];
    app.post("/plans/import", &none)
        .by(Operator)
        .await
        .mistake("provider");
    let page = app.get("/plans").by(Operator).await.expect(200);
    assert_eq!(page.texts(".empty h2"), ["No plan yet"]);
}

#[tokio::test]
async fn an_import_that_is_sent_twice_is_reported_alike() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await.map(|it| it.to_string());
    let key = Uuid::now_v7().to_string();
    let fields = [
        ("_key", key.as_str()),
        ("provider", account.as_str()),
        ("markup", "none"),
    ];
    let send = async || {
        app.post("/plans/import", &fields)
            .by(Operator)
            .await
            .expect(303)
    };
    let (one, two) = tokio::join!(send(), send());
    assert_eq!(one.header("location"), two.header("location"));
    assert!(
        !one.header("location").contains("added=0"),
        "{}",
        one.header("location")
    );
}

#[tokio::test]
async fn a_plan_is_taken_off_sale_and_put_back_where_one_was() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    let id = import(&app, account).await.to_string();
    let list = "/plans?name=s-1vcpu-1gb&active=yes";
    let page = app.get(list).by(Operator).await.expect(200);
    assert_eq!(page.attributes("#sale input[name=back]", "value"), [list]);
    let key = Uuid::now_v7().to_string();
    let send = async |name: &str, back: &str| {
        let fields = [("_key", key.as_str()), (name, id.as_str()), ("back", back)];
        app.post("/plans/sale", &fields).by(Operator).await
    };
    send("stop", list).await.leads_to(list);
    assert!(!plan(&app, "s-1vcpu-1gb").await.active);
    let page = app
        .get("/plans?name=s-1vcpu-1gb&active=no")
        .by(Operator)
        .await
        .expect(200);
    assert_eq!(
        page.attributes("tbody button[name=resume]", "value"),
        [id.as_str()]
    );
    // With the key of the same page, as after Back; and never away from here.
    send("resume", "//evil.example/").await.leads_to("/");
    assert!(plan(&app, "s-1vcpu-1gb").await.active);
    let fields = [("stop", "x")];
    app.post("/plans/sale", &fields)
        .by(Operator)
        .await
        .expect(404);
    let place = format!("/plans/{id}");
    app.post(&format!("{place}/delete"), &[])
        .by(Operator)
        .await
        .leads_to("/plans");
    app.get(&place).by(Operator).await.expect(404);
}

#[tokio::test]
async fn a_plan_that_is_in_use_is_not_deleted() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    let id = import(&app, account).await;
    app.create_with("web-1", |it| it.sale = Some(id)).await;
    let page = app
        .post(&format!("/plans/{id}/delete"), &[])
        .by(Operator)
        .await
        .expect(422);
    assert!(
        page.texts(".errors")[0].contains("still has 1 server"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_long_list_goes_on_with_its_filters() {
    let app = TestApp::start().await;
    for account in app.stock().await {
        let request = ImportPlans {
            provider: account,
            markup: roadstead_core::Markup::None,
            own_markups: OwnMarkups::Keep,
            regions: Vec::new(),
            filter: ImportFilter::default(),
        };
        let grant = app.caller(Operator).await.operator().unwrap();
        app.platform.import_plans(&grant, request).await.unwrap();
    }
    let page = app
        .get("/plans?active=yes&sort=price")
        .by(Operator)
        .await
        .expect(200);
    let next = page.attributes("a[rel=next]", "href");
    if let [next] = next.as_slice() {
        assert!(
            next.starts_with("/plans?active=yes&sort=price&cursor="),
            "{next}"
        );
        assert_eq!(page.texts("tbody tr").len(), 100);
        let page = app.get(next).by(Operator).await.expect(200);
        assert!(!page.texts("tbody tr").is_empty());
    }
    let page = app
        .get("/plans?region=nyc3&vcpus=2&memory=4")
        .by(Operator)
        .await
        .expect(200);
    let rows = page.texts("tbody tr");
    assert!(
        !rows.is_empty() && rows.iter().all(|it| it.contains("Blue")),
        "{rows:?}"
    );
}

#[tokio::test]
async fn no_name_of_a_provider_s_becomes_markup() {
    let app = TestApp::start().await;
    let [account, _] = app.stock().await;
    for hostile in CORPUS {
        let mut effect = Effect::default();
        let name = serde_json::json!(hostile);
        effect
            .json_set
            .insert("/sizes/0/description".to_owned(), name);
        let fault = Fault {
            path: Some("/v2/sizes".to_owned()),
            effect,
            ..Fault::default()
        };
        app.digitalocean.handle().clear_faults();
        app.digitalocean.handle().add_fault(fault).unwrap();
        let account = account.to_string();
        let fields = [("provider", account.as_str()), ("markup", "none")];
        app.post("/plans/import", &fields)
            .by(Operator)
            .await
            .expect(303);
        let query = reqwest::Url::parse_with_params("http://x/", [("q", hostile)]).unwrap();
        for path in [
            "/plans".to_owned(),
            format!("/search?{}", query.query().unwrap()),
        ] {
            let page = app.get(&path).by(Operator).await.expect(200);
            judge::page(&page, &path);
        }
    }
}
