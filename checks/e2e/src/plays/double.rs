//! A form that is sent twice does once what it says.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::demo::PASSWORD;
use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

/// Three clicks in a row.
pub(crate) async fn with_scripts(stage: &Stage) -> Result<()> {
    send(stage, "clicked-thrice", Scripts::On).await
}

/// The same where no script can stop the second one.
pub(crate) async fn without_scripts(stage: &Stage) -> Result<()> {
    send(stage, "sent-thrice", Scripts::Off).await
}

async fn send(stage: &Stage, label: &'static str, scripts: Scripts) -> Result<()> {
    stage
        .play(label, scripts, |session| Box::pin(click(session, label)))
        .await?;
    // What the browser has sent last may still be under way.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let made = stage.demo.servers(label).await?;
    ensure!(made.len() == 1, "{} servers were made", made.len());
    Ok(())
}

async fn click(session: &mut Session<'_>, label: &str) -> Result<()> {
    session.log_in(&session.stage.demo.member).await?;
    let details = session.stage.demo.details("Linode").await?;
    session.open(&details).await?;
    session.fill("Label", label).await?;
    session.fill("Root password", PASSWORD).await?;
    // A click of the mouse by itself waits until the page that it leads to is there.
    let clicks = "const it = [...document.querySelectorAll('button')]
            .find(it => it.textContent.trim().startsWith('Create \u{b7}'));
        it.click(); it.click(); it.click(); return it.textContent;";
    session.script(clicks).await?;
    session.wait_for_heading(label).await
}
