//! How the providers are.

use crate::app::TestApp;
use crate::people::{Member, Operator, Viewer};
use crate::providers::trip;

#[tokio::test]
async fn everybody_sees_how_the_providers_are_and_operators_see_more() {
    let app = TestApp::start().await;
    let page = app.get("/status").by(Viewer).await.expect(200);
    assert!(
        page.text.contains("no provider account yet"),
        "{}",
        page.text
    );
    let page = app.get("/status").by(Operator).await.expect(200);
    assert_eq!(page.attributes(".empty a", "href"), ["/providers/add"]);

    let [blue, _] = app.stock().await;
    let place = format!("/providers/{blue}");
    app.post(&format!("{place}/refresh"), &[])
        .by(Operator)
        .await
        .leads_to(&place);
    let page = app.get("/status").by(Viewer).await.expect(200);
    assert_eq!(page.texts(".panel h2"), ["Blue", "Green"]);
    let facts = page.texts(&format!("#provider-{blue} dt"));
    assert_eq!(facts, ["Provider", "Last answer", "Calls", "Kept"]);
    let said = page.texts(&format!("#provider-{blue} dd"));
    assert!(
        said[1].contains(" ms") || said[1].contains(" s"),
        "{said:?}"
    );
    assert_eq!(said[2], "all are sent");
    assert!(
        said[3].contains("Plans 0 s old") || said[3].contains("old"),
        "{said:?}"
    );
    assert!(
        page.attributes("main a", "href").is_empty(),
        "{}",
        page.text
    );

    let page = app.get("/status").by(Operator).await.expect(200);
    let facts = page.texts(&format!("#provider-{blue} dt"));
    assert_eq!(facts.len(), 8, "{facts:?}");
    assert!(page.attributes("main a", "href").contains(&place));
}

#[tokio::test]
async fn it_renews_itself_and_sooner_where_something_fails() {
    let app = TestApp::start().await;
    let [blue, _] = app.stock().await;
    let refresh = |page: &crate::reply::Reply| page.attributes("#status-now", "data-refresh");
    let page = app.get("/status").by(Member).await.expect(200);
    assert_eq!(refresh(&page), ["16"]);
    assert_eq!(page.attributes("#status-now", "data-src"), ["/status/now"]);
    let part = app.get("/status/now").by(Member).await.expect(200);
    assert_eq!(refresh(&part), ["16"]);
    assert!(part.header("content-type").starts_with("text/html"));

    trip(&app, blue).await;
    let part = app.get("/status/now").by(Member).await.expect(200);
    assert_eq!(refresh(&part), ["4"]);
    let said = part.texts("[role=status]");
    assert!(said[0].starts_with("Blue is not answering."), "{said:?}");
    assert!(part.text.contains("held back after"), "{}", part.text);

    let still = app
        .get("/status")
        .by(Member)
        .cookie("roadstead_live", "off")
        .await;
    assert_eq!(refresh(&still.expect(200)), [""; 0]);
}
