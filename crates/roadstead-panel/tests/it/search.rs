//! The search, and the palette that shows it.

use roadstead_service::OperationKind;

use crate::app::{Setup, TestApp};
use crate::people::{Loner, Member, Operator, Stranger, Viewer};
use crate::providers::fail;
use crate::servers::RUNNING;
use crate::{doubt, plans};

async fn titles(app: &TestApp, person: crate::people::Person, text: &str) -> Vec<String> {
    let page = app
        .get(&format!("/search?q={text}"))
        .by(person)
        .await
        .expect(200);
    page.texts("#hits h2")
}

#[tokio::test]
async fn servers_plans_and_pages_are_found() {
    let setup = Setup {
        workers: 1,
        ..Setup::default()
    };
    let app = TestApp::start_with(setup).await;
    let [account, _] = app.stock().await;
    let id = app.create("Harbor-Web").await;
    plans::import(&app, account).await;
    let page = app.until("/", Member, RUNNING).await;
    let address = page.texts("tbody .copyable code")[0].clone();

    for text in ["harbor", &address, &address[..6], &id.to_string()] {
        let page = app
            .get(&format!("/search?q={text}"))
            .by(Viewer)
            .await
            .expect(200);
        let hits = page.texts("#hits section:first-of-type li");
        assert_eq!(page.texts("#hits h2")[0], "Servers", "{text}");
        assert!(
            hits[0].starts_with("Harbor-Web Running") && hits[0].contains(&address),
            "{hits:?}"
        );
    }
    assert_eq!(titles(&app, Stranger, "harbor").await, [""; 0]);
    // What is not kept yet may take longer than the page waits.
    let page = app
        .until("/search?q=nanode", Member, "Plans of Green")
        .await;
    assert_eq!(page.texts("#hits h2"), ["Plans of Green"]);
    assert!(page.attributes("#hits a", "href")[0].starts_with("/create?account="));
    // What the operator sells is sold in place of the vendor's own.
    assert_eq!(titles(&app, Member, "s-1VCPU-1gb").await, ["Plans on sale"]);
    assert_eq!(titles(&app, Operator, "prov").await, ["Pages"]);
    assert_eq!(titles(&app, Member, "prov").await, [""; 0]);
    let page = app.get("/search?q=%25").by(Member).await.expect(200);
    assert!(page.text.contains("Nothing was found"), "{}", page.text);
    app.get("/search?q=x").by(Loner).await.expect(403);
}

#[tokio::test]
async fn nothing_is_looked_for_before_something_is_typed() {
    let app = TestApp::start_stocked().await;
    app.create("web-1").await;
    fail(&app.digitalocean);
    for path in ["/search", "/search?q=", "/search?q=++"] {
        let page = app.get(path).by(Member).await.expect(200);
        assert_eq!(page.texts("#hits h2"), ["Pages"], "{path}");
        assert!(page.texts("#hits .notice").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn whoever_did_not_answer_is_named() {
    let app = TestApp::start_stocked().await;
    fail(&app.digitalocean);
    app.create_with("web-1", |it| {
        it.kind = Some("linode".to_owned());
        it.plan = "g6-nanode-1".to_owned();
        it.region = "us-east".to_owned();
        it.image = "linode/debian12".to_owned();
    })
    .await;
    let page = app.get("/search?q=web").by(Member).await.expect(200);
    let notices = page.texts("#hits .notice .title");
    assert_eq!(notices, ["Blue did not say what it sells"]);
    assert!(
        page.texts("#hits li")[0].starts_with("web-1"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn the_palette_finds_the_form_and_the_hits() {
    let app = TestApp::start_stocked().await;
    doubt::about(&app, "web-1", OperationKind::Reboot).await;
    let page = app.get("/").by(Member).await.expect(200);
    assert_eq!(
        page.attributes("header [data-palette]", "href"),
        ["/search"]
    );
    let page = app.get("/search").by(Member).await.expect(200);
    assert_eq!(
        page.attributes("form[data-live=hits]", "action"),
        ["/search"]
    );
    assert_eq!(
        page.attributes("form[data-live=hits] input[type=search]", "name"),
        ["q"]
    );
    assert_eq!(page.texts("#hits [role=status]").len(), 1);
}
