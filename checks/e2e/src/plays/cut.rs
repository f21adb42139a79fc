//! The network goes away while a page renews itself, and comes back.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

const NOTICE: &str = "Live updates are paused";
/// How soon a cut is noticed.
const NOTICED: Duration = Duration::from_secs(15);

/// Cuts the network off while the status of the providers is shown.
pub(crate) async fn noticed(stage: &Stage) -> Result<()> {
    stage
        .play("network cut", Scripts::On, |session| {
            Box::pin(play(session))
        })
        .await
}

async fn play(session: &mut Session<'_>) -> Result<()> {
    session.log_in(&session.stage.demo.operator).await?;
    // A server that is still being made renews its page every other second.
    let server = session.stage.demo.create("DigitalOcean", "cut-off").await?;
    session.open(&format!("/servers/{server}")).await?;
    let live = session
        .script("return document.querySelectorAll('[data-refresh]').length")
        .await?;
    ensure!(
        live.as_u64().is_some_and(|it| it > 0),
        "nothing on the page renews itself"
    );
    session.devtools("Network.enable", json!({})).await?;
    offline(session, true).await?;
    session.wait_for_text_within(NOTICE, NOTICED).await?;
    offline(session, false).await?;
    session
        .wait_until_gone(NOTICE, Duration::from_secs(30))
        .await
}

async fn offline(session: &Session<'_>, offline: bool) -> Result<()> {
    let line = json!({
        "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
    });
    session
        .devtools("Network.emulateNetworkConditions", line)
        .await
        .map(drop)
}
