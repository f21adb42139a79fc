//! Linode's own log of a server: the account's events, which are numbered in the order in which
//! they were written.

use async_trait::async_trait;
use jiff::Timestamp;
use roadstead_core::{LogPage, LoggedOperation, NumberedLog, ProviderKind, Result};

use crate::client::Client;
use crate::error::kind;
use crate::job::{self, Job};
use crate::wire;

/// The events of a Linode.
pub(crate) struct Log<'a> {
    pub(crate) client: &'a Client,
    pub(crate) linode: u64,
}

#[async_trait]
impl NumberedLog for Log<'_> {
    type Row = wire::Event;

    fn provider(&self) -> ProviderKind {
        kind()
    }

    async fn fetch(&self, page: u32) -> Result<LogPage<wire::Event>> {
        let (rows, answered) = self.client.fetch_log(self.linode, page).await?;
        Ok(LogPage {
            has_odd: !rows.is_legible(),
            next: rows.next.map(|(next, _)| next),
            rows: rows.rows,
            answered,
        })
    }

    fn number(event: &wire::Event) -> u64 {
        event.id
    }

    fn started(event: &wire::Event) -> Option<Timestamp> {
        job::written(event)
    }

    fn is_legible(event: &wire::Event) -> bool {
        !event.status.is_empty()
    }

    fn entry(&self, event: wire::Event) -> Option<LoggedOperation> {
        let started = job::written(&event);
        // An event is found again by its number; its time is only for people.
        let written = started.unwrap_or(Timestamp::UNIX_EPOCH);
        let (job, kind) = Job::of_event(self.linode, &event, written)?;
        Some(LoggedOperation {
            kind,
            started,
            operation: job.by_event(&event),
        })
    }
}
