//! The proof that a table can fail: an engine that is wrong, or the right one with a rule taken
//! out, makes one.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::stream;
use roadstead_harness::{Allowed, Row, Simulators, Site, Table, Vendor, Verdict, check};
use roadstead_testkit::Backend;
use serde_json::json;

use crate::run::{Options, Say};
use roadstead_harness::SiteOptions;

/// How long a wrong engine is given to come right.
const SHORT: Duration = Duration::from_secs(12);

/// How long the right one is.
const LIMIT: Duration = Duration::from_secs(60);

/// By how much the simulators' own waits are divided: late effects are given in their time.
const TIME_SCALE: u64 = 50;

/// What happens while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// Two servers are created, one is deleted.
    Plain,
    /// A create takes effect two seconds after its answer was lost: within the settle window.
    LateWithinWindow,
    /// A create takes effect eight seconds after its answer was lost: after the settle window.
    LateAfterWindow,
    /// For three seconds the token opens somebody else's account, while a server is deleted.
    ForeignAccount,
}

/// A rule taken out, or nothing for the comparison.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// What is wrong with the program.
    pub name: &'static str,
    /// Whether the table has to fail.
    pub fails: bool,
    story: Story,
    setting: Option<(&'static str, &'static str)>,
    /// Whether what the row says is what this fault does.
    shows: fn(&Row) -> bool,
    is_built: bool,
}

const fn wrong(
    name: &'static str,
    story: Story,
    setting: (&'static str, &'static str),
    shows: fn(&Row) -> bool,
) -> Proof {
    Proof {
        name,
        fails: true,
        story,
        setting: Some(setting),
        shows,
        is_built: true,
    }
}

const fn right(name: &'static str, story: Story) -> Proof {
    Proof {
        name,
        fails: false,
        story,
        setting: None,
        shows: |row| row.accepted > 0 && row.done == row.accepted,
        is_built: true,
    }
}

const PROOFS: [Proof; 9] = [
    right("right: two creates, one delete", Story::Plain),
    wrong(
        "an engine that fails everything",
        Story::Plain,
        ("ROADSTEAD_MUTANT", "fails_everything"),
        |row| row.failed > 0,
    ),
    wrong(
        "an engine that parks everything",
        Story::Plain,
        ("ROADSTEAD_MUTANT", "parks_everything"),
        |row| row.attention > 0 && row.done == 0,
    ),
    right(
        "right: a create that is late, within the window",
        Story::LateWithinWindow,
    ),
    wrong(
        "without the settle window",
        Story::LateWithinWindow,
        ("ROADSTEAD_SETTLE_WINDOW", "1ms"),
        |row| row.duplicated > 0,
    ),
    Proof {
        is_built: crate::trial::BUILT.sweeper,
        ..right(
            "right: a create that is late, after the window",
            Story::LateAfterWindow,
        )
    },
    wrong(
        "without the sweeper",
        Story::LateAfterWindow,
        ("ROADSTEAD_SWEEP_INTERVAL", "24h"),
        |row| row.duplicated > 0,
    ),
    right(
        "right: somebody else's account for a while",
        Story::ForeignAccount,
    ),
    wrong(
        "without the fingerprint check",
        Story::ForeignAccount,
        ("ROADSTEAD_MUTANT", "ignores_fingerprints"),
        |row| row.leaked + row.lost + row.failed > 0,
    ),
];

/// Returns every fault, each after the same story without one.
#[must_use]
pub fn proofs() -> &'static [Proof] {
    &PROOFS
}

