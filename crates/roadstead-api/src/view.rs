//! What goes out: shapes that stay as they are whatever moves behind them.

mod catalogue;
mod instance;
mod people;
mod provider;

use jiff::Timestamp;
use roadstead_core::{Money, Price as CorePrice};
use serde::Serialize;

pub(crate) use self::catalogue::{App, CatalogueAnswer, Image, Plan, Region};
pub(crate) use self::instance::{Instance, Operation};
pub(crate) use self::people::{LoginAnswer, Organization, User};
pub(crate) use self::provider::{AdminProvider, Provider};

/// A price.
#[derive(Debug, Serialize)]
pub(crate) struct Price {
    hourly: Option<Money>,
    monthly: Option<Money>,
    monthly_is_cap: bool,
    as_of: Timestamp,
}

impl From<&CorePrice> for Price {
    fn from(it: &CorePrice) -> Self {
        Self {
            hourly: it.hourly,
            monthly: it.monthly,
            monthly_is_cap: it.monthly_is_cap,
            as_of: it.as_of,
        }
    }
}
