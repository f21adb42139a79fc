//! The proof that the table can fail: the engine without one of its rules.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use roadstead_harness::Vendor;

use crate::matrix::{Kind, lines};
use crate::play::{Play, play};

/// An engine that lacks a rule, and the line that must show it.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// What is taken out.
    pub name: &'static str,
    setting: (&'static str, &'static str),
    line: &'static str,
}

/// Returns all of them.
#[must_use]
pub const fn proofs() -> [Proof; 3] {
    [
        Proof {
            name: "without the settle window, a create that is late within it",
            setting: ("ROADSTEAD_SETTLE_WINDOW", "1ms"),
            line: "late-commit +120 s",
        },
        Proof {
            name: "without the sweeper, a create that is late beyond the settle window",
            setting: ("ROADSTEAD_SWEEP_INTERVAL", "24h"),
            line: "late-commit +300 s",
        },
        Proof {
            name: "without the sweeper, a create that is delivered twice",
            setting: ("ROADSTEAD_SWEEP_INTERVAL", "24h"),
            line: "duplicate-second",
        },
    ]
}

/// Plays a line without a rule. Returns what the checker found.
///
/// # Errors
///
/// Fails if the checker found nothing, which is what must not be.
pub async fn prove(proof: &Proof) -> Result<Vec<String>> {
    let mut lines = lines().into_iter();
    let line = lines.find(|it| it.name == proof.line);
    let line = line.context("the matrix has no such line")?;
    let line = line.of(&[Kind::Create]);
    let how = Play {
        operations: 1,
        settings: vec![(proof.setting.0.to_owned(), proof.setting.1.to_owned())],
        limit: Duration::from_secs(20),
    };
    // There nothing but the rules stands between a lost answer and a second server.
    let cells = play(&line, Vendor::DigitalOcean, &how).await?;
    let findings: Vec<String> = cells
        .into_iter()
        .flat_map(|it| it.verdict.findings)
        .collect();
    ensure!(
        !findings.is_empty(),
        "{}: the checker finds nothing wrong, and so would find nothing ever",
        proof.name
    );
    Ok(findings)
}
