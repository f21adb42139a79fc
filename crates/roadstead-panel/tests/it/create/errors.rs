//! What is wrong with the last page's form, beside the field that it belongs to.

use super::{KEY, chosen, labels, ready, send};
use crate::people::Member;

#[tokio::test]
async fn every_mistake_stands_beside_its_field() {
    let (app, accounts) = ready().await;
    let long = "x".repeat(70_000);
    let both: [(&str, &str, &str); 12] = [
        ("label", "", "label"),
        ("label", "no spaces", "label"),
        ("label", "ünï-1", "label"),
        ("rootPassword", "short", "rootPassword"),
        (
            "ssh_keys",
            "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b10",
            "ssh_keys",
        ),
        ("public_keys", "ssh-ed25519 AAAA", "ssh_keys"),
        ("tags", "ok-tag x", "tags"),
        ("tags", "rs:i:mine", "tags"),
        ("user_data", &long, "user_data"),
        ("options.firewall_id", "not-an-id", "options.firewall_id"),
        ("more", "web-9", "more"),
        ("notes", &"n".repeat(10_001), "notes"),
    ];
    for kind in ["digitalocean", "linode"] {
        let query = chosen(accounts, kind);
        for (name, value, field) in both {
            let rest = ("label", if name == "label" { value } else { "web-9" });
            let reply = send(&app, &query, &[rest, (name, value)]).await;
            let said = reply.mistake(field);
            assert!(!said.is_empty());
            // The summary leads there.
            let link = format!("#field-{field}");
            assert!(
                reply.attributes(".errors a", "href").contains(&link),
                "{kind}: {field}"
            );
            assert_eq!(reply.texts(".errors h2"), ["There is a problem"]);
        }
    }
    assert_eq!(labels(&app).await, [""; 0]);
}

#[tokio::test]
async fn what_only_one_provider_refuses_stands_beside_its_option() {
    let (app, accounts) = ready().await;
    let ocean: &[(&[(&str, &str)], &str)] = &[
        (
            &[("options.backup_policy.plan", "daily")],
            "options.backup_policy",
        ),
        (
            &[("backups", "on"), ("options.backup_policy.plan", "hourly")],
            "options.backup_policy",
        ),
        (
            &[
                ("backups", "on"),
                ("options.backup_policy.plan", "daily"),
                ("options.backup_policy.weekday", "SUN"),
            ],
            "options.backup_policy",
        ),
        (&[("options.vpc_uuid", "7")], "options.vpc_uuid"),
        (
            &[("options.with_droplet_agent", "maybe")],
            "options.with_droplet_agent",
        ),
    ];
    let linode: &[(&[(&str, &str)], &str)] = &[
        (&[("options.swap_size", "-1")], "options.swap_size"),
        (&[("options.swap_size", "much")], "options.swap_size"),
        (&[("options.vpc_subnet_id", "x")], "options.vpc_subnet_id"),
        (
            &[("options.placement_group_id", "0")],
            "options.placement_group_id",
        ),
        (
            &[("options.disk_encryption", "maybe")],
            "options.disk_encryption",
        ),
        (
            &[("backups", "on"), ("options.backup_schedule.day", "Sunday")],
            "options.backup_schedule",
        ),
        (
            &[
                ("options.backup_schedule.day", "Sunday"),
                ("options.backup_schedule.hour", "2"),
            ],
            "options.backup_schedule",
        ),
    ];
    for (kind, cases) in [("digitalocean", ocean), ("linode", linode)] {
        let query = chosen(accounts, kind);
        for (fields, field) in cases {
            let fields: Vec<_> = fields.iter().copied().chain([("label", "web-9")]).collect();
            let reply = send(&app, &query, &fields).await;
            assert!(!reply.mistake(field).is_empty());
        }
    }
    assert_eq!(labels(&app).await, [""; 0]);
}

