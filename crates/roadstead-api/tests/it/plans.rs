//! Plans on sale over HTTP: money as text, what members see, and what a purchase fixes.

use insta::assert_snapshot;
use roadstead_sim::Effect;
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{Member, Operator, Setup, Stranger, TestApp, Viewer, prepare, template, wanted};

const PLANS: &str = "/api/admin/plans";

async fn sell(app: &TestApp, body: Value) -> Answer {
    app.post(PLANS).by(Operator).json(&body).await
}

fn small(provider: &str) -> Value {
    json!({
        "provider_id": provider,
        "type": "s-1vcpu-1gb",
        "name": "Small",
        "markup": { "kind": "percent", "percent": "12.50" },
    })
}

/// Puts all plans on sale, and returns the account.
async fn imported(app: &TestApp, markup: Value) -> (String, Answer) {
    let provider = app.register().await;
    let body = json!({ "provider_id": provider, "markup": markup });
    let import = app.post("/api/admin/plans/import").by(Operator).json(&body);
    (provider, import.await.ok())
}

async fn on_sale(app: &TestApp, query: &str) -> Vec<Value> {
    let path = format!("/api/vps/plans?limit=200&{query}");
    let list = app.get(&path).by(Viewer).await.ok();
    list.at("/plans").as_array().unwrap().clone()
}

fn fixed(hourly: &str, monthly: &str, currency: &str) -> Value {
    json!({
        "kind": "fixed",
        "hourly": { "amount": hourly, "currency": currency },
        "monthly": { "amount": monthly, "currency": currency },
    })
}

