//! DigitalOcean's own log of a droplet: its actions, which are numbered in the order in which they
//! were accepted.

use async_trait::async_trait;
use jiff::Timestamp;
use roadstead_core::{ActionKind, LogPage, LoggedOperation, NumberedLog, ProviderKind, Result};

use crate::client::Client;
use crate::error::kind;
use crate::{convert, wire};

/// The actions of a droplet.
pub(crate) struct Log<'a> {
    pub(crate) client: &'a Client,
    pub(crate) droplet: u64,
}

#[async_trait]
impl NumberedLog for Log<'_> {
    type Row = wire::Action;

    fn provider(&self) -> ProviderKind {
        kind()
    }

    async fn fetch(&self, page: u32) -> Result<LogPage<wire::Action>> {
        let (rows, answered) = self.client.fetch_log(self.droplet, page).await?;
        Ok(LogPage {
            has_odd: !rows.is_legible(),
            next: rows.next.map(|(next, _)| next),
            rows: rows.rows,
            answered,
        })
    }

    fn number(action: &wire::Action) -> u64 {
        action.id
    }

    fn started(action: &wire::Action) -> Option<Timestamp> {
        action.started_at.as_deref()?.parse().ok()
    }

    fn is_legible(action: &wire::Action) -> bool {
        !action.status.is_empty()
    }

    fn entry(&self, action: wire::Action) -> Option<LoggedOperation> {
        Some(LoggedOperation {
            kind: action.kind.as_deref().and_then(asked),
            started: Self::started(&action),
            operation: convert::operation(action),
        })
    }
}

/// Returns what an action was asked for.
fn asked(word: &str) -> Option<ActionKind> {
    Some(match word {
        "power_on" => ActionKind::Boot,
        "shutdown" => ActionKind::Shutdown,
        "power_off" => ActionKind::PowerOff,
        "reboot" => ActionKind::Reboot,
        "power_cycle" => ActionKind::HardReset,
        "rename" => ActionKind::Rename,
        "resize" => ActionKind::Resize,
        "rebuild" => ActionKind::Rebuild,
        "password_reset" => ActionKind::ResetPassword,
        _ => return None,
    })
}