/// Runs all of them, and prints the table. Returns whether each came out as it has to.
pub(crate) async fn run(options: &Options, say: Say<'_>) -> Result<bool> {
    let mut runs = stream::iter(PROOFS.iter().filter(|it| it.is_built))
        .map(|proof| async move { (proof, prove(proof).await) })
        .buffered(options.jobs.max(1));
    let mut table = Table::default();
    let mut wrong = Vec::new();
    while let Some((proof, result)) = runs.next().await {
        match result {
            Ok(verdict) => {
                let note = if verdict.is_clean() {
                    ""
                } else {
                    "the table fails"
                };
                table.push(proof.name, verdict.row, note);
            }
            Err(error) => {
                table.push(proof.name, Row::default(), "NOT AS IT HAS TO BE");
                wrong.push(format!("{}: {error:#}", proof.name));
            }
        }
    }
    let missing = PROOFS.iter().filter(|it| !it.is_built);
    for proof in missing.clone() {
        table.say(proof.name, "not built yet");
    }
    say(&format!("\n{table}"));
    for line in &wrong {
        say(line);
    }
    let passed = wrong.is_empty() && missing.count() == 0;
    say(if passed {
        "every fault makes the table fail, and without one it does not"
    } else {
        "NOT PROVED"
    });
    Ok(passed)
}

/// Runs one, and checks that it comes out as it has to. Returns the verdict on the program.
///
/// # Errors
///
/// Fails if a fault goes unseen, or if something is seen without one.
pub async fn prove(proof: &Proof) -> Result<Verdict> {
    let mut options = SiteOptions::new(Vendor::DigitalOcean, Backend::Sqlite);
    if let Some((name, value)) = proof.setting {
        // The account is registered before the program goes wrong.
        options.settings.push((name.to_owned(), value.to_owned()));
    }
    let site = Site::start(options).await?;
    let allowed = Allowed {
        extras: proof.story == Story::LateAfterWindow,
        ..Allowed::default()
    };
    tell(&site, proof).await?;
    let limit = if proof.fails { SHORT } else { LIMIT };
    let evidence = site.quiet(limit, allowed).await?;
    let verdict = check(&evidence, allowed);
    ensure!(
        verdict.is_clean() != proof.fails,
        "{}: {:?} {:#?}",
        if proof.fails {
            "nothing was noticed"
        } else {
            "something is wrong without a fault"
        },
        verdict.row,
        verdict.findings
    );
    ensure!(
        (proof.shows)(&verdict.row),
        "the row does not show it: {:?} {:#?}",
        verdict.row,
        verdict.findings
    );
    Ok(verdict)
}

async fn tell(site: &Site, proof: &Proof) -> Result<()> {
    let (member, simulators, vendor) = (&site.member, &site.simulators, site.options.vendor);
    match proof.story {
        Story::Plain => {
            let first = member.create(vendor, "web-1").await?.context("refused")?;
            member.create(vendor, "web-2").await?.context("refused")?;
            member.delete(first).await?;
        }
        Story::LateWithinWindow | Story::LateAfterWindow => {
            let seconds = if proof.story == Story::LateWithinWindow {
                2
            } else {
                8
            };
            let mut late = vendor.create_fault("late", json!({ "drop": true }));
            if let Some(late) = late.as_object_mut() {
                late.insert("late_ms".to_owned(), json!(seconds * 1_000 * TIME_SCALE));
            }
            simulators.add_faults(vendor, late).await?;
            member.create(vendor, "web-1").await?.context("refused")?;
            // What comes late has come before anybody judges.
            let deadline = tokio::time::Instant::now() + LIMIT;
            loop {
                let journal = simulators.journal(vendor, 0).await?;
                let first = journal.iter().find(|it| it.is_create());
                if first.is_some_and(|it| it.committed) {
                    return Ok(());
                }
                ensure!(
                    tokio::time::Instant::now() < deadline,
                    "it never took effect"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Story::ForeignAccount => {
            let server = member.create(vendor, "web-1").await?.context("refused")?;
            member.create(vendor, "web-2").await?.context("refused")?;
            member.until(server, "running").await?;
            simulators.open_account(vendor, Simulators::OTHER).await?;
            member.delete(server).await?;
            let away = tokio::time::Instant::now() + Duration::from_secs(3);
            while tokio::time::Instant::now() < away {
                member.look().await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            simulators.open_account(vendor, Simulators::MAIN).await?;
            site.validate().await?;
        }
    }
    Ok(())
}
