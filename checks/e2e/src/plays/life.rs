//! A server that runs: stopped where its vendor wants that, resized, deleted; one and several.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::demo::choice;
use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

/// How long something may take at a simulated vendor.
const DONE: Duration = Duration::from_secs(90);

/// Resizes a server to a larger plan and deletes it, by the pages alone.
pub(crate) async fn whole(stage: &Stage, vendor: &'static str) -> Result<()> {
    let label = format!("life-{}", choice(vendor)?.kind);
    let server = stage.demo.create(vendor, &label).await?;
    stage
        .play(&label.clone(), Scripts::On, |session| {
            Box::pin(async move { play(session, vendor, &server, &label).await })
        })
        .await
}

async fn play(session: &mut Session<'_>, vendor: &str, server: &str, label: &str) -> Result<()> {
    session.log_in(&session.stage.demo.member).await?;
    let page = format!("/servers/{server}");
    session.open(&page).await?;
    session.wait_for_status("Running", DONE).await?;

    session.press("Settings").await?;
    session.press("Change the plan").await?;
    session.wait_for_heading("Change the plan of").await?;
    if session.text().await?.contains("has to be shut down first") {
        session.press("Shut it down").await?;
        session.wait_for_heading("Shut down").await?;
        session.press("Shut down").await?;
        session.wait_for_status("Stopped", DONE).await?;
        session.open(&format!("{page}/resize")).await?;
    }
    let choice = choice(vendor)?;
    let larger = choice.larger;
    let plan = session.stage.demo.plan(choice, larger).await?;
    let name = plan.get("name").and_then(Value::as_str);
    session.tick(name.context("the plan has no name")?).await?;
    session.press("Continue").await?;
    session.wait_for_heading("Change the plan of").await?;
    session.wait_for_text("Then").await?;
    session.press("Change the plan \u{b7}").await?;
    session.wait_for_heading(label).await?;
    is_resized(session, server, larger).await?;

    session.open(&format!("{page}/delete")).await?;
    session.wait_for_heading("Delete").await?;
    session
        .fill(&format!("Type {label} to confirm"), "something else")
        .await?;
    session.press("Delete server").await?;
    session.wait_for_heading("There is a problem").await?;
    session
        .fill(&format!("Type {label} to confirm"), label)
        .await?;
    session.press("Delete server").await?;
    is_gone(session, label).await
}

async fn is_resized(session: &Session<'_>, server: &str, plan: &str) -> Result<()> {
    let demo = &session.stage.demo;
    let path = format!("/api/vps/{server}");
    let deadline = tokio::time::Instant::now() + DONE;
    loop {
        let now = demo
            .api(&demo.member, reqwest::Method::GET, &path, None)
            .await?;
        let has = now.pointer("/instance/type").and_then(Value::as_str);
        if has == Some(plan) {
            return Ok(());
        }
        ensure!(
            tokio::time::Instant::now() < deadline,
            "the server has still the plan {has:?}"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn is_gone(session: &Session<'_>, label: &str) -> Result<()> {
    let deadline = tokio::time::Instant::now() + DONE;
    while !session.stage.demo.servers(label).await?.is_empty() {
        ensure!(
            tokio::time::Instant::now() < deadline,
            "`{label}` is still there"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    session.open("/").await?;
    session.wait_for_heading("Servers").await?;
    ensure!(
        !session.text().await?.contains(label),
        "the list still shows `{label}`"
    );
    Ok(())
}

/// Deletes two servers at once, chosen in the list, each with a result of its own.
pub(crate) async fn several(stage: &Stage) -> Result<()> {
    for label in ["several-1", "several-2"] {
        stage.demo.create("Linode", label).await?;
    }
    stage
        .play("several", Scripts::On, |session| {
            Box::pin(delete_several(session))
        })
        .await
}

async fn delete_several(session: &mut Session<'_>) -> Result<()> {
    session.log_in(&session.stage.demo.member).await?;
    session.open("/?label=several").await?;
    let chosen = session
        .script(
            "const all = [...document.querySelectorAll('input[type=checkbox][name=server]')];
             all.forEach(it => it.click()); return all.length;",
        )
        .await?;
    ensure!(chosen.as_u64() == Some(2), "{chosen} servers can be chosen");
    session.press("Delete").await?;
    session.wait_for_text("cannot be undone").await?;
    session.wait_for_text("several-1").await?;
    let asked = session
        .script("return document.querySelector('label[for=field-typed]')?.textContent ?? ''")
        .await?;
    let asked = asked.as_str().unwrap_or_default().trim().to_owned();
    let typed = asked
        .strip_prefix("Type ")
        .and_then(|it| it.split_once(" to confirm"))
        .with_context(|| format!("nothing has to be typed: {asked}"))?
        .0
        .to_owned();
    session.fill(&asked, &typed).await?;
    session.press("Delete").await?;
    session.wait_for_text("several-2").await?;
    is_gone(session, "several").await
}
