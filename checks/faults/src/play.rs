//! One line at one provider: everything is started, spoiled, and judged when all is quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use futures::future::try_join_all;
use reqwest::Method;
use roadstead_harness::{Allowed, Asked, Evidence, Site, SiteOptions, Vendor, Verdict, check};
use roadstead_sim::TOKEN_FULL;
use roadstead_testkit::Backend;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::extras::extras;
use crate::matrix::{Endpoint, Fault, Kind, Line};
use crate::split::{Before, only};

/// Until when a read of the account has shown that it is another.
const FOUND_OUT: Duration = Duration::from_secs(12);

/// The longest `Retry-After` that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How a line is played.
#[derive(Debug, Clone)]
pub struct Play {
    /// How many operations of each kind.
    pub operations: usize,
    /// Settings of the program over the short clockwork.
    pub settings: Vec<(String, String)>,
    /// How long everything may take to become quiet.
    pub limit: Duration,
}

/// What became of the operations of one kind.
#[derive(Debug)]
pub struct Cell {
    /// The kind.
    pub kind: Kind,
    /// What the checker says.
    pub verdict: Verdict,
    /// What is worth telling although nothing is wrong.
    pub note: String,
}

/// Plays a line at a provider.
///
/// # Errors
///
/// Fails if something of the harness does not work. What the program does wrong is in the cells.
pub async fn play(line: &Line, vendor: Vendor, play: &Play) -> Result<Vec<Cell>> {
    let site = Site::start(SiteOptions {
        settings: play.settings.clone(),
        ..SiteOptions::new(vendor, Backend::Sqlite)
    })
    .await?;
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|it| line.has(vendor, *it))
        .collect();
    let mut trial = Trial {
        line,
        vendor,
        site,
        servers: BTreeMap::new(),
        before: Before::default(),
    };
    trial.prepare(&kinds, play.operations).await?;
    trial.spoil(&kinds, play.operations).await?;
    if matches!(line.fault, Fault::Account("foreign-token")) {
        // Whoever buys with a stranger's token buys a stranger's server: it is asked for when
        // the account is known to be another.
        sleep(FOUND_OUT).await;
    }
    let (asked, ()) = tokio::try_join!(trial.ask(&kinds, play.operations), trial.pass())?;
    trial.servers.extend(asked);
    trial.judge(&kinds, play.limit).await
}

struct Trial<'a> {
    line: &'a Line,
    vendor: Vendor,
    site: Site,
    servers: BTreeMap<Kind, Vec<Uuid>>,
    before: Before,
}

fn label(kind: Kind, number: usize) -> String {
    format!("{kind}{number}x")
}

