//! The browser's driver as a program, and the sessions that it opens.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};
use tokio::process::Command;

use crate::process::{Quiet, Running};

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    /// As people have it.
    On,
    /// Switched off in the browser's settings.
    Off,
}

/// A browser's driver that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    program: Quiet,
    address: String,
    browser: PathBuf,
}

impl Driver {
    /// Starts it on a free port.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub(crate) async fn start(driver: &Path, browser: &Path) -> Result<Self> {
        let mut command = Command::new(driver);
        command.arg("--port=0");
        let mut running = Running::start(&mut command)?;
        let port: u16 = running
            .read(|line| {
                let rest = line.split_once("was started successfully on port ")?.1;
                rest.trim_end_matches('.').parse().ok()
            })
            .await?;
        Ok(Self {
            program: running.listen_no_more(),
            address: format!("http://127.0.0.1:{port}"),
            browser: browser.to_owned(),
        })
    }

    /// Opens a browser of its own: no cookie, no cache.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub(crate) async fn open(&self, scripts: Scripts) -> Result<WebDriver> {
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(&self.browser.to_string_lossy())?;
        for argument in [
            "--headless=new",
            // Chromium's sandbox refuses the superuser, whom containers are; it shows our own
            // pages alone.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
        ] {
            wanted.add_arg(argument)?;
        }
        if scripts == Scripts::Off {
            let refuse = serde_json::json!({
                "profile.managed_default_content_settings.javascript": 2,
            });
            wanted.add_experimental_option("prefs", refuse)?;
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        WebDriver::new(&self.address, wanted)
            .await
            .context("could not open a browser")
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be ended.
    pub(crate) async fn end(self) -> Result<()> {
        self.program.end().await
    }
}
