//! One trial from the start to the verdict.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::{join_all, try_join_all};
use roadstead_harness::{
    Allowed, Asked, Cut, CutAt, Evidence, Server, Site, SiteOptions, Vendor, Verdict, check,
};
use serde_json::json;
use uuid::Uuid;

use crate::trial::{Ask, Death, Trial};

/// How long it may take until the program dies where it is told to.
const DEATH: Duration = Duration::from_secs(60);

/// How long everything may take to end after that.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// How many servers our database forgets when it is put back.
const FORGOTTEN: u32 = 3;

/// Plays a trial.
pub(crate) async fn play(trial: &Trial) -> Result<Verdict> {
    let death = trial.death();
    let mut options = SiteOptions::new(trial.vendor, trial.backend);
    match (death, trial.point.ask) {
        (Death::Point(name), _) => {
            options.first_lives = vec![vec![("ROADSTEAD_CRASH_AT".to_owned(), name.to_owned())]];
        }
        (Death::Cut(_), _) => options.proxy = true,
        (Death::Own, Ask::CreateStopped) => {
            options.servers = 2;
            options.first_lives = vec![
                vec![(
                    "ROADSTEAD_CRASH_AT".to_owned(),
                    "create.t2_after:1:pause=3000".to_owned(),
                )],
                // The second one takes nothing up before it is started anew.
                vec![("ROADSTEAD_WORKERS".to_owned(), "0".to_owned())],
            ];
        }
        (Death::Own, _) => {}
    }
    let stage = Stage {
        site: Site::start(options).await?,
        trial,
    };
    let allowed = stage.play(death).await?;
    let evidence = stage.site.quiet(LIMIT, allowed).await?;
    let mut verdict = check(&evidence, allowed);
    if let Some(finding) = stage.doubt(death, &evidence) {
        verdict.findings.push(finding);
    }
    Ok(verdict)
}

struct Stage<'a> {
    site: Site,
    trial: &'a Trial,
}