#[tokio::test]
async fn a_plan_is_put_on_sale_with_an_exact_price() {
    let app = TestApp::start_idle().await;
    let provider = app.register().await;
    let mut body = small(&provider);
    body["regions"] = json!(["nyc3", "nyc3"]);
    let made = sell(&app, body).await;
    let made_plan = made.at("/plan");
    let mut shown = made.json();
    shown["plan"]["offerings"] = json!("[offerings]");
    let shown = Answer {
        text: shown.to_string(),
        ..made
    };
    assert_snapshot!(shown.shown(), @r#"
    200
    {
      "plan": {
        "active": true,
        "arch": "x86_64",
        "base_price": {
          "as_of": "[time]",
          "hourly": {
            "amount": "0.00893",
            "currency": "USD"
          },
          "monthly": {
            "amount": "6",
            "currency": "USD"
          },
          "monthly_is_cap": true,
          "source": "provider_api"
        },
        "class": "Basic",
        "created_at": "[time]",
        "dedicated_cpu": false,
        "disk_gib": 25,
        "gpus": 0,
        "id": "[id]",
        "images": [],
        "markup": {
          "kind": "percent",
          "percent": "12.5"
        },
        "markup_is_own": true,
        "memory_mib": 1024,
        "name": "Small",
        "network_out_mbps": null,
        "offerings": "[offerings]",
        "position": 0,
        "price": {
          "as_of": "[time]",
          "hourly": {
            "amount": "0.01004625",
            "currency": "USD"
          },
          "monthly": {
            "amount": "6.75",
            "currency": "USD"
          },
          "monthly_is_cap": true
        },
        "provider_id": "[id]",
        "provider_type": "digitalocean",
        "regions": [
          "nyc3"
        ],
        "retired": false,
        "transfer_gb": 1000,
        "type": "s-1vcpu-1gb",
        "updated_at": "[time]",
        "vcpus": 1
      },
      "success": true
    }
    "#);
    let list = app.get("/api/vps/plans").by(Viewer).await.ok();
    // The member sees all of that but the operator's own concerns, and only where it can be used.
    let mut seen = made_plan;
    for concern in [
        "regions",
        "markup_is_own",
        "active",
        "retired",
        "position",
        "created_at",
        "updated_at",
    ] {
        seen.as_object_mut().unwrap().remove(concern);
    }
    seen["offerings"] = json!([{ "region": "nyc3", "availability": "available" }]);
    assert_eq!(list.at("/plans"), json!([seen]));
    assert_eq!(list.at("/next_cursor"), Value::Null);
    // What one organization can buy, another can.
    let theirs = app.get("/api/vps/plans").by(Stranger).await.ok();
    assert_eq!(theirs.text, list.text);
    let twice = sell(&app, small(&provider)).await;
    twice.refused(409, "CONFLICT");
}

#[tokio::test]
async fn amounts_are_plain_decimal_texts_and_the_wrong_one_is_named() {
    let app = TestApp::start_idle().await;
    let provider = app.register().await;
    let percent = |it: Value| json!({ "kind": "percent", "percent": it });
    for (markup, field) in [
        (percent(json!(12.5)), "markup.percent"),
        (percent(json!("-1")), "markup.percent"),
        (percent(json!("1e3")), "markup.percent"),
        (percent(json!("10000.1")), "markup.percent"),
        (percent(json!("0.0000000001")), "markup.percent"),
        (percent(json!("9".repeat(100_000))), "markup.percent"),
        (json!({ "kind": "percent" }), "markup.percent"),
        (json!({ "kind": "none", "percent": "1" }), "markup.percent"),
        (json!({ "kind": "discount" }), "markup.kind"),
        (json!({ "percent": "1" }), "markup.kind"),
        (
            json!({ "kind": "percent", "percent": "1", "extra": 1 }),
            "markup.extra",
        ),
        (json!("12.5"), "markup"),
        (fixed("-0.1", "1", "USD"), "markup.hourly.amount"),
        (fixed("0.1", "", "USD"), "markup.monthly.amount"),
        (fixed("0.1", "9999999999", "USD"), "markup.monthly.amount"),
        (fixed("0.1", "1", "XXX"), "markup.hourly.currency"),
        // The provider's prices are in dollars.
        (fixed("0.1", "1", "EUR"), "markup"),
        (fixed("0.1", "9223372036", "USD"), "markup"),
    ] {
        let mut body = small(&provider);
        body["markup"] = markup.clone();
        let refused = sell(&app, body).await;
        let refused = refused.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.fields(), [field], "{markup}");
    }
    let mixed = json!({
        "kind": "fixed",
        "hourly": { "amount": "1", "currency": "USD" },
        "monthly": { "amount": "1", "currency": "EUR" },
    });
    let missing = json!({ "kind": "fixed", "hourly": { "amount": "1", "currency": "USD" } });
    for (markup, field) in [
        (mixed, "markup.monthly.currency"),
        (missing, "markup.monthly"),
    ] {
        let body = json!({ "provider_id": provider, "markup": markup });
        let refused = app
            .post("/api/admin/plans/import")
            .by(Operator)
            .json(&body)
            .await;
        assert_eq!(refused.refused(400, "VALIDATION_ERROR").fields(), [field]);
    }
    for (base, field) in [
        (json!({}), "base_price"),
        (
            json!({ "hourly": { "amount": 1, "currency": "USD" } }),
            "base_price.hourly.amount",
        ),
        (
            json!({ "hourly": { "amount": ".5", "currency": "USD" } }),
            "base_price.hourly.amount",
        ),
        (
            json!({ "hourly": { "amount": "1", "currency": "EUR" } }),
            "base_price",
        ),
    ] {
        let mut body = small(&provider);
        body["base_price"] = base.clone();
        let refused = sell(&app, body).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.fields(), [field], "{base}");
    }
    assert_eq!(on_sale(&app, "").await, [json!(null); 0]);
}

