//! The program as a server: killed, stopped, continued, and started again whenever it ends.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use parking_lot::Mutex;
use tokio::process::Command;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::program::{program, word_in};

/// Variables of one life of the program.
pub(crate) type Variables = Vec<(String, String)>;

/// How one life of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By us, as by `kill -9`.
    Killed,
    /// At the point at which it was told to die.
    AtPoint,
    /// Told to stop, and stopped.
    Stopped,
    /// In any other way.
    Other,
}

enum Order {
    Kill,
    /// Kill it and do not start it again before it is told to.
    Hold,
    /// Start one again that is held.
    Go,
    /// Kill it and do not start it again.
    End,
}

/// A server that is started again whenever it ends.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Order>,
    address: watch::Receiver<Option<String>>,
    ends: watch::Receiver<Vec<End>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    folder: PathBuf,
    /// The settings of every life.
    settings: Mutex<Variables>,
    /// What comes on top, life after life.
    further: Mutex<VecDeque<Variables>>,
    mishaps: Mutex<Vec<String>>,
    pid: watch::Sender<Option<u32>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its child is killed with it.
        self.task.abort();
    }
}

impl Server {
    /// Starts the server. `further` holds what comes on top of the settings in its first lives.
    ///
    /// # Errors
    ///
    /// Fails if the program is not there.
    pub fn start(
        name: &str,
        folder: &Path,
        settings: Variables,
        further: impl IntoIterator<Item = Variables>,
    ) -> Result<Self> {
        let program = program()?;
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            folder: folder.to_owned(),
            settings: Mutex::new(settings),
            further: Mutex::new(further.into_iter().collect()),
            mishaps: Mutex::default(),
            pid: watch::Sender::new(None),
        });
        let (orders, ordered) = mpsc::unbounded_channel();
        let (tell_address, address) = watch::channel(None);
        let (tell_ends, ends) = watch::channel(Vec::new());
        let lives = Lives {
            shared: Arc::clone(&shared),
            program,
            ordered,
            address: tell_address,
            ends: tell_ends,
        };
        Ok(Self {
            shared,
            orders,
            address,
            ends,
            task: tokio::spawn(lives.run()),
        })
    }

    /// Returns where it listens, while it does.
    #[must_use]
    pub fn address(&self) -> watch::Receiver<Option<String>> {
        self.address.clone()
    }

    /// Returns how its lives ended so far.
    #[must_use]
    pub fn ends(&self) -> Vec<End> {
        self.ends.borrow().clone()
    }

    /// Returns what went wrong with it.
    #[must_use]
    pub fn mishaps(&self) -> Vec<String> {
        self.shared.mishaps.lock().clone()
    }

    /// Returns all logs of all its lives.
    #[must_use]
    pub fn logs(&self) -> Vec<PathBuf> {
        let count = self.ends.borrow().len();
        (0..=count).map(|it| self.shared.log(it)).collect()
    }

    /// Adds variables to the next life.
    pub fn next_life(&self, variables: Variables) {
        self.shared.further.lock().push_back(variables);
    }

    /// Replaces a setting of all lives to come.
    pub fn set(&self, name: &str, value: &str) {
        let mut settings = self.shared.settings.lock();
        settings.retain(|it| it.0 != name);
        settings.push((name.to_owned(), value.to_owned()));
    }

    /// Kills it, as by `kill -9`, and returns when it is dead. It is started again.
    ///
    /// # Errors
    ///
    /// Fails if it was ended for good.
    pub async fn kill(&self) -> Result<()> {
        self.order(Order::Kill).await
    }

    /// Returns something that kills it from elsewhere.
    #[must_use]
    pub fn killer(&self) -> Killer {
        Killer {
            orders: self.orders.clone(),
            ends: self.ends.clone(),
        }
    }

    /// Kills it, and does not start it again before [`Self::go`].
    ///
    /// # Errors
    ///
    /// Fails if it was ended for good.
    pub async fn hold(&self) -> Result<()> {
        self.order(Order::Hold).await
    }

    /// Starts one again that is held, and returns when it listens.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub async fn go(&self) -> Result<()> {
        if self.orders.send(Order::Go).is_err() {
            bail!("`{}` was ended before", self.shared.name);
        }
        self.listening().await?;
        Ok(())
    }

    /// Kills it for good.
    ///
    /// # Errors
    ///
    /// Fails if it was ended before.
    pub async fn end(&self) -> Result<()> {
        self.order(Order::End).await
    }

    async fn order(&self, order: Order) -> Result<()> {
        let mut ends = self.ends.clone();
        let before = ends.borrow_and_update().len();
        if self.orders.send(order).is_err() {
            bail!("`{}` was ended before", self.shared.name);
        }
        ends.wait_for(|it| it.len() > before).await?;
        Ok(())
    }

    /// Stops the process where it stands (SIGSTOP).
    ///
    /// # Errors
    ///
    /// Fails if it does not run.
    pub async fn pause(&self) -> Result<()> {
        self.signal("STOP").await
    }

    /// Lets the process go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// Fails if it does not run.
    pub async fn resume(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Asks it to stop (SIGTERM), and returns when it has. It is started again.
    ///
    /// # Errors
    ///
    /// Fails if it does not run, or does not stop.
    pub async fn stop(&self) -> Result<()> {
        let mut ends = self.ends.clone();
        let before = ends.borrow_and_update().len();
        self.signal("TERM").await?;
        let stopped = ends.wait_for(|it| it.len() > before);
        tokio::time::timeout(Duration::from_secs(40), stopped)
            .await
            .context("it does not stop")??;
        Ok(())
    }

    async fn signal(&self, name: &str) -> Result<()> {
        let pid = *self.shared.pid.borrow();
        let pid = pid.with_context(|| format!("`{}` does not run", self.shared.name))?;
        let told = Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .status()
            .await?;
        ensure!(told.success(), "could not send SIG{name} to {pid}");
        Ok(())
    }

    /// Waits until so many lives have ended.
    ///
    /// # Errors
    ///
    /// Fails if they do not end in time.
    pub async fn ended(&self, count: usize, within: Duration) -> Result<()> {
        let mut ends = self.ends.clone();
        let ended = ends.wait_for(|it| it.len() >= count);
        tokio::time::timeout(within, ended)
            .await
            .with_context(|| format!("`{}` still runs", self.shared.name))??;
        Ok(())
    }

    /// Waits until it listens.
    ///
    /// # Errors
    ///
    /// Fails if it does not in time.
    pub async fn listening(&self) -> Result<String> {
        let mut address = self.address.clone();
        let listens = address.wait_for(Option::is_some);
        let found = tokio::time::timeout(Duration::from_secs(60), listens)
            .await
            .with_context(|| format!("`{}` does not listen", self.shared.name))??;
        found.clone().context("no address")
    }

    /// Waits until its log holds a text.
    ///
    /// # Errors
    ///
    /// Fails if it does not in time.
    pub async fn logged(&self, text: &str, within: Duration) -> Result<()> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let found = self.logs().iter().any(|it| {
                std::fs::read(it).is_ok_and(|it| String::from_utf8_lossy(&it).contains(text))
            });
            if found {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "no `{text}` in the log"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Kills a server from elsewhere.
#[derive(Debug, Clone)]
pub struct Killer {
    orders: mpsc::UnboundedSender<Order>,
    ends: watch::Receiver<Vec<End>>,
}

impl Killer {
    /// Kills it, and returns when it is dead.
    pub async fn kill(&mut self) {
        let before = self.ends.borrow_and_update().len();
        if self.orders.send(Order::Kill).is_ok() {
            // It can only fail once the server was ended for good.
            drop(self.ends.wait_for(|it| it.len() > before).await);
        }
    }
}

impl Shared {
    fn log(&self, life: usize) -> PathBuf {
        self.folder.join(format!("{}-{life}.log", self.name))
    }
}

struct Lives {
    shared: Arc<Shared>,
    program: PathBuf,
    ordered: mpsc::UnboundedReceiver<Order>,
    address: watch::Sender<Option<String>>,
    ends: watch::Sender<Vec<End>>,
}

impl Lives {
    async fn run(mut self) {
        let mut failures = 0;
        loop {
            let life = self.ends.borrow().len();
            let (end, order) = match self.live(life).await {
                Ok(ended) => ended,
                Err(error) => {
                    self.shared.mishaps.lock().push(format!("{error:#}"));
                    (End::Other, None)
                }
            };
            self.shared.pid.send_replace(None);
            self.address.send_replace(None);
            self.ends.send_modify(|it| it.push(end));
            failures = if end == End::Other { failures + 1 } else { 0 };
            // One that never starts would be started for ever.
            let is_over = match order {
                Some(Order::End) => true,
                Some(Order::Hold) => !self.told_to_go().await,
                Some(Order::Kill | Order::Go) | None => false,
            };
            if is_over || failures > 3 {
                return;
            }
        }
    }

    /// Waits until one that is held may start again. Returns whether it may.
    async fn told_to_go(&mut self) -> bool {
        loop {
            match self.ordered.recv().await {
                Some(Order::Go) => return true,
                Some(Order::Kill | Order::Hold) => {}
                Some(Order::End) | None => return false,
            }
        }
    }

    /// Lives one life. Returns how it ended, and by which order, if by one.
    async fn live(&mut self, life: usize) -> Result<(End, Option<Order>)> {
        let shared = Arc::clone(&self.shared);
        let log = shared.log(life);
        let further = shared.further.lock().pop_front().unwrap_or_default();
        let settings = shared.settings.lock().clone();
        let mut child = Command::new(&self.program)
            .arg("serve")
            .env_clear()
            .envs(settings)
            .envs(further)
            .current_dir(&shared.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("could not start the server")?;
        shared.pid.send_replace(child.id());
        // What it was ordered before it lived is done.
        let mut order = None;
        let told = {
            let mut is_over = || Ok(child.try_wait()?.is_some());
            let listening = word_in(&log, "listening at ", &mut is_over);
            tokio::select! {
                biased;
                it = self.ordered.recv() => { order = Some(it); None }
                word = listening => Some(word),
            }
        };
        match told {
            Some(Ok(address)) => {
                self.address.send_replace(Some(address));
            }
            // It may have died at its point before it listened.
            Some(Err(error)) if child.try_wait()?.is_none() => return Err(error),
            Some(Err(_)) | None => {}
        }
        let ended = match order {
            Some(order) => Err(order),
            None => tokio::select! {
                biased;
                status = child.wait() => Ok(status?),
                order = self.ordered.recv() => Err(order),
            },
        };
        match ended {
            Ok(status) => Ok((self.judge(status, &log, life), None)),
            Err(order) => {
                child.start_kill()?;
                child.wait().await?;
                // Nobody is left who could order anything.
                Ok((End::Killed, Some(order.unwrap_or(Order::End))))
            }
        }
    }

    fn judge(&self, status: ExitStatus, log: &Path, life: usize) -> End {
        let written = std::fs::read(log).unwrap_or_default();
        let written = String::from_utf8_lossy(&written);
        if status.code().is_none() && written.contains("crash point `") {
            return End::AtPoint;
        }
        if status.success() {
            return End::Stopped;
        }
        let last: Vec<&str> = written.lines().rev().take(3).collect();
        let name = &self.shared.name;
        self.shared.mishaps.lock().push(format!(
            "life {life} of `{name}` ended by itself ({status}): {}",
            last.join(" | ")
        ));
        End::Other
    }
}
