//! What goes out: shapes that stay as they are whatever moves behind them.

mod answer;
mod budget;
mod catalogue;
mod custody;
mod event;
mod health;
mod instance;
mod people;
mod plan;
mod provider;
mod ssh_key;

use jiff::Timestamp;
use roadstead_core::{Money, Price as CorePrice};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::answer::{
    AcceptedAnswer, AccountAnswer, AccountsAnswer, BudgetAnswer, Done, HealthAnswer,
    InstanceAnswer, InstancesAnswer, MeAnswer, OperationAnswer, OperationsAnswer, ProvidersAnswer,
    ReadyAnswer, SshKeyAnswer, SshKeysAnswer,
};
pub(crate) use self::budget::BudgetBucket;
pub(crate) use self::catalogue::{
    App, AppsAnswer, Image, ImagesAnswer, KeptAnswer, KeptCatalogue, Plan, PlansAnswer, Region,
    RegionsAnswer, SizesAnswer, StackScriptsAnswer,
};
pub(crate) use self::custody::{
    DecidedAnswer, Importable, ImportableAnswer, MissingAnswer, MissingServer, QuarantineAnswer,
    Quarantined, Sweep,
};
pub(crate) use self::event::frame;
pub(crate) use self::health::Health;
pub(crate) use self::instance::{Instance, Operation};
pub(crate) use self::people::{LoginAnswer, Organization, User};
pub(crate) use self::plan::{
    AdminSalePlan, AdminSalePlanAnswer, AdminSalePlansAnswer, ImportAnswer, Sale, SalePlan,
    SalePlansAnswer,
};
pub(crate) use self::provider::{AdminProvider, Provider};
pub(crate) use self::ssh_key::SshKey;
use crate::openapi::words;

/// What something costs. A part that is `null` is unknown, and never free.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Price {
    /// Per started hour.
    #[schemars(with = "Option<words::Money>")]
    hourly: Option<Money>,
    /// Per month, as the provider publishes it; never computed from the hourly price.
    #[schemars(with = "Option<words::Money>")]
    monthly: Option<Money>,
    /// Whether hours stop adding up at the monthly price.
    monthly_is_cap: bool,
    /// When the figures were read.
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