#[tokio::test]
async fn every_other_wrong_field_is_named_too() {
    let app = TestApp::start_idle().await;
    let provider = app.register().await;
    let with = |field: &str, value: Value| {
        let mut body = small(&provider);
        body[field] = value;
        body
    };
    for (body, field) in [
        (with("type", json!("nosuch")), "type"),
        (with("type", json!("")), "type"),
        (with("name", json!("")), "name"),
        (with("name", json!("x".repeat(101))), "name"),
        (with("regions", json!(["mars"])), "regions"),
        (with("regions", json!([1])), "regions[0]"),
        (with("images", json!(["nosuch"])), "images"),
        (with("position", json!(-1)), "position"),
        (with("active", json!("yes")), "active"),
        (with("price", json!("1")), "price"),
    ] {
        let refused = sell(&app, body.clone())
            .await
            .refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.fields(), [field], "{body}");
    }
    let nowhere = with("provider_id", json!(uuid::Uuid::now_v7()));
    sell(&app, nowhere).await.refused(404, "PROVIDER_NOT_FOUND");
    for query in [
        "sort=name",
        "limit=0",
        "limit=201",
        "cursor=x",
        "min_vcpus=-1",
        "vcpu=1",
    ] {
        let refused = app.get(&format!("/api/vps/plans?{query}")).by(Viewer).await;
        let refused = refused.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.fields(), [query.split('=').next().unwrap()]);
    }
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let app = TestApp::start_idle().await;
    let provider = app.register().await;
    let made = sell(&app, small(&provider)).await.ok();
    let path = format!("{PLANS}/{}", made.word("/plan/id"));
    let put = async |body: Value| app.put(&path).by(Operator).json(&body).await.ok();
    let base = json!({ "monthly": { "amount": "10", "currency": "USD" } });
    let changed = put(json!({ "base_price": base, "position": 7 })).await;
    assert_eq!(changed.at("/plan/price/hourly"), Value::Null);
    assert_eq!(changed.word("/plan/price/monthly/amount"), "11.25");
    assert_eq!(changed.word("/plan/base_price/source"), "operator");
    assert_eq!(changed.word("/plan/name"), "Small");
    assert_eq!(changed.at("/plan/position"), 7);
    let off = put(json!({ "active": false })).await;
    assert_eq!(off.at("/plan/active"), false);
    assert_eq!(off.word("/plan/price/monthly/amount"), "11.25");
    let back = put(json!({ "base_price": null, "active": true })).await;
    assert_eq!(back.at("/plan/price"), made.at("/plan/price"));
    assert_eq!(put(json!({})).await.at("/plan"), back.at("/plan"));
    let shown = app.get(&path).by(Operator).await.ok();
    assert_eq!(shown.at("/plan"), back.at("/plan"));
    app.delete(&path).by(Operator).await.ok();
    app.delete(&path)
        .by(Operator)
        .await
        .refused(404, "NOT_FOUND");
    app.get(&path).by(Operator).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let app = TestApp::start_idle().await;
    let (provider, import) = imported(&app, json!({ "kind": "percent", "percent": "10" })).await;
    let all = on_sale(&app, "").await;
    assert_eq!(import.at("/import/added"), all.len());
    let hourly = |it: &Value| -> f64 {
        it["price"]["hourly"]["amount"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let cheap = on_sale(&app, "sort=price").await;
    assert!(cheap.iter().map(hourly).is_sorted());
    let dear = on_sale(&app, "sort=-price").await;
    assert!(dear.iter().rev().map(hourly).is_sorted());
    type Fits = fn(&Value) -> bool;
    let filters: [(&str, Fits); 5] = [
        ("min_vcpus=4", |it| it["vcpus"].as_u64() >= Some(4)),
        ("vcpus=4", |it| it["vcpus"] == 4),
        ("min_memory_mib=8192", |it| {
            it["memory_mib"].as_u64() >= Some(8192)
        }),
        ("memory_mib=8192", |it| it["memory_mib"] == 8192),
        ("region=nyc3", |it| {
            it["offerings"]
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it["region"] == "nyc3")
        }),
    ];
    for (query, fits) in filters {
        let expected: Vec<_> = all.iter().filter(|it| fits(it)).cloned().collect();
        assert!(
            !expected.is_empty() && expected.len() < all.len(),
            "{query}"
        );
        assert_eq!(on_sale(&app, query).await, expected, "{query}");
    }
    assert_eq!(on_sale(&app, &format!("provider_id={provider}")).await, all);
    assert_eq!(on_sale(&app, "provider_type=digitalocean").await, all);
    assert_eq!(
        on_sale(&app, "provider_type=linode").await,
        [json!(null); 0]
    );
    let nobody = uuid::Uuid::now_v7();
    assert_eq!(
        on_sale(&app, &format!("provider_id={nobody}")).await,
        [json!(null); 0]
    );

    for sort in ["position", "price", "-price"] {
        let expected = on_sale(&app, &format!("sort={sort}")).await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/vps/plans?sort={sort}&limit=7{cursor}");
            let page = app.get(&path).by(Viewer).await.ok();
            seen.extend(page.at("/plans").as_array().unwrap().clone());
            let Some(next) = page.at("/next_cursor").as_str().map(str::to_owned) else {
                break;
            };
            // It belongs to its order alone.
            let other = if sort == "price" { "position" } else { "price" };
            let path = format!("/api/vps/plans?sort={other}&cursor={next}");
            let wrong = app
                .get(&path)
                .by(Viewer)
                .await
                .refused(400, "VALIDATION_ERROR");
            assert_eq!(wrong.fields(), ["cursor"]);
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{sort}");
    }
    let listed = app
        .get(&format!("{PLANS}?active=false"))
        .by(Operator)
        .await
        .ok();
    assert_eq!(listed.at("/plans"), json!([]));
}

