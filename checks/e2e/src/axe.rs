//! The accessibility rules, applied to the page that is shown.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::session::Session;

/// All of WCAG up to 2.2 AA, and what is merely good.
const RUN: &str = r"
    const done = arguments[arguments.length - 1];
    axe.run(document, { runOnly: { type: 'tag', values: [
        'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice',
    ] } }).then(
        result => done({ rules: result.passes.length, violations: result.violations }),
        error => done({ rules: 0, violations: [], error: String(error) }),
    );
";

#[derive(Debug, Deserialize)]
struct Report {
    rules: usize,
    violations: Vec<Violation>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Violation {
    id: String,
    help: String,
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    html: String,
    #[serde(rename = "failureSummary")]
    summary: Option<String>,
}

/// Applies every rule.
///
/// # Errors
///
/// Fails if a rule is broken, naming the rule and what breaks it.
pub(crate) async fn check(session: &Session<'_>) -> Result<()> {
    session.script(&session.stage.axe).await?;
    let report = session.script_until_done(RUN).await?;
    let report: Report = serde_json::from_value(report).context("the rules gave no report")?;
    if let Some(error) = report.error {
        bail!("the rules could not be applied: {error}");
    }
    if report.rules == 0 {
        bail!("the rules found nothing to look at");
    }
    if report.violations.is_empty() {
        return Ok(());
    }
    let broken: Vec<String> = report
        .violations
        .iter()
        .map(|it| {
            let first = it.nodes.first();
            let html = first.map_or("", |node| node.html.as_str());
            let why = first.and_then(|node| node.summary.as_deref());
            let why = why.unwrap_or_default().replace('\n', " ");
            format!(
                "{}: {} ({} times, first {html}: {why})",
                it.id,
                it.help,
                it.nodes.len()
            )
        })
        .collect();
    bail!("accessibility: {}", broken.join("; "))
}
