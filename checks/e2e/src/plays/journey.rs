//! From the log-in to a server that runs, by the keyboard alone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use thirtyfour::Key;

use crate::demo::{PASSWORD, choice};
use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

/// How long a simulated server takes until it runs, at most.
const RUNS: Duration = Duration::from_secs(60);

/// As people have it: pages apply filters and renew themselves.
pub(crate) async fn with_scripts(stage: &Stage, vendor: &'static str) -> Result<()> {
    walk(stage, vendor, Scripts::On).await
}

/// With forms and links alone.
pub(crate) async fn without_scripts(stage: &Stage, vendor: &'static str) -> Result<()> {
    walk(stage, vendor, Scripts::Off).await
}

async fn walk(stage: &Stage, vendor: &'static str, scripts: Scripts) -> Result<()> {
    let way = if scripts == Scripts::On {
        "live"
    } else {
        "plain"
    };
    let label = format!("{way}-{}", choice(vendor)?.kind);
    let name = format!("journey {label}");
    stage
        .play(&name, scripts, |session| {
            Box::pin(async move {
                log_in(session).await?;
                create(session, vendor, &label, scripts).await?;
                watch(session, &label, scripts).await?;
                let made = session.stage.demo.servers(&label).await?;
                ensure!(made.len() == 1, "{} servers were made", made.len());
                println!("    {vendor}: {} keys", session.keys);
                Ok(())
            })
        })
        .await
}

async fn log_in(session: &mut Session<'_>) -> Result<()> {
    let who = session.stage.demo.member.clone();
    session.open("/login").await?;
    session.tab_to("E-mail address").await?;
    session.type_in(&who.email).await?;
    session.tab_to("Password").await?;
    session.type_in(&who.password).await?;
    session.key(Key::Enter).await?;
    session.wait_for_heading("Servers").await
}

async fn create(
    session: &mut Session<'_>,
    vendor: &str,
    label: &str,
    scripts: Scripts,
) -> Result<()> {
    let choice = choice(vendor)?;
    session.tab_to("Create server").await?;
    session.key(Key::Enter).await?;
    session
        .wait_for_heading("Choose a provider and region")
        .await?;
    session.tab_to_field("account").await?;
    session.key(Key::Space).await?;
    session.arrow_to(vendor).await?;
    if scripts == Scripts::Off {
        session.tab_to("Show the regions of this provider").await?;
        session.key(Key::Enter).await?;
    }
    session.wait_for_text(choice.region.1).await?;
    session.tab_to_field("region").await?;
    session.key(Key::Space).await?;
    session.arrow_to(choice.region.1).await?;
    go_on(session, "Choose a plan").await?;

    session.tab_to("Name contains").await?;
    session.type_in("1").await?;
    if scripts == Scripts::Off {
        session.tab_to("Apply filters").await?;
        session.key(Key::Enter).await?;
        session.wait_for_heading("Choose a plan").await?;
    } else {
        keeps_the_focus(session).await?;
    }
    session.wait_for_text("plans").await?;
    session.tab_to_field("plan").await?;
    session.key(Key::Space).await?;
    go_on(session, "Choose an image").await?;

    session.tab_to_field("image").await?;
    session.key(Key::Space).await?;
    session.arrow_to(choice.image.1).await?;
    go_on(session, "Details and review").await?;

    session.tab_to("Label").await?;
    session.type_in(label).await?;
    session.tab_to("Root password").await?;
    session.type_in(PASSWORD).await?;
    session.tab_to("Create \u{b7}").await?;
    session.key(Key::Enter).await?;
    session.wait_for_heading(label).await
}

async fn go_on(session: &mut Session<'_>, heading: &str) -> Result<()> {
    session.tab_to("Continue").await?;
    session.key(Key::Enter).await?;
    session.wait_for_heading(heading).await
}

/// A filter that applies itself leaves the focus and the caret where they are.
async fn keeps_the_focus(session: &Session<'_>) -> Result<()> {
    // A pause as of somebody who reads what has changed.
    tokio::time::sleep(Duration::from_millis(800)).await;
    let focused = session.focused().await?;
    ensure!(
        focused.starts_with("Name contains"),
        "the filter has lost the focus to \u{201c}{focused}\u{201d}"
    );
    let caret = session
        .script("return document.activeElement.selectionStart")
        .await?;
    ensure!(caret.as_u64() == Some(1), "the caret stands at {caret}");
    Ok(())
}

/// Watches the server until it runs: the page says so by itself, or when it is loaded again.
async fn watch(session: &mut Session<'_>, label: &str, scripts: Scripts) -> Result<()> {
    if scripts == Scripts::On {
        return session.wait_for_status("Running", RUNS).await;
    }
    let deadline = tokio::time::Instant::now() + RUNS;
    let glance = Duration::from_secs(1);
    while session.wait_for_status("Running", glance).await.is_err() {
        ensure!(
            tokio::time::Instant::now() < deadline,
            "`{label}` does not run after {} s",
            RUNS.as_secs()
        );
        session.browser.refresh().await.context("no refresh")?;
    }
    Ok(())
}
