//! One browser, used as a person uses it: by labels, names of buttons, and keys.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use thirtyfour::common::types::TimeoutConfiguration;
use thirtyfour::extensions::query::ElementQueryable;
use thirtyfour::{By, Key, WebDriver, WebElement};

use crate::demo::Person;
use crate::stage::Stage;

/// How long a page may take to show what it should.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a page is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(100);
/// More stops than any page has.
const MOST_TABS: u32 = 400;

/// What the element with the focus is called, as a person would say it.
const FOCUSED: &str = r"
    const it = document.activeElement;
    if (!it || it === document.body) return '';
    const labelled = (it.getAttribute('aria-labelledby') ?? '').split(/\s+/)
        .map(id => document.getElementById(id)?.textContent ?? '').join(' ');
    const text = it.getAttribute('aria-label') || labelled.trim()
        || [...(it.labels ?? [])].map(label => label.textContent).join(' ')
        || it.textContent || it.value || it.name || '';
    return text.replace(/\s+/g, ' ').trim();
";

/// A browser and what was done with it.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    /// The stage it plays on.
    pub(crate) stage: &'a Stage,
    /// The browser.
    pub(crate) browser: WebDriver,
    /// Keys pressed so far.
    pub(crate) keys: u32,
}

/// What a page looks like to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Its name in CSS and in the names of pictures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl<'a> Session<'a> {
    /// Takes a browser.
    pub(crate) fn new(stage: &'a Stage, browser: WebDriver) -> Self {
        Self {
            stage,
            browser,
            keys: 0,
        }
    }

    /// Goes to a page of the panel.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn open(&self, path: &str) -> Result<()> {
        let address = format!("{}{path}", self.stage.demo.address);
        self.browser
            .goto(&address)
            .await
            .with_context(|| format!("could not open {path}"))
    }

    /// Logs in by the page that is made for it.
    ///
    /// # Errors
    ///
    /// Fails if that does not lead into the panel.
    pub(crate) async fn log_in(&self, who: &Person) -> Result<()> {
        self.open("/login").await?;
        self.fill("E-mail address", &who.email).await?;
        self.fill("Password", &who.password).await?;
        self.press("Log in").await?;
        self.wait_for_heading("Servers").await
    }

    /// Returns the path, with its query, of the page that is shown.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn path(&self) -> Result<String> {
        let url = self.browser.current_url().await?;
        let query = url.query().map(|it| format!("?{it}")).unwrap_or_default();
        Ok(format!("{}{query}", url.path()))
    }

    /// Returns the field with this label.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub(crate) async fn field(&self, label: &str) -> Result<WebElement> {
        let quoted = quoted(label);
        let by_for = format!("//*[@id=//label[starts-with(normalize-space(.),{quoted})]/@for]");
        let inside = format!(
            "//label[starts-with(normalize-space(.),{quoted})]//*[self::input or self::select \
             or self::textarea]"
        );
        let named =
            format!("//*[@aria-label={quoted}][self::input or self::select or self::textarea]");
        self.find(&format!("({by_for} | {inside} | {named})"), label)
            .await
    }

    /// Returns the button or link with this name.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub(crate) async fn control(&self, name: &str) -> Result<WebElement> {
        let quoted = quoted(name);
        let path = format!(
            "//*[(self::button or self::a or self::summary) and (starts-with(normalize-space(.)\
             ,{quoted}) or @aria-label={quoted})]"
        );
        self.find(&path, name).await
    }

    async fn find(&self, path: &str, name: &str) -> Result<WebElement> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let query = self.browser.query(By::XPath(path)).nowait();
            // An element of a page that is being replaced is stale: it is looked for again.
            if let Ok(Some(found)) = query.and_displayed().first_opt().await {
                return Ok(found);
            }
            if tokio::time::Instant::now() > deadline {
                let place = self.path().await?;
                bail!("there is no \u{201c}{name}\u{201d} at {place}");
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Writes into a field what shall stand there.
    ///
    /// # Errors
    ///
    /// Fails if there is no such field.
    pub(crate) async fn fill(&self, label: &str, text: &str) -> Result<()> {
        let field = self.field(label).await?;
        field.clear().await?;
        field.send_keys(text).await?;
        Ok(())
    }

    /// Ticks a box, or chooses one of several.
    ///
    /// # Errors
    ///
    /// Fails if there is no such box.
    pub(crate) async fn tick(&self, label: &str) -> Result<()> {
        let field = self.field(label).await?;
        field.scroll_into_view().await?;
        field.click().await?;
        Ok(())
    }

    /// Presses a button or follows a link.
    ///
    /// # Errors
    ///
    /// Fails if there is none of this name.
    pub(crate) async fn press(&self, name: &str) -> Result<()> {
        let control = self.control(name).await?;
        control.scroll_into_view().await?;
        control.click().await?;
        Ok(())
    }

    /// Waits until a heading says this.
    ///
    /// # Errors
    ///
    /// Fails if none does in time; the page's own heading is then named.
    pub(crate) async fn wait_for_heading(&self, text: &str) -> Result<()> {
        let path = format!(
            "//*[(self::h1 or self::h2) and contains(normalize-space(.),{})]",
            quoted(text)
        );
        let found = self.find(&path, text).await;
        if found.is_err() {
            let shown = self
                .script("return document.querySelector('h1')?.textContent ?? ''")
                .await?;
            bail!(
                "no heading says \u{201c}{text}\u{201d}; {} shows {shown}",
                self.path().await?
            );
        }
        Ok(())
    }

    /// Waits until the page shows this text, somewhere.
    ///
    /// # Errors
    ///
    /// Fails if it does not in time.
    pub(crate) async fn wait_for_text(&self, text: &str) -> Result<()> {
        self.wait_for_text_within(text, PATIENCE).await
    }

    /// Waits so long until the page shows this text, somewhere.
    ///
    /// # Errors
    ///
    /// Fails if it does not in time.
    pub(crate) async fn wait_for_text_within(&self, text: &str, time: Duration) -> Result<()> {
        self.wait(
            &format!("\u{201c}{text}\u{201d} is shown"),
            time,
            async || Ok(self.text().await?.contains(text)),
        )
        .await
    }

    /// Waits so long until a server is shown with this status, and not merely on the way to it.
    ///
    /// # Errors
    ///
    /// Fails if it is not in time.
    pub(crate) async fn wait_for_status(&self, status: &str, time: Duration) -> Result<()> {
        self.wait(&format!("the status is \u{201c}{status}\u{201d}"), time, async || {
            let shown = self
                .script("return [...document.querySelectorAll('.badge')].map(it => it.textContent.trim())")
                .await?;
            let shown = shown.as_array();
            Ok(shown.is_some_and(|all| all.iter().any(|it| it == status)))
        })
        .await
    }

    /// Waits until the page shows this text no more.
    ///
    /// # Errors
    ///
    /// Fails if it still does when the time is up.
    pub(crate) async fn wait_until_gone(&self, text: &str, time: Duration) -> Result<()> {
        self.wait(
            &format!("\u{201c}{text}\u{201d} is gone"),
            time,
            async || Ok(!self.text().await?.contains(text)),
        )
        .await
    }

    async fn wait(
        &self,
        what: &str,
        time: Duration,
        shown: impl AsyncFn() -> Result<bool>,
    ) -> Result<()> {
        let deadline = tokio::time::Instant::now() + time;
        loop {
            // A page that is being replaced has nothing to say for a moment.
            if shown().await.unwrap_or(false) {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "waited {} s in vain until {what}, at {}",
                time.as_secs(),
                self.path().await?
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Returns all text that the page shows.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn text(&self) -> Result<String> {
        let text = self.script("return document.body?.innerText ?? ''").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script of ours in the page, also where the page may run none.
    ///
    /// # Errors
    ///
    /// Fails if the script does.
    pub(crate) async fn script(&self, script: &str) -> Result<Value> {
        Ok(self
            .browser
            .execute(script, Vec::new())
            .await?
            .json()
            .clone())
    }

    /// Runs a script of ours that calls its last argument when it is done.
    ///
    /// # Errors
    ///
    /// Fails if the script does, or takes more than a minute.
    pub(crate) async fn script_until_done(&self, script: &str) -> Result<Value> {
        let timeouts = TimeoutConfiguration::new(Some(Duration::from_secs(60)), None, None);
        self.browser.update_timeouts(timeouts).await?;
        let answer = self.browser.execute_async(script, Vec::new()).await?;
        Ok(answer.json().clone())
    }

    /// Presses a key.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn key(&mut self, key: Key) -> Result<()> {
        self.keys += 1;
        self.browser.action_chain().send_keys(key).perform().await?;
        Ok(())
    }

    /// Types text into what has the focus.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn type_in(&mut self, text: &str) -> Result<()> {
        self.keys += u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        self.browser
            .action_chain()
            .send_keys(text)
            .perform()
            .await?;
        Ok(())
    }

    /// Goes on with the tab key until what has the focus is called this.
    ///
    /// # Errors
    ///
    /// Fails if the whole page has nothing of the name that the keyboard reaches.
    pub(crate) async fn tab_to(&mut self, name: &str) -> Result<()> {
        for _ in 0..MOST_TABS {
            if self.focused().await?.starts_with(name) {
                return Ok(());
            }
            self.key(Key::Tab).await?;
        }
        bail!(
            "the tab key reaches nothing that is called \u{201c}{name}\u{201d} at {}",
            self.path().await?
        )
    }

    /// Goes on with the tab key until a field of this name has the focus: of a group, the keyboard
    /// stops at one.
    ///
    /// # Errors
    ///
    /// Fails if the keyboard reaches no such field.
    pub(crate) async fn tab_to_field(&mut self, name: &str) -> Result<()> {
        for _ in 0..MOST_TABS {
            let focused = self
                .script("return document.activeElement?.name ?? ''")
                .await?;
            if focused.as_str() == Some(name) {
                return Ok(());
            }
            self.key(Key::Tab).await?;
        }
        bail!(
            "the tab key reaches no field `{name}` at {}",
            self.path().await?
        )
    }

    /// Returns what has the focus, as a person would call it.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn focused(&self) -> Result<String> {
        let name = self.script(FOCUSED).await?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }

    /// Chooses one of a group of radio buttons by the arrow keys alone.
    ///
    /// # Errors
    ///
    /// Fails if the group, reached by its first button that the keyboard stops at, has none of
    /// the name.
    pub(crate) async fn arrow_to(&mut self, name: &str) -> Result<()> {
        for _ in 0..MOST_TABS {
            if self.focused().await?.starts_with(name) {
                return Ok(());
            }
            self.key(Key::Down).await?;
        }
        bail!("the arrow keys reach nothing that is called \u{201c}{name}\u{201d}")
    }

    /// Sets how wide the page is, in CSS pixels.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn set_width(&self, width: u32) -> Result<()> {
        let height = if width < 500 { 844 } else { 900 };
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await
            .map(drop)
    }

    /// Sets what the person's system asks for.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn set_theme(&self, theme: Theme) -> Result<()> {
        let media = json!({
            "features": [{ "name": "prefers-color-scheme", "value": theme.name() }],
        });
        self.devtools("Emulation.setEmulatedMedia", media)
            .await
            .map(drop)
    }

    /// Sends a command of the browser's own protocol.
    ///
    /// # Errors
    ///
    /// Fails if the browser refuses it.
    pub(crate) async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        self.browser
            .cdp()
            .send_raw(method, parameters)
            .await
            .with_context(|| format!("the browser refused {method}"))
    }

    /// Leaves a picture of the whole page.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be taken or written.
    pub(crate) async fn picture(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", options).await?;
        let data = answer
            .get("data")
            .and_then(Value::as_str)
            .context("the browser gave no picture")?;
        std::fs::write(file, BASE64_STANDARD.decode(data)?)
            .with_context(|| format!("could not write `{}`", file.display()))
    }

    /// Returns what the browser complained of since it was last asked: errors of scripts, and
    /// what the page's own policy forbade. A page that answers 404 or 422 is no complaint.
    ///
    /// # Errors
    ///
    /// Fails if the browser does.
    pub(crate) async fn complaints(&self) -> Result<Vec<String>> {
        let log = self.browser.browser_log().await?;
        Ok(log
            .into_iter()
            .filter(|it| it.level == "SEVERE" || it.level == "WARNING")
            .map(|it| it.message)
            .filter(|it| !it.contains("the server responded with a status of 4"))
            .collect())
    }

    /// Leaves what a failure can be understood by.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be taken or written.
    pub(crate) async fn leave_traces(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let name: String = name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' })
            .collect();
        std::fs::write(
            folder.join(format!("{name}.html")),
            self.browser.source().await?,
        )?;
        self.picture(&folder.join(format!("{name}.png"))).await
    }

    /// Closes the browser.
    ///
    /// # Errors
    ///
    /// Fails if it does not close.
    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.browser.quit().await?)
    }
}

/// Quotes text for XPath, which knows no escape.
fn quoted(text: &str) -> String {
    if text.contains('\'') {
        format!("\"{text}\"")
    } else {
        format!("'{text}'")
    }
}
