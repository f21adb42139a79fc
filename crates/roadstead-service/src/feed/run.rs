//! The reader: publishes what this process has written, reads what anybody has, hands it out.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use roadstead_repository::{Backend, Wake};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::End;
use crate::Platform;
use crate::error::Result;

/// How many events are read at once.
const PAGE: u32 = 500;

/// The least time from one round to the next: what is written meanwhile is read together.
const PACE: Duration = Duration::from_millis(10);

/// Reads events until told to stop, then ends all streams.
pub(crate) async fn run(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    let mut watch = platform.repository.watch_events();
    let mut reader = Reader {
        platform: &platform,
        // At the start there may be what a process wrote that was killed before it told.
        publish: true,
        checked: Instant::now(),
    };
    let mut failing = false;
    loop {
        let began = Instant::now();
        match reader.round().await {
            Ok(()) if failing => {
                info!("events can be read again");
                failing = false;
            }
            Ok(()) => {}
            Err(error) if failing => tracing::debug!(error = %error, "events still cannot be read"),
            Err(error) => {
                warn!(error = %error, "events cannot be read; trying again and again");
                failing = true;
            }
        }
        let poll = began + platform.feed.clockwork.poll;
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            wake = watch.woken(), if !failing => reader.publish |= wake == Wake::Here,
            // A wake may be lost, and a process die between its commit and its wake.
            () = tokio::time::sleep_until(poll) => reader.publish = true,
        }
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            () = tokio::time::sleep_until(began + PACE) => {}
        }
    }
    platform.feed.close();
}

/// Makes one round, as the reader does.
#[cfg(feature = "test-support")]
pub(crate) async fn turn(platform: &Platform) -> Result<()> {
    let mut reader = Reader {
        platform,
        publish: true,
        checked: Instant::now(),
    };
    reader.round().await
}

struct Reader<'a> {
    platform: &'a Platform,
    publish: bool,
    checked: Instant,
}

impl Reader<'_> {
    async fn round(&mut self) -> Result<()> {
        let Platform {
            repository, feed, ..
        } = self.platform;
        if self.publish {
            repository.publish_events().await?;
            self.publish = false;
        }
        let mut after = match feed.position() {
            Some(position) => position,
            None => {
                let latest = repository.latest_position().await?;
                feed.begin(latest);
                latest
            }
        };
        // Before anything is handed out: nobody sees what they may no longer see.
        if self.checked.elapsed() >= feed.clockwork.recheck {
            self.check().await?;
            self.checked = Instant::now();
        }
        loop {
            let page = repository.events_after(after, PAGE).await?;
            let Some(upto) = page.upto else {
                return Ok(());
            };
            let work = feed.hand_out(page.events, upto);
            if work && repository.backend() == Backend::Postgres {
                // Another process may have accepted it.
                self.platform.bell.ring();
            }
            if !page.more {
                return Ok(());
            }
            after = upto;
        }
    }

    /// Ends the streams whose session or membership is no more.
    async fn check(&self) -> Result<()> {
        let Platform {
            repository,
            feed,
            clock,
            ..
        } = self.platform;
        let audience = feed.audience();
        if audience.is_empty() {
            return Ok(());
        }
        let mut sessions: Vec<_> = audience.iter().map(|it| it.0).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let found = repository.session_scopes(&sessions, clock.now()).await?;
        let alive: HashSet<_> = found.iter().map(|it| it.0).collect();
        let members: HashSet<_> = found
            .iter()
            .filter_map(|(session, organization)| Some((*session, (*organization)?)))
            .collect();
        let asked: HashSet<_> = audience.into_iter().collect();
        feed.end_where(End::LoggedOut, |organization, it| {
            // One that was opened meanwhile is as fresh as its own login.
            asked.contains(&(it.session, organization)) && !alive.contains(&it.session)
        });
        feed.end_where(End::NoMember, |organization, it| {
            let at = (it.session, organization);
            asked.contains(&at) && alive.contains(&it.session) && !members.contains(&at)
        });
        Ok(())
    }
}
