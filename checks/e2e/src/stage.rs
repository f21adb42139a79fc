//! What every play stands on: the demonstration, the browser's driver, and where pictures go.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures::future::LocalBoxFuture;

use crate::demo::Demo;
use crate::driver::{Driver, Scripts};
use crate::session::Session;

/// The stage.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The demonstration.
    pub(crate) demo: Demo,
    /// The accessibility rules.
    pub(crate) axe: String,
    driver: Driver,
    into: PathBuf,
}

impl Stage {
    /// Starts everything.
    ///
    /// # Errors
    ///
    /// Fails if something does not start, or if the folder of pictures cannot be made.
    pub(crate) async fn new(
        browser: &Path,
        driver: &Path,
        axe: String,
        into: &Path,
    ) -> Result<Self> {
        // A picture of an earlier run would tell of pages that are no more.
        if into.exists() {
            std::fs::remove_dir_all(into)
                .with_context(|| format!("could not empty `{}`", into.display()))?;
        }
        std::fs::create_dir_all(into)
            .with_context(|| format!("could not make the folder `{}`", into.display()))?;
        Ok(Self {
            demo: Demo::start().await?,
            driver: Driver::start(driver, browser).await?,
            axe,
            into: into.to_owned(),
        })
    }

    /// Plays in a browser of its own. What fails leaves a picture and the page's markup.
    ///
    /// # Errors
    ///
    /// Fails as the play does.
    pub(crate) async fn play<'a, T>(
        &'a self,
        name: &str,
        scripts: Scripts,
        play: impl for<'s> FnOnce(&'s mut Session<'a>) -> LocalBoxFuture<'s, Result<T>>,
    ) -> Result<T> {
        let browser = self.driver.open(scripts).await?;
        let mut session = Session::new(self, browser);
        let result = play(&mut session).await;
        if result.is_err() {
            // The failure itself is worth more than one of its picture.
            let _ = session
                .leave_traces(&self.into.join("failures"), name)
                .await;
        }
        session.close().await?;
        result
    }

    /// Returns where a picture of this name belongs.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        self.into.join(format!("{name}.png"))
    }

    /// Ends everything.
    ///
    /// # Errors
    ///
    /// Fails if something cannot be ended.
    pub(crate) async fn end(self) -> Result<()> {
        self.driver.end().await?;
        self.demo.end().await
    }
}