impl Trial<'_> {
    /// Makes the servers that are to be deleted and resized.
    async fn prepare(&mut self, kinds: &[Kind], operations: usize) -> Result<()> {
        let (member, vendor) = (&self.site.member, self.vendor);
        for kind in kinds.iter().copied().filter(|it| *it != Kind::Create) {
            let made = (0..operations).map(|it| async move {
                let made = member.create(vendor, &label(kind, it)).await?;
                made.context("a server was refused before any fault")
            });
            self.servers.insert(kind, try_join_all(made).await?);
        }
        for instance in self.servers.values().flatten() {
            member.until(*instance, "running").await?;
        }
        // There a plan is changed only while the server is off.
        if vendor == Vendor::DigitalOcean {
            for instance in self.servers.get(&Kind::Resize).into_iter().flatten() {
                let off = Asked {
                    kind: "power_off".to_owned(),
                    ..Asked::default()
                };
                member.act(*instance, "power-off", None, off).await?;
                member.until(*instance, "stopped").await?;
            }
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let books = self.site.database().books().await?;
            if books.operations.iter().all(|it| it.is_final()) {
                self.before.operations = books.operations.iter().map(|it| it.id).collect();
                break;
            }
            ensure!(Instant::now() < deadline, "the servers are not made");
            sleep(Duration::from_millis(50)).await;
        }
        let journal = self.site.simulators.journal(vendor, 0).await?;
        self.before.sequence = journal.last().map_or(0, |it| it.sequence);
        Ok(())
    }

    /// Scripts the faults.
    async fn spoil(&self, kinds: &[Kind], operations: usize) -> Result<()> {
        let mut faults = Vec::new();
        match &self.line.fault {
            Fault::Aimed { preset, members } => {
                for kind in kinds {
                    for aim in self.aims(*kind, operations).await? {
                        let call = kind.word();
                        let named = json!({ "preset": preset, "call": call, "server": aim });
                        faults.push(with(named, members.clone()));
                    }
                }
            }
            Fault::Lost(effect) => {
                for aim in self.aims(Kind::Create, operations).await? {
                    let effect = with(effect.clone(), json!({ "reset": true }));
                    let lost = self.vendor.create_fault("after", effect);
                    faults.push(with(lost, json!({ "body_contains": aim })));
                }
            }
            Fault::Lists(preset) => {
                for kind in kinds {
                    for aim in self.aims(*kind, operations).await? {
                        let call = kind.word();
                        let lost = json!({ "preset": "reset-after", "call": call, "server": aim });
                        faults.push(lost);
                    }
                }
                faults.push(json!({ "preset": preset }));
            }
            Fault::Account(preset) | Fault::Clock(preset) => {
                faults.push(json!({ "preset": preset }));
            }
            Fault::Refused => faults.push(json!({ "preset": "refused", "ms": 3000 })),
            Fault::LabelRace => {
                for aim in self.aims(Kind::Create, operations).await? {
                    // It comes after 0.3 s, while the next request is held back for 0.5 s.
                    let late = self.vendor.create_fault("late", json!({ "drop": true }));
                    let aimed = json!({ "late_ms": 15_000, "body_contains": aim });
                    let late = with(late, aimed);
                    let held = self
                        .vendor
                        .create_fault("before", json!({ "delay_ms": 500 }));
                    let held = with(held, json!({ "body_contains": aim }));
                    faults.extend([late, held]);
                }
            }
            Fault::Endpoint(endpoint) => self.point(Some(*endpoint)).await?,
        }
        if !faults.is_empty() {
            let simulators = &self.site.simulators;
            simulators
                .add_faults(self.vendor, Value::Array(faults))
                .await?;
        }
        Ok(())
    }

    /// Returns by what the changing call of each operation is known.
    async fn aims(&self, kind: Kind, operations: usize) -> Result<Vec<String>> {
        if kind == Kind::Create {
            let aims = (0..operations).map(|it| format!("\"{}-", label(kind, it)));
            return Ok(aims.collect());
        }
        let books = self.site.database().books().await?;
        let servers = self.servers.get(&kind).into_iter().flatten();
        servers
            .map(|id| {
                let known = books.instances.iter().find(|it| it.id == *id);
                let remote = known.and_then(|it| it.remote.clone());
                remote.context("a server that runs is bound to nothing")
            })
            .collect()
    }

    /// Asks for all operations at once. Returns the servers that were asked for.
    async fn ask(&self, kinds: &[Kind], operations: usize) -> Result<BTreeMap<Kind, Vec<Uuid>>> {
        let (member, vendor) = (&self.site.member, self.vendor);
        let creates = async {
            let count = if kinds.contains(&Kind::Create) {
                operations
            } else {
                0
            };
            let all = (0..count)
                .map(|it| async move { member.create(vendor, &label(Kind::Create, it)).await });
            let made = try_join_all(all).await?;
            anyhow::Ok(made.into_iter().flatten().collect::<Vec<_>>())
        };
        let of = |kind: Kind| self.servers.get(&kind).into_iter().flatten().copied();
        let deletes = try_join_all(of(Kind::Delete).map(|it| member.delete(it)));
        let [_, larger] = vendor.plans();
        let resizes = try_join_all(of(Kind::Resize).map(|it| async move {
            let asked = Asked {
                kind: Kind::Resize.word().to_owned(),
                plan: Some(larger.to_owned()),
                ..Asked::default()
            };
            let body = json!({ "type": larger });
            member.act(it, "resize", Some(&body), asked).await
        }));
        let (made, _, _) = tokio::try_join!(creates, deletes, resizes)?;
        Ok(BTreeMap::from([(Kind::Create, made)]))
    }

    /// Lets the fault last, and ends it as it would end.
    async fn pass(&self) -> Result<()> {
        sleep(self.line.hold).await;
        let simulators = &self.site.simulators;
        match &self.line.fault {
            Fault::Lists(_) => simulators.clear_faults(self.vendor).await?,
            Fault::Account(_) => {
                simulators.clear_faults(self.vendor).await?;
                self.enter_token().await?;
            }
            Fault::Aimed {
                preset: "401" | "403",
                ..
            } => self.enter_token().await?,
            Fault::Aimed {
                preset: "429-huge" | "429-absent",
                ..
            } => {
                // While one waits, nothing of the account is sent: the next meets its fault only
                // when that wait is over.
                self.move_time().await?;
                for _ in 1..self.line.kinds.len() {
                    sleep(self.line.hold).await;
                    self.move_time().await?;
                }
            }
            Fault::Endpoint(_) => self.point(None).await?,
            Fault::Aimed { .. }
            | Fault::Lost(_)
            | Fault::Clock(_)
            | Fault::Refused
            | Fault::LabelRace => {}
        }
        Ok(())
    }

    /// Enters the token of the account again, as an operator does who has put it right.
    async fn enter_token(&self) -> Result<()> {
        let member = &self.site.member;
        let list = member
            .call(Method::GET, "/api/admin/providers", None, None)
            .await?;
        let id = list.text("/providers/0/id")?;
        let path = format!("/api/admin/providers/{id}");
        let body = json!({ "token": TOKEN_FULL });
        let answer = member.call(Method::PATCH, &path, None, Some(&body)).await?;
        ensure!(
            answer.status == 200,
            "the token was not taken: {}",
            answer.body
        );
        Ok(())
    }

    /// Lets the longest wait that is believed be over. Nobody waits an hour here: what has to
    /// wait must be due within it, and is made due.
    async fn move_time(&self) -> Result<()> {
        let database = self.site.database();
        let path = database
            .url()
            .strip_prefix("sqlite://")
            .context("no file")?;
        let mut connection = SqliteConnection::establish(path)?;
        diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection)?;
        let longest = LONGEST_WAIT.as_micros();
        let now = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";
        let open = "finished_at IS NULL AND state <> 'attention'";
        let moved = format!(
            "UPDATE operations SET due_at = {now} WHERE {open} AND due_at <= {now} + {longest}"
        );
        diesel::sql_query(moved).execute(&mut connection)?;
        // What it remembers of the throttling ends with it.
        let server = self.site.server()?;
        server.kill().await?;
        server.listening().await?;
        Ok(())
    }

    /// Points the program elsewhere, or at the provider again.
    async fn point(&self, endpoint: Option<Endpoint>) -> Result<()> {
        let right = self.site.simulators.endpoint(self.vendor);
        let address = match endpoint {
            None => right.to_owned(),
            Some(Endpoint::Tls) => right.replace("http://", "https://"),
            Some(Endpoint::Dns) => "https://provider.invalid".to_owned(),
        };
        let name = match self.vendor {
            Vendor::DigitalOcean => "ROADSTEAD_DIGITALOCEAN_ENDPOINT",
            Vendor::Linode => "ROADSTEAD_LINODE_ENDPOINT",
        };
        let server = self.site.server()?;
        server.set(name, &address);
        server.kill().await?;
        server.listening().await?;
        Ok(())
    }

    async fn judge(&self, kinds: &[Kind], limit: Duration) -> Result<Vec<Cell>> {
        let extras_allowed = kinds
            .iter()
            .any(|it| self.line.may_repeat(self.vendor, *it));
        let allowed = Allowed {
            extras: extras_allowed,
            ..Allowed::default()
        };
        let evidence = self.site.quiet(limit, allowed).await?;
        let mut cells = Vec::new();
        for (place, kind) in kinds.iter().copied().enumerate() {
            cells.push(self.cell(kind, place == 0, &evidence).await?);
        }
        Ok(cells)
    }

    async fn cell(&self, kind: Kind, takes_the_rest: bool, evidence: &Evidence) -> Result<Cell> {
        let servers = self.servers.get(&kind).into_iter().flatten().copied();
        let chosen: BTreeSet<Uuid> = servers.collect();
        let part = only(evidence, &chosen, &self.before, kind, takes_the_rest);
        let allowed = Allowed {
            extras: self.line.may_repeat(self.vendor, kind),
            ..Allowed::default()
        };
        let mut verdict = check(&part, allowed);
        if matches!(self.line.fault, Fault::Account("foreign-token")) {
            frozen_is_refused(&mut verdict);
        }
        let mut longest = None;
        for extra in extras(&self.site.simulators, self.vendor, &part).await? {
            verdict.findings.extend(extra.finding());
            longest = longest.max(extra.stayed);
        }
        verdict.findings.extend(self.impatience(&part));
        if is_aimed(&self.line.fault) {
            verdict.findings.extend(Self::unspoiled(&part, kind));
        }
        if matches!(
            self.line.fault,
            Fault::Aimed {
                preset: "redirect",
                ..
            }
        ) {
            verdict.findings.extend(self.carried_away().await?);
        }
        let note = longest.map_or_else(String::new, |it| {
            format!("an extra was gone after {:.1} s", it.as_secs_f64())
        });
        Ok(Cell {
            kind,
            verdict,
            note,
        })
    }

    /// Tells of calls that were repeated before the time that the provider had named.
    fn impatience(&self, part: &Evidence) -> Vec<String> {
        let seconds = match &self.line.fault {
            Fault::Aimed {
                preset: "429-seconds" | "429-date",
                members,
            } => members.get("seconds").and_then(Value::as_u64),
            Fault::Aimed {
                preset: "429-huge", ..
            } => Some(self.line.hold.as_secs()),
            _ => None,
        };
        let Some(wait) = seconds.map(Duration::from_secs) else {
            return Vec::new();
        };
        // A date is in whole seconds.
        let wait = wait.saturating_sub(Duration::from_secs(1));
        let mut findings = Vec::new();
        for (place, throttled) in part.journal.iter().enumerate() {
            if throttled.status != Some(429) {
                continue;
            }
            let later = part.journal.iter().skip(place.saturating_add(1));
            let next = later.filter(|it| it.method != "GET").find(|it| {
                it.path == throttled.path && it.created_name() == throttled.created_name()
            });
            let waited = next.map(|it| it.time.duration_since(throttled.time));
            let waited = waited.and_then(|it| Duration::try_from(it).ok());
            if let Some(waited) = waited.filter(|it| *it < wait) {
                let path = &throttled.path;
                findings.push(format!(
                    "`{path}` was called again {:.1} s after it was throttled",
                    waited.as_secs_f64()
                ));
            }
        }
        findings
    }

    /// Tells of operations that the fault has not met: a line that spoils nothing proves nothing.
    fn unspoiled(part: &Evidence, kind: Kind) -> Option<String> {
        let accepted = part.books.operations.len();
        let met = part.journal.iter().filter(|it| it.fault.is_some()).count();
        (met < accepted).then(|| format!("only {met} of {accepted} {kind} calls met the fault"))
    }

    /// Tells whether the token was carried to where a redirect led.
    async fn carried_away(&self) -> Result<Option<String>> {
        let simulators = &self.site.simulators;
        let (_, answer) = simulators
            .call(self.vendor, "GET", "/_sim/elsewhere", None)
            .await?;
        let callers = answer.get("callers").and_then(Value::as_array);
        let count = callers.map_or(0, Vec::len);
        Ok((count > 0).then(|| format!("{count} calls followed a redirect")))
    }
}

/// Returns whether each operation meets a fault of its own.
const fn is_aimed(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Aimed { .. } | Fault::Lost(_) | Fault::Lists(_) | Fault::LabelRace
    )
}

/// Takes what failed because the account is frozen for refused: a provider that takes a token
/// for another account's refuses nothing by itself.
fn frozen_is_refused(verdict: &mut Verdict) {
    let before = verdict.findings.len();
    verdict.findings.retain(|it| {
        !(it.contains("failed without a refusal") && it.contains("belongs to another account"))
    });
    let frozen = before.saturating_sub(verdict.findings.len());
    let frozen = u32::try_from(frozen).unwrap_or(u32::MAX);
    verdict.row.failed = verdict.row.failed.saturating_sub(frozen);
    verdict.row.refused = verdict.row.refused.saturating_add(frozen);
}

/// Returns an object with further members.
fn with(mut object: Value, members: Value) -> Value {
    if let (Value::Object(object), Value::Object(mut members)) = (&mut object, members) {
        object.append(&mut members);
    }
    object
}
