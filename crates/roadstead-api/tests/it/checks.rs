//! A create against the catalogue: each rule over HTTP, all that is wrong at once.

use roadstead_sim::Effect;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{Member, TestApp, Viewer, wanted};

/// Has the vendor answer on a path with this list.
fn offer(app: &TestApp, noun: &str, items: Value) {
    let total = items.as_array().map(Vec::len);
    let body = json!({ noun: items, "links": {}, "meta": { "total": total } });
    let effect = Effect {
        status: Some(200),
        body: Some(body),
        ..Effect::default()
    };
    app.spoil(&format!("/v2/{noun}"), effect);
}

fn region(changes: Value) -> Value {
    let mut region = json!({
        "slug": "nyc3", "name": "New York 3", "available": true, "sizes": ["s-1vcpu-1gb"],
        "features": ["backups", "ipv6", "metadata", "private_networking"],
    });
    for (name, value) in changes.as_object().unwrap() {
        region[name] = value.clone();
    }
    json!([region])
}

async fn create(app: &TestApp, changes: Value) -> Answer {
    let mut request = wanted("web");
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    app.post("/api/vps").by(Member).json(&request).await
}

/// Returns the fields that are wrong, with what is said of them.
async fn wrong(app: &TestApp, changes: Value) -> Vec<(String, String)> {
    let refused = create(app, changes).await.refused(400, "VALIDATION_ERROR");
    assert_eq!(app.count().await, 0);
    assert_eq!(app.vendor_calls("POST", "/v2/droplets"), 0);
    let errors = refused.at("/errors");
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let errors = errors.as_array().unwrap().iter();
    errors
        .map(|it| (text(&it["field"]), text(&it["error"])))
        .collect()
}

fn said(field: &str, error: &str) -> (String, String) {
    (field.to_owned(), error.to_owned())
}

#[tokio::test]
async fn what_the_region_does_not_offer_is_refused() {
    let app = TestApp::start_idle().await;
    app.register().await;
    offer(
        &app,
        "regions",
        region(json!({ "features": ["install_agent", "metadata"] })),
    );
    let everything = json!({
        "backups": true, "ipv6": true, "private_network": true, "user_data": "#cloud-config\n",
    });
    let lacking = "region `nyc3` does not offer this";
    assert_eq!(
        wrong(&app, everything).await,
        ["backups", "ipv6", "private_network"].map(|it| said(it, lacking))
    );
    create(&app, json!({ "user_data": "#cloud-config\n" }))
        .await
        .ok();
}

#[tokio::test]
async fn a_region_that_is_full_takes_no_server() {
    let app = TestApp::start_idle().await;
    app.register().await;
    offer(&app, "regions", region(json!({ "available": false })));
    assert_eq!(
        wrong(&app, json!({})).await,
        [said("region", "region `nyc3` takes no new servers now")]
    );
}

#[tokio::test]
async fn a_plan_has_to_be_sold_where_the_server_is_wanted() {
    let app = TestApp::start_idle().await;
    app.register().await;
    assert_eq!(
        wrong(&app, json!({ "type": "s-1vcpu-1gb-amd", "region": "atl1" })).await,
        [said(
            "region",
            "plan `s-1vcpu-1gb-amd` is not sold in `atl1`"
        )]
    );
    assert_eq!(
        wrong(&app, json!({ "market": "spot" })).await,
        [said(
            "market",
            "plan `s-1vcpu-1gb` is not sold as spot in `nyc3`"
        )]
    );
    assert_eq!(
        wrong(&app, json!({ "market": "auction" })).await,
        [said("market", "must be `on_demand` or `spot`")]
    );
    create(&app, json!({ "market": "on_demand" })).await.ok();
}

#[tokio::test]
async fn an_image_has_to_be_in_the_region_and_to_fit_on_the_disk() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let image = json!([{
        "id": 63_663_980, "slug": "ubuntu-22-04-x64", "name": "22.04 x64", "type": "base",
        "distribution": "Ubuntu", "public": true, "regions": ["ams3"], "min_disk_size": 100,
        "size_gigabytes": 2.0, "status": "available",
    }]);
    offer(&app, "images", image);
    assert_eq!(
        wrong(&app, json!({})).await,
        [
            said("image", "image `ubuntu-22-04-x64` is not in `nyc3`"),
            said(
                "image",
                "image `ubuntu-22-04-x64` needs 100 GiB of disk, and plan `s-1vcpu-1gb` has 25"
            ),
        ]
    );
}

#[tokio::test]
async fn an_application_is_an_image_although_it_is_not_among_the_images() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let apps = app
        .get("/api/vps/digitalocean/marketplace")
        .by(Viewer)
        .await
        .ok();
    let slug = apps.word("/apps/0/image");
    create(&app, json!({ "image": slug })).await.ok();
    let other = create(&app, json!({ "image": "no-such-app" })).await;
    assert_eq!(other.refused(400, "VALIDATION_ERROR").fields(), ["image"]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let app = TestApp::start_idle().await;
    app.register().await;
    offer(
        &app,
        "regions",
        region(json!({ "features": ["metadata"], "available": false })),
    );
    let all = json!({
        "label": "two words", "tags": ["x"], "type": "s-none", "image": "beos", "backups": true,
        "ssh_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"], "rootPassword": "short",
        "user_data": "x".repeat(70_000), "options": { "color": "red" },
    });
    let wrong = wrong(&app, all).await;
    let mut fields: Vec<_> = wrong.iter().map(|it| it.0.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "backups",
            "image",
            "label",
            "options.color",
            "region",
            "rootPassword",
            "ssh_keys",
            "tags",
            "type",
            "user_data",
        ]
    );
}
