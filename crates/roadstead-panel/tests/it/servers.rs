//! The list of servers.

use roadstead_sim::{Effect, Fault};

use crate::app::{Setup, TestApp};
use crate::people::{Member, Stranger, Viewer};

/// How a running server shows.
pub(crate) const RUNNING: &str = r#"<span class="badge ok">Running</span>"#;

#[tokio::test]
async fn a_list_is_filtered_and_sorted_by_its_address() {
    let app = TestApp::start_stocked().await;
    for label in ["beta", "alpha", "gamma"] {
        app.create_with(label, |it| it.tags = vec![format!("of-{label}")])
            .await;
    }
    let labels = async |path: &str| {
        let page = app.get(path).by(Viewer).await.expect(200);
        page.texts("tbody th .row-name > div")
            .iter()
            .map(|it| it.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels("/").await, ["gamma", "alpha", "beta"]);
    assert_eq!(labels("/?sort=label").await, ["alpha", "beta", "gamma"]);
    assert_eq!(labels("/?sort=-label").await, ["gamma", "beta", "alpha"]);
    assert_eq!(labels("/?label=AMM").await, ["gamma"]);
    assert_eq!(labels("/?tag=of-beta").await, ["beta"]);
    assert_eq!(labels("/?status=running").await, [""; 0]);
    assert_eq!(
        labels("/?status=provisioning&label=a&sort=label")
            .await
            .len(),
        3
    );
    // What makes no sense filters nothing, rather than everything.
    assert_eq!(
        labels("/?status=strange&sort=strange&provider=strange")
            .await
            .len(),
        3
    );
    let page = app.get("/?label=zzz").by(Viewer).await.expect(200);
    assert!(page.text.contains("No server matches"), "{}", page.text);
}

#[tokio::test]
async fn a_long_list_goes_on_with_its_filters() {
    let app = TestApp::start_stocked().await;
    for number in 0..101 {
        app.create(&format!("web-{number}")).await;
    }
    let page = app
        .get("/?label=web&sort=label")
        .by(Member)
        .await
        .expect(200);
    assert_eq!(page.texts("tbody tr").len(), 100);
    let next = page.attributes("a[rel=next]", "href");
    assert!(
        next[0].starts_with("/?label=web&sort=label&cursor="),
        "{next:?}"
    );
    let page = app.get(&next[0]).by(Member).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), 1);
    assert!(page.attributes("a[rel=next]", "href").is_empty());
    assert_eq!(
        page.attributes(".pager a", "href"),
        ["/?label=web&sort=label"]
    );

    let csv = app
        .get("/servers.csv?label=web-1")
        .by(Member)
        .await
        .expect(200);
    assert!(csv.header("content-type").starts_with("text/csv"));
    let lines: Vec<_> = csv.text.lines().collect();
    assert_eq!(lines.len(), 1 + 12, "{lines:?}");
    assert!(lines[0].starts_with("id,label,status,"));
    assert!(
        lines[1].contains(",provisioning,digitalocean,s-1vcpu-1gb,nyc3,"),
        "{}",
        lines[1]
    );
    let all = app.get("/servers.csv").by(Member).await.expect(200);
    assert_eq!(all.text.lines().count(), 102);
}

#[tokio::test]
async fn a_server_is_seen_to_become_running() {
    let setup = Setup {
        workers: 1,
        ..Setup::default()
    };
    let app = TestApp::start_with(setup).await;
    app.stock().await;
    app.create("web-1").await;
    let page = app.until("/", Member, RUNNING).await;
    assert_eq!(page.texts("tbody .badge"), ["Running"]);
    assert_eq!(page.texts("tbody .copyable code").len(), 1, "{}", page.text);
    // Nothing passes any more, so that the page looks less often.
    assert_eq!(page.attributes("#results", "data-refresh"), ["10"]);
}

#[tokio::test]
async fn nobody_sees_another_organization_s_servers() {
    let app = TestApp::start_stocked().await;
    app.create("secret-1").await;
    for path in ["/", "/?label=secret", "/servers.csv"] {
        let reply = app.get(path).by(Stranger).await.expect(200);
        assert!(!reply.text.contains("secret-1"), "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn an_empty_list_says_what_to_do() {
    let app = TestApp::start().await;
    let page = app.get("/").by(Member).await.expect(200);
    assert!(
        page.text.contains("Ask whoever runs this installation"),
        "{}",
        page.text
    );
    let page = app.get("/").by(crate::people::Operator).await.expect(200);
    assert_eq!(page.attributes(".empty a", "href"), ["/setup/provider"]);
    app.stock().await;
    let page = app.get("/").by(Member).await.expect(200);
    assert!(page.text.contains("four steps"), "{}", page.text);
}

#[tokio::test]
async fn a_provider_that_fails_is_named_and_blocks_nothing() {
    let setup = Setup {
        workers: 1,
        ..Setup::default()
    };
    let app = TestApp::start_with(setup).await;
    app.stock().await;
    app.create("web-1").await;
    app.until("/", Member, RUNNING).await;
    app.digitalocean
        .handle()
        .add_fault(Fault {
            count: u64::MAX,
            effect: Effect {
                status: Some(503),
                ..Effect::default()
            },
            ..Fault::default()
        })
        .unwrap();
    let page = app
        .until("/", Member, "Blue is not answering")
        .await
        .expect(200);
    assert!(
        page.text.contains("as they were last seen"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("web-1") && !page.text.contains("Green is not"),
        "{}",
        page.text
    );
}
