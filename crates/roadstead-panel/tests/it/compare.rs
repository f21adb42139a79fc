//! All plans side by side.

use roadstead_sim::{Effect, Fault};

use crate::app::TestApp;
use crate::create::ready;
use crate::judge;
use crate::people::{Member, Stranger, Viewer};
use crate::xss::CORPUS;

#[tokio::test]
async fn plans_of_all_providers_are_filtered_and_sorted_together() {
    let (app, [blue, green]) = ready().await;
    let names = async |query: &str| {
        let page = app
            .get(&format!("/compare{query}"))
            .by(Viewer)
            .await
            .expect(200);
        page.texts("#results > .table:not(:has(.bars)) tbody th")
    };
    let all = names("?available=on&sort=monthly&vcpus=2&memory=4&price=24").await;
    assert!(all.iter().any(|it| it.contains("Linode 4GB")), "{all:?}");
    assert!(all.len() > 1, "{all:?}");
    let green_only = names(&format!("?account={green}&price=5")).await;
    assert!(
        green_only.iter().any(|it| it.contains("Nanode 1GB")),
        "{green_only:?}"
    );
    assert_eq!(names("?name=nothing").await, [""; 0]);
    let page = app
        .get("/compare?sort=-provider")
        .by(Viewer)
        .await
        .expect(200);
    assert_eq!(page.texts("tbody tr[id] td.secondary")[0], "Green");
    let page = app
        .get("/compare?sort=provider")
        .by(Viewer)
        .await
        .expect(200);
    assert_eq!(page.texts("tbody tr[id] td.secondary")[0], "Blue");

    // The cheapest of each, the cheapest provider first.
    let page = app.get("/compare?memory=4").by(Viewer).await.expect(200);
    let bars = page.texts(".bars tbody tr");
    assert_eq!(bars.len(), 2, "{bars:?}");
    assert!(
        bars.iter()
            .all(|it| it.contains('$') && it.contains(" old")),
        "{bars:?}"
    );
    let count = &page.texts(".count")[0];
    let (some, all) = count.trim_end_matches(" plans").split_once(" of ").unwrap();
    assert!(
        some.parse::<u32>().unwrap() < all.parse::<u32>().unwrap(),
        "{count}"
    );
    // Who may not create is not led there.
    assert!(!page.text.contains("/create"), "{}", page.text);
    let page = app
        .get(&format!("/compare?account={blue}&name=s-1vcpu-1gb"))
        .by(Member)
        .await;
    let link = &page.attributes(".row-actions a[href^='/create']", "href")[0];
    let step = app.get(link).by(Member).await.expect(200);
    assert_eq!(
        step.attributes("input[name=account][checked]", "value"),
        [blue.to_string()]
    );
    assert!(
        !step
            .attributes("input[type=hidden][name=plan]", "value")
            .is_empty()
    );
}

#[tokio::test]
async fn up_to_four_plans_stay_side_by_side() {
    let (app, [_, green]) = ready().await;
    let mut address = format!("/compare?account={green}&available=on");
    for pinned in 1..=4 {
        let page = app.get(&address).by(Member).await.expect(200);
        let links = page.attributes("tbody tr[id] .row-actions a", "href");
        let texts = page.texts("tbody tr[id] .row-actions a");
        let pin = texts.iter().position(|it| it.starts_with("Pin")).unwrap();
        address.clone_from(&links[pin]);
        let page = app.get(&address).by(Member).await.expect(200);
        assert_eq!(
            page.texts("section[aria-labelledby=pinned] thead th").len(),
            pinned + 1
        );
    }
    let page = app.get(&address).by(Member).await.expect(200);
    let texts = page.texts(".row-actions a");
    assert!(!texts.iter().any(|it| it.starts_with("Pin")), "{texts:?}");
    // What is pinned stays whatever is filtered.
    let page = app
        .get(&format!("{address}&name=nothing"))
        .by(Member)
        .await
        .expect(200);
    assert_eq!(
        page.texts("section[aria-labelledby=pinned] thead th").len(),
        5
    );
    let unpin = &page.attributes("section[aria-labelledby=pinned] .row-actions a", "href")[0];
    let page = app.get(unpin).by(Member).await.expect(200);
    assert_eq!(
        page.texts("section[aria-labelledby=pinned] thead th").len(),
        4
    );
}

#[tokio::test]
async fn prices_are_what_members_pay() {
    let (app, [blue, green]) = ready().await;
    app.sell(blue, &["nyc3"]).await;
    app.sell(green, &[]).await;
    let page = app
        .get("/compare?name=1vcpu-1gb&price=8")
        .by(Viewer)
        .await
        .expect(200);
    assert!(page.text.contains("$7.20"), "{}", page.text);
    assert!(!page.text.contains("$6.00"), "{}", page.text);
    let csv = app
        .get(&format!("/compare.csv?account={green}&sort=monthly"))
        .by(Viewer)
        .await
        .expect(200);
    let lines: Vec<_> = csv.text.lines().collect();
    assert!(lines[0].starts_with("provider,provider_type,plan_id,type,name"));
    assert!(lines[1].starts_with("Green,linode,"), "{}", lines[1]);
    assert!(
        lines[1].contains(",g6-nanode-1,") && lines[1].contains(",6,"),
        "{}",
        lines[1]
    );
    assert!(lines[1].ends_with(",true"), "{}", lines[1]);
    // Another organization sees the same plans.
    let other = app.get("/compare.csv").by(Stranger).await.expect(200);
    assert!(other.text.lines().count() > lines.len());
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_missing_and_the_others_are_there() {
    let app = TestApp::start().await;
    let [_, green] = app.stock().await;
    app.digitalocean
        .handle()
        .add_fault(Fault {
            count: u64::MAX,
            effect: Effect {
                delay_ms: Some(30_000),
                ..Effect::default()
            },
            ..Fault::default()
        })
        .unwrap();
    let page = app
        .until("/compare", Viewer, "Nanode 1GB")
        .await
        .expect(200);
    assert!(
        page.text.contains("Asking Blue for its plans"),
        "{}",
        page.text
    );
    assert_eq!(page.attributes("#results", "data-refresh"), ["2"]);
    // A part is not taken for the whole.
    let csv = app.get("/compare.csv").by(Viewer).await.expect(503);
    assert!(csv.text.contains("Try again"), "{}", csv.text);
    app.get(&format!("/compare.csv?account={green}"))
        .by(Viewer)
        .await
        .expect(200);
}

#[tokio::test]
async fn no_text_of_the_address_becomes_markup() {
    let (app, _) = ready().await;
    for name in [
        "name", "account", "class", "pin", "cursor", "sort", "currency", "disk",
    ] {
        for hostile in CORPUS {
            let url =
                reqwest::Url::parse_with_params("http://x/compare", [(name, hostile)]).unwrap();
            let url = format!("/compare?{}", url.query().unwrap());
            let reply = app.get(&url).by(Member).await.expect(200);
            judge::page(&reply, &url);
        }
    }
}