#[tokio::test]
async fn a_provider_that_lies_or_fails_takes_nothing_off_sale() {
    let app = TestApp::start_with(Setup {
        workers: 0,
        vendor_patience: (
            std::time::Duration::from_secs(2),
            std::time::Duration::from_secs(3),
        ),
        ..Setup::default()
    })
    .await;
    let (provider, _) = imported(&app, json!({ "kind": "none" })).await;
    let before = on_sale(&app, "").await;
    let body = json!({ "provider_id": provider, "markup": { "kind": "percent", "percent": "99" } });
    for (effect, code) in [
        (
            Effect {
                status: Some(200),
                body: Some(json!({ "sizes": [], "links": {}, "meta": { "total": 0 } })),
                ..Effect::default()
            },
            "UNKNOWN_ERROR",
        ),
        (
            Effect {
                status: Some(500),
                ..Effect::default()
            },
            "API_ERROR",
        ),
        (
            Effect {
                status: Some(200),
                body: Some(json!({ "sizes": "no" })),
                ..Effect::default()
            },
            "UNKNOWN_ERROR",
        ),
        (
            Effect {
                drop: true,
                ..Effect::default()
            },
            "API_ERROR",
        ),
    ] {
        app.spoil("/v2/sizes", effect);
        let refused = app
            .post("/api/admin/plans/import")
            .by(Operator)
            .json(&body)
            .await;
        // 504 where the provider did not answer to the end.
        assert!(matches!(refused.status, 502 | 504), "{}", refused.text);
        assert_eq!(refused.word("/code"), code, "{}", refused.text);
        assert_eq!(on_sale(&app, "").await, before);
        app.sim.handle().clear_faults();
    }
    // One of the vendor's plans is all there is left, at another price.
    let size = json!({
        "slug": "s-1vcpu-1gb", "memory": 1024, "vcpus": 1, "disk": 25, "transfer": 1.0,
        "price_monthly": 7.0, "price_hourly": 0.01042, "regions": ["nyc3"], "available": true,
        "description": "Basic",
    });
    let sizes = json!({ "sizes": [size], "links": {}, "meta": { "total": 1 } });
    app.spoil(
        "/v2/sizes",
        Effect {
            status: Some(200),
            body: Some(sizes),
            ..Effect::default()
        },
    );
    let done = app
        .post("/api/admin/plans/import")
        .by(Operator)
        .json(&body)
        .await
        .ok();
    assert_eq!(done.at("/import/updated"), 1);
    assert_eq!(done.at("/import/retired"), before.len() - 1);
    let [only] = on_sale(&app, "").await.try_into().unwrap();
    assert_eq!(only["base_price"]["monthly"]["amount"], "7");
    assert_eq!(only["price"]["monthly"]["amount"], "13.93");
    assert_eq!(only["price"]["hourly"]["amount"], "0.0207358");
    let retired = app
        .get(&format!("{PLANS}?active=false&limit=1"))
        .by(Operator)
        .await
        .ok();
    assert_eq!(retired.at("/plans/0/retired"), true);
    let path = format!("{PLANS}/{}", retired.word("/plans/0/id"));
    let again = app
        .put(&path)
        .by(Operator)
        .json(&json!({ "active": true }))
        .await;
    again.refused(409, "CONFLICT");
}

