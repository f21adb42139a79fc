//! Rows as the tables spell them. A row becomes a record before it leaves this crate.

mod event;
mod instance;
mod operation;
mod people;
mod plan;
mod provider;
mod ssh_key;

use roadstead_core::{Currency, Money};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result};

pub(crate) use self::event::Event;
pub(crate) use self::instance::{Instance, observed, priced};
pub(crate) use self::operation::{Attempt, Operation, TERMS};
pub(crate) use self::people::{Membership, Organization, Session, User};
pub(crate) use self::plan::{SalePlan, terms};
pub(crate) use self::provider::{Provider, verification};
pub(crate) use self::ssh_key::{Placement, SshKey};

/// Reads a word that a column holds.
fn word<T>(column: &'static str, read: Option<T>) -> Result<T> {
    read.ok_or(Error::Corrupt { column })
}

/// Reads a number that a column holds in a wider type.
fn number<T: TryFrom<N>, N>(column: &'static str, value: N) -> Result<T> {
    T::try_from(value).map_err(|_out_of_range| Error::Corrupt { column })
}

/// Reads a value that a column holds as JSON.
pub(crate) fn parse<T: DeserializeOwned>(column: &'static str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|_shape| Error::Corrupt { column })
}

/// Writes a value that a column holds as JSON.
pub(crate) fn json<T: Serialize>(what: &'static str, value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|_shape| Error::Invalid { what })
}

/// Writes a number that a column holds in a type of another sign.
pub(crate) fn stored<T: TryFrom<N>, N>(what: &'static str, value: N) -> Result<T> {
    T::try_from(value).map_err(|_out_of_range| Error::Invalid { what })
}

/// Writes an amount of money.
fn nanos(money: Money) -> Result<i64> {
    money.nanos().ok_or(Error::Invalid {
        what: "a price finer than a billionth of its unit",
    })
}

/// Returns the currency that both parts of a price are in.
fn currency(hourly: Option<Money>, monthly: Option<Money>) -> Result<Option<Currency>> {
    match (hourly.map(|it| it.currency), monthly.map(|it| it.currency)) {
        (Some(one), Some(other)) if one != other => Err(Error::Invalid {
            what: "a price in two currencies",
        }),
        (one, other) => Ok(one.or(other)),
    }
}