impl Stage<'_> {
    async fn play(&self, death: Death) -> Result<Allowed> {
        let allowed = Allowed::default();
        match self.trial.point.ask {
            Ask::Create => {
                self.plan(death, "POST", self.vendor().servers(), "")?;
                let labels = ["web-1", "web-2", "web-3"];
                let asked = join_all(labels.map(|it| self.create(it)));
                let (asked, died) = tokio::join!(asked, self.died(death));
                died?;
                asked.into_iter().collect::<Result<Vec<_>>>()?;
            }
            Ask::CreateLost => {
                let lost = self
                    .vendor()
                    .create_fault("before", json!({ "drop": true }));
                self.site.simulators.add_faults(self.vendor(), lost).await?;
                let (asked, died) = tokio::join!(self.create("web-1"), self.died(death));
                died?;
                asked?;
            }
            Ask::CreateStopped => {
                self.stopped().await?;
                return Ok(Allowed {
                    // The request that leaves too late makes a server where no name is refused.
                    extras: true,
                    ..allowed
                });
            }
            Ask::Delete => {
                let servers = self.running(&["web-1", "web-2"]).await?;
                self.plan(death, "DELETE", self.vendor().servers(), "")?;
                let asked = join_all(servers.into_iter().map(|it| self.site.member.delete(it)));
                let (asked, died) = tokio::join!(asked, self.died(death));
                died?;
                asked.into_iter().collect::<Result<Vec<_>>>()?;
            }
            Ask::DeleteUnknown => self.delete_unknown(death).await?,
            Ask::Resize => {
                let [_, larger] = self.vendor().plans();
                let asked = Asked {
                    kind: "resize".to_owned(),
                    plan: Some(larger.to_owned()),
                    ..Asked::default()
                };
                self.act(death, "resize", Some(json!({ "type": larger })), asked)
                    .await?;
            }
            Ask::Reboot => {
                let asked = Asked {
                    kind: "reboot".to_owned(),
                    ..Asked::default()
                };
                self.act(death, "reboot", None, asked).await?;
            }
            Ask::Sweep => {
                let mark = self.running(&["web-1"]).await?;
                ensure!(mark.len() == 1, "one server was asked for");
                self.plant().await?;
                self.died(death).await?;
                return Ok(Allowed {
                    extras: true,
                    ..allowed
                });
            }
            Ask::Restore => return self.restored().await,
        }
        Ok(allowed)
    }

    fn vendor(&self) -> Vendor {
        self.trial.vendor
    }

    fn server(&self) -> Result<&Server> {
        self.site.server()
    }

    async fn create(&self, label: &str) -> Result<Uuid> {
        let accepted = self.site.member.create(self.vendor(), label).await?;
        accepted.with_context(|| format!("`{label}` was refused: {:?}", self.site.member.asked()))
    }

    /// Makes servers and waits until they run.
    async fn running(&self, labels: &[&str]) -> Result<Vec<Uuid>> {
        let servers = try_join_all(labels.iter().map(|it| self.create(it))).await?;
        for server in &servers {
            self.site.member.until(*server, "running").await?;
        }
        Ok(servers)
    }

    /// Tells the proxy what to cut, if it is to cut.
    fn plan(&self, death: Death, method: &str, path: &str, body: &str) -> Result<()> {
        let Death::Cut(at) = death else {
            return Ok(());
        };
        let cut = Cut {
            at,
            method: method.to_owned(),
            path: path.to_owned(),
            body: body.to_owned(),
        };
        let proxy = self.site.proxy.as_ref().context("no proxy")?;
        proxy.plan(cut, self.server()?.killer());
        Ok(())
    }

    /// Waits until the program has died.
    async fn died(&self, death: Death) -> Result<()> {
        match (death, &self.site.proxy) {
            (Death::Cut(_), Some(proxy)) => proxy.cut(DEATH).await,
            (Death::Cut(_), None) => bail!("no proxy"),
            (Death::Point(name), _) => self
                .server()?
                .ended(1, DEATH)
                .await
                .with_context(|| format!("`{name}` was never reached")),
            (Death::Own, _) => Ok(()),
        }
    }

    /// Does something with a server while the program dies.
    async fn act(
        &self,
        death: Death,
        word: &str,
        body: Option<serde_json::Value>,
        asked: Asked,
    ) -> Result<()> {
        let servers = self.running(&["web-1"]).await?;
        let server = servers.first().copied().context("no server")?;
        // This provider resizes only what is switched off.
        if word == "resize" && self.vendor() == Vendor::DigitalOcean {
            let off = Asked {
                kind: "power_off".to_owned(),
                ..Asked::default()
            };
            self.site.member.act(server, "power-off", None, off).await?;
            self.site.member.until(server, "stopped").await?;
            self.until_state(&["succeeded"], "power_off").await?;
        }
        let objects = self.site.simulators.objects(self.vendor()).await?;
        let remote = &objects.first().context("no server at the provider")?.id;
        let base = self.vendor().servers();
        let (path, text) = match self.vendor() {
            Vendor::DigitalOcean => (format!("{base}/{remote}/actions"), word),
            Vendor::Linode => (format!("{base}/{remote}/{word}"), ""),
        };
        self.plan(death, "POST", &path, text)?;
        let asking = self.site.member.act(server, word, body.as_ref(), asked);
        let (asked, died) = tokio::join!(asking, self.died(death));
        died?;
        asked
    }

    /// A create whose answer is lost and which cannot be looked for meanwhile.
    async fn delete_unknown(&self, death: Death) -> Result<()> {
        let (simulators, vendor) = (&self.site.simulators, self.vendor());
        let lost = vendor.create_fault("after", json!({ "drop": true }));
        // Lists that lag, and not lists that fail: a provider that fails is left alone.
        let stale = match vendor {
            Vendor::DigitalOcean => json!({ "droplets": [], "links": {}, "meta": { "total": 0 } }),
            Vendor::Linode => json!({ "data": [], "page": 1, "pages": 1, "results": 0 }),
        };
        let blind = json!({
            "method": "GET",
            "path": vendor.servers(),
            "effect": { "body": stale },
            "count": 1_000_000,
        });
        simulators.add_faults(vendor, json!([lost, blind])).await?;
        let server = self.create("web-1").await?;
        self.until_state(&["unknown", "resolving"], "create")
            .await?;
        let sees_again = async {
            self.died(death).await?;
            simulators.clear_faults(vendor).await
        };
        let (asked, died) = tokio::join!(self.site.member.delete(server), sees_again);
        died?;
        asked
    }

    /// Waits until the only operation of a kind is in one of these states.
    async fn until_state(&self, states: &[&str], kind: &str) -> Result<()> {
        let deadline = tokio::time::Instant::now() + DEATH;
        loop {
            let books = self.site.database().books().await?;
            let mut open = books.operations.iter();
            if open.any(|it| it.kind == kind && states.contains(&it.state.as_str())) {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "nothing is {states:?}: {:?}",
                books.operations
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One program is stopped with the attempt on record; another does the work; the first goes
    /// on where it was.
    async fn stopped(&self) -> Result<()> {
        let [first, second] = self.site.servers.as_slice() else {
            bail!("it takes two programs");
        };
        let server = self.create("web-1").await?;
        first
            .logged("crash point `create.t2_after` reached", DEATH)
            .await?;
        first.pause().await?;
        let sent = self.creates().await?;
        ensure!(sent == 0, "it was stopped too late");
        second.kill().await?;
        second.listening().await?;
        self.until_bound(server).await?;
        first.resume().await?;
        let deadline = tokio::time::Instant::now() + DEATH;
        while self.creates().await? < 2 {
            ensure!(
                tokio::time::Instant::now() < deadline,
                "the program that was stopped sent nothing when it went on"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Returns how often the provider was asked for a server.
    async fn creates(&self) -> Result<usize> {
        let journal = self.site.simulators.journal(self.vendor(), 0).await?;
        Ok(journal.iter().filter(|it| it.is_create()).count())
    }

    async fn until_bound(&self, server: Uuid) -> Result<()> {
        let deadline = tokio::time::Instant::now() + DEATH;
        loop {
            let books = self.site.database().books().await?;
            let mut instances = books.instances.iter();
            if instances.any(|it| it.id == server && it.remote.is_some()) {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "nobody binds the server"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Puts a second server with the mark of the only one at the provider, as a request that took
    /// effect too late would have.
    async fn plant(&self) -> Result<()> {
        let (simulators, vendor) = (&self.site.simulators, self.vendor());
        let journal = simulators.journal(vendor, 0).await?;
        let sent = journal.iter().find(|it| it.is_create() && it.committed);
        let mut body = sent
            .and_then(|it| it.body.clone())
            .context("no server was asked for")?;
        // Where a name is taken only once, the tags alone are the mark.
        if vendor == Vendor::Linode
            && let Some(body) = body.as_object_mut()
        {
            body.insert("label".to_owned(), json!("planted-by-the-harness"));
            body.insert("root_pass".to_owned(), json!("Planted-by-the-harness-1"));
        }
        let path = vendor.servers();
        let (status, answer) = simulators.call(vendor, "POST", path, Some(body)).await?;
        let id = answer.pointer("/droplet/id").or_else(|| answer.get("id"));
        let id = id.with_context(|| format!("not planted: {status} {answer}"))?;
        self.site.planted(&id.to_string());
        Ok(())
    }

    /// Our database is put back to before the last creates.
    async fn restored(&self) -> Result<Allowed> {
        self.running(&["web-1", "web-2"]).await?;
        let server = self.server()?;
        server.hold().await?;
        let backup = self.site.database().copy().await?;
        server.go().await?;
        self.running(&["new-1", "new-2", "new-3"]).await?;
        self.site.restore(backup).await?;
        let allowed = Allowed {
            restored: Some(FORGOTTEN),
            ..Allowed::default()
        };
        // Once until they are found, and once more, in which none may be deleted.
        self.site.quiet(LIMIT, allowed).await?;
        Ok(allowed)
    }

    /// Returns why the trial has tried nothing, if it has not.
    fn doubt(&self, death: Death, evidence: &Evidence) -> Option<String> {
        let ends = self.site.servers.first()?.ends();
        let expected = match death {
            Death::Point(_) => roadstead_harness::End::AtPoint,
            Death::Cut(_) => roadstead_harness::End::Killed,
            Death::Own => return None,
        };
        if ends.first() != Some(&expected) {
            return Some(format!("the program did not die as planned: {ends:?}"));
        }
        // Half a request does nothing: the server is made by another one.
        let half = matches!(death, Death::Cut(CutAt::HalfRequest));
        let made = evidence.objects.len();
        (half && made != 3).then(|| format!("three servers were asked for, {made} were made"))
    }
}
