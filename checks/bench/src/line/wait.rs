//! How long after a request the provider is called for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use roadstead_testkit::Backend;
use serde_json::Value;

use super::Options;
use crate::http::word;
use crate::report::{Report, Target, quantile};
use crate::vendors::{Vendors, journal};
use crate::world::{self, Database, PATIENCE, Server, wanted};

const KIND: &str = "linode";

/// How many requests in a round each side gets.
const IN_A_ROUND: u32 = 40;

/// How far apart requests are, so that each is taken up by itself.
const PAUSE: Duration = Duration::from_millis(50);

struct Side {
    name: String,
    server: Server,
    _database: Database,
    /// When each request left, by the label of its server.
    sent: BTreeMap<String, Timestamp>,
    answered: Vec<Duration>,
}

pub(super) fn measure(report: &mut Report, options: &Options) -> Result<()> {
    let vendors = Vendors::start()?;
    let mut sides = Vec::new();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = world::make(backend, &vendors)?;
        let server = Server::start(&database, &vendors, 1)?;
        server.register(KIND)?;
        // The catalogue is read, and the limits are stated, before anything is measured.
        let first = server.ask("/api/vps", Some(&wanted(KIND, "first")))?;
        server.until_running(&first)?;
        sides.push(Side {
            name: backend.to_string(),
            server,
            _database: database,
            sent: BTreeMap::new(),
            answered: Vec::new(),
        });
    }
    let each = options.rounds.saturating_mul(IN_A_ROUND);
    for number in 0..each {
        for side in &mut sides {
            side.send(number)?;
            std::thread::sleep(PAUSE);
        }
    }
    let called = called(&vendors, &sides)?;
    for side in &mut sides {
        let mut waits = side.waits(&called)?;
        for (what, all) in [
            ("the provider is called", &mut waits),
            ("the request is answered", &mut side.answered),
        ] {
            all.sort_unstable();
            for percent in [50, 99] {
                let figure = quantile(all, percent).as_secs_f64() * 1e3;
                let name = format!("{what}, {}: p{percent}", side.name);
                report.figure(&name, figure, "ms", Target::None);
            }
        }
    }
    report.note(&format!(
        "{each} creates for each database, in turns; by the machine's clock, which is the \
         simulator's too"
    ));
    Ok(())
}

impl Side {
    fn send(&mut self, number: u32) -> Result<()> {
        let label = format!("{}-{number}", self.name.to_lowercase());
        let body = wanted(KIND, &label);
        let began = Instant::now();
        self.sent.insert(label, Timestamp::now());
        self.server.ask("/api/vps", Some(&body))?;
        self.answered.push(began.elapsed());
        Ok(())
    }

    fn waits(&self, called: &BTreeMap<String, Timestamp>) -> Result<Vec<Duration>> {
        let wait = |(label, sent): (&String, &Timestamp)| {
            let then = called.get(label).context("a request without a call")?;
            Ok(then.duration_since(*sent).unsigned_abs())
        };
        self.sent.iter().map(wait).collect()
    }
}

/// Waits until the provider was called for every request; returns when, by their labels.
fn called(vendors: &Vendors, sides: &[Side]) -> Result<BTreeMap<String, Timestamp>> {
    let (endpoint, path) = vendors.of(KIND);
    let wanted: usize = sides.iter().map(|it| it.sent.len()).sum();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut called = BTreeMap::new();
        for call in journal(endpoint, 0)? {
            if call.method == "POST" && call.path == path {
                called
                    .entry(label(&call.body)?)
                    .or_insert(call.time.parse()?);
            }
        }
        called.retain(|label, _| sides.iter().any(|it| it.sent.contains_key(label)));
        if called.len() == wanted {
            return Ok(called);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("not every request led to a call within {PATIENCE:?}")
}

/// Returns our label of the server that a call makes: its name there ends with its mark.
fn label(body: &Value) -> Result<String> {
    let name = word(body, "/label")?;
    let (label, _) = name.rsplit_once('-').context("a name without a mark")?;
    Ok(label.to_owned())
}
