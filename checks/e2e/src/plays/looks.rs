//! Every page, as everybody sees it: the rules of accessibility, no page wider than the window, no
//! complaint of the browser, and a picture.

use anyhow::{Context, Result, bail};

use crate::axe;
use crate::demo::Person;
use crate::driver::Scripts;
use crate::pages::{self, Shown};
use crate::session::{Session, Theme};
use crate::stage::Stage;

/// The widths at which no page may be wider than its window.
const WIDTHS: [u32; 3] = [320, 390, 1280];
/// Of these there are pictures, and the rules of accessibility are applied.
const PICTURED: [u32; 2] = [390, 1280];

/// The headings of pages about what went wrong.
const FAILURES: [&str; 4] = [
    "Not found",
    "Not allowed",
    "This did not work",
    "Something went wrong",
];

const OVERFLOW: &str = r"
    const all = document.documentElement;
    if (all.scrollWidth <= all.clientWidth) return '';
    // What scrolls by itself may be as wide as it likes.
    const scrolls = it => it && (getComputedStyle(it).overflowX !== 'visible' || scrolls(it.parentElement));
    const wide = [...document.querySelectorAll('main *')]
        .filter(it => it.getBoundingClientRect().right > all.clientWidth + 1)
        .filter(it => !scrolls(it.parentElement));
    const told = wide.slice(0, 4).map(it => it.outerHTML.slice(0, 100)).join(' | ');
    return `${all.scrollWidth} px of ${all.clientWidth}: ${told}`;
";

/// What is there without a log-in.
pub(crate) async fn anybody(stage: &Stage) -> Result<()> {
    stage
        .play("anybody", Scripts::On, |session| {
            Box::pin(async move { look(session, "anybody", &pages::of_anybody()).await })
        })
        .await
}

/// What a member sees.
pub(crate) async fn member(stage: &Stage) -> Result<()> {
    let who = stage.demo.member.clone();
    of(stage, "member", who, false).await
}

/// What an operator sees.
pub(crate) async fn operator(stage: &Stage) -> Result<()> {
    let who = stage.demo.operator.clone();
    of(stage, "operator", who, true).await
}

async fn of(stage: &Stage, name: &'static str, who: Person, operator: bool) -> Result<()> {
    let shown = pages::of_somebody(&stage.demo, operator).await?;
    stage
        .play(name, Scripts::On, |session| {
            Box::pin(async move {
                session.log_in(&who).await?;
                look(session, name, &shown).await
            })
        })
        .await
}

async fn look(session: &mut Session<'_>, who: &str, shown: &[Shown]) -> Result<()> {
    let mut wrong = Vec::new();
    for page in shown {
        for theme in [Theme::Light, Theme::Dark] {
            session.set_theme(theme).await?;
            for width in WIDTHS {
                session.set_width(width).await?;
                if let Err(error) = look_at(session, who, page, theme, width).await {
                    wrong.push(format!(
                        "{} {} {width} px: {error:#}",
                        page.path,
                        theme.name()
                    ));
                }
            }
        }
    }
    if wrong.is_empty() {
        println!("    {} pages x 2 themes x 3 widths", shown.len());
        return Ok(());
    }
    bail!(
        "{} of what was looked at is not well:\n      {}",
        wrong.len(),
        wrong.join("\n      ")
    )
}

async fn look_at(
    session: &Session<'_>,
    who: &str,
    page: &Shown,
    theme: Theme,
    width: u32,
) -> Result<()> {
    session.open(&page.path).await?;
    let heading = session
        .script("return document.querySelector('h1')?.textContent ?? ''")
        .await?;
    let heading = heading.as_str().unwrap_or_default();
    if heading.is_empty() || (FAILURES.contains(&heading) && page.name != "not-found") {
        bail!("the heading is \u{201c}{heading}\u{201d}");
    }
    let overflow = session.script(OVERFLOW).await?;
    if let Some(wide) = overflow.as_str().filter(|it| !it.is_empty()) {
        bail!("wider than the window: {wide}");
    }
    let complaints = session.complaints().await?;
    if !complaints.is_empty() {
        bail!("the browser complains: {}", complaints.join("; "));
    }
    if PICTURED.contains(&width) {
        axe::check(session).await?;
        let name = format!("{who}/{}-{}-{width}", page.name, theme.name());
        session
            .picture(&session.stage.picture(&name))
            .await
            .context("no picture")?;
    }
    Ok(())
}
