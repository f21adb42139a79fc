//! The active accounts, and what their vendors sell.

use insta::assert_snapshot;
use roadstead_sim::TOKEN_FULL;
use serde_json::json;

use crate::answer::Answer;
use crate::app::{Member, Operator, TestApp, Viewer};

#[tokio::test]
async fn the_accounts_are_listed_with_what_they_can_do_and_without_their_token() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let list = app.get("/api/vps/providers").by(Viewer).await.ok();
    assert!(!list.text.contains(TOKEN_FULL), "{}", list.text);
    let mut shown = list.json();
    let descriptor = shown["providers"][0]["descriptor"].take();
    let shown = Answer {
        text: shown.to_string(),
        ..list
    };
    assert_snapshot!(shown.shown(), @r#"
    200
    {
      "next_cursor": null,
      "providers": [
        {
          "descriptor": null,
          "id": "[id]",
          "name": "DO",
          "type": "digitalocean"
        }
      ],
      "success": true
    }
    "#);
    assert_eq!(descriptor["name"], "DigitalOcean");
    assert_eq!(
        descriptor["features"]["power_off"],
        json!({ "supported": "yes" })
    );
    let rescue = &descriptor["features"]["rescue"];
    assert_eq!(rescue["supported"], "no");
    assert!(rescue["why"].is_string());
    assert!(descriptor["options_schema"]["properties"].is_object());
}

#[tokio::test]
async fn an_account_that_is_switched_off_is_not_listed() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    let path = format!("/api/admin/providers/{id}");
    let off = app.patch(&path).by(Operator);
    off.json(&json!({ "active": false })).await.ok();
    let list = app.get("/api/vps/providers").by(Viewer).await.ok();
    assert_eq!(list.at("/providers"), json!([]));
}

#[tokio::test]
async fn each_part_of_the_catalogue_comes_with_its_age() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let get = async |part: &str| {
        let path = format!("/api/vps/digitalocean/{part}");
        app.get(&path).by(Viewer).await
    };
    assert_snapshot!(get("plans").await.shown_with_first("plans"), @r#"
    200
    {
      "age_seconds": "[age]",
      "next_cursor": null,
      "plans": [
        {
          "arch": "x86_64",
          "class": "Basic",
          "dedicated_cpu": false,
          "disk_gib": 10,
          "gpus": 0,
          "id": "s-1vcpu-512mb-10gb",
          "label": "Basic, 1 vCPU, 512 MiB",
          "memory_mib": 512,
          "network_out_mbps": null,
          "offerings": [
            {
              "availability": "available",
              "market": "on_demand",
              "price": {
                "as_of": "[time]",
                "hourly": {
                  "amount": "0.00595",
                  "currency": "USD"
                },
                "monthly": {
                  "amount": "4",
                  "currency": "USD"
                },
                "monthly_is_cap": true
              },
              "region": "ams2"
            },
            "and more"
          ],
          "transfer_gb": 500,
          "vcpus": 1
        },
        "and more"
      ],
      "provider_id": "[id]",
      "success": true
    }
    "#);
    assert_snapshot!(get("images").await.shown_with_first("images"), @r#"
    200
    {
      "age_seconds": "[age]",
      "images": [
        {
          "arch": "x86_64",
          "cloud_init": true,
          "deprecated": false,
          "end_of_life": null,
          "family": "almalinux",
          "id": "almalinux-8-x64",
          "label": "AlmaLinux 8 x64",
          "min_disk_gib": 10,
          "public": true,
          "regions": [
            "nyc1",
            "and more"
          ],
          "version": "[version]"
        },
        "and more"
      ],
      "next_cursor": null,
      "provider_id": "[id]",
      "success": true
    }
    "#);
    assert_snapshot!(get("regions").await.shown_with_first("regions"), @r#"
    200
    {
      "age_seconds": "[age]",
      "next_cursor": null,
      "provider_id": "[id]",
      "regions": [
        {
          "available": true,
          "city": "New York",
          "country": "US",
          "features": [
            "private_network",
            "and more"
          ],
          "id": "nyc1",
          "label": "New York 1"
        },
        "and more"
      ],
      "success": true
    }
    "#);
    assert_snapshot!(get("marketplace").await.shown_with_first("apps"), @r#"
    200
    {
      "age_seconds": "[age]",
      "apps": [
        {
          "answers_in": null,
          "fields": [],
          "id": "akaunting",
          "image": "akaunting",
          "images": null,
          "label": "akaunting",
          "options": {},
          "publisher": null,
          "summary": null
        },
        "and more"
      ],
      "next_cursor": null,
      "provider_id": "[id]",
      "success": true
    }
    "#);
}

#[tokio::test]
async fn sizes_is_another_name_for_plans() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let plans = app.get("/api/vps/digitalocean/plans").by(Viewer).await.ok();
    let sizes = app.get("/api/vps/digitalocean/sizes").by(Viewer).await.ok();
    assert_eq!(sizes.at("/sizes"), plans.at("/plans"));
    assert!(sizes.json().get("plans").is_none());
    // One flight for both.
    assert_eq!(app.vendor_calls("GET", "/v2/sizes"), 1);
}

#[tokio::test]
async fn a_catalogue_is_read_once_until_its_cache_is_cleared() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    for _ in 0..3 {
        let path = format!("/api/vps/digitalocean/regions?provider_id={id}");
        let regions = app.get(&path).by(Viewer).await.ok();
        assert_eq!(regions.word("/provider_id"), id);
    }
    assert_eq!(app.vendor_calls("GET", "/v2/regions"), 1);
    let clear = format!("/api/admin/providers/{id}/cache/clear");
    app.post(&clear).by(Operator).await.ok();
    app.get("/api/vps/digitalocean/regions")
        .by(Viewer)
        .await
        .ok();
    assert_eq!(app.vendor_calls("GET", "/v2/regions"), 2);
}

#[tokio::test]
async fn a_catalogue_that_nobody_has_is_refused_with_the_reason() {
    let app = TestApp::start_idle().await;
    let get = async |path: &str| app.get(path).by(Member).await;
    let none = get("/api/vps/digitalocean/plans").await;
    assert_snapshot!(none.shown(), @r#"
    404
    {
      "code": "PROVIDER_NOT_FOUND",
      "error": "there is no such provider account",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let id = app.register().await;
    for unknown in ["nosuch", "aws"] {
        let refused = get(&format!("/api/vps/{unknown}/plans")).await;
        let refused = refused.refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.fields(), ["provider_type"], "{}", refused.text);
    }
    let mixed = get(&format!("/api/vps/aws/plans?provider_id={id}")).await;
    assert_snapshot!(mixed.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "this account is at `digitalocean`, not `aws`",
      "errors": [
        {
          "error": "this account is at `digitalocean`, not `aws`",
          "field": "provider_id"
        }
      ],
      "field": "provider_id",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let absent = "/api/vps/digitalocean/plans?provider_id=018f0000-0000-7000-8000-000000000000";
    get(absent).await.refused(404, "PROVIDER_NOT_FOUND");
    let no_id = get("/api/vps/digitalocean/plans?provider_id=7").await;
    assert_snapshot!(no_id.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "must be an id",
      "errors": [
        {
          "error": "must be an id",
          "field": "provider_id"
        }
      ],
      "field": "provider_id",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let unheard = get("/api/vps/digitalocean/plans?color=red").await;
    assert_snapshot!(unheard.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "unknown field `color`, expected `provider_id`",
      "errors": [
        {
          "error": "unknown field `color`, expected `provider_id`",
          "field": "color"
        }
      ],
      "field": "color",
      "request_id": "[id]",
      "success": false
    }
    "#);
}
