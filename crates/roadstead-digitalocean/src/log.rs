//! DigitalOcean's own log of a droplet: its actions, which are numbered in the order in which they
//! were accepted.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use roadstead_core::{
    ActionKind, Error, ErrorKind, LogPlace, LoggedOperation, OperationLog, Result, Since,
};

use crate::client::Client;
use crate::error::{invalid, kind};
use crate::{convert, wire};

const OPERATION: &str = "read the log of the instance";

/// Reads the log of a droplet: all that was asked for, or an error.
pub(crate) async fn read(client: &Client, droplet: u64, since: &Since) -> Result<OperationLog> {
    let place = match since {
        Since::Place(place) => Some(number(place)?),
        Since::Now | Since::Ago(_) => None,
    };
    let mut oldest = None;
    let mut end = place.unwrap_or_default();
    let mut found = BTreeMap::new();
    let mut page = 1;
    loop {
        let (rows, answered) = client.fetch_log(droplet, page).await?;
        if let Since::Ago(ago) = since {
            // By the first answer: what is read later must not reach less far back.
            oldest.get_or_insert_with(|| before(answered, *ago));
        }
        let ids: Vec<u64> = rows.rows.iter().map(|it| it.id).collect();
        end = ids.iter().copied().max().unwrap_or_default().max(end);
        if *since == Since::Now {
            break;
        }
        if !rows.is_legible() {
            return Err(odd());
        }
        // Only where they come in order is the rest older than the last.
        let in_order = ids.is_sorted_by(|left, right| left >= right);
        let reaches = rows.rows.last().is_some_and(|last| {
            place.is_some_and(|it| last.id <= it)
                || oldest.is_some_and(|it| started(last).is_some_and(|at| at < it))
        });
        let next = rows.next;
        for action in rows.rows {
            if place.is_none_or(|it| action.id > it) {
                found.insert(action.id, action);
            }
        }
        match next {
            Some((next, _)) if !(in_order && reaches) => page = next,
            _ => break,
        }
    }
    let mut entries = Vec::new();
    for action in found.into_values() {
        if action.status.is_empty() {
            return Err(odd());
        }
        let at = started(&action);
        match (oldest, at) {
            (Some(oldest), Some(at)) if at < oldest => continue,
            (Some(_), None) => return Err(odd()),
            _ => {}
        }
        entries.push(LoggedOperation {
            kind: action.kind.as_deref().and_then(asked),
            started: at,
            operation: convert::operation(action),
        });
    }
    Ok(OperationLog {
        entries,
        end: LogPlace::from(end.to_string()),
    })
}

fn before(now: Timestamp, ago: std::time::Duration) -> Timestamp {
    let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX);
    now.checked_sub(ago).unwrap_or(Timestamp::MIN)
}

fn started(action: &wire::Action) -> Option<Timestamp> {
    action.started_at.as_deref()?.parse().ok()
}

fn number(place: &LogPlace) -> Result<u64> {
    place
        .as_str()
        .parse()
        .map_err(|source: std::num::ParseIntError| {
            let message = "the place does not come from this log";
            invalid(OPERATION, "since", message).with_source(source)
        })
}

fn odd() -> Error {
    let message = "a row of the provider's log could not be read";
    Error::new(kind(), OPERATION, ErrorKind::Decode, message)
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