#[tokio::test]
async fn a_purchase_says_what_contradicts_it() {
    let app = TestApp::start_idle().await;
    let (provider, _) = imported(&app, json!({ "kind": "none" })).await;
    let plans = on_sale(&app, "").await;
    let plan = plans.iter().find(|it| it["type"] == "s-1vcpu-1gb").unwrap();
    let by_plan = |more: Value| {
        let mut body = json!({
            "plan_id": plan["id"], "label": "web", "region": "nyc3", "image": "ubuntu-22-04-x64",
        });
        for (field, value) in more.as_object().unwrap() {
            body[field] = value.clone();
        }
        body
    };
    for (more, field) in [
        (json!({ "provider_type": "linode" }), "provider_type"),
        (
            json!({ "provider_id": uuid::Uuid::now_v7() }),
            "provider_id",
        ),
        (json!({ "type": "s-2vcpu-2gb" }), "type"),
        (json!({ "type": "" }), "type"),
        (json!({ "plan_id": uuid::Uuid::now_v7() }), "plan_id"),
        (json!({ "plan_id": "x" }), "plan_id"),
        (json!({ "region": "mars" }), "region"),
    ] {
        let refused = app
            .post("/api/vps")
            .by(Member)
            .json(&by_plan(more.clone()))
            .await;
        let refused = refused.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.json()["field"], field, "{more}");
    }
    let same = json!({
        "provider_type": "digitalocean", "provider_id": provider, "type": "s-1vcpu-1gb",
    });
    app.post("/api/vps")
        .by(Member)
        .json(&by_plan(same))
        .await
        .ok();
    let mut neither = wanted("web");
    neither.as_object_mut().unwrap().remove("type");
    let refused = app.post("/api/vps").by(Member).json(&neither).await;
    assert_eq!(refused.refused(400, "VALIDATION_ERROR").fields(), ["type"]);
    app.post("/api/vps")
        .by(Viewer)
        .json(&by_plan(json!({})))
        .await
        .refused(403, "FORBIDDEN");
    assert_eq!(app.count().await, 1);
}

on_both_databases! {
    prepared(&template(), prepare);

    async fn what_is_shown_is_what_is_charged_and_stays(database: &Scratch) {
        let app = TestApp::start_on(database, Setup { workers: 0, ..Setup::default() }).await;
        imported(&app, fixed("0.000000001", "0.5", "USD")).await;
        let plans = on_sale(&app, "sort=price&region=nyc3").await;
        let plan = plans.iter().find(|it| it["type"] == "s-1vcpu-1gb").unwrap();
        let body = json!({
            "plan_id": plan["id"], "label": "web", "region": "nyc3", "image": "ubuntu-22-04-x64",
        });
        let created = app.post("/api/vps").by(Member).json(&body).await.ok();
        assert_eq!(created.at("/instance/price"), plan["price"]);
        assert_eq!(created.at("/instance/sale/base_price"), plan["base_price"]);
        assert_eq!(created.at("/instance/sale/markup"), plan["markup"]);
        assert_eq!(created.at("/instance/sale/plan_id"), plan["id"]);
        assert_eq!(created.word("/instance/type"), "s-1vcpu-1gb");
        let path = format!("{PLANS}/{}", plan["id"].as_str().unwrap());
        let dearer = json!({ "markup": { "kind": "percent", "percent": "900" }, "active": false });
        app.put(&path).by(Operator).json(&dearer).await.ok();
        app.delete(&path).by(Operator).await.refused(409, "CONFLICT");
        let id = created.word("/instance/id");
        let shown = app.get(&format!("/api/vps/{id}")).by(Member).await.ok();
        assert_eq!(shown.at("/instance"), created.at("/instance"));
        let late = app.post("/api/vps").by(Member).json(&body).await;
        let late = late.refused(400, "VALIDATION_ERROR");
        assert_eq!(late.fields(), ["plan_id"]);
        // Without a plan of ours it is the provider's price, and no terms of ours.
        let plain = app.create("plain").await;
        assert_eq!(plain.json()["instance"].get("sale"), None);
        let hourly = plan["base_price"]["hourly"].clone();
        assert_eq!(plain.at("/instance/price/hourly"), hourly);
    }
}