#[tokio::test]
async fn several_mistakes_are_said_at_once_and_what_was_typed_stays() {
    let (app, accounts) = ready().await;
    let fields = [
        ("label", "-\"><b>"),
        ("rootPassword", "short"),
        ("public_keys", "ssh-ed25519 nothing"),
        ("backups", "on"),
        ("tags", "one-tag x"),
        ("notes", "\nfirst line is empty"),
        ("user_data", "#cloud-config\n"),
        ("options.backup_policy.hour", "8"),
    ];
    let reply = send(&app, &chosen(accounts, "digitalocean"), &fields).await;
    for field in [
        "label",
        "rootPassword",
        "ssh_keys",
        "tags",
        "options.backup_policy",
    ] {
        reply.mistake(field);
    }
    assert!(reply.texts("title")[0].starts_with("Error: "));
    assert_eq!(reply.attributes("#field-label", "value"), ["-\"><b>"]);
    assert_eq!(reply.attributes("#field-tags", "value"), ["one-tag x"]);
    assert!(
        reply.text.contains("name=\"backups\" value=\"on\" checked"),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains(">\n\nfirst line is empty</textarea>"),
        "{}",
        reply.text
    );
    let hour = "select[id='field-options.backup_policy.hour'] [selected]";
    assert_eq!(reply.attributes(hour, "value"), ["8"]);
    assert!(
        !reply.text.contains("short\""),
        "a password is shown: {}",
        reply.text
    );
}

#[tokio::test]
async fn what_cannot_be_had_here_says_why_and_is_refused_all_the_same() {
    let (app, accounts) = ready().await;
    let atlanta = chosen(accounts, "digitalocean").replace("nyc3", "atl1");
    let page = app
        .get(&format!("/create/details?{atlanta}"))
        .by(Member)
        .await
        .expect(200);
    assert!(
        page.text
            .contains("Cannot be had: Atlanta 1 does not offer this"),
        "{}",
        page.text
    );
    assert_eq!(
        page.attributes("input[name=private_network]", "type"),
        [""; 0]
    );
    let reply = send(
        &app,
        &atlanta,
        &[("label", "web-1"), ("private_network", "on")],
    )
    .await;
    assert!(
        reply
            .mistake("private_network")
            .contains("does not offer this")
    );

    let kubernetes = chosen(accounts, "linode").replace("debian12", "debian12-kube-v1.31.9");
    let page = app
        .get(&format!("/create/details?{kubernetes}"))
        .by(Member)
        .await
        .expect(200);
    assert!(
        page.text.contains("this image does not run cloud-init"),
        "{}",
        page.text
    );
    let reply = send(
        &app,
        &kubernetes,
        &[("label", "web-1"), ("user_data", "#!")],
    )
    .await;
    assert!(reply.mistake("user_data").contains("cloud-init"));
}

#[tokio::test]
async fn what_belongs_to_no_field_is_said_on_top() {
    let (app, accounts) = ready().await;
    let query = chosen(accounts, "digitalocean");
    send(&app, &query, &[KEY, ("label", "web-1")])
        .await
        .expect(303);
    // The same key with another form is another request.
    let reply = send(&app, &query, &[KEY, ("label", "web-2")])
        .await
        .expect(422);
    let said = reply.texts(".errors li");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("was used for another request"), "{said:?}");
    assert_eq!(reply.attributes("#field-label", "value"), ["web-2"]);
    // The form that is shown has a key of its own, and goes through.
    let key = &reply.attributes("main form[method=post] input[name=_key]", "value")[0];
    send(&app, &query, &[("_key", key), ("label", "web-2")])
        .await
        .expect(303);
    assert_eq!(labels(&app).await, ["web-1", "web-2"]);
}

#[tokio::test]
async fn a_choice_that_is_gone_meanwhile_leads_to_its_page() {
    let (app, accounts) = ready().await;
    for (from, to, field) in [
        ("account=", "account=x", "account"),
        ("region=nyc3", "region=sfo1", "region"),
        ("plan=s-1vcpu-1gb", "plan=s-1vcpu-3gb", "plan"),
        ("plan=s-1vcpu-1gb", "plan=", "plan"),
        ("image=ubuntu-22-04-x64", "image=nothing", "image"),
    ] {
        let query = chosen(accounts, "digitalocean").replace(from, to);
        let reply = send(&app, &query, &[("label", "web-1")]).await;
        assert!(!reply.mistake(field).is_empty());
    }
    assert_eq!(labels(&app).await, [""; 0]);
}

#[tokio::test]
async fn a_form_from_another_host_creates_nothing() {
    let (app, accounts) = ready().await;
    let path = format!("/create/details?{}", chosen(accounts, "digitalocean"));
    for site in ["cross-site", "same-site", "none"] {
        let post = app.ask(reqwest::Method::POST, &path).by(Member);
        let post = post
            .form(&[("label", "web-1")])
            .header("sec-fetch-site", site);
        post.await.expect(403);
    }
    // Nor does an address.
    app.get(&format!("{path}&label=web-1&rootPassword=x"))
        .by(Member)
        .await
        .expect(200);
    assert_eq!(labels(&app).await, [""; 0]);
}
