//! The walk through a vendor's own log that numbers its rows and gives the newest first.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, ErrorKind, LogPlace, LoggedOperation, OperationLog, Outcome, ProviderKind, Result, Since,
};

const OPERATION: &str = "read the log of the instance";

/// A vendor's log of one server. Its rows are numbered in the order in which they were written,
/// and come by pages, the newest first.
#[async_trait]
pub trait NumberedLog: Sync {
    /// A row, as the vendor writes it.
    type Row: Send;

    /// Returns whose log it is.
    fn provider(&self) -> ProviderKind;

    /// Fetches a page; the first has the number 1.
    ///
    /// # Errors
    ///
    /// Any; a list without an end must become one.
    async fn fetch(&self, page: u32) -> Result<LogPage<Self::Row>>;

    /// Returns the number of a row.
    fn number(row: &Self::Row) -> u64;

    /// Returns when what a row tells of began, by the vendor's clock.
    fn started(row: &Self::Row) -> Option<Timestamp>;

    /// Returns whether it can be told what a row is.
    fn is_legible(row: &Self::Row) -> bool;

    /// Returns what a row tells of; `None` for what has nothing to do with the server.
    fn entry(&self, row: Self::Row) -> Option<LoggedOperation>;
}

/// A page of a log.
#[derive(Debug)]
pub struct LogPage<R> {
    /// Its rows, as they came.
    pub rows: Vec<R>,
    /// Whether there are rows besides of which not even the number could be read.
    pub has_odd: bool,
    /// The next page, if there is one.
    pub next: Option<u32>,
    /// When the vendor answered, by its own clock.
    pub answered: Timestamp,
}

/// Reads a log: all that was asked for, or an error.
///
/// # Errors
///
/// `Invalid` for a place that does not come from such a log, `Decode` for a row that may be what
/// is looked for and cannot be read, and what fetching a page returns.
pub async fn read_log<L: NumberedLog>(log: &L, since: &Since) -> Result<OperationLog> {
    let odd = || {
        let message = "a row of the provider's log could not be read";
        Error::new(log.provider(), OPERATION, ErrorKind::Decode, message)
    };
    let place = match since {
        Since::Place(place) => Some(number(log, place)?),
        Since::Now | Since::Ago(_) => None,
    };
    let mut oldest = None;
    let mut end = place.unwrap_or_default();
    let mut found = BTreeMap::new();
    let (mut in_order, mut before_it) = (true, u64::MAX);
    let mut page = 1;
    loop {
        let LogPage {
            rows,
            has_odd,
            next,
            answered,
        } = log.fetch(page).await?;
        if let Since::Ago(ago) = since {
            // By the first answer: what is read later must not reach less far back.
            oldest.get_or_insert_with(|| before(answered, *ago));
        }
        let numbers: Vec<u64> = rows.iter().map(L::number).collect();
        end = numbers.iter().copied().max().unwrap_or_default().max(end);
        if *since == Since::Now {
            break;
        }
        if has_odd {
            return Err(odd());
        }
        // Only where all have come in order is the rest older than the last.
        for it in &numbers {
            in_order &= *it <= before_it;
            before_it = *it;
        }
        let reaches = rows.last().is_some_and(|last| {
            place.is_some_and(|it| L::number(last) <= it)
                || oldest.is_some_and(|it| L::started(last).is_some_and(|at| at < it))
        });
        // A row that has moved to the next page meanwhile comes twice, and counts once.
        let numbered = numbers.into_iter().zip(rows);
        found.extend(numbered.filter(|(it, _)| place.is_none_or(|place| *it > place)));
        match next {
            Some(next) if !(in_order && reaches) => page = next,
            _ => break,
        }
    }
    let mut entries = Vec::new();
    for row in found.into_values() {
        if !L::is_legible(&row) {
            return Err(odd());
        }
        match (oldest, L::started(&row)) {
            (Some(oldest), Some(at)) if at < oldest => continue,
            (Some(_), None) => return Err(odd()),
            _ => {}
        }
        entries.extend(log.entry(row));
    }
    Ok(OperationLog {
        entries,
        end: LogPlace::from(end.to_string()),
    })
}

fn before(now: Timestamp, ago: Duration) -> Timestamp {
    let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX);
    now.checked_sub(ago).unwrap_or(Timestamp::MIN)
}

fn number(log: &impl NumberedLog, place: &LogPlace) -> Result<u64> {
    place
        .as_str()
        .parse()
        .map_err(|source: std::num::ParseIntError| {
            let message = "the place does not come from this log";
            Error::new(log.provider(), OPERATION, ErrorKind::Invalid, message)
                .with_field("since")
                .with_outcome(Outcome::NotExecuted)
                .with_source(source)
        })
}

#[cfg(test)]
mod tests;
