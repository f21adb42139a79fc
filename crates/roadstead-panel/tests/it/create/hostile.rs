//! Hostile texts on the way to a new server: in addresses, fields, and the names that a provider
//! gives its things.

use std::collections::BTreeMap;

use roadstead_sim::{Effect, Fault, When};
use serde_json::{Value, json};

use super::{chosen, ready, send};
use crate::app::TestApp;
use crate::judge;
use crate::people::Member;
use crate::xss::CORPUS;

#[tokio::test]
async fn no_text_of_an_address_becomes_markup_where_the_rest_is_right() {
    let (app, accounts) = ready().await;
    let all = chosen(accounts, "linode");
    for name in [
        "region", "plan", "image", "name", "class", "q", "sort", "cursor", "tab", "app", "script",
    ] {
        for hostile in CORPUS {
            let mut url = reqwest::Url::parse(&format!("http://x/?{all}")).unwrap();
            let kept: Vec<_> = url
                .query_pairs()
                .into_owned()
                .filter(|it| it.0 != name)
                .collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(kept)
                .append_pair(name, hostile);
            for path in [
                "/create",
                "/create/plan",
                "/create/image",
                "/create/details",
            ] {
                let url = format!("{path}?{}", url.query().unwrap());
                let reply = app.get(&url).by(Member).await;
                judge::page(&reply, &url);
            }
        }
    }
}

#[tokio::test]
async fn no_text_of_a_field_becomes_markup_or_leaves_the_request() {
    let (app, accounts) = ready().await;
    let names = [
        "label",
        "more",
        "ssh_keys",
        "public_keys",
        "user_data",
        "tags",
        "notes",
        "options.firewall_id",
        "options.swap_size",
        "options.authorized_users",
        "options.backup_schedule.day",
        "options.vpc_uuid",
        "options.backup_policy.plan",
    ];
    for kind in ["digitalocean", "linode"] {
        for hostile in CORPUS {
            let mut fields: Vec<_> = names.iter().map(|it| (*it, hostile)).collect();
            fields.push(("preview", "on"));
            let reply = send(&app, &chosen(accounts, kind), &fields)
                .await
                .expect(200);
            judge::page(&reply, hostile);
        }
    }
}

/// Has a provider give its things a hostile name.
fn named(app: &TestApp, hostile: &str) {
    let set = |path: &str, places: &[&str]| Fault {
        path: Some(path.to_owned()),
        when: When::After,
        count: u64::MAX,
        effect: Effect {
            json_set: places
                .iter()
                .map(|it| ((*it).to_owned(), json!(hostile)))
                .collect::<BTreeMap<String, Value>>(),
            ..Effect::default()
        },
        ..Fault::default()
    };
    let ocean = app.digitalocean.handle();
    ocean
        .add_fault(set("/v2/regions", &["/regions/0/name", "/regions/0/slug"]))
        .unwrap();
    ocean
        .add_fault(set("/v2/sizes", &["/sizes/0/description", "/sizes/1/slug"]))
        .unwrap();
    ocean
        .add_fault(set(
            "/v2/images",
            &["/images/0/name", "/images/0/distribution", "/images/1/slug"],
        ))
        .unwrap();
    ocean
        .add_fault(set("/v2/firewalls", &["/firewalls/0/name"]))
        .unwrap();
    ocean.add_fault(set("/v2/vpcs", &["/vpcs/0/name"])).unwrap();
    let linode = app.linode.handle();
    linode
        .add_fault(set("/v4/regions", &["/data/0/label", "/data/1/id"]))
        .unwrap();
    linode
        .add_fault(set("/v4/linode/types", &["/data/0/label", "/data/1/id"]))
        .unwrap();
    linode
        .add_fault(set(
            "/v4/images",
            &["/data/0/label", "/data/0/vendor", "/data/1/id"],
        ))
        .unwrap();
    linode
        .add_fault(set(
            "/v4/linode/stackscripts",
            &[
                "/data/0/label",
                "/data/0/description",
                "/data/0/username",
                "/data/0/user_defined_fields/0/label",
                "/data/0/user_defined_fields/0/name",
                "/data/0/user_defined_fields/1/oneof",
                "/data/0/user_defined_fields/1/default",
            ],
        ))
        .unwrap();
    linode
        .add_fault(set("/v4/networking/firewalls", &["/data/0/label"]))
        .unwrap();
}

#[tokio::test]
async fn no_name_that_a_provider_gives_becomes_markup() {
    for hostile in CORPUS {
        let app = TestApp::start().await;
        let accounts @ [blue, green] = app.stock().await;
        named(&app, hostile);
        app.warm(accounts).await;
        for url in [
            format!("/create?account={blue}"),
            format!("/create?account={green}"),
            format!("/create/plan?account={blue}&region=nyc3"),
            format!("/create/plan?account={green}&region=us-ord"),
            format!("/create/image?{}", chosen(accounts, "digitalocean")),
            format!("/create/image?{}", chosen(accounts, "linode")),
            format!("/create/image?{}&tab=apps", chosen(accounts, "linode")),
            format!(
                "/create/image?{}&tab=apps",
                chosen(accounts, "digitalocean")
            ),
            format!("/create/details?{}", chosen(accounts, "digitalocean")),
            format!(
                "/create/details?{}&app=401697",
                chosen(accounts, "linode").replace("debian12", "ubuntu22.04")
            ),
        ] {
            let reply = app.get(&url).by(Member).await;
            judge::page(&reply, &url);
            // It is there, as a text.
            let shown = reply.texts("main").concat();
            assert!(shown.contains(hostile), "{url}: no {hostile} in {shown}");
        }
    }
}
