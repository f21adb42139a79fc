//! Linode's own log of a server: the account's events, which are numbered in the order in which
//! they were written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use roadstead_core::{Error, ErrorKind, LogPlace, LoggedOperation, OperationLog, Result, Since};

use crate::client::Client;
use crate::error::{invalid, kind};
use crate::job::{self, Job};

const OPERATION: &str = "read the log of the instance";

/// Reads the log of a Linode: all that was asked for, or an error.
pub(crate) async fn read(client: &Client, linode: u64, since: &Since) -> Result<OperationLog> {
    let place = match since {
        Since::Place(place) => Some(number(place)?),
        Since::Now | Since::Ago(_) => None,
    };
    let mut oldest = None;
    let mut end = place.unwrap_or_default();
    let mut found = BTreeMap::new();
    let mut page = 1;
    loop {
        let (rows, answered) = client.fetch_log(linode, page).await?;
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
                || oldest.is_some_and(|it| job::written(last).is_some_and(|at| at < it))
        });
        let next = rows.next;
        for event in rows.rows {
            if place.is_none_or(|it| event.id > it) {
                found.insert(event.id, event);
            }
        }
        match next {
            Some((next, _)) if !(in_order && reaches) => page = next,
            _ => break,
        }
    }
    let mut entries = Vec::new();
    for event in found.into_values() {
        if event.status.is_empty() {
            return Err(odd());
        }
        let at = job::written(&event);
        match (oldest, at) {
            (Some(oldest), Some(at)) if at < oldest => continue,
            (Some(_), None) => return Err(odd()),
            _ => {}
        }
        let Some((job, kind)) = Job::of_event(linode, &event, answered_or(at)) else {
            continue;
        };
        entries.push(LoggedOperation {
            kind,
            started: at,
            operation: job.by_event(&event),
        });
    }
    Ok(OperationLog {
        entries,
        end: LogPlace::from(end.to_string()),
    })
}

/// An event is found again by its number; its time is only for people.
fn answered_or(at: Option<Timestamp>) -> Timestamp {
    at.unwrap_or(Timestamp::UNIX_EPOCH)
}

fn before(now: Timestamp, ago: std::time::Duration) -> Timestamp {
    let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX);
    now.checked_sub(ago).unwrap_or(Timestamp::MIN)
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
