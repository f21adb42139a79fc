//! Step by step, as it should go.

use super::{KEY, chosen, labels, ready, send};
use crate::people::{Member, Operator};
use crate::reply::Reply;

/// Returns where a form leads with what stands in it, as a browser without a script goes there.
fn follow(page: &Reply, picked: &[(&str, &str)]) -> String {
    let names = page.attributes("main form[method=get] input[type=hidden]", "name");
    let values = page.attributes("main form[method=get] input[type=hidden]", "value");
    let kept = names
        .iter()
        .map(String::as_str)
        .zip(values.iter().map(String::as_str));
    let next = page.attributes("main .sticky button", "formaction");
    let url = format!("http://x{}", next[0]);
    let url = reqwest::Url::parse_with_params(&url, kept.chain(picked.iter().copied())).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

#[tokio::test]
async fn four_pages_lead_to_a_server_at_each_provider() {
    let (app, [blue, green]) = ready().await;
    for (account, region, plan, image, label) in [
        (blue, "nyc3", "s-1vcpu-1gb", "ubuntu-22-04-x64", "web-1"),
        (green, "us-ord", "g6-nanode-1", "linode/debian12", "web-2"),
    ] {
        let account = account.to_string();
        let place = app.get("/create").by(Member).await.expect(200);
        assert_eq!(place.texts("h1"), ["Choose a provider and region"]);
        assert_eq!(place.texts(".sticky button"), ["Continue"]);
        let place = app
            .get(&format!("/create?account={account}"))
            .by(Member)
            .await;
        assert!(
            place
                .attributes("input[name=region]", "value")
                .contains(&region.to_owned())
        );

        let next = follow(&place, &[("account", &account), ("region", region)]);
        let plans = app.get(&next).by(Member).await.expect(200);
        assert_eq!(plans.texts("h1"), ["Choose a plan"]);
        assert_eq!(
            plans.texts(".summary dd")[2..],
            ["Not chosen", "Not chosen"]
        );

        let next = follow(&plans, &[("plan", plan)]);
        let images = app.get(&next).by(Member).await.expect(200);
        assert_eq!(images.texts("h1"), ["Choose an image"]);

        let next = follow(&images, &[("image", image)]);
        let details = app.get(&next).by(Member).await.expect(200);
        assert_eq!(details.texts("h1"), ["Details and review"]);
        let button = &details.texts(".sticky .primary")[0];
        assert!(button.starts_with("Create · $"), "{button}");
        let action = &details.attributes("main form[method=post]", "action")[0];
        let key = &details.attributes("main form[method=post] input[name=_key]", "value")[0];
        let fields = [("_key", key.as_str()), ("label", label)];
        let reply = app.post(action, &fields).by(Member).await.expect(303);
        assert!(
            reply.header("location").starts_with("/servers/"),
            "{}",
            reply.header("location")
        );
    }
    assert_eq!(labels(&app).await, ["web-1", "web-2"]);
}

#[tokio::test]
async fn the_price_that_is_shown_is_the_price_that_is_paid() {
    let (app, accounts @ [blue, _]) = ready().await;
    app.sell(blue, &[]).await;
    let address = format!("/create/plan?account={blue}&region=nyc3&name=1vcpu-1gb&price=8.4");
    let page = app.get(&address).by(Member).await.expect(200);
    let rows = page.texts("tbody tr");
    assert!(rows[0].contains("$7.20"), "{rows:?}");
    let plan = &page.attributes("input[name=plan]", "value")[0];
    let query = chosen(accounts, "digitalocean").replace("s-1vcpu-1gb", plan);
    let page = app
        .get(&format!("/create/details?{query}"))
        .by(Member)
        .await
        .expect(200);
    assert_eq!(page.texts(".sticky .primary"), ["Create · $7.20/mo"]);
    send(&app, &query, &[("label", "web-1")]).await.expect(303);
    let csv = app.get("/servers.csv").by(Member).await.expect(200);
    assert!(csv.text.contains(",7.2,"), "{}", csv.text);
    // What is not on sale cannot be had by a guess.
    let page = app.get(&format!(
        "/create/details?{}",
        chosen(accounts, "digitalocean")
    ));
    let page = page.by(Member).await;
    assert!(
        page.mistake("plan").contains("not on sale here"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn plans_are_filtered_sorted_and_paged_by_the_address() {
    let (app, [blue, green]) = ready().await;
    let at = format!("/create/plan?account={blue}&region=nyc3");
    let values = async |more: &str| {
        let page = app.get(&format!("{at}{more}")).by(Member).await.expect(200);
        page.attributes("input[name=plan]:not([disabled])", "value")
    };
    assert_eq!(values("").await[..2], ["s-1vcpu-512mb-10gb", "s-1vcpu-1gb"]);
    assert_eq!(
        values("&class=Basic&memory=2&vcpus=2&price=20").await,
        ["s-2vcpu-2gb"]
    );
    assert_eq!(values("&name=nothing").await, [""; 0]);
    let dearest = values("&sort=-monthly").await;
    let cheapest = values("&sort=monthly").await;
    assert_ne!(dearest[0], cheapest[0]);
    let by_memory = values("&sort=memory&class=Basic").await;
    assert_eq!(by_memory[0], "s-1vcpu-512mb-10gb");

    // There are more than a page.
    let page = app.get(&at).by(Member).await.expect(200);
    let count = &page.texts(".count")[0];
    let all: usize = count.split(' ').next().unwrap().parse().unwrap();
    assert!(
        all > 100 && count.ends_with(&format!("of {all} plans")),
        "{count}"
    );
    assert_eq!(page.texts("tbody tr").len(), 100);
    let next = page.attributes("a[rel=next]", "href");
    let page = app.get(&next[0]).by(Member).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), all - 100);

    // What is chosen stays in sight, and the links of the columns keep it.
    let page = app
        .get(&format!("{at}&plan=s-1vcpu-1gb&name=2vcpu-4gb"))
        .by(Member)
        .await;
    let chosen = page.attributes("tbody tr:first-child input[checked]", "value");
    assert_eq!(chosen, ["s-1vcpu-1gb"], "{}", page.text);
    let sort = &page.attributes("thead a", "href")[1];
    assert!(
        sort.contains("plan=s-1vcpu-1gb") && sort.contains("name=2vcpu-4gb"),
        "{sort}"
    );
    assert!(page.texts(".bar-price")[0].starts_with("$6.00 per month"));

    // What cannot be had says why, in its name.
    let page = app
        .get(&format!("/create/plan?account={green}&region=us-ord"))
        .by(Member)
        .await;
    let named = page.texts("tr:has(input[disabled]) label");
    assert!(!named.is_empty());
    for name in named {
        assert!(name.contains("Cannot be chosen: it is "), "{name}");
    }
    let only = format!("/create/plan?account={green}&region=us-ord&available=on");
    let page = app.get(&only).by(Member).await.expect(200);
    assert_eq!(
        page.attributes("input[name=plan][disabled]", "value"),
        [""; 0]
    );
}

#[tokio::test]
async fn a_plan_is_sold_where_the_operator_sells_it() {
    let (app, [blue, _]) = ready().await;
    app.sell(blue, &["nyc3"]).await;
    let page = app
        .get(&format!("/create?account={blue}"))
        .by(Member)
        .await
        .expect(200);
    assert_eq!(
        page.attributes("input[name=region]:not([disabled])", "value"),
        ["nyc3"]
    );
    assert!(
        page.text
            .contains("Cannot be chosen: nothing is on sale there"),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("nyc3, United States, from $4.80 per month"),
        "{}",
        page.text
    );
    let page = app
        .get(&format!("/create/plan?account={blue}&region=fra1"))
        .by(Member)
        .await;
    assert!(
        page.text.contains("it is not sold in `fra1`"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn regions_stand_where_they_are_in_the_world() {
    let (app, [_, green]) = ready().await;
    let page = app
        .get(&format!("/create?account={green}"))
        .by(Member)
        .await
        .expect(200);
    let groups = page.texts("h2.group");
    assert_eq!(
        groups[..2],
        ["North America", "South America"],
        "{groups:?}"
    );
    assert!(groups.contains(&"Europe".to_owned()));
    let [america, brazil] = ["Chicago, IL", "Sao Paulo, BR"].map(|it| page.text.find(it).unwrap());
    assert!(america < brazil);
}

#[tokio::test]
async fn an_image_that_does_not_go_with_the_plan_says_why() {
    let (app, [blue, green]) = ready().await;
    let small = format!("account={blue}&region=nyc3&plan=s-1vcpu-512mb-10gb");
    let page = app
        .get(&format!("/create/image?{small}"))
        .by(Member)
        .await
        .expect(200);
    assert!(
        page.text
            .contains("Cannot be chosen: it needs a disk of 15 GiB"),
        "{}",
        page.text
    );
    let page = app
        .get(&format!("/create/details?{small}&image=debian-11-x64"))
        .by(Member)
        .await;
    assert!(page.mistake("image").contains("it needs a disk of 15 GiB"));
    let page = app
        .get(&format!("/create/image?{small}&q=debian"))
        .by(Member)
        .await
        .expect(200);
    let count = &page.texts(".count")[0];
    assert!(
        count.contains(" of ") && !page.text.contains("almalinux"),
        "{count}"
    );
    // Only this provider keeps scripts.
    assert!(!page.texts(".tabs a").contains(&"Scripts".to_owned()));
    let linode = format!("account={green}&region=us-ord&plan=g6-nanode-1");
    let page = app
        .get(&format!("/create/image?{linode}"))
        .by(Member)
        .await
        .expect(200);
    assert!(
        page.texts(".tabs a").contains(&"Scripts".to_owned()),
        "{:?}",
        page.texts(".tabs a")
    );
}

#[tokio::test]
async fn an_application_asks_for_its_image_and_for_what_it_needs() {
    let (app, [_, green]) = ready().await;
    let linode = format!("account={green}&region=us-ord&plan=g6-nanode-1&app=401697");
    // Without the image, the page asks for it, with those that the application works upon.
    let page = app
        .get(&format!("/create/details?{linode}"))
        .by(Member)
        .await;
    assert!(
        page.mistake("image")
            .contains("Choose the image that it works upon")
    );
    let images = page.attributes("#field-image option", "value");
    assert_eq!(images, ["", "linode/ubuntu24.04", "linode/ubuntu22.04"]);
    let wrong = app
        .get(&format!("/create/details?{linode}&image=linode/debian12"))
        .by(Member);
    assert!(wrong.await.mistake("image").contains("does not work upon"));

    let query = format!("{linode}&image=linode/ubuntu22.04");
    let page = app
        .get(&format!("/create/details?{query}"))
        .by(Member)
        .await
        .expect(200);
    let chosen = page.attributes(
        "select[name='options.stackscript_data.webserver_stack'] [selected]",
        "value",
    );
    assert_eq!(chosen, ["Apache"]);
    let secret = page.attributes("input[name='options.stackscript_data.db_password']", "type");
    assert_eq!(secret, ["password"]);
    let title = page.attributes("input[name='options.stackscript_data.site_title']", "value");
    assert_eq!(title, ["My WordPress Site"]);
    // The script itself is no question.
    assert!(!page.text.contains("name=\"options.stackscript_id\""));

    let fields = [
        ("label", "blog-1"),
        ("options.stackscript_data.soa_email_address", ""),
    ];
    let refused = send(&app, &query, &fields).await;
    let said = refused.mistake("options.stackscript_data.soa_email_address");
    assert!(said.contains("is required"), "{said}");
    let fields = [
        ("label", "blog-1"),
        ("options.stackscript_data.soa_email_address", "a@b.example"),
    ];
    send(&app, &query, &fields).await.expect(303);

    // Several answers at once, to a script of the account's own.
    let query = format!(
        "account={green}&region=us-ord&plan=g6-nanode-1&script=1700002&image=linode/debian12"
    );
    let fields = [
        ("label", "node-1"),
        ("options.stackscript_data.cluster_name", "main"),
        ("options.stackscript_data.join_password", "hunter2hunter2"),
        ("options.stackscript_data.roles", "web"),
        ("options.stackscript_data.roles", "worker"),
    ];
    send(&app, &query, &fields).await.expect(303);
    assert_eq!(labels(&app).await, ["blog-1", "node-1"]);
}

#[tokio::test]
async fn several_servers_come_of_one_form_and_the_same_form_makes_no_more() {
    let (app, accounts) = ready().await;
    let query = chosen(accounts, "digitalocean");
    let fields = [
        KEY,
        ("label", "web-1"),
        ("more", "web-2\n\nweb-3\n"),
        ("notes", "ours"),
    ];
    send(&app, &query, &fields).await.leads_to("/");
    send(&app, &query, &fields).await.leads_to("/");
    assert_eq!(labels(&app).await, ["web-1", "web-2", "web-3"]);

    // What was made before something went wrong is said, and not made again.
    let fields = [KEY_TWO, ("label", "web-4"), ("more", "-bad-\nweb-5")];
    let reply = send(&app, &query, &fields).await;
    reply.mistake("label");
    assert!(
        reply.text.contains("Being created: web-4"),
        "{}",
        reply.text
    );
    assert_eq!(reply.attributes("#field-label", "value"), ["-bad-"]);
    assert_eq!(reply.texts("#field-more"), ["web-5"]);
    assert_eq!(labels(&app).await, ["web-1", "web-2", "web-3", "web-4"]);
    let many: String = (0..10).map(|it| format!("many-{it}\n")).collect();
    send(&app, &query, &[("label", "x-1"), ("more", &many)])
        .await
        .mistake("more");
}

const KEY_TWO: (&str, &str) = ("_key", "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b11");

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_server() {
    let (app, accounts) = ready().await;
    for (kind, label) in [("digitalocean", "web-1"), ("linode", "web-2")] {
        let query = chosen(accounts, kind);
        let page = app
            .get(&format!("/create/details?{query}"))
            .by(Member)
            .await
            .expect(200);
        let key = &page.attributes("main form[method=post] input[name=_key]", "value")[0];
        let fields = [
            ("_key", key.as_str()),
            ("label", label),
            ("rootPassword", "Correct-Horse-7"),
        ];
        let (one, two) = tokio::join!(send(&app, &query, &fields), send(&app, &query, &fields));
        let three = send(&app, &query, &fields).await;
        let places = [one, two, three].map(|it| it.expect(303).header("location").to_owned());
        assert!(places.iter().all(|it| *it == places[0]), "{places:?}");
    }
    assert_eq!(labels(&app).await, ["web-1", "web-2"]);
}

#[tokio::test]
async fn keys_of_the_organization_are_chosen_by_their_names() {
    let (app, accounts) = ready().await;
    let grant = app.caller(Member).await.grant(None).unwrap();
    let text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let add = roadstead_service::AddSshKey {
        name: "laptop".to_owned(),
        public_key: text.to_owned(),
    };
    let key = app.platform.add_ssh_key(&grant, add).await.unwrap();
    let query = chosen(accounts, "linode");
    let page = app
        .get(&format!("/create/details?{query}"))
        .by(Member)
        .await
        .expect(200);
    assert!(page.texts("#field-ssh_keys label")[0].starts_with("laptop SHA256:"));
    let id = key.id.to_string();
    let fields = [("label", "web-1"), ("ssh_keys", &*id), ("preview", "on")];
    let page = send(&app, &query, &fields).await.expect(200);
    assert_eq!(
        page.attributes("input[name=ssh_keys][checked]", "value"),
        [id.as_str()]
    );
    assert_eq!(labels(&app).await, [""; 0]);
    send(&app, &query, &[("label", "web-1"), ("ssh_keys", &id)])
        .await
        .expect(303);
}

#[tokio::test]
async fn what_is_chosen_from_lists_at_the_provider_is_listed() {
    let (app, accounts) = ready().await;
    for (kind, option) in [
        ("digitalocean", "vpc_uuid"),
        ("linode", "placement_group_id"),
    ] {
        let url = format!("/create/details?{}", chosen(accounts, kind));
        // A provider that is slow for once leaves a field to type in.
        let page = app
            .until(
                &url,
                Member,
                &format!("<select id=\"field-options.{option}\""),
            )
            .await;
        let firewalls = page.texts("select[id='field-options.firewall_id'] option");
        assert!(
            firewalls.len() > 1 && firewalls[0] == "None",
            "{firewalls:?}"
        );
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_used_says_why() {
    let (app, [blue, green]) = ready().await;
    let grant = app.caller(Operator).await.operator().unwrap();
    let off = roadstead_service::ProviderChange {
        active: Some(false),
        ..Default::default()
    };
    app.platform
        .change_provider(&grant, blue, off)
        .await
        .unwrap();
    // Only who can switch it on is told of it.
    let page = app.get("/create").by(Operator).await.expect(200);
    assert!(
        page.text.contains("Cannot be chosen: it is switched off"),
        "{}",
        page.text
    );
    assert_eq!(
        page.attributes("input[name=account][disabled]", "value"),
        [blue.to_string()]
    );
    let page = app
        .get(&format!("/create?account={blue}"))
        .by(Member)
        .await
        .expect(200);
    assert_eq!(
        page.attributes("input[name=account]", "value"),
        [green.to_string()]
    );
    let page = app
        .get(&format!("/create/plan?account={blue}&region=nyc3"))
        .by(Member)
        .await;
    assert_eq!(page.mistake("account"), "Choose a provider.");
}

#[tokio::test]
async fn a_region_of_another_provider_is_told_from_its_own() {
    let (app, [_, green]) = ready().await;
    let page = app
        .get(&format!("/create/plan?account={green}&region=nyc3"))
        .by(Member)
        .await;
    assert!(
        page.mistake("region")
            .contains("Green has no region `nyc3`")
    );
    assert_eq!(
        page.attributes("input[name=account][checked]", "value"),
        [green.to_string()]
    );
    let page = app
        .get(&format!("/create/plan?account={green}"))
        .by(Member)
        .await;
    assert_eq!(page.mistake("region"), "Choose a region.");
    // The regions of the provider are there to choose from.
    assert!(
        page.attributes("input[name=region]", "value")
            .contains(&"us-ord".to_owned())
    );
}
