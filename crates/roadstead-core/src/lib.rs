#![doc = include_str!("../README.md")]

mod budget;
mod catalogue;
mod clock;
#[cfg(feature = "crash-points")]
pub mod crash;
mod create;
mod descriptor;
mod error;
mod ext;
mod extensions;
mod id;
mod instance;
mod log;
mod marketplace;
mod markup;
mod money;
mod operation;
mod options;
mod provider;
mod secret;
mod units;

pub use crate::budget::{Lane, LimitSource, RateBucket, Reserve};
pub use crate::catalogue::{
    Arch, Availability, Image, Market, Offering, Plan, Region, offering_of, region_of,
};
pub use crate::clock::{Clock, ManualClock, after};
pub use crate::create::{CreateInstance, CreateKey, Created, How};
pub use crate::descriptor::{
    CreateGuarantee, Descriptor, Feature, Limits, NameRule, RebuildRule, ResizeRule, RootPassword,
    Support,
};
pub use crate::error::{Blocks, Code, Details, Error, ErrorKind, Outcome, Result, Retry};
pub use crate::ext::ProviderExt;
pub use crate::extensions::{
    AfterCreate, Choice, ChoiceList, Choices, Extensions, KeptKey, KeyForm, Marketplace, SshKeys,
    StackScripts,
};
pub use crate::id::{
    EventId, ImageId, InstanceId, LogPlace, OperationId, OrgId, PageToken, PlanId, ProviderId,
    ProviderKind, RegionId, RemoteId, RemoteOperationId, SalePlanId, SessionId, SshKeyId, UserId,
};
pub use crate::instance::{
    Address, At, Billed, Instance, InstanceQuery, Next, Page, Scope, State, Status,
};
pub use crate::log::{LogPage, NumberedLog, read_log};
pub use crate::marketplace::{AppField, FieldKind, MarketplaceApp};
pub use crate::markup::{Markup, MarkupError, Percent};
pub use crate::money::{Currency, Money, Price, PriceSource, exact_decimal, plain_decimal};
pub use crate::operation::{
    Action, ActionKind, LoggedOperation, OperationLog, OperationStatus, RemoteOperation, Since,
};
pub use crate::options::{read_options, wrong_option};
pub use crate::provider::{Account, Provider};
pub use crate::secret::Secret;
pub use crate::units::{GbPerMonth, Mbps, MiB};

/// Passes a named point at which a build with the feature `crash-points` can be made to die: by
/// its whole name, or by the word of an operation's kind and a step. Any other build has nothing
/// here.
#[cfg(feature = "crash-points")]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        $crate::crash::pass($name)
    };
    ($kind:expr, $step:expr) => {
        $crate::crash::pass_step($kind, $step)
    };
}

/// Passes a named point at which a build with the feature `crash-points` can be made to die: by
/// its whole name, or by the word of an operation's kind and a step. Any other build has nothing
/// here.
#[cfg(not(feature = "crash-points"))]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        ()
    };
    ($kind:expr, $step:expr) => {
        ()
    };
}
