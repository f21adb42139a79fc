//! A provider that fails, or is slow, blocks only itself.

use std::time::{Duration, Instant};

use roadstead_sim::{Effect, Fault};

use super::{chosen, labels, ready, ready_with, send};
use crate::app::{Setup, TestApp};
use crate::people::{Member, Operator};

/// Longer than any page may take, by far.
const NEVER: u64 = 30_000;

fn broken() -> Fault {
    Fault {
        count: u64::MAX,
        effect: Effect {
            status: Some(503),
            ..Effect::default()
        },
        ..Fault::default()
    }
}

fn slow() -> Fault {
    Fault {
        count: u64::MAX,
        effect: Effect {
            delay_ms: Some(NEVER),
            ..Effect::default()
        },
        ..Fault::default()
    }
}

#[tokio::test]
async fn nobody_waits_for_a_provider_that_does_not_answer() {
    let app = TestApp::start().await;
    let [blue, green] = app.stock().await;
    app.digitalocean.handle().add_fault(slow()).unwrap();
    let begun = Instant::now();
    let page = app
        .get(&format!("/create?account={blue}"))
        .by(Member)
        .await
        .expect(200);
    assert!(
        page.text.contains("Asking Blue for its regions"),
        "{}",
        page.text
    );
    // It looks again by itself, and by a link.
    assert_eq!(page.attributes("#results", "data-refresh"), ["2"]);
    assert!(page.texts("#results a").contains(&"Look again".to_owned()));
    for path in ["plan", "image", "details"] {
        let url = format!("/create/{path}?account={blue}&region=nyc3&plan=s-1&image=x");
        let page = app.get(&url).by(Member).await;
        assert!([200, 422].contains(&page.status.as_u16()), "{}", page.text);
    }
    assert!(
        begun.elapsed() < Duration::from_millis(NEVER),
        "a page has waited"
    );
    // The other provider is as fast as ever.
    let url = format!("/create?account={green}");
    app.until(&url, Member, "us-ord").await.expect(200);
}

#[tokio::test]
async fn what_fails_is_said_with_its_code() {
    let app = TestApp::start().await;
    let [blue, _] = app.stock().await;
    let effect = Effect {
        status: Some(400),
        body: Some(serde_json::json!({ "id": "bad_request", "message": "<hunter2>" })),
        ..Effect::default()
    };
    let fault = Fault {
        count: u64::MAX,
        effect,
        ..Fault::default()
    };
    app.digitalocean.handle().add_fault(fault).unwrap();
    let url = format!("/create?account={blue}");
    let page = app
        .until(&url, Member, "Blue did not give its regions")
        .await
        .expect(200);
    assert!(!page.text.contains("hunter2"), "{}", page.text);
    assert!(!page.texts(".notice code").is_empty(), "{}", page.text);
    assert!(page.attributes("#results", "data-refresh").is_empty());
}

#[tokio::test]
async fn with_a_dead_provider_every_page_works_on_what_is_kept() {
    let setup = Setup {
        workers: 1,
        ..Setup::default()
    };
    let (app, accounts @ [blue, _]) = ready_with(setup).await;
    app.sell(blue, &[]).await;
    let query = {
        let page = app.get(&format!(
            "/create/plan?account={blue}&region=nyc3&name=1vcpu-1gb"
        ));
        let page = page.by(Member).await.expect(200);
        let plan = &page.attributes("input[name=plan]", "value")[0];
        chosen(accounts, "digitalocean").replace("s-1vcpu-1gb", plan)
    };
    app.create("early-1").await;
    app.until("/", Member, "Running").await;
    app.digitalocean.handle().add_fault(broken()).unwrap();
    app.until("/", Member, "Blue is not answering").await;
    app.clock.advance(Duration::from_mins(38));

    let page = app.get("/create").by(Member).await.expect(200);
    assert!(
        page.text
            .contains("Cannot be chosen: it is not answering now"),
        "{}",
        page.text
    );
    assert_eq!(
        page.attributes("input[name=account][disabled]", "value"),
        [blue.to_string()]
    );
    // The first one that can be used is chosen, and its regions are there.
    assert!(
        page.attributes("input[name=region]", "value")
            .contains(&"us-ord".to_owned())
    );

    // Whoever was on the way already goes on.
    let page = app
        .get(&format!("/create/plan?{query}"))
        .by(Member)
        .await
        .expect(200);
    assert!(page.text.contains("Blue is not answering"), "{}", page.text);
    assert!(
        page.text.contains("This list is 38 min old"),
        "{}",
        page.text
    );
    assert!(page.text.contains("stock 38 min old"), "{}", page.text);
    let page = app
        .get(&format!("/create/image?{query}"))
        .by(Member)
        .await
        .expect(200);
    assert!(page.text.contains("Images 38 min old"), "{}", page.text);
    let page = app
        .get(&format!("/create/details?{query}"))
        .by(Member)
        .await
        .expect(200);
    assert!(
        page.text.contains("give the id, or leave it empty"),
        "{}",
        page.text
    );
    send(&app, &query, &[("label", "web-1")]).await.expect(303);
    assert!(labels(&app).await.contains(&"web-1".to_owned()));
    let green = chosen(accounts, "linode");
    let page = app
        .get(&format!("/create/details?{green}"))
        .by(Member)
        .await
        .expect(200);
    assert!(!page.text.contains("is not answering"), "{}", page.text);
}

#[tokio::test]
async fn an_account_whose_token_is_refused_is_not_offered() {
    let (app, [blue, _]) = ready().await;
    let fault = Fault {
        count: u64::MAX,
        effect: Effect {
            status: Some(401),
            body: Some(serde_json::json!({ "id": "unauthorized", "message": "no" })),
            ..Effect::default()
        },
        ..Fault::default()
    };
    app.digitalocean.handle().add_fault(fault).unwrap();
    let grant = app.caller(Operator).await.operator().unwrap();
    app.platform.validate_provider(&grant, blue).await.unwrap();
    let page = app.get("/create").by(Member).await.expect(200);
    assert!(
        page.text.contains("Cannot be chosen: it refuses the token"),
        "{}",
        page.text
    );
    let page = app
        .get(&format!("/create/plan?account={blue}&region=nyc3"))
        .by(Member)
        .await;
    assert!(page.mistake("account").contains("it refuses the token"));
}

#[tokio::test]
async fn without_any_account_the_page_says_whom_to_ask() {
    let app = TestApp::start().await;
    let page = app.get("/create").by(Member).await.expect(200);
    assert!(
        page.text.contains("Ask whoever runs this installation"),
        "{}",
        page.text
    );
    let page = app.get("/create").by(Operator).await.expect(200);
    assert_eq!(page.attributes(".empty a", "href"), ["/setup/provider"]);
}
