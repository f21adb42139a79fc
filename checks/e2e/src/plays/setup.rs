//! The first start of an empty installation: the code, the operator, the first account.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::demo::{PASSWORD, program};
use crate::driver::Scripts;
use crate::process::Running;
use crate::stage::Stage;

/// A token that the simulators take, with every permission.
const TOKEN: &str = "sim-token";

/// Starts `serve` on an empty database and sets it up by the pages alone.
pub(crate) async fn first_run(stage: &Stage) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let digitalocean = &stage.demo.vendor("DigitalOcean")?.endpoint;
    let mut command = Command::new(program()?);
    command
        .arg("serve")
        .current_dir(folder.path())
        .env("ROADSTEAD_LISTEN", "127.0.0.1:0")
        .env("ROADSTEAD_DATABASE_URL", "sqlite://roadstead.db")
        .env("ROADSTEAD_DIGITALOCEAN_ENDPOINT", digitalocean);
    let mut running = Running::start(&mut command)?;
    let (address, code) = told(&mut running).await?;
    let program = running.listen_no_more();
    let outcome = stage
        .play("set up", Scripts::On, |session| {
            Box::pin(async move {
                session.browser.goto(&address).await?;
                session.wait_for_heading("Set up Roadstead").await?;
                session.fill("Code", "not-the-code").await?;
                session
                    .fill("Your e-mail address", "first@example.com")
                    .await?;
                session.fill("A password", PASSWORD).await?;
                session.press("Go on").await?;
                session.wait_for_heading("There is a problem").await?;
                session.fill("Code", &code).await?;
                session.fill("A password", PASSWORD).await?;
                session.press("Go on").await?;
                session.wait_for_heading("First provider account").await?;
                session.tick("DigitalOcean").await?;
                session.fill("Name", "Main account").await?;
                session.fill("API token", "not-a-token").await?;
                session.press("Test and add").await?;
                session.wait_for_heading("There is a problem").await?;
                session.tick("DigitalOcean").await?;
                session.fill("API token", TOKEN).await?;
                session.press("Test and add").await?;
                session.wait_for_heading("Servers").await?;
                // Nobody sets it up twice.
                session.browser.goto(&format!("{address}/setup")).await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
                ensure!(
                    !session.text().await?.contains("Set up Roadstead"),
                    "it can be set up again"
                );
                Ok(())
            })
        })
        .await;
    program.end().await?;
    outcome
}

/// Reads the address and the one-time code that the server prints.
async fn told(running: &mut Running) -> Result<(String, String)> {
    let line = running
        .read(|line| {
            let rest = line.strip_prefix("Nobody can log in yet. Open ")?;
            let (address, code) = rest.split_once("/setup with the code ")?;
            Some((address.to_owned(), code.trim().to_owned()))
        })
        .await;
    line.context("the server printed no code")
}
